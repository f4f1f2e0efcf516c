"""Which sentence pairs go together, and how they become arrays.

An epoch's plan is a pure function of (seed, epoch): batch i of epoch e is the same in every run,
however often it was stopped. Pairs are shuffled, cut into chunks, sorted by length within a chunk
and cut into batches of a token budget; the batches are shuffled again. A batch holds one source
length wherever the chunk has enough of it, because equal lengths need no packing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmt.data.corpus import Side, Split
from nmt.data.special import BOS, EOS, PAD

Ints = NDArray[np.int64]
# Pairs sorted together: bucketing is near perfect long before this, and memory stays bounded.
CHUNK = 200_000
# Batches have a multiple of so many pairs where they can: each new shape costs time and memory,
# because matrix products are compiled for it.
MULTIPLE = 32


@dataclass(frozen=True)
class Batch:
    """Padded ids of some pairs, longest source first."""

    source: Ints  # (B, S), each ends with EOS
    source_lengths: Ints  # (B,)
    target_input: Ints  # (B, T), each begins with BOS
    target_output: Ints  # (B, T), each ends with EOS
    target_lengths: Ints  # (B,)

    @property
    def tokens(self) -> int:
        """Target tokens to predict: pieces and EOS, without padding."""
        return int(self.target_lengths.sum())


def gather(side: Side, rows: Ints) -> tuple[Ints, Ints]:
    """Return sentences `rows` of a side as padded ids (B, W) and their lengths (B,).

    One gather for all of them: position p of row r is id number offsets[r] + p.
    """
    starts = side.offsets[rows]
    lengths = side.offsets[rows + 1] - starts
    positions = np.arange(int(lengths.max(initial=0)))
    inside = positions < lengths[:, None]
    flat = np.where(inside, starts[:, None] + positions, 0)
    ids = side.ids[flat].astype(np.int64) if flat.size else flat
    return np.where(inside, ids, PAD), lengths


def with_eos(ids: Ints, lengths: Ints) -> Ints:
    """Append EOS to padded ids (B, W), giving (B, W+1)."""
    ended = np.concatenate((ids, np.full((len(ids), 1), PAD)), axis=1)
    ended[np.arange(len(ids)), lengths] = EOS
    return ended


def make_batch(split: Split, rows: Ints) -> Batch:
    """Assemble the batch of the pairs `rows`, ordered by falling source length."""
    offsets = split.source.offsets
    order = rows[np.argsort(offsets[rows] - offsets[rows + 1], kind="stable")]
    source, source_lengths = gather(split.source, order)
    target, target_lengths = gather(split.target, order)
    begin = np.full((len(order), 1), BOS)
    return Batch(
        source=with_eos(source, source_lengths),
        source_lengths=source_lengths + 1,
        target_input=np.concatenate((begin, target), axis=1),
        target_output=with_eos(target, target_lengths),
        target_lengths=target_lengths + 1,
    )


def plan_epoch(split: Split, batch_tokens: int, seed: int, epoch: int) -> list[Ints]:
    """Deal all pairs of a split into batches, in the order of training.

    Args:
        split: the pairs.
        batch_tokens: upper bound of B * max(S, T) of a batch (a longer pair is alone in its batch).
        seed: the run's seed.
        epoch: the epoch's number; each has its own order.

    Returns:
        the row numbers of each batch. The very first batch of a run is the largest of its epoch:
        if memory does not suffice, that shows at once.
    """
    random = np.random.default_rng((seed, epoch))
    order = random.permutation(len(split))
    source, target = split.source.lengths() + 1, split.target.lengths() + 1
    batches = []
    for start in range(0, len(order), CHUNK):
        chunk = order[start : start + CHUNK]
        chunk = chunk[np.lexsort((target[chunk], source[chunk]))]
        batches += list(_cut(chunk, source[chunk], target[chunk], batch_tokens))
    batches = [batches[index] for index in random.permutation(len(batches))]
    if epoch == 0 and batches:
        sizes = [len(rows) * int(source[rows].max() + target[rows].max()) for rows in batches]
        batches.insert(0, batches.pop(int(np.argmax(sizes))))
    return batches


def plan_in_order(split: Split, batch_tokens: int) -> list[Ints]:
    """Deal all pairs of a split into batches, by length and without chance (for validation)."""
    source, target = split.source.lengths() + 1, split.target.lengths() + 1
    order = np.lexsort((target, source))
    return list(_cut(order, source[order], target[order], batch_tokens))


def _cut(rows: Ints, source: Ints, target: Ints, batch_tokens: int) -> Iterator[Ints]:
    """Cut rows, sorted by (source, target) length, into batches within the budget."""
    width = np.maximum(source, target)
    start = 0
    while start < len(rows):
        stop = start + max(1, batch_tokens // int(source[start]))
        cost = np.maximum.accumulate(width[start:stop]) * np.arange(1, len(width[start:stop]) + 1)
        size = max(1, int(np.searchsorted(cost, batch_tokens, side="right")))
        same = int(np.searchsorted(source[start : start + size], source[start], side="right"))
        # End the batch where the source length changes, unless that would leave it half empty.
        size = same if same * 2 >= size else size
        size = size // MULTIPLE * MULTIPLE or size
        yield rows[start : start + size]
        start += size
