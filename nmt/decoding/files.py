"""Translating from a file, or a pipe, or a terminal, to a file or a pipe."""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from nmt.data.text import LONGEST_LINE, count_lines, read_lines
from nmt.decoding.growing import Mark
from nmt.decoding.outputs import check_growing, open_outputs
from nmt.decoding.recipe import Recipe
from nmt.decoding.team import Job, choose_workers, open_team
from nmt.decoding.windows import WINDOW_LINES, cut
from nmt.decoding.writers.options import WriterOptions
from nmt.errors import DataError, SettingError, UsageError
from nmt.hardware import wanted_cores
from nmt.progress import Progress


@dataclass(frozen=True)
class TranslateOptions:
    """How to read and write."""

    writers: WriterOptions = field(default_factory=WriterOptions)  # what is written
    prefixes: bool = False  # a tab in a line is followed by what its translation begins with
    invalid_utf8: str = "replace"  # error, replace, or skip (an empty line)
    stream: bool = False  # translate whatever is waiting at once
    overwrite: bool = False  # begin anew where an earlier call was interrupted
    workers: int | None = None  # processes that translate; None chooses by the source's length

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise SettingError(f"the number of workers must be 1 or more, not {self.workers}")
        if self.stream and (self.workers or 1) > 1:
            raise UsageError("--stream answers in one process: leave out --workers")

    def identity(self) -> dict[str, Any]:
        """Return what the outputs follow from."""
        reading = {"prefixes": self.prefixes, "invalid_utf8": self.invalid_utf8}
        return reading | asdict(self.writers)


@dataclass(frozen=True)
class TranslateReport:
    """What was done."""

    lines: int


def translate_file(
    recipe: Recipe,
    source: Path | str = "-",
    output: Path | str = "-",
    options: TranslateOptions | None = None,
) -> TranslateReport:
    """Translate every line of `source`, in order, in bounded memory; `-` is standard in and out.

    An output file grows under the name OUTPUT.part; after an interruption the same call goes on
    with it (see nmt/decoding/growing.py).

    Raises:
        FolderError: the recipe's model is none, or damaged.
        DataError: the source cannot be read, or is not UTF-8 under `invalid_utf8="error"`, or
            has a line over a megabyte; or the unfinished output of another call is in the way.
        UsageError: an output is a folder, or the source itself, or another output, or one of
            these has a name that an output needs while it grows; or several translations of a
            line would be written as plain text.
    """
    options = options or TranslateOptions()
    _check_format(recipe.search.n_best, options.writers.format)
    outputs = options.writers.outputs(str(output))
    check_growing(source, outputs)
    recipe.check()
    with (
        read_lines(source, options.invalid_utf8, longest=LONGEST_LINE) as reader,
        open_outputs(
            outputs, lambda: recipe.identity() | options.identity(), options.overwrite
        ) as out,
    ):
        lines = _Lines(reader.name, iter(reader), out.mark)
        total, done = count_lines(source), out.mark.lines
        left = None if options.stream or total is None else total - done
        count = options.workers or choose_workers(left, recipe.device, wanted_cores())
        job = Job(recipe, options.writers, reader.name, options.prefixes)
        with (
            open_team(job, count) as team,
            Progress(total, "lines", "Translating", done) as bar,
        ):
            for finished in team.work(cut(lines, options.stream, total, done)):
                out.write(finished.texts, lines.count(finished.window.lines))
                bar.advance(len(finished.window.lines))
    return TranslateReport(lines.done.lines)


class _Lines:
    """The lines of a source that are still to be translated."""

    def __init__(self, name: str, lines: Iterator[str], mark: Mark) -> None:
        """Pass over the lines up to `mark`.

        Raises:
            DataError: they are not those that were translated.
        """
        self._lines, self._digest, self.done = lines, hashlib.sha256(), Mark()
        left = mark.lines
        while passed := list(islice(lines, min(left, WINDOW_LINES))):
            self.count(passed)
            left -= len(passed)
        if self.done != mark:
            raise DataError(
                f"{name}: these are not the lines that were translated before the interruption "
                f"(the first {mark.lines:,}); give the same source again, or begin anew with "
                "--overwrite"
            )

    def __iter__(self) -> Iterator[str]:
        return self._lines

    def count(self, lines: list[str]) -> Mark:
        """Count the next lines as done; returns how many are, with their checksum."""
        self._digest.update("".join(f"{line}\n" for line in lines).encode())
        self.done = Mark(self.done.lines + len(lines), self._digest.hexdigest())
        return self.done


def _check_format(n_best: int, chosen: str) -> None:
    if n_best > 1 and chosen == "text":
        raise UsageError(
            f"--n-best {n_best}: plain text has one translation a line; add --format nbest or "
            "--format json"
        )
