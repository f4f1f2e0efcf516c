"""The coverage penalty: translations that leave out parts of the source rank lower."""

from typing import Self

import torch
from torch import Tensor

from nmt.decoding.adjusters.adjuster import Adjuster, Task


class CoveragePenalty(Adjuster):
    """beta * sum_i log min(sum_j p_ij, 1), added to the score (Wu et al. 2016, equation 14).

    p_ij is how much piece j of the translation, EOS included, looked at piece i of the source.
    """

    def __init__(self, beta: float, lengths: Tensor) -> None:
        """Begin with sources of these lengths (B,)."""
        self.beta = beta
        position = torch.arange(int(lengths.max()), device=lengths.device)
        # (B, K, S) how much each position was looked at; padding counts as covered
        self.covered = (position >= lengths.unsqueeze(1)).unsqueeze(1).float()

    @classmethod
    def for_task(cls, task: Task) -> Self | None:
        """Return the penalty for a batch, None if beta is zero."""
        beta = task.options.coverage_penalty
        return cls(beta, task.lengths) if beta else None

    def look(self, attention: Tensor) -> None:
        """Add this step's attention (B, K, S)."""
        self.covered = self.covered + attention

    def bonus(self) -> Tensor:
        """Return the penalty of ending now, at most zero (B, K)."""
        least = torch.finfo(self.covered.dtype).tiny  # what was never looked at at all
        return self.beta * self.covered.clamp(least, 1.0).log().sum(dim=2)

    def follow(self, sentences: Tensor | None, parents: Tensor, tokens: Tensor) -> None:
        """Go on with the coverage of the hypotheses that are extended."""
        self.covered = take(self.covered, sentences, parents)


def take(values: Tensor, sentences: Tensor | None, parents: Tensor) -> Tensor:
    """Pick (B', K', N) from what each hypothesis has (B, K, N); see `Adjuster.follow`."""
    kept = values if sentences is None else values[sentences]
    return kept.gather(1, parents.unsqueeze(2).expand(-1, -1, values.shape[2]))
