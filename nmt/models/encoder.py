"""The encoder: source ids to the memory that attention reads."""

import torch
from torch import Tensor, nn

from nmt.models.config import ModelConfig
from nmt.models.dropout import Dropout
from nmt.models.recurrent import LSTMLayer


class Encoder(nn.Module):
    """A stack of bidirectional LSTM layers, with residual connections from the third on."""

    def __init__(self, config: ModelConfig) -> None:
        """Build the layers; each direction has half of the hidden size."""
        super().__init__()
        sizes = [config.embedding_size] + [config.hidden_size] * (config.encoder_layers - 1)
        self.layers = nn.ModuleList(
            LSTMLayer(size, config.hidden_size // 2, bidirectional=True) for size in sizes
        )

    def forward(self, x: Tensor, lengths: Tensor | None, dropout: Dropout) -> tuple[Tensor, Tensor]:
        """Read embedded sources.

        Args:
            x: (B, S, E), longest first where `lengths` is given.
            lengths: (B,) on the CPU; None if all are S long.
            dropout: applied between layers.

        Returns:
            the memory (B, S, H), and the last layer's final hidden state in both directions (B, H).
        """
        for depth, layer in enumerate(self.layers):
            inputs = dropout(x) if depth else x
            outputs = layer(inputs, lengths)
            x = outputs + x if depth >= 2 else outputs
        return x, _final(outputs, lengths)


def _final(outputs: Tensor, lengths: Tensor | None) -> Tensor:
    """Take from outputs (B, S, H) the state after each direction's last step: (B, H)."""
    forward, backward = outputs.chunk(2, dim=2)
    last: Tensor | int = -1
    if lengths is not None:
        last = lengths.to(outputs.device) - 1
    rows = torch.arange(len(outputs), device=outputs.device)
    return torch.cat((forward[rows, last], backward[:, 0]), dim=1)


def padding_mask(lengths: Tensor | None, size: int, device: torch.device) -> Tensor | None:
    """Return (B, S) booleans, true at padding; None if there is none."""
    if lengths is None:
        return None
    return torch.arange(size, device=device) >= lengths.to(device).unsqueeze(1)
