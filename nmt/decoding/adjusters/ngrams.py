"""No sequence of n pieces comes twice in a translation."""

from typing import Self

import torch
from torch import Tensor

from nmt.data.special import PAD
from nmt.decoding.adjusters.adjuster import Adjuster, Task
from nmt.decoding.adjusters.coverage import take


class NoRepeatNgram(Adjuster):
    """Forbids the pieces that would complete an n-gram which the hypothesis has already."""

    def __init__(self, size: int, free_from: Tensor) -> None:
        """Begin a batch.

        Args:
            size: n.
            free_from: how many pieces of each sentence are given (B,); those may repeat.
        """
        self.size = size
        self.free_from = free_from.view(-1, 1, 1)
        self.pieces = free_from.new_empty(len(free_from), 1, 0)  # (B, K, T) so far

    @classmethod
    def for_task(cls, task: Task) -> Self | None:
        """Return the rule for a batch, None if n is zero."""
        size = task.options.no_repeat_ngram
        return cls(size, task.free_from) if size else None

    def restrict(self, scores: Tensor, step: int) -> None:
        """Forbid what followed earlier occurrences of the last n - 1 pieces."""
        if step < self.size:
            return
        before = self.size - 1
        context = self.pieces[:, :, step - before :].unsqueeze(2)  # (B, K, 1, n - 1)
        earlier = self.pieces.unfold(2, before, 1)[:, :, :-1]  # (B, K, T - n + 1, n - 1)
        repeats = (earlier == context).all(dim=3) & (self.free_from <= step)
        # PAD is forbidden anyway: it stands where nothing is to be forbidden.
        forbidden = self.pieces[:, :, before:].where(repeats, PAD)
        scores.scatter_(2, forbidden, -torch.inf)

    def follow(self, sentences: Tensor | None, parents: Tensor, tokens: Tensor) -> None:
        """Add each hypothesis's new piece to the pieces of the one it extends."""
        self.pieces = torch.cat((take(self.pieces, sentences, parents), tokens.unsqueeze(2)), dim=2)
        if sentences is not None:
            self.free_from = self.free_from[sentences]
