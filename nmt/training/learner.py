"""What one worker does in an update: gradients of its share, and Adam on its part of the weights.

A run has one learner, or several in processes of their own that share storage. An update has three
phases, and all learners end one before any begins the next: `gradients`, `reduce`, `step`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nmt.models.dropout import NO_DROPOUT, Dropout
from nmt.models.seq2seq import Seq2Seq
from nmt.training.adam import Adam
from nmt.training.checkpoint import MODEL
from nmt.training.config import TrainConfig
from nmt.training.forcing import mixed_inputs
from nmt.training.frozen import trainable, within
from nmt.training.loader import TrainingBatch
from nmt.training.loss import cross_entropy, smoothed_cross_entropy
from nmt.training.schedule import Pace
from nmt.training.storage import Storage


@dataclass(frozen=True)
class Work:
    """What was learned from."""

    loss: Tensor | float = 0.0  # label-smoothed, summed over tokens
    tokens: int = 0  # of the target, without padding
    source_tokens: int = 0
    token_pairs: int = 0  # sum of S * T over sentences

    def __add__(self, other: "Work") -> "Work":
        return Work(
            self.loss + other.loss,
            self.tokens + other.tokens,
            self.source_tokens + other.source_tokens,
            self.token_pairs + other.token_pairs,
        )


class Learner:
    """A model in training, its part of the optimiser, and its source of chance."""

    def __init__(
        self,
        model: Seq2Seq,
        config: TrainConfig,
        seed: int,
        dtype: torch.dtype = torch.float32,
        storage: Storage | None = None,
        worker: int = 0,
    ) -> None:
        """Prepare to train `model` where it is.

        Args:
            model: float32 (or float64) weights; they stay so.
            config: the settings.
            seed: chance in update u (dropout, and which inputs are the model's own) is a function
                of (seed, u, worker).
            dtype: the type of activations and of the products' inputs.
            storage: where the model lies; None makes one for a single worker.
            worker: which of the workers that share the storage this is.
        """
        self.model = model.train()
        self.config = config
        self.seed, self.worker = seed, worker
        self.dtype = dtype
        self.storage = storage or Storage(model, dtype=dtype)
        self.rounded = self.storage.rounded_copy(self.model)
        self.parameters = list(self.rounded.parameters())
        self.device = self.parameters[0].device
        self.generator = torch.Generator(self.device)
        workers, count = self.storage.gradients.shape
        mine = slice(count * worker // workers, count * (worker + 1) // workers)
        self.adam = Adam(
            self.storage, within(trainable(model, config.freeze), mine), config.weight_decay
        )

    def gradients(self, batches: Iterable[TrainingBatch], pace: Pace) -> Work:
        """Add up the gradients of the loss over some batches in this worker's row.

        Args:
            batches: sentence pairs; there may be none for this worker.
            pace: what the schedule says of this update.
        """
        row = self.storage.gradients[self.worker]
        chance = np.random.SeedSequence((self.seed, pace.update, self.worker))
        words = chance.generate_state(1, np.uint64)
        self.generator.manual_seed(int(words[0] >> 1))
        done, total = Work(), row
        for batch in batches:
            noise = Dropout(pace.dropout, self.generator)
            loss = self.loss(batch.to(self.device), noise, pace.reference)
            found = [part.flatten() for part in torch.autograd.grad(loss, self.parameters)]
            if not done.tokens:
                torch.cat(found, out=row)
            else:  # added up in the weights' own type, and rounded once
                total = total.to(self.storage.weights.dtype)
                total += torch.cat(found)
            done += Work(loss.detach(), batch.tokens, batch.source_tokens, batch.token_pairs)
        if total is not row:
            row.copy_(total)
        if not done.tokens:
            row.zero_()
        return done

    @torch.no_grad()
    def reduce(self) -> Tensor:
        """Sum this worker's part of the gradients over all rows; returns the sum of its squares."""
        return self.adam.reduce()

    @torch.no_grad()
    def step(self, pace: Pace, factor: Tensor | float) -> None:
        """Let Adam change this worker's part of the weights.

        Args:
            pace: what the schedule says of this update.
            factor: what to multiply the summed gradients by.
        """
        self.adam.step(pace.update, pace.rate, factor)

    def loss(
        self, batch: TrainingBatch, dropout: Dropout = NO_DROPOUT, reference: float = 1.0
    ) -> Tensor:
        """Return the label-smoothed loss, summed over the batch's tokens.

        Where `reference` is below 1, so large a share of target inputs is the reference's, and the
        others are the model's own predictions.
        """
        model = self.rounded
        rows = self._readouts(batch, dropout, reference)
        smoothing = self.config.label_smoothing
        return smoothed_cross_entropy(
            rows, model.output_weight, model.output_bias, batch.labels, smoothing
        )

    @torch.no_grad()
    def plain_loss(self, batch: TrainingBatch) -> Tensor:
        """Return the cross-entropy without smoothing and dropout, summed over tokens.

        The weights are those that training multiplies with: rounded to `dtype`.
        """
        batch = batch.to(self.device)
        model = self.rounded
        rows = self._readouts(batch, NO_DROPOUT)
        return cross_entropy(rows, model.output_weight, model.output_bias, batch.labels)

    def _readouts(self, batch: TrainingBatch, dropout: Dropout, reference: float = 1.0) -> Tensor:
        """Run the model; returns one row for each target token (N, R)."""
        encoded = self.rounded.encode(batch.source, batch.source_lengths, dropout, self.dtype)
        inputs = batch.target_input
        if reference < 1:
            inputs = mixed_inputs(self.rounded, encoded, inputs, reference, self.generator)
        rows = self.rounded.decode(inputs, encoded, dropout).flatten(0, 1)
        return rows if batch.positions is None else rows.index_select(0, batch.positions)

    def state(self) -> dict[str, Tensor]:
        """Return weights and optimiser state by name, for a checkpoint."""
        tensors: dict[str, Tensor] = {}
        for kind, flat in self._kinds():
            for (name, _), view in zip(
                self.model.named_parameters(), Storage.views(flat, self.model), strict=True
            ):
                tensors[f"{kind}.{name}"] = view
        return tensors

    def fits(self, tensors: dict[str, Tensor]) -> bool:
        """Say whether these are names and shapes of this learner's state."""
        return _shapes(tensors) == _shapes(self.state())

    def load_state(self, tensors: dict[str, Tensor]) -> None:
        """Take over what `state` returned."""
        with torch.no_grad():
            for name, tensor in self.state().items():
                tensor.copy_(tensors[name])
        self.storage.round()

    def _kinds(self) -> list[tuple[str, Tensor]]:
        storage = self.storage
        return [
            (MODEL, storage.weights),
            ("optimizer.exp_avg", storage.exp_avg),
            ("optimizer.exp_avg_sq", storage.exp_avg_sq),
        ]


def _shapes(tensors: dict[str, Tensor]) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in tensors.items()}
