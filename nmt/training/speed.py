"""How fast training goes: tokens a second, and the share of the machine's measured peak."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from torch import Tensor

from nmt.models.cost import Cost
from nmt.training.learner import Work


@dataclass(frozen=True)
class Figures:
    """What happened since the last report."""

    loss: float  # label-smoothed, nats a target token
    tokens_per_second: float  # target tokens, without padding
    share_of_peak: float  # operations a second over the peak


class Speedometer:
    """Counts the work between two readings."""

    def __init__(
        self,
        cost: Cost,
        peak: float,
        clock: Callable[[], float],
        loss: float = 0.0,
        tokens: int = 0,
    ) -> None:
        """Begin.

        Args:
            cost: the model's, in operations.
            peak: the machine's, in operations a second.
            clock: seconds.
            loss: summed over `tokens`, what an earlier call has not reported.
            tokens: see `loss`; they count for the loss and not for the speed.
        """
        self.cost, self.peak, self.clock = cost, peak, clock
        self._reset(loss, tokens)

    def _reset(self, loss: float = 0.0, carried: int = 0) -> None:
        self.began, self.paused_seconds = self.clock(), 0.0
        self.tokens = self.operations = 0
        self.loss: Tensor | float = loss
        self.carried = carried

    def count(self, work: Work) -> None:
        """Add an update. Its loss is read later, so that a GPU need not be waited for."""
        self.tokens += work.tokens
        self.operations += self.cost.training(work.source_tokens, work.tokens, work.token_pairs)
        self.loss = self.loss + work.loss

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Leave out the time spent in the block."""
        began = self.clock()
        yield
        self.paused_seconds += self.clock() - began

    def read(self) -> Figures:
        """Return the figures since the last reading, and begin anew."""
        loss = float(self.loss) / max(1, self.tokens + self.carried)
        seconds = max(1e-9, self.clock() - self.began - self.paused_seconds)
        share = self.operations / seconds / self.peak
        figures = Figures(loss, round(self.tokens / seconds, 1), round(share, 4))
        self._reset()
        return figures
