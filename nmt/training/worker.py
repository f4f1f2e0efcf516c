"""A worker: a process that does what another process's crew tells it, and ends when that ends."""

import os
import signal
import sys
from dataclasses import replace
from multiprocessing.connection import Connection

import torch

from nmt.data.corpus import Corpus
from nmt.training.crew import Job
from nmt.training.learner import Learner, Work
from nmt.training.loader import Feed
from nmt.training.memory import Memory


class Worker:
    """One of the learners of a run, with its share of the batches."""

    def __init__(self, job: Job) -> None:
        """Open the corpus, and make a model in the memory that all share."""
        torch.set_num_threads(job.threads)
        model = job.description.build()
        memory = Memory(model, job.workers, job.file)
        self.learner = Learner(model, job.config, job.seed, job.dtype, memory, job.worker)
        split = Corpus.open(job.corpus).train
        self.feed = Feed(split, job.config.batch_tokens, job.seed, job.worker, job.workers)

    def gradients(self, epoch: int, index: int, update: int, dropout: float) -> Work:
        """Learn from this worker's share of a batch."""
        work = self.learner.gradients(self.feed.take(epoch, index), update, dropout)
        return replace(work, loss=float(work.loss))

    def reduce(self) -> float:
        """Sum this worker's part of the gradients; returns the sum of its squares."""
        return float(self.learner.reduce())

    def step(self, update: float, rate: float, factor: float) -> None:
        """Change this worker's part of the weights."""
        self.learner.step(update, rate, factor)


def main() -> None:
    """Serve the process at the other end of the pipe whose descriptor is the first argument."""
    # A terminal sends Ctrl-C to both processes; only the first decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pipe = Connection(int(sys.argv[1]))
    try:
        worker = Worker(pipe.recv())
        while True:
            phase, values = pipe.recv()
            pipe.send(getattr(worker, phase)(*values))
    except (EOFError, OSError):
        sys.exit(0)  # the other process has ended
    except Exception:
        if os.environ.get("NMT_DEBUG"):
            raise
        sys.exit(1)  # it is told there, in a sentence
