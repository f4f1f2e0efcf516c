"""Read-outs: from the decoder's state and context to what the output layer multiplies."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor

from nmt.models.config import ModelConfig
from nmt.models.linear import Linear, LinearMaker, LinearMap

# From what the read-out reads (..., I), and what the previous word adds, to a read-out (..., R).
Read = Callable[[Tensor, Tensor | None], Tensor]


class Readout(ABC):
    """What every read-out can do."""

    @staticmethod
    @abstractmethod
    def size(embedding: int, inputs: int) -> int:
        """Return the size R of read-outs from those of an embedding and of [h; c]."""

    @staticmethod
    @abstractmethod
    def products(embedding: int, inputs: int) -> int:
        """Return how many numbers are multiplied for a read-out."""

    @abstractmethod
    def read(self, x: Tensor, word: Tensor) -> Tensor:
        """Read whole targets.

        Args:
            x: hidden states and contexts, side by side (..., I).
            word: embeddings of the words before (..., E).

        Returns:
            read-outs (..., R).
        """

    @abstractmethod
    def prepared(self, make: LinearMaker, bound: float) -> Read:
        """Prepare for single steps; no hidden state or context is outside [-bound, bound]."""

    def word_map(self, make: LinearMaker, bound: float) -> LinearMap | None:
        """Prepare what the previous word adds, its embedding within a bound; None for nothing."""
        return None

    def bound(self, inputs: float) -> float:
        """Return the bound of read-outs from that of hidden states and contexts."""
        return math.inf


class TanhReadout(Linear, Readout):
    """s tanh(W [h; c] + b) (Luong et al. 2015, equation 5, scaled)."""

    # The output layer's weights begin small, and Adam moves each by about the learning rate: the
    # larger the read-outs, the sooner scores say something (Multi30k, 1,200 updates: validation
    # loss 1.81 instead of 1.92; by 4, 1.78, but short runs diverge).
    SCALE: ClassVar[float] = 2.0

    def __init__(self, config: ModelConfig, inputs: int) -> None:
        """Read `inputs` numbers into as many as an embedding has."""
        super().__init__(inputs, config.embedding_size)

    @staticmethod
    def size(embedding: int, inputs: int) -> int:
        """Return the size of an embedding."""
        return embedding

    @staticmethod
    def products(embedding: int, inputs: int) -> int:
        """Return the size of the one matrix."""
        return embedding * inputs

    def read(self, x: Tensor, word: Tensor) -> Tensor:
        """Read whole targets; see Readout."""
        return torch.tanh(self(x)).mul(self.SCALE)

    def prepared(self, make: LinearMaker, bound: float) -> Read:
        """Prepare for single steps: tanh(x) = 1 - 2 sigmoid(-2x), as in the cells."""
        linear = make(-2 * self.weight, -2 * self.bias, bound)

        def read(x: Tensor, word: Tensor | None) -> Tensor:
            # bfloat16 has too few steps around a half for this.
            y = linear(x)
            y = y.float() if y.dtype == torch.bfloat16 else y
            return torch.rsub(y.sigmoid_(), self.SCALE, alpha=2 * self.SCALE).to(x.dtype)

        return read

    def bound(self, inputs: float) -> float:
        """Return the bound of a scaled hyperbolic tangent."""
        return self.SCALE


class DirectReadout(torch.nn.Module, Readout):
    """[h; c] itself: no layer between it and the output layer."""

    def __init__(self, config: ModelConfig, inputs: int) -> None:
        """Read `inputs` numbers."""
        super().__init__()

    @staticmethod
    def size(embedding: int, inputs: int) -> int:
        """Return the size of what is read."""
        return inputs

    @staticmethod
    def products(embedding: int, inputs: int) -> int:
        """Return zero."""
        return 0

    def read(self, x: Tensor, word: Tensor) -> Tensor:
        """Read whole targets; see Readout."""
        return x

    def prepared(self, make: LinearMaker, bound: float) -> Read:
        """Prepare for single steps."""
        return lambda x, word: x

    def bound(self, inputs: float) -> float:
        """Return the bound of what is read."""
        return inputs


class MaxoutReadout(Linear, Readout):
    """max over pairs of W [h; c; y] + b, y the previous word (Bahdanau et al. 2015, A.2.2).

    The paper writes h of the step before; here it is that of this step, which has read both that
    state and y.
    """

    def __init__(self, config: ModelConfig, inputs: int) -> None:
        """Read `inputs` numbers and an embedding into twice as many as an embedding has."""
        super().__init__(inputs + config.embedding_size, 2 * config.embedding_size)
        self.inputs = inputs

    @staticmethod
    def size(embedding: int, inputs: int) -> int:
        """Return the size of an embedding."""
        return embedding

    @staticmethod
    def products(embedding: int, inputs: int) -> int:
        """Return the size of the one matrix."""
        return 2 * embedding * (inputs + embedding)

    def read(self, x: Tensor, word: Tensor) -> Tensor:
        """Read whole targets; see Readout."""
        return _larger(self(torch.cat((x, word), dim=-1)))

    def prepared(self, make: LinearMaker, bound: float) -> Read:
        """Prepare for single steps; what the word adds comes ready."""
        linear = make(self.weight[:, : self.inputs], None, bound)
        return lambda x, word: _larger(linear(x, word))

    def word_map(self, make: LinearMaker, bound: float) -> LinearMap:
        """Prepare what the previous word adds, the bias with it."""
        return make(self.weight[:, self.inputs :], self.bias, bound)


READOUTS: dict[str, type[TanhReadout] | type[DirectReadout] | type[MaxoutReadout]] = {
    "tanh": TanhReadout,
    "direct": DirectReadout,
    "maxout": MaxoutReadout,
}


def _larger(pairs: Tensor) -> Tensor:
    """Return the larger of numbers i and i + N of (..., 2N)."""
    return torch.maximum(*pairs.chunk(2, dim=-1))
