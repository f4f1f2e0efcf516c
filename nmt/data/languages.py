"""Language codes, guessed from the names of files."""

import re
from pathlib import Path

UNKNOWN = "und"  # ISO 639's own code for "undetermined"

# ISO 639-1: every two-letter code, so that train.txt or notes.md names no language.
_CODES = """
    aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv
    cy da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr
    ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw
    ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv
    ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr
    ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi
    yo za zh zu
"""
TWO_LETTERS = frozenset(_CODES.split())
# zh, zh-CN, pt_BR, zh_Hant; and three letters where a script follows, as in deu_Latn.
CODE = re.compile(r"([a-z]{2})(?:[-_](?:[A-Za-z]{2}|[A-Z][a-z]{3}))?|[a-z]{3}_[A-Z][a-z]{3}")


def guess_language(path: Path | str) -> str:
    """Return the language that a file name ends in (`train.en`, `news.pt_BR.gz`), or `und`."""
    name = re.sub(r"\.(gz|xz)$", "", Path(path).name)
    found = CODE.fullmatch(name.rpartition(".")[2]) if "." in name else None
    if found is None or (found[1] and found[1] not in TWO_LETTERS):
        return UNKNOWN
    return found[0]
