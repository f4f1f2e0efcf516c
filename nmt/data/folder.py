"""Building a corpus folder beside its place, so that it appears whole or not at all."""

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from nmt.data.arrays import array_paths
from nmt.data.corpus import MANIFEST, SIDES, SPLITS
from nmt.errors import FolderError

NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# What a corpus folder may hold; anything else in it is somebody's own and not ours to delete.
OURS = {
    *(path.name for split in SPLITS for side in SIDES for path in array_paths(Path(), split, side)),
    *(f"valid.{side}.txt" for side in SIDES),
    *("source.model", "target.model", "joint.model", MANIFEST),
}
NOBODYS = ".DS_Store"  # the Finder of macOS leaves it wherever it looks


@contextlib.contextmanager
def build_folder(output: Path, overwrite: bool) -> Iterator[Path]:
    """Give a new, empty folder to fill; when the block ends well it becomes `output`.

    On any error, and on Ctrl-C, it is removed, and an older corpus in `output` stays whole.

    Raises:
        FolderError: `output` holds a corpus and may not be overwritten, or holds something else.
        OSError: it cannot be created, or the disk is full.
    """
    check_output(output, overwrite)
    named, output = output, Path(os.path.abspath(output))
    made: list[Path] = []
    try:
        _make_parents(output, made)
        building = _make_beside(output, "tmp")
        try:
            yield building
            _flush(building)
            check_output(named, overwrite)  # something may have been put there meanwhile
            _replace(output, building)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
    except BaseException as error:
        for folder in reversed(made):
            with contextlib.suppress(OSError):
                folder.rmdir()
        if isinstance(error, OSError) and error.errno in NO_SPACE:
            raise OSError(error.errno, error.strerror, str(output)) from error
        raise


def check_output(output: Path, overwrite: bool) -> None:
    """Check that a corpus may be written to `output`.

    Raises:
        FolderError: it may not, and why.
    """
    if output.is_symlink() and output.is_dir():
        raise FolderError(f"{output}: this is a link; give the folder that it leads to")
    if output.is_symlink() or not output.is_dir():
        if output.is_symlink() or output.exists():
            raise FolderError(f"{output}: this is no folder; choose another name for the corpus")
        return
    names = sorted(path.name for path in output.iterdir() if path.name != NOBODYS)
    foreign = [name for name in names if name not in OURS]
    if names and (foreign or MANIFEST not in names):
        example = (foreign or names)[0]
        raise FolderError(
            f"{output}: the folder holds something other than a corpus ('{example}'); choose "
            "another folder"
        )
    if names and not overwrite:
        raise FolderError(
            f"{output}: the folder holds a corpus already; add --overwrite to replace it, or "
            "choose another folder"
        )


def _make_parents(output: Path, made: list[Path]) -> None:
    """Create the folders above `output` and note which ones are new."""
    for folder in reversed(output.parents):
        if not folder.exists():
            folder.mkdir()
            made.append(folder)


def _make_beside(output: Path, suffix: str) -> Path:
    """Create an empty folder in the folder of `output`, so that a rename can move it there."""
    folder = output.parent / f".{output.name}.{secrets.token_hex(4)}.{suffix}"
    try:
        folder.mkdir()
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(output)) from None
    return folder


def _flush(folder: Path) -> None:
    """Wait until the content of all files is on the disk: a rename alone promises nothing."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _replace(output: Path, building: Path) -> None:
    """Put the new folder into its place, and only then delete what was there."""
    if not output.exists():
        os.rename(building, output)
        return
    old = _make_beside(output, "old")
    os.rename(output, old)  # an empty folder may be renamed onto
    try:
        os.rename(building, output)
    except BaseException:
        os.rename(old, output)
        raise
    shutil.rmtree(old, ignore_errors=True)
