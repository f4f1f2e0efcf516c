"""The folder that a run writes into: fresh, or begun by an earlier run with the same settings."""

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

log = logging.getLogger("nmt")

# Settings that change nothing of what is computed.
REPORTING = ("report_every", "checkpoint_minutes", "keep_checkpoints", "validation_beam")
OURS = (MANIFEST, WEIGHTS, "README.md", "metrics.jsonl", "curves.png", "checkpoints")


def prepare(folder: Path, description: Description, corpus: Corpus, overwrite: bool) -> None:
    """Make `folder` hold the description of the run, and nothing that contradicts it.

    Raises:
        FolderError: it cannot be written, holds something else, or a run with other settings.
    """
    if (folder / MANIFEST).exists() and overwrite:
        _clear(folder)
    if (folder / MANIFEST).exists():
        _check_same(folder, read_description(folder), description)
        return
    leftovers = (
        [path for path in folder.iterdir() if path.name[0] != "."] if _is_dir(folder) else []
    )
    if leftovers:
        raise FolderError(
            f"{folder}: the folder holds other files ({leftovers[0].name}, for one); "
            "choose a new folder for the model"
        )
    folder.mkdir(parents=True, exist_ok=True)
    paths = [corpus.source_vocabulary.path, corpus.target_vocabulary.path]
    write(folder, description, paths)


def _is_dir(folder: Path) -> bool:
    if folder.exists() and not folder.is_dir():
        raise FolderError(f"{folder}: this is a file; choose a folder for the model")
    return folder.exists()


def _clear(folder: Path) -> None:
    """Remove a model of ours, manifest first, so that no half can be taken for a whole."""
    vocabularies = {path.name for path in folder.glob("*.model")}
    for name in (*OURS, *sorted(vocabularies)):
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists():
            os.unlink(path)


def _check_same(folder: Path, old: Description, new: Description) -> None:
    before, now = _flat(asdict(old)), _flat(asdict(new))
    different = [
        f"{name} was {before.get(name)} and is now {now.get(name)}"
        for name in sorted(before.keys() | now.keys())
        if before.get(name) != now.get(name) and name.rpartition(".")[2] not in REPORTING
    ]
    if different:
        raise FolderError(
            f"{folder}: the folder holds a run with other settings ({'; '.join(different[:3])}); "
            "choose another folder, or start anew with --overwrite"
        )


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    """Flatten nested dictionaries: {"a": {"b": 1}} becomes {"a.b": 1}."""
    if not isinstance(value, dict):
        return {prefix: value}
    flat: dict[str, Any] = {}
    for key, inner in value.items():
        flat |= _flat(inner, f"{prefix}.{key}" if prefix else str(key))
    return flat
