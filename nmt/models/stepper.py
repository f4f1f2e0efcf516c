"""The decoder, one target position at a time: in search, and in training where steps feed back."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from nmt.models.attention import Answer
from nmt.models.dropout import NO_DROPOUT, Dropout
from nmt.models.linear import LinearMaker, LinearMap
from nmt.models.memory import Memory
from nmt.models.state import LayerState

if TYPE_CHECKING:
    from nmt.models.decoder import Decoder

# What each piece adds to the first gates is computed beforehand and kept, up to so many numbers
# (128 MiB in float32); beyond, it is computed as pieces come.
TABLE = 1 << 25


@dataclass(frozen=True)
class Known:
    """What the previous word adds to a step: all of it can be known before the step before."""

    first: Tensor  # (..., G) to the first layer
    readout: Tensor | None  # (..., R) to the read-out, where it reads words


@dataclass(frozen=True)
class Begun:
    """A step as far as the first layer."""

    state: LayerState  # of the first layer
    answer: Answer | None  # where the state before asked


@dataclass(frozen=True)
class Step:
    """What came out of a step."""

    readout: Tensor  # (B, K, R)
    attention: Tensor  # (B, K, S)
    states: list[LayerState]


@dataclass(frozen=True)
class Parts:
    """An input of the first layer: what its word adds, and what is fed back (B, K, F)."""

    ready: Tensor  # (B, K, G)
    fed: Tensor


class Divided:
    """Makes the maps of a cell, and divides the first, which is that of its inputs.

    An input is a word y and what is fed back, f: W [y; f] + b = (W' y + b) + W'' f. The first part
    can be known before a step comes, and only the second has to wait for it.
    """

    known: LinearMap | None = None  # of the word (..., E), bias included

    def __init__(self, make: LinearMaker, size: int, word_bound: float, bound: float) -> None:
        """Take what makes the parts, the size E of a word, and the bounds of both parts."""
        self.make, self.size = make, size
        self.word_bound, self.bound = word_bound, bound

    def __call__(self, weight: Tensor, bias: Tensor | None, bound: float) -> LinearMap:
        """Make a map; the first one maps `Parts`."""
        if self.known is not None:
            return self.make(weight, bias, bound)
        self.known = self.make(weight[:, : self.size], bias, self.word_bound)
        fed = self.make(weight[:, self.size :], None, self.bound)
        return cast(LinearMap, lambda parts: fed(parts.fed, parts.ready))


class FirstLayer:
    """The first layer, with all that comes to it."""

    def __init__(self, decoder: "Decoder", make: LinearMaker, word_bound: float) -> None:
        """Prepare the linear maps; no word's embedding is outside [-word_bound, word_bound]."""
        self.decoder = decoder
        self.asker = decoder.asker(make)
        if decoder.fed_size:
            divided = Divided(make, decoder.word_size, word_bound, decoder.bounds.fed)
            self.cell = decoder.cell(0, divided, math.inf)
            self.of_word = cast(Callable[[Tensor], Tensor], divided.known)
        else:
            self.cell = decoder.cell(0, make, word_bound)
            self.of_word = self.cell.inputs

    def __call__(self, known: Tensor, memory: Memory, states: list[LayerState]) -> Begun:
        """Take one step: what the word adds (B, K, G), and the states before, give the next."""
        decoder = self.decoder
        if not decoder.fed_size:
            return Begun(self.cell.advance(known, states[0]), None)
        fed, answer = [], None
        if decoder.wiring.before:
            answer = self.asker.ask(states[0].hidden, memory)
            fed.append(answer.context)
        if decoder.feeds_readout:
            fed.append(self._readout_before(states))
        x = cast(Tensor, Parts(known, torch.cat(fed, dim=-1)))
        return Begun(self.cell(x, states[0]), answer)

    def _readout_before(self, states: list[LayerState]) -> Tensor:
        """Return the read-out that the last step left among the states; at first it is zero."""
        layers = len(self.decoder.layers)
        if len(states) > layers:
            return states[layers].hidden
        hidden = states[0].hidden
        return hidden.new_zeros(*hidden.shape[:-1], self.decoder.readout_size)


class Stepper:
    """All layers and the read-out."""

    def __init__(self, decoder: "Decoder", make: LinearMaker, word_bound: float) -> None:
        """Prepare the linear maps; no word's embedding is outside [-word_bound, word_bound]."""
        self.decoder = decoder
        self.first = FirstLayer(decoder, make, word_bound)
        bounds = decoder.bounds
        self.later = [
            decoder.cell(depth, make, bound) for depth, bound in enumerate(bounds.inputs, start=1)
        ]
        self.read = decoder.readout.prepared(make, bounds.before_readout)
        self.readout_of_word = decoder.readout.word_map(make, word_bound)

    def known(self, words: Tensor) -> Known:
        """Return what embeddings of words (..., E) add to their steps."""
        of_word = self.readout_of_word
        return Known(self.first.of_word(words), None if of_word is None else of_word(words))

    def __call__(
        self, known: Known, memory: Memory, states: list[LayerState], dropout: Dropout = NO_DROPOUT
    ) -> Step:
        """Take one step.

        Args:
            known: what the previous words add (B, K, ...); it may be overwritten.
            memory: the sources, one a sentence.
            states: each layer's state (B, K, H); where read-outs are fed back, from the second
                step on also the one of the step before.
            dropout: applied between layers and to the read-out.
        """
        decoder, asker = self.decoder, self.first.asker
        asks = decoder.wiring.asks
        begun = self.first(known.first, memory, states)
        following, hidden, answer = [begun.state], begun.state.hidden, begun.answer
        if asks[0]:
            answer = asker.ask(hidden, memory)
        for depth, cell in enumerate(self.later, start=1):
            inputs = dropout(decoder.reading(depth, hidden, answer))
            following.append(cell(inputs, states[depth]))
            outputs = following[depth].hidden
            hidden = outputs + hidden if decoder.residual(depth) else outputs
            if asks[depth]:
                answer = asker.ask(hidden, memory)
        assert answer is not None  # every wiring asks somewhere
        inputs = dropout(decoder.reading(len(following), hidden, answer))
        readout = dropout(self.read(inputs, known.readout))
        if decoder.feeds_readout:
            following.append(LayerState(readout))
        return Step(readout, answer.weights, following)


class DecoderStepper:
    """The decoder in search: from ids to read-outs."""

    @torch.no_grad()
    def __init__(self, decoder: "Decoder", make: LinearMaker, embedding: Tensor) -> None:
        """Prepare every linear map once, for words with these embeddings (V, E)."""
        self.step = Stepper(decoder, make, float(embedding.abs().max()))
        self.first = _lookup(self.step.first.of_word, embedding)
        of_word = self.step.readout_of_word
        self.readout = None if of_word is None else _lookup(of_word, embedding)

    def __call__(self, tokens: Tensor, memory: Memory, states: list[LayerState]) -> Step:
        """Take one step with every beam of every sentence.

        Args:
            tokens: ids (B, K).
            memory: the sources, one a sentence.
            states: each layer's state (B, K, H), and what the step before returned besides.
        """
        readout = None if self.readout is None else self.readout(tokens)
        return self.step(Known(self.first(tokens), readout), memory, states)


def _lookup(inputs: Callable[[Tensor], Tensor], embedding: Tensor) -> Callable[[Tensor], Tensor]:
    """Compose a map of words with the embedding (V, E): from ids to what they add."""
    if len(embedding) * inputs(embedding[:1]).shape[1] > TABLE:
        return lambda tokens: inputs(F.embedding(tokens, embedding))
    table = inputs(embedding)
    return lambda tokens: F.embedding(tokens, table)
