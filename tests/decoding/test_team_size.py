"""How many processes translate where nobody says: as many as there are cores and work for."""

import pytest

from nmt.decoding import team
from nmt.decoding.team import LEAST_LINES, MOST, choose_workers


@pytest.mark.parametrize(
    ("lines", "device", "cores", "threads", "chosen"),
    [
        (100 * LEAST_LINES, "cpu", 1, None, 1),
        (100 * LEAST_LINES, "cpu", 2, None, 2),
        (100 * LEAST_LINES, "cpu", 999, None, MOST),
        (3 * LEAST_LINES, "cpu", 8, None, 3),
        (LEAST_LINES - 1, "cpu", 8, None, 1),
        (0, "cpu", 8, None, 1),
        (None, "cpu", 8, None, 1),  # a pipe, whose end nobody knows
        (100 * LEAST_LINES, "cpu", 8, "3", 3),
        (100 * LEAST_LINES, "cpu", 2, "8", 2),
        (100 * LEAST_LINES, "cpu", 4, "many", 4),
        (100 * LEAST_LINES, "cuda", 8, None, 1),
        (100 * LEAST_LINES, "cuda:1", 8, None, 1),
    ],
)
def test_as_many_as_there_are_cores_and_work_for(
    monkeypatch, lines, device, cores, threads, chosen
):
    monkeypatch.setattr(team, "cores", lambda: cores)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if threads is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
    assert choose_workers(lines, device) == chosen
