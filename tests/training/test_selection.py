"""The best of the models of a run: that of the least loss, of those that score about as high."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.training.selection import Standing, is_better


def kept(models: list[tuple[float, float]], noise: float) -> int:
    """Go through (score, loss) of one model after the other; returns which is kept in the end."""
    best, highest = 0, models[0][0]
    for index, model in enumerate(models):
        if index and is_better(Standing(*model), Standing(*models[best]), highest, noise):
            best = index
        highest = max(highest, model[0])
    return best


@pytest.mark.parametrize(
    ("models", "noise", "expected"),
    [
        ([(30, 2.0), (33, 1.9)], 0.5, 1),
        ([(33, 1.9), (30, 1.8)], 0.5, 0),  # less loss, but far worse
        ([(33, 1.9), (32.7, 1.8)], 0.5, 1),  # as good within noise, and less loss
        ([(33, 1.9), (32.7, 2.0)], 0.5, 0),
        ([(33, 1.9), (33.3, 2.0)], 0.5, 0),  # chance
        ([(33, 1.9), (33.6, 2.0)], 0.5, 1),  # more than chance
        ([(37.0, 1.70), (37.1, 1.80), (36.7, 1.79)], 0.5, 0),
        ([(33, 1.9), (32.7, 1.8), (32.4, 1.7)], 0.5, 1),  # each step is small, the sum is not
        ([(33, 1.9), (33, 1.9)], 0.5, 0),
        ([(-2.0, 2.0), (-1.9, 1.9), (-1.95, 1.95)], 0.0, 1),  # by the loss itself
    ],
)
def test_less_loss_decides_between_scores_that_chance_alone_tells_apart(models, noise, expected):
    assert kept(models, noise) == expected


standings = st.tuples(st.floats(0, 50), st.floats(0, 5))


@given(models=st.lists(standings, min_size=1, max_size=12))
def test_without_noise_the_highest_score_is_kept(models):
    assert models[kept(models, 0.0)][0] == max(score for score, _ in models)


@given(models=st.lists(standings, min_size=1, max_size=12), noise=st.floats(0, 10))
def test_the_kept_model_is_never_below_the_highest_by_more_than_noise(models, noise):
    assert models[kept(models, noise)][0] >= max(score for score, _ in models) - noise
