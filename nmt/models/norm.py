"""Layer normalisation (Ba et al. 2016)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class LayerNorm(nn.Module):
    """gain * (x - mean) / deviation + bias, over the last dimension, in the type of its input."""

    def __init__(self, size: int) -> None:
        """Normalise vectors of `size` numbers; at first they are only normalised."""
        super().__init__()
        self.gain = nn.Parameter(torch.ones(size))
        self.bias = nn.Parameter(torch.zeros(size))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise x (..., N)."""
        return normalised(x, self.gain, self.bias)


def normalised(x: Tensor, gain: Tensor, bias: Tensor | None = None) -> Tensor:
    """Normalise x (..., N), and scale and shift it (N)."""
    shift = None if bias is None else bias.to(x.dtype)
    return F.layer_norm(x, gain.shape, gain.to(x.dtype), shift)
