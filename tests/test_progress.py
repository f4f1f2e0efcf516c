"""Progress: bars on a terminal, plain lines elsewhere, silence when asked for."""

import fcntl
import logging
import os
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from nmt.progress import LOGGER, Progress, duration, setup_logging


@pytest.fixture(autouse=True)
def _restore_logging():
    before = LOGGER.handlers, LOGGER.level, LOGGER.propagate
    yield
    LOGGER.handlers, LOGGER.propagate = before[0], before[2]
    LOGGER.setLevel(before[1])


class Clock:
    """A clock that the test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def work(total: float | None, unit: str, seconds: list[float], amount: float) -> None:
    """Do `amount` of work until each of the moments `seconds`."""
    clock = Clock()
    with Progress(total, unit, "Working", clock=clock) as progress:
        for moment in seconds:
            clock.now = moment
            progress.show(loss=2.345, speed=4430.2)
            progress.advance(amount)


def test_without_a_terminal_a_line_comes_every_half_minute(capsys):
    setup_logging(quiet=False)
    work(1000, "lines", [10, 20, 30, 40, 50, 59, 60], 100)
    assert capsys.readouterr().err.splitlines() == [
        "Working: 30 %, 300 of 1,000 lines, 10 lines/s, 1 min 10 s left, loss 2.35, speed 4,430",
        "Working: 70 %, 700 of 1,000 lines, 11.67 lines/s, 26 s left, loss 2.35, speed 4,430",
    ]


def test_a_time_limit_counts_down(capsys):
    setup_logging(quiet=False)
    work(1200, "s", [30, 60], 30)
    assert capsys.readouterr().err.splitlines()[1] == (
        "Working: 5 %, 19 min 0 s left, loss 2.35, speed 4,430"
    )


def test_an_unknown_total_still_counts(capsys):
    setup_logging(quiet=False)
    work(None, "lines", [40], 1_000_000)
    assert capsys.readouterr().err == (
        "Working: 1,000,000 lines, 25,000 lines/s, 40 s, loss 2.35, speed 4,430\n"
    )


def test_quiet_is_quiet_but_warns(capsys):
    setup_logging(quiet=True)
    work(1000, "lines", [40, 80], 100)
    LOGGER.info("chatter")
    LOGGER.warning("this matters")
    assert capsys.readouterr().err == "this matters\n"


def test_a_library_user_sees_nothing_unasked(capsys):
    LOGGER.handlers = []
    LOGGER.setLevel(logging.NOTSET)
    work(1000, "lines", [40, 80], 100)
    assert capsys.readouterr().err == ""


def test_setting_up_twice_prints_once(capsys):
    setup_logging(quiet=False)
    setup_logging(quiet=False)
    LOGGER.info("once")
    assert capsys.readouterr().err == "once\n"


def test_a_terminal_gets_a_bar_and_messages_above_it():
    program = """
import logging
from nmt.progress import Progress, setup_logging
setup_logging(quiet=False)
with Progress(10, "lines", "Working") as progress:
    for _ in range(10):
        progress.advance()
    logging.getLogger("nmt").info("a message")
"""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))  # rows, columns
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", program], stderr=slave, env=environment)
    os.close(slave)
    shown = os.read(master, 100_000).decode().replace("\r", "\n").split("\n")
    os.close(master)
    assert done.returncode == 0
    assert any("Working:   0%|" in line for line in shown)
    assert "a message" in shown


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (3599, "59 min 59 s"), (7500, "2 h 5 min")],
)
def test_durations_are_said_as_people_say_them(seconds, text):
    assert duration(seconds) == text
