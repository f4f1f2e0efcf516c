"""Recurrent layers, written from their formulas with plain loops.

A state is a list of vectors: what a layer says, and a cell if it has one.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from nmt.models.gru import GRULayer
from nmt.models.layer import RecurrentLayer
from nmt.models.lstm import LSTMLayer
from nmt.models.norm_lstm import NormLSTMLayer
from nmt.models.rnn import RNNLayer
from tests.support.vectors import Matrix, Vector, add, affine, layer_norm, sigmoid, tanh, weights

State = Sequence[Vector]


class Cell(ABC):
    """One direction of a layer."""

    names: tuple[str, ...] = ("weight_input", "weight_hidden", "bias")
    parts = 2  # of a state

    def __init__(self, layer: RecurrentLayer, direction: int) -> None:
        self.size = layer.hidden_size
        for name, weight in zip(self.names, weights(layer, *self.names), strict=True):
            setattr(self, name, weight[direction])

    @abstractmethod
    def step(self, x: Vector, state: State) -> State:
        """One step."""

    def run(self, xs: Matrix, state: State | None = None) -> tuple[Matrix, State]:
        """Every output, and the last state."""
        state = state or [[0.0] * self.size] * self.parts
        outputs = []
        for x in xs:
            state = self.step(x, state)
            outputs.append(state[0])
        return outputs, state

    def gate(self, gates: Vector, number: int) -> Vector:
        """The rows of one gate."""
        return gates[number * self.size : (number + 1) * self.size]


class LSTM(Cell):
    """Gates input, forget, candidate, output (Hochreiter and Schmidhuber 1997)."""

    def step(self, x: Vector, state: State) -> State:
        from_input = affine(self.weight_input, x, self.bias)
        return self.finish(add(from_input, affine(self.weight_hidden, state[0])), state[1])

    def finish(self, gates: Vector, cell: Vector) -> State:
        """From the gates' sums to the next state."""
        enter, forget, candidate, leave = (self.gate(gates, number) for number in range(4))
        cell = [
            sigmoid(forget[at]) * cell[at] + sigmoid(enter[at]) * math.tanh(candidate[at])
            for at in range(self.size)
        ]
        return [
            [sigmoid(o) * math.tanh(c) for o, c in zip(leave, self.shown(cell), strict=True)],
            cell,
        ]

    def shown(self, cell: Vector) -> Vector:
        """What of a cell goes to the output."""
        return cell


class NormLSTM(LSTM):
    """Gates LN(W x) + LN(U h) + b, and tanh(LN(c)) (Ba et al. 2016)."""

    names = (*LSTM.names, "gain_input", "gain_hidden", "gain_cell", "bias_cell")

    def step(self, x: Vector, state: State) -> State:
        from_input = layer_norm(affine(self.weight_input, x), self.gain_input)
        from_hidden = layer_norm(affine(self.weight_hidden, state[0]), self.gain_hidden)
        return self.finish(add(add(from_input, from_hidden), self.bias), state[1])

    def shown(self, cell: Vector) -> Vector:
        return layer_norm(cell, self.gain_cell, self.bias_cell)


class GRU(Cell):
    """Gates reset, update, candidate; the reset gate meets the product (Cho et al. 2014, v1)."""

    names = (*Cell.names, "bias_hidden")
    parts = 1

    def step(self, x: Vector, state: State) -> State:
        from_input = affine(self.weight_input, x, self.bias)
        from_hidden = affine(self.weight_hidden, state[0])
        following = []
        for at, before in enumerate(state[0]):
            here, later, last = (at + number * self.size for number in range(3))
            reset = sigmoid(from_input[here] + from_hidden[here])
            update = sigmoid(from_input[later] + from_hidden[later])
            product = from_hidden[last] + self.bias_hidden[at]
            candidate = math.tanh(from_input[last] + reset * product)
            following.append((1 - update) * candidate + update * before)
        return [following]


class RNN(Cell):
    """h = tanh(W x + U h + b) (Elman 1990)."""

    parts = 1

    def step(self, x: Vector, state: State) -> State:
        from_input = affine(self.weight_input, x, self.bias)
        return [tanh(add(from_input, affine(self.weight_hidden, state[0])))]


KINDS: dict[type[RecurrentLayer], type[Cell]] = {
    LSTMLayer: LSTM,
    NormLSTMLayer: NormLSTM,
    GRULayer: GRU,
    RNNLayer: RNN,
}


@dataclass
class Layer:
    """What a layer makes of a sequence."""

    outputs: Matrix
    final: State


def cells(layer: RecurrentLayer) -> list[Cell]:
    """The directions of a layer."""
    return [KINDS[type(layer)](layer, direction) for direction in range(layer.directions)]


def run(layer: RecurrentLayer, xs: Matrix, state: State | None = None) -> Layer:
    """Outputs of the directions side by side, and the states after each one's last step."""
    forward, *backward = cells(layer)
    outputs, final = forward.run(xs, state)
    for cell in backward:
        behind, last = cell.run(xs[::-1])
        outputs = [a + b for a, b in zip(outputs, behind[::-1], strict=True)]
        final = [a + b for a, b in zip(final, last, strict=True)]
    return Layer(outputs, final)
