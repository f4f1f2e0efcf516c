"""Checkpoints: everything a run needs to go on, in one file, made whole by one rename."""

import logging
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path

from torch import Tensor

from nmt.errors import FolderError
from nmt.tensors import load_tensors, save_tensors

log = logging.getLogger("nmt")
NAME = re.compile(r"update-\d{8,}\.safetensors")
MODEL = "model"  # begins the names of a model's own numbers among the tensors


@dataclass
class Position:
    """Where a run is. Batches, dropout and the learning rate follow from these numbers alone."""

    update: int = 0
    epoch: int = 0
    batch: int = 0  # batches of this epoch already used
    seconds: float = 0.0  # time used, validation included
    best_metric: str = ""  # what models are scored by, and its tokeniser; none yet if empty
    best_score: float = 0.0
    best_loss: float = 0.0
    best_update: int = 0
    highest: float = 0.0  # score of any model; the best one's is within noise of it
    lowest_loss: float | None = None  # of training, in a report
    unreported_loss: float = 0.0  # summed over the target tokens since the last report
    unreported_tokens: int = 0  # how many those are
    bad_validations: int = 0
    haste: float = 1.0  # how much sooner than its budget says the run comes to its end
    validated_update: int = 0
    workers: int = 0  # that took these steps; 0 before the first
    validation_seconds: float = 0.0  # how long the last one took
    metrics_bytes: int = 0  # how much of metrics.jsonl belongs to this point
    budget: list[float | None] = field(default_factory=list)  # updates, seconds of the last run
    finished: bool = False


State = tuple[dict[str, Tensor], Position]  # what training goes on from


def save_checkpoint(
    folder: Path, tensors: dict[str, Tensor], position: Position, keep: int
) -> None:
    """Write a checkpoint; keep it and those before it, `keep` in all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"update-{position.update:08d}.safetensors"
    save_tensors(path, tensors, asdict(position))
    kept = [other for other in checkpoints_in(folder) if other <= path][-keep:]
    for other in checkpoints_in(folder):
        if other not in kept:  # older ones, and damaged ones from which the run went back
            other.unlink()


def load_newest(folder: Path) -> State | None:
    """Read the newest whole checkpoint; a damaged one is passed over with a sentence.

    Raises:
        FolderError: another version of nmt wrote it.
    """
    paths = checkpoints_in(folder)
    for path in reversed(paths):
        try:
            tensors, notes = load_tensors(path)
        except FolderError:
            before = "" if path == paths[0] else "; going back to the checkpoint before it"
            log.warning("%s is damaged%s", path, before)
            continue
        try:
            return tensors, Position(**notes)
        except TypeError:
            raise FolderError(
                f"{path}: another version of nmt wrote this checkpoint; go on with that version, "
                "choose another folder, or start anew with --overwrite"
            ) from None
    return None


def checkpoints_in(folder: Path) -> list[Path]:
    """Return the files of checkpoints, the oldest first; copies by other names are none."""
    return sorted(path for path in folder.glob("update-*") if NAME.fullmatch(path.name))


def trained_in(folder: Path) -> list[Path]:
    """Return those that are not of the beginning."""
    return [path for path in checkpoints_in(folder) if int(path.stem.removeprefix("update-"))]


def weights_of(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the model's own numbers among a checkpoint's tensors, by the names of parameters."""
    return {
        name.removeprefix(f"{MODEL}."): tensor
        for name, tensor in tensors.items()
        if name.startswith(f"{MODEL}.")
    }
