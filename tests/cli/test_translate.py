"""`nmt translate` as people meet it: N lines in, N out, and one sentence for what is wrong."""

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import environment
from tests.support.corpora import digit_strings
from tests.support.runs import wait_for

GREEDY = ("--beam-size", 1, "--precision", "fp32", "--device", "cpu")


@pytest.fixture(scope="module")
def model(learned) -> Path:
    """A model that reverses digits."""
    return learned("reverse").model


def reversed_lines(lines: list[str]) -> str:
    return "".join(f"{line[::-1]}\n" for line in lines)


LINES = ["12345", "", "789", "4", "", "", "660"]


def test_standard_input_to_standard_output(forked_nmt, model):
    ended = forked_nmt("translate", model, stdin="\n".join(LINES).encode())
    assert (ended.code, ended.stdout) == (0, reversed_lines(LINES))


def test_a_file_to_a_file(forked_nmt, model, tmp_path):
    source, output = tmp_path / "in", tmp_path / "out"
    source.write_text("\n".join(LINES) + "\n")
    ended = forked_nmt("translate", model, source, "-o", output, *GREEDY)
    assert (ended.code, ended.stdout) == (0, "")
    assert output.read_text() == reversed_lines(LINES)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]


def test_compressed_files(forked_nmt, model, tmp_path):
    source, output = tmp_path / "in.gz", tmp_path / "out.gz"
    source.write_bytes(gzip.compress("\n".join(LINES).encode()))
    assert forked_nmt("translate", model, source, "-o", output, *GREEDY).code == 0
    assert gzip.decompress(output.read_bytes()).decode() == reversed_lines(LINES)


def test_no_input_gives_no_output(forked_nmt, model):
    ended = forked_nmt("translate", model, stdin=b"")
    assert (ended.code, ended.stdout) == (0, "")


@pytest.mark.parametrize(
    "content",
    [b"12\r\n34\r\n", "1\u20282\n3\x0c4\n5\u00856\n".encode(), b"\n\n\n", b"12", b"\x00\n\x07\n"],
)
def test_as_many_lines_come_out_as_go_in(forked_nmt, model, content):
    ended = forked_nmt("translate", model, *GREEDY, stdin=content)
    assert ended.code == 0
    assert ended.stdout.count("\n") == len(content.rstrip(b"\n").split(b"\n")) + (
        content.endswith(b"\n\n") and content.count(b"\n") - 1
    )


def test_more_lines_than_a_window(forked_nmt, model, tmp_path):
    lines = digit_strings(200, seed=2) * 25
    source = tmp_path / "in"
    source.write_text("\n".join(lines))
    ended = forked_nmt("translate", model, source, *GREEDY, "--batch-size", 200)
    assert ended.stdout == reversed_lines(lines)


def test_quiet_says_nothing(forked_nmt, model):
    assert forked_nmt("translate", model, "--quiet", stdin=b"1\n").stderr == ""


