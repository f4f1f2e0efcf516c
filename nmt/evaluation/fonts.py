"""Fonts and forms in which pieces of any script can be read in a picture."""

import unicodedata
from functools import cache

BASE_FONT = "DejaVu Sans"  # comes with matplotlib
WORD_MARK = "\u2581"  # SentencePiece's sign for the space before a word


def readable(piece: str) -> str:
    """Return a piece as a picture shows it.

    The mark of a word's beginning is left out (alone it becomes an open box), a combining mark gets
    a dotted circle to sit on, and what cannot be seen becomes a square.
    """
    text = piece.removeprefix(WORD_MARK).replace(WORD_MARK, " ") or "\u2423"
    text = "".join(char if char.isprintable() else "\u25a1" for char in text)
    return f"\u25cc{text}" if unicodedata.category(text[0]).startswith("M") else text


def font_families(text: str) -> list[str]:
    """Return the installed font families that together can draw `text`, the usual one first."""
    from matplotlib import font_manager

    families = [BASE_FONT]
    base = font_manager.findfont(BASE_FONT)
    missing = {ord(char) for char in text if char.isprintable()} - _letters(base)
    upright = [
        font
        for font in font_manager.fontManager.ttflist
        if font.style == "normal" and not font.name.startswith("Last Resort")  # boxes for all
    ]
    for font in sorted(upright, key=lambda font: ("Sans" not in font.name, font.name)):
        if not missing:
            break
        if font.name not in families and missing & _letters(font.fname):
            families.append(font.name)
            missing -= _letters(font.fname)
    return families


@cache
def _letters(path: str) -> frozenset[int]:
    """Return the code points that a font file can draw; none if matplotlib cannot use it."""
    from matplotlib.ft2font import FT2Font

    try:
        return frozenset(FT2Font(path).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()
