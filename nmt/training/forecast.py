"""What a training will cost, found out by a few updates that are thrown away."""

import resource
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

from nmt.data.batching import Ints
from nmt.data.corpus import Split
from nmt.training.crew import Crew

# Updates are timed for so many seconds, after some that meet new shapes.
TIMED_SECONDS = 10.0
WARM_UP = 10


@dataclass(frozen=True)
class Forecast:
    """The size of a model, and what an epoch of its training takes."""

    parameters: int
    processes: int
    batches: int  # an epoch
    longest_batch: str  # pairs x source x target pieces
    tokens_per_second: float  # target tokens, without padding
    seconds_per_epoch: float
    memory_mb: int  # of all processes together, at most so far

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain values, for JSON."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Return the figures in words."""
        minutes = self.seconds_per_epoch / 60
        return [
            f"parameters         {self.parameters:,}",
            f"processes          {self.processes}",
            f"batches an epoch   {self.batches:,}",
            f"longest batch      {self.longest_batch} (pairs x source x target pieces)",
            f"speed              {self.tokens_per_second:,.0f} target tokens a second",
            f"an epoch           {minutes:.1f} minutes, validation not counted",
            f"memory             {self.memory_mb:,} MB",
        ]


def forecast(crew: Crew, split: Split) -> Forecast:
    """Train for a few seconds, the longest batch first; nothing is written.

    A lack of memory shows here as it would in the run: the longest batch needs the most.
    """
    plan = crew.feed.plan(0)
    shapes = _shapes(split, plan)
    longest = max(range(len(plan)), key=lambda at: shapes[at][0] * max(shapes[at][1:]))
    warm_up = min(WARM_UP, len(plan) // 2)
    tokens, began = 0, 0.0
    with crew:
        crew.update(0, range(longest, longest + 1), 1, 0.0, 0.1)
        for index in range(len(plan)):
            if index == warm_up:
                tokens, began = 0, time.monotonic()
            tokens += crew.update(0, range(index, index + 1), index + 1, 0.0, 0.1).tokens
            if index > warm_up and time.monotonic() - began > TIMED_SECONDS:
                break
        speed = tokens / (time.monotonic() - began)
    total = len(split.target.ids) + len(split)
    return Forecast(
        parameters=sum(parameter.numel() for parameter in crew.learner.model.parameters()),
        processes=crew.job.workers,
        batches=len(plan),
        longest_batch="{} x {} x {}".format(*shapes[longest]),
        tokens_per_second=round(speed, 1),
        seconds_per_epoch=round(total / speed, 1),
        memory_mb=_memory_mb(crew.job.workers),
    )


def _shapes(split: Split, plan: list[Ints]) -> list[tuple[int, int, int]]:
    """Return B, S and T of each batch."""
    source, target = split.source.lengths() + 1, split.target.lengths() + 1
    return [(len(rows), int(source[rows].max()), int(target[rows].max())) for rows in plan]


def _memory_mb(processes: int) -> int:
    """Return the most memory that all processes together had; those that ended count alike."""
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kilobytes here
    own, other = (
        resource.getrusage(who).ru_maxrss * unit
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return (own + (processes - 1) * other) // 1_000_000