@pytest.mark.parametrize("options", [[], ["--beam-size", 1]])
def test_a_stream_answers_line_by_line(model, options):
    process = subprocess.Popen(
        [sys.executable, "-m", "nmt", "translate", model, "--stream", *map(str, options)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
    )
    for digits in (b"123", b"", b"45"):
        process.stdin.write(digits + b"\n")
        process.stdin.flush()
        assert process.stdout.readline() == digits[::-1] + b"\n"
    rest, _ = process.communicate(b"67", timeout=30)
    assert (rest, process.returncode) == (b"76\n", 0)


@pytest.mark.parametrize(
    ("name", "number", "sentence"),
    [
        ("pipe", signal.SIGINT, "nmt: interrupted"),
        ("pipe", signal.SIGTERM, "nmt: stopped by SIGTERM"),
        ("pipe.gz", signal.SIGINT, "nmt: interrupted"),
    ],
)
def test_a_stream_that_waits_for_a_line_can_be_stopped(model, tmp_path, name, number, sentence):
    pipe, part = tmp_path / name, tmp_path / "out.part"
    os.mkfifo(pipe)
    lines = b"12\n" * 3000
    command = ["translate", model, pipe, "--stream", "-o", tmp_path / "out", *GREEDY]
    process = subprocess.Popen(
        [sys.executable, "-m", "nmt", *map(str, command)],
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    with pipe.open("wb") as writer:
        writer.write(gzip.compress(lines, compresslevel=0) if name.endswith(".gz") else lines)
        writer.flush()
        wait_for(lambda: part.exists() and part.stat().st_size > 0, "it answers")
        time.sleep(0.5)  # until it waits for more
        process.send_signal(number)
        _, errors = process.communicate(timeout=20)  # and not when the pipe ends
    assert errors.splitlines()[-1] == sentence
    assert process.returncode == 128 + number


@pytest.mark.parametrize(
    ("fate", "expected"), [("replace", None), ("skip", "21\n\n43\n")], ids=["replace", "skip"]
)
def test_invalid_utf8_is_replaced_or_skipped(forked_nmt, model, fate, expected):
    ended = forked_nmt(
        "translate", model, *GREEDY, "--invalid-utf8", fate, stdin=b"12\n5\xff6\n34\n"
    )
    assert ended.code == 0
    lines = ended.stdout.split("\n")
    assert (lines[0], lines[2], len(lines)) == ("21", "43", 4)
    assert expected is None or ended.stdout == expected
    assert "not valid UTF-8 in 1 of 3 lines (the first is line 2)" in ended.stderr


def test_invalid_utf8_may_be_an_error_and_leaves_no_output(forked_nmt, model, tmp_path):
    source, output = tmp_path / "in", tmp_path / "out"
    source.write_bytes(b"12\n5\xff6\n34\n")
    ended = forked_nmt("translate", model, source, "-o", output, "--invalid-utf8", "error")
    assert ended.code == 1
    assert ended.last_line.startswith(f"nmt: error: {source}")
    assert "line 2" in ended.last_line
    assert not output.exists()


@pytest.mark.parametrize("end", [b"\n34\n", b""])
def test_a_line_over_a_megabyte_is_refused_by_its_number(forked_nmt, model, tmp_path, end):
    output = tmp_path / "out"
    ended = forked_nmt(
        "translate", model, "-o", output, stdin=b"12\n" + b"1" * ((1 << 20) + 1) + end
    )
    assert ended.stderr == (
        "nmt: error: standard input: line 2 has more than 1,048,576 bytes; is this a text with a "
        "sentence a line?\n"
    )
    assert (ended.code, list(tmp_path.iterdir())) == (1, [])


def test_text_that_the_model_cannot_know_is_warned_of(forked_nmt, model):
    ended = forked_nmt("translate", model, *GREEDY, stdin="Привет, как у тебя дела?\n".encode() * 9)
    assert ended.code == 0
    assert "of the text is unknown to this model" in ended.stderr
    known = forked_nmt("translate", model, *GREEDY, stdin=b"12345678901234\n")
    assert "unknown" not in known.stderr


def refused(ended, sentence: str, code: int = 1) -> None:
    assert ended.stderr == f"nmt: error: {sentence}\n"
    assert (ended.code, ended.stdout) == (code, "")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--precision", "fp16"], "--precision fp16: choose one of auto, fp32, bf16, int8"),
        (["--length-penalty", "-1"], "the length penalty must be 0 or more, not -1.0"),
        (["--length-penalty", "nan"], "the length penalty must be 0 or more, not nan"),
        (["--invalid-utf8", "drop"], "--invalid-utf8 drop: choose one of error, replace, skip"),
    ],
)
def test_a_mistake_is_one_sentence(forked_nmt, model, options, sentence):
    refused(forked_nmt("translate", model, *options, stdin=b"1\n"), sentence)


@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_a_gpu_that_is_not_there_is_told_as_it_was_named(forked_nmt, model, device):
    hidden = {"CUDA_VISIBLE_DEVICES": ""}
    ended = forked_nmt("translate", model, "--device", device, stdin=b"1\n", environment=hidden)
    refused(ended, f"--device {device}: torch sees no GPU here; use --device cpu or auto")


@pytest.mark.parametrize("option", ["--beam-size", "--batch-size"])
def test_numbers_out_of_bounds_are_wrong_usage(forked_nmt, model, option):
    ended = forked_nmt("translate", model, option, 0)
    assert ended.code == 2
    assert option in ended.last_line


