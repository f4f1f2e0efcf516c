"""Text as words: nothing is lost, nothing sticks together, and rare words are unknown."""

import logging
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

from nmt.api import PreprocessOptions, preprocess
from nmt.data.corpus import Corpus
from nmt.data.special import BOS, EOS, PAD, UNK
from nmt.data.vocabulary import Vocabulary
from nmt.data.words import LIKE_A_TIE, SPACE, TIE, split, together
from nmt.errors import DataError, UsageError

# Words, marks, numbers, spaces of all sorts, combining marks, emoji made of several, our own signs.
ODD = "ab Äß 15.,:'’-“”()„!?…/_ \t\u00a0\u3000\u0301\u0338=é日本नमस्ते می‌خواهم👩‍👩‍👧❤️🇩🇪‿⁀▁\u00ad\x01"
odd_text = st.text(st.sampled_from(ODD) | st.characters(codec="utf-8"))


def words_of(line: str) -> list[str]:
    return [word.text for word in split(line)]


def normalized(text: str) -> str:
    """What is not kept: kinds of spaces and their number, invisible marks, our own two signs."""
    spaced = text.replace(SPACE, " ").replace(TIE, LIKE_A_TIE)
    visible = (c for c in spaced if c.isspace() or unicodedata.category(c) != "Cc")
    line = " ".join("".join(visible).replace("\u00ad", "").replace("\ufeff", "").split())
    return unicodedata.normalize("NFC", line)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("A dog runs.", "A dog runs ‿."),
        ("“Don't!”", "“‿ Don ‿'‿ t ‿! ‿”"),
        ('He said: "No."', 'He said ‿: "‿ No ‿. ‿"'),
        ("a T-Shirt (blau), 5%", "a T ‿-‿ Shirt (‿ blau ‿) ‿, 5 ‿%"),
        ("1,500.75 at 12:30, 3.", "1,500.75 at 12:30 ‿, 3 ‿."),
        ("l'été , déjà", "l ‿'‿ été , déjà"),
        ("e\u0301t\u00e9 do\u00adg\x01s =\u0338", "été dogs ≠"),
        ("नमस्ते می‌خواهم", "नमस्ते می‌خواهم"),
        ("👩‍👩‍👧 and❤️🇩🇪", "👩‍👩‍👧 and ‿❤️ ‿🇩🇪"),
        ("a \x01, b", "a , b"),
        ("x‿y ▁z", "x ‿⁀‿ y z"),
        (" \t\u3000", ""),
    ],
)
def test_a_line_is_cut_into_words_and_marks(line, words):
    assert words_of(line) == words.split(" ") * bool(words)


@given(odd_text)
@example("a\u00ad\u0301")
def test_nothing_is_lost(line):
    assert together(words_of(line)) == normalized(line)
    assert words_of(normalized(line)) == words_of(line)


@given(odd_text)
def test_another_spelling_of_the_same_text_gives_the_same_words(line):
    assert words_of(unicodedata.normalize("NFD", line)) == words_of(line)


@given(odd_text)
def test_no_mark_sticks_to_a_word_and_words_have_no_ties(line):
    for word in words_of(line):
        bare = word.strip(TIE)
        if regex.fullmatch(r"[\p{L}\p{M}\p{N}]+", bare):
            assert word == bare
        assert not (regex.search(r"\p{L}", bare) and regex.search(r"[\p{P}\p{S}]", bare)) or (
            regex.search(r"\p{N}[.,:]\p{N}", bare)  # inside a number
        )


TEXT = [
    "A dog runs, and 27 cats sleep: “why?”",
    "Two dogs run (and 27 cats sleep).",
    "A dog sleeps.",
    "Schnauzer, Pudel!",
]


def make(folder: Path, lines: list[str] = TEXT, **more: object) -> Corpus:
    """A corpus of words, the same text on both sides."""
    for name in ("train.en", "train.de"):
        (folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    side = (folder / "train.en",), (folder / "train.de",)
    given = {"valid_source": side[0], "valid_target": side[1], "tokenizer": "word"} | more
    preprocess(PreprocessOptions(*side, **given), folder / "corpus")
    return Corpus.open(folder / "corpus")


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory) -> Vocabulary:
    return make(tmp_path_factory.mktemp("words"), min_frequency=1).source_vocabulary


@pytest.mark.parametrize("least", [1, 2])
def test_words_that_occur_often_enough_are_known_and_no_others(tmp_path, least):
    vocabulary = make(tmp_path, min_frequency=least).source_vocabulary
    counts = Counter(word for line in TEXT for word in words_of(line))
    known = {SPACE + word for word, count in counts.items() if count >= least}
    assert set(vocabulary.pieces(range(5, len(vocabulary)))) == known
    for line in TEXT:
        [ids] = vocabulary.encode([line])
        assert [id == UNK for id in ids] == [counts[word] < least for word in words_of(line)]


