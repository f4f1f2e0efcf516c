"""A worker: a process that translates the windows that another process sends it."""

import logging
import pickle
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection

import torch

from nmt.decoding.desk import Desk
from nmt.decoding.team import Answer, Job


class _Notebook(logging.Handler):
    """Keeps warnings, for the other process to tell."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.warnings: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        self.warnings.append(record.getMessage())

    def take(self) -> list[str]:
        """Return what was kept, and forget it."""
        taken, self.warnings = self.warnings, []
        return taken


def main() -> None:
    """Serve the process at the other end of the pipe whose descriptor is the first argument."""
    pipe = Connection(int(sys.argv[1]))
    notebook = _Notebook()
    logging.getLogger("nmt").addHandler(notebook)
    with suppress(EOFError, OSError):  # the other process has ended, and so does this one
        job = pipe.recv()
        desks: list[Desk] = []
        pipe.send(_answer(lambda: desks.append(_open(job)), notebook))
        while desks:
            window = pipe.recv()
            pipe.send(_answer(partial(desks[0], window), notebook))


def _open(job: Job) -> Desk:
    torch.set_num_threads(job.threads or 1)
    return Desk(job.recipe.load(), job.writers, job.source, job.prefixes)


def _answer(work: Callable[[], list[str] | None], notebook: _Notebook) -> Answer:
    """Do some work; what goes wrong is for the other process to tell."""
    try:
        return Answer(work() or [], notebook.take())
    except Exception as error:
        return Answer([], notebook.take(), _portable(error))


def _portable(error: Exception) -> Exception:
    """Return an error that the other process can raise as its own, noting where it happened."""
    try:
        portable: Exception = pickle.loads(pickle.dumps(error))
    except Exception:  # a class that cannot be made again from what it says
        portable = RuntimeError(f"{type(error).__name__}: {error}")
    portable.add_note("".join(["\nIn a worker process:\n", *traceback.format_exception(error)]))
    return portable
