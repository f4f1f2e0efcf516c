"""What a recurrent layer remembers between two steps."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class LayerState:
    """The state of one layer: what it says, and what it keeps to itself if it has such a thing."""

    hidden: Tensor  # (B, H) or (B, K, H)
    cell: Tensor | None = None  # of the same shape

    def map(self, function: Callable[[Tensor], Tensor]) -> "LayerState":
        """Apply a function to each of its tensors."""
        cell = None if self.cell is None else function(self.cell)
        return LayerState(function(self.hidden), cell)
