"""Sentence pairs in text files: read in step, and kept in temporary files between passes."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nmt.data.corpus import SIDES
from nmt.data.text import LONGEST_LINE, read_lines
from nmt.errors import DataError
from nmt.files import as_text

Pair = tuple[str, str]
BATCH_PAIRS, BATCH_CHARACTERS = 2_000, 1_000_000


@dataclass
class PairReader:
    """The pairs of some files: line by line the source, and the target that translates it.

    Attributes:
        sources: the source files.
        targets: as many target files.
        what: what they are for, in messages: "training".
        invalid_utf8: see `nmt.data.text.LineReader`.
        checksums: of the files that were read to their end, by name.
    """

    sources: tuple[Path, ...]
    targets: tuple[Path, ...]
    what: str
    invalid_utf8: str
    checksums: dict[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Pair]:
        for source, target in zip(self.sources, self.targets, strict=True):
            yield from self._read(source, target)

    def _read(self, source: Path, target: Path) -> Iterator[Pair]:
        with (
            read_lines(source, self.invalid_utf8, f"{self.what} source", LONGEST_LINE) as left,
            read_lines(target, self.invalid_utf8, f"{self.what} target", LONGEST_LINE) as right,
        ):
            lines = iter(left), iter(right)
            yield from zip(*lines, strict=False)
            for rest in lines:
                deque(rest, maxlen=0)  # to know the number of lines of the longer file
            if left.lines != right.lines:
                raise DataError(
                    f"{source} has {left.lines:,} lines but {target} has {right.lines:,}: each "
                    "line of one must be the translation of the same line of the other"
                )
            self.checksums[as_text(source)] = left.sha256()
            self.checksums[as_text(target)] = right.sha256()


@dataclass(frozen=True)
class PairFiles:
    """Pairs in two temporary files of ours, to be read as often as needed."""

    source: Path
    target: Path

    @classmethod
    def beside(cls, folder: Path, name: str) -> "PairFiles":
        """Name the two files of `name` in `folder`."""
        return cls(*(folder / f"{name}.{side}.txt" for side in SIDES))

    def __iter__(self) -> Iterator[Pair]:
        with (
            self.source.open(encoding="utf-8", newline="\n") as source,
            self.target.open(encoding="utf-8", newline="\n") as target,
        ):
            for left, right in zip(source, target, strict=True):
                yield left.removesuffix("\n"), right.removesuffix("\n")

    def writer(self) -> "PairWriter":
        """Create the files, and write to them."""
        return PairWriter(self)


class PairWriter:
    """Writes pairs to two files; `pairs` counts them."""

    def __init__(self, files: PairFiles) -> None:
        self.pairs = 0
        self._source = files.source.open("w", encoding="utf-8", newline="\n")
        self._target = files.target.open("w", encoding="utf-8", newline="\n")

    def write(self, pairs: list[Pair]) -> None:
        """Append pairs."""
        self._source.write("".join(f"{source}\n" for source, _ in pairs))
        self._target.write("".join(f"{target}\n" for _, target in pairs))
        self.pairs += len(pairs)

    def __enter__(self) -> "PairWriter":
        return self

    def __exit__(self, *error: object) -> None:
        with self._source, self._target:
            pass


def batches(pairs: Iterable[Pair]) -> Iterator[list[Pair]]:
    """Yield pairs in lists that are small, even where lines are long."""
    batch: list[Pair] = []
    characters = 0
    for pair in pairs:
        batch.append(pair)
        characters += len(pair[0]) + len(pair[1])
        if len(batch) == BATCH_PAIRS or characters > BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch
