"""Files that are either whole or not there, and folders that know what they hold.

Everything is written beside its place, flushed to disk, and renamed. Our folders (corpora, models)
carry a manifest, `corpus.json` or `config.json`, with a format version and the checksum of each
file that must be right for the folder to be used.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from nmt.errors import FolderError

OPEN_FILES = ("/dev/std", "/dev/fd/", "/proc/")  # names of what a process has open already


@contextlib.contextmanager
def atomic_write(path: Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Open a temporary file beside `path`; on success flush it to disk and rename it to `path`.

    On any error, and on Ctrl-C, the temporary file is removed and the old `path` stays whole.
    """
    encoding, newline = (None, None) if "b" in mode else ("utf-8", "\n")
    name = ""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        with open(handle, mode, encoding=encoding, newline=newline) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~umask())  # mkstemp makes files private; ours are ordinary ones
        os.replace(name, path)
        _sync_folder(path.parent)
    except BaseException as error:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        if isinstance(error, OSError) and _is_temporary(error.filename, path):
            error.filename = str(path)  # the temporary name would mean nothing to the user
        raise


def as_text(path: Path | str) -> str:
    """Write a file's name as text; what of it is not UTF-8, as \\xff."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def is_special(path: Path) -> bool:
    """Say whether a path is to be written as it stands: a pipe, a device, or a standard stream.

    `/dev/stdout` may lead to an ordinary file (`> FILE`), but to replace it would take the name
    from all other programs.
    """
    return path.exists() and (not path.is_file() or str(path.absolute()).startswith(OPEN_FILES))


def behind_links(path: Path) -> Path:
    """Return the file that a link leads to, which may still be missing; any other path as it is."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def lock(handle: int) -> bool:
    """Keep other processes from an open file or folder until it is closed.

    Returns:
        false if another process has the lock. A file system that knows no locks gives it to all.
    """
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, atomically."""
    with atomic_write(path) as file:
        file.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(
    folder: Path, name: str, version: int, content: dict[str, Any], files: list[str]
) -> None:
    """Write the manifest `name` of a folder of ours, with the checksums of `files`.

    It is written last: a folder without a manifest is not a folder of ours, so that a crash
    half-way leaves nothing that could be mistaken for a whole one.
    """
    checksums = {file: checksum(folder / file) for file in files}
    write_json(folder / name, {"format_version": version, **content, "files": checksums})


def read_manifest(folder: Path, name: str, version: int, what: str) -> dict[str, Any]:
    """Read the manifest `name` of `folder` and check every file that it lists.

    Args:
        folder: the folder to open.
        name: the manifest's file name.
        version: the newest format version that this program reads.
        what: what the folder should be, for messages: "corpus" or "model".

    Raises:
        FolderError: not such a folder, of a newer version, or a file missing or changed.
    """
    path = folder / name
    if not folder.exists():
        raise FolderError(f"{folder}: there is no such {what} folder")
    if not path.is_file():
        raise FolderError(f"{folder}: this is not a {what} folder (it has no {name})")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        found = manifest["format_version"]
        files = dict(manifest["files"])
    except (ValueError, KeyError, TypeError):
        raise FolderError(f"{path}: the file is damaged; make the {what} again") from None
    if not isinstance(found, int) or found > version:
        raise FolderError(
            f"{path}: format version {found} is newer than this program reads ({version}); "
            "update nmt"
        )
    for file, expected in files.items():
        if not (folder / file).is_file():
            raise FolderError(f"{folder / file}: the file is missing; make the {what} again")
        if checksum(folder / file) != expected:
            raise FolderError(
                f"{folder / file}: the file was changed or cut short after it was written; "
                f"make the {what} again, or copy the folder again"
            )
    return dict(manifest)


def _is_temporary(filename: object, path: Path) -> bool:
    """Tell if an error with this file name (None in a failed write) is about our own file."""
    return filename is None or Path(str(filename)).name.startswith(f".{path.name}.")


def _sync_folder(folder: Path) -> None:
    """Make a rename last: it is the folder that remembers it."""
    with contextlib.suppress(OSError):  # not every file system can
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def umask() -> int:
    """Return which permissions new files and folders do not get."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
