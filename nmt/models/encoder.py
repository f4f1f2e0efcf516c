"""The encoder: source ids to the memory that attention reads."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from torch import Tensor, nn

from nmt.models.config import ModelConfig
from nmt.models.dropout import Dropout
from nmt.models.layer import RecurrentLayer, Run
from nmt.models.norm import LayerNorm
from nmt.models.recurrent import CELLS
from nmt.models.state import LayerState
from nmt.models.turn import Turn


@dataclass(frozen=True)
class Encoding:
    """What the encoder makes of sources."""

    memory: Tensor  # (B, S, H), a row for each source position
    final: list[LayerState]  # each layer's last state (B, H), both directions joined


class Encoder(nn.Module):
    """A stack of recurrent layers, each of them in one direction or in both.

    Reversed sources (Sutskever et al. 2014, section 3.3) are turned round as a whole, EOS too,
    before the first layer reads them; the memory is turned back, so that its positions are those
    of the source.
    """

    def __init__(self, config: ModelConfig) -> None:
        """Build the layers; where one reads both ways, each direction has half of the size."""
        super().__init__()
        self.config = config
        hidden, depth = config.hidden_size, config.encoder_layers
        self.layers = nn.ModuleList()
        for layer in range(1, depth + 1):
            size = config.embedding_size if layer == 1 else hidden
            both = config.reads_both_ways(layer)
            self.layers.append(CELLS[config.cell](size, hidden // 2 if both else hidden, both))
        # Of what each layer after the first reads.
        self.norms = nn.ModuleList(
            LayerNorm(hidden) for _ in range(depth - 1 if config.layer_norm else 0)
        )

    def forward(self, x: Tensor, lengths: Tensor | None, dropout: Dropout) -> Encoding:
        """Read embedded sources.

        Args:
            x: (B, S, E), longest first where `lengths` is given.
            lengths: (B,) on the CPU; None if all are S long.
            dropout: applied between layers.
        """
        layers = [_reading(cast(RecurrentLayer, layer), lengths) for layer in self.layers]
        turn = Turn(x.shape[1], lengths, x.device) if self.config.reverse_source else None
        return self.through(layers, x, turn, dropout)

    def through(
        self,
        layers: Sequence[Callable[[Tensor], Run]],
        x: Tensor,
        turn: Turn | None,
        dropout: Dropout,
    ) -> Encoding:
        """Send sources through layers: these here, or the same in another precision.

        Args:
            layers: what each makes of its inputs (B, S, I).
            x: embedded sources (B, S, E).
            turn: turns sources round that are to be read from their end; else None.
            dropout: applied between layers.
        """
        x = x if turn is None else turn(x)
        final = []
        for depth, layer in enumerate(layers):
            inputs = self.norms[depth - 1](x) if depth and self.norms else x
            run = layer(dropout(inputs) if depth else inputs)
            x = run.outputs + x if self.config.adds_input(depth + 1) else run.outputs
            final.append(run.final)
        return Encoding(x if turn is None else turn(x), final)


def _reading(layer: RecurrentLayer, lengths: Tensor | None) -> Callable[[Tensor], Run]:
    return lambda x: layer.run(x, lengths)
