"""Adam with decoupled weight decay, on a worker's part of the numbers that all workers share."""

import torch
from torch import Tensor
from torch.optim.adamw import adamw

from nmt.training.storage import Storage

# Adam (Kingma and Ba 2015) with the second moment of Vaswani et al. 2017, steady in short runs;
# its weight decay is that of Loshchilov and Hutter 2019.
BETAS = (0.9, 0.98)
EPSILON = 1e-9


class Adam:
    """Sums the gradients of all workers and changes the weights, in some stretches of them."""

    def __init__(self, storage: Storage, stretches: list[slice], weight_decay: float) -> None:
        """Prepare for some stretches of the flat storage; there may be none."""
        self.storage, self.stretches = storage, stretches
        self.weight_decay = weight_decay
        self._steps = [storage.weights.new_zeros(()) for _ in stretches]

    def reduce(self) -> Tensor:
        """Sum the gradients over all workers' rows; returns the sum of the squares of that."""
        squares = self.storage.gradient.new_zeros(())
        for part in self.stretches:
            first, *others = self.storage.gradients[:, part]
            total = self.storage.gradient[part].copy_(first)
            for other in others:
                total += other
            squares += total.dot(total)
        return squares

    def step(self, update: int, rate: float, factor: Tensor | float) -> None:
        """Change the weights.

        Args:
            update: this update's number, from 1.
            rate: the learning rate.
            factor: what to multiply the summed gradients by.
        """
        if not self.stretches:
            return
        for step in self._steps:
            step.fill_(update - 1)  # the kernel counts on from there
        storage = self.storage
        adamw(
            params=self._cut(storage.weights),
            grads=self._cut(storage.gradient),
            exp_avgs=self._cut(storage.exp_avg),
            exp_avg_sqs=self._cut(storage.exp_avg_sq),
            max_exp_avg_sqs=[],
            state_steps=self._steps,
            fused=True,
            # The gradients are divided by this, in the same pass.
            grad_scale=(1 / torch.as_tensor(factor, dtype=torch.float64)).float(),
            amsgrad=False,
            beta1=BETAS[0],
            beta2=BETAS[1],
            lr=rate,
            weight_decay=self.weight_decay,
            eps=EPSILON,
            maximize=False,
        )
        for part in self.stretches:
            storage.round(part)

    def _cut(self, flat: Tensor) -> list[Tensor]:
        return [flat[part] for part in self.stretches]
