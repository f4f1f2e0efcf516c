"""Given translations: how likely each piece is and where the decoder looks, all pieces at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from nmt.data.special import BOS, EOS
from nmt.decoding.padding import pad_rows
from nmt.models.decoder import Decoded
from nmt.models.seq2seq import Seq2Seq

# Pieces of a pair, on the side that has more.
MOST_PIECES = 1 << 16
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
        """Whether it has room in memory by itself."""
        sizes = len(self.source) + 1, len(self.target) + 1
        return max(sizes) <= MOST_PIECES and sizes[0] * sizes[1] <= ATTENTION_SIZE


@dataclass(frozen=True)
class _Batch:
    """Some pairs, longest source first, and what the decoder made of them."""

    rows: list[int]  # their numbers
    sources: list[list[int]]  # each ends with EOS
    labels: list[list[int]]  # each ends with EOS
    right: Tensor  # the labels, padded (B, T)
    decoded: Decoded


class ForcedDecoder:
    """Runs a model over given pairs, each of which has to fit, in the precision of its weights."""

    def __init__(self, model: Seq2Seq) -> None:
        """Run `model` where it is."""
        self.model = model.eval()
        self.device = model.output_bias.device

    @torch.inference_mode()
    def log_probabilities(self, pairs: Sequence[Pair]) -> list[NDArray[np.float32]]:
        """Return for each pair those of its target's pieces and of EOS (T,)."""
        found: dict[int, NDArray[np.float32]] = {}
        for batch in self._run(pairs):
            likely = self._likely(batch.decoded.readouts.flatten(0, 1), batch.right.flatten())
            rows = likely.view(batch.right.shape).cpu().numpy()
            for number, label, row in zip(batch.rows, batch.labels, rows, strict=True):
                found[number] = row[: len(label)]
        return [found[number] for number in range(len(pairs))]

    @torch.inference_mode()
    def attention(self, pairs: Sequence[Pair]) -> list[NDArray[np.float32]]:
        """Return for each pair that of the last layer (T, S), EOS included on both sides."""
        found: dict[int, NDArray[np.float32]] = {}
        for batch in self._run(pairs):
            maps = batch.decoded.attention.cpu().numpy()
            every = zip(batch.rows, batch.sources, batch.labels, maps, strict=True)
            for number, source, label, weights in every:
                found[number] = weights[: len(label), : len(source)]
        return [found[number] for number in range(len(pairs))]

    def _run(self, pairs: Sequence[Pair]) -> Iterator[_Batch]:
        """Run over pairs, in batches of like length."""
        for rows in _batches(pairs):
            sources = [[*pairs[row].source, EOS] for row in rows]
            labels = [[*pairs[row].target, EOS] for row in rows]
            lengths = torch.tensor([len(source) for source in sources])
            right = self._pad(labels)
            encoded = self.model.encode(
                self._pad(sources), lengths if lengths[-1] < lengths[0] else None
            )
            decoded = self.model.attend(F.pad(right, (1, -1), value=BOS), encoded)
            yield _Batch(rows, sources, labels, right, decoded)

    def _pad(self, ids: list[list[int]]) -> Tensor:
        return pad_rows(ids).to(self.device)

    def _likely(self, readouts: Tensor, right: Tensor) -> Tensor:
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
