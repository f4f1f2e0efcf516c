"""Trains SentencePiece vocabularies.

The same text gives the same model on any machine: the lines are chosen by us, evenly through the
text, and SentencePiece, whose result changes with its number of threads, always gets the same.
"""

import functools
import json
import operator
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from nmt.data import sentencepiece_child
from nmt.data.normalization import write_rules
from nmt.data.protobuf import values
from nmt.data.sentencepiece_model import MODEL_PIECE
from nmt.data.special import BOS, EOS, PAD, UNK
from nmt.data.text_statistics import SPECIALS, TextStatistics
from nmt.errors import DataError, SettingError

RULES = "normalization.tsv"
THREADS = 4
LETTERS_AT_LEAST = 0.98  # SentencePiece accepts no lower share of covered characters
# Without spaces SentencePiece works on whole sentences, at some 10 microseconds a character and
# per size of the longest piece: that text is thinned, and words there are short.
LONGEST_PIECE = {False: 16, True: 10}
MOST_UNSPACED = 3_000_000  # characters
# SentencePiece writes these two for a space and for what it does not know; it refuses to cover the
# second, and covers nothing that it is asked to when the first is among it.
NEVER_COVERED = "\u2581\u2585"


@dataclass(frozen=True)
class Sample:
    """Lines to train a vocabulary on, in a file, and what is in them."""

    file: Path
    statistics: TextStatistics

    @property
    def stride(self) -> int:
        """Of how many lines one is used."""
        size = self.statistics.size if self.statistics.unspaced else 0
        return 1 + size // MOST_UNSPACED


@dataclass(frozen=True)
class Trained:
    """A SentencePiece model: the content of its file, and how many pieces it has."""

    model: bytes
    pieces: int


def train_vocabulary(samples: list[Sample], tokenizer: str, size: int) -> Trained:
    """Train a SentencePiece model.

    A text that does not offer so many pieces gives a smaller model.

    Args:
        samples: lines of one language or two, in one folder, which takes a temporary file.
        tokenizer: `unigram`, `bpe` or `char`; words are counted by `word_training`.
        size: the number of pieces to aim at.

    Raises:
        SettingError: the size is too small for the characters of the text.
        DataError: SentencePiece cannot work with this text.
    """
    folder = samples[0].file.parent
    statistics = together(samples)
    write_rules(folder / RULES)
    # Half of the places at most go to single characters.
    room = size - SPECIALS if tokenizer == "char" else size // 2
    covered = [letter for letter in statistics.covered() if letter not in NEVER_COVERED]
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
        "max_sentencepiece_length": LONGEST_PIECE[statistics.unspaced],
        "required_chars": "".join(covered[:room]),
        "split_digits": True,  # so that a number never seen can be translated digit by digit
    }
    files = {sample.file.name: sample.stride for sample in samples}
    model = _run({"folder": str(folder), "files": files, "options": options}, size)
    return Trained(model, len(values(model, MODEL_PIECE)))


def together(samples: list[Sample]) -> TextStatistics:
    """Return what is in all the samples."""
    return functools.reduce(operator.add, (sample.statistics for sample in samples))


def _run(job: dict[str, object], size: int) -> bytes:
    command = [sys.executable, "-P", sentencepiece_child.__file__]
    # By a pipe: Linux allows an argument 128 KiB, and thousands of characters may be covered.
    text = json.dumps(job).encode()
    done = subprocess.run(command, input=text, capture_output=True, check=False)
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
