"""Who translates the windows of a text: this process, or several workers, in order all the same.

Two processes use two cores far better than two threads do. With workers, this process never loads
torch: it cuts the text, hands out windows, and puts what comes back in order. No window is handed
out while AHEAD of them for each worker are unfinished or wait for one before them: so a text of any
length needs the memory of that many windows, each at most WINDOW_LINES lines or about a million
characters, besides that of the workers.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from multiprocessing.connection import wait
from types import TracebackType
from typing import Protocol

from nmt.decoding.recipe import Recipe
from nmt.decoding.windows import Window
from nmt.decoding.writers.options import WriterOptions
from nmt.errors import NmtError
from nmt.hardware import may_have_gpu, wanted_cores
from nmt.processes import WorkerProcess

LOGGER = logging.getLogger("nmt")
AHEAD = 3
# A worker has to load torch and the model: for fewer lines that takes longer than it saves.
LEAST_LINES = 4000
MOST = 16


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

    def tell(self) -> list[str]:
        """Return the texts, once the warnings are told; raise the error instead if there is one."""
        for warning in self.warnings:
            LOGGER.warning(warning)
        if self.error is not None:
            raise self.error
        return self.texts


class Team(Protocol):
    """One or several who translate."""

    def work(self, windows: Iterable[Window]) -> Iterator[Finished]:
        """Translate windows; they come back in order."""


def choose_workers(lines: int | None, device: str, cores: int) -> int:
    """Return how many processes should translate so many lines; None where nobody knows."""
    # One process uses a GPU best.
    if lines is None or device.startswith("cuda") or (device == "auto" and may_have_gpu()):
        return 1
    return max(1, min(cores, lines // LEAST_LINES, MOST))


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


class _Worker(WorkerProcess):
    """A worker in a process of its own, seen from here."""

    def __init__(self, job: Job) -> None:
        super().__init__("nmt.decoding.worker", job.threads or 1, "use fewer (--workers 1)")
        self.window: Window | None = None  # what it is at
        self.tell(job)

    def answer(self) -> Answer:
        """Wait for its next answer; that it has ended is one too."""
        try:
            answer: Answer = self.hear()
        except NmtError as error:
            return Answer([], [], error)
        return answer


class _Workers:
    """Several workers."""

    def __init__(self, job: Job, count: int) -> None:
        self.job, self.count = replace(job, threads=max(1, wanted_cores() // count)), count
        self.workers: list[_Worker] = []
        self.out: list[Window] = []  # handed out and not given back, in order
        self.answers: dict[int, Answer] = {}  # of these windows, by how many lines came before
        self.error: Exception | None = None  # what to raise after the last that was handed out

    def work(self, windows: Iterable[Window]) -> Iterator[Finished]:
        waiting = iter(windows)
        self._hand_out(waiting)
        while self.out:
            self._listen()
            while self.out and self.out[0].done in self.answers:
                self._hand_out(waiting)
                window = self.out.pop(0)
                yield Finished(window, self.answers.pop(window.done).tell())
            self._hand_out(waiting)
        if self.error is not None:
            raise self.error

    def _hand_out(self, waiting: Iterator[Window]) -> None:
        """Give each idle worker a window; never a second one, or both might wait to be heard."""
        if self.error is not None or any(answer.error for answer in self.answers.values()):
            return  # nothing after this will be written
        for worker in self.workers:
            if worker.window is None and len(self.out) < AHEAD * self.count:
                try:
                    window = next(waiting, None)
                    if window is None:
                        return
                    worker.tell(window)
                except Exception as error:
                    self.error = error
                    return
                worker.window = window
                self.out.append(window)

    def _listen(self) -> None:
        """Wait until a worker answers."""
        busy = {worker.pipe: worker for worker in self.workers if worker.window is not None}
        for pipe, worker in busy.items() if wait(list(busy)) else ():
            if pipe.poll() and worker.window is not None:
                self.answers[worker.window.done] = worker.answer()
                worker.window = None

    def __enter__(self) -> "_Workers":
        try:
            for _ in range(self.count):
                self.workers.append(_Worker(self.job))
            for worker in self.workers:
                worker.answer().tell()
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
            worker.end()  # whatever it does: it has nothing to lose
