"""Whole trainings, each in processes of its own, measured once and kept in a JSON file."""

import json
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from safetensors import safe_open

from benchmarks.quality import beside, minutes, nmt, read_lines
from nmt.decoding.model_files import FORMAT_VERSION
from nmt.files import atomic_write

REPORTS = 20  # lines of metrics.jsonl in a training, if it has so many updates


@dataclass(frozen=True)
class Budget:
    """What each training gets: updates, the seed, and cores."""

    updates: int
    seed: int
    cores: Sequence[int]

    @property
    def name(self) -> str:
        """A name for folders: figures of other budgets or other models are never mixed."""
        budget = f"{self.updates}-updates-seed-{self.seed}-cores-{len(self.cores)}"
        return f"{budget}-format-{FORMAT_VERSION}"


@dataclass(frozen=True)
class Trained:
    """What a training cost: the speed leaves out the first report, the memory is one process's."""

    parameters: int
    tokens_per_second: float
    core_share: float
    peak_mib: float
    minutes: float


class Ledger:
    """Figures by name in a JSON file: what is there already is not measured again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.figures = self._read()

    def measured(self, name: str, measure: Callable[[], Any]) -> Any:
        """Return the figures of a name, which `measure` makes if they are new."""
        if name not in self.figures:
            figures = measure()
            # Another program, on another core, may have written its own in the meantime.
            self.figures = self._read() | {name: figures}
            self._write()
        return self.figures[name]

    def forget(self, name: str) -> None:
        """Let a name be measured again."""
        self.figures = self._read()
        if self.figures.pop(name, None) is not None:
            self._write()

    def _read(self) -> dict[str, Any]:
        return json.loads(self.path.read_text("utf-8")) if self.path.exists() else {}

    def _write(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(self.path) as file:
            file.write(json.dumps(self.figures, indent=1, ensure_ascii=False) + "\n")


def train(corpus: Path, model: Path, arguments: Sequence[object], budget: Budget) -> Trained:
    """Train a model, or go on with a training that was interrupted.

    Args:
        corpus: a corpus folder.
        model: the folder of the model.
        arguments: of `nmt train`, besides the limit and the seed.
        budget: how long, on which cores.

    Raises:
        SystemExit: the training failed; its last words are shown.
    """
    report = f"train.report_every={max(1, budget.updates // REPORTS)}"
    # The best of four validations is kept, as in a training of any user.
    validate = f"train.validate_every={max(1, budget.updates // 4)}"
    model.parent.mkdir(parents=True, exist_ok=True)
    limits = ("--updates", budget.updates, "--seed", budget.seed)
    cost = nmt(
        ["train", corpus, "-o", model, *arguments, *limits, "--set", report, "--set", validate],
        budget.cores,
        beside(model, ".log"),
    )
    return Trained(
        parameters=count_parameters(model),
        tokens_per_second=round(mean_speed(model), 1),
        core_share=round(cost.cpu_seconds / cost.seconds / len(budget.cores), 3),
        peak_mib=round(cost.peak_mib),
        minutes=round(minutes(model), 2),
    )


def mean_speed(model: Path) -> float:
    """Return the target tokens a second of a training, the first report left out."""
    lines = [json.loads(line) for line in read_lines(model / "metrics.jsonl")]
    reports = [line for line in lines if line["kind"] == "train"]
    updates = [one["update"] - before["update"] for before, one in pairwise(reports)]
    if not updates:
        return float(reports[0]["tokens_per_second"])
    return statistics.harmonic_mean([one["tokens_per_second"] for one in reports[1:]], updates)


def count_parameters(model: Path) -> int:
    """Return how many numbers a model has."""
    with safe_open(model / "model.safetensors", "pt") as weights:
        shapes = [weights.get_slice(name).get_shape() for name in weights.keys()]  # noqa: SIM118
    return sum(map(math.prod, shapes))
