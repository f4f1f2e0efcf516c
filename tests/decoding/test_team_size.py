"""How many processes translate where nobody says: as many as there are cores and work for."""

import pytest

from nmt.decoding.team import LEAST_LINES, MOST, choose_workers
from nmt.hardware import cores, wanted_cores


@pytest.mark.parametrize(
    ("lines", "device", "cores", "chosen"),
    [
        (100 * LEAST_LINES, "cpu", 1, 1),
        (100 * LEAST_LINES, "cpu", 2, 2),
        (100 * LEAST_LINES, "cpu", 999, MOST),
        (3 * LEAST_LINES, "cpu", 8, 3),
        (LEAST_LINES - 1, "cpu", 8, 1),
        (0, "cpu", 8, 1),
        (None, "cpu", 8, 1),  # a pipe, whose end nobody knows
        (100 * LEAST_LINES, "cuda", 8, 1),
        (100 * LEAST_LINES, "cuda:1", 8, 1),
    ],
)
def test_as_many_as_there_are_cores_and_work_for(lines, device, cores, chosen):
    assert choose_workers(lines, device, cores) == chosen


@pytest.mark.parametrize(
    ("threads", "wanted"), [(None, cores()), ("1", 1), ("999999", cores()), ("many", cores())]
)
def test_a_bound_on_threads_is_one_on_processes(monkeypatch, threads, wanted):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if threads is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
    assert wanted_cores() == wanted
