"""What the training loop needs of those who learn, wherever they are.

There are two kinds: Crew, of processes on one machine that share memory, and Team, of processes
that torchrun started on one machine or on several.
"""

from signal import Signals
from types import TracebackType
from typing import Any, Protocol

from nmt.training.crew import Job
from nmt.training.learner import Learner, Work
from nmt.training.loader import Feed
from nmt.training.schedule import Pace
from nmt.training.storage import Storage
from nmt.training.validation import Share


class Learners(Protocol):
    """All learners of a run; in a `with` block they train the model of the first one.

    Attributes:
        job: what they all know.
        learner: the first of them, which is in this process.
        storage: where its numbers lie.
        feed: the batches of the run.
    """

    job: Job
    learner: Learner
    storage: Storage
    feed: Feed

    @property
    def stop(self) -> Signals | None:
        """The signal to stop that another process got by now, if one did."""

    def update(self, epoch: int, indices: range, pace: Pace) -> Work:
        """Learn from some batches of an epoch, as from one; returns the work of all."""

    def examine(self, beam_size: int) -> list[Share]:
        """Let the model of the first one translate the validation set, a share each."""

    def peak(self) -> float:
        """Measure the most operations a second that all of them could do."""

    def __enter__(self) -> Any: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
