"""What search asks of a model. Beam search, greedy search and sampling see only this."""

from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from nmt.decoding.precision import Precision, linear_maker
from nmt.models.decoder import Memory
from nmt.models.recurrent import LSTMState
from nmt.models.seq2seq import Seq2Seq


@dataclass(frozen=True)
class SearchState:
    """Memory per sentence, recurrent states per beam (B, K, H)."""

    memory: Memory
    layers: list[LSTMState]


@dataclass(frozen=True)
class StepScores:
    """What one step says of the next piece."""

    logits: Tensor  # (B, K, V)
    attention: Tensor  # (B, K, S)

    def normaliser(self) -> Tensor:
        """Return log sum exp of the logits (B, K): log p = logit - normaliser."""
        return self.logits.logsumexp(dim=-1)


class Scorer(Protocol):
    """A model, or several, seen from search."""

    def start(self, source: Tensor, lengths: Tensor | None) -> SearchState:
        """Read sources (B, S), longest first where `lengths` is given; one beam each."""

    def step(self, state: SearchState, tokens: Tensor) -> tuple[StepScores, SearchState]:
        """Extend every beam by its token (B, K)."""

    def select(self, state: SearchState, sentences: Tensor | None, beams: Tensor) -> SearchState:
        """Keep some sentences (all if None), and of each the beams (B', K') by index."""


class ModelScorer:
    """One model, its weights prepared for single steps in a precision."""

    def __init__(self, model: Seq2Seq, precision: Precision = "fp32") -> None:
        """Prepare a model; later changes of its weights are not seen."""
        self.model = model.eval()
        make = linear_maker(precision)
        self.stepper = model.decoder.stepper(make)
        table = model.target_embedding.detach()
        self.embedding = table * table.shape[1] ** 0.5
        self.output = make(table, model.output_bias.detach())

    @torch.inference_mode()
    def start(self, source: Tensor, lengths: Tensor | None) -> SearchState:
        """Read sources (B, S), longest first where `lengths` is given; one beam each."""
        encoded = self.model.encode(source, lengths)
        layers = [LSTMState(s.hidden.unsqueeze(1), s.cell.unsqueeze(1)) for s in encoded.states]
        return SearchState(encoded.memory, layers)

    @torch.inference_mode()
    def step(self, state: SearchState, tokens: Tensor) -> tuple[StepScores, SearchState]:
        """Extend every beam by its token (B, K)."""
        x = F.embedding(tokens, self.embedding)
        readouts, attention, layers = self.stepper(x, state.memory, state.layers)
        return StepScores(self.output(readouts), attention), SearchState(state.memory, layers)

    @torch.inference_mode()
    def select(self, state: SearchState, sentences: Tensor | None, beams: Tensor) -> SearchState:
        """Keep some sentences (all if None), and of each the beams (B', K') by index."""
        count, width = state.layers[0].hidden.shape[:2]
        rows = torch.arange(count, device=beams.device) if sentences is None else sentences
        flat = (rows.unsqueeze(1) * width + beams).flatten()

        def pick(x: Tensor) -> Tensor:
            return x.flatten(0, 1)[flat].unflatten(0, (len(rows), beams.shape[1]))

        layers = [LSTMState(pick(s.hidden), pick(s.cell)) for s in state.layers]
        memory = state.memory if sentences is None else state.memory.select(sentences)
        return SearchState(memory, layers)
