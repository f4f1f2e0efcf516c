"""Files that grow by whole lines, and go on growing after an interruption.

OUT grows under the name OUT.part. OUT.part.json notes what its lines follow from, and about once a
second how many lines of the source it has come to. The next call cuts off what was written after
the last note, and goes on; at the end OUT.part becomes OUT. So a process may be killed at any
moment, and the file in the end is the one that it would have been.
"""

import contextlib
import fcntl
import gzip
import hashlib
import json
import logging
import lzma
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from nmt.errors import DataError

LOGGER = logging.getLogger("nmt")
NOTE_EVERY = 0.5  # seconds; a note waits for the disk
# Compressed files grow by whole members, which every program reads as one file.
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": lambda content: gzip.compress(content, mtime=0),
    ".xz": lzma.compress,
}
ANEW = "delete it, or begin anew with --overwrite"


@dataclass(frozen=True)
class Mark:
    """How far some outputs have come: the lines of the source that they follow from."""

    lines: int = 0
    sha256: str = hashlib.sha256().hexdigest()  # of these lines, a line end after each


@dataclass(frozen=True)
class _Note:
    """What a note says."""

    identity: dict[str, Any]
    mark: Mark
    sizes: dict[str, int]  # by file name; what lies beyond is not counted
    complete: bool  # nothing is missing but the files' names

    @staticmethod
    def read(path: Path) -> "_Note":
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            sizes = {str(name): int(size) for name, size in content.pop("sizes").items()}
            return _Note(mark=Mark(**content.pop("mark")), sizes=sizes, **content)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise DataError(f"{path}: the file is damaged; {ANEW}") from None


