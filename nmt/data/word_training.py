"""Makes vocabularies of words: those that a text has often enough, the most frequent first."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from nmt.data.adoption import Model, renumber
from nmt.data.cutting import SIGN
from nmt.data.options import MIN_FREQUENCY, PreprocessOptions
from nmt.data.protobuf import bytes_field, varint_field
from nmt.data.sentencepiece_model import (
    MODEL_NORMALIZER,
    NORMALIZER_NAME,
    PIECE_TEXT,
    TRAINER_TYPE,
    WORD_TYPE,
)
from nmt.data.vocabulary_training import Sample
from nmt.data.words import SPACE, split
from nmt.errors import DataError

LARGEST = 50_000  # words, when the size is ours to choose
OTHERS = 5  # pad, unk, bos, eos, and the sign


@dataclass(frozen=True)
class WordModel:
    """A vocabulary of words, and what it leaves out.

    Attributes:
        model: the content of its file.
        words: how many words it has.
        least: how often the rarest of them occurs.
        left_out: how many different words it has not.
        unknown: the share of the text that these are.
    """

    model: bytes
    words: int
    least: int
    left_out: int
    unknown: float


def train_words(samples: list[Sample], options: PreprocessOptions) -> WordModel:
    """Make a vocabulary of the words of one language or two.

    Raises:
        DataError: no word occurs often enough.
    """
    counts = count_words(samples)
    if not counts:
        raise DataError("there is no text to make a vocabulary from: the lines hold no letters")
    lowest = options.min_frequency or MIN_FREQUENCY
    room = LARGEST if options.vocabulary_size is None else options.vocabulary_size - OTHERS
    order = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    kept = [(word, count) for word, count in order[:room] if count >= lowest]
    if not kept:
        raise DataError(
            f"no word occurs {lowest:,} times, the most frequent one {order[0][1]:,} times; "
            f"choose a lower --min-frequency"
        )
    known = sum(count for _, count in kept)
    return WordModel(
        model=_write_model(word for word, _ in kept),
        words=len(kept),
        least=kept[-1][1],
        left_out=len(counts) - len(kept),
        unknown=1 - known / counts.total(),
    )


def count_words(samples: list[Sample]) -> Counter[str]:
    """Count the words and marks of some samples, as encoding cuts them."""
    counts: Counter[str] = Counter()
    for sample in samples:
        with sample.file.open(encoding="utf-8", newline="\n") as lines:
            for line in lines:
                counts.update(word.text for word in split(line))
    return counts


def _write_model(words: Iterable[str]) -> bytes:
    """Write a SentencePiece model of words; it does not normalise, since cutting does."""
    pieces = (SPACE + word for word in words)
    return renumber(
        Model(
            pieces=[bytes_field(PIECE_TEXT, piece.encode()) for piece in (SIGN, *pieces)],
            trainer=varint_field(TRAINER_TYPE, WORD_TYPE),
            rest=bytes_field(MODEL_NORMALIZER, bytes_field(NORMALIZER_NAME, b"identity")),
        )
    )
