"""Dropout: how much, how it is made up for, and whose chance it is."""

import pytest
import torch

from nmt.models.dropout import NO_DROPOUT, Dropout


def dropout(rate: float, seed: int = 1) -> Dropout:
    return Dropout(rate, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5, 0.9])
def test_the_rate_and_the_scale(rate):
    ones = torch.ones(300, 1001)
    dropped = dropout(rate)(ones)
    assert (dropped == 0).float().mean().item() == pytest.approx(rate, abs=0.005)
    assert dropped.mean().item() == pytest.approx(1, abs=0.02)
    kept = dropped[dropped != 0]
    assert kept.unique().numel() == 1
    assert kept[0].item() == pytest.approx(1 / (1 - rate), rel=0.04)


@pytest.mark.parametrize("rate", [0.998, 0.9999])
def test_a_rate_next_to_one_still_leaves_numbers(rate):
    dropped = dropout(rate)(torch.ones(100_000))
    assert dropped.isfinite().all()
    assert (dropped == 0).float().mean() > 0.99


def test_the_generator_decides_and_nothing_else():
    x = torch.randn(7, 13)
    torch.manual_seed(1)
    first = dropout(0.5)(x)
    torch.manual_seed(2)
    assert torch.equal(first, dropout(0.5)(x))
    assert not torch.equal(first, dropout(0.5, seed=2)(x))
    again = dropout(0.5)
    again(x)
    assert not torch.equal(first, again(x))


def test_the_global_generator_is_left_alone():
    before = torch.get_rng_state()
    dropout(0.5)(torch.ones(100))
    assert torch.equal(before, torch.get_rng_state())


def test_without_a_rate_nothing_is_touched():
    x = torch.randn(3, 4, 5)
    assert NO_DROPOUT(x) is x


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_the_type_stays(dtype):
    assert dropout(0.3)(torch.ones(3, dtype=dtype)).dtype == dtype
