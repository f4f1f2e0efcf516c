"""`nmt translate -o` goes on after an interruption, and ends with the same file."""

import json
import signal
from pathlib import Path

import pytest

from tests.support.corpora import digit_strings
from tests.support.runs import wait_for

GREEDY = ("--beam-size", 1, "--precision", "fp32", "--device", "cpu")
LINES = digit_strings(200, seed=2) * 60
SIGNALS = (signal.SIGKILL, signal.SIGINT, signal.SIGKILL, signal.SIGTERM)


@pytest.fixture(scope="module")
def model(learned) -> Path:
    """A model that reverses digits."""
    return learned("reverse").model


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """A text of several windows."""
    path = tmp_path_factory.mktemp("text") / "in"
    path.write_text("".join(f"{line}\n" for line in LINES))
    return path


def noted(output: Path) -> int:
    """How many lines the note tells of."""
    note = output.with_name(output.name + ".part.json")
    return json.loads(note.read_text())["mark"]["lines"] if note.exists() else 0


def interrupt(forked_nmt, command, output: Path, number: signal.Signals):
    """Start the command and interrupt it when it has come further."""
    before = noted(output)
    running = forked_nmt.start(*command)
    wait_for(lambda: noted(output) > before, "it goes on")
    running.signal(number)
    return running.wait()


def test_killed_again_and_again_the_file_is_the_same(forked_nmt, model, source, tmp_path):
    output = tmp_path / "out"
    command = ("translate", model, source, "-o", output, *GREEDY)
    for number in SIGNALS:
        ended = interrupt(forked_nmt, command, output, number)
        assert ended.code in (-number, 128 + number)
        if number != signal.SIGKILL:
            kept = f"{noted(output):,} lines are in {output}.part; the same command goes on after"
            assert f"{kept} them\n" in ended.stderr
        assert not output.exists()
    done = noted(output)
    assert 0 < done < len(LINES)
    ended = forked_nmt(*command)
    assert ended.code == 0, ended.stderr
    assert output.read_text() == "".join(f"{line[::-1]}\n" for line in LINES)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_after_overwrite_the_command_to_go_on_with_is_the_one_without_it(
    forked_nmt, model, source, tmp_path
):
    output = tmp_path / "out"
    command = ("translate", model, source, "-o", output, *GREEDY)
    ended = interrupt(forked_nmt, (*command, "--overwrite"), output, signal.SIGTERM)
    assert f"{output}.part; the same command without --overwrite goes on after" in ended.stderr
    assert 0 < noted(output) < len(LINES)


def test_another_source_is_told_and_the_same_beginning_is_enough(
    forked_nmt, model, source, tmp_path
):
    output, changed = tmp_path / "out", tmp_path / "in"
    interrupt(
        forked_nmt, ("translate", model, source, "-o", output, *GREEDY), output, signal.SIGTERM
    )
    done = noted(output)
    command = ("translate", model, changed, "-o", output, *GREEDY)
    changed.write_text(source.read_text().replace("\n", "!\n", 1))
    ended = forked_nmt(*command)
    assert ended.stderr == (
        f"nmt: error: {changed}: these are not the lines that were translated before the "
        f"interruption (the first {done:,}); give the same source again, or begin anew with "
        "--overwrite\n"
    )
    assert (ended.code, noted(output)) == (1, done)
    # What follows may be mended in between.
    changed.write_text("".join(f"{line}\n" for line in [*LINES[:done], "12"]))
    assert forked_nmt(*command).code == 0
    assert output.read_text() == "".join(f"{line[::-1]}\n" for line in [*LINES[:done], "12"])


def test_other_options_are_told_and_overwrite_begins_anew(forked_nmt, model, source, tmp_path):
    output = tmp_path / "out"
    command = ("translate", model, source, "-o", output, *GREEDY)
    interrupt(forked_nmt, command, output, signal.SIGKILL)
    short = tmp_path / "short"
    short.write_text("12\n34\n")
    other = ("translate", model, short, "-o", output, "--beam-size", 2)
    ended = forked_nmt(*other)
    assert ended.code == 1
    assert "; beam_size was 1 and is now 2" in ended.stderr
    ended = forked_nmt(*other, "--overwrite")
    assert (ended.code, output.read_text()) == (0, "21\n43\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "short"]
