"""The learners of a run that torchrun started: one in each process, on one machine or on several.

All ranks have the whole model and take the same steps with it: each finds the gradients of its
share of a batch, all of them sum these, and Adam does the same everywhere. Of P weights in b bytes
each of W ranks sends and receives 2 (W - 1) / W P b bytes for an update, and 4 P for a validation.
"""

from collections.abc import Callable
from pathlib import Path
from signal import Signals
from typing import Any, TypeVar

import numpy as np
import torch

from nmt.data.corpus import MANIFEST, Corpus
from nmt.errors import DataError
from nmt.files import checksum
from nmt.hardware import choose_device, launched, matrix_peak
from nmt.models.seq2seq import Seq2Seq
from nmt.signals import NAMES, StopSignals
from nmt.training.crew import Job, mean_factor
from nmt.training.learner import Learner, Work
from nmt.training.loader import Feed
from nmt.training.ranks import Ranks
from nmt.training.room import begin_anew, room_for
from nmt.training.schedule import Pace
from nmt.training.storage import Storage
from nmt.training.validation import Examiner, Share

T = TypeVar("T")


class Member:
    """One rank's part in a team. All ranks do the same at the same time, as rank 0 tells them."""

    def __init__(self, ranks: Ranks, job: Job, model: Seq2Seq, corpus: Corpus) -> None:
        """Prepare to train `model`, where it is, on this rank's share of the corpus."""
        self.ranks, self.job = ranks, job
        self.storage = Storage(model, dtype=job.dtype)
        chance = _seed(job.seed, ranks.rank)
        self.learner = Learner(model, job.config, chance, job.dtype, self.storage)
        self.feed = Feed(corpus.train, job.config.batch_tokens, job.seed, ranks.rank, ranks.size)
        self.examiner = Examiner(corpus, job.description, ranks.rank, ranks.size)
        self.signals: StopSignals | None = None
        self.stop: Signals | None = None

    def begin(self) -> None:
        """Take over the weights and the optimiser's state of rank 0."""
        storage = self.storage
        self.ranks.spread(storage.weights, storage.exp_avg, storage.exp_avg_sq)
        storage.round()

    def update(self, epoch: int, indices: range, pace: Pace) -> Work:
        """Learn from some batches of an epoch, as from one.

        Args:
            epoch: the epoch.
            indices: which of its batches.
            pace: what the schedule says of this update.

        Returns:
            what all ranks learned from; its loss is on the device.

        Raises:
            RankLost: a process has ended; no weight has changed yet.
        """
        mine = self.learner.gradients(self.feed.take(epoch, indices), pace)
        loss = torch.as_tensor(mine.loss, dtype=torch.float64, device=self.learner.device)
        received = self.signals.received if self.signals else None
        stops = [int(received == number) for number in NAMES]
        counts = torch.tensor([mine.tokens, mine.source_tokens, mine.token_pairs, *stops])
        self.ranks.add_up(counts, loss, self.storage.gradients)
        tokens, source_tokens, token_pairs, *stops = counts.tolist()
        self.stop = next((number for number, stop in zip(NAMES, stops, strict=True) if stop), None)
        factor = mean_factor(self.learner.reduce(), tokens, self.job.config.clip_norm)
        self.learner.step(pace, factor)
        return Work(loss, tokens, source_tokens, token_pairs)

    def examine(self, beam_size: int) -> list[Share]:
        """Let the model of rank 0 translate the validation set, a share on each rank.

        Returns:
            all shares on rank 0, nothing on the others.
        """
        self.ranks.spread(self.storage.weights)
        self.storage.round()
        return self.ranks.collect(self.examiner.examine(self.learner, beam_size))

    def peak(self) -> float:
        """Measure the most operations a second that all ranks could do at once."""
        found = torch.tensor(matrix_peak(self.learner.device, self.job.dtype))
        self.ranks.add_up(found)
        return float(found)


class Team(Member):
    """All learners of a run, seen from rank 0, which tells the others what to do."""

    def __init__(self, ranks: Ranks, job: Job, model: Seq2Seq, corpus: Corpus) -> None:
        """Let each rank make a model like `model`."""
        ranks.tell(("join", (job, next(model.parameters()).device.type)))
        super().__init__(ranks, job, model, corpus)

    def update(self, epoch: int, indices: range, pace: Pace) -> Work:
        """Let all ranks learn from some batches."""
        self.ranks.tell(("update", (epoch, indices, pace)))
        return super().update(epoch, indices, pace)

    def examine(self, beam_size: int) -> list[Share]:
        """Let all ranks translate the validation set."""
        self.ranks.tell(("examine", (beam_size,)))
        return super().examine(beam_size)

    def peak(self) -> float:
        """Let all ranks measure at once."""
        self.ranks.tell(("peak", ()))
        return super().peak()

    def __enter__(self) -> "Team":
        self.ranks.tell(("begin", ()))
        self.begin()
        return self

    def __exit__(self, *error: object) -> None:
        """Leave the others where they are: there may be a last validation."""


def together(lead: Callable[[Ranks | None], T], corpus: Path | str) -> T:
    """Do a piece of work by all processes that torchrun started, or by this one where it did not.

    Args:
        lead: the work, as rank 0 does it.
        corpus: what the others need for helping it.

    Returns:
        what `lead` returns, on every rank.

    Raises:
        NmtError: another process failed or has ended.
    """
    if not launched():
        return lead(None)
    with Ranks() as ranks:
        if ranks.rank:
            result: T = _serve(ranks, corpus)
            return result
        result = lead(ranks)
        ranks.tell(("end", result))
        return result


def _serve(ranks: Ranks, corpus: Path | str) -> Any:
    """Do what rank 0 tells until it tells the result."""
    member: Member | None = None
    with StopSignals() as signals:
        while True:
            phase, values = ranks.hear()
            if phase == "end":
                return values
            if phase == "join":
                member = _join(ranks, corpus, *values)
                member.signals = signals
            else:
                assert member is not None  # the first word is "join"
                with room_for("the share of this process", begin_anew(member.job.config)):
                    getattr(member, phase)(*values)


def _join(ranks: Ranks, folder: Path | str, job: Job, device: str) -> Member:
    """Become a member, on a device of that kind; raises DataError for another corpus."""
    corpus = Corpus.open(folder)
    if checksum(corpus.folder / MANIFEST) != job.description.training["corpus"]:
        raise DataError(f"{corpus.folder}: this is not the corpus of rank 0; copy that one here")
    model = job.description.build().to(torch.promote_types(job.dtype, torch.float32))
    model = model.to(choose_device(device))
    return Member(ranks, job, model, corpus.reversed() if job.reverse else corpus)


def _seed(seed: int, rank: int) -> int:
    """Return what a rank's dropout comes from."""
    if rank == 0:
        return seed
    return int(np.random.SeedSequence((seed, rank)).generate_state(1, np.uint64)[0])
