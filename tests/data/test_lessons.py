"""Lessons in copying: some pairs come a second time with a word hidden."""

import pytest

from nmt.data.lessons import HIDDEN, MOST, Teacher, lesson


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
