"""Files that grow by whole lines, and go on growing after an interruption.

OUT grows under the name OUT.part. OUT.part.json notes what its lines follow from, and at most twice
a second how many lines of the source it has come to. The next call cuts off what was written after
the last note, and goes on; at the end OUT.part becomes OUT. So a process may be killed at any
moment, and the file in the end is the one that it would have been. Where OUT is a link, all of this
happens to the file that it leads to.
"""

import contextlib
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
from nmt.files import behind_links, lock

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
    sizes: dict[str, int]  # by the path from here; what lies beyond is not counted
    complete: bool  # nothing is missing but the files' names

    @staticmethod
    def read(path: Path) -> "_Note":
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            sizes = {str(name): int(size) for name, size in content.pop("sizes").items()}
            return _Note(mark=Mark(**content.pop("mark")), sizes=sizes, **content)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise DataError(f"{path}: the file is damaged; {ANEW}") from None


def working_files(paths: Sequence[Path]) -> list[Path]:
    """Return the names that files need besides their own while they grow together.

    These are a part for each, the note, and the name that the note is written under.
    """
    parts = [_beside(path, ".part") for path in paths]
    return [*parts, _beside(paths[0], ".part.json"), _beside(paths[0], ".part.json.tmp")]


def _beside(path: Path, suffix: str) -> Path:
    file = behind_links(path)
    return file.with_name(file.name + suffix)


class _Part:
    """One of the files, while it grows."""

    def __init__(self, path: Path, part: Path) -> None:
        self.path, self.part, self.size = behind_links(path), part, 0
        self.new = False  # it was not there before, and is in no other process's hands
        self._pack = PACKERS.get(path.suffix, bytes)
        self._handle = -1

    def open(self) -> None:
        """Open the file, and keep other processes from it."""
        while not self._is_open():
            self.close()  # another process finished it before we had the lock
            self.new = not self.part.exists()  # beforehand: a signal may come at any moment
            try:
                self._handle = self._lock(self.part, os.O_CREAT)
            except DataError:
                self.new = False
                raise

    def is_finished(self, size: int | None) -> bool:
        """Say whether it has its finished name already, and this size."""
        return self.new and self.path.is_file() and self.path.stat().st_size == size

    def take_back(self) -> None:
        """Take the finished name off the file again."""
        empty, self._handle = self._handle, self._lock(self.path)
        try:
            os.replace(self.path, self.part)
        finally:
            os.close(empty)
        self.new = False

    def _lock(self, path: Path, flags: int = 0) -> int:
        with self.named():
            handle = os.open(path, os.O_RDWR | os.O_CLOEXEC | flags, 0o666)
        if not lock(handle):
            os.close(handle)
            raise DataError(
                f"{self.part}: another process is writing this file; wait for it, or name another "
                "output"
            )
        return handle

    def _is_open(self) -> bool:
        """Say whether what is open still has the name that it was opened by."""
        with contextlib.suppress(FileNotFoundError):
            return self._handle >= 0 and os.path.samestat(os.fstat(self._handle), self.part.stat())
        return False

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

    def discard(self) -> None:
        """Remove the file."""
        with contextlib.suppress(OSError):  # it may never have been there
            self.part.unlink()

    def close(self) -> None:
        """Close the file and let others have it."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    @contextlib.contextmanager
    def named(self) -> Iterator[None]:
        """Let errors in the block tell the name of the finished file."""
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
        *parts, self._path, self._temporary = working_files(paths)
        self._parts, self._begun = list(map(_Part, paths, parts)), False
        self._identity, self._overwrite = json.loads(json.dumps(identity)), overwrite
        self._sizes, self._noted = self._sizes_now(), 0.0  # as noted last, and when

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
        try:
            for part in self._parts:
                part.open()
            note = None if self._overwrite else self._saved()
            for part in self._parts:
                part.cut(note.sizes[self._name(part)] if note else 0)
            self._sizes = self._sizes_now()
            self.mark = self._reached = note.mark if note else Mark()
            self._begun = True  # from here on the note is in our hands too
            self._note()
            self._noted -= NOTE_EVERY  # the first lines are noted at once
        except BaseException:
            try:
                self._discard([part for part in self._parts if part.new])
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
                self._discard(self._parts)
        finally:
            self._close()

    def _saved(self) -> _Note | None:
        """Return the note that an earlier call left, if there is something to go on with."""
        parts = [part for part in self._parts if not part.new]
        if not self._path.exists():
            for part in parts:
                if part.part.stat().st_size:
                    raise DataError(f"{part.part}: nothing tells what this file is of; {ANEW}")
            return None
        note = _Note.read(self._path)
        sizes = note.sizes if note.complete else {}
        finished = [part for part in self._parts if part.is_finished(sizes.get(self._name(part)))]
        if not (parts or finished):
            return None
        difference = _difference(note.identity, self._identity)
        if not difference and note.sizes.keys() != self._sizes.keys():
            difference = "other outputs"  # their names are from another folder, say
        if difference:
            raise DataError(
                f"{(parts or finished)[0].part}: the file is of a translation with {difference}; "
                f"repeat that command to finish it, {ANEW}"
            )
        for part in finished:
            part.take_back()
        return note

    def _sizes_now(self) -> dict[str, int]:
        return {self._name(part): part.size for part in self._parts}

    def _name(self, part: _Part) -> str:
        """Name a file in the note, by its path from there: two files may have one name."""
        return os.path.relpath(part.part, self._path.parent)

    def _note(self, complete: bool = False) -> None:
        """Note how far the files have come, once they are on the disk."""
        for part in self._parts:
            part.sync()
        note = _Note(self._identity, self._reached, self._sizes, complete)
        # Always under the same name, so that nothing is left of it in the end.
        with self._parts[0].named(), open(self._temporary, "w", encoding="utf-8") as file:
            file.write(json.dumps(asdict(note), indent=2) + "\n")  # names may be no UTF-8
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
            same = "the same command" + " without --overwrite" * self._overwrite
            LOGGER.info(
                f"{self._reached.lines:,} lines are in {self._parts[0].part}; {same} "
                "goes on after them"
            )

    def _discard(self, parts: list[_Part]) -> None:
        """Remove some of the files, and with all of them their note."""
        for part in parts:
            part.discard()
        with contextlib.suppress(OSError):
            if self._begun:
                self._temporary.unlink(missing_ok=True)
            if self._begun and len(parts) == len(self._parts):
                self._path.unlink(missing_ok=True)

    def _close(self) -> None:
        for part in self._parts:
            part.close()


def _difference(before: dict[str, Any], now: dict[str, Any]) -> str:
    """Say in what two identities differ; nothing if they are the same."""
    names = [name for name in before | now if before.get(name) != now.get(name)]
    if "model" in names:
        return "another model"
    told = [f"{name} was {before.get(name)} and is now {now.get(name)}" for name in names]
    return f"other options ({'; '.join(told[:3])})" if told else ""
