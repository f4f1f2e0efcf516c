"""Ensembles: several models that decide together on every piece."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import torch
from torch import Tensor

from nmt.data.vocabulary import Vocabulary
from nmt.decoding.model_folder import LoadedModel
from nmt.decoding.scorer import AnyState, Scorer, StepScores
from nmt.errors import FolderError


@dataclass(frozen=True)
class EnsembleState:
    """Each model's own state."""

    states: list[AnyState]

    @property
    def dtype(self) -> torch.dtype:
        """The type of scores."""
        return self.states[0].dtype


class EnsembleScorer:
    """Models whose probabilities are averaged; search sees them as one."""

    def __init__(self, scorers: Sequence[Scorer[Any]]) -> None:
        """Join scorers that read the same source ids and know the same target pieces."""
        self.scorers = scorers

    def start(self, source: Tensor, lengths: Tensor | None) -> EnsembleState:
        """Let every model read sources (B, S)."""
        return EnsembleState([scorer.start(source, lengths) for scorer in self.scorers])

    @torch.inference_mode()
    def step(self, state: EnsembleState, tokens: Tensor) -> tuple[StepScores, EnsembleState]:
        """Extend every beam by its token (B, K); the scores are log mean_m p_m."""
        pairs = zip(self.scorers, state.states, strict=True)
        steps = [scorer.step(each, tokens) for scorer, each in pairs]
        every = [scores for scores, _ in steps]
        total = reduce(torch.logaddexp, (scores.log_probabilities for scores in every))
        attention = torch.stack([scores.attention for scores in every]).mean(dim=0)
        scores = StepScores(total - math.log(len(every)), attention)
        return scores, EnsembleState([following for _, following in steps])

    def select(
        self, state: EnsembleState, sentences: Tensor | None, beams: Tensor
    ) -> EnsembleState:
        """Keep some sentences (all if None), and of each the beams (B', K') by index."""
        pairs = zip(self.scorers, state.states, strict=True)
        return EnsembleState([scorer.select(each, sentences, beams) for scorer, each in pairs])


def check_alike(models: Sequence[LoadedModel]) -> None:
    """Refuse models that cannot decide together.

    Raises:
        FolderError: two of them have other pieces on a side.
    """
    first, *others = models
    for other in others:
        for side, one, two in (
            ("source", first.source_vocabulary, other.source_vocabulary),
            ("target", first.target_vocabulary, other.target_vocabulary),
        ):
            if _table(one) != _table(two):
                raise FolderError(
                    f"{one.path.parent} and {two.path.parent}: an ensemble needs models with the "
                    f"same pieces, and their {side} vocabularies differ; train both from one "
                    "corpus folder"
                )


def _table(vocabulary: Vocabulary) -> list[str]:
    return vocabulary.pieces(range(len(vocabulary)))
