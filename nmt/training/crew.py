"""The learners of a run: one, or on a processor with several cores one in each of some processes.

Two processes use two cores far better than two threads do: half of a step is in operations too
small to share. The other processes are workers (nmt/training/worker.py): each takes its share of
every batch and of the weights, and is told over a pipe when to begin a phase.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nmt.data.corpus import Corpus
from nmt.decoding.model_folder import Description
from nmt.errors import NmtError
from nmt.hardware import matrix_peak
from nmt.models.seq2seq import Seq2Seq
from nmt.processes import WorkerProcess
from nmt.training.config import TrainConfig
from nmt.training.learner import Learner, Work
from nmt.training.loader import Feed
from nmt.training.schedule import Pace
from nmt.training.storage import Storage
from nmt.training.validation import Examiner, Share

# A worker's share of a batch is at least so many tokens, and a corpus for several has so many
# pairs: below, starting them costs more than they bring. More workers than MOST add little.
LEAST_TOKENS = 512
LEAST_PAIRS = 5000
MOST = 4
PATIENCE = 20  # seconds that a worker has to end


def choose_workers(config: TrainConfig, pairs: int, device: torch.device) -> int:
    """Return how many processes should train: as many as there are cores and work for them."""
    if device.type != "cpu":
        return 1
    if config.workers:
        return config.workers
    if pairs < LEAST_PAIRS:
        return 1
    return max(1, min(torch.get_num_threads(), config.batch_tokens // LEAST_TOKENS, MOST))


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
    file: int = 0  # the descriptor of the shared storage
    reverse: bool = False  # whether the corpus's sides are exchanged


@dataclass(frozen=True)
class Failure:
    """What a worker answers when it cannot go on."""

    reason: str
    memory: bool  # whether it ran out


class _Remote(WorkerProcess):
    """A worker in a process of its own, seen from here."""

    def __init__(self, job: Job) -> None:
        advice = (
            "the same command goes on from the last checkpoint, with --set train.workers=1 in one "
            "process"
        )
        super().__init__("nmt.training.worker", job.threads, advice, [job.file])
        self.tell(job)

    def answer(self) -> Any:
        """Wait for the end of the phase and return its result."""
        result = self.hear()
        if isinstance(result, Failure):
            if result.memory:
                raise MemoryError
            raise NmtError(f"a worker process failed: {result.reason}")
        return result


def mean_factor(squares: Tensor, tokens: int, clip_norm: float) -> Tensor:
    """Return what to multiply summed gradients by: the mean of them, of a bounded norm.

    Args:
        squares: the sum of the squares of the summed gradients.
        tokens: how many gradients were summed.
        clip_norm: the largest norm of the mean; 0 is no bound.
    """
    norm = squares.sqrt() / tokens
    factor = torch.ones_like(norm)
    if clip_norm:
        factor = (clip_norm / (norm + 1e-6)).clamp_max(1.0)
    return factor / tokens


class Crew:
    """All learners of a run; the first of them is in this process, the others in a `with` block."""

    stop = None  # a signal to stop is for this process alone

    def __init__(self, job: Job, model: Seq2Seq, corpus: Corpus) -> None:
        """Prepare to gather `job.workers` learners around a model, which is trained where it is."""
        self.storage = Storage(model, job.workers, dtype=job.dtype)
        self.learner = Learner(model, job.config, job.seed, job.dtype, self.storage)
        self.feed = Feed(corpus.train, job.config.batch_tokens, job.seed, 0, job.workers)
        self.examiner = Examiner(corpus, job.description)
        self.job = job
        self._others: list[_Remote] = []
        self._all_threads = self._threads = torch.get_num_threads()

    def update(self, epoch: int, indices: range, pace: Pace) -> Work:
        """Learn from some batches of an epoch, as from one.

        Args:
            epoch: the epoch.
            indices: which of its batches.
            pace: what the schedule says of this update.

        Returns:
            what was learned from; its loss is on the device.
        """
        for other in self._others:
            other.tell(("gradients", (epoch, indices, pace)))
        work = self.learner.gradients(self.feed.take(epoch, indices), pace)
        for other in self._others:
            work += other.answer()
        squares, *more = self._all("reduce")
        factor = mean_factor(squares + sum(more), work.tokens, self.job.config.clip_norm)
        self._all("step", pace, factor)
        return work

    def examine(self, beam_size: int) -> list[Share]:
        """Let the model translate the validation set; returns the shares, here a single one."""
        with self._at_rest():
            return [self.examiner.examine(self.learner, beam_size)]

    def peak(self) -> float:
        """Measure the most operations a second that these processes could do."""
        return matrix_peak(self.learner.device, self.job.dtype)

    @contextlib.contextmanager
    def _at_rest(self) -> Iterator[None]:
        """Leave all cores to what this process does in the block."""
        torch.set_num_threads(self._all_threads)
        try:
            yield
        finally:
            torch.set_num_threads(self._threads)

    def _all(self, phase: str, *values: Any) -> list[Any]:
        """Let every learner go through a phase; returns their results, in the order of workers."""
        for other in self._others:  # a tensor would not go through the pipe, a number does
            plain = (value.item() if isinstance(value, Tensor) else value for value in values)
            other.tell((phase, tuple(plain)))
        result = getattr(self.learner, phase)(*values)
        return [result, *(other.answer() for other in self._others)]

    def __enter__(self) -> "Crew":
        self._all_threads = torch.get_num_threads()
        self._threads = max(1, self._all_threads // self.job.workers)
        torch.set_num_threads(self._threads)
        job = replace(self.job, file=self.storage.file or 0, threads=self._threads)
        try:
            for worker in range(1, job.workers):
                self._others.append(_Remote(replace(job, worker=worker)))
        except BaseException:
            self.__exit__()
            raise
        self.storage.close_file()
        return self

    def __exit__(self, *error: object) -> None:
        self._threads = self._all_threads
        torch.set_num_threads(self._threads)
        for other in self._others:
            other.pipe.close()
        for other in self._others:
            other.end(PATIENCE)
        self._others.clear()
