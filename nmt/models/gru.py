"""The GRU (Cho et al. 2014), in the form that torch's and cuDNN's kernels have.

There are two forms. Here the reset gate meets the product with the hidden state (version 1 of the
paper): n = tanh(W x + b + r * (U h + b')). In its later version it meets the hidden state itself,
U (r * h), which needs a second product that has to wait for r, and has no kernel.

    r, z = sigmoid(W x + U h + b)           reset and update gates
    n    = tanh(W x + b + r * (U h + b'))   candidate
    h    = (1 - z) * n + z * h

Gates stand in the order reset, update, candidate.
"""

import torch
from torch import Tensor, nn

from nmt.models.kernels import KernelLayer
from nmt.models.layer import Cell
from nmt.models.linear import LinearMaker
from nmt.models.memory import exact
from nmt.models.state import LayerState


class GRULayer(KernelLayer):
    """One GRU layer, in one direction or in both."""

    gates = 3
    keeps_cell = False
    kernel = staticmethod(torch.gru)

    def __init__(self, input_size: int, hidden_size: int, bidirectional: bool = False) -> None:
        """Make a layer; in both directions each has a state of `hidden_size`."""
        super().__init__(input_size, hidden_size, bidirectional)
        # b' of the formula; that of the two gates would be added to `bias`.
        self.bias_hidden = nn.Parameter(torch.zeros(self.directions, hidden_size))

    def second_bias(self) -> Tensor:
        """Return zeros for the gates, and b' for the candidate: (D, 3H)."""
        none = self.bias_hidden.new_zeros(self.directions, 2 * self.hidden_size)
        return torch.cat((none, self.bias_hidden), dim=1)

    def cells(self, make: LinearMaker, bound: float) -> list[Cell]:
        """Prepare each direction for single steps, its inputs within a bound."""
        parts = (self.weight_input, self.weight_hidden, self.bias, self.second_bias())
        turned = ([_turned_candidate(rows) for rows in part] for part in parts)
        return [
            GRUCell(make(inputs, bias, bound), make(hidden, second_bias, 1.0))
            for inputs, hidden, bias, second_bias in zip(*turned, strict=True)
        ]


class GRUCell(Cell):
    """One step of a GRU layer.

    Both maps give the gates reset and update, and -2 times the candidate: tanh(x) is written
    1 - 2 sigmoid(-2x), as in the LSTM.
    """

    def advance(self, prepared: Tensor, state: LayerState) -> LayerState:
        """Take one step from `inputs(x)` (..., 3H) and a state (..., H)."""
        dtype, before = state.hidden.dtype, exact(state.hidden)
        sizes = [2 * before.shape[-1], before.shape[-1]]
        gates, candidate = exact(prepared).split(sizes, dim=-1)
        more, product = exact(self.hidden(state.hidden)).split(sizes, dim=-1)
        reset, update = (gates + more).sigmoid_().chunk(2, dim=-1)
        turned = torch.addcmul(candidate, reset, product).sigmoid_()
        hidden = torch.lerp(torch.rsub(turned, 1, alpha=2), before, update)
        return LayerState(hidden.to(dtype))


def _turned_candidate(rows: Tensor) -> Tensor:
    """Multiply the candidate's rows of (3H, ...) by -2."""
    reset, update, candidate = rows.chunk(3)
    return torch.cat((reset, update, -2 * candidate))
