"""Given translations: how likely each piece is and where the decoder looks, all pieces at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from nmt.data.vocabulary import BOS, EOS, PAD
from nmt.models.seq2seq import Seq2Seq

# Padded pieces of a batch, on the side that has more; elements of its attention (B, T, S) and of
# the logits that exist at once.
BATCH_TOKENS = 4096
ATTENTION_SIZE = 1 << 22
LOGITS_SIZE = 1 << 22


@dataclass(frozen=True)
class Pair:
    """A source and a translation of it, in pieces, without EOS."""

    source: Sequence[int]
    target: Sequence[int]

    @property
    def fits(self) -> bool:
        """Whether its attention alone has room in memory."""
        return (len(self.source) + 1) * (len(self.target) + 1) <= ATTENTION_SIZE


@dataclass(frozen=True)
class Forced:
    """What the model says of a pair."""

    log_probabilities: NDArray[np.float32]  # (T,), of each target piece and of EOS
    attention: NDArray[np.float32]  # (T, S), of the last layer, EOS included on both sides


class ForcedDecoder:
    """Runs a model over given pairs, in the precision of its weights."""

    def __init__(self, model: Seq2Seq) -> None:
        """Run `model` where it is."""
        self.model = model.eval()
        self.device = model.output_bias.device

    @torch.inference_mode()
    def __call__(self, pairs: Sequence[Pair]) -> list[Forced]:
        """Run over pairs, in batches of like length; every pair has to fit."""
        found: dict[int, Forced] = {}
        for rows in _batches(pairs):
            found |= zip(rows, self._batch([pairs[row] for row in rows]), strict=True)
        return [found[row] for row in range(len(pairs))]

    def _batch(self, pairs: list[Pair]) -> Iterator[Forced]:
        """Run over one batch, longest source first."""
        sources = [[*pair.source, EOS] for pair in pairs]
        labels = [[*pair.target, EOS] for pair in pairs]
        lengths = torch.tensor([len(source) for source in sources])
        right = self._pad(labels)  # (B, T)
        inputs = F.pad(right, (1, -1), value=BOS)
        encoded = self.model.encode(
            self._pad(sources), lengths if lengths[-1] < lengths[0] else None
        )
        decoded = self.model.attend(inputs, encoded)
        likely = self._log_probabilities(decoded.readouts.flatten(0, 1), right.flatten())
        rows = likely.view(right.shape).cpu().numpy()
        maps = decoded.attention.cpu().numpy()
        for source, label, row, weights in zip(sources, labels, rows, maps, strict=True):
            yield Forced(row[: len(label)], weights[: len(label), : len(source)])

    def _pad(self, ids: list[list[int]]) -> Tensor:
        width = max(map(len, ids))
        padded = [[*row, *[PAD] * (width - len(row))] for row in ids]
        return torch.tensor(padded, device=self.device)

    def _log_probabilities(self, readouts: Tensor, right: Tensor) -> Tensor:
        """Return log p(right) (N,) from read-outs (N, E), some rows of logits at a time."""
        size = max(1, LOGITS_SIZE // len(self.model.output_bias))
        parts = []
        for rows, wanted in zip(readouts.split(size), right.split(size), strict=True):
            logits = self.model.logits(rows)
            found = logits.gather(1, wanted.unsqueeze(1)).squeeze(1)
            parts.append(found - logits.logsumexp(dim=1))
        return torch.cat(parts)


def _batches(pairs: Sequence[Pair]) -> Iterator[list[int]]:
    """Deal pairs, by their numbers, into batches within bounds, longest source first."""
    sizes = [(len(pair.source) + 1, len(pair.target) + 1) for pair in pairs]
    batch: list[int] = []
    longest = 0
    for row in sorted(range(len(pairs)), key=lambda row: sizes[row], reverse=True):
        source = sizes[batch[0]][0] if batch else sizes[row][0]
        target = max(longest, sizes[row][1])
        count = len(batch) + 1
        full = (
            count * max(source, target) > BATCH_TOKENS or count * source * target > ATTENTION_SIZE
        )
        if batch and full:
            yield batch
            batch, target = [], sizes[row][1]
        batch.append(row)
        longest = target
    if batch:
        yield batch