def test_files_that_cannot_be_read_or_written(forked_nmt, model, tmp_path):
    (tmp_path / "in").write_text("1\n")
    missing = tmp_path / "missing"
    refused(forked_nmt("translate", model, missing), f"{missing}: there is no such file")
    refused(
        forked_nmt("translate", model, tmp_path),
        f"{tmp_path}: this is a folder, not a text file",
    )
    output = tmp_path / "nowhere" / "out"
    refused(
        forked_nmt("translate", model, tmp_path / "in", "-o", output),
        f"{output}: no such file or folder",
    )
    output = tmp_path / "in" / "out"
    refused(
        forked_nmt("translate", model, tmp_path / "in", "-o", output),
        f"{output}: a part of this path is a file, not a folder",
    )
    refused(
        forked_nmt("translate", model, tmp_path / "in", "-o", tmp_path),
        f"{tmp_path}: this is a folder; name a file to write",
        2,
    )
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def edit(**changes):
    """Change entries of config.json."""

    def damage(folder: Path) -> None:
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return damage


def cut(name: str):
    """Cut a file in half."""

    def damage(folder: Path) -> None:
        path = next(folder.glob(name))
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    return damage


def flip(name: str):
    """Change a byte in the middle of a file."""

    def damage(folder: Path) -> None:
        path = next(folder.glob(name))
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 64
        path.write_bytes(content)

    return damage


def remove(name: str):
    """Remove a file."""
    return lambda folder: next(folder.glob(name)).unlink()


def resize(folder: Path) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["model"]["hidden_size"] = 32
    path.write_text(json.dumps(config))


CHANGED = "the file was changed or cut short after it was written"
AGAIN = "; make the model again, or copy the folder again"
DAMAGES = {
    "cut weights": (cut("model.safetensors"), "/model.safetensors: " + CHANGED),
    "edited weights": (flip("model.safetensors"), "/model.safetensors: " + CHANGED),
    "no weights": (
        remove("model.safetensors"),
        ": the model has no weights yet; train until its first validation",
    ),
    "cut vocabulary": (cut("*.model"), "/VOCABULARY: " + CHANGED + AGAIN),
    "edited vocabulary": (flip("*.model"), "/VOCABULARY: " + CHANGED + AGAIN),
    "no vocabulary": (
        remove("*.model"),
        "/VOCABULARY: the file is missing; make the model again",
    ),
    "cut description": (
        cut("config.json"),
        "/config.json: the file is damaged; make the model again",
    ),
    "newer": (
        edit(format_version=99),
        "/config.json: format version 99 is newer than this program reads (3); update nmt",
    ),
    "older": (
        edit(format_version=2),
        ": a model of an early version of nmt; train it again",
    ),
    "another architecture": (
        resize,
        "/model.safetensors: these weights are not of the model in config.json",
    ),
    "no description": (
        remove("config.json"),
        ": this is not a model folder (it has no config.json)",
    ),
}


