"""Text as words: cut at spaces and around punctuation, and put together again without loss.

A word is a run of letters, digits and marks; a number keeps the points and commas inside it. Every
other visible character stands for itself, so that no full stop sticks to a word. What is no word
carries ties where no space stood, and words carry none: `“Don't!”` is `“‿ Don ‿'‿ t ‿! ‿”`.
"""

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import regex

from nmt.data.normalization import INVISIBLE

TIE, LIKE_A_TIE = "\u203f", "\u2040"  # the second takes the place of the first in text
# Pieces of SentencePiece write a space so; like there, it is a space in text too.
SPACE = "\u2581"
SPACES = "".join(filter(str.isspace, map(chr, range(0x3001)))) + SPACE
LETTERS = rf"[^{SPACES}\p{{P}}\p{{S}}]+"
TOKEN = regex.compile(
    # a word; with the next part of a number after each mark inside it
    rf"{LETTERS}(?:(?<=\p{{N}})[.,:](?=\p{{N}}){LETTERS})*"
    # or a mark, with whatever belongs to it: an emoji may be a row of characters
    rf"|(?![{SPACES}])(?P<mark>\X)"
)
LONG = 40  # characters; longer words are not remembered, which could take any memory
GAP = regex.compile(f"[{SPACES}]")
DROPPED = "".join(map(chr, [*range(32), *range(127, 160)])) + INVISIBLE
APART = regex.compile(f"[{DROPPED}]*[{SPACES}]")
CHANGES = str.maketrans({**dict.fromkeys(DROPPED, ""), TIE: LIKE_A_TIE})


class Word(NamedTuple):
    """A word or a mark of a line, with its ties, and where it ends in the line."""

    text: str
    end: int


class _Found(NamedTuple):
    """A word or a mark, and whether no space stands between it and the one before it."""

    text: str
    end: int
    mark: bool
    tied: bool


def split(line: str) -> list[Word]:
    """Cut a line into words and marks. The order of combining characters makes no difference."""
    found = _find(line)
    return [
        Word(_with_ties(each, after), each.end) if each.mark else Word(each.text, each.end)
        for each, after in zip(found, [*found[1:], None], strict=False)
    ]


def _find(line: str) -> list[_Found]:
    found: list[_Found] = []
    end = 0
    for match in TOKEN.finditer(line):
        text = _normalize(match[0])
        if text:  # there may be nothing but invisible marks in it
            start = match.start()
            tied = bool(found) and (start == end or not GAP.search(line, end, start))
            end = match.end()
            found.append(_Found(text, end, match.lastgroup is not None, tied))
    return found


def _normalize(text: str) -> str:
    return _normalize_anew(text) if len(text) > LONG else _normalize_once(text)


def _normalize_anew(text: str) -> str:
    return unicodedata.normalize("NFC", text.translate(CHANGES))


_normalize_once = lru_cache(100_000)(_normalize_anew)


def _with_ties(mark: _Found, after: _Found | None) -> str:
    """Between two marks the second one has the tie."""
    ahead = after is not None and after.tied and not after.mark
    return TIE * mark.tied + mark.text + TIE * ahead


def together(words: Iterable[str]) -> str:
    """Put the texts of words and marks together: the line again, but for repeated spaces."""
    text, tied = "", True
    for word in words:
        space = "" if tied or word.startswith(TIE) else " "
        text += space + word.removeprefix(TIE).removesuffix(TIE)
        tied = word.endswith(TIE)
    return text


def is_mark(text: str) -> bool:
    """Say whether a text begins with something that is no word."""
    match = TOKEN.match(text)
    return match is not None and match["mark"] is not None


def is_apart(text: str) -> bool:
    """Say whether a text begins with a space."""
    return APART.match(text) is not None
