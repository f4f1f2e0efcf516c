"""Attention: where in the source the decoder looks.

A module holds the weights, and makes an asker out of them: in training with maps that learn, in
search with maps of some precision. The asker prepares each source once and then answers questions:
those of all target positions in training, those of all beams of a sentence in search.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nmt.models.additive import additive_scores
from nmt.models.config import ModelConfig
from nmt.models.linear import Linear, LinearMaker, learning_map
from nmt.models.memory import Memory, exact

Map = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Answer:
    """What a question brings."""

    context: Tensor  # (B, T, H), or (B, T, 0) where the decoder has no context
    weights: Tensor  # (B, T, S), where the source was looked at; rows sum to 1


def unchanged(x: Tensor) -> Tensor:
    """Map x to itself."""
    return x


class Asker:
    """An attention ready for use: score(q, m) = query(q) . key(m)."""

    def __init__(self, key: Map = unchanged, query: Map = unchanged) -> None:
        """Take the maps of the memory and of the questions."""
        self.key, self.query = key, query

    def remember(self, values: Tensor, final: Tensor, padding: Tensor | None) -> Memory:
        """Prepare sources for questions.

        Args:
            values: the encoder's outputs (B, S, H).
            final: the last layer's last state, in both directions (B, H).
            padding: (B, S), true where a source has ended; None where no source is padded.
        """
        return Memory(values, self.key(values), padding)

    def ask(self, questions: Tensor, memory: Memory) -> Answer:
        """Answer questions (B, T, H)."""
        scores = self.scores(self.query(questions), memory.keys)
        answer = attend(scores, memory.values, memory.padding)
        return Answer(answer.context.to(questions.dtype), answer.weights)

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Score queries (B, T, H) against keys (B, S, H): (B, T, S)."""
        return _products(exact(queries), exact(keys))


class AdditiveAsker(Asker):
    """score(q, m) = v . tanh(-(query(q) + key(m)) / 2)."""

    def __init__(self, key: Map, query: Map, energy: Tensor) -> None:
        """Take the maps, which give -2 times what is added, and v (H)."""
        super().__init__(key, query)
        self.energy = energy

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Score queries (B, T, H) against keys (B, S, H): (B, T, S)."""
        return additive_scores(queries, keys, self.energy)


class MultiHeadAsker(Asker):
    """Several heads look in different places, and their contexts are mixed into one.

    The keys of a source are those of each head and the values that it reads, side by side:
    (B, N, S, 2H/N) for N heads.
    """

    def __init__(self, heads: int, key: Map, query: Map, context: Map) -> None:
        """Take the number of heads, and the maps: to keys and values, to queries, to a context."""
        super().__init__(key, query)
        self.heads, self.context = heads, context

    def remember(self, values: Tensor, final: Tensor, padding: Tensor | None) -> Memory:
        """Prepare sources for questions; see Asker."""
        parts = self.key(values).unflatten(2, (2, self.heads, -1))  # (B, S, 2, N, H/N)
        return Memory(values, parts.permute(0, 3, 1, 2, 4).flatten(3), padding)

    def ask(self, questions: Tensor, memory: Memory) -> Answer:
        """Answer questions (B, T, H); the weights are those of the heads on average."""
        queries = self.query(questions).unflatten(2, (self.heads, -1)).transpose(1, 2)
        keys, values = exact(memory.keys).chunk(2, dim=3)  # each (B, N, S, H/N)
        padding = memory.padding
        if padding is not None:
            padding = padding.repeat_interleave(self.heads, dim=0)
        scores = _products(exact(queries).flatten(0, 1), keys.flatten(0, 1))
        answer = attend(scores, values.flatten(0, 1), padding)
        context = answer.context.unflatten(0, (-1, self.heads)).transpose(1, 2).flatten(2)
        weights = answer.weights.unflatten(0, (-1, self.heads)).mean(dim=1)
        return Answer(self.context(context.to(questions.dtype)), weights)


class FixedAsker(Asker):
    """Every question gets the same context: the encoder's final state."""

    def remember(self, values: Tensor, final: Tensor, padding: Tensor | None) -> Memory:
        """Keep the final state of each source; see Asker."""
        return Memory(values, final.unsqueeze(1), padding)

    def ask(self, questions: Tensor, memory: Memory) -> Answer:
        """Answer questions (B, T, ...), whatever they are."""
        count = questions.shape[1]
        context = memory.keys.to(questions.dtype).expand(-1, count, -1)
        return Answer(context, nowhere(memory, count))


