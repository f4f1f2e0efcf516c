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
    pieces = log_probabilities.shape[2]
    size = BLOCK if pieces % BLOCK == 0 else pieces
    blocks = log_probabilities.unflatten(2, (-1, size))  # (B, K, N, size)
    if count == 1 and blocks.shape[1] == 1:
        return _best_candidate(blocks.squeeze(1), scores)
    highest = blocks.amax(dim=3).add_(scores.unsqueeze(2)).flatten(1)  # (B, K * N)
    which = highest.topk(min(count, highest.shape[1]), dim=1, sorted=False)[1].unsqueeze(2)
    inside = blocks.flatten(1, 2).gather(1, which.expand(-1, -1, size))
    inside = inside.add_(scores.gather(1, which.squeeze(2) // blocks.shape[2]).unsqueeze(2))
    totals, index = inside.flatten(1).topk(min(count, inside[0].numel()), dim=1)
    # Where each one stands among the K * V continuations of its sentence.
    place = which.squeeze(2).gather(1, index // size).mul_(size).add_(index % size)
    parents = place // pieces
    return Candidates(totals, parents, place.sub_(parents, alpha=pieces))


def _best_candidate(blocks: Tensor, scores: Tensor) -> Candidates:
    """Return the one best continuation of one hypothesis (B, 1) a sentence: blocks (B, N, size)."""
    which = blocks.amax(dim=2).max(dim=1, keepdim=True)[1]  # (B, 1)
    inside = blocks.gather(1, which.unsqueeze(2).expand(-1, -1, blocks.shape[2]))
    best, index = inside.max(dim=2)
    return Candidates(best + scores, torch.zeros_like(which), which * blocks.shape[2] + index)
