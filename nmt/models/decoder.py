"""The decoder: whole targets at once in training and scoring, single steps in search.

By default each LSTM layer runs over the whole target without a loop, then its outputs ask attention
for a context at all positions at once, and the next layer, or the read-out, sees both (the read-out
as in Luong et al. 2015). From the second layer on, states know what was attended to before, and so
do their questions.
Other wirings are in `nmt.models.wiring`.

Where a step needs the one before (the first layer's state asks, or read-outs are fed back), there
is a loop over time, of as few layers as can be.
"""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from nmt.models import feeding
from nmt.models.attention import ATTENTIONS, Answer, Asker, Attention
from nmt.models.bounds import decoder_bounds
from nmt.models.bridge import BRIDGES
from nmt.models.config import ModelConfig
from nmt.models.dropout import Dropout
from nmt.models.layer import Cell, RecurrentLayer
from nmt.models.linear import LinearMaker
from nmt.models.memory import Memory
from nmt.models.norm import LayerNorm
from nmt.models.readout import READOUTS
from nmt.models.recurrent import CELLS
from nmt.models.state import LayerState
from nmt.models.stepper import DecoderStepper
from nmt.models.wiring import WIRINGS


@dataclass(frozen=True)
class Decoded:
    """Whole targets, read."""

    readouts: Tensor  # (B, T, R)
    attention: Tensor  # (B, T, S), of the last layer that asked


class Decoder(nn.Module):
    """Recurrent layers that share one attention, and a read-out for the output layer."""

    def __init__(self, config: ModelConfig) -> None:
        """Build the layers, the attention, the bridge from the encoder, and the read-out."""
        super().__init__()
        hidden, layers = config.hidden_size, config.decoder_layers
        self.config = config
        self.word_size = config.embedding_size
        self.wiring = WIRINGS[config.attend](layers)
        self.feeds_readout = config.input_feeding
        context = hidden * ATTENTIONS[config.attention].has_context
        self.readout_size = READOUTS[config.readout].size(self.word_size, hidden + context)
        contexts = [context * reads for reads in self.wiring.reads]
        # What comes to the first layer besides the word.
        self.fed_size = contexts[0] + self.readout_size * config.input_feeding
        sizes = [self.word_size + self.fed_size] + [hidden + size for size in contexts[1:]]
        self.layers = nn.ModuleList(CELLS[config.cell](size, hidden) for size in sizes)
        self.attention: Attention = ATTENTIONS[config.attention](config)
        self.bridge = BRIDGES[config.bridge](config)
        self.readout = READOUTS[config.readout](config, hidden + context)
        normal = [*sizes[1:], hidden + context] if config.layer_norm else []
        self.norms = nn.ModuleList(LayerNorm(size) for size in normal)
        self.bounds = decoder_bounds(config, self.attention, self.readout)

    @property
    def looks(self) -> bool:
        """Whether the decoder looks at one place of the source rather than at another."""
        return self.attention.looks

    def memory(self, values: Tensor, final: Tensor, padding: Tensor | None) -> Memory:
        """Prepare the encoder's outputs (B, S, H) and final state (B, H) for attention."""
        return self.attention.learner().remember(values, final, padding)

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
            read-outs, and where the last layer that asks looked.
        """
        if self.feeds_readout:
            return Decoded(*feeding.run_all(self, x, memory, states, dropout))
        asker, asks = self.attention.learner(), self.wiring.asks
        hidden, answer = self._first(asker, x, memory, states[0])
        for depth in range(1, len(self.layers)):
            inputs = dropout(self.reading(depth, hidden, answer))
            outputs = self.layers[depth](inputs, None, states[depth])
            hidden = outputs + hidden if self.residual(depth) else outputs
            if asks[depth]:
                answer = asker.ask(hidden, memory)
        assert answer is not None  # every wiring asks somewhere
        inputs = dropout(self.reading(len(self.layers), hidden, answer))
        return Decoded(dropout(self.readout.read(inputs, x)), answer.weights)

    def _first(
        self, asker: Asker, x: Tensor, memory: Memory, state: LayerState
    ) -> tuple[Tensor, Answer | None]:
        """Run the first layer over whole targets; returns its outputs, and what was asked."""
        layer = self.layers[0]
        if not self.wiring.before:
            outputs = layer(x, None, state)
            return outputs, asker.ask(outputs, memory) if self.wiring.asks[0] else None
        if self.looks:
            return feeding.run_first(self, x, memory, state)
        answer = asker.ask(x, memory)  # the same for all questions
        return layer(torch.cat((x, answer.context), dim=-1), None, state), answer

    def reading(self, depth: int, hidden: Tensor, answer: Answer | None) -> Tensor:
        """Return what layer `depth`, or after the last the read-out, finds below it."""
        if depth == len(self.layers) or self.wiring.reads[depth]:
            assert answer is not None
            hidden = torch.cat((hidden, answer.context), dim=-1)
        return self.norms[depth - 1](hidden) if self.norms else hidden

    def residual(self, depth: int) -> bool:
        """Tell whether layer `depth`, from 0, adds its input to its output."""
        return self.config.adds_input(depth + 1)

    def asker(self, make: LinearMaker) -> Asker:
        """Prepare the attention for single steps."""
        return self.attention.asker(make, self.bounds.memory, self.bounds.questions)

    def cell(self, depth: int, make: LinearMaker, bound: float) -> Cell:
        """Prepare a layer for single steps, its inputs within a bound."""
        return cast(RecurrentLayer, self.layers[depth]).cell(make, bound)

    def stepper(self, make: LinearMaker, embedding: Tensor) -> DecoderStepper:
        """Prepare the same decoder for single steps.

        Args:
            make: makes its linear maps.
            embedding: the input of each piece (V, E).
        """
        return DecoderStepper(self, make, embedding)
