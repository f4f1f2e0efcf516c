"""What one can ask of preprocessing, and what it reports. Needs nothing but Python."""

from dataclasses import dataclass
from pathlib import Path

from nmt.data.languages import UNKNOWN, guess_language
from nmt.data.text import INVALID_UTF8
from nmt.errors import SettingError, UsageError

# BPE comes first because it is the default: it made better models than unigram pieces of our demo
# corpus (by 3 BLEU) and of Multi30k, where unigram pieces cut frequent words of few relatives.
TOKENIZERS = ("bpe", "unigram", "char", "word")
# Words seen once teach the model what to do with a word that it does not know.
MIN_FREQUENCY = 2
MOST, MOST_THREADS = 2**31 - 1, 1024  # what SentencePiece and a machine can take


@dataclass(frozen=True)
class PreprocessOptions:
    """What to make a corpus from, and how.

    Attributes:
        train_source: the source side of the training text: one file or several, read one after
            the other. `-` is standard input; `.gz` and `.xz` are decompressed.
        train_target: as many files, line by line their translations.
        valid_source: the source side of the validation text; without it, some of the training
            pairs are held out.
        valid_target: its translations.
        source_language: the code of the language (`en`); None guesses it from the file's name.
        target_language: the same for the target.
        vocabulary_size: how many pieces; None fits the number to the text. With separate
            vocabularies it is the size of each.
        tokenizer: `bpe`, `unigram`, `char` or `word`.
        min_frequency: words that occur less often in the training text (in a sample of it, where
            it is large) are unknown; None is 2. For `word` only.
        joint: one vocabulary for both languages or one for each; None goes by their letters, and
            makes two of words.
        source_vocabulary: an existing SentencePiece model to use for the source.
        target_vocabulary: the same for the target.
        max_length: pairs with more pieces than this on a side are dropped from training.
        max_ratio: so are pairs of which one side has this many times the pieces of the other
            (short sentences are exempt).
        dedup: drop repetitions of a pair.
        threads: for cutting text into pieces; None uses all cores. It changes nothing else.
        seed: chooses which pairs are held out.
        overwrite: replace an existing corpus.
        invalid_utf8: what becomes of lines that are not UTF-8: `error`, `replace` or `skip`.
    """

    train_source: tuple[Path, ...]
    train_target: tuple[Path, ...]
    valid_source: tuple[Path, ...] = ()
    valid_target: tuple[Path, ...] = ()
    source_language: str | None = None
    target_language: str | None = None
    vocabulary_size: int | None = None
    tokenizer: str = "bpe"
    min_frequency: int | None = None
    joint: bool | None = None
    source_vocabulary: Path | None = None
    target_vocabulary: Path | None = None
    max_length: int = 200
    max_ratio: float = 9.0
    dedup: bool = False
    threads: int | None = None
    seed: int = 1
    overwrite: bool = False
    invalid_utf8: str = "error"

    def check(self) -> None:
        """Check what can be checked before any file is opened.

        Raises:
            SettingError: a value makes no sense.
            UsageError: options contradict each other.
        """
        sides = {
            "training": (self.train_source, self.train_target),
            "validation": (self.valid_source, self.valid_target),
        }
        for what, (source, target) in sides.items():
            if len(source) != len(target):
                raise UsageError(
                    f"each {what} source file needs a target file: there are {len(source)} source "
                    f"files and {len(target)} target files"
                )
        if not self.train_source:
            raise UsageError("there is no training text: name a source file and a target file")
        files = [file for pair in sides.values() for side in pair for file in side]
        if [str(file) for file in files].count("-") > 1:
            raise UsageError("only one of the files can be - (standard input)")
        self._check_languages()
        self._check_values()
        given = {self.source_vocabulary, self.target_vocabulary}
        if self.joint and given != {None} and len(given) > 1:
            raise UsageError(
                "a joint vocabulary is one model: give the same file as the source and the target "
                "vocabulary, or keep the vocabularies separate"
            )
        self._check_unused()

    def _check_unused(self) -> None:
        """Refuse what would change nothing."""
        if self.source_vocabulary and self.target_vocabulary:
            unused = [name for name, given in self._vocabulary_options().items() if given]
            if unused:
                raise UsageError(
                    f"both vocabularies are given, and none is made; leave {', '.join(unused)} out"
                )
        if self.min_frequency is not None and self.tokenizer != "word":
            raise UsageError(
                f"a minimum frequency is of use only for words, not with the tokenizer "
                f"{self.tokenizer}; add --tokenizer word, or leave --min-frequency out"
            )

    def _vocabulary_options(self) -> dict[str, bool]:
        """Return the options that say how to make a vocabulary, and whether they say so."""
        return {
            "--vocab-size": self.vocabulary_size is not None,
            "--tokenizer": self.tokenizer != PreprocessOptions.tokenizer,
            "--min-frequency": self.min_frequency is not None,
        }

    def _check_languages(self) -> None:
        """Find validation files in the wrong place, as far as names tell."""
        if not self.valid_source:
            return
        train = [guess_language(files[0]) for files in (self.train_source, self.train_target)]
        valid = [guess_language(files[0]) for files in (self.valid_source, self.valid_target)]
        if train == valid[::-1] and train[0] != train[1] and UNKNOWN not in train:
            raise UsageError(
                f"the training text goes from {train[0]} to {train[1]}, but the validation text "
                f"from {valid[0]} to {valid[1]}; swap --valid-source and --valid-target"
            )

    def _check_values(self) -> None:
        lowest = {
            "vocabulary_size": 8,
            "min_frequency": 1,
            "max_length": 1,
            "max_ratio": 1.0,
            "threads": 1,
            "seed": 0,
        }
        for name, minimum in lowest.items():
            value = getattr(self, name)
            said = name.replace("_", " ").replace("max ", "maximum ").replace("min ", "minimum ")
            if value is not None and not value >= minimum:
                raise SettingError(f"the {said} must be at least {minimum}, not {value}")
            most = MOST_THREADS if name == "threads" else MOST
            if isinstance(value, int) and value > most:
                raise SettingError(f"the {said} must be at most {most:,}, not {value}")
        choices = {
            "--tokenizer": (self.tokenizer, TOKENIZERS),
            "--invalid-utf8": (self.invalid_utf8, INVALID_UTF8),
        }
        for option, (value, allowed) in choices.items():
            if value not in allowed:
                raise SettingError(f"{option} {value}: choose one of {', '.join(allowed)}")


