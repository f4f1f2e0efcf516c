"""Search: from a scorer to hypotheses. No loop over sentences or beams, only over time steps."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from nmt.decoding.scorer import Scorer, SearchState
from nmt.errors import SettingError


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
    n_best: int = 1  # hypotheses returned for each sentence, at most

    def __post_init__(self) -> None:
        if self.beam_size < 1:
            raise SettingError(f"the beam size must be 1 or more, not {self.beam_size}")
        if not 0 <= self.length_penalty < math.inf:
            raise SettingError(f"the length penalty must be 0 or more, not {self.length_penalty}")

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
        """Follow the pointers from (`steps`, `beams`), both (N, C), C for each sentence, to BOS.

        Returns:
            tokens and attended positions, both (N, C, T); what lies after a start is zero.
        """
        shape = (*steps.shape, len(self.tokens))
        tokens = torch.zeros(shape, dtype=torch.long, device=steps.device)
        attended = torch.zeros_like(tokens)
        for step in range(len(self.tokens) - 1, -1, -1):
            inside = steps >= step
            tokens[:, :, step] = self.tokens[step].gather(1, beams).where(inside, 0)
            attended[:, :, step] = self.attended[step].gather(1, beams).where(inside, 0)
            beams = self.parents[step].gather(1, beams).where(inside, beams)
        return tokens, attended


def begin(scorer: Scorer, source: Tensor, lengths: Tensor | None) -> tuple[SearchState, Tensor]:
    """Let the scorer read a batch, without lengths if all are equal: that is quicker.

    Args:
        scorer: the model.
        source: ids (B, S), longest first where `lengths` is given.
        lengths: (B,) on the CPU; None if all are S long.

    Returns:
        the first state, and the lengths (B,).
    """
    if lengths is None:
        lengths = torch.full((len(source),), source.shape[1])
    mixed = bool((lengths < lengths[0]).any())
    return scorer.start(source, lengths if mixed else None), lengths
