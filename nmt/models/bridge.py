"""Bridges: from the encoder's last states to the decoder's first."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from nmt.models.config import ModelConfig
from nmt.models.linear import Linear, LinearMaker
from nmt.models.recurrent import CELLS
from nmt.models.state import LayerState

# Turns each encoder layer's last state (B, H), directions joined, into each decoder layer's first.
Cross = Callable[[Sequence[LayerState]], list[LayerState]]


class Bridge(ABC):
    """What every bridge can do."""

    @abstractmethod
    def cross(self, final: Sequence[LayerState]) -> list[LayerState]:
        """Turn each encoder layer's last state (B, H) into each decoder layer's first (B, H)."""

    def prepared(self, make: LinearMaker) -> Cross:
        """Prepare `cross` for search."""
        return self.cross


class LinearBridge(Linear, Bridge):
    """tanh(W h + b), of the last encoder layer's hidden state (Bahdanau et al. 2015, A.2.2)."""

    def __init__(self, config: ModelConfig) -> None:
        """Make one map to every part of every decoder layer's state."""
        parts = 2 if CELLS[config.cell].keeps_cell else 1
        count = config.decoder_layers * parts
        super().__init__(config.hidden_size, config.hidden_size * count)
        self.parts, self.count = parts, count

    def cross(self, final: Sequence[LayerState]) -> list[LayerState]:
        """Turn each encoder layer's last state (B, H) into each decoder layer's first (B, H)."""
        return self._split(self(final[-1].hidden))

    def prepared(self, make: LinearMaker) -> Cross:
        """Prepare `cross` for search."""
        bridge = make(self.weight, self.bias, 1.0)
        return lambda final: self._split(bridge(final[-1].hidden))

    def _split(self, y: Tensor) -> list[LayerState]:
        parts = torch.tanh(y).chunk(self.count, dim=-1)
        starts = range(0, self.count, self.parts)
        return [LayerState(*parts[start : start + self.parts]) for start in starts]


class CopyBridge(nn.Module, Bridge):
    """Decoder layer i begins where encoder layer i ended (Sutskever et al. 2014).

    A decoder that is deeper than the encoder takes the last layer's state again.
    """

    def __init__(self, config: ModelConfig) -> None:
        """Make a bridge without weights."""
        super().__init__()
        last = config.encoder_layers - 1
        self.layers = [min(layer, last) for layer in range(config.decoder_layers)]

    def cross(self, final: Sequence[LayerState]) -> list[LayerState]:
        """Turn each encoder layer's last state (B, H) into each decoder layer's first (B, H)."""
        return [final[layer] for layer in self.layers]


class ZeroBridge(nn.Module, Bridge):
    """The decoder begins with zeros, and knows the source by attention alone (Wu et al. 2016)."""

    def __init__(self, config: ModelConfig) -> None:
        """Make a bridge without weights."""
        super().__init__()
        self.count = config.decoder_layers

    def cross(self, final: Sequence[LayerState]) -> list[LayerState]:
        """Turn each encoder layer's last state (B, H) into each decoder layer's first (B, H)."""
        return [final[-1].map(torch.zeros_like)] * self.count


BRIDGES: dict[str, Callable[[ModelConfig], "LinearBridge | CopyBridge | ZeroBridge"]] = {
    "linear": LinearBridge,
    "copy": CopyBridge,
    "zero": ZeroBridge,
}
