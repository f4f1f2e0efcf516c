"""Where translations go: files that grow and can be gone on with, or a pipe."""

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol

from nmt.data.text import open_output
from nmt.decoding.growing import GrowingOutputs, Mark, working_files
from nmt.errors import UsageError
from nmt.files import is_special


class Outputs(Protocol):
    """Some files, open for whole lines.

    Attributes:
        mark: how far an earlier call had come.
    """

    mark: Mark

    def write(self, texts: Sequence[str], mark: Mark) -> None:
        """Add whole lines to each file, which with them have come to `mark`."""


class DirectOutputs:
    """Files of which one is a pipe or the like, so that nobody could go on after a stop."""

    def __init__(self, paths: Sequence[str]) -> None:
        """Prepare to write files; `-` is standard output."""
        self.mark, self._paths, self._stack = Mark(), paths, ExitStack()
        self._files: list[IO[str]] = []

    def write(self, texts: Sequence[str], mark: Mark) -> None:
        """Add lines to each file, and let them go at once."""
        for file, text in zip(self._files, texts, strict=True):
            file.write(text)
            file.flush()

    def __enter__(self) -> "DirectOutputs":
        with ExitStack() as stack:
            self._files = [stack.enter_context(open_output(path)) for path in self._paths]
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)


def open_outputs(
    paths: Sequence[str], identity: Callable[[], dict[str, Any]], overwrite: bool
) -> AbstractContextManager[Outputs]:
    """Open files to be written line by line, together.

    Args:
        paths: the files; `-` is standard output.
        identity: tells all that the lines follow from, but for the source. A pipe needs none, and
            reading a large model for it takes a second.
        overwrite: begin anew, whatever an earlier call has left.

    Raises:
        DataError: (on entering) something unfinished is in the way that cannot be gone on with.
    """
    if _grow(paths):
        return GrowingOutputs([Path(path) for path in paths], identity(), overwrite)
    return DirectOutputs(paths)


def _grow(paths: Sequence[str]) -> bool:
    return all(path != "-" and not is_special(Path(path)) for path in paths)


def check_growing(source: Path | str, outputs: Sequence[str]) -> None:
    """Refuse outputs for `open_outputs` that would replace the source, or each other.

    Raises:
        UsageError: as for `check_outputs`; or the source or an output has a name that an output
            needs while it grows.
    """
    check_outputs([source], outputs)
    if not _grow(outputs):
        return
    for working in working_files([Path(output) for output in outputs]):
        for path in (source, *outputs):
            if str(path) != "-" and _same(Path(path), working):
                raise UsageError(
                    f"{path}: an output needs this name while it grows; name another output"
                )


def check_outputs(sources: Sequence[Path | str], outputs: Sequence[Path | str]) -> None:
    """Refuse outputs that would replace a source, or each other; `-` is no file.

    Raises:
        UsageError: an output is a folder, or a source, or another output.
    """
    files = [Path(path) for path in outputs if str(path) != "-"]
    for output in files:
        if output.is_dir():
            raise UsageError(f"{output}: this is a folder; name a file to write")
        for source in sources:
            if str(source) != "-" and output.exists() and _same(Path(source), output):
                raise UsageError(
                    f"{output}: this is read, and would be replaced by what is written; name "
                    "another output"
                )
    standard = {str(path) for path in outputs} & {"-"}
    if len({*map(os.path.realpath, files), *standard}) < len(outputs):
        raise UsageError(f"{outputs[0]}: this is named for two outputs; name another for one")


def _same(one: Path, other: Path) -> bool:
    """Say whether two names are of one file, which may still be missing."""
    if one.exists() and other.exists():
        return one.samefile(other)
    return os.path.realpath(one) == os.path.realpath(other)
