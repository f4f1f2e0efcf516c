"""The decoder: whole targets at once in training and scoring, single steps in search.

Each LSTM layer runs over the whole target without a loop, then its outputs ask attention for a
context at all positions at once, and the next layer, or the read-out, sees both (Luong et al.
2015). There is no input feeding; but from the second layer on, states know what was attended to
before, and so do their questions. Asking only with the first layer (GNMT v2) says things twice.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nmt.models.attention import ATTENTIONS, Attention, attend
from nmt.models.bridge import BRIDGES
from nmt.models.config import ModelConfig
from nmt.models.dropout import Dropout
from nmt.models.layer import RecurrentLayer
from nmt.models.linear import Linear, LinearMaker
from nmt.models.recurrent import CELLS
from nmt.models.state import LayerState

# What each piece adds to the first gates is computed beforehand and kept, up to so many numbers
# (128 MiB in float32); beyond, it is computed as pieces come.
TABLE = 1 << 25


@dataclass(frozen=True)
class Memory:
    """What the decoder knows of the sources; kept per sentence, never per beam."""

    values: Tensor  # (B, S, H)
    keys: Tensor  # (B, S, H)
    padding: Tensor | None  # (B, S), true at padding

    def select(self, sentences: Tensor) -> "Memory":
        """Keep some of the sentences, by index."""
        padding = None if self.padding is None else self.padding[sentences]
        return replace(
            self, values=self.values[sentences], keys=self.keys[sentences], padding=padding
        )


@dataclass(frozen=True)
class Decoded:
    """Whole targets, read."""

    readouts: Tensor  # (B, T, E)
    attention: Tensor  # (B, T, S), of the last layer


class Decoder(nn.Module):
    """LSTM layers that share one attention, and a read-out of the embeddings' size."""

    def __init__(self, config: ModelConfig) -> None:
        """Build the layers, the attention, the bridge from the encoder, and the read-out."""
        super().__init__()
        hidden = config.hidden_size
        sizes = [config.embedding_size] + [2 * hidden] * (config.decoder_layers - 1)
        self.config = config
        self.layers = nn.ModuleList(CELLS[config.cell](size, hidden) for size in sizes)
        self.attention: Attention = ATTENTIONS[config.attention](hidden)
        self.bridge = BRIDGES[config.bridge](config)
        self.readout = Linear(2 * hidden, config.embedding_size)
        # No number of the memory is outside [-bound, bound].
        self.memory_bound = config.output_bound(config.encoder_layers)

    def memory(self, values: Tensor, padding: Tensor | None) -> Memory:
        """Prepare the encoder's outputs (B, S, H) for attention."""
        return Memory(values, self.attention.keys(values), padding)

    def forward(
        self, x: Tensor, memory: Memory, states: list[LayerState], dropout: Dropout
    ) -> Decoded:
        """Run over whole targets.

        Args:
            x: embedded target inputs (B, T, E); what stands after a target's end is ignored,
                because nothing here looks ahead.
            memory: the sources.
            states: each layer's first state.
            dropout: applied between layers and to the read-out.

        Returns:
            read-outs tanh(W [h; c]), and where the last layer looked.
        """
        inputs = hidden = x
        for depth, layer in enumerate(self.layers):
            outputs = layer(inputs, None, states[depth])
            hidden = outputs + hidden if self.config.adds_input(depth + 1) else outputs
            scores = self.attention.scores(hidden, memory.keys)
            context, weights = attend(scores, memory.values, memory.padding)
            inputs = dropout(torch.cat((hidden, context), dim=-1))
        return Decoded(dropout(torch.tanh(self.readout(inputs))), weights)

    def stepper(self, make: LinearMaker, embedding: Tensor) -> "DecoderStepper":
        """Prepare the same decoder for single steps.

        Args:
            make: makes its linear maps.
            embedding: the input of each piece (V, E).
        """
        return DecoderStepper(self, make, embedding)


class DecoderStepper:
    """The decoder, one target position at a time."""

    @torch.no_grad()
    def __init__(self, decoder: Decoder, make: LinearMaker, embedding: Tensor) -> None:
        """Prepare every linear map once."""
        first, *later = (cast(RecurrentLayer, layer) for layer in decoder.layers)
        cell = first.cell(make, float(embedding.abs().max()))
        self.config = decoder.config
        self.cells = [replace(cell, inputs=_lookup(cell.inputs, embedding))]
        # A context is an average of the memory.
        both = decoder.memory_bound
        for depth, layer in enumerate(later, start=1):
            self.cells.append(layer.cell(make, both))
            both = max(decoder.memory_bound, self.config.output_bound(depth + 1))
        self.attention = decoder.attention
        # tanh(x) = 1 - 2 sigmoid(-2x), as in the cells.
        weight, bias = decoder.readout.weight.detach(), decoder.readout.bias.detach()
        self.readout = make(-2 * weight, -2 * bias, both)

    def __call__(
        self, tokens: Tensor, memory: Memory, states: list[LayerState]
    ) -> tuple[Tensor, Tensor, list[LayerState]]:
        """Take one step with every beam of every sentence.

        Args:
            tokens: ids (B, K).
            memory: the sources, one a sentence.
            states: each layer's state (B, K, H).

        Returns:
            read-outs (B, K, E), the last layer's attention weights (B, K, S), and the next states.
        """
        following = []
        inputs = hidden = tokens
        for depth, cell in enumerate(self.cells):
            following.append(cell(inputs, states[depth]))
            outputs = following[depth].hidden
            hidden = outputs + hidden if self.config.adds_input(depth + 1) else outputs
            scores = self.attention.scores(hidden, memory.keys)
            context, weights = attend(scores, memory.values, memory.padding)
            inputs = torch.cat((hidden, context), dim=-1)
        readouts = torch.rsub(self.readout(inputs).sigmoid_(), 1, alpha=2)
        return readouts, weights, following


def _lookup(inputs: Callable[[Tensor], Tensor], embedding: Tensor) -> Callable[[Tensor], Tensor]:
    """Compose the first layer's map of its inputs with the embedding (V, E): ids to gates."""
    if len(embedding) * inputs(embedding[:1]).shape[1] > TABLE:
        return lambda tokens: inputs(F.embedding(tokens, embedding))
    table = inputs(embedding)
    return lambda tokens: F.embedding(tokens, table)
