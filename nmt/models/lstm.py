"""The LSTM (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000).

Gates stand in the order input, forget, candidate, output, as torch's LSTM kernels have them.
"""

from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor

from nmt.models.kernels import KernelLayer
from nmt.models.layer import Cell, Run, last_hidden
from nmt.models.linear import LinearMaker
from nmt.models.memory import exact
from nmt.models.state import LayerState
from nmt.models.whole_lstm import whole_lstm


class LSTMLayer(KernelLayer):
    """One LSTM layer, in one direction or in both."""

    gates = 4
    keeps_cell = True
    kernel = staticmethod(torch.lstm)

    def reset_parameters(self) -> None:
        """Uniform in 1/sqrt(H), forget gates open (Jozefowicz et al. 2015)."""
        super().reset_parameters()
        open_forget_gates(self.bias)

    def second_bias(self) -> Tensor:
        """Return zeros: the kernel's two biases are added up."""
        return self.bias.new_zeros(self.bias.shape)

    def run(self, x: Tensor, lengths: Tensor | None = None, state: LayerState | None = None) -> Run:
        """Run over whole sequences; see RecurrentLayer."""
        if torch.is_grad_enabled() and x.device.type == "cpu" and x.dtype == torch.bfloat16:
            return self._by_large_products(x, lengths, state)
        return super().run(x, lengths, state)

    def _by_large_products(
        self, x: Tensor, lengths: Tensor | None, state: LayerState | None
    ) -> Run:
        x = x.transpose(0, 1).contiguous()
        sizes = None if lengths is None else _sizes(lengths, len(x))
        zeros = x.new_zeros(x.shape[1], self.hidden_size)
        first = (zeros, zeros) if state is None else (state.hidden, cell_of(state))
        parts = (self.weight_input, self.weight_hidden, self.bias)
        weights = zip(*(part.to(x.dtype).unbind() for part in parts), strict=True)
        runs = [
            whole_lstm(x, first, direction, sizes, backwards)
            for direction, backwards in zip(weights, (False, True), strict=False)
        ]
        outputs, cell = (
            parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)
            for parts in zip(*runs, strict=True)
        )
        outputs = outputs.transpose(0, 1)  # (B, T, D*H)
        return Run(outputs, LayerState(last_hidden(outputs, self.directions, lengths), cell))

    def cells(self, make: LinearMaker, bound: float) -> list[Cell]:
        """Prepare each direction for single steps, its inputs within a bound."""
        return [
            LSTMCell(
                make(turned_candidate(inputs), turned_candidate(bias), bound),
                make(turned_candidate(hidden), None, 1.0),
            )
            for inputs, hidden, bias in zip(
                self.weight_input, self.weight_hidden, self.bias, strict=True
            )
        ]


class LSTMCell(Cell):
    """One step of an LSTM layer.

    Both maps give the gates input, forget, output, and -2 times the candidate.
    """

    def advance(self, prepared: Tensor, state: LayerState) -> LayerState:
        """Take one step from `inputs(x)`, which may be overwritten, and a state (..., H)."""
        return advance(self.hidden(state.hidden, prepared), cell_of(state))

    @staticmethod
    def side_by_side(cells: Sequence[Cell], prepared: Tensor, state: LayerState) -> LayerState:
        """Take one step of each cell; what is prepared, and overwritten, has a row for each.

        Only with maps made for search: each has to add to its row in place.
        """
        for cell, hidden, gates in zip(cells, state.hidden, prepared, strict=True):
            cell.hidden(hidden, gates)
        return advance(prepared, cell_of(state))


def advance(
    gates: Tensor, cell: Tensor, read: Callable[[Tensor], Tensor] = lambda cell: cell.mul(-2)
) -> LayerState:
    """Return the state after a step.

    tanh(x) is written 1 - 2 sigmoid(-2x): torch's sigmoid is ten times as fast as its tanh, and
    one call of it serves all four gates.

    Args:
        gates: input, forget, output, and -2 times the candidate (..., 4H), to be overwritten.
        cell: the one before (..., H).
        read: gives a new tensor, -2 times what the cell shows (..., H).
    """
    dtype = cell.dtype
    # bfloat16 has too few steps around a half for 1 - 2 sigmoid.
    enter, forget, leave, turned = exact(gates).sigmoid_().chunk(4, dim=-1)
    cell = torch.addcmul(torch.addcmul(enter, forget, exact(cell)), enter, turned, value=-2)
    turned = read(cell).sigmoid_()
    hidden = torch.addcmul(leave, leave, turned, value=-2)
    return LayerState(hidden.to(dtype), cell.to(dtype))


def cell_of(state: LayerState) -> Tensor:
    """Return the cell that every state of an LSTM has."""
    return cast(Tensor, state.cell)


def turned_candidate(weight: Tensor) -> Tensor:
    """Lay the rows of the gates (4H, ...) out as `advance` wants them."""
    enter, forget, candidate, leave = weight.chunk(4)
    return torch.cat((enter, forget, leave, -2 * candidate))


def candidate_last(weight: Tensor) -> Tensor:
    """Lay the rows of the gates (4H, ...) out in the same order, all as they are."""
    enter, forget, candidate, leave = weight.chunk(4)
    return torch.cat((enter, forget, leave, candidate))


@torch.no_grad()
def open_forget_gates(bias: Tensor) -> None:
    """Let an LSTM with this bias (D, 4H) remember at first."""
    size = bias.shape[1] // 4
    bias[:, size : 2 * size] = 1.0


def _sizes(lengths: Tensor, steps: int) -> list[int]:
    """Return how many sequences have each step, from their lengths (B,)."""
    sizes: list[int] = (lengths.unsqueeze(0) > torch.arange(steps).unsqueeze(1)).sum(dim=1).tolist()
    return sizes