class SilentAsker(Asker):
    """No question gets a context."""

    def ask(self, questions: Tensor, memory: Memory) -> Answer:
        """Answer questions (B, T, ...) with nothing."""
        count = questions.shape[1]
        context = questions[:, :, :0]
        return Answer(context, nowhere(memory, count))


class Attention(nn.Module, ABC):
    """What every kind of attention can do."""

    looks = True  # whether it looks at one place rather than at another
    has_context = True
    # Squares of the hidden size that are multiplied: for each source token, and for each question.
    key_products = 0
    query_products = 0

    @abstractmethod
    def __init__(self, config: ModelConfig) -> None:
        """Make the weights for questions and a memory of the hidden size."""
        super().__init__()

    @abstractmethod
    def asker(self, make: LinearMaker, memory: float, questions: float) -> Asker:
        """Make an asker.

        Args:
            make: makes its linear maps.
            memory: no number of the memory is outside [-memory, memory],
            questions: and none of a question outside [-questions, questions].
        """

    def learner(self) -> Asker:
        """Make an asker whose weights learn."""
        return self.asker(learning_map, math.inf, math.inf)

    def context_bound(self, bound: float) -> float:
        """Return the bound of contexts from that of the memory."""
        return bound


class DotAttention(Attention):
    """score(q, m) = q . m (Luong et al. 2015, "dot")."""

    def __init__(self, config: ModelConfig) -> None:
        """Attend without weights."""
        super().__init__(config)

    def asker(self, make: LinearMaker, memory: float, questions: float) -> Asker:
        """Make an asker; there is nothing to multiply by."""
        return Asker()


class GeneralAttention(Attention):
    """score(q, m) = q . (W m) / sqrt(H) (Luong et al. 2015, "general", scaled).

    Adam moves each weight by about the learning rate, whatever the size of the weights. A score
    sums over H * H of them: unscaled, one update can shift it by several units, and attention
    hardly settles. With large weights and scaled scores a model begins the same and learns
    faster (Multi30k, two epochs: 29 BLEU on the validation set instead of 23).
    """

    key_products = 1

    def __init__(self, config: ModelConfig) -> None:
        """Attend through a square matrix."""
        super().__init__(config)
        self.key = Linear(config.hidden_size, config.hidden_size, bias=False)
        self.scale = config.hidden_size**-0.5
        nn.init.uniform_(self.key.weight, -1.0, 1.0)

    def asker(self, make: LinearMaker, memory: float, questions: float) -> Asker:
        """Make an asker, its scale in the weights."""
        return Asker(make(self.key.weight * self.scale, None, memory))

    def learner(self) -> Asker:
        """Make an asker whose weights learn: the few keys are scaled, and not the many weights."""
        return Asker(lambda values: self.key(values) * self.scale)


class AdditiveAttention(Attention):
    """score(q, m) = v . tanh(U q + W m) (Bahdanau et al. 2015)."""

    key_products = query_products = 1

    def __init__(self, config: ModelConfig) -> None:
        """Attend through a hidden layer as wide as the states."""
        super().__init__(config)
        size = config.hidden_size
        self.query = Linear(size, size)
        self.key = Linear(size, size, bias=False)
        self.energy = Linear(size, 1, bias=False)

    def asker(self, make: LinearMaker, memory: float, questions: float) -> Asker:
        """Make an asker."""
        key = make(-2 * self.key.weight, None, memory)
        query = make(-2 * self.query.weight, -2 * self.query.bias, questions)
        return AdditiveAsker(key, query, self.energy.weight[0])


