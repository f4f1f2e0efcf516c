"""Who translates the windows of a text: this process, or several workers, in order all the same.

Two processes use two cores far better than two threads do. With workers, this process never loads
torch: it cuts the text, hands out windows, and puts what comes back in order. No window is handed
out while AHEAD of them for each worker are unfinished or wait for one before them: so a text of any
length needs the memory of that many windows, each at most WINDOW_LINES lines or about a million
characters, besides that of the workers.
"""

import logging
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from multiprocessing.connection import Pipe, wait
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from nmt.decoding.recipe import Recipe
from nmt.decoding.windows import Window
from nmt.decoding.writers.options import WriterOptions
from nmt.errors import NmtError
from nmt.hardware import cores

LOGGER = logging.getLogger("nmt")
# Ctrl-C and the like are for the first process to understand; a worker ends when that ends.
START = """
import signal, sys
for name in ("SIGINT", "SIGTERM", "SIGHUP"):
    signal.signal(getattr(signal, name), signal.SIG_IGN)
sys.path[:] = sys.argv[2:]
from nmt.decoding.worker import main
main()
"""
AHEAD = 3
# A worker has to load torch and the model: for fewer lines that takes longer than it saves.
LEAST_LINES = 4000
MOST = 16
# What there is where torch may find a GPU, which one process uses best: NVIDIA's, WSL's, AMD's.
GPU_SIGNS = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")


@dataclass(frozen=True)
class Job:
    """What one who translates has to know."""

    recipe: Recipe
    writers: WriterOptions
    source: str  # its name, for messages
    prefixes: bool = False  # whether lines bring the beginning of their translation along
    threads: int | None = None  # None is torch's own choice


@dataclass(frozen=True)
class Finished:
    """A window and what is written of it, for each output."""

    window: Window
    texts: list[str]


@dataclass(frozen=True)
class Answer:
    """What a worker says of a window, or when it is ready for the first."""

    texts: list[str]
    warnings: list[str]
    error: Exception | None = None


class Team(Protocol):
    """One or several who translate."""

    def work(self, windows: Iterable[Window]) -> Iterator[Finished]:
        """Translate windows; they come back in order."""


def choose_workers(lines: int | None, device: str) -> int:
    """Return how many processes should translate so many lines; None where nobody knows."""
    if lines is None or device.startswith("cuda"):
        return 1
    if device == "auto" and any(Path(sign).exists() for sign in GPU_SIGNS):
        return 1
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    most = min(cores(), int(wanted)) if wanted.isdecimal() else cores()
    return max(1, min(most, lines // LEAST_LINES, MOST))


def open_team(job: Job, workers: int) -> AbstractContextManager[Team]:
    """Gather a team, with the model loaded when the block begins."""
    return _Alone(job) if workers == 1 else _Workers(job, workers)


class _Alone:
    """This process."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def work(self, windows: Iterable[Window]) -> Iterator[Finished]:
        for window in windows:
            yield Finished(window, self.desk(window))

    def __enter__(self) -> "_Alone":
        from nmt.decoding.desk import Desk  # after everything that can be told without torch

        job = self.job
        self.desk = Desk(job.recipe.load(), job.writers, job.source, job.prefixes)
        return self

    def __exit__(self, *error: object) -> None:
        return


class _Worker:
    """A worker in a process of its own, seen from here."""

    def __init__(self, job: Job) -> None:
        self.pipe, theirs = Pipe()
        self.window: Window | None = None  # what it is at
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-c", START, str(theirs.fileno()), *sys.path],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=os.environ | {"OMP_NUM_THREADS": str(job.threads)},
                start_new_session=True,  # a terminal's Ctrl-C does not get there
            )
        self.tell(job)

    def tell(self, message: Any) -> None:
        """Send it something that it will answer."""
        try:
            self.pipe.send(message)
        except OSError:
            raise self._dead() from None

    def answer(self) -> list[str]:
        """Wait for its next answer."""
        try:
            answer: Answer = self.pipe.recv()
        except (EOFError, OSError):
            raise self._dead() from None
        for warning in answer.warnings:
            LOGGER.warning(warning)
        if answer.error is not None:
            raise answer.error
        return answer.texts

    def end(self) -> None:
        """End it, whatever it does; it has nothing to lose."""
        self.pipe.close()
        self.process.kill()
        self.process.wait()

    def _dead(self) -> NmtError:
        code = self.process.wait()
        return NmtError(
            f"a worker process ended (code {code}), most likely because memory ran out; use fewer "
            "(--workers 1)"
        )


class _Workers:
    """Several workers."""

    def __init__(self, job: Job, count: int) -> None:
        self.job, self.count = replace(job, threads=max(1, cores() // count)), count
        self.workers: list[_Worker] = []
        self.out: list[Window] = []  # handed out and not given back, in order
        self.texts: dict[int, list[str]] = {}  # what came back, by how many lines came before

    def work(self, windows: Iterable[Window]) -> Iterator[Finished]:
        waiting = iter(windows)
        self._hand_out(waiting)
        while self.out:
            self._listen()
            while self.out and self.out[0].done in self.texts:
                self._hand_out(waiting)
                window = self.out.pop(0)
                yield Finished(window, self.texts.pop(window.done))
            self._hand_out(waiting)

    def _hand_out(self, waiting: Iterator[Window]) -> None:
        """Give each idle worker a window; never a second one, or both might wait to be heard."""
        for worker in self.workers:
            if worker.window is None and len(self.out) < AHEAD * self.count:
                window = next(waiting, None)
                if window is None:
                    return
                worker.tell(window)
                worker.window = window
                self.out.append(window)

    def _listen(self) -> None:
        """Wait until a worker answers."""
        busy = {worker.pipe: worker for worker in self.workers if worker.window is not None}
        for pipe, worker in busy.items() if wait(list(busy)) else ():
            if pipe.poll() and worker.window is not None:
                self.texts[worker.window.done] = worker.answer()
                worker.window = None

    def __enter__(self) -> "_Workers":
        try:
            for _ in range(self.count):
                self.workers.append(_Worker(self.job))
            for worker in self.workers:
                worker.answer()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self.workers:
            worker.end()
