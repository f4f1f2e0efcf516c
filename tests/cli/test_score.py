"""`nmt score`: the log-probability of given translations."""

import json
import math

import pytest

from tests.support.corpora import digit_strings

BEAM = ("--precision", "fp32", "--device", "cpu", "--beam-size", 3, "--format", "json")
LONG = ". ".join(["12345"] * 40) + "."
LINES = [*digit_strings(60, seed=9), "", LONG, "\u00e9 1", "  "]


@pytest.fixture(scope="module")
def model(learned):
    """A model that reverses digits."""
    return learned("reverse").model


@pytest.fixture(scope="module")
def translated(forked_nmt, model, tmp_path_factory):
    """A folder with a source, and its translation as JSON lines and as text."""
    folder = tmp_path_factory.mktemp("translated")
    (folder / "in").write_text("".join(f"{line}\n" for line in LINES))
    ended = forked_nmt("translate", model, folder / "in", "-o", folder / "out.jsonl", *BEAM)
    assert ended.code == 0, ended.stderr
    values = [json.loads(line) for line in (folder / "out.jsonl").read_text().split("\n")[:-1]]
    (folder / "out").write_text("".join(f"{value['text']}\n" for value in values))
    return folder


def sum_of_parts(value: dict) -> object:
    """What a translation's score must be; each part of a long line may be off by 1e-4."""
    return pytest.approx(value["log_probability"], abs=1e-4 * max(1, len(value["parts"])))


def printed(folder) -> list[dict]:
    return [json.loads(line) for line in (folder / "out.jsonl").read_text().split("\n")[:-1]]


def test_the_scores_of_translate_are_found_again(forked_nmt, model, translated):
    ended = forked_nmt("score", model, "--hypotheses", translated / "out.jsonl")
    assert ended.code == 0, ended.stderr
    found = [float(line) for line in ended.stdout.split()]
    assert found == [sum_of_parts(value) for value in printed(translated)]
    assert len(found) == len(LINES)


def test_every_translation_of_an_nbest_list_is_scored(forked_nmt, model, translated):
    nbest = ("--n-best", 3, "-o", translated / "nbest.jsonl")
    assert forked_nmt("translate", model, translated / "in", *BEAM, *nbest).code == 0
    rows = (translated / "nbest.jsonl").read_text().split("\n")[:-1]
    values = [json.loads(row) for row in rows]
    expected = [
        [sum_of_parts(each) for each in (value, *value.get("others", []))] for value in values
    ]
    assert max(map(len, expected)) == 3
    command = ("score", model, "--hypotheses", translated / "nbest.jsonl")
    lines = forked_nmt(*command).stdout.split("\n")[:-1]
    found = [[float(score) for score in line.split("\t")] for line in lines]
    objects = [json.loads(line) for line in forked_nmt(*command, "--json").stdout.splitlines()]
    for number, scores in enumerate(expected):
        assert found[number] == scores
        every = (objects[number], *objects[number].get("others", []))
        assert [each["log_probability"] for each in every] == found[number]


def test_text_that_is_cut_into_the_same_pieces_has_the_same_scores(forked_nmt, model, translated):
    ended = forked_nmt(
        *("score", model, "--source", translated / "in", "--target", translated / "out"),
        *("-o", translated / "scores.jsonl", "--json", "--pieces"),
    )
    assert (ended.code, ended.stdout) == (0, "")
    rows = (translated / "scores.jsonl").read_text().split("\n")[:-1]
    scores = [json.loads(row) for row in rows]
    assert [score["line"] for score in scores] == list(range(1, len(LINES) + 1))
    same = 0
    for score, value in zip(scores, printed(translated), strict=True):
        assert len(score["log_probabilities"]) == score["pieces"]
        assert sum(score["log_probabilities"]) == pytest.approx(score["log_probability"], abs=1e-3)
        if len(value["parts"]) == 1 and value["text"].isdigit():
            same += 1
            assert score["log_probability"] == pytest.approx(value["log_probability"], abs=1e-4)
            assert score["pieces"] == len(value["parts"][0]["pieces"]) + 1
    assert same >= 60


def test_what_is_empty_is_translated_as_nothing(forked_nmt, model, tmp_path):
    (tmp_path / "in").write_text("\n\n12\n12\n12\n")
    (tmp_path / "out").write_text("\n1\n\n21\n12\n")
    ended = forked_nmt("score", model, "--source", tmp_path / "in", "--target", tmp_path / "out")
    empty, impossible, nothing, right, wrong = map(float, ended.stdout.split())
    assert (empty, impossible) == (0, -math.inf)
    assert right > -1 > wrong
    assert nothing < right


