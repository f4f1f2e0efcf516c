"""Files of tensors: safetensors with a checksum over everything, written whole or not at all."""

import contextlib
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from nmt.errors import FolderError
from nmt.files import as_text, atomic_write
from nmt.signals import StopSignals


def save_tensors(path: Path, tensors: dict[str, Tensor], notes: dict[str, Any]) -> None:
    """Write tensors and JSON notes to one file, atomically."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    text = json.dumps(notes)
    content = save(plain, {"notes": text, "checksum": _checksum(plain, text)})
    with atomic_write(path, "wb") as file:
        file.write(content)


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `save_tensors` wrote.

    Raises:
        FolderError: the file is missing, cut short or changed.
    """
    try:
        # What Ctrl-C and SIGTERM raise inside safetensors would be taken for a damaged file.
        signals = StopSignals()
        try:
            with signals:
                tensors, metadata = _read(path)
        finally:
            signals.again()
        if _checksum(tensors, metadata["notes"]) != metadata["checksum"]:
            raise ValueError
        return tensors, dict(json.loads(metadata["notes"]))
    except FileNotFoundError:
        raise FolderError(f"{path}: the file is missing") from None
    except (SafetensorError, ValueError, KeyError, TypeError):
        raise FolderError(
            f"{path}: the file was changed or cut short after it was written"
        ) from None


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    with _name_in_utf8(path) as name, safe_open(name, framework="pt") as file:
        names = list(file.keys())
        return {name: file.get_tensor(name) for name in names}, file.metadata()


@contextlib.contextmanager
def _name_in_utf8(path: Path) -> Iterator[Path]:
    """Give a name of a file that safetensors can open, which takes no other than UTF-8."""
    if as_text(path) == str(path):
        yield path
        return
    with open(path, "rb") as file:
        yield Path(f"/dev/fd/{file.fileno()}")


def _checksum(tensors: dict[str, Tensor], text: str) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
