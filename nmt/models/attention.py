"""Attention: where in the source the decoder looks.

Every attention has `keys(memory)`, computed once for a source, and `scores(queries, keys)`. The
queries are all target positions in training and all beams of a sentence in search: the same code.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn

from nmt.models.linear import Linear, LinearMaker, LinearMap


class Attention(nn.Module, ABC):
    """What every attention can do."""

    @abstractmethod
    def keys(self, memory: Tensor) -> Tensor:
        """Prepare the memory (B, S, H) once for a source: keys (B, S, H)."""

    @abstractmethod
    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Score queries (B, T, H) against keys (B, S, H): (B, T, S)."""

    def key_map(self, make: LinearMaker, bound: float) -> Callable[[Tensor], Tensor]:
        """Prepare `keys` for search, its memory within a bound."""
        return self.keys


class DotAttention(Attention):
    """score(q, k) = q . k (Luong et al. 2015, "dot")."""

    def __init__(self, hidden_size: int) -> None:
        """Attend with queries and memory of the same size."""
        super().__init__()

    def keys(self, memory: Tensor) -> Tensor:
        """Return the memory (B, S, H) itself."""
        return memory

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Score queries (B, T, H) against keys (B, S, H): (B, T, S)."""
        queries, keys = _exact(queries), _exact(keys)
        if 1 < queries.shape[1] < keys.shape[1]:
            # With few queries, as in beam search, this way round is twice as fast on a CPU.
            return torch.bmm(keys, queries.transpose(1, 2)).transpose(1, 2)
        return torch.bmm(queries, keys.transpose(1, 2))


class GeneralAttention(DotAttention):
    """score(q, m) = q . (W m) / sqrt(H) (Luong et al. 2015, "general", scaled).

    Adam moves each weight by about the learning rate, whatever the size of the weights. A score
    sums over H * H of them: unscaled, one update can shift it by several units, and attention
    hardly settles. With large weights and scaled scores a model begins the same and learns
    faster (Multi30k, two epochs: 29 BLEU on the validation set instead of 23).
    """

    def __init__(self, hidden_size: int) -> None:
        """Attend through a square matrix."""
        super().__init__(hidden_size)
        self.key = Linear(hidden_size, hidden_size, bias=False)
        self.scale = hidden_size**-0.5
        nn.init.uniform_(self.key.weight, -1.0, 1.0)

    def keys(self, memory: Tensor) -> Tensor:
        """Project the memory (B, S, H) to keys (B, S, H)."""
        return self.key(memory) * self.scale

    def key_map(self, make: LinearMaker, bound: float) -> LinearMap:
        """Prepare `keys` for search, its memory within a bound."""
        return make(self.key.weight.detach() * self.scale, None, bound)


class AdditiveAttention(Attention):
    """score(q, m) = v . tanh(U q + W m) (Bahdanau et al. 2015)."""

    # Elements of the (B, T, S, H) intermediate that may exist at once.
    chunk = 1 << 24

    def __init__(self, hidden_size: int) -> None:
        """Attend through a hidden layer as wide as the states."""
        super().__init__()
        self.query = Linear(hidden_size, hidden_size)
        self.key = Linear(hidden_size, hidden_size, bias=False)
        self.energy = Linear(hidden_size, 1, bias=False)

    def keys(self, memory: Tensor) -> Tensor:
        """Project the memory (B, S, H) to keys (B, S, H)."""
        return self.key(memory)

    def key_map(self, make: LinearMaker, bound: float) -> LinearMap:
        """Prepare `keys` for search, its memory within a bound."""
        return make(self.key.weight.detach(), None, bound)

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Score queries (B, T, H) against keys (B, S, H): (B, T, S), a few positions at a time."""
        positions = max(1, self.chunk // max(1, keys.numel()))
        parts = [
            self.energy(torch.tanh(part.unsqueeze(2) + keys.unsqueeze(1))).squeeze(3)
            for part in self.query(queries).split(positions, dim=1)
        ]
        return torch.cat(parts, dim=1)


ATTENTIONS: dict[str, Callable[[int], Attention]] = {
    "dot": DotAttention,
    "general": GeneralAttention,
    "additive": AdditiveAttention,
}


def attend(scores: Tensor, memory: Tensor, padding: Tensor | None) -> tuple[Tensor, Tensor]:
    """Read the memory with a softmax over the scores.

    Args:
        scores: (B, T, S).
        memory: (B, S, H).
        padding: (B, S), true where the source has ended; None where no source is padded.

    Returns:
        context (B, T, H) and attention weights (B, T, S).
    """
    scores = _exact(scores)
    if padding is not None:
        scores = scores.masked_fill(padding.unsqueeze(1), -torch.inf)
    weights = torch.softmax(scores, dim=-1)
    return torch.bmm(weights, _exact(memory)).to(memory.dtype), weights


def _exact(x: Tensor) -> Tensor:
    """Return bfloat16 as float32, and anything else as it is.

    Scores grow to tens, where bfloat16 has steps of an eighth, and a softmax over them would be
    wrong by as much; attention is under one percent of a model's products.
    """
    return x.float() if x.dtype == torch.bfloat16 else x
