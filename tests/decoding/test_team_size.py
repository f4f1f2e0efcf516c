"""How many processes translate where nobody says: as many as there are cores and work for."""

import os

import pytest

from nmt.decoding.recipe import Recipe
from nmt.decoding.team import LEAST_LINES, MOST, Job, choose_workers, open_team
from nmt.decoding.writers.options import WriterOptions
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


@pytest.mark.parametrize(("threads", "each"), [("", 8), ("6", 3), ("1", 1), ("99", 8)])
def test_workers_share_the_threads_that_are_wanted(monkeypatch, threads, each):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(16)), raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    team = open_team(Job(Recipe("model"), WriterOptions(), "source"), 2)
    assert team.job.threads == each
