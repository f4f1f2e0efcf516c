"""The model, the loss and the search, written once more from their formulas with plain loops.

Vectors are lists of numbers, weights are nested lists; nothing here knows batches or padding.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from nmt.data.special import BOS, EOS, PAD
from nmt.models.seq2seq import Seq2Seq
from tests.support import encoder
from tests.support.cells import State as LayerState
from tests.support.decoder import ReferenceDecoder, State, Step
from tests.support.vectors import (
    Matrix,
    Vector,
    log_softmax,
    softmax,
)


class ReferenceModel:
    """The whole model, for one sentence."""

    def __init__(self, model: Seq2Seq) -> None:
        self.model = model
        self.decoder = ReferenceDecoder(model)

    def encode(self, source: list[int]) -> tuple[Matrix, list[LayerState]]:
        """The memory, and each encoder layer's last state."""
        return encoder.encode(self.model, source)

    def start(self, final: list[LayerState]) -> State:
        """The decoder before its first step."""
        return self.decoder.start(final)

    def step(self, memory: Matrix, state: State, token: int) -> Step:
        """One target position."""
        return self.decoder.step(memory, state, token)

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
