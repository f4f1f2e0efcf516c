"""Training where a step needs the one before: loops over time, as lean as they can be.

What words add is multiplied before a loop, for all steps at once; gradients of weights after it.
"""

import math
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor

from nmt.models.attention import Answer
from nmt.models.deferred import deferred_map
from nmt.models.dropout import Dropout
from nmt.models.memory import Memory
from nmt.models.state import LayerState
from nmt.models.stepper import FirstLayer, Known, Stepper

if TYPE_CHECKING:
    from nmt.models.decoder import Decoder


def run_first(
    decoder: "Decoder", x: Tensor, memory: Memory, state: LayerState
) -> tuple[Tensor, Answer]:
    """Run the first layer over whole targets, where its state before a step asks attention.

    Args:
        decoder: the decoder.
        x: embedded target inputs (B, T, E).
        memory: the sources.
        state: the first state (B, H).

    Returns:
        outputs (B, T, H), and what was asked before each step.
    """
    first = FirstLayer(decoder, deferred_map, math.inf)
    state, memory = state.map(_one_beam), memory.exact()
    hidden, answers = [], []
    for known in first.of_word(_by_steps(x)).unbind():
        begun = first(known, memory, [state])
        state = begun.state
        hidden.append(state.hidden)
        answers.append(cast(Answer, begun.answer))
    contexts = torch.cat([answer.context for answer in answers], dim=1)
    weights = torch.cat([answer.weights for answer in answers], dim=1)
    return torch.cat(hidden, dim=1), Answer(contexts, weights)


def run_all(
    decoder: "Decoder", x: Tensor, memory: Memory, states: list[LayerState], dropout: Dropout
) -> tuple[Tensor, Tensor]:
    """Run over whole targets, where read-outs are fed back.

    Args:
        decoder: the decoder.
        x: embedded target inputs (B, T, E).
        memory: the sources.
        states: each layer's first state (B, H).
        dropout: applied between layers and to the read-out, which is fed back so.

    Returns:
        read-outs (B, T, R), and where the last layer looked (B, T, S).
    """
    step = Stepper(decoder, deferred_map, math.inf)
    known = step.known(_by_steps(x))
    words = [None] * len(known.first) if known.readout is None else known.readout.unbind()
    states, memory = [state.map(_one_beam) for state in states], memory.exact()
    readouts, weights = [], []
    for first, word in zip(known.first.unbind(), words, strict=True):
        done = step(Known(first, word), memory, states, dropout)
        states = done.states
        readouts.append(done.readout)
        weights.append(done.attention)
    return torch.cat(readouts, dim=1), torch.cat(weights, dim=1)


def _one_beam(x: Tensor) -> Tensor:
    """Lay (B, H) out as one beam each, (B, 1, H)."""
    return x.unsqueeze(1)


def _by_steps(x: Tensor) -> Tensor:
    """Lay (B, T, E) out as steps of one beam each, (T, B, 1, E)."""
    return x.transpose(0, 1).unsqueeze(2)
