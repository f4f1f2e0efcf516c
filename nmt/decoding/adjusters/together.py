"""All adjusters of a search, as one."""

from torch import Tensor

from nmt.decoding.adjusters.adjuster import Adjuster, Task
from nmt.decoding.adjusters.coverage import CoveragePenalty
from nmt.decoding.adjusters.minimum import MinimumLength
from nmt.decoding.adjusters.ngrams import NoRepeatNgram
from nmt.decoding.adjusters.prefix import ForcedPrefix

# In the order in which they restrict: the minimum length has to see what the others leave.
ADJUSTERS: tuple[type[Adjuster], ...] = (
    ForcedPrefix,
    NoRepeatNgram,
    CoveragePenalty,
    MinimumLength,
)


class Adjusters:
    """Those that the options of a batch ask for. A search without any calls nothing here."""

    def __init__(self, task: Task) -> None:
        """Begin a batch."""
        wanted = [adjuster.for_task(task) for adjuster in ADJUSTERS]
        self.active = [adjuster for adjuster in wanted if adjuster is not None]

    def __bool__(self) -> bool:
        return bool(self.active)

    def adjust(self, scores: Tensor, attention: Tensor, step: int) -> None:
        """Forbid pieces at a step, in place, and note where hypotheses look.

        Args:
            scores: of what may follow (B, K, V): log-probabilities, or anything that orders them.
            attention: (B, K, S).
            step: how many pieces the hypotheses have.
        """
        for adjuster in self.active:
            adjuster.restrict(scores, step)
            adjuster.look(attention)

    def bonus(self, like: Tensor) -> Tensor:
        """Return what is added to the final scores of hypotheses that end now (B, K)."""
        total = like.new_zeros(())
        for adjuster in self.active:
            bonus = adjuster.bonus()
            total = total if bonus is None else total + bonus
        return total.expand_as(like)

    def follow(self, sentences: Tensor | None, parents: Tensor, tokens: Tensor) -> None:
        """Go on with some hypotheses; see `Adjuster.follow`."""
        for adjuster in self.active:
            adjuster.follow(sentences, parents, tokens)
