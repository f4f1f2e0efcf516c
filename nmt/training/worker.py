"""A worker: a process that does what another process's crew tells it, and ends when that ends."""

import os
import sys
import traceback
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

import torch

from nmt.data.corpus import Corpus
from nmt.errors import memory_ran_out
from nmt.training.crew import Failure, Job
from nmt.training.learner import Learner, Work
from nmt.training.loader import Feed
from nmt.training.schedule import Pace
from nmt.training.storage import Storage


class Worker:
    """One of the learners of a run, with its share of the batches."""

    def __init__(self, job: Job) -> None:
        """Open the corpus, and make a model in the storage that all share."""
        torch.set_num_threads(job.threads)
        model = job.description.build().to(torch.promote_types(job.dtype, torch.float32))
        storage = Storage(model, job.workers, job.file, job.dtype)
        self.learner = Learner(model, job.config, job.seed, job.dtype, storage, job.worker)
        corpus = Corpus.open(job.corpus)
        split = corpus.reversed().train if job.reverse else corpus.train
        self.feed = Feed(split, job.config.batch_tokens, job.seed, job.worker, job.workers)

    def gradients(self, epoch: int, indices: range, pace: Pace) -> Work:
        """Learn from this worker's share of some batches."""
        work = self.learner.gradients(self.feed.take(epoch, indices), pace)
        return replace(work, loss=float(work.loss))

    def reduce(self) -> float:
        """Sum this worker's part of the gradients; returns the sum of its squares."""
        return float(self.learner.reduce())

    def step(self, pace: Pace, factor: float) -> None:
        """Change this worker's part of the weights."""
        self.learner.step(pace, factor)


def main() -> None:
    """Serve the process at the other end of the pipe whose descriptor is the first argument."""
    pipe = Connection(int(sys.argv[1]))
    with suppress(EOFError, OSError):  # the other process has ended, and so does this one
        job = pipe.recv()
        try:
            worker = Worker(job)
            while True:
                phase, values = _next(pipe)
                pipe.send(getattr(worker, phase)(*values))
        except _Over:
            return
        except Exception as error:
            if os.environ.get("NMT_DEBUG"):
                traceback.print_exc()
            pipe.send(Failure(str(error) or type(error).__name__, memory_ran_out(error)))


class _Over(Exception):
    """The other process has ended."""


def _next(pipe: Connection) -> tuple[str, tuple[Any, ...]]:
    try:
        message: tuple[str, tuple[Any, ...]] = pipe.recv()
        return message
    except (EOFError, OSError):
        raise _Over from None
