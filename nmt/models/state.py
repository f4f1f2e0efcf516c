"""What a recurrent layer remembers between two steps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class LayerState:
    """The state of one layer: what it says, and what it keeps to itself if it has such a thing."""

    hidden: Tensor  # (..., H)
    cell: Tensor | None = None  # of the same shape

    def map(self, function: Callable[[Tensor], Tensor]) -> "LayerState":
        """Apply a function to each of its tensors."""
        cell = None if self.cell is None else function(self.cell)
        return LayerState(function(self.hidden), cell)

    def parts(self) -> list[Tensor]:
        """Return its tensors."""
        return [self.hidden] if self.cell is None else [self.hidden, self.cell]

    def unstack(self) -> list["LayerState"]:
        """Undo `stack`."""
        parts = (part.unbind() for part in self.parts())
        return [LayerState(*same) for same in zip(*parts, strict=True)]

    @staticmethod
    def stack(states: Sequence["LayerState"]) -> "LayerState":
        """Lay states of one kind on top of each other: (N, B, H)."""
        parts = (state.parts() for state in states)
        return LayerState(*(torch.stack(same) for same in zip(*parts, strict=True)))

    @staticmethod
    def join(states: Sequence["LayerState"], dim: int = -1) -> "LayerState":
        """Lay states of one kind side by side: (B, N*H), or in another dimension."""
        parts = (state.parts() for state in states)
        return LayerState(*(torch.cat(same, dim) for same in zip(*parts, strict=True)))

    @staticmethod
    def at_ends(states: Sequence["LayerState"], lengths: Tensor | None) -> "LayerState":
        """Take the state after each sequence's last step.

        Args:
            states: after each step (..., B, H), longest sequence first.
            lengths: (B,) on the CPU; None if all have every step.
        """
        if lengths is None:
            return states[-1]
        ended, start = [], 0
        different, counts = lengths.unique_consecutive(return_counts=True)
        for length, count in zip(different.tolist(), counts.tolist(), strict=True):
            ended.append(states[length - 1]._rows(start, count))
            start += count
        return LayerState.join(ended, dim=-2)

    def _rows(self, start: int, count: int) -> "LayerState":
        return self.map(lambda part: part.narrow(-2, start, count))