class _Part:
    """One of the files, while it grows."""

    def __init__(self, path: Path) -> None:
        self.path, self.part, self.size = path, path.with_name(path.name + ".part"), 0
        self.ours = False  # not in the hands of another process
        self._pack = PACKERS.get(path.suffix, bytes)
        self._handle = -1

    def open(self) -> None:
        """Open the file, and keep other processes from it."""
        self.ours = True
        with self.named():
            self._handle = os.open(self.part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.ours = False
            raise DataError(
                f"{self.part}: another process is writing this file; wait for it, or name another "
                "output"
            ) from None
        except OSError:
            return  # a file system that knows no locks

    def cut(self, size: int) -> None:
        """Keep so many bytes, and add to them from now on."""
        if os.lseek(self._handle, 0, os.SEEK_END) < size:
            raise DataError(f"{self.part}: the file was cut short after it was written; {ANEW}")
        os.ftruncate(self._handle, size)
        self.size = os.lseek(self._handle, size, os.SEEK_SET)

    def write(self, text: str) -> None:
        """Add text; something compressed gets it as a member of its own."""
        content = self._pack(text.encode())
        left = memoryview(content)
        with self.named():
            while left:
                left = left[os.write(self._handle, left) :]
        self.size += len(content)

    def sync(self) -> None:
        """See to it that what was written is on the disk."""
        with self.named():
            os.fsync(self._handle)

    def is_empty(self) -> bool:
        """Say whether the file holds nothing."""
        return not self.part.exists() or self.part.stat().st_size == 0

    def discard(self) -> None:
        """Remove the file."""
        with contextlib.suppress(OSError):  # it may never have been there
            self.part.unlink()

    def close(self) -> None:
        """Close the file and let others have it."""
        if self._handle >= 0:
            os.close(self._handle)

    @contextlib.contextmanager
    def named(self) -> Iterator[None]:
        """Let errors in the block tell the name that people gave."""
        try:
            yield
        except OSError as error:
            error.filename = str(self.path)
            raise


class GrowingOutputs:
    """Files that grow together; the first of them gives its name to their note.

    Attributes:
        mark: how far an earlier call had come.
    """

    def __init__(self, paths: Sequence[Path], identity: dict[str, Any], overwrite: bool) -> None:
        """Prepare to write files whose lines follow from a source and from `identity`."""
        self.mark = self._reached = Mark()
        self._parts = [_Part(path) for path in paths]
        self._path = paths[0].with_name(paths[0].name + ".part.json")
        self._identity, self._overwrite = json.loads(json.dumps(identity)), overwrite
        self._temporary = paths[0].with_name(paths[0].name + ".part.json.tmp")

    def write(self, texts: Sequence[str], mark: Mark) -> None:
        """Add whole lines to each file, which with them have come to `mark`."""
        for part, text in zip(self._parts, texts, strict=True):
            part.write(text)
        self._reached, self._sizes = mark, self._sizes_now()
        if time.monotonic() - self._noted >= NOTE_EVERY:
            self._note()

    def __enter__(self) -> "GrowingOutputs":
        """Open the files, cut to what the last note tells of.

        Raises:
            DataError: what is there is of something else, damaged, or in another process's hands.
        """
        note = None if self._overwrite else self._saved()
        try:
            for part in self._parts:
                part.open()
            for part in self._parts:
                part.cut(note.sizes[part.part.name] if note else 0)
            self._sizes = self._sizes_now()
            self.mark = self._reached = note.mark if note else Mark()
            self._note()
            self._noted -= NOTE_EVERY  # the first lines are noted at once
        except BaseException:
            try:
                if all(part.is_empty() for part in self._parts) and self._parts[0].ours:
                    self._discard()
            finally:
                self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._finish()
            elif self._reached.lines:
                self._keep()
            else:
                self._discard()
        finally:
            self._close()

    def _saved(self) -> _Note | None:
        """Return the note that an earlier call left, if there is something to go on with."""
        parts = [part for part in self._parts if part.part.exists()]
        if not self._path.exists():
            for part in parts:
                if part.part.stat().st_size:
                    raise DataError(f"{part.part}: nothing tells what this file is of; {ANEW}")
            return None
        note = _Note.read(self._path)
        if note.complete:
            parts = [part for part in self._parts if self._take_back(part, note)]
        if not parts:
            return None
        if note.identity != self._identity:
            raise DataError(
                f"{parts[0].part}: the file is of a translation with "
                f"{_difference(note.identity, self._identity)}; repeat that command to finish it, "
                f"{ANEW}"
            )
        return note

    @staticmethod
    def _take_back(part: _Part, note: _Note) -> bool:
        """Take the finished name off a file again; says whether the file is there."""
        size = note.sizes.get(part.part.name)
        if not part.part.exists() and part.path.exists() and part.path.stat().st_size == size:
            os.replace(part.path, part.part)
        return part.part.exists()

    def _sizes_now(self) -> dict[str, int]:
        return {part.part.name: part.size for part in self._parts}

    def _note(self, complete: bool = False) -> None:
        """Note how far the files have come, once they are on the disk."""
        for part in self._parts:
            part.sync()
        note = _Note(self._identity, self._reached, self._sizes, complete)
        # Always under the same name, so that nothing is left of it in the end.
        with self._parts[0].named(), open(self._temporary, "w", encoding="utf-8") as file:
            file.write(json.dumps(asdict(note), ensure_ascii=False, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(self._temporary, self._path)
        self._noted = time.monotonic()

    def _finish(self) -> None:
        for part in self._parts:
            if part.size == 0:
                part.write("")  # even nothing has a beginning and an end when it is compressed
        self._sizes = self._sizes_now()
        self._note(complete=True)
        for part in self._parts:
            os.replace(part.part, part.path)
        self._path.unlink()

    def _keep(self) -> None:
        with contextlib.suppress(OSError):  # the disk may be full; the last note stands
            self._note()
        if self._reached.lines > self.mark.lines:
            LOGGER.info(
                f"{self._reached.lines:,} lines are in {self._parts[0].part}; the same command "
                "goes on after them"
            )

    def _discard(self) -> None:
        for part in self._parts:
            if part.ours:
                part.discard()
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
            self._temporary.unlink(missing_ok=True)

    def _close(self) -> None:
        for part in self._parts:
            part.close()


def _difference(before: dict[str, Any], now: dict[str, Any]) -> str:
    """Say in what two identities differ."""
    names = [name for name in before | now if before.get(name) != now.get(name)]
    if "model" in names:
        return "another model"
    told = [f"{name} was {before.get(name)} and is now {now.get(name)}" for name in names]
    return f"other options ({'; '.join(told[:3])})"
