"""`nmt translate` writes text, n-best lists, JSON lines, alignments and pictures."""

import json

import pytest

FAST = ("--precision", "fp32", "--device", "cpu", "--beam-size", 2)


@pytest.fixture(scope="module")
def model(learned):
    """A model that reverses digits."""
    return learned("reverse").model


def test_json_alignments_and_pictures_together(forked_nmt, model, tmp_path):
    (tmp_path / "in").write_text("123\n\n45\n")
    ended = forked_nmt(
        *("translate", model, "in", "-o", "out.jsonl", *FAST, "--format", "json", "--attention"),
        *("--alignments", "words", "--attention-plots", "pictures", "--plotted-lines", 2),
        cwd=str(tmp_path),
    )
    assert ended.code == 0, ended.stderr
    values = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [value["text"] for value in values] == ["321", "", "54"]
    assert [len(value["parts"]) for value in values] == [1, 0, 1]
    assert (tmp_path / "words").read_text() == "0-0\n\n0-0\n"
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == ["000001.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "in",
        "out.jsonl",
        "pictures",
        "words",
    ]


def test_json_has_attention_only_where_it_is_asked_for(forked_nmt, model, tmp_path):
    options = ("-o", tmp_path / "out", "--alignments", tmp_path / "words", *FAST)
    ended = forked_nmt("translate", model, *options, "--format", "json", stdin=b"123\n")
    assert ended.code == 0, ended.stderr
    [part] = json.loads((tmp_path / "out").read_text())["parts"]
    assert sorted(part) == ["log_probability", "pieces", "score", "source_pieces"]


def test_an_nbest_list_on_standard_output(forked_nmt, model):
    ended = forked_nmt("translate", model, *FAST, "--format", "nbest", stdin=b"12\n\n")
    first, second = ended.stdout.splitlines()
    assert (first.split("\t")[0], first.split("\t")[2]) == ("1", "21")
    assert second == "2\t0.0000\t"


@pytest.mark.parametrize(
    ("options", "sentence", "code"),
    [
        (["--format", "xml"], "--format xml: choose one of text, nbest, json", 1),
        (["--attention"], "--attention is written as JSON only: add --format json", 2),
        (
            ["--alignments", "out", "-o", "out"],
            "out: this is named for two outputs; name another for one",
            2,
        ),
        (
            ["--plotted-lines", 3],
            "--plotted-lines changes nothing without --attention-plots DIR",
            2,
        ),
        (
            ["--attention-plots", "in"],
            "in: this is a file; name a folder for the pictures",
            2,
        ),
        (["--alignments", "no/out"], "no/out: no such file or folder", 1),
    ],
)
def test_a_mistake_is_one_sentence(forked_nmt, model, options, sentence, code):
    ended = forked_nmt("translate", model, *options, stdin=b"1\n")
    assert (ended.stderr, ended.code, ended.stdout) == (f"nmt: error: {sentence}\n", code, "")
