"""How large the numbers in a model can become, which 8 bits rely on (`nmt.decoding.precision`).

States are in [-1, 1]; where layers add their inputs, such numbers add up; contexts are averages of
what the encoder wrote. Of what was normalised, or multiplied before, nothing close is known.
"""

import math
from dataclasses import dataclass

from nmt.models.attention import Attention
from nmt.models.config import ModelConfig
from nmt.models.readout import Readout
from nmt.models.wiring import WIRINGS


@dataclass(frozen=True)
class Bounds:
    """Of a decoder: no number of these is ever outside [-bound, bound]."""

    memory: float  # what the encoder wrote
    questions: float  # what asks attention
    fed: float  # what comes to the first layer besides the word
    inputs: list[float]  # what each layer after the first reads
    before_readout: float  # what the read-out reads
    readout: float


def output_bound(config: ModelConfig, layer: int) -> float:
    """Return the bound of what comes out of a layer, counted from 1."""
    return 1.0 + (max(0, layer - config.residual_from + 1) if config.residual_from else 0)


def decoder_bounds(config: ModelConfig, attention: Attention, readout: Readout) -> Bounds:
    """Return the bounds of a decoder of these parts."""
    wiring = WIRINGS[config.attend](config.decoder_layers)
    outputs = [output_bound(config, layer + 1) for layer in range(config.decoder_layers)]
    memory = output_bound(config, config.encoder_layers)
    context = attention.context_bound(memory)
    *inputs, last = (
        math.inf if config.layer_norm else max(output, context) if reads else output
        for output, reads in zip(outputs, (*wiring.reads[1:], True), strict=True)
    )
    read = readout.bound(last)
    fed = [context] * wiring.before + [read] * config.input_feeding
    return Bounds(memory, max(outputs), max(fed, default=0.0), inputs, last, read)
