"""The files of a model folder that a translation needs; here without torch."""

from pathlib import Path
from typing import Any

from nmt.errors import FolderError
from nmt.files import checksum, read_manifest

MANIFEST = "config.json"
WEIGHTS = "model.safetensors"
FORMAT_VERSION = 3  # those before were never released; their weights mean something else


def read_model_manifest(folder: Path) -> dict[str, Any]:
    """Read config.json and check the files that it lists.

    Raises:
        FolderError: no model folder, a damaged one, or one of another version.
    """
    content = read_manifest(folder, MANIFEST, FORMAT_VERSION, "model")
    if content["format_version"] < FORMAT_VERSION:
        raise FolderError(f"{folder}: a model of an early version of nmt; train it again")
    return content


def find_weights(folder: Path) -> Path:
    """Return the file of the weights.

    Raises:
        FolderError: there is none yet.
    """
    path = folder / WEIGHTS
    if not path.is_file():
        raise FolderError(
            f"{folder}: the model has no weights yet; train until its first validation"
        )
    return path


def fingerprint(folder: Path) -> str:
    """Return a text that is the same for equal models only.

    Raises:
        FolderError: no model folder, a damaged one, or one of another version.
    """
    read_model_manifest(folder)  # which knows the vocabularies by their checksums
    return f"{checksum(folder / MANIFEST)[:16]} {checksum(find_weights(folder))[:16]}"
