"""A few models that stand for the whole family: of any two settings, every two choices meet."""

import dataclasses
import random
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations, product
from typing import Any, get_type_hints

import torch

from nmt.models.config import ModelConfig
from nmt.models.seq2seq import Seq2Seq
from tests.support.small import PIECES

# Whole numbers worth trying; every named choice is tried by itself, and so is every switch.
NUMBERS = {"encoder_layers": (1, 3), "decoder_layers": (1, 3), "residual_from": (3, 0, 2)}
SIZES = {"embedding_size": 4, "hidden_size": 8}
TRIES = 60

Pair = tuple[tuple[str, Any], tuple[str, Any]]


def choices() -> dict[str, tuple[Any, ...]]:
    """What each setting of a model may be, new settings included."""
    types = get_type_hints(ModelConfig)
    found = dict(NUMBERS)
    for field in dataclasses.fields(ModelConfig):
        if types[field.name] is bool:
            found[field.name] = (False, True)
        elif field.metadata["choices"]:
            found[field.name] = field.metadata["choices"]
    return found


def family() -> list[ModelConfig]:
    """Models in which any two choices of any two settings come together, unless refused.

    Greedy: for a pair that is still missing, of many random models with it the one that brings
    most missing pairs along.
    """
    chance, known = random.Random(1), choices()
    missing = dict.fromkeys(_pairs_of(known))
    found = []
    while missing:
        pair = next(iter(missing))
        made = list(_with(pair, known, chance))
        if not made:  # the two are refused, whatever the rest
            del missing[pair]
            continue
        best = max(made, key=lambda config: sum(each in missing for each in _pairs(config, known)))
        for each in _pairs(best, known):
            missing.pop(each, None)
        found.append(best)
    return found


def _pairs_of(known: Mapping[str, tuple[Any, ...]]) -> Iterator[Pair]:
    for one, other in combinations(known, 2):
        for pair in product(known[one], known[other]):
            yield (one, pair[0]), (other, pair[1])


def _pairs(config: ModelConfig, known: Iterable[str]) -> Iterator[Pair]:
    return combinations([(name, getattr(config, name)) for name in known], 2)


def _with(
    pair: Pair, known: Mapping[str, tuple[Any, ...]], chance: random.Random
) -> Iterator[ModelConfig]:
    """Random models with a pair of choices, those that are not refused."""
    for _ in range(TRIES):
        others = {name: chance.choice(values) for name, values in known.items()}
        try:
            yield ModelConfig(**SIZES, **(others | dict(pair)))
        except ValueError:
            continue


def named(config: ModelConfig) -> str:
    """A name for a model: what is not the default."""
    default = ModelConfig()
    return ",".join(
        f"{name}={getattr(config, name)}"
        for name in choices()
        if getattr(config, name) != getattr(default, name)
    )


def member(config: ModelConfig, seed: int = 1) -> Seq2Seq:
    """A random model in float64, far enough from uniform that every input matters."""
    torch.manual_seed(seed)
    model = Seq2Seq(config, PIECES, PIECES, share=True).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.5)
    return model
