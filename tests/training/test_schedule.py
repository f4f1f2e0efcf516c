"""The learning rate: warm-up, constant, and a line to zero when the budget is used up."""

import pytest

from nmt.training.config import Limits, TrainConfig
from nmt.training.schedule import Budget, dropout_rate, learning_rate

CONFIG = TrainConfig(learning_rate=0.01, warmup_updates=100)


def test_the_warm_up_rises_evenly_to_the_full_rate():
    rates = [learning_rate(CONFIG, update, 0.0) for update in range(1, 102)]
    assert rates[0] == pytest.approx(0.0001)
    assert rates[49] == pytest.approx(0.005)
    assert rates[99:] == [pytest.approx(0.01)] * 2


def test_without_warm_up_the_first_rate_is_the_full_one():
    assert learning_rate(TrainConfig(learning_rate=0.01, warmup_updates=0), 1, 0.0) == 0.01


@pytest.mark.parametrize(
    ("progress", "share"), [(0.1, 1.0), (0.6, 1.0), (0.7, 0.75), (0.9, 0.25), (1.0, 0.0)]
)
def test_the_rate_falls_to_zero_over_the_last_two_fifths_of_the_budget(progress, share):
    assert learning_rate(CONFIG, 1000, progress) == pytest.approx(0.01 * share)


@pytest.mark.parametrize(
    ("limits", "budget"),
    [
        (Limits(updates=500), Budget(500, None)),
        (Limits(epochs=3), Budget(36, None)),
        (Limits(seconds=90.0), Budget(None, 90.0)),
        (Limits(), Budget(None, 3600.0)),
    ],
)
def test_a_limit_becomes_a_budget(limits, budget):
    assert Budget.of(limits, updates_per_epoch=12) == budget


def test_progress_by_updates_does_not_look_at_the_clock():
    assert Budget(200, None).progress(50, 1e9) == 0.25
    assert Budget(200, None).progress(900, 0) == 1


def test_progress_by_time_does_not_look_at_updates():
    assert Budget(None, 60.0).progress(10**9, 15.0) == 0.25
    assert Budget(None, 60.0).progress(0, 61.0) == 1


@pytest.mark.parametrize(
    ("epochs", "expected"), [(0.0, 0.0), (5.0, 0.15), (12.5, 0.375), (40.0, 0.4), (90.0, 0.4)]
)
def test_dropout_rises_with_the_number_of_passes_over_the_corpus(epochs, expected):
    assert dropout_rate(TrainConfig(dropout=0.4), epochs) == pytest.approx(expected)
