"""Each step is AdamW's: of the gradients of all workers, scaled, with the rate of that update."""

import pytest
import torch
from torch import Tensor

from nmt.training.config import TrainConfig
from nmt.training.learner import Learner
from nmt.training.schedule import Pace
from nmt.training.storage import Storage
from tests.support.small import small_model

RATES = (0.01, 0.03, 0.02, 0.005)


def gradients(workers: int) -> list[Tensor]:
    """What each update's workers found, (W, P)."""
    random = torch.Generator().manual_seed(3)
    count = sum(parameter.numel() for parameter in small_model().parameters())
    options = {"generator": random, "dtype": torch.float64}
    return [torch.randn(workers, count, **options) for _ in RATES]


def stepped(decay: float, workers: int, factor: float) -> Tensor:
    """The weights after our steps."""
    model = small_model()
    storage, config = Storage(model, workers), TrainConfig(weight_decay=decay)
    learners = [
        Learner(model, config, 1, torch.float64, storage, worker) for worker in range(workers)
    ]
    for update, (rate, found) in enumerate(zip(RATES, gradients(workers), strict=True), 1):
        storage.gradients.copy_(found)
        squares = sum(learner.reduce() for learner in learners)
        assert float(squares) == pytest.approx(float(found.sum(0).square().sum()))
        for learner in learners:
            learner.step(Pace(update, rate), factor)
    return storage.weights


def expected(decay: float, workers: int, factor: float) -> Tensor:
    """The same by torch's optimiser."""
    weights = torch.cat([parameter.flatten() for parameter in small_model().parameters()]).detach()
    optimizer = torch.optim.AdamW([weights], betas=(0.9, 0.98), eps=1e-9, weight_decay=decay)
    for rate, found in zip(RATES, gradients(workers), strict=True):
        weights.grad = factor * found.sum(0)
        optimizer.param_groups[0]["lr"] = rate
        optimizer.step()
    return weights


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("factor", [1.0, 0.125, 2**-40])  # the last makes much of epsilon
def test_a_step_is_that_of_adamw(decay, workers, factor):
    found = stepped(decay, workers, factor)
    assert torch.allclose(found, expected(decay, workers, factor), rtol=1e-12, atol=1e-15)


def test_weight_decay_takes_a_share_of_the_weights_whatever_their_gradients():
    model = small_model()
    learner = Learner(model, TrainConfig(weight_decay=0.5), 1, torch.float64)
    before = learner.storage.weights.clone()
    for update, rate in enumerate(RATES, 1):
        learner.reduce()
        learner.step(Pace(update, rate), 1.0)
        before *= 1 - 0.5 * rate
    assert torch.allclose(learner.storage.weights, before, rtol=1e-12, atol=0)
