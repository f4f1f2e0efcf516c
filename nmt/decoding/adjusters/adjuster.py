"""What every adjuster of a search can do, and what it knows of a batch."""

from dataclasses import dataclass
from typing import Self

from torch import Tensor

from nmt.data.special import PAD
from nmt.decoding.options import SearchOptions
from nmt.decoding.search import Given


@dataclass(frozen=True)
class Task:
    """A batch to be searched."""

    options: SearchOptions
    lengths: Tensor  # (B,) of the sources, EOS included
    longest: Tensor  # (B,) the most pieces of a translation, EOS included
    prefixes: Tensor  # (B, P) pieces that a translation begins with, padded; P may be 0
    free_from: Tensor  # (B,) how many those are

    @classmethod
    def of(cls, options: SearchOptions, lengths: Tensor, given: Given | None) -> Self:
        """Describe a batch of sources of some lengths (B,), on the search's device."""
        prefixes = lengths.new_zeros(len(lengths), 0) if given is None else given.prefixes
        free_from = (prefixes != PAD).sum(dim=1)
        longest = options.longest(lengths).maximum(free_from + 1)
        return cls(options, lengths, longest, prefixes, free_from)


class Adjuster:
    """One idea at work on the hypotheses of a batch: B sentences, K of each.

    A search calls `restrict`, `look`, `bonus` and `follow` in this order at every step. Here each
    does nothing; an adjuster has those that it needs.
    """

    @classmethod
    def for_task(cls, task: Task) -> Self | None:
        """Return an adjuster for a batch, None if the options ask for none."""
        raise NotImplementedError

    def restrict(self, scores: Tensor, step: int) -> None:
        """Forbid pieces at a step, in place: -inf in the scores (B, K, V) of what may follow."""

    def look(self, attention: Tensor) -> None:
        """Note where each hypothesis looks at this step (B, K, S)."""

    def bonus(self) -> Tensor | None:
        """Return what is added to the final score of a hypothesis that ends now (B, K).

        It is never above zero: early stopping relies on that.
        """
        return None

    def follow(self, sentences: Tensor | None, parents: Tensor, tokens: Tensor) -> None:
        """Go on with some hypotheses.

        Args:
            sentences: which sentences stay (B',); None for all.
            parents: which hypothesis each one extends (B', K').
            tokens: by which piece (B', K').
        """
