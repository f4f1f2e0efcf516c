"""Checkpoints: everything a run needs to go on, in one file, made whole by one rename."""

import hashlib
import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from nmt.files import atomic_write

log = logging.getLogger("nmt")


@dataclass
class Progress:
    """Where a run is. Batches, dropout and the learning rate follow from these numbers alone."""

    update: int = 0
    epoch: int = 0
    batch: int = 0  # batches of this epoch already used
    seconds: float = 0.0
    tokens: int = 0
    best_score: float | None = None
    best_update: int = 0
    bad_validations: int = 0
    validated_update: int = 0
    reported_update: int = 0
    finished: bool = False


def save_checkpoint(
    folder: Path, tensors: dict[str, Tensor], progress: Progress, keep: int
) -> Path:
    """Write a checkpoint, then remove all but the `keep` newest."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"update-{progress.update:08d}.safetensors"
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    state = json.dumps(asdict(progress))
    with atomic_write(path, "wb") as file:
        file.write(save(plain, {"progress": state, "checksum": _checksum(plain, state)}))
    for old in _newest_first(folder)[keep:]:
        old.unlink()
    return path


def load_newest(folder: Path) -> tuple[dict[str, Tensor], Progress] | None:
    """Read the newest whole checkpoint; a damaged one is passed over with a sentence."""
    for path in _newest_first(folder):
        try:
            return _load(path)
        except (SafetensorError, OSError, ValueError, KeyError, TypeError):
            log.warning("%s is damaged; going back to the checkpoint before it", path)
    return None


def _load(path: Path) -> tuple[dict[str, Tensor], Progress]:
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if _checksum(tensors, metadata["progress"]) != metadata["checksum"]:
        raise ValueError("checksum")
    return tensors, Progress(**json.loads(metadata["progress"]))


def _checksum(tensors: dict[str, Tensor], state: str) -> str:
    digest = hashlib.sha256(state.encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob("update-*.safetensors"), reverse=True)
