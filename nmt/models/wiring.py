"""Which of the decoder's layers ask attention, and what reads the context that comes back."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Wiring:
    """The paths of contexts through a decoder."""

    asks: tuple[bool, ...]  # whether each layer asks, with what comes out of it
    reads: tuple[bool, ...]  # whether each layer reads the newest context; the read-out always does
    before: bool = False  # whether the first layer's state before a step asks


def every(layers: int) -> Wiring:
    """Let each layer ask, and what comes next read the answer."""
    return Wiring((True,) * layers, (False, *[True] * (layers - 1)))


def first(layers: int) -> Wiring:
    """Let the first layer ask for all that come after it (Wu et al. 2016, section 3)."""
    return Wiring((True, *[False] * (layers - 1)), (False, *[True] * (layers - 1)))


def last(layers: int) -> Wiring:
    """Let the top layer ask, for the read-out alone (Luong et al. 2015, section 3)."""
    return Wiring((*[False] * (layers - 1), True), (False,) * layers)


def before(layers: int) -> Wiring:
    """Let the state before a step ask, for the first layer and the read-out (Bahdanau 2015)."""
    return Wiring((False,) * layers, (True, *[False] * (layers - 1)), before=True)


WIRINGS: dict[str, Callable[[int], Wiring]] = {
    "every": every,
    "first": first,
    "last": last,
    "before": before,
}
