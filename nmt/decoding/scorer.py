"""What search asks of a model. Beam search, greedy search and sampling see only this."""

from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from nmt.decoding.candidates import BLOCK
from nmt.decoding.precision import Precision, linear_maker
from nmt.models.memory import Memory
from nmt.models.reader import SourceReader
from nmt.models.seq2seq import Seq2Seq
from nmt.models.state import LayerState


@dataclass(frozen=True)
class SearchState:
    """Memory per sentence, recurrent states per beam (B, K, H)."""

    memory: Memory
    layers: list[LayerState]

    @property
    def dtype(self) -> torch.dtype:
        """The type of scores."""
        return self.layers[0].hidden.dtype


class AnyState(Protocol):
    """What search knows of a state."""

    @property
    def dtype(self) -> torch.dtype:
        """The type of scores."""


State = TypeVar("State", bound=AnyState)


@dataclass(frozen=True)
class StepScores:
    """What one step says of the next piece."""

    log_probabilities: Tensor  # (B, K, V), which search may overwrite; V may be padded with -inf
    attention: Tensor  # (B, K, S)


class Scorer(Protocol[State]):
    """A model, or several, seen from search."""

    def start(self, source: Tensor, lengths: Tensor | None) -> State:
        """Read sources (B, S), longest first where `lengths` is given; one beam each."""

    def step(self, state: State, tokens: Tensor) -> tuple[StepScores, State]:
        """Extend every beam by its token (B, K)."""

    def select(self, state: State, sentences: Tensor | None, beams: Tensor) -> State:
        """Keep some sentences (all if None), and of each the beams (B', K') by index."""


class ModelScorer:
    """One model, its weights prepared for single steps in a precision."""

    def __init__(self, model: Seq2Seq, precision: Precision = "fp32") -> None:
        """Prepare a model, whose weights must not change afterwards: some of them are copied."""
        self.model = model.eval()
        make = linear_maker(precision)
        # A GPU has kernels that read whole sequences.
        on_cpu = model.output_bias.device.type == "cpu"
        self.encode = SourceReader(model, make) if on_cpu else model.encode
        table = _whole_blocks(model.target_embedding.detach(), 0.0)
        self.stepper = model.decoder.stepper(make, table * model.target_scale)
        weight = _whole_blocks(model.output_weight.detach(), 0.0)
        bias = _whole_blocks(model.output_bias.detach(), -torch.inf)
        self.output = make(weight, bias, model.decoder.bounds.readout)

    @torch.inference_mode()
    def start(self, source: Tensor, lengths: Tensor | None) -> SearchState:
        """Read sources (B, S), longest first where `lengths` is given; one beam each."""
        encoded = self.encode(source, lengths)
        layers = [state.map(lambda x: x.unsqueeze(1)) for state in encoded.states]
        return SearchState(encoded.memory, layers)

    @torch.inference_mode()
    def step(self, state: SearchState, tokens: Tensor) -> tuple[StepScores, SearchState]:
        """Extend every beam by its token (B, K)."""
        step = self.stepper(tokens, state.memory, state.layers)
        logits = self.output(step.readout)
        # In place: a second tensor of that size would fall out of the cache.
        scores = StepScores(torch.log_softmax(logits, -1, out=logits), step.attention)
        return scores, SearchState(state.memory, step.states)

    @torch.inference_mode()
    def select(self, state: SearchState, sentences: Tensor | None, beams: Tensor) -> SearchState:
        """Keep some sentences (all if None), and of each the beams (B', K') by index."""
        count, width = state.layers[0].hidden.shape[:2]
        if sentences is None:
            starts = torch.arange(0, count * width, width, device=beams.device)
        else:
            starts = sentences * width
        flat = (starts.unsqueeze(1) + beams).flatten()  # (B' * K')

        def pick(x: Tensor) -> Tensor:
            # index_select is several times as fast as an index of two dimensions
            return x.flatten(0, 1).index_select(0, flat).unflatten(0, beams.shape)

        layers = [layer.map(pick) for layer in state.layers]
        memory = state.memory if sentences is None else state.memory.select(sentences)
        return SearchState(memory, layers)


def _whole_blocks(x: Tensor, value: float) -> Tensor:
    """Pad what has a row for each piece to whole blocks."""
    missing = -len(x) % BLOCK
    return F.pad(x, (0, 0) * (x.dim() - 1) + (0, missing), value=value)
