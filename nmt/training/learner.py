"""One update: forward, backward, clip, and a step of Adam."""

import numpy as np
import torch
from torch import Tensor

from nmt.models.dropout import NO_DROPOUT, Dropout
from nmt.models.seq2seq import Seq2Seq
from nmt.training.config import TrainConfig
from nmt.training.loader import TrainingBatch
from nmt.training.loss import cross_entropy, smoothed_cross_entropy

# Adam (Kingma and Ba 2015) with the second moment of Vaswani et al. 2017, steady in short runs.
BETAS = (0.9, 0.98)
EPSILON = 1e-9


class Learner:
    """A model in training, its optimiser, and its source of chance."""

    def __init__(
        self, model: Seq2Seq, config: TrainConfig, seed: int, dtype: torch.dtype = torch.float32
    ) -> None:
        """Prepare to train `model` where it is.

        Args:
            model: float32 (or float64) weights; they stay so.
            config: the settings.
            seed: dropout in update u is a function of (seed, u).
            dtype: the type of activations and of the products' inputs.
        """
        self.model = model.train()
        self.config = config
        self.seed = seed
        self.dtype = dtype
        self.parameters = list(model.parameters())
        self.device = self.parameters[0].device
        self.generator = torch.Generator(self.device)
        self.optimizer = torch.optim.AdamW(
            self.parameters,
            lr=config.learning_rate,
            betas=BETAS,
            eps=EPSILON,
            weight_decay=config.weight_decay,
            fused=True,
        )

    def update(self, batch: TrainingBatch, update: int, rate: float) -> Tensor:
        """Learn from a batch.

        Args:
            batch: sentence pairs; each target token weighs the same.
            update: this update's number, from 1.
            rate: the learning rate.

        Returns:
            the label-smoothed loss, summed over tokens (a scalar, on the device).
        """
        words = np.random.SeedSequence((self.seed, update)).generate_state(1, np.uint64)
        self.generator.manual_seed(int(words[0] >> 1))
        self.optimizer.zero_grad(set_to_none=True)
        self.optimizer.param_groups[0]["lr"] = rate
        loss = self.loss(batch.to(self.device), Dropout(self.config.dropout, self.generator))
        (loss / batch.tokens).backward()
        if self.config.clip_norm:
            torch.nn.utils.clip_grad_norm_(self.parameters, self.config.clip_norm)
        self.optimizer.step()
        return loss.detach()

    def loss(self, batch: TrainingBatch, dropout: Dropout = NO_DROPOUT) -> Tensor:
        """Return the label-smoothed loss, summed over the batch's tokens."""
        model = self.model
        rows = self._readouts(batch, dropout)
        smoothing = self.config.label_smoothing
        return smoothed_cross_entropy(
            rows, model.target_embedding, model.output_bias, batch.labels, smoothing
        )

    @torch.no_grad()
    def plain_loss(self, batch: TrainingBatch) -> Tensor:
        """Return the cross-entropy without smoothing and dropout, summed over tokens."""
        batch = batch.to(self.device)
        model = self.model
        rows = self._readouts(batch, NO_DROPOUT)
        return cross_entropy(rows, model.target_embedding, model.output_bias, batch.labels)

    def _readouts(self, batch: TrainingBatch, dropout: Dropout) -> Tensor:
        """Run the model; returns one row for each target token (N, E)."""
        encoded = self.model.encode(batch.source, batch.source_lengths, dropout, self.dtype)
        rows = self.model.decode(batch.target_input, encoded, dropout).flatten(0, 1)
        return rows if batch.positions is None else rows.index_select(0, batch.positions)

    def state(self) -> dict[str, Tensor]:
        """Return weights and optimiser state by name, for a checkpoint."""
        tensors: dict[str, Tensor] = {}
        for name, parameter in self.model.named_parameters():
            tensors[f"model.{name}"] = parameter
            for key, value in self.optimizer.state[parameter].items():
                tensors[f"optimizer.{key}.{name}"] = value
        return tensors

    def load_state(self, tensors: dict[str, Tensor]) -> None:
        """Take over what `state` returned."""
        with torch.no_grad():
            for name, parameter in self.model.named_parameters():
                parameter.copy_(tensors[f"model.{name}"])
                for key in ("step", "exp_avg", "exp_avg_sq"):
                    value = tensors.get(f"optimizer.{key}.{name}")
                    if value is not None:
                        self.optimizer.state[parameter][key] = value.to(parameter.device)
