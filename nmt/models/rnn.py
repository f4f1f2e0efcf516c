"""The plain recurrent layer (Elman 1990): h = tanh(W x + U h + b)."""

import torch
from torch import Tensor

from nmt.models.kernels import KernelLayer
from nmt.models.layer import Cell
from nmt.models.linear import LinearMaker
from nmt.models.memory import exact
from nmt.models.state import LayerState


class RNNLayer(KernelLayer):
    """One layer of tanh units, in one direction or in both."""

    gates = 1
    keeps_cell = False
    kernel = staticmethod(torch.rnn_tanh)

    def second_bias(self) -> Tensor:
        """Return zeros: the kernel's two biases are added up."""
        return self.bias.new_zeros(self.bias.shape)

    def cells(self, make: LinearMaker, bound: float) -> list[Cell]:
        """Prepare each direction for single steps, its inputs within a bound."""
        return [
            RNNCell(make(-2 * inputs, -2 * bias, bound), make(-2 * hidden, None, 1.0))
            for inputs, hidden, bias in zip(
                self.weight_input, self.weight_hidden, self.bias, strict=True
            )
        ]


class RNNCell(Cell):
    """One step of tanh units.

    Both maps give -2 times what goes into tanh(x) = 1 - 2 sigmoid(-2x), as in the LSTM.
    """

    def advance(self, prepared: Tensor, state: LayerState) -> LayerState:
        """Take one step from `inputs(x)`, which may be overwritten, and a state (..., H)."""
        turned = exact(self.hidden(state.hidden, prepared)).sigmoid_()
        return LayerState(torch.rsub(turned, 1, alpha=2).to(state.hidden.dtype))