def test_a_pair_too_long_has_no_score_and_the_rest_has(forked_nmt, model, tmp_path):
    (tmp_path / "in").write_text("12\n" + "1" * 3000 + "\n34\n")
    (tmp_path / "out").write_text("21\n" + "1" * 3000 + "\n43\n")
    ended = forked_nmt(
        "score", model, "--source", tmp_path / "in", "--target", tmp_path / "out", "--json"
    )
    values = [json.loads(line)["log_probability"] for line in ended.stdout.splitlines()]
    assert values[1] is None
    assert min(values[0], values[2]) > -1
    assert ended.stderr == "1 pairs are too long to be scored; they have -inf\n"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("text\n", "is no JSON object with parts; make the file with nmt translate --format json"),
        ('{"parts": [{"pieces": 3, "source_pieces": []}]}\n', "is no JSON object with parts; "),
        ('{"parts": [{"pieces": [], "source_pieces": "12"}]}\n', "is no JSON object with parts; "),
        ('{"parts": [], "others": [{}]}\n', "is no JSON object with parts; "),
        ("[]\n", "is no JSON object with parts; "),
        (
            '{"parts": [{"pieces": [], "source_pieces": ["\\ud800"]}]}\n',
            "is no JSON object with parts; ",
        ),
        ("[" * 100_000 + "\n", "is no JSON object with parts; "),
        (
            '{"parts": [{"pieces": ["never"], "source_pieces": []}]}\n',
            "has the piece 'never', which is not in this model's vocabulary; give the model that "
            "made the file",
        ),
    ],
)
def test_other_files_are_refused_by_line(forked_nmt, model, tmp_path, content, sentence):
    path = tmp_path / "file"
    path.write_text('{"parts": []}\n' + content)
    ended = forked_nmt("score", model, "--hypotheses", path, "-o", tmp_path / "scores")
    assert ended.code == 1
    assert ended.stderr.startswith(f"nmt: error: hypotheses {path}: line 2 {sentence}")
    assert not (tmp_path / "scores").exists()


def test_files_of_different_lengths_are_refused(forked_nmt, model, tmp_path):
    (tmp_path / "in").write_text("1\n2\n")
    (tmp_path / "out").write_text("1\n")
    ended = forked_nmt("score", model, "--source", tmp_path / "in", "--target", tmp_path / "out")
    assert ended.stderr == (
        f"nmt: error: target {tmp_path}/out has 1 lines and source {tmp_path}/in has more; line N "
        "of one has to be the translation of line N of the other\n"
    )


@pytest.mark.parametrize(
    ("name", "side", "size", "told"),
    [("in", "source", 1 << 20, "1,048,576"), ("out", "target", 1 << 24, "16,777,216")],
)
def test_a_line_that_would_fill_the_memory_is_refused_by_its_number(
    forked_nmt, model, tmp_path, name, side, size, told
):
    for text in ("in", "out"):
        (tmp_path / text).write_text("12\n12\n")
    with (tmp_path / name).open("ab") as file:
        file.truncate(6 + size + 1)
    ended = forked_nmt(
        *("score", model, "--source", tmp_path / "in", "--target", tmp_path / "out"),
        *("-o", tmp_path / "scores"),
    )
    assert (ended.code, ended.stderr) == (
        1,
        f"nmt: error: {side} {tmp_path / name}: line 3 has more than {told} bytes; is this a text "
        "with a sentence a line?\n",
    )
    assert not (tmp_path / "scores").exists()


@pytest.mark.parametrize("name", ["in", "out"])
def test_what_is_scored_is_never_overwritten(forked_nmt, model, tmp_path, name):
    for text in ("in", "out"):
        (tmp_path / text).write_text("12\n")
    ended = forked_nmt(
        *("score", model, "--source", "in", "--target", "out", "-o", f"./{name}"),
        cwd=str(tmp_path),
    )
    assert (ended.code, (tmp_path / name).read_text()) == (2, "12\n")
    assert ended.stderr == (
        f"nmt: error: {name}: this is read, and would be replaced by what is written; name "
        "another output\n"
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "give --source F and --target F, or --hypotheses F alone"),
        (["--source", "a"], "give --source F and --target F, or --hypotheses F alone"),
        (["--source", "-", "--target", "-"], "only one of the files can be - (standard input)"),
        (["--hypotheses", "-", "--pieces"], "--pieces are written as JSON only: add --json"),
    ],
)
def test_wrong_usage(forked_nmt, model, options, sentence):
    ended = forked_nmt("score", model, *options)
    assert (ended.code, ended.stderr) == (2, f"nmt: error: {sentence}\n")
