"""The folder that a run writes into: fresh, or begun by an earlier run with the same settings."""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nmt.data.corpus import Corpus
from nmt.decoding.model_folder import MANIFEST, WEIGHTS, Description, read_description
from nmt.decoding.model_folder import write_description as write
from nmt.errors import FolderError
from nmt.files import lock
from nmt.training.config import TrainConfig

# Settings that change nothing of what is computed.
REPORTING = (
    "report_every",
    "tensorboard",
    "checkpoint_minutes",
    "keep_checkpoints",
    "validation_beam",
    "workers",  # but for the order of sums, and which random numbers dropout takes
)
CARD = "README.md"
FOLDERS = ("checkpoints", "tensorboard")
FILES = (CARD, WEIGHTS, "metrics.jsonl", "curves.png")
VOCABULARIES = ("joint.model", "source.model", "target.model")


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Make a folder if need be, and keep other runs out of it within the block.

    What was made and stays empty is removed again.

    Raises:
        FolderError: it is a file, or another run has it.
    """
    if folder.exists() and not folder.is_dir():
        raise FolderError(f"{folder}: this is a file; choose a folder for the model")
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if not lock(handle):
            raise FolderError(
                f"{folder}: another training is writing into this folder; wait for it, or choose "
                "another folder"
            )
        yield
    finally:
        os.close(handle)
        with contextlib.suppress(OSError):  # one is not empty
            for path in made:
                path.rmdir()


def prepare(
    folder: Path, description: Description, corpus: Corpus, overwrite: bool, begun: bool
) -> None:
    """Make a folder hold the description of the run, and nothing that contradicts it.

    Args:
        folder: it exists.
        description: of the run.
        corpus: whose vocabularies go with the model.
        overwrite: begin anew where another run lies.
        begun: whether a state to go on from was found in the folder.

    Raises:
        FolderError: it cannot be written, holds something else, or a run with other settings, or
            one whose state is lost.
    """
    vocabularies = [corpus.source_vocabulary.path, corpus.target_vocabulary.path]
    if not (folder / MANIFEST).exists():
        _check_empty(folder, vocabularies)
    elif overwrite:
        _check_ours(folder)
    else:
        _check_same(folder, read_description(folder), description)
        if begun:
            _remove_half_written(folder)
            return
        if (folder / WEIGHTS).exists():
            raise FolderError(
                f"{folder}: the folder holds a model, but no whole checkpoint to go on from; "
                "choose another folder, or start anew with --overwrite"
            )
    _clear(folder)
    write(folder, description, vocabularies)


def _check_empty(folder: Path, vocabularies: Sequence[Path]) -> None:
    """Refuse a folder of somebody else's: a run that has no manifest yet left no more than these.

    What begins with a dot is let be.
    """
    copies = [path.read_bytes() for path in vocabularies]
    for path in sorted(folder.iterdir()):
        is_copy = path.name in VOCABULARIES and path.is_file() and path.read_bytes() in copies
        if path.name[0] != "." and not is_copy:
            raise FolderError(
                f"{folder}: the folder holds other files ({path.name}, for one); "
                "choose a new folder for the model"
            )


def _remove_half_written(folder: Path) -> None:
    """Remove what a run left that was killed while it wrote."""
    for name in (
        *(f".{name}" for name in (*FILES, *VOCABULARIES, MANIFEST)),
        "checkpoints/.update",
    ):
        for path in folder.glob(f"{name}*.tmp"):
            path.unlink()


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
    """Remove a model of ours: its states first, its manifest, which makes it ours, last."""
    _remove_half_written(folder)
    for name in (*FOLDERS, *VOCABULARIES, *FILES, MANIFEST):
        path = folder / name
        if name in FOLDERS and path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


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
