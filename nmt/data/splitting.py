"""The raw text of a corpus: read once, freed of empty and repeated pairs, validation set apart.

What is kept lies in temporary files. Pairs go or stay as a whole, so lines never shift.
"""

import itertools
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nmt.data.filters import DUPLICATE, OVERLAP
from nmt.data.holdout import (
    IS_DUPLICATE,
    IS_HELD_OUT,
    IS_OVERLAP,
    KEEP,
    find_duplicates,
    hash_line,
    hold_out,
)
from nmt.data.options import PreprocessOptions
from nmt.data.pairs import PairFiles, PairReader, batches
from nmt.errors import DataError
from nmt.progress import Progress


@dataclass(frozen=True)
class Part:
    """Pairs with text on both sides, in temporary files: where they are, and how many."""

    files: PairFiles
    pairs: int


@dataclass(frozen=True)
class Text(Part):
    """All such pairs of some files.

    Attributes:
        read: how many pairs there were before empty ones were dropped.
        same: of how many pairs both sides are the same text.
        hashes: the file with the hashes of their sentences.
    """

    read: int
    same: int
    hashes: Path


@dataclass(frozen=True)
class Parts:
    """The text to train on, the text to validate on, and what went to neither, by filter."""

    train: Part
    valid: Part
    dropped: Counter[str]


def copy_text(reader: PairReader, work: Path) -> Text:
    """Read all pairs and copy those with text on both sides to files in `work`.

    Raises:
        DataError: a file cannot be used, or there is no pair.
    """
    files, hashes = PairFiles.beside(work, reader.what), work / f"{reader.what}.hashes"
    read = same = 0
    with (
        files.writer() as writer,
        hashes.open("wb") as hashed,
        Progress(None, "pairs", f"Reading the {reader.what} text") as progress,
    ):
        for batch in batches(reader):
            kept = [pair for pair in batch if pair[0].strip() and pair[1].strip()]
            writer.write(kept)
            hashed.write(b"".join(hash_line(side) for pair in kept for side in pair))
            read += len(batch)
            same += sum(source == target for source, target in kept)
            progress.advance(len(batch))
    names = " and ".join(map(str, (*reader.sources, *reader.targets)))
    if read == 0:
        raise DataError(f"{names}: there is no text, not a single line")
    if writer.pairs == 0:
        raise DataError(f"{names}: no line has text on both sides")
    return Text(files, writer.pairs, read, same, hashes)


def part(text: Text, valid: Part | None, options: PreprocessOptions) -> Parts:
    """Drop repeated pairs, if asked for, and hold out validation pairs where none are given.

    Raises:
        DataError: too few pairs are left.
    """
    if valid and not options.dedup:
        return Parts(text, valid, Counter())
    verdicts = _judge(text, options, wants_valid=valid is None)
    train, held_out = (
        _select(text, verdicts, verdict, name)
        for verdict, name in ((KEEP, "train"), (IS_HELD_OUT, "held-out"))
    )
    if train.pairs == 0:
        raise DataError(
            "no pair is left to train on: every one shares a sentence with the pairs held out for "
            "validation; name validation files, or add text"
        )
    counts = np.bincount(verdicts, minlength=IS_OVERLAP + 1).tolist()
    dropped = Counter({DUPLICATE: counts[IS_DUPLICATE], OVERLAP: counts[IS_OVERLAP]})
    return Parts(train, valid or held_out, dropped)


def _select(text: Text, verdicts: NDArray[np.uint8], verdict: int, name: str) -> Part:
    """Copy the pairs that got a certain verdict to files of their own."""
    files = PairFiles.beside(text.files.source.parent, name)
    start = 0
    with files.writer() as writer:
        for batch in batches(text.files):
            keep = verdicts[start : start + len(batch)] == verdict
            writer.write(list(itertools.compress(batch, keep)))
            start += len(batch)
    return Part(files, writer.pairs)


def _judge(text: Text, options: PreprocessOptions, wants_valid: bool) -> NDArray[np.uint8]:
    """Return the verdict on each pair, (P,)."""
    hashes = np.memmap(text.hashes, np.uint64, "r").reshape(-1, 2)
    verdicts = np.full(text.pairs, KEEP, np.uint8)
    if options.dedup:
        find_duplicates(hashes, verdicts)
    if wants_valid:
        if (verdicts == KEEP).sum() < 2:
            raise DataError(
                "there is only one pair of sentences, and a corpus needs two, one to train on and "
                "one to validate on; add text, or name validation files"
            )
        hold_out(hashes, verdicts, options.seed)
    return verdicts
