"""How text is normalised before it is cut into pieces: so little that nothing visible is lost.

SentencePiece's default, NFKC, rewrites what people wrote: full-width Chinese commas become ASCII
ones, m² becomes m2, ½ becomes 1⁄2, and the joiners that Persian and emoji need vanish. Here only
different spellings of the *same* text are unified: canonical composition (NFC), one kind of space,
and no control characters.
"""

import itertools
import unicodedata
from pathlib import Path

# The one Unicode version that every Python carries, so that every Python makes the same rules.
# Compositions are stable: later versions add characters, they change none.
UNICODE = unicodedata.ucd_3_2_0
LAST = 0x2FA1D  # the last character that canonical composition changes
INVISIBLE = "\u00ad\ufeff"  # soft hyphen, byte order mark


def write_rules(path: Path) -> None:
    """Write the rules as SentencePiece reads them: `65 301<TAB>E9`, hexadecimal, one a line."""
    lines = (f"{_codes(text)}\t{_codes(becomes)}\n" for text, becomes in sorted(rules().items()))
    path.write_text("".join(lines), encoding="ascii")


def rules() -> dict[str, str]:
    """Return what is rewritten, and to what ("" removes it)."""
    changes = {}
    for character in map(chr, range(1, LAST + 1)):
        if character.isspace():
            changes[character] = " "
        elif unicodedata.category(character) == "Cc" or character in INVISIBLE:
            changes[character] = ""
        elif UNICODE.normalize("NFD", character) != character:
            changes.update(
                dict.fromkeys(_spellings(character), UNICODE.normalize("NFC", character))
            )
    del changes[" "]
    return changes


def _spellings(character: str) -> list[str]:
    """Return the other ways to write a character: its marks apart, in any equivalent order."""
    normal = UNICODE.normalize("NFC", character)
    apart = UNICODE.normalize("NFD", character)
    orders = (apart[0] + "".join(marks) for marks in itertools.permutations(apart[1:]))
    partly = "".join(chr(int(code, 16)) for code in UNICODE.decomposition(character).split())
    # Five compositions of the old version were misprints: today's must agree.
    return [
        text
        for text in {character, partly, *orders} - {normal}
        if UNICODE.normalize("NFC", text) == unicodedata.normalize("NFC", text) == normal
    ]


def _codes(text: str) -> str:
    return " ".join(f"{ord(character):X}" for character in text)