class MultiHeadAttention(Attention):
    """Heads of scaled dot products (Vaswani et al. 2017, section 3.2.2)."""

    key_products = query_products = 2

    def __init__(self, config: ModelConfig) -> None:
        """Give each head its share of the hidden size."""
        super().__init__(config)
        size = config.hidden_size
        self.heads = config.attention_heads
        self.query, self.key, self.value, self.context = (
            Linear(size, size, bias=False) for _ in range(4)
        )

    def asker(self, make: LinearMaker, memory: float, questions: float) -> Asker:
        """Make an asker; one product makes keys and values."""
        scale = (len(self.query.weight) // self.heads) ** -0.5
        return MultiHeadAsker(
            self.heads,
            make(torch.cat((self.key.weight, self.value.weight)), None, memory),
            make(self.query.weight * scale, None, questions),
            make(self.context.weight, None, math.inf),
        )

    def context_bound(self, bound: float) -> float:
        """Values and contexts are multiplied: nothing close is known of them."""
        return math.inf


class FixedContext(Attention):
    """No attention: the encoder's final state is the context of every step (Cho et al. 2014)."""

    looks = False

    def __init__(self, config: ModelConfig) -> None:
        """Attend without weights."""
        super().__init__(config)

    def asker(self, make: LinearMaker, memory: float, questions: float) -> Asker:
        """Make an asker; there is nothing to multiply by."""
        return FixedAsker()


class NoContext(Attention):
    """No attention and no context: all is in the first state (Sutskever et al. 2014)."""

    looks = has_context = False

    def __init__(self, config: ModelConfig) -> None:
        """Attend without weights."""
        super().__init__(config)

    def asker(self, make: LinearMaker, memory: float, questions: float) -> Asker:
        """Make an asker; there is nothing to multiply by."""
        return SilentAsker()


ATTENTIONS: dict[str, type[Attention]] = {
    "general": GeneralAttention,
    "dot": DotAttention,
    "additive": AdditiveAttention,
    "multi-head": MultiHeadAttention,
    "none": FixedContext,
    "initial": NoContext,
}


def attend(scores: Tensor, memory: Tensor, padding: Tensor | None) -> Answer:
    """Read the memory with a softmax over the scores.

    Args:
        scores: (B, T, S).
        memory: (B, S, H).
        padding: (B, S), true where the source has ended; None where no source is padded.

    Returns:
        contexts (B, T, H) and attention weights (B, T, S).
    """
    scores = exact(scores)
    if padding is not None:
        scores = scores.masked_fill(padding.unsqueeze(1), -torch.inf)
    weights = torch.softmax(scores, dim=-1)
    return Answer(torch.bmm(weights, exact(memory)).to(memory.dtype), weights)


def nowhere(memory: Memory, count: int) -> Tensor:
    """Return weights (B, T, S) of `count` questions that look at all of a source alike."""
    there = torch.ones_like(exact(memory.values[:, :, 0]))
    if memory.padding is not None:
        there = there.masked_fill(memory.padding, 0.0)
    return (there / there.sum(dim=1, keepdim=True)).unsqueeze(1).expand(-1, count, -1)


def _products(queries: Tensor, keys: Tensor) -> Tensor:
    """Multiply queries (B, T, H) by keys (B, S, H): (B, T, S)."""
    if 1 < queries.shape[1] < keys.shape[1]:
        # With few queries, as in beam search, this way round is twice as fast on a CPU.
        return torch.bmm(keys, queries.transpose(1, 2)).transpose(1, 2)
    return torch.bmm(queries, keys.transpose(1, 2))
