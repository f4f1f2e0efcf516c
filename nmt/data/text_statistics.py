"""What a text holds, and the vocabulary that fits it."""

import unicodedata
from collections import Counter
from dataclasses import dataclass, field

LARGEST = 32_000  # pieces, when the size is ours to choose
MOST_WORDS = 100_000  # different words are counted no further
SHARED_LETTERS = 0.5  # of the text: from here on two languages share a vocabulary
FOREIGN = 0.02  # letters that a language uses so much less than another are in foreign names
SPECIALS = 5  # pad, unk, bos, eos, and the space
SMALL_TEXT = 100_000  # characters: below, every character is kept
LONG_WORD = 15  # characters; no language with spaces has such words on average


@dataclass
class TextStatistics:
    """What the lines that a vocabulary is trained on hold.

    Attributes:
        characters: how often each occurs, space apart.
        words: the different ones, up to MOST_WORDS.
        spans: how many words there are, the same ones included.
        share: which part of the whole text these lines are.
    """

    characters: Counter[str] = field(default_factory=Counter)
    words: set[str] = field(default_factory=set)
    spans: int = 0
    share: float = 1.0

    def add(self, lines: list[str]) -> None:
        """Count some lines."""
        words = unicodedata.normalize("NFC", "\n".join(lines)).split()
        self.characters.update("".join(words))
        self.spans += len(words)
        if len(self.words) < MOST_WORDS:
            self.words.update(words)

    def __add__(self, other: "TextStatistics") -> "TextStatistics":
        return TextStatistics(
            self.characters + other.characters,
            self.words | other.words,
            self.spans + other.spans,
            self.share,
        )

    @property
    def size(self) -> int:
        """The number of characters, spaces apart."""
        return self.characters.total()

    @property
    def unspaced(self) -> bool:
        """Whether words are written without spaces between them, as in Chinese."""
        return self.size > LONG_WORD * self.spans

    @property
    def rarest(self) -> int:
        """How often a character must occur to become a piece.

        A rarer one (an emoji, a letter of another script) is left to UNK: a model could learn
        nothing of it, but learns from such gaps to put UNK where the source has one, and
        translation then copies the character. 1 up to 1 million characters, 3 at 10, 7 at 100.
        """
        return max(1, int((self.size / SMALL_TEXT) ** 0.3))

    def covered(self) -> list[str]:
        """Return the characters that may become pieces, the most frequent first."""
        ordered = sorted(self.characters.items(), key=lambda item: (-item[1], item[0]))
        return [character for character, count in ordered if count >= self.rarest]


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
    fitting = min(LARGEST, int(7.5 * (statistics.size / statistics.share) ** 0.45))
    fitting = min(fitting, words + characters)
    return max(round_size(fitting + SPECIALS), 2 * characters + SPECIALS)


def round_size(size: int) -> int:
    """Round down to two digits, as people would: 7,034 is 7,000, and 512 is 510."""
    unit = 10 ** max(0, len(str(size)) - 2)
    return size // unit * unit
