"""LSTM layers (Hochreiter and Schmidhuber 1997): whole sequences at once, and one step at a time.

Gates stand in the order input, forget, candidate, output, as torch's LSTM kernels have them.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from nmt.models.linear import LinearMaker, LinearMap
from nmt.models.state import LayerState
from nmt.models.whole_lstm import whole_lstm


class LSTMLayer(nn.Module):
    """One LSTM layer, in one direction or in both."""

    def __init__(self, input_size: int, hidden_size: int, bidirectional: bool = False) -> None:
        """Make a layer; in both directions each has a state of `hidden_size`."""
        super().__init__()
        self.hidden_size = hidden_size
        self.directions = 2 if bidirectional else 1
        gates = 4 * hidden_size
        self.weight_input = nn.Parameter(torch.empty(self.directions, gates, input_size))
        self.weight_hidden = nn.Parameter(torch.empty(self.directions, gates, hidden_size))
        self.bias = nn.Parameter(torch.empty(self.directions, gates))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Uniform in 1/sqrt(H), forget gates open (Jozefowicz et al. 2015)."""
        bound = 1 / math.sqrt(self.hidden_size)
        for weight in (self.weight_input, self.weight_hidden):
            nn.init.uniform_(weight, -bound, bound)
        nn.init.zeros_(self.bias)
        with torch.no_grad():
            self.bias[:, self.hidden_size : 2 * self.hidden_size] = 1.0

    def forward(
        self, x: Tensor, lengths: Tensor | None = None, state: LayerState | None = None
    ) -> Tensor:
        """Run over whole sequences.

        Args:
            x: inputs (B, T, I), longest sequence first where `lengths` is given.
            lengths: (B,) on the CPU; None means that all are T long, or that what comes after a
                sequence's end does not matter (in one direction).
            state: the state before the first step, each (B, H), where all are T long; None means
                zeros.

        Returns:
            hidden states (B, T, D*H), zero after each end where `lengths` is given.
        """
        if torch.is_grad_enabled() and x.device.type == "cpu" and x.dtype == torch.bfloat16:
            return self._by_large_products(x, lengths, state)
        initial = self._initial_state(x, state)
        weights = self._flat_weights(x.dtype)
        options = (True, 1, 0.0, self.training, self.directions == 2)
        if lengths is None:
            outputs: Tensor = torch.lstm(x, initial, weights, *options, True)[0]
            return outputs
        packed = pack_padded_sequence(x, lengths, batch_first=True)
        data = torch.lstm(packed.data, packed.batch_sizes, initial, weights, *options)[0]
        packed = packed._replace(data=data)
        return pad_packed_sequence(packed, batch_first=True, total_length=x.shape[1])[0]

    def _by_large_products(
        self, x: Tensor, lengths: Tensor | None, state: LayerState | None
    ) -> Tensor:
        x = x.transpose(0, 1).contiguous()
        sizes = None if lengths is None else _sizes(lengths, len(x))
        zeros = x.new_zeros(x.shape[1], self.hidden_size)
        first = (zeros, zeros) if state is None else (state.hidden, _cell(state))
        parts = (self.weight_input, self.weight_hidden, self.bias)
        weights = zip(*(part.to(x.dtype).unbind() for part in parts), strict=True)
        outputs = [
            whole_lstm(x, first, direction, sizes, backwards)
            for direction, backwards in zip(weights, (False, True), strict=False)
        ]
        joined = outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=2)
        return joined.transpose(0, 1)

    def _initial_state(self, x: Tensor, state: LayerState | None) -> list[Tensor]:
        if state is None:
            zeros = x.new_zeros(self.directions, x.shape[0], self.hidden_size)
            return [zeros, zeros]
        return [part.unsqueeze(0).contiguous() for part in (state.hidden, _cell(state))]

    def _flat_weights(self, dtype: torch.dtype) -> list[Tensor]:
        parts = (self.weight_input, self.weight_hidden, self.bias)
        no_bias = self.bias.new_zeros(self.bias.shape[1], dtype=dtype)  # torch wants two of them
        flat: list[Tensor] = []
        for weights in zip(*(part.to(dtype).unbind() for part in parts), strict=True):
            flat += [*weights, no_bias]
        return flat

    def cell(self, make: LinearMaker, bound: float) -> "LSTMCell":
        """Prepare the same layer (one direction) for single steps, its inputs within a bound."""
        return self.cells(make, bound)[0]

    def cells(self, make: LinearMaker, bound: float) -> list["LSTMCell"]:
        """Prepare each direction for single steps, its inputs within a bound."""
        return [
            LSTMCell(
                make(_gates(self.weight_input[direction]), _gates(self.bias[direction]), bound),
                make(_gates(self.weight_hidden[direction]), None, 1.0),
            )
            for direction in range(self.directions)
        ]


class LSTMCell:
    """One step of an LSTM layer.

    Both maps give the gates input, forget, output, and -2 times the candidate.
    """

    def __init__(self, inputs: Callable[[Tensor], Tensor], hidden: LinearMap) -> None:
        """Take the maps from an input and from a hidden state to the gates."""
        self.inputs = inputs
        self.hidden = hidden

    def __call__(self, x: Tensor, state: LayerState) -> LayerState:
        """Take one step: x (..., I) and a state (..., H) give the next state (..., H)."""
        return self.advance(self.inputs(x), state)

    def advance(self, prepared: Tensor, state: LayerState) -> LayerState:
        """Take one step from `inputs(x)`, which is overwritten, and a state (..., H)."""
        return advance(self.hidden(state.hidden, prepared), _cell(state))


def advance(gates: Tensor, cell: Tensor) -> LayerState:
    """Return the state (..., H) after gates (..., 4H), which are overwritten, and a cell (..., H).

    tanh(x) is written 1 - 2 sigmoid(-2x): torch's sigmoid is ten times as fast as its tanh, and
    one call of it serves all four gates.
    """
    enter, forget, leave, turned = gates.sigmoid_().chunk(4, dim=-1)
    cell = torch.addcmul(torch.addcmul(enter, forget, cell), enter, turned, value=-2)
    turned = cell.mul(-2).sigmoid_()
    return LayerState(torch.addcmul(leave, leave, turned, value=-2), cell)


def _cell(state: LayerState) -> Tensor:
    assert state.cell is not None
    return state.cell


def _gates(weight: Tensor) -> Tensor:
    """Lay the rows of torch's gates out as LSTMCell wants them."""
    enter, forget, candidate, leave = weight.detach().chunk(4)
    return torch.cat((enter, forget, leave, -2 * candidate))


def _sizes(lengths: Tensor, steps: int) -> list[int]:
    """Return how many sequences have each step, from their lengths (B,)."""
    sizes: list[int] = (lengths.unsqueeze(0) > torch.arange(steps).unsqueeze(1)).sum(dim=1).tolist()
    return sizes
