"""Vectors as lists of numbers, for references written with plain loops."""

import math
from collections.abc import Sequence

from torch import Tensor

Vector = list[float]
Matrix = list[Vector]


def dot(a: Sequence[float], b: Sequence[float]) -> float:
    """a . b"""
    return sum(x * y for x, y in zip(a, b, strict=True))


def add(a: Vector, b: Vector) -> Vector:
    """a + b"""
    return [x + y for x, y in zip(a, b, strict=True)]


def add_all(a: Matrix, b: Matrix) -> Matrix:
    """a + b, row by row."""
    return [add(x, y) for x, y in zip(a, b, strict=True)]


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


def layer_norm(x: Vector, gain: Vector, bias: Vector | None = None) -> Vector:
    """g * (x - mean) / sqrt(variance + 1e-5) + b"""
    mean = sum(x) / len(x)
    deviation = math.sqrt(sum((value - mean) ** 2 for value in x) / len(x) + 1e-5)
    scaled = [g * (value - mean) / deviation for g, value in zip(gain, x, strict=True)]
    return scaled if bias is None else add(scaled, bias)


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
