"""One update: forward, backward, clip, and a step of Adam.

On a CPU a batch is dealt to its cores, and each computes the gradient of its share in a thread of
its own, because two threads that work apart are much quicker than two that share each product.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

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


class Stepper:
    """A model in training, its optimiser, and its sources of chance."""

    def __init__(
        self,
        model: Seq2Seq,
        config: TrainConfig,
        seed: int,
        dtype: torch.dtype = torch.float32,
        shards: int = 1,
    ) -> None:
        """Prepare to train `model` where it is.

        Args:
            model: float32 (or float64) weights; they stay so.
            config: the settings.
            seed: dropout of shard i in update u is a function of (seed, u, i).
            dtype: the type of activations and of the products' inputs.
            shards: how many threads share a batch.
        """
        self.model = model.train()
        self.config = config
        self.seed = seed
        self.dtype = dtype
        self.shards = shards
        self.parameters = list(model.parameters())
        self.device = self.parameters[0].device
        self.generators = [torch.Generator(self.device) for _ in range(shards)]
        self.threads = ThreadPoolExecutor(shards, initializer=torch.set_num_threads, initargs=(1,))
        self.optimizer = torch.optim.AdamW(
            self.parameters,
            lr=config.learning_rate,
            betas=BETAS,
            eps=EPSILON,
            weight_decay=config.weight_decay,
            fused=True,
        )

    def update(self, batch: Sequence[TrainingBatch], update: int, rate: float) -> Tensor:
        """Learn from a batch, dealt into at most `shards` parts.

        Args:
            batch: the parts; their gradients are weighed by their tokens.
            update: this update's number, from 1.
            rate: the learning rate.

        Returns:
            the label-smoothed loss, summed over tokens (a scalar, on the device).
        """
        tokens = sum(part.tokens for part in batch)
        jobs = [(part, update, index, tokens) for index, part in enumerate(batch)]
        if len(jobs) == 1:
            results = [self._gradients(*jobs[0])]
        else:
            results = list(self.threads.map(lambda job: self._gradients(*job), jobs))
        for parameter, gradient, *others in zip(
            self.parameters, *(gradients for _, gradients in results), strict=True
        ):
            for other in others:  # always in the same order, so that a run can be repeated
                gradient += other
            parameter.grad = gradient
        if self.config.clip_norm:
            torch.nn.utils.clip_grad_norm_(self.parameters, self.config.clip_norm)
        self.optimizer.param_groups[0]["lr"] = rate
        self.optimizer.step()
        return torch.stack([loss for loss, _ in results]).sum()

    def _gradients(
        self, part: TrainingBatch, update: int, index: int, tokens: int
    ) -> tuple[Tensor, list[Tensor]]:
        """Return a part's summed loss, and the gradients of its share of the mean loss."""
        generator = self.generators[index]
        words = np.random.SeedSequence((self.seed, update, index)).generate_state(1, np.uint64)
        generator.manual_seed(int(words[0] >> 1))
        loss = self.loss(part.to(self.device), Dropout(self.config.dropout, generator))
        return loss.detach(), list(torch.autograd.grad(loss / tokens, self.parameters))

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
