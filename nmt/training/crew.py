"""The learners of a run: one, or on a processor with several cores one in each of some processes.

Two processes use two cores far better than two threads do: half of a step is in operations too
small to share. The other processes are workers (nmt/training/worker.py): each takes its share of
every batch and of the weights, and is told over a pipe when to begin a phase.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Pipe
from pathlib import Path
from typing import Any

import torch

from nmt.data.corpus import Split
from nmt.decoding.model_folder import Description
from nmt.errors import NmtError
from nmt.hardware import cores
from nmt.models.seq2seq import Seq2Seq
from nmt.training.config import TrainConfig
from nmt.training.learner import Learner, Work
from nmt.training.loader import Feed
from nmt.training.memory import Memory

START = "import sys; sys.path[:] = sys.argv[2:]; import nmt.training.worker as w; w.main()"
# A worker's share of a batch is at least so many tokens, and a corpus for several has so many
# pairs: below, starting them costs more than they bring.
LEAST_TOKENS = 1024
LEAST_PAIRS = 5000


def choose_workers(config: TrainConfig, pairs: int, device: torch.device) -> int:
    """Return how many processes should train: as many as there are cores and work for them."""
    if config.workers:
        return config.workers if device.type == "cpu" else 1
    if device.type != "cpu" or pairs < LEAST_PAIRS:
        return 1
    return max(1, min(cores(), config.batch_tokens // LEAST_TOKENS))


@dataclass(frozen=True)
class Job:
    """What a worker has to know."""

    corpus: Path
    description: Description
    config: TrainConfig
    seed: int
    dtype: torch.dtype
    workers: int = 1
    worker: int = 0
    threads: int = 1
    file: int = 0  # the descriptor of the shared memory


class _Worker:
    """Another process's learner, seen from here."""

    def __init__(self, job: Job) -> None:
        self.pipe, theirs = Pipe()
        environment = os.environ | {"OMP_NUM_THREADS": str(job.threads)}
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-c", START, str(theirs.fileno()), *sys.path],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), job.file),
                env=environment,
            )
        self.pipe.send(job)

    def ask(self, phase: str, *values: Any) -> None:
        """Let it begin a phase."""
        try:
            self.pipe.send((phase, values))
        except OSError:
            raise self._dead() from None

    def answer(self) -> Any:
        """Wait for the end of the phase and return its result."""
        try:
            return self.pipe.recv()
        except (EOFError, OSError):
            raise self._dead() from None

    def end(self) -> None:
        """Let the process end."""
        self.pipe.close()
        self.process.wait()

    def _dead(self) -> NmtError:
        code = self.process.wait()
        return NmtError(
            f"a worker process ended (code {code}), most likely because memory ran out; the same "
            "command goes on from the last checkpoint, with --set train.workers=1 in one process"
        )


class Crew:
    """All learners of a run; the first of them is in this process."""

    def __init__(self, job: Job, model: Seq2Seq, split: Split) -> None:
        """Gather `job.workers` learners around a model, which is trained where it is."""
        memory = Memory(model, job.workers)
        self.learner = Learner(model, job.config, job.seed, job.dtype, memory)
        self.feed = Feed(split, job.config.batch_tokens, job.seed, 0, job.workers)
        self.threads = max(1, cores() // job.workers)
        others = range(1, job.workers)
        job = replace(job, file=memory.file or 0, threads=self.threads)
        self._workers = [_Worker(replace(job, worker=number)) for number in others]

    def update(self, epoch: int, index: int, update: int, rate: float, dropout: float) -> Work:
        """Learn from batch `index` of an epoch.

        Args:
            epoch: the epoch.
            index: which of its batches.
            update: this update's number, from 1.
            rate: the learning rate.
            dropout: the share of activations that is dropped.

        Returns:
            what was learned from; its loss is on the device.
        """
        config = self.learner.config
        for worker in self._workers:
            worker.ask("gradients", epoch, index, update, dropout)
        work = self.learner.gradients(self.feed.take(epoch, index), update, dropout)
        for worker in self._workers:
            work += worker.answer()
        squares, *others = self._all("reduce")
        norm = (squares + sum(others)).sqrt() / work.tokens  # of the mean gradient
        factor = torch.ones_like(norm)
        if config.clip_norm:
            factor = (config.clip_norm / (norm + 1e-6)).clamp_max(1.0)
        self._all("step", update, rate, factor / work.tokens)
        return work

    @contextlib.contextmanager
    def at_rest(self) -> Iterator[None]:
        """Leave all cores to what this process does in the block."""
        torch.set_num_threads(cores())
        yield
        torch.set_num_threads(self.threads)

    def _all(self, phase: str, *values: Any) -> list[Any]:
        """Let every learner go through a phase; returns their results, in the order of workers."""
        for worker in self._workers:  # numbers go over the pipe; a tensor would take a detour
            worker.ask(phase, *map(float, values))
        result = getattr(self.learner, phase)(*values)
        return [result, *(worker.answer() for worker in self._workers)]

    def __enter__(self) -> "Crew":
        torch.set_num_threads(self.threads)
        return self

    def __exit__(self, *error: object) -> None:
        torch.set_num_threads(cores())
        for worker in self._workers:
            worker.end()
