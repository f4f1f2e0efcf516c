"""Batches for the model, assembled one ahead of the training step that uses them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nmt.data.batching import Batch, Ints, make_batch, plan_epoch
from nmt.data.corpus import Split


@dataclass(frozen=True)
class TrainingBatch:
    """A batch as tensors."""

    source: Tensor  # (B, S)
    source_lengths: Tensor | None  # (B,) on the CPU; None if all are S long
    target_input: Tensor  # (B, T)
    labels: Tensor  # (N,) the pieces to predict, without padding
    positions: Tensor | None  # (N,) where they stand in (B * T); None if nothing is padded
    source_tokens: int
    token_pairs: int  # sum of S * T over sentences

    @property
    def tokens(self) -> int:
        """Target tokens without padding."""
        return len(self.labels)

    def to(self, device: torch.device) -> "TrainingBatch":
        """Copy the tensors that the model reads to a device."""
        if device.type == "cpu":
            return self
        positions = None if self.positions is None else self.positions.to(device)
        return TrainingBatch(
            self.source.to(device),
            self.source_lengths,
            self.target_input.to(device),
            self.labels.to(device),
            positions,
            self.source_tokens,
            self.token_pairs,
        )


def as_tensors(batch: Batch) -> TrainingBatch:
    """Turn a batch of arrays into tensors, and find what is not padding."""
    lengths = batch.source_lengths
    inside = np.arange(batch.target_input.shape[1]) < batch.target_lengths[:, None]
    positions = None if inside.all() else torch.from_numpy(np.flatnonzero(inside))
    return TrainingBatch(
        source=torch.from_numpy(batch.source),
        source_lengths=None if (lengths == lengths[:1]).all() else torch.from_numpy(lengths),
        target_input=torch.from_numpy(batch.target_input),
        labels=torch.from_numpy(batch.target_output[inside]),
        positions=positions,
        source_tokens=int(lengths.sum()),
        token_pairs=int((lengths * batch.target_lengths).sum()),
    )


class Feed:
    """The batches of a run, or one worker's share of each of them.

    Batch i of epoch e depends on nothing but the corpus, the budget of tokens and the seed.
    """

    def __init__(
        self, split: Split, batch_tokens: int, seed: int, worker: int = 0, workers: int = 1
    ) -> None:
        """Feed `worker` (from 0) of `workers`, each with every so many-th pair of a batch."""
        self.split, self.batch_tokens, self.seed = split, batch_tokens, seed
        self.worker, self.workers = worker, workers
        self._epoch, self._plan = -1, list[Ints]()
        self._next = -1
        self._coming: Iterator[TrainingBatch] = iter(())

    def batches(self, epoch: int) -> int:
        """Return how many batches an epoch has."""
        return len(self.plan(epoch))

    def take(self, epoch: int, indices: range) -> Iterator[TrainingBatch]:
        """Yield the batches `indices` of an epoch, without those that have no pair for this worker.

        Taken in their order, they are made ahead in another thread.
        """
        if (epoch, indices.start) != (self._epoch, self._next):
            self._coming = self._load(self.plan(epoch)[indices.start :])
        self._next = indices.stop
        for index in indices:
            if len(self._share(self.plan(epoch)[index])):
                yield next(self._coming)

    def plan(self, epoch: int) -> list[Ints]:
        """Return the rows of each batch of an epoch, for all workers together."""
        if epoch != self._epoch:
            self._plan = plan_epoch(self.split, self.batch_tokens, self.seed, epoch)
            self._epoch, self._next = epoch, -1
        return self._plan

    def _share(self, rows: Ints) -> Ints:
        return rows[self.worker :: self.workers]

    def _load(self, plan: list[Ints]) -> Iterator[TrainingBatch]:
        def make(rows: Ints) -> TrainingBatch:
            return as_tensors(make_batch(self.split, rows))

        shares = [share for share in map(self._share, plan) if len(share)]
        if not shares:
            return
        with ThreadPoolExecutor(max_workers=1) as thread:
            ahead = thread.submit(make, shares[0])
            for rows in shares[1:]:
                ready, ahead = ahead, thread.submit(make, rows)
                yield ready.result()
            yield ahead.result()
