"""Two ways to cut text by a SentencePiece model: by its own rules, or into whole words."""

import itertools
from collections.abc import Sequence
from typing import Any, AnyStr, Protocol

from nmt.data import words
from nmt.data.protobuf import read_fields, values
from nmt.data.sentencepiece_model import MODEL_TRAINER, tokenizer_of
from nmt.data.special import BOS, EOS, PAD, UNK
from nmt.data.words import SPACE, TIE

# Field numbers in SentencePieceText (sentencepiece.proto).
TEXT_PIECES, COVERED_END = 2, 5
# The first piece of every vocabulary of words that we made. Others may have it, from their text.
SIGN, SIGN_ID = SPACE + TIE, EOS + 1
UNKNOWN = "\u2047"  # what SentencePiece writes for an unknown piece
UNWRITTEN = (PAD, BOS, EOS)


class Cutter(Protocol):
    """Cuts text and puts it together; `nmt.data.vocabulary.Vocabulary` says what each does."""

    def encode(self, lines: list[str], threads: int) -> list[list[int]]:
        """Return the ids of each line."""

    def decode(self, ids: Sequence[Sequence[int]]) -> list[str]:
        """Return the text of ids."""

    def join(self, pieces: Sequence[Sequence[str]]) -> list[str]:
        """Return the text of pieces."""

    def surfaces(self, line: str) -> list[str]:
        """Return the stretches of a line that its pieces cover."""

    def as_piece(self, surfaces: Sequence[str], at: int) -> str:
        """Write a stretch of text as a piece."""


def cutter(processor: Any) -> Cutter:
    """Return what cuts text as this model is meant to."""
    signed = processor.piece_to_id(SIGN) == SIGN_ID
    return WordCutter(processor) if signed and _of_words(processor) else PieceCutter(processor)


def _of_words(processor: Any) -> bool:
    """Say whether a model calls its pieces words."""
    trainer = b"".join(values(processor.serialized_model_proto(), MODEL_TRAINER))
    return tokenizer_of(trainer) == "word"


class PieceCutter:
    """Leaves everything to SentencePiece."""

    def __init__(self, processor: Any) -> None:
        self._processor = processor

    def encode(self, lines: list[str], threads: int) -> list[list[int]]:
        """Return the ids of each line."""
        encoded: list[list[int]] = self._processor.encode(lines, out_type=int, num_threads=threads)
        return encoded

    def decode(self, ids: Sequence[Sequence[int]]) -> list[str]:
        """Return the text of ids."""
        # One by one, because an empty list of sequences would be taken for an empty sequence.
        return [str(self._processor.decode(list(sequence))) for sequence in ids]

    def join(self, pieces: Sequence[Sequence[str]]) -> list[str]:
        """Return the text of pieces."""
        return [str(self._processor.decode_pieces(list(sequence))) for sequence in pieces]

    def surfaces(self, line: str) -> list[str]:
        """Return the stretches of a line that its pieces cover."""
        text = line.encode()
        encoded = self._processor.encode(line, out_type="serialized_proto")
        covered = [dict(read_fields(piece)) for piece in values(encoded, TEXT_PIECES)]
        ends = [int(fields.get(COVERED_END, 0)) for fields in covered]
        return [stretch.decode() for stretch in _stretches(text, ends)]

    def as_piece(self, surfaces: Sequence[str], at: int) -> str:
        """Write a stretch of text as a piece: spaces after it belong to no word."""
        text = surfaces[at]
        return (SPACE if text[:1].isspace() else "") + text.strip()


class WordCutter:
    """Looks up whole words, each unknown one by itself; pieces are words after a SPACE."""

    def __init__(self, processor: Any) -> None:
        pieces = processor.id_to_piece(list(range(processor.get_piece_size())))
        self._words = [piece.removeprefix(SPACE) for piece in pieces]
        self._unknown, self._words[UNK] = self._words[UNK], UNKNOWN
        self._ids = {word: id for id, word in enumerate(self._words) if id > EOS}

    def encode(self, lines: list[str], threads: int) -> list[list[int]]:
        """Return the ids of each line; it is quick enough without threads."""
        return [[self._ids.get(word.text, UNK) for word in words.split(line)] for line in lines]

    def decode(self, ids: Sequence[Sequence[int]]) -> list[str]:
        """Return the text of ids."""
        written = ([id for id in sequence if id not in UNWRITTEN] for sequence in ids)
        return [words.together(self._words[id] for id in sequence) for sequence in written]

    def join(self, pieces: Sequence[Sequence[str]]) -> list[str]:
        """Return the text of pieces."""
        written = (filter(None, map(self._word, sequence)) for sequence in pieces)
        return [words.together(sequence) for sequence in written]

    def _word(self, piece: str) -> str:
        """Return the word of a piece, ties included."""
        return UNKNOWN if piece == self._unknown else piece.removeprefix(SPACE)

    def as_piece(self, surfaces: Sequence[str], at: int) -> str:
        """Write a stretch of text as a piece: a mark has ties where no space stood, as in `split`.

        Of two marks the second one has the tie.
        """
        found = words.split(surfaces[at])
        text = words.together(word.text for word in found)
        if len(found) != 1 or not words.is_mark(text):
            return SPACE + text
        before = at > 0 and not words.is_apart(surfaces[at])
        ahead = "".join(surfaces[at + 1 : at + 2])
        after = any(not words.is_mark(word.text) for word in words.split(ahead)[:1])
        return SPACE + TIE * before + text + TIE * (after and not words.is_apart(ahead))

    def surfaces(self, line: str) -> list[str]:
        """Return the stretches of a line that its words cover."""
        return list(_stretches(line, [word.end for word in words.split(line)]))


def _stretches(text: AnyStr, ends: list[int]) -> list[AnyStr]:
    """Cut a text at these places; the last stretch goes to its end."""
    ends[-1:] = [len(text)] if ends else []
    return [text[a:b] for a, b in itertools.pairwise([0, *ends])]
