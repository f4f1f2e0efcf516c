"""Trains SentencePiece vocabularies: of what size, on which lines, with which characters.

The same text gives the same model on any machine: the lines are chosen here, evenly through the
text, and SentencePiece, whose result changes with its number of threads, always gets the same.
"""

import json
import subprocess
import sys
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from nmt.data import sentencepiece_child
from nmt.data.normalization import write_rules
from nmt.data.protobuf import values
from nmt.data.vocabulary import BOS, EOS, PAD, UNK
from nmt.errors import DataError, SettingError

MODEL_PIECE = 1  # the field of SentencePiece's ModelProto that holds a piece
RULES = "normalization.tsv"
THREADS = 4
LARGEST, LARGEST_WORDS = 32_000, 50_000  # pieces, when the size is ours to choose
MOST_WORDS = 2 * LARGEST_WORDS  # different words are counted no further
SHARED_LETTERS = 0.5  # of the text: from here on two languages share a vocabulary
FOREIGN = 0.02  # letters that a language uses so much less than another are in foreign names
SPECIALS = 5  # pad, unk, bos, eos, and the space
LETTERS_AT_LEAST = 0.98  # SentencePiece accepts no lower share of covered characters
SMALL_TEXT = 100_000  # characters: below, every character is kept


@dataclass
class TextStatistics:
    """What the lines that a vocabulary is trained on hold.

    Attributes:
        characters: how often each occurs, space apart.
        words: the different ones, up to MOST_WORDS.
        share: which part of the whole text these lines are.
    """

    characters: Counter[str] = field(default_factory=Counter)
    words: set[str] = field(default_factory=set)
    share: float = 1.0

    def add(self, lines: list[str]) -> None:
        """Count some lines."""
        words = unicodedata.normalize("NFC", "\n".join(lines)).split()
        self.characters.update("".join(words))
        if len(self.words) < MOST_WORDS:
            self.words.update(words)

    def __add__(self, other: "TextStatistics") -> "TextStatistics":
        return TextStatistics(
            self.characters + other.characters, self.words | other.words, self.share
        )

    @property
    def size(self) -> int:
        """The number of characters, spaces apart."""
        return self.characters.total()

    @property
    def rarest(self) -> int:
        """How often a character must occur to become a piece.

        A rarer one (an emoji, a letter of another script) is left to UNK: a model could learn
        nothing of it, but learns from such gaps to put UNK where the source has one, and
        translation then copies the character. 1 in small texts, 2 at 1 million characters, 4 at
        10, 8 at 100.
        """
        return max(1, int((self.size / SMALL_TEXT) ** 0.3))

    def covered(self) -> list[str]:
        """Return the characters that may become pieces, the most frequent first."""
        ordered = sorted(self.characters.items(), key=lambda item: (-item[1], item[0]))
        return [character for character, count in ordered if count >= self.rarest]


@dataclass(frozen=True)
class Trained:
    """A SentencePiece model: the content of its file, and how many pieces it has."""

    model: bytes
    pieces: int


def choose_joint(source: TextStatistics, target: TextStatistics) -> bool:
    """Say whether two languages should share a vocabulary: if they share most of their letters."""
    a, b = (_letter_shares(side) for side in (source, target))
    return min(_known(a, b), _known(b, a)) >= SHARED_LETTERS


def _letter_shares(side: TextStatistics) -> dict[str, float]:
    letters = {letter: n for letter, n in side.characters.items() if letter.isalpha()}
    total = sum(letters.values())
    return {letter: n / total for letter, n in letters.items()}


def _known(letters: dict[str, float], other: dict[str, float]) -> float:
    """Return how much of a text is in letters that the other language uses as well."""
    return sum(n for letter, n in letters.items() if other.get(letter, 0) > n * FOREIGN)


def choose_size(statistics: TextStatistics, tokenizer: str) -> int:
    """Return how many pieces fit a text.

    It grows with a little less than the square root of the text (the same on a double scale as
    the number of different words does): 2,500 pieces at 0.4 million characters, 7,000 at 4,
    20,000 at 40. There are never more pieces than different words and characters, since most
    would then be fragments that no word needs; and at least two for each character.
    """
    characters, words = len(statistics.covered()), len(statistics.words)
    if tokenizer == "char":
        return characters + SPECIALS
    if tokenizer == "word":
        return min(LARGEST_WORDS, words) + SPECIALS
    fitting = min(LARGEST, int(7.5 * (statistics.size / statistics.share) ** 0.45))
    fitting = min(fitting, words + characters)
    return round_size(max(fitting, 2 * characters) + SPECIALS)


def round_size(size: int) -> int:
    """Round down to two digits, as people would: 7,034 is 7,000, and 512 is 510."""
    unit = 10 ** max(0, len(str(size)) - 2)
    return size // unit * unit


def train_vocabulary(
    files: list[Path], statistics: TextStatistics, tokenizer: str, size: int
) -> Trained:
    """Train a SentencePiece model.

    A text that does not offer so many pieces gives a smaller model.

    Args:
        files: the lines to train on, in one folder, which also takes a temporary file.
        statistics: what is in them.
        tokenizer: `unigram`, `bpe`, `char` or `word`.
        size: the number of pieces to aim at.

    Raises:
        SettingError: the size is too small for the characters of the text.
        DataError: SentencePiece cannot work with this text.
    """
    folder = files[0].parent
    write_rules(folder / RULES)
    # Half of the places at most go to single characters.
    room = size - SPECIALS if tokenizer == "char" else size // 2
    options = {
        "model_type": tokenizer,
        "vocab_size": size,
        "hard_vocab_limit": False,
        "num_threads": THREADS,
        "pad_id": PAD,
        "unk_id": UNK,
        "bos_id": BOS,
        "eos_id": EOS,
        "normalization_rule_tsv": RULES,
        "character_coverage": LETTERS_AT_LEAST,
        "required_chars": "".join(statistics.covered()[:room]),
        "split_digits": True,  # so that a number never seen can be translated digit by digit
    }
    names = [file.name for file in files]
    model = _run({"folder": str(folder), "files": names, "options": options}, size)
    return Trained(model, len(values(model, MODEL_PIECE)))


def _run(job: dict[str, object], size: int) -> bytes:
    command = [sys.executable, "-P", sentencepiece_child.__file__, json.dumps(job)]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode == 0:
        return done.stdout
    reason = (done.stderr.decode(errors="replace").strip().splitlines() or [""])[-1]
    if "smaller than required_chars" in reason:
        raise SettingError(
            f"a vocabulary of {size:,} pieces is too small for the letters of this text; choose a "
            "larger one (--vocab-size)"
        )
    if "sentences_.empty()" in reason or "all_chars_count" in reason:
        raise DataError("there is no text to make a vocabulary from: the lines hold no letters")
    raise DataError(f"SentencePiece cannot make a vocabulary from this text: {reason}")
