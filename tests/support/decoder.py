"""The decoder, written from its formulas with plain loops, for one sentence."""

import math
from dataclasses import dataclass, field

from nmt.models.seq2seq import Seq2Seq
from tests.support import cells
from tests.support.cells import State as LayerState
from tests.support.encoder import adds_input, first_states
from tests.support.vectors import (
    Matrix,
    Vector,
    add,
    affine,
    dot,
    layer_norm,
    softmax,
    tanh,
    weights,
)

# Which layers ask, counted from 1 of N, and which read the context (the read-out is N + 1).
ASKS = {
    "every": lambda number, layers: True,
    "first": lambda number, layers: number == 1,
    "last": lambda number, layers: number == layers,
    "before": lambda number, layers: False,
}
READS = {
    "every": lambda number: number > 1,
    "first": lambda number: number > 1,
    "last": lambda number: False,
    "before": lambda number: number == 1,
}


def attention_score(attention: object, kind: str, query: Vector, value: Vector) -> float:
    """One number: how well a query fits a position of the memory."""
    if kind == "dot":
        return dot(query, value)
    if kind == "general":
        (key,) = weights(attention, "key.weight")
        return dot(query, affine(key, value)) / math.sqrt(len(query))
    key, to_query, bias, energy = weights(
        attention, "key.weight", "query.weight", "query.bias", "energy.weight"
    )
    mixed = zip(affine(to_query, query, bias), affine(key, value), strict=True)
    return dot(energy[0], [math.tanh(a + b) for a, b in mixed])


def attention(
    module: object, kind: str, question: Vector, memory: Matrix, final: Vector
) -> tuple[Vector, Vector]:
    """The context, and the share of each position of the memory."""
    alike = [1 / len(memory)] * len(memory)
    if kind == "none":
        return final, alike
    if kind == "initial":
        return [], alike
    if kind == "multi-head":
        return heads(module, question, memory)
    shares = softmax([attention_score(module, kind, question, value) for value in memory])
    return average(shares, memory), shares


def heads(module: object, question: Vector, memory: Matrix) -> tuple[Vector, Vector]:
    """Vaswani et al. 2017, 3.2.2: each head on its slice of the projections, joined by one more."""
    count = getattr(module, "heads", 0)
    query, key, value, context = weights(
        module, "query.weight", "key.weight", "value.weight", "context.weight"
    )
    size = len(question) // count
    joined: Vector = []
    looked = []
    for at in range(0, len(question), size):
        own = slice(at, at + size)
        asked = affine(query, question)[own]
        scores = [dot(asked, affine(key, each)[own]) / math.sqrt(size) for each in memory]
        looked.append(softmax(scores))
        joined += average(looked[-1], [affine(value, each)[own] for each in memory])
    shares = [sum(each) / count for each in zip(*looked, strict=True)]
    return affine(context, joined), shares


def average(shares: Vector, rows: Matrix) -> Vector:
    """The sum of rows, each times its share."""
    return [dot(shares, column) for column in zip(*rows, strict=True)]


def readout(model: Seq2Seq, x: Vector, word: Vector) -> Vector:
    """What the output layer reads."""
    kind = model.config.readout
    if kind == "direct":
        return x
    weight, bias = weights(model.decoder, "readout.weight", "readout.bias")
    if kind == "tanh":
        return [2 * value for value in tanh(affine(weight, x, bias))]
    units = affine(weight, x + word, bias)
    half = len(units) // 2
    return [max(pair) for pair in zip(units[:half], units[half:], strict=True)]


@dataclass
class State:
    """A decoder between two steps."""

    layers: list[LayerState]
    final: Vector  # of the encoder
    fed: Vector = field(default_factory=list)  # the last read-out, if it is fed back


@dataclass
class Step:
    """What one step says."""

    readout: Vector
    logits: Vector
    attention: Vector
    state: State


class ReferenceDecoder:
    """The decoder and the output layer."""

    def __init__(self, model: Seq2Seq) -> None:
        self.model, self.config = model, model.config
        scale = math.sqrt(model.config.embedding_size)
        table, self.output, self.bias = weights(
            model, "target_embedding", "output_weight", "output_bias"
        )
        self.table = [[scale * value for value in row] for row in table]
        self.cells = [cells.cells(layer)[0] for layer in model.decoder.layers]

    def start(self, final: list[LayerState]) -> State:
        """The bridge's states; a read-out before the first is zero."""
        fed = [0.0] * len(self.output[0]) if self.config.input_feeding else []
        return State(first_states(self.model, final), final[-1][0], fed)

    def step(self, memory: Matrix, state: State, token: int) -> Step:
        """One target position."""
        config, count = self.config, len(self.cells)
        word, context, layers = self.table[token], [], []
        hidden, shares = state.layers[0][0], []
        if config.attend == "before":
            context, shares = self._ask(hidden, memory, state)
        for number in range(1, count + 1):
            x = word if number == 1 else hidden
            x = x + context if READS[config.attend](number) else x
            x = x + state.fed if number == 1 else self._normal(number, x)
            layers.append(self.cells[number - 1].step(x, state.layers[number - 1]))
            output = layers[-1][0]
            hidden = add(output, hidden) if adds_input(self.model, number) else output
            if ASKS[config.attend](number, count):
                context, shares = self._ask(hidden, memory, state)
        read = readout(self.model, self._normal(count + 1, hidden + context), word)
        following = State(layers, state.final, read if config.input_feeding else [])
        return Step(read, affine(self.output, read, self.bias), shares, following)

    def _ask(self, question: Vector, memory: Matrix, state: State) -> tuple[Vector, Vector]:
        module = self.model.decoder.attention
        return attention(module, self.config.attention, question, memory, state.final)

    def _normal(self, number: int, x: Vector) -> Vector:
        """What layer `number` reads, normalised if it is to be."""
        if not self.config.layer_norm:
            return x
        return layer_norm(x, *weights(self.model.decoder.norms[number - 2], "gain", "bias"))
