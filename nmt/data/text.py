"""Text files, read and written line by line.

A line ends at `\\n` and nowhere else; a `\\r` before it is dropped. Everything that Python or
Unicode also call a line break (U+2028, U+0085, form feeds) is ordinary text here, because a reader
that splits there shifts the pairing of two files for good.
"""

import contextlib
import gzip
import hashlib
import io
import logging
import lzma
import sys
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from nmt.errors import DataError, SettingError
from nmt.files import atomic_write, behind_links, is_special

LOGGER = logging.getLogger("nmt")
INVALID_UTF8 = ("error", "replace", "skip")
BLOCK = 1 << 20  # bytes asked for at a time; a pipe gives what it has
# Bytes of a line. What goes on for longer is no text with a sentence a line, and fills the memory.
LONGEST_LINE = 1 << 20
LONGEST_TRANSLATION = 16 * LONGEST_LINE  # of the longest line, in whatever language
BOM = b"\xef\xbb\xbf"
# What compressed files begin with, and the program that unpacks them.
MAGIC = {b"\x1f\x8b": "gzip", b"\xfd7zXZ": "xz", b"BZh": "bzip2", b"\x28\xb5\x2f\xfd": "zstd"}
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
COMPRESSED: dict[str, Any] = {".gz": gzip.GzipFile, ".xz": lzma.LZMAFile}
DAMAGE = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile)
WHY_UNREADABLE = {
    FileNotFoundError: "there is no such file",
    IsADirectoryError: "this is a folder, not a text file",
    PermissionError: "the file cannot be read: permission denied",
}


class LineReader:
    """The lines of a UTF-8 text, one after the other, in constant memory.

    Iterate over it, or over `blocks()` where a list of lines at a time is quicker. A byte order
    mark at the very start is dropped.

    Attributes:
        lines: how many lines were read so far.
        invalid: how many of them were not valid UTF-8.
    """

    def __init__(
        self,
        path: str | Path,
        invalid_utf8: str = "error",
        what: str = "",
        longest: int | None = None,
    ) -> None:
        """Open a file; `-` is standard input, and `.gz` and `.xz` are decompressed.

        Args:
            path: the file.
            invalid_utf8: what becomes of a line that is not UTF-8: `error` raises, `replace` puts
                U+FFFD in the place of what cannot be read, `skip` gives an empty line.
            what: what the file is, for messages: "training source".
            longest: how many bytes a line may have, BLOCK or more; None is any number.

        Raises:
            DataError: it cannot be opened.
            SettingError: an unknown `invalid_utf8`.
        """
        if invalid_utf8 not in INVALID_UTF8:
            raise SettingError(
                f"--invalid-utf8 {invalid_utf8}: choose one of {', '.join(INVALID_UTF8)}"
            )
        self.path, self.lines, self.invalid = str(path), 0, 0
        self.name = "standard input" if self.path == "-" else self.path
        if what:
            self.name = f"{what} {self.name}"
        self._invalid_utf8, self._first_invalid, self._longest = invalid_utf8, 0, longest
        self._digest = hashlib.sha256()
        self._reading = threading.Lock()  # held by whoever waits for the file
        self._file = self._open()

    def __iter__(self) -> Iterator[str]:
        for block in self.blocks():
            yield from block

    def blocks(self) -> Iterator[list[str]]:
        """Yield the lines in lists, as many at a time as one reading of the file gave.

        Raises:
            DataError: bytes that are not UTF-8 (under `error`), a line too long, or a damaged
            compressed file.
        """
        begun: list[bytes] = []  # the pieces of a line whose end is still to come
        for chunk in self._chunks():
            cut = chunk.rfind(b"\n")
            self._check_length(sum(map(len, begun)), chunk)
            if cut < 0:
                begun.append(chunk)
                continue
            begun.append(chunk[: cut + 1])
            yield self._split(b"".join(begun).replace(b"\r\n", b"\n")[:-1])
            begun = [chunk[cut + 1 :]] if cut + 1 < len(chunk) else []
        if begun:
            yield self._split(b"".join(begun))
        self._warn()

    def _check_length(self, before: int, chunk: bytes) -> None:
        """Refuse a line that goes on for too long, before all of it is in memory.

        Only the first line of a chunk can have begun before: the others are shorter than BLOCK.
        """
        end = chunk.find(b"\n")
        length = before + (end if end >= 0 else len(chunk))
        if self._longest is not None and length > self._longest:
            raise DataError(
                f"{self.name}: line {self.lines + 1:,} has more than {self._longest:,} bytes; is "
                "this a text with a sentence a line?"
            )

    def sha256(self) -> str:
        """Return the checksum of what was read so far (after decompression)."""
        return self._digest.hexdigest()

    def close(self) -> None:
        """Close the file; standard input stays open.

        So does a pipe in which another thread waits for a line: to close it, Python would wait too.
        """
        if self.path != "-" and self._reading.acquire(blocking=False):
            try:
                self._file.close()
            finally:
                self._reading.release()

    def __enter__(self) -> "LineReader":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _open(self) -> Any:
        if self.path == "-":
            # Not sys.stdin.buffer: a thread that waits in it would end the interpreter badly.
            return open(0, "rb", closefd=False)
        opener = COMPRESSED.get(Path(self.path).suffix, open)
        try:
            return opener(self.path, "rb")
        except OSError as error:
            raise self._unreadable(error) from None

    def _chunks(self) -> Iterator[bytes]:
        try:
            while chunk := self._read():
                self._digest.update(chunk)
                yield chunk
        except DAMAGE:
            raise DataError(
                f"{self.name}: the compressed file is damaged or cut short after "
                f"{self.lines:,} lines"
            ) from None
        except OSError as error:
            raise self._unreadable(error) from None

    def _read(self) -> bytes:
        with self._reading:
            chunk: bytes = self._file.read1(BLOCK)
        return chunk

    def _unreadable(self, error: OSError) -> DataError:
        why = WHY_UNREADABLE.get(type(error), f"the file cannot be read: {error.strerror}")
        return DataError(f"{self.name}: {why}")

    def _split(self, block: bytes) -> list[str]:
        """Decode whole lines without the last one's line end."""
        if self.lines == 0:
            self._refuse_compressed(block)
            block = block.removeprefix(BOM)
        try:
            lines = block.decode("utf-8").split("\n")
        except UnicodeDecodeError:
            lines = [
                self._decode(line, number)
                for number, line in enumerate(block.split(b"\n"), start=self.lines + 1)
            ]
        self.lines += len(lines)
        return lines

    def _refuse_compressed(self, block: bytes) -> None:
        for magic, program in MAGIC.items():
            if block.startswith(magic):
                raise DataError(
                    f"{self.name}: this is compressed by {program}, not text; unpack it first "
                    f"({program} -dc), or give a file whose name ends in .gz or .xz"
                )

    def _decode(self, line: bytes, number: int) -> str:
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError as error:
            utf16 = number == 1 and line.startswith(UTF16_MARKS)
            if self._invalid_utf8 == "error" or utf16:
                raise DataError(self._describe(line, number, error.start)) from None
        self.invalid += 1
        self._first_invalid = self._first_invalid or number
        return line.decode("utf-8", "replace") if self._invalid_utf8 == "replace" else ""

    def _describe(self, line: bytes, number: int, position: int) -> str:
        if number == 1 and line.startswith(UTF16_MARKS):
            return (
                f"{self.name}: the file is UTF-16; convert it to UTF-8 (iconv -f UTF-16 -t UTF-8)"
            )
        return (
            f"{self.name}: line {number:,}, byte {position + 1:,} (0x{line[position]:02x}) is not "
            "valid UTF-8; convert the file to UTF-8, or choose --invalid-utf8 replace or skip"
        )

    def _warn(self) -> None:
        if self.invalid:
            fate = {"replace": "what is unreadable became U+FFFD", "skip": "they count as empty"}
            LOGGER.warning(
                f"{self.name}: not valid UTF-8 in {self.invalid:,} of {self.lines:,} lines (the "
                f"first is line {self._first_invalid:,}); {fate[self._invalid_utf8]}"
            )


