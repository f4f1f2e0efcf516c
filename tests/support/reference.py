"""The model, the loss and the search, written once more from their formulas with plain loops.

Vectors are lists of numbers, weights are nested lists; nothing here knows batches or padding.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor

from nmt.data.vocabulary import BOS, EOS, PAD
from nmt.models.seq2seq import Seq2Seq

Vector = list[float]
Matrix = list[Vector]


def dot(a: Sequence[float], b: Sequence[float]) -> float:
    """a . b"""
    return sum(x * y for x, y in zip(a, b, strict=True))


def affine(matrix: Matrix, x: Vector, bias: Vector | None = None) -> Vector:
    """W x + b"""
    return [dot(row, x) + (bias[at] if bias is not None else 0.0) for at, row in enumerate(matrix)]


def tanh(x: Vector) -> Vector:
    """tanh of each element."""
    return [math.tanh(value) for value in x]


def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x))"""
    return 1 / (1 + math.exp(-x))


def softmax(scores: Vector) -> Vector:
    """exp(s) over the sum of all exp(s)."""
    highest = max(scores)
    powers = [math.exp(score - highest) for score in scores]
    return [power / sum(powers) for power in powers]


def log_softmax(logits: Vector) -> Vector:
    """s - log sum exp(s)."""
    highest = max(logits)
    normaliser = highest + math.log(sum(math.exp(value - highest) for value in logits))
    return [value - normaliser for value in logits]


def weights(module: object, *names: str) -> list:
    """The tensors `names` of a module as nested lists."""
    found = []
    for name in names:
        value: object = module
        for part in name.split("."):
            value = getattr(value, part)
        assert isinstance(value, Tensor)
        found.append(value.tolist())
    return found


@dataclass
class Cell:
    """One direction of an LSTM layer."""

    weight_input: Matrix
    weight_hidden: Matrix
    bias: Vector

    def step(self, x: Vector, hidden: Vector, cell: Vector) -> tuple[Vector, Vector]:
        """One step: the gates input, forget, candidate, output (Hochreiter and Schmidhuber)."""
        from_input = affine(self.weight_input, x, self.bias)
        gates = [a + b for a, b in zip(from_input, affine(self.weight_hidden, hidden), strict=True)]
        size = len(hidden)
        new_cell, new_hidden = [], []
        for at in range(size):
            enter, forget = sigmoid(gates[at]), sigmoid(gates[size + at])
            candidate, leave = math.tanh(gates[2 * size + at]), sigmoid(gates[3 * size + at])
            new_cell.append(forget * cell[at] + enter * candidate)
            new_hidden.append(leave * math.tanh(new_cell[at]))
        return new_hidden, new_cell

    def run(
        self, xs: Matrix, hidden: Vector | None = None, cell: Vector | None = None
    ) -> tuple[Matrix, Vector, Vector]:
        """Every output, and the last state."""
        size = len(self.weight_hidden[0])
        hidden, cell = hidden or [0.0] * size, cell or [0.0] * size
        outputs = []
        for x in xs:
            hidden, cell = self.step(x, hidden, cell)
            outputs.append(hidden)
        return outputs, hidden, cell


def cells(layer: object) -> list[Cell]:
    """The directions of an LSTMLayer."""
    return [
        Cell(*parts)
        for parts in zip(*weights(layer, "weight_input", "weight_hidden", "bias"), strict=True)
    ]


def both_directions(layer: object, xs: Matrix) -> tuple[Matrix, Vector, Vector]:
    """Outputs side by side; the states after each direction's last step, side by side."""
    forward, backward = cells(layer)
    ahead, hidden_ahead, cell_ahead = forward.run(xs)
    behind, hidden_behind, cell_behind = backward.run(xs[::-1])
    outputs = [a + b for a, b in zip(ahead, behind[::-1], strict=True)]
    return outputs, hidden_ahead + hidden_behind, cell_ahead + cell_behind


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


@dataclass
class State:
    """A decoder between two steps: hidden and cell of each layer."""

    layers: list[tuple[Vector, Vector]]


@dataclass
class Step:
    """What one step says."""

    readout: Vector
    logits: Vector
    attention: Vector
    state: State


