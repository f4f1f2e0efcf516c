"""Which pairs are dropped, language codes, and options that make no sense."""

from pathlib import Path

import pytest

from nmt.data.filters import EMPTY, LENGTH, RATIO, PairFilter
from nmt.data.languages import guess_language
from nmt.data.options import PreprocessOptions
from nmt.errors import SettingError, UsageError

FILES = (Path("train.en"),)


@pytest.mark.parametrize(
    ("lengths", "verdict"),
    [
        ((0, 0), EMPTY),
        ((0, 5), EMPTY),
        ((5, 0), EMPTY),
        ((201, 150), LENGTH),
        ((150, 201), LENGTH),
        ((200, 200), None),
        ((10, 91), RATIO),
        ((91, 10), RATIO),
        ((10, 90), None),
        ((1, 15), None),  # short ones stay: "Yes." may be said in many words
        ((1, 16), RATIO),
    ],
)
def test_verdicts(lengths, verdict):
    assert PairFilter(200, 9).verdict(*lengths) == verdict


def test_without_limits_only_empty_pairs_go():
    limits = PairFilter()
    assert limits.verdict(1, 100_000) is None
    assert limits.verdict(1, 0) == EMPTY


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("data/train.en", "en"),
        ("train.en-de.de.gz", "de"),
        ("news.zh-CN", "zh-CN"),
        ("news.zh_Hant.xz", "zh_Hant"),
        ("dev.deu_Latn", "deu_Latn"),
        ("train.txt", "und"),
        ("train.src", "und"),
        ("train.md", "und"),
        ("train.xx", "und"),
        ("en", "und"),
        ("-", "und"),
    ],
)
def test_languages_are_told_by_the_names_of_files(name, language):
    assert guess_language(name) == language


@pytest.mark.parametrize(
    ("values", "error", "sentence"),
    [
        ({"train_source": (), "train_target": ()}, UsageError, "there is no training text"),
        (
            {"train_target": FILES * 2},
            UsageError,
            "each training source file needs a target file: there are 1 source files and 2 target",
        ),
        ({"valid_source": FILES}, UsageError, "each validation source file needs a target file"),
        (
            {"train_source": (Path("-"),), "train_target": (Path("-"),)},
            UsageError,
            "only one of the files can be -",
        ),
        (
            {"joint": True, "source_vocabulary": Path("a.model")},
            UsageError,
            "a joint vocabulary is one model",
        ),
        ({"tokenizer": "unigramm"}, SettingError, "choose one of bpe, unigram, char, word"),
        ({"invalid_utf8": "ignore"}, SettingError, "choose one of error, replace, skip"),
        ({"max_length": 0}, SettingError, "the maximum length must be at least 1, not 0"),
        ({"max_ratio": float("nan")}, SettingError, "the maximum ratio must be at least 1.0, not"),
        ({"vocabulary_size": 3}, SettingError, "the vocabulary size must be at least 8, not 3"),
        ({"threads": 10**27}, SettingError, f"threads must be at most 1,024, not {10**27}"),
        ({"threads": 0}, SettingError, "threads must be at least 1, not 0"),
    ],
)
def test_options_that_make_no_sense(values, error, sentence):
    with pytest.raises(error, match=sentence.replace("(", r"\(")):
        PreprocessOptions(**{"train_source": FILES, "train_target": FILES, **values}).check()