def test_by_default_words_must_occur_twice_and_each_language_has_its_own(tmp_path, caplog):
    with caplog.at_level(logging.INFO, "nmt"):
        corpus = make(tmp_path)
    assert not corpus.joint
    assert corpus.source_vocabulary.id("▁dog") != UNK
    assert corpus.source_vocabulary.id("▁Pudel") == UNK
    assert (
        "Source vocabulary: 8 words and marks, which occur at least 2 times; 15 others "
        "(48.4% of the text) are unknown: translation copies them."
    ) in caplog.messages
    assert "Words are of one language: each gets a vocabulary of its own." in caplog.messages


def test_the_most_frequent_words_fill_a_vocabulary_of_a_given_size(tmp_path):
    corpus = make(tmp_path, vocabulary_size=8, joint=True)
    assert corpus.joint
    assert corpus.source_vocabulary.pieces(range(8)) == [
        *("<pad>", "<unk>", "<s>", "</s>", "▁‿", "▁27", "▁A", "▁and")
    ]


@given(odd_text)
def test_surfaces_are_the_line_in_as_many_stretches_as_words(vocabulary, line):
    surfaces, [ids] = vocabulary.surfaces(line), vocabulary.encode([line])
    assert len(surfaces) == len(ids) == len(split(line))
    assert "".join(surfaces) == (line if ids else "")


@given(st.lists(st.sampled_from(sorted({word for line in TEXT for word in words_of(line)}))))
def test_ids_and_pieces_of_known_words_are_their_text(vocabulary, words):
    line = together(words)
    [ids] = vocabulary.encode([line])
    pieces = vocabulary.pieces(ids)
    assert [vocabulary.id(piece) for piece in pieces] == ids
    if UNK not in ids:
        assert vocabulary.decode([[BOS, *ids, EOS, PAD]]) == vocabulary.join([pieces]) == [line]


def test_each_unknown_word_is_an_unknown_piece(vocabulary):
    line = "A  Wolf Hund, runs⁉"
    [ids] = vocabulary.encode([line])
    assert [id == UNK for id in ids] == [False, True, True, False, False, True]
    assert vocabulary.surfaces(line) == ["A", "  Wolf", " Hund", ",", " runs", "⁉"]
    assert vocabulary.decode([ids]) == ["A ⁇ ⁇, runs ⁇"]


def test_copied_text_comes_out_as_it_stood(vocabulary):
    pieces = vocabulary.pieces(vocabulary.encode(["A dog runs, (and 27)"])[0])
    assert pieces[:2] == ["▁A", "▁dog"]
    assert vocabulary.join([["▁A", "<unk>", "▁dog"]]) == ["A ⁇ dog"]
    surfaces = vocabulary.surfaces("Wolf (Hund‿ @Igel ⁉")
    copied = [vocabulary.as_piece(surfaces, at) for at in range(len(surfaces))]
    assert copied == ["▁Wolf", "▁(‿", "▁Hund", "▁‿⁀", "▁@‿", "▁Igel", "▁⁉"]
    assert vocabulary.join([[copied[0], *pieces[2:], *copied[4:], ""], []]) == [
        "Wolf runs, (and 27) @Igel ⁉",
        "",
    ]


@given(odd_text)
def test_a_line_whose_unknown_words_are_copied_is_the_line(vocabulary, line):
    [ids] = vocabulary.encode([line])
    surfaces, pieces = vocabulary.surfaces(line), vocabulary.pieces(ids)
    for at, id in enumerate(ids):
        if id == UNK:
            pieces[at] = vocabulary.as_piece(surfaces, at)
    assert vocabulary.join([pieces]) == [normalized(line)]


def test_a_vocabulary_of_words_is_adopted_as_it_is(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    first = make(tmp_path / "one").source_vocabulary
    again = make(
        tmp_path / "two", ["other words"] * 3, source_vocabulary=first.path, joint=False
    ).source_vocabulary
    assert again.path.read_bytes() == first.path.read_bytes()
    assert again.encode(TEXT) == first.encode(TEXT)


def test_text_without_spaces_is_warned_of(tmp_path, caplog):
    make(tmp_path, ["这是一个句子没有空格而且很长真的很长。"] * 5)
    assert "Source vocabulary: this text has hardly any spaces, and words are" in caplog.text


@pytest.mark.parametrize(
    ("options", "kind", "sentence"),
    [
        (
            {"tokenizer": "bpe", "min_frequency": 2},
            UsageError,
            "a minimum frequency is of use only for words, not with the tokenizer bpe; add "
            "--tokenizer word, or leave --min-frequency out",
        ),
        (
            {"min_frequency": 1000},
            DataError,
            "no word occurs 1,000 times, the most frequent one 2 times; choose a lower "
            "--min-frequency",
        ),
    ],
)
def test_a_minimum_frequency_without_sense(tmp_path, options, kind, sentence):
    with pytest.raises(kind) as caught:
        make(tmp_path, **options)
    assert str(caught.value) == sentence
