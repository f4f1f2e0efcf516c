"""The best continuations of some hypotheses, among every piece of a large vocabulary."""

from dataclasses import dataclass

import torch
from torch import Tensor

# Pieces that are looked at together: the best n lie in the n blocks with the best first pieces,
# and a maximum is many times cheaper than a sorted choice over the whole vocabulary.
BLOCK = 64


@dataclass(frozen=True)
class Candidates:
    """The best continuations of each sentence, best first; all (B, C)."""

    totals: Tensor  # log-probabilities of the whole hypotheses, -inf where there are no more
    parents: Tensor  # the hypotheses that they extend
    tokens: Tensor


def best_candidates(log_probabilities: Tensor, scores: Tensor, count: int) -> Candidates:
    """Return the `count` best continuations of each sentence (fewer where there are no more).

    Args:
        log_probabilities: of every piece after every hypothesis (B, K, V), V a multiple of BLOCK;
            or of any size, more slowly.
        scores: the hypotheses' own log-probabilities (B, K).
        count: C.
    """
    size = BLOCK if log_probabilities.shape[2] % BLOCK == 0 else log_probabilities.shape[2]
    blocks = log_probabilities.unflatten(2, (-1, size))  # (B, K, N, size)
    each = blocks.shape[2]
    if each == 1:
        which = torch.arange(scores.shape[1], device=scores.device).expand_as(scores)
        parents = which
    else:
        highest = (blocks.amax(dim=3) + scores.unsqueeze(2)).flatten(1)  # (B, K * N)
        which = highest.topk(min(count, highest.shape[1]), dim=1, sorted=False)[1]
        parents = which // each
    inside = blocks.flatten(1, 2).gather(1, which.unsqueeze(2).expand(-1, -1, size))
    totals = (inside + scores.gather(1, parents).unsqueeze(2)).flatten(1)
    totals, index = totals.topk(min(count, totals.shape[1]), dim=1)
    block = index // size
    tokens = which.gather(1, block) % each * size + index % size
    return Candidates(totals, parents.gather(1, block), tokens)
