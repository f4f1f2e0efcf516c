"""The minimum length: a translation does not end before it."""

from typing import Self

import torch
from torch import Tensor

from nmt.data.special import EOS
from nmt.decoding.adjusters.adjuster import Adjuster, Task
from nmt.decoding.candidates import BLOCK

SPECIAL_PIECES = EOS + 1


class MinimumLength(Adjuster):
    """Forbids the end before a translation has so many pieces."""

    def __init__(self, shortest: Tensor) -> None:
        """Begin a batch: the least number of pieces (B,), EOS not included."""
        self.shortest = shortest.view(-1, 1)
        self.last_step = int(shortest.max())

    @classmethod
    def for_task(cls, task: Task) -> Self | None:
        """Return the rule for a batch, None if every length will do."""
        if not task.options.min_length and not task.options.min_length_ratio:
            return None
        return cls(task.options.shortest(task.lengths))

    def restrict(self, scores: Tensor, step: int) -> None:
        """Forbid EOS where it is too early, unless nothing else is left."""
        if step >= self.last_step:
            return
        ends = scores[:, :, EOS].clone()
        early = self.shortest > step
        # So many pieces may be forbidden only where there are as few: a row of scores may have
        # almost a block of padding.
        if step >= scores.shape[2] - BLOCK - SPECIAL_PIECES:
            scores[:, :, EOS] = -torch.inf
            early = early & (scores.amax(dim=2) > -torch.inf)
        scores[:, :, EOS] = ends.masked_fill(early, -torch.inf)

    def follow(self, sentences: Tensor | None, parents: Tensor, tokens: Tensor) -> None:
        """Go on with some sentences."""
        if sentences is not None:
            self.shortest = self.shortest[sentences]
