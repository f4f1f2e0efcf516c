"""Lessons in copying: some pairs come a second time with a word hidden."""

import pytest

from nmt.api import PreprocessOptions, preprocess
from nmt.data.corpus import Corpus
from nmt.data.lessons import HIDDEN, MOST, Teacher, lesson
from nmt.data.special import UNK


def test_a_word_on_both_sides_is_hidden_on_both() -> None:
    made = lesson(("Anna sees Boston today.", "Anna sieht Boston heute."))
    assert made == (f"Anna sees {HIDDEN} today.", f"Anna sieht {HIDDEN} heute.")


@pytest.mark.parametrize(
    "pair",
    [
        ("A dog runs.", "Ein Hund rennt."),
        ("in a bar", "in einer Bar"),  # too short to be a name
        ("Anna and Anna", "Anna und Anna"),  # which one is which?
        ("", ""),
    ],
)
def test_no_lesson_without_a_word_that_stands_once_on_both_sides(pair: tuple[str, str]) -> None:
    assert lesson(pair) is None


def test_only_whole_words_are_hidden() -> None:
    assert lesson(("Bostonian Boston", "Boston Bostoner")) == (
        f"Bostonian {HIDDEN}",
        f"{HIDDEN} Bostoner",
    )


def test_a_pair_of_very_long_lines_is_no_trap() -> None:
    # Comparing each word with each would take hours, and pytest's limit would end it.
    line = " ".join(f"word{n}" for n in range(300_000))
    assert lesson((line, line)) is not None


def test_lessons_stay_few_and_come_in_order() -> None:
    teacher = Teacher()
    pairs = [(f"city{n} here", f"city{n} hier") for n in range(1000)]
    made = list(teacher.lessons_of(pairs))
    assert len(made) == teacher.lessons == 1000 * MOST
    assert made == [(f"{HIDDEN} here", f"{HIDDEN} hier")] * len(made)


@pytest.mark.parametrize("tokenizer", ["bpe", "unigram", "char", "word"])
@pytest.mark.parametrize("strange", ["\uf8ff", HIDDEN])
def test_what_hides_a_word_is_unknown_whatever_the_text_holds(tmp_path, tokenizer, strange):
    lines = [f"I saw {strange} and {strange * 9} in Boston{n} today." for n in range(50)]
    text = tmp_path / "text"
    text.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    files = ((text,),) * 4
    preprocess(PreprocessOptions(*files, tokenizer=tokenizer), tmp_path / "corpus")
    corpus = Corpus.open(tmp_path / "corpus")
    for line in (f"I saw {HIDDEN} today.", f"I saw {HIDDEN}"):
        [ids] = corpus.source_vocabulary.encode([line])
        unknown = [id == UNK for id in ids]
        stretches = zip(corpus.source_vocabulary.surfaces(line), unknown, strict=True)
        assert "".join(text for text, hidden in stretches if hidden).strip() == HIDDEN
