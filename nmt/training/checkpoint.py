"""Checkpoints: everything a run needs to go on, in one file, made whole by one rename."""

import logging
from dataclasses import asdict, dataclass, field
from pathlib import Path

from torch import Tensor

from nmt.errors import FolderError
from nmt.tensors import load_tensors, save_tensors

log = logging.getLogger("nmt")


@dataclass
class Position:
    """Where a run is. Batches, dropout and the learning rate follow from these numbers alone."""

    update: int = 0
    epoch: int = 0
    batch: int = 0  # batches of this epoch already used
    seconds: float = 0.0  # time used, validation included
    best_score: float = 0.0
    best_loss: float = 0.0
    highest: float = 0.0  # score of any model; the best one's is within noise of it
    best_update: int = 0
    lowest_loss: float | None = None  # of training, in a report
    best_metric: str = ""  # the name and tokeniser of that score; none yet if empty
    bad_validations: int = 0
    haste: float = 1.0  # how much sooner than its budget says the run comes to its end
    validated_update: int = 0
    workers: int = 0  # that took these steps; 0 before the first
    validation_seconds: float = 0.0  # how long the last one took
    metrics_bytes: int = 0  # how much of metrics.jsonl belongs to this point
    budget: list[float | None] = field(default_factory=list)  # updates, seconds of the last run
    finished: bool = False


def save_checkpoint(
    folder: Path, tensors: dict[str, Tensor], position: Position, keep: int
) -> None:
    """Write a checkpoint, then remove all but the `keep` newest."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"update-{position.update:08d}.safetensors"
    save_tensors(path, tensors, asdict(position))
    for old in _newest_first(folder)[keep:]:
        old.unlink()


def load_newest(folder: Path) -> tuple[dict[str, Tensor], Position] | None:
    """Read the newest whole checkpoint; a damaged one is passed over with a sentence."""
    for path in _newest_first(folder):
        try:
            tensors, notes = load_tensors(path)
            return tensors, Position(**notes)
        except (FolderError, TypeError):
            log.warning("%s is damaged; going back to the checkpoint before it", path)
            path.unlink(missing_ok=True)
    return None


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob("update-*.safetensors"), reverse=True)