class ReferenceModel:
    """The whole model, for one sentence."""

    def __init__(self, model: Seq2Seq) -> None:
        self.model = model
        self.kind = model.config.attention
        scale = math.sqrt(model.config.embedding_size)
        source, target, bias = weights(model, "source_embedding", "target_embedding", "output_bias")
        self.source_table = [[scale * value for value in row] for row in source]
        self.target_table = [[scale * value for value in row] for row in target]
        self.output, self.output_bias = target, bias
        self.readout, self.readout_bias = weights(model.decoder, "readout.weight", "readout.bias")
        self.cells = [cells(layer)[0] for layer in model.decoder.layers]

    def encode(self, source: list[int]) -> tuple[Matrix, Vector]:
        """The memory, and the last layer's final hidden state."""
        xs = [self.source_table[id] for id in source]
        final: Vector = []
        for depth, layer in enumerate(self.model.encoder.layers):
            outputs, final, _ = both_directions(layer, xs)
            # Residual connections from the third layer on.
            xs = add_all(outputs, xs) if depth >= 2 else outputs
        return xs, final

    def start(self, final: Vector) -> State:
        """The bridge: tanh(W h + b), cut into each layer's hidden and cell."""
        weight, bias = weights(self.model.decoder, "bridge.weight", "bridge.bias")
        parts = tanh(affine(weight, final, bias))
        size = self.model.config.hidden_size
        cut = [parts[at : at + size] for at in range(0, len(parts), size)]
        return State(list(zip(cut[::2], cut[1::2], strict=True)))

    def step(self, memory: Matrix, state: State, token: int) -> Step:
        """One target position."""
        inputs = hidden = self.target_table[token]
        layers = []
        for depth in range(len(self.cells)):
            output, cell = self.cells[depth].step(inputs, *state.layers[depth])
            layers.append((output, cell))
            hidden = add(output, hidden) if depth >= 2 else output
            scores = [
                attention_score(self.model.decoder.attention, self.kind, hidden, value)
                for value in memory
            ]
            shares = softmax(scores)
            context = [dot(shares, column) for column in zip(*memory, strict=True)]
            inputs = hidden + context
        readout = tanh(affine(self.readout, inputs, self.readout_bias))
        logits = affine(self.output, readout, self.output_bias)
        return Step(readout, logits, shares, State(layers))

    def steps(self, source: list[int], target: list[int]) -> list[Step]:
        """Every step of a target that begins with BOS."""
        memory, final = self.encode(source)
        state, steps = self.start(final), []
        for token in target:
            steps.append(self.step(memory, state, token))
            state = steps[-1].state
        return steps

    def log_probability(self, source: list[int], target: list[int]) -> float:
        """log p(target, EOS | source)."""
        whole = [BOS, *target, EOS]
        steps = self.steps(source, whole[:-1])
        return sum(
            log_softmax(step.logits)[following]
            for step, (_, following) in zip(steps, pairwise(whole), strict=True)
        )


class ReferenceEnsemble:
    """Models whose probabilities are averaged, for the searches below."""

    def __init__(self, models: list[ReferenceModel]) -> None:
        self.models = models

    def encode(self, source: list[int]) -> tuple[list, list]:
        """Each model's memory, and each one's final hidden state."""
        both = [model.encode(source) for model in self.models]
        return [memory for memory, _ in both], [final for _, final in both]

    def start(self, finals: list[Vector]) -> list[State]:
        """Each model's first state."""
        return [model.start(final) for model, final in zip(self.models, finals, strict=True)]

    def step(self, memories: list[Matrix], states: list[State], token: int) -> Step:
        """log mean p, and the mean attention."""
        steps = [
            model.step(memory, state, token)
            for model, memory, state in zip(self.models, memories, states, strict=True)
        ]
        chances = zip(*(softmax(step.logits) for step in steps), strict=True)
        logits = [math.log(sum(each) / len(each)) for each in chances]
        looked = zip(*(step.attention for step in steps), strict=True)
        attention = [sum(each) / len(each) for each in looked]
        return Step([], logits, attention, [step.state for step in steps])


