"""The options of `nmt translate` that say how to search, as people meet them."""

import json
from pathlib import Path

import pytest

EXACT = ("--precision", "fp32", "--device", "cpu")
LINES = ["12345", "", "789", "4", "660"]
TEXT = "".join(f"{line}\n" for line in LINES).encode()


@pytest.fixture(scope="module")
def model(learned) -> Path:
    """A model that reverses digits."""
    return learned("reverse").model


def test_the_best_come_first_and_several_for_a_line(forked_nmt, model):
    best = forked_nmt("translate", model, *EXACT, stdin=TEXT)
    several = forked_nmt("translate", model, *EXACT, "--n-best", 3, "--format", "nbest", stdin=TEXT)
    assert several.code == 0
    rows = [line.split("\t") for line in several.stdout.splitlines()]
    assert [int(number) for number, *_ in rows] == [1, 1, 1, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5]
    firsts = {int(number): text for number, _, text in reversed(rows)}
    assert [firsts[number] for number in range(1, 6)] == best.stdout.splitlines()
    scores = [float(score) for _, score, _ in rows]
    assert scores[:3] == sorted(scores[:3], reverse=True)


def test_several_translations_have_no_place_in_plain_text(forked_nmt, model):
    ended = forked_nmt("translate", model, "--n-best", 2, stdin=TEXT)
    assert (ended.code, ended.stdout) == (2, "")
    assert ended.stderr == (
        "nmt: error: --n-best 2: plain text has one translation a line; add --format nbest or "
        "--format json\n"
    )


def test_samples_come_again_with_their_seed_in_any_batch(forked_nmt, model, tmp_path):
    options = ("--sample", "--temperature", 4, *EXACT)
    texts = [
        forked_nmt("translate", model, *options, *more, stdin=TEXT).stdout
        for more in ((), ("--batch-size", 1), ("--seed", 2), ("--top-k", 1), ("--stream",))
    ]
    assert texts[0] == texts[1] == texts[4] != texts[2]
    greedy = forked_nmt("translate", model, "--beam-size", 1, *EXACT, stdin=TEXT)
    assert texts[3] == greedy.stdout


@pytest.mark.parametrize("options", [[], ["--beam-size", 1]])
def test_prefixes_follow_a_tab(forked_nmt, model, options):
    text = b"12345\t54\n\n789\t\n4711\t9\n\t77\n660\n"
    ended = forked_nmt("translate", model, "--prefixes", *options, *EXACT, stdin=text)
    lines = ended.stdout.split("\n")
    assert (ended.code, ended.stderr) == (0, "")
    assert lines[:3] == ["54321", "", "987"]
    assert lines[3].startswith("9")
    assert lines[4:] == ["77", "066", ""]


def test_two_tabs_are_one_too_many(forked_nmt, model):
    ended = forked_nmt("translate", model, "--prefixes", *EXACT, stdin=b"1\t1\n2\t2\t2\n")
    assert ended.last_line == (
        "nmt: error: standard input: line 2 has 2 tabs; with --prefixes a line has one at most, "
        "between the text and what its translation begins with"
    )
    assert ended.code == 1
    plain = forked_nmt("translate", model, *EXACT, stdin=b"1\t1\n2\t2\t2\n")
    assert (plain.code, plain.stdout.count("\n")) == (0, 2)


def test_models_decide_together(forked_nmt, model, learned, tmp_path):
    alone = forked_nmt("translate", model, *EXACT, stdin=TEXT)
    same = forked_nmt("translate", model, "--ensemble", model, *EXACT, stdin=TEXT)
    assert same.stdout == alone.stdout
    other = learned("copy").model
    both = forked_nmt(
        "translate", model, "--ensemble", other, "--ensemble", other, *EXACT, stdin=TEXT
    )
    assert both.code == 0
    assert both.stdout != alone.stdout
    ended = forked_nmt("translate", model, "--ensemble", tmp_path / "none", stdin=TEXT)
    assert ended.stderr == f"nmt: error: {tmp_path / 'none'}: there is no such model folder\n"
    assert ended.code == 1


@pytest.mark.parametrize(
    ("options", "length"),
    [
        (["--max-length", 2], 2),
        (["--max-length-ratio", 0.5], 3),  # the space before a text is a piece too
        (["--min-length", 9, "--beam-size", 1], 9),
        (["--min-length-ratio", 2], 10),
    ],
)
def test_lengths_are_kept(forked_nmt, model, options, length):
    found = forked_nmt("translate", model, *options, *EXACT, "--format", "json", stdin=b"13579\n")
    pieces = len(json.loads(found.stdout)["parts"][0]["pieces"])
    assert length - 1 <= pieces <= length if "--max" in options[0] else pieces >= length


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            ["--length-penalty", "mean"],
            "the length penalty must be a number or one of none, average, not mean",
        ),
        (
            ["--n-best", 9, "--format", "nbest"],
            "the 9 best translations need a beam of 9 or more, not 5; add --beam-size 9",
        ),
        (
            ["--beam-size", 1, "--coverage-penalty", 0.5],
            "--coverage-penalty changes nothing in greedy search; it is for beam search",
        ),
        (["--top-p", 0.9], "--top-p changes nothing in beam search; it is for sampling (--sample)"),
        (["--sample", "--temperature", 0], "the temperature must be 0.001 or more, not 0.0"),
    ],
)
def test_what_has_no_sense_is_refused(forked_nmt, model, options, sentence):
    ended = forked_nmt("translate", model, *options, stdin=TEXT)
    assert (ended.code, ended.stdout) == (1, "")
    assert ended.stderr == f"nmt: error: {sentence}\n"


@pytest.mark.parametrize("options", [["--length-penalty", "average"], ["--length-penalty", "0.6"]])
def test_a_length_penalty_is_a_number_or_a_name(forked_nmt, model, options):
    ended = forked_nmt("translate", model, *options, *EXACT, stdin=TEXT)
    assert (ended.code, ended.stdout.splitlines()) == (0, [line[::-1] for line in LINES])
