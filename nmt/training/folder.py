"""The folder that a run writes into: fresh, or begun by an earlier run with the same settings."""

import contextlib
import json
import logging
import os
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nmt.data.corpus import Corpus
from nmt.decoding.model_folder import MANIFEST, WEIGHTS, Description, read_description
from nmt.decoding.model_folder import write_description as write
from nmt.errors import FolderError
from nmt.training.config import TrainConfig

log = logging.getLogger("nmt")

# Settings that change nothing of what is computed.
REPORTING = (
    "report_every",
    "tensorboard",
    "checkpoint_minutes",
    "keep_checkpoints",
    "validation_beam",
    "workers",  # but for the order of sums
)
CARD = "README.md"
FOLDERS = ("checkpoints", "tensorboard")
OURS = (MANIFEST, WEIGHTS, CARD, "metrics.jsonl", "curves.png", *FOLDERS)
VOCABULARIES = ("joint.model", "source.model", "target.model")


def prepare(folder: Path, description: Description, corpus: Corpus, overwrite: bool) -> None:
    """Make `folder` hold the description of the run, and nothing that contradicts it.

    Raises:
        FolderError: it cannot be written, holds something else, or a run with other settings.
    """
    if (folder / MANIFEST).exists() and overwrite:
        _check_ours(folder)
        _clear(folder)
    if (folder / MANIFEST).exists():
        _check_same(folder, read_description(folder), description)
        return
    # A run that was stopped before it had a manifest had no card either: that is someone else's.
    foreign = [path for path in _content(folder) if path.name == CARD or not _is_ours(path)]
    if leftovers := [path.name for path in foreign if path.name[0] != "."]:
        raise FolderError(
            f"{folder}: the folder holds other files ({leftovers[0]}, for one); "
            "choose a new folder for the model"
        )
    folder.mkdir(parents=True, exist_ok=True)
    _clear(folder)  # what a run left that was stopped before it had a manifest
    paths = [corpus.source_vocabulary.path, corpus.target_vocabulary.path]
    write(folder, description, paths)


def _content(folder: Path) -> list[Path]:
    if folder.exists() and not folder.is_dir():
        raise FolderError(f"{folder}: this is a file; choose a folder for the model")
    return sorted(folder.iterdir()) if folder.exists() else []


def _is_ours(path: Path) -> bool:
    half_written = path.name[0] == "." and path.suffix == ".tmp"
    return path.name in (*OURS, *VOCABULARIES) or half_written


def _check_ours(folder: Path) -> None:
    """Refuse a folder whose config.json is another program's; a damaged one may be ours."""
    with contextlib.suppress(ValueError):
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if not isinstance(content, dict) or "format_version" not in content:
            raise FolderError(
                f"{folder}: the {MANIFEST} there is of another program; "
                "choose a new folder for the model"
            )


def _clear(folder: Path) -> None:
    """Remove a model of ours: its card, its manifest so that no half is taken for a whole, all."""
    first = {CARD: 0, MANIFEST: 1}
    for path in sorted(_content(folder), key=lambda path: first.get(path.name, 2)):
        if path.name in FOLDERS:
            shutil.rmtree(path)
        elif _is_ours(path) and path.is_file():
            os.unlink(path)


def _check_same(folder: Path, old: Description, new: Description) -> None:
    before, now = _comparable(old), _comparable(new)
    if before.pop("training.corpus") != now.pop("training.corpus"):
        raise FolderError(
            f"{folder}: the folder holds a run on another corpus; choose another folder, or start "
            "anew with --overwrite"
        )
    different = [
        f"{name.replace('training.settings', 'train').replace('training.', '')} was "
        f"{before.get(name, 'not given')} and is now {now.get(name, 'not given')}"
        for name in sorted(before.keys() | now.keys())
        if before.get(name) != now.get(name)
    ]
    if different:
        raise FolderError(
            f"{folder}: the folder holds a run with other settings ({'; '.join(different[:3])}); "
            "choose another folder, or start anew with --overwrite"
        )


def _comparable(description: Description) -> dict[str, Any]:
    """Return what must be the same for a run to go on, by dotted names.

    A setting that there was not when the run began had what is now its default.
    """
    flat = _flat({"training": {"settings": asdict(TrainConfig())}}) | _flat(asdict(description))
    free = {"training.preset", *(f"training.settings.{name}" for name in REPORTING)}
    free.add("training.init_from.weights")
    return {name: value for name, value in flat.items() if name not in free}


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    """Flatten nested dictionaries: {"a": {"b": 1}} becomes {"a.b": 1}."""
    if not isinstance(value, dict):
        return {prefix: value}
    flat: dict[str, Any] = {}
    for key, inner in value.items():
        flat |= _flat(inner, f"{prefix}.{key}" if prefix else str(key))
    return flat
