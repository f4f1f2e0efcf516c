"""Forced prefixes: a translation begins with given pieces."""

from typing import Self

import torch
from torch import Tensor

from nmt.decoding.adjusters.adjuster import Adjuster, Task


class ForcedPrefix(Adjuster):
    """Forbids every piece but the given one, as long as pieces are given."""

    def __init__(self, prefixes: Tensor, free_from: Tensor) -> None:
        """Begin with prefixes (B, P), padded, and their lengths (B,)."""
        self.prefixes, self.free_from = prefixes, free_from.view(-1, 1, 1)

    @classmethod
    def for_task(cls, task: Task) -> Self | None:
        """Return the rule for a batch, None if it has no prefixes."""
        return cls(task.prefixes, task.free_from) if task.prefixes.shape[1] else None

    def restrict(self, scores: Tensor, step: int) -> None:
        """Forbid all but the next piece of the prefix, where there is one."""
        if step >= self.prefixes.shape[1]:
            return
        given = self.prefixes[:, step].view(-1, 1, 1).expand(-1, scores.shape[1], 1)
        kept = scores.gather(2, given)
        scores.masked_fill_(self.free_from > step, -torch.inf)
        # Where nothing is given, this is PAD, which nobody may take.
        scores.scatter_(2, given, kept)

    def follow(self, sentences: Tensor | None, parents: Tensor, tokens: Tensor) -> None:
        """Go on with some sentences."""
        if sentences is not None:
            self.prefixes, self.free_from = self.prefixes[sentences], self.free_from[sentences]
