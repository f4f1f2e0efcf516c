"""What a training will cost, found out by a few updates that are thrown away."""

import resource
import sys
import time
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from nmt.data.batching import Ints
from nmt.data.corpus import Split
from nmt.progress import duration
from nmt.training.learners import Learners
from nmt.training.room import less, room_for
from nmt.training.schedule import Pace

# Updates are timed for so many seconds, after some that meet new shapes.
TIMED_SECONDS = 10.0
WARM_UP = 10


@dataclass(frozen=True)
class Forecast:
    """The size of a model, and what an epoch of its training takes."""

    parameters: int
    processes: int
    batches: int  # an epoch
    largest_batch: str  # pairs x source x target pieces
    tokens_per_second: float  # target tokens, without padding
    seconds_per_epoch: float
    memory_mb: int  # on a CPU of all processes together, else the device's

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain values, for JSON."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Return the figures in words."""
        seconds = self.seconds_per_epoch
        time_an_epoch = duration(seconds) if seconds >= 10 else f"{seconds:.1f} s"
        return [
            f"parameters         {self.parameters:,}",
            f"processes          {self.processes}",
            f"batches an epoch   {self.batches:,}",
            f"largest batch      {self.largest_batch} (pairs x source x target pieces)",
            f"speed              {self.tokens_per_second:,.0f} target tokens a second",
            f"an epoch           {time_an_epoch}, validation not counted",
            f"memory             {self.memory_mb:,} MB",
        ]


def forecast(learners: Learners, split: Split) -> Forecast:
    """Train for a few seconds (a plan begins with the largest batch); nothing is written.

    Raises:
        NmtError: memory does not suffice, or a worker process ended.
    """
    plan, together = learners.feed.plan(0), learners.job.config.accumulate
    updates = [range(at, min(at + together, len(plan))) for at in range(0, len(plan), together)]
    warm_up = min(WARM_UP, len(updates) // 2)
    pace = Pace(1, dropout=0.1, reference=learners.job.config.teacher_forcing)
    tokens, began = 0, 0.0
    with learners, room_for("one update", f"take {less(learners.job.config)}"):
        learners.update(0, range(1), pace)
        for count, indices in enumerate(updates):
            if count == warm_up:
                tokens, began = 0, time.monotonic()
            tokens += learners.update(0, indices, replace(pace, update=count + 1)).tokens
            if count > warm_up and time.monotonic() - began > TIMED_SECONDS:
                break
        _wait_for(learners.learner.device)
        speed = tokens / (time.monotonic() - began)
    total = len(split.target.ids) + len(split)
    return Forecast(
        parameters=len(learners.storage.weights),
        processes=learners.job.workers,
        batches=len(plan),
        largest_batch="{} x {} x {}".format(*_shape(split, plan[0])),
        tokens_per_second=round(speed, 1),
        seconds_per_epoch=round(total / speed, 1),
        memory_mb=_memory_mb(learners),
    )


def _shape(split: Split, rows: Ints) -> tuple[int, int, int]:
    """Return B, S and T of a batch."""
    source, target = split.source.lengths()[rows] + 1, split.target.lengths()[rows] + 1
    return len(rows), int(source.max()), int(target.max())


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _memory_mb(learners: Learners) -> int:
    """Return the most memory that there was; of processes, those that ended count alike."""
    if learners.learner.device.type == "cuda":
        return torch.cuda.max_memory_allocated(learners.learner.device) // 1_000_000
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kilobytes here
    own, other = (
        resource.getrusage(who).ru_maxrss * unit
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    # Processes of torchrun are no children of this one, but much like it.
    return (own + (learners.job.workers - 1) * (other or own)) // 1_000_000
