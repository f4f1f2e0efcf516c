"""A corpus as training reads it: a folder of ids, written by `nmt preprocess`."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmt.data.arrays import array_paths, read_array
from nmt.data.vocabulary import Vocabulary
from nmt.errors import DataError, FolderError
from nmt.files import read_manifest

MANIFEST = "corpus.json"
FORMAT_VERSION = 1
SIDES = ("source", "target")
SPLITS = ("train", "valid")


@dataclass(frozen=True)
class Side:
    """One side of a split: N sentences of ids, without BOS and EOS, opened by memory map.

    Attributes:
        ids: the ids of all sentences in a row.
        offsets: (N + 1,); sentence i is ids[offsets[i]:offsets[i + 1]].
    """

    ids: NDArray[np.integer]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> NDArray[np.integer]:
        return self.ids[self.offsets[index] : self.offsets[index + 1]]

    def lengths(self) -> NDArray[np.int64]:
        """Return how many ids each sentence has, (N,)."""
        return np.diff(self.offsets)


@dataclass(frozen=True)
class Split:
    """Sentence pairs: sentence i of the target translates sentence i of the source."""

    source: Side
    target: Side

    def __len__(self) -> int:
        return len(self.source)


@dataclass(frozen=True)
class Corpus:
    """A corpus folder, opened.

    Attributes:
        folder: where it lies.
        manifest: what its corpus.json says.
        source_language: the code of the source language, `und` if nobody named it.
        target_language: the same for the target.
        joint: whether both languages share one vocabulary (which is then the same object).
        train: the pairs to train on.
        valid: the pairs to validate on.
        source_vocabulary: the pieces of the source language.
        target_vocabulary: the pieces of the target language.
        sides: what source and target are called in the folder.
    """

    folder: Path
    manifest: dict[str, Any]
    source_language: str
    target_language: str
    joint: bool
    train: Split
    valid: Split
    source_vocabulary: Vocabulary
    target_vocabulary: Vocabulary
    sides: tuple[str, str] = SIDES

    @classmethod
    def open(cls, folder: Path | str) -> "Corpus":
        """Open a corpus folder and check it.

        Raises:
            FolderError: there is none, or it is damaged, of a newer version or something else.
        """
        folder = Path(folder)
        manifest = read_manifest(folder, MANIFEST, FORMAT_VERSION, "corpus")
        try:
            source, target = (manifest[side] for side in SIDES)
            joint = bool(manifest["joint"])
            source_vocabulary = _vocabulary(folder, source)
            return cls(
                folder=folder,
                manifest=manifest,
                source_language=str(source["language"]),
                target_language=str(target["language"]),
                joint=joint,
                train=_split(folder, "train", manifest),
                valid=_split(folder, "valid", manifest),
                source_vocabulary=source_vocabulary,
                target_vocabulary=source_vocabulary if joint else _vocabulary(folder, target),
            )
        except (KeyError, TypeError, ValueError, OSError, DataError):
            raise _damaged(folder) from None

    def reversed(self) -> "Corpus":
        """Return the same pairs with source and target exchanged, the manifest's too."""
        swapped = dict(zip(SIDES, reversed(SIDES), strict=True))
        splits = {
            name: counts | {f"{side}_tokens": counts[f"{swapped[side]}_tokens"] for side in SIDES}
            for name, counts in self.manifest["splits"].items()
        }
        manifest = self.manifest | {side: self.manifest[swapped[side]] for side in SIDES}
        return replace(
            self,
            manifest=manifest | {"splits": splits},
            source_language=self.target_language,
            target_language=self.source_language,
            train=Split(self.train.target, self.train.source),
            valid=Split(self.valid.target, self.valid.source),
            source_vocabulary=self.target_vocabulary,
            target_vocabulary=self.source_vocabulary,
            sides=(self.sides[1], self.sides[0]),
        )

    @cached_property
    def valid_source_text(self) -> list[str]:
        """The source side of the validation pairs, as it was written."""
        return read_text(self.folder / f"valid.{self.sides[0]}.txt")

    @cached_property
    def valid_target_text(self) -> list[str]:
        """The target side of the validation pairs, as it was written: references for BLEU."""
        return read_text(self.folder / f"valid.{self.sides[1]}.txt")


def read_text(path: Path) -> list[str]:
    """Read one of our own text files, whose lines end at `\\n` and nowhere else."""
    with path.open(encoding="utf-8", newline="\n") as file:
        return [line.removesuffix("\n") for line in file]


def _vocabulary(folder: Path, side: dict[str, Any]) -> Vocabulary:
    vocabulary = Vocabulary.load(folder / side["vocabulary"])
    if len(vocabulary) != side["pieces"]:
        raise _damaged(folder)
    return vocabulary


def _split(folder: Path, name: str, manifest: dict[str, Any]) -> Split:
    expected = manifest["splits"][name]
    sides = {}
    for side in SIDES:
        ids, offsets = array_paths(folder, name, side)
        opened = sides[side] = Side(read_array(ids, "u"), read_array(offsets, "i"))
        counts = (len(opened), len(opened.ids), opened.offsets[-1])
        tokens = expected[f"{side}_tokens"]
        if counts != (expected["pairs"], tokens, tokens):
            raise _damaged(folder)
    return Split(**sides)


def _damaged(folder: Path) -> FolderError:
    return FolderError(
        f"{folder / MANIFEST}: it does not fit the files beside it; make the corpus again"
    )