def add(a: Vector, b: Vector) -> Vector:
    """a + b"""
    return [x + y for x, y in zip(a, b, strict=True)]


def add_all(a: Matrix, b: Matrix) -> Matrix:
    """a + b, row by row."""
    return [add(x, y) for x, y in zip(a, b, strict=True)]


def smoothed_loss(logits: Vector, label: int, smoothing: float) -> float:
    """-sum_v q(v) log p(v), q = (1 - s) one-hot + s / V."""
    log_p = log_softmax(logits)
    return -sum(q * p for q, p in zip(smoothed(len(logits), label, smoothing), log_p, strict=True))


def smoothed(pieces: int, label: int, smoothing: float) -> Vector:
    """q = (1 - s) one-hot + s / V."""
    return [(1 - smoothing) * (v == label) + smoothing / pieces for v in range(pieces)]


@dataclass
class Found:
    """A finished hypothesis of a reference search."""

    ids: list[int]  # without EOS
    log_probability: float
    score: float
    attended: list[int]


def penalty(length: int, alpha: float) -> float:
    """Wu et al. 2016, equation 14; EOS counts."""
    return ((5 + length) / 6) ** alpha


def no_bonus(attention: Matrix) -> float:
    """Nothing but the log-probability counts."""
    return 0.0


def anything(ids: list[int], piece: int) -> bool:
    """Every piece may follow."""
    return True


@dataclass
class Rules:
    """What a reference search does beyond the model's own scores."""

    allowed: Callable[[list[int], int], bool] = anything  # pieces so far, and the next one
    bonus: Callable[[Matrix], float] = no_bonus  # added to a score, from each piece's attention
    average: bool = False  # divide by the length


NO_RULES = Rules()


def beam_search(
    model: ReferenceModel | ReferenceEnsemble,
    source: list[int],
    beam: int,
    alpha: float,
    longest: int,
    rules: Rules = NO_RULES,
) -> list[Found]:
    """A beam of places: each step the best continuations fill them; the finished keep theirs."""
    memory, final = model.encode(source)
    live = [{"total": 0.0, "ids": [BOS], "looked": [], "state": model.start(final)}]
    finished: list[Found] = []
    for length in range(1, longest + 1):
        candidates = []
        for hypothesis in live:
            step = model.step(memory, hypothesis["state"], hypothesis["ids"][-1])
            for piece, log_p in enumerate(log_softmax(step.logits)):
                if piece in (PAD, BOS) or (length == longest and piece != EOS):
                    continue
                if not rules.allowed(hypothesis["ids"][1:], piece):
                    continue
                candidates.append((hypothesis["total"] + log_p, piece, hypothesis, step))
        candidates.sort(key=lambda candidate: -candidate[0])
        live, places = [], beam - len(finished)
        for total, piece, hypothesis, step in candidates[:places]:
            looked = [*hypothesis["looked"], step.attention]
            if piece == EOS:
                score = total / (length if rules.average else penalty(length, alpha))
                attended = [shares.index(max(shares)) for shares in looked[:-1]]
                score += rules.bonus(looked)
                finished.append(Found(hypothesis["ids"][1:], total, score, attended))
                continue
            ids = [*hypothesis["ids"], piece]
            live.append({"total": total, "ids": ids, "looked": looked, "state": step.state})
    return sorted(finished, key=lambda found: -found.score)


def exhaustive_search(
    model: ReferenceModel, source: list[int], alpha: float, longest: int
) -> list[Found]:
    """Every target of at most `longest` pieces, EOS included, best first."""
    memory, final = model.encode(source)
    found: list[Found] = []
    waiting = [([BOS], 0.0, model.start(final))]
    while waiting:
        ids, total, state = waiting.pop()
        step = model.step(memory, state, ids[-1])
        log_p = log_softmax(step.logits)
        ended = total + log_p[EOS]
        found.append(Found(ids[1:], ended, ended / penalty(len(ids), alpha), []))
        if len(ids) < longest:
            waiting += [
                ([*ids, piece], total + log_p[piece], step.state)
                for piece in range(len(log_p))
                if piece not in (PAD, BOS, EOS)
            ]
    return sorted(found, key=lambda hypothesis: -hypothesis.score)
