"""Sentences of ids on disk, as two flat `.npy` arrays: all ids in a row, and where each begins."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from nmt.errors import FolderError

HEADER_BYTES = 128  # of a .npy file: room enough for the length of any array
ID_TYPES = (np.uint8, np.uint16, np.uint32)


def id_type(pieces: int) -> np.dtype[np.unsignedinteger]:
    """Return the smallest unsigned type that holds the ids of a vocabulary."""
    return next(np.dtype(kind) for kind in ID_TYPES if pieces - 1 <= np.iinfo(kind).max)


def array_paths(folder: Path, split: str, side: str) -> tuple[Path, Path]:
    """Return where the ids and the offsets of one side of a split lie."""
    return folder / f"{split}.{side}.ids.npy", folder / f"{split}.{side}.offsets.npy"


class SideWriter:
    """Writes one side of a split, sentence after sentence.

    The files are ordinary ones and not memory maps, because a full disk kills the process that
    writes to a map (SIGBUS), and here it raises OSError.

    Attributes:
        sentences: how many were written.
        tokens: how many ids they have.
    """

    def __init__(self, folder: Path, split: str, side: str, pieces: int) -> None:
        """Create the two files; `pieces` is the size of the vocabulary."""
        ids, offsets = array_paths(folder, split, side)
        self.sentences = self.tokens = 0
        self._type = id_type(pieces)
        self._ids: BinaryIO = ids.open("wb")
        self._offsets: BinaryIO = offsets.open("wb")
        self._ids.write(bytes(HEADER_BYTES))
        self._offsets.write(bytes(HEADER_BYTES) + np.zeros(1, "<i8").tobytes())

    def write(self, sentences: Sequence[Sequence[int]]) -> None:
        """Append sentences."""
        lengths = np.fromiter(map(len, sentences), "<i8", len(sentences))
        ids = np.fromiter(chain.from_iterable(sentences), self._type, int(lengths.sum()))
        self._ids.write(ids.tobytes())
        self._offsets.write((self.tokens + np.cumsum(lengths)).astype("<i8").tobytes())
        self.sentences += len(sentences)
        self.tokens += len(ids)

    def __enter__(self) -> "SideWriter":
        return self

    def __exit__(self, *error: object) -> None:
        with self._ids, self._offsets:
            _write_header(self._ids, self._type, self.tokens)
            _write_header(self._offsets, np.dtype("<i8"), self.sentences + 1)


def read_array(path: Path, kinds: str) -> NDArray[Any]:
    """Open a flat array of one of the `kinds` of numbers (`u` or `i`) by memory map.

    Raises:
        FolderError: it is not such an array.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError):
        array = None
    if array is None or array.ndim != 1 or array.dtype.kind not in kinds:
        raise FolderError(f"{path}: this is not an array of ours; make the corpus again")
    return np.asarray(array)


def _write_header(file: BinaryIO, kind: np.dtype, length: int) -> None:
    """Write the header of a one-dimensional array, format 1.0, at the start of its file."""
    text = f"{{'descr': '{kind.str}', 'fortran_order': False, 'shape': ({length},), }}"
    preamble = b"\x93NUMPY\x01\x00" + (HEADER_BYTES - 10).to_bytes(2, "little")
    file.seek(0)
    file.write(preamble + text.encode().ljust(HEADER_BYTES - 11) + b"\n")
