"""Vocabularies: text to piece ids and back, as a SentencePiece model says."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sentencepiece

from nmt.data.cutting import cutter
from nmt.data.special import BOS, EOS, PAD, UNK
from nmt.errors import DataError


class Vocabulary:
    """The pieces of one language, or of two languages together.

    Attributes:
        path: where its SentencePiece model lies.
    """

    def __init__(self, path: Path) -> None:
        """Load a SentencePiece model that has our ids; see `load`."""
        self.path = path
        self._processor = open_model(path.read_bytes(), path)
        if not has_our_ids(self._processor):
            raise DataError(
                f"{path}: the ids of <pad>, <unk>, <s>, </s> are not 0, 1, 2, 3; make the corpus "
                "with --source-vocab and --target-vocab, which renumber a model's pieces"
            )
        self._cutter = cutter(self._processor)

    @classmethod
    def load(cls, path: Path | str) -> "Vocabulary":
        """Load a vocabulary.

        Raises:
            DataError: no SentencePiece model, or one with other special ids than ours.
        """
        return cls(Path(path))

    def __len__(self) -> int:
        return int(self._processor.get_piece_size())

    def encode(self, lines: list[str], threads: int = 1) -> list[list[int]]:
        """Cut each line into pieces and return their ids, without BOS and EOS."""
        return self._cutter.encode(lines, threads)

    def decode(self, ids: Sequence[Sequence[int]]) -> list[str]:
        """Return the text of each sequence of ids. PAD, BOS and EOS leave no trace in it."""
        return self._cutter.decode(ids)

    def join(self, pieces: Sequence[Sequence[str]]) -> list[str]:
        """Return the text of each sequence of pieces; one that is not in the vocabulary is itself.

        So text in the place of an unknown piece (see `as_piece`) comes out as it is.
        """
        return self._cutter.join(pieces)

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """Return the pieces that the ids stand for."""
        return [str(self._processor.id_to_piece(id)) for id in ids]

    def id(self, piece: str) -> int:
        """Return the id of a piece, UNK if there is none."""
        return int(self._processor.piece_to_id(piece))

    def surfaces(self, line: str) -> list[str]:
        """Return, for each piece of `encode([line])`, the stretch of `line` that it covers.

        Together they are the line, unless it has no piece at all. They hold the spaces before
        words as they were; a piece that shares a character with the next one (after
        normalisation) may cover nothing.
        """
        return self._cutter.surfaces(line)

    def as_piece(self, surfaces: Sequence[str], at: int) -> str:
        """Write one of the stretches of a text as a piece to be joined with pieces.

        The text may be of another language, cut by another vocabulary. Where a space stood before
        the stretch, or around it, there is one again.
        """
        return self._cutter.as_piece(surfaces, at)


def open_model(content: bytes, path: Path) -> Any:
    """Return SentencePiece's processor for the content of a model file.

    Raises:
        DataError: it is not a SentencePiece model.
    """
    try:
        return sentencepiece.SentencePieceProcessor(model_proto=content)
    except (RuntimeError, ValueError, OSError):
        raise no_model(path) from None


def no_model(path: Path) -> DataError:
    """Return the error for a file that is not a SentencePiece model."""
    return DataError(f"vocabulary {path}: this is not a SentencePiece model")


def has_our_ids(processor: Any) -> bool:
    """Say whether the special pieces of a model have the ids that we rely on."""
    ids = (processor.pad_id(), processor.unk_id(), processor.bos_id(), processor.eos_id())
    return ids == (PAD, UNK, BOS, EOS)
