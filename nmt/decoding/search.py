"""Search: from a scorer to hypotheses. No loop over sentences or beams, only over time steps."""

from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True)
class Hypothesis:
    """One translation, in pieces."""

    ids: list[int]  # without EOS
    score: float  # what the search ranks by: the log-probability over the length penalty
    log_probability: float  # natural logarithm, EOS included
    attended: list[int]  # for each id, the source position that attention weighed most


@dataclass(frozen=True)
class SearchOptions:
    """How to search."""

    beam_size: int = 5  # 1 is greedy search
    length_penalty: float = 1.0  # alpha of Wu et al. 2016, equation 14; 0 is none
    length_ratio: float = 2.0  # a translation has at most ratio * S + extra pieces
    length_extra: int = 20

    def penalty(self, length: Tensor) -> Tensor:
        """Return ((5 + length) / 6) ** alpha, by which log-probabilities are divided."""
        return ((5 + length) / 6) ** self.length_penalty

    def longest(self, lengths: Tensor) -> Tensor:
        """Return how many pieces, EOS included, a translation may have, from source lengths."""
        return (lengths * self.length_ratio).long() + self.length_extra


@dataclass
class History:
    """Back-pointers: which token each beam took at each step, and from which beam it came."""

    sentences: int
    beams: int
    tokens: list[Tensor] = field(default_factory=list)  # each (sentences, K)
    parents: list[Tensor] = field(default_factory=list)
    attended: list[Tensor] = field(default_factory=list)

    def append(self, rows: Tensor, tokens: Tensor, parents: Tensor, attended: Tensor) -> None:
        """Note a step of the sentences `rows` (B,); each value is (B, K')."""
        for notes, values in (
            (self.tokens, tokens),
            (self.parents, parents),
            (self.attended, attended),
        ):
            full = values.new_zeros(self.sentences, self.beams)
            full[rows, : values.shape[1]] = values
            notes.append(full)

    def trace(self, steps: Tensor, beams: Tensor) -> tuple[Tensor, Tensor]:
        """Follow the pointers from (`steps`, `beams`), both (N,), one a sentence, to the start.

        Returns:
            tokens and attended positions, both (N, T); what lies after a start is zero.
        """
        rows = torch.arange(len(steps), device=steps.device)
        tokens = torch.zeros(len(steps), len(self.tokens), dtype=torch.long, device=steps.device)
        attended = torch.zeros_like(tokens)
        for step in range(len(self.tokens) - 1, -1, -1):
            inside = steps >= step
            tokens[:, step] = self.tokens[step][rows, beams].where(inside, tokens[:, step])
            attended[:, step] = self.attended[step][rows, beams].where(inside, attended[:, step])
            beams = self.parents[step][rows, beams].where(inside, beams)
        return tokens, attended
