"""The LSTM with layer normalisation inside (Ba et al. 2016, supplementary material).

    gates = LN(W x; g) + LN(U h; g') + b    each over all four gates
    c     = sigmoid(forget) * c + sigmoid(input) * tanh(candidate)
    h     = sigmoid(output) * tanh(LN(c; g'', b''))

The paper gives the first two norms a bias as well: both would only be added to b. Gates stand in
the order input, forget, candidate, output.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nmt.models.layer import Cell
from nmt.models.linear import LinearMaker
from nmt.models.loop import LoopLayer
from nmt.models.lstm import advance, candidate_last, cell_of, open_forget_gates, turned_candidate
from nmt.models.norm import normalised
from nmt.models.state import LayerState


class NormLSTMLayer(LoopLayer):
    """One layer of normalised LSTM units, in one direction or in both."""

    gates = 4
    keeps_cell = True

    def __init__(self, input_size: int, hidden_size: int, bidirectional: bool = False) -> None:
        """Make a layer; in both directions each has a state of `hidden_size`."""
        super().__init__(input_size, hidden_size, bidirectional)
        directions, rows = self.bias.shape
        self.gain_input = nn.Parameter(torch.ones(directions, rows))
        self.gain_hidden = nn.Parameter(torch.ones(directions, rows))
        self.gain_cell = nn.Parameter(torch.ones(directions, hidden_size))
        self.bias_cell = nn.Parameter(torch.zeros(directions, hidden_size))

    def reset_parameters(self) -> None:
        """Uniform in 1/sqrt(H), forget gates open."""
        super().reset_parameters()
        open_forget_gates(self.bias)

    def cells(self, make: LinearMaker, bound: float) -> list[Cell]:
        """Prepare each direction for single steps, its inputs within a bound."""
        return [self._cell(direction, make, bound) for direction in range(self.directions)]

    def _cell(self, direction: int, make: LinearMaker, bound: float) -> Cell:
        # What comes after a norm is turned for sigmoids; what goes in must stay as it is, but for
        # the order of the gates. Small states count as much as large ones, once normalised: in
        # eight bits they must not be measured by a common bound.
        inputs = make(candidate_last(self.weight_input[direction]), None, bound)
        hidden = make(candidate_last(self.weight_hidden[direction]), None, math.inf)
        gain, gain_hidden, bias = (
            turned_candidate(rows[direction])
            for rows in (self.gain_input, self.gain_hidden, self.bias)
        )
        return NormLSTMCell(
            inputs=lambda x: normalised(inputs(x), gain, bias),
            hidden=hidden,
            gain=gain_hidden,
            cell_gain=-2 * self.gain_cell[direction],
            cell_bias=-2 * self.bias_cell[direction],
        )


@dataclass(frozen=True)
class NormLSTMCell(Cell):
    """One step of normalised LSTM units.

    Gains and biases are those of the gates input, forget, output and -2 times the candidate, and
    -2 times those of the cell.
    """

    gain: Tensor  # of the product with the hidden state (4H)
    cell_gain: Tensor  # (H)
    cell_bias: Tensor  # (H)

    def advance(self, prepared: Tensor, state: LayerState) -> LayerState:
        """Take one step from `inputs(x)` (..., 4H) and a state (..., H)."""
        gates = prepared + normalised(self.hidden(state.hidden), self.gain)
        return advance(gates, cell_of(state), self._read)

    def _read(self, cell: Tensor) -> Tensor:
        return normalised(cell, self.cell_gain, self.cell_bias)
