"""Batches for the model, assembled one ahead of the training step that uses them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nmt.data.batching import Batch, Ints, make_batch
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
    pairs: int  # sum of S * T over sentences

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
            self.pairs,
        )


def as_tensors(batch: Batch) -> TrainingBatch:
    """Turn a batch of arrays into tensors, and find what is not padding."""
    lengths = batch.source_lengths
    inside = np.arange(batch.target_input.shape[1]) < batch.target_lengths[:, None]
    positions = None if inside.all() else torch.from_numpy(np.flatnonzero(inside))
    return TrainingBatch(
        source=torch.from_numpy(batch.source),
        source_lengths=None if (lengths == lengths[0]).all() else torch.from_numpy(lengths),
        target_input=torch.from_numpy(batch.target_input),
        labels=torch.from_numpy(batch.target_output[inside]),
        positions=positions,
        source_tokens=int(lengths.sum()),
        pairs=int((lengths * batch.target_lengths).sum()),
    )


def load(split: Split, plan: list[Ints]) -> Iterator[TrainingBatch]:
    """Yield the batches of a plan; the next is made in another thread meanwhile."""

    def make(rows: Ints) -> TrainingBatch:
        return as_tensors(make_batch(split, rows))

    if not plan:
        return
    with ThreadPoolExecutor(max_workers=1) as thread:
        ahead = thread.submit(make, plan[0])
        for rows in plan[1:]:
            ready, ahead = ahead, thread.submit(make, rows)
            yield ready.result()
        yield ahead.result()