@pytest.mark.parametrize(("damage", "sentence"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_model_is_refused(forked_nmt, model, tmp_path, damage, sentence):
    copy = tmp_path / "model"
    shutil.copytree(model, copy, ignore=shutil.ignore_patterns("checkpoints"))
    vocabulary = next(copy.glob("*.model")).name
    damage(copy)
    ended = forked_nmt("translate", copy, "-o", tmp_path / "out", stdin=b"1\n")
    refused(ended, f"{copy}{sentence}".replace("VOCABULARY", vocabulary))
    assert not (tmp_path / "out").exists()


def leaves(value, path=()):
    """Every (path, value) of nested dictionaries."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key), inner
            yield from leaves(inner, (*path, key))


@pytest.mark.parametrize("nonsense", [None, "nonsense", -1, [], {}, 10**30], ids=repr)
def test_an_edited_description_never_ends_in_a_fault(forked_nmt, model, tmp_path, nonsense):
    copy = tmp_path / "model"
    shutil.copytree(model, copy, ignore=shutil.ignore_patterns("checkpoints"))
    path = copy / "config.json"
    config = json.loads(path.read_text())
    for keys, _ in list(leaves(config)):
        if keys[0] == "training" and len(keys) > 1:
            continue  # what the model card tells
        changed = json.loads(json.dumps(config))
        inner = changed
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = nonsense
        path.write_text(json.dumps(changed))
        ended = forked_nmt("translate", copy, *GREEDY, stdin=b"1\n")
        assert "fault of nmt" not in ended.stderr, (keys, ended.stderr)
        assert "Traceback" not in ended.stderr
        assert ended.code in (0, 1)


def test_no_model_or_something_else(forked_nmt, learned, tmp_path):
    (tmp_path / "file").write_text("text")
    for folder, sentence in (
        (tmp_path / "none", "there is no such model folder"),
        (tmp_path / "file", "this is not a model folder (it has no config.json)"),
        (learned("reverse").corpus, "this is not a model folder (it has no config.json)"),
    ):
        refused(forked_nmt("translate", folder, stdin=b"1\n"), f"{folder}: {sentence}")


def test_a_model_folder_can_be_copied_and_used_alone(forked_nmt, model, tmp_path):
    alone = tmp_path / "alone"
    alone.mkdir()
    for path in [*model.glob("*.model"), model / "config.json", model / "model.safetensors"]:
        shutil.copy(path, alone)
    assert forked_nmt("translate", alone, stdin=b"123\n").stdout == "321\n"


@pytest.mark.parametrize(
    ("number", "sentence", "code"),
    [
        (signal.SIGINT, "nmt: interrupted", 130),
        (signal.SIGTERM, "nmt: stopped by SIGTERM", 143),
    ],
)
def test_an_interruption_before_the_first_line_leaves_no_output(
    forked_nmt, model, tmp_path, number, sentence, code
):
    source, output = tmp_path / "in", tmp_path / "folder" / "out"
    output.parent.mkdir()
    source.write_text("12345678 12345678\n" * 200_000)
    running = forked_nmt.start("translate", model, source, "-o", output)
    end = time.monotonic() + 30
    while not list(output.parent.iterdir()) and time.monotonic() < end:
        time.sleep(0.01)
    running.signal(number)
    ended = running.wait()
    assert (ended.last_line, ended.code) == (sentence, code)
    assert list(output.parent.iterdir()) == []


def test_a_full_disk_leaves_no_output(forked_nmt, model, tmp_path):
    source, output = tmp_path / "in", tmp_path / "out"
    source.write_text("12345\n" * 2000)
    ended = forked_nmt("translate", model, source, "-o", output, *GREEDY, file_size=4096)
    sentence = "no space left for a file this large: free some and run the same command again"
    assert ended.last_line == f"nmt: error: {output}: {sentence}"
    assert ended.code == 1
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    arguments = ("translate", model, source, "-o", output, *GREEDY, "--overwrite")
    ended = forked_nmt(*arguments, file_size=4096)  # more of it might have been kept
    assert ended.last_line == f"nmt: error: {output}: {sentence}, without --overwrite"


def test_the_source_is_never_overwritten_by_its_translation(forked_nmt, model, tmp_path):
    source = tmp_path / "text.en"
    source.write_text("A line.\n")
    ended = forked_nmt("translate", str(model), str(source), "-o", str(source))
    assert (ended.code, ended.stdout) == (2, "")
    message = "this is read, and would be replaced by what is written; name another output"
    assert ended.stderr == f"nmt: error: {source}: {message}\n"
    assert source.read_text() == "A line.\n"
    source.rename(tmp_path / "out.part")
    ended = forked_nmt(
        "translate", model, "out.part", "-o", "out", "--overwrite", cwd=str(tmp_path)
    )
    message = "an output needs this name while it grows; name another output"
    assert ended.stderr == f"nmt: error: out.part: {message}\n"
    assert (tmp_path / "out.part").read_text() == "A line.\n"


def test_a_file_called_dash_is_in_nobodys_way(forked_nmt, model, tmp_path):
    (tmp_path / "-").write_text("a line\n" * 9)
    ended = forked_nmt("translate", model, *GREEDY, stdin=b"12\n", cwd=str(tmp_path))
    assert (ended.code, ended.stdout, ended.stderr) == (0, "21\n", "")
