"""Which options of a search go with which: tables, and one check. Needs no torch."""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from nmt.errors import SettingError

if TYPE_CHECKING:
    from nmt.decoding.options import SearchOptions


# More than this of anything makes no sense, and sums and products would overflow.
MOST = 1_000_000


def check(options: "SearchOptions") -> None:
    """Refuse values without sense, options that would change nothing, and contradictions.

    Raises:
        SettingError: with what to change.
    """
    for name, bound in BOUNDS.items():
        value = getattr(options, name)
        if value is not None and not bound.holds(value):
            raise SettingError(f"the {bound.what} must be {bound.range}, not {value}")
        if value is not None and name != "seed" and value > MOST:
            raise SettingError(f"the {bound.what} must be at most {MOST:,}, not {value}")
    for field in fields(options):
        fitting = ONLY_FOR.get(field.name, tuple(STRATEGIES))
        if getattr(options, field.name) != field.default and options.strategy not in fitting:
            raise SettingError(
                f"--{field.name.replace('_', '-')} changes nothing in "
                f"{STRATEGIES[options.strategy]}; it is for "
                f"{' and '.join(STRATEGIES[name] for name in fitting)}"
            )
    for conflict in CONFLICTS:
        if conflict.found(options):
            raise SettingError(conflict.sentence.format(**vars(options)))


@dataclass(frozen=True)
class Bound:
    """The values that an option may have."""

    what: str
    holds: Callable[[float], bool]
    range: str


@dataclass(frozen=True)
class Conflict:
    """Options that cannot be had together."""

    found: Callable[["SearchOptions"], bool]
    sentence: str


def _from(least: float) -> Callable[[float], bool]:
    return lambda value: least <= value < math.inf


BOUNDS = {
    "beam_size": Bound("beam size", _from(1), "1 or more"),
    "n_best": Bound("number of translations (--n-best)", _from(1), "1 or more"),
    "coverage_penalty": Bound("coverage penalty", _from(0), "0 or more"),
    "min_length": Bound("minimum length", _from(0), "0 or more"),
    "min_length_ratio": Bound("minimum length ratio", _from(0), "0 or more"),
    "max_length": Bound("maximum length", _from(1), "1 or more"),
    "max_length_ratio": Bound("maximum length ratio", lambda x: 0 < x < math.inf, "more than 0"),
    "no_repeat_ngram": Bound("size of n-grams that do not repeat", _from(0), "0 or more"),
    "length_ratio": Bound("length ratio", _from(0), "0 or more"),
    "length_extra": Bound("extra length", _from(0), "0 or more"),
    # Below, scores divided by it are no numbers of float32.
    "temperature": Bound("temperature", _from(0.001), "0.001 or more"),
    "top_k": Bound("number of pieces to draw from (--top-k)", _from(0), "0 or more"),
    "top_p": Bound(
        "probability to draw from (--top-p)", lambda x: 0 < x <= 1, "more than 0 and at most 1"
    ),
    "seed": Bound("seed", lambda x: 0 <= x < 1 << 63, "from 0 to 2^63 - 1"),
}

STRATEGIES = {"beam": "beam search", "greedy": "greedy search", "sampling": "sampling (--sample)"}
# The searches that an option changes anything for; what is not here, it does for all of them.
ONLY_FOR: dict[str, tuple[str, ...]] = {
    "beam_size": ("beam", "greedy"),
    "coverage_penalty": ("beam",),  # it chooses among hypotheses
    "temperature": ("sampling",),
    "top_k": ("sampling",),
    "top_p": ("sampling",),
    "seed": ("sampling",),
}
CONFLICTS = (
    Conflict(
        lambda options: not options.sample and options.n_best > options.beam_size,
        "the {n_best} best translations need a beam of {n_best} or more, not {beam_size}; add "
        "--beam-size {n_best}",
    ),
    Conflict(
        lambda options: options.max_length is not None and options.min_length > options.max_length,
        "no translation has at least {min_length} and at most {max_length} pieces; change "
        "--min-length or --max-length",
    ),
    Conflict(
        lambda options: (
            options.max_length_ratio is not None
            and options.min_length_ratio > options.max_length_ratio
        ),
        "no translation is at least {min_length_ratio} and at most {max_length_ratio} times as "
        "long as its source; change --min-length-ratio or --max-length-ratio",
    ),
)