@dataclass(frozen=True)
class SplitReport:
    """How large a part of the corpus is; tokens are pieces.

    Attributes:
        pairs: sentence pairs, lessons included.
        source_tokens: pieces of their sources.
        target_tokens: pieces of their targets.
        lessons: pairs that came a second time with a word hidden, to teach copying.
    """

    pairs: int
    source_tokens: int
    target_tokens: int
    lessons: int = 0


@dataclass(frozen=True)
class Dropped:
    """How many pairs one filter dropped, and why."""

    pairs: int
    reason: str


@dataclass(frozen=True)
class PreprocessReport:
    """What preprocessing did.

    Attributes:
        output: the corpus folder.
        source_language: the code of the source language, `und` if unknown.
        target_language: the same for the target.
        tokenizer: how text is cut.
        joint: whether both languages share one vocabulary.
        source_pieces: the size of the source vocabulary.
        target_pieces: the size of the target vocabulary.
        pairs_read: training pairs in the files.
        held_out: how many of them were set apart for validation.
        dropped: what each filter dropped from the training pairs, by the name of the filter.
        valid_dropped: the same for the validation pairs.
        train: the size of the training part.
        valid: the size of the validation part.
        seconds: how long it took.
    """

    output: str
    source_language: str
    target_language: str
    tokenizer: str
    joint: bool
    source_pieces: int
    target_pieces: int
    pairs_read: int
    held_out: int
    dropped: dict[str, Dropped]
    valid_dropped: dict[str, Dropped]
    train: SplitReport
    valid: SplitReport
    seconds: float
