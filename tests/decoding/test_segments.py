"""Over-long lines: every segment fits, and nothing but white space is lost."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt.decoding.segments import Segment, split_line
from tests.support.corpora import char_vocabulary

MARKS = ".!?…,;:。！？，、 \t\u2028\u00a0ab\u00e9\u4e2d\U0001f600"
# Anything, and what the vocabulary knows.
NASTY = st.text(st.sampled_from(MARKS) | st.characters(codec="utf-8"), max_size=300) | st.text(
    "abcdefghi0123456789., …㏂½。", max_size=300
)


def words(texts: list[str]) -> list[int]:
    """Count words and marks: a vocabulary that anyone can follow."""
    return [len(text.split()) for text in texts]


def bare(text: str) -> str:
    return "".join(text.split())


@pytest.fixture(scope="module")
def count(tmp_path_factory):
    """Count the pieces of a real vocabulary."""
    vocabulary = char_vocabulary(tmp_path_factory.mktemp("vocabulary"))
    return lambda texts: [len(ids) for ids in vocabulary.encode(texts)]


@settings(max_examples=150)
@given(line=NASTY, limit=st.integers(20, 80))
def test_every_segment_fits_and_nothing_is_lost(count, line, limit):
    segments = split_line(line, limit, count)
    assert all(size <= limit for size in count([segment.text for segment in segments]))
    assert bare("".join(segment.text for segment in segments)) == bare(line)


@settings(max_examples=150)
@given(line=st.text("ab\ufdfa。,. ", max_size=100), limit=st.integers(18, 40))
def test_every_segment_fits_whatever_the_pieces_are(line, limit):
    # As under NFKC, one character is 18; and "ab" is one piece, but only where a word begins.
    def pieces(word: str) -> int:
        return len(word) + 17 * word.count("\ufdfa") - word.startswith("ab")

    def odd(texts: list[str]) -> list[int]:
        return [sum(map(pieces, text.split())) for text in texts]

    segments = split_line(line, limit, odd)
    assert all(size <= limit for size in odd([segment.text for segment in segments]))
    assert bare("".join(segment.text for segment in segments)) == bare(line)


@given(NASTY)
def test_a_line_that_fits_is_left_alone(line):
    assert split_line(line, 1000, words) == [Segment(line, False)]


def split(line: str, limit: int) -> list[str]:
    return [segment.text for segment in split_line(line, limit, words)]


def test_sentence_marks_come_first_then_commas_then_spaces():
    line = "One two three. Four five, six seven. Eight nine ten eleven."
    assert split(line, 7) == ["One two three. Four five, six seven.", "Eight nine ten eleven."]
    assert split(line, 4) == ["One two three.", "Four five, six seven.", "Eight nine ten eleven."]
    assert split(line, 3) == [
        "One two three.",
        "Four five,",
        "six seven.",
        "Eight nine ten",
        "eleven.",
    ]


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("他说：“我们走吧。”然后他走了。", ["他说：“我们走吧。”", "然后他走了。"]),
        ("太好了！！！我不信。", ["太好了！！！", "我不信。"]),
        ("هل أنت هنا؟ نعم أنا هنا. شكرا", ["هل أنت هنا؟", "نعم أنا هنا.", "شكرا"]),
        ("他说：（“我们走吧。”）然后他走了。", ["他说：（“我们走吧。”）", "然后他走了。"]),
        ("Er rief: „Geh weg.“ Dann ging er.", ["Er rief: „Geh weg.“", "Dann ging er."]),
        ('He said "go." Then he went.', ['He said "go."', "Then he went."]),
    ],
)
def test_sentences_end_with_all_their_marks_and_quotes(line, parts):
    def characters(texts):
        return [len(text) for text in texts]

    longest = max(map(len, parts))
    assert [segment.text for segment in split_line(line, longest, characters)] == parts


def test_segments_know_whether_a_space_stood_before_them():
    segments = split_line("a b。c d。 e f", 2, words)
    assert [(segment.text, segment.spaced) for segment in segments] == [
        ("a b。", False),
        ("c d。", False),
        ("e f", True),
    ]


@pytest.mark.parametrize(
    "line",
    [
        *("x" * 50_000, "ab " * 17_000, "a, b. " * 8_500, "中" * 50_000, ". " * 25_000),
        *("）" * 50_000, ")" * 50_000, "。" + "」" * 50_000),
    ],
)
def test_a_line_of_50_000_characters_takes_no_time(count, line):
    began = time.process_time()
    segments = split_line(line, 50, count)
    assert time.process_time() - began < 10  # seconds; it takes one
    assert bare("".join(segment.text for segment in segments)) == bare(line)
    assert max(count([segment.text for segment in segments])) <= 50