def read_lines(
    path: str | Path, invalid_utf8: str = "error", what: str = "", longest: int | None = None
) -> LineReader:
    """Open `path` for reading line by line; see `LineReader`."""
    return LineReader(path, invalid_utf8, what, longest)


def count_lines(path: str | Path) -> int | None:
    """Count the lines of an ordinary file, for progress bars; None for anything else."""
    name, path = str(path), Path(path)
    if name == "-" or not path.is_file() or path.suffix in COMPRESSED:
        return None
    lines, last = 0, b""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            lines, last = lines + block.count(b"\n"), block[-1:]
    return lines + (last not in (b"", b"\n"))  # the last line may have no end


@contextlib.contextmanager
def open_output(path: str | Path) -> Iterator[IO[str]]:
    """Open a text file for writing: UTF-8, `\\n` line ends.

    `-` is standard output. A file appears whole when the block ends well, and not at all
    otherwise; `.gz` and `.xz` are compressed. A link stays, and the file that it leads to is
    written. A pipe, a device or a standard stream is written to as it stands.
    """
    if str(path) == "-":
        out = io.TextIOWrapper(sys.stdout.buffer, "utf-8", newline="\n")
        try:
            yield out
            out.flush()
        finally:
            out.detach()  # or closing the wrapper would close standard output
        return
    with _open_bytes(Path(path)) as raw, _compressor(Path(path).suffix, raw) as packed:
        text = io.TextIOWrapper(packed, "utf-8", newline="\n")
        yield text
        text.flush()
        text.detach()


def _open_bytes(path: Path) -> contextlib.AbstractContextManager[IO[bytes]]:
    if is_special(path):
        return open(path, "ab")  # what is behind /dev/stdout may hold lines already (`>> FILE`)
    return atomic_write(behind_links(path), "wb")


def _compressor(suffix: str, raw: IO[bytes]) -> contextlib.AbstractContextManager[Any]:
    if suffix == ".gz":
        # No file name and no time inside, so that the same text gives the same bytes.
        return gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0)
    if suffix == ".xz":
        return lzma.LZMAFile(raw, "wb")
    return contextlib.nullcontext(raw)
