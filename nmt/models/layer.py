"""What all recurrent layers have in common: whole sequences at once, and one step at a time."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from nmt.models.linear import LinearMaker, LinearMap
from nmt.models.state import LayerState


@dataclass(frozen=True)
class Cell(ABC):
    """One step of one direction of a layer.

    What depends on the input alone is `inputs(x)`, which a loop can have for all its steps before
    it begins; `advance` does the rest, with one product. Made by `learning_map`, the same cell
    passes gradients on.
    """

    inputs: Callable[[Tensor], Tensor]  # from an input (..., I) to what `advance` wants of it
    hidden: LinearMap  # from a hidden state (..., H)

    def __call__(self, x: Tensor, state: LayerState) -> LayerState:
        """Take one step: x (..., I) and a state (..., H) give the next state (..., H)."""
        return self.advance(self.inputs(x), state)

    @abstractmethod
    def advance(self, prepared: Tensor, state: LayerState) -> LayerState:
        """Take one step from `inputs(x)`, which may be overwritten, and a state (..., H)."""

    @staticmethod
    def side_by_side(cells: Sequence["Cell"], prepared: Tensor, state: LayerState) -> LayerState:
        """Take one step of each cell; what is prepared and the state have a row for each."""
        rows = zip(cells, prepared, state.unstack(), strict=True)
        return LayerState.stack([cell.advance(row, before) for cell, row, before in rows])


@dataclass(frozen=True)
class Run:
    """What a layer made of whole sequences."""

    outputs: Tensor  # (B, T, D*H), hidden states; zero after each end where lengths are given
    final: LayerState  # (B, D*H), after each direction's last step


def last_hidden(outputs: Tensor, directions: int, lengths: Tensor | None) -> Tensor:
    """Take from outputs (B, T, D*H) the state after each direction's last step: (B, D*H)."""
    forward, *backward = outputs.chunk(directions, dim=2)
    if lengths is None:
        last = forward[:, -1]
    else:
        rows = torch.arange(len(outputs), device=outputs.device)
        last = forward[rows, lengths.to(outputs.device) - 1]
    return torch.cat((last, *(way[:, 0] for way in backward)), dim=1)


class RecurrentLayer(nn.Module, ABC):
    """One recurrent layer, in one direction or in both.

    Its weights have the directions in front; the rows of each gate, as many as the state is
    large, stand one after the other.
    """

    gates: ClassVar[int]
    keeps_cell: ClassVar[bool]  # whether states have a cell

    def __init__(self, input_size: int, hidden_size: int, bidirectional: bool = False) -> None:
        """Make a layer; in both directions each has a state of `hidden_size`."""
        super().__init__()
        self.hidden_size = hidden_size
        self.directions = 2 if bidirectional else 1
        rows = self.gates * hidden_size
        self.weight_input = nn.Parameter(torch.empty(self.directions, rows, input_size))
        self.weight_hidden = nn.Parameter(torch.empty(self.directions, rows, hidden_size))
        self.bias = nn.Parameter(torch.empty(self.directions, rows))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Uniform in 1/sqrt(H), and no bias."""
        bound = 1 / math.sqrt(self.hidden_size)
        for weight in (self.weight_input, self.weight_hidden):
            nn.init.uniform_(weight, -bound, bound)
        nn.init.zeros_(self.bias)

    def forward(
        self, x: Tensor, lengths: Tensor | None = None, state: LayerState | None = None
    ) -> Tensor:
        """Do what `run` does, and return its outputs (B, T, D*H)."""
        return self.run(x, lengths, state).outputs

    @abstractmethod
    def run(self, x: Tensor, lengths: Tensor | None = None, state: LayerState | None = None) -> Run:
        """Run over whole sequences.

        Args:
            x: inputs (B, T, I), longest sequence first where `lengths` is given.
            lengths: (B,) on the CPU; None means that all are T long, or that what comes after a
                sequence's end does not matter (in one direction).
            state: the state before the first step (B, H), where all are T long and there is one
                direction; None means zeros.
        """

    def zeros(self, like: Tensor, *shape: int) -> LayerState:
        """Return states of zeros (..., H), of the type of `like`."""
        zeros = like.new_zeros(*shape, self.hidden_size)
        return LayerState(zeros, zeros if self.keeps_cell else None)

    def cell(self, make: LinearMaker, bound: float) -> Cell:
        """Prepare the same layer (one direction) for single steps, its inputs within a bound."""
        return self.cells(make, bound)[0]

    @abstractmethod
    def cells(self, make: LinearMaker, bound: float) -> list[Cell]:
        """Prepare each direction for single steps, its inputs within a bound.

        The first map that is made for a direction is that of its inputs.
        """
