"""`nmt translate --workers`: several processes, the same bytes."""

import os
import signal
from pathlib import Path

import pytest

from nmt.decoding.files import TranslateOptions
from nmt.errors import SettingError
from tests.support.corpora import digit_strings
from tests.support.runs import wait_for

GREEDY = ("--beam-size", 1, "--precision", "fp32", "--device", "cpu")
LINES = [*digit_strings(200, seed=2) * 45, "12 ab", "", "7" * 200, "\u00e9"]


@pytest.fixture(scope="module")
def model(learned) -> Path:
    """A model that reverses digits."""
    return learned("reverse").model


@pytest.fixture
def source(tmp_path) -> Path:
    """A text of many windows."""
    path = tmp_path / "in"
    path.write_text("".join(f"{line}\n" for line in LINES))
    return path


def children(pid: int) -> list[int]:
    """The processes that a process started."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()] if path.exists() else []


needs_proc = pytest.mark.skipif(not Path("/proc/self").exists(), reason="/proc is Linux's own")


def test_workers_write_the_same_bytes_and_go_on_where_one_stopped(
    forked_nmt, model, source, tmp_path
):
    command = ("translate", model, source, *GREEDY, "--format", "json", "-o")
    assert forked_nmt(*command, tmp_path / "one", "--workers", 1).code == 0
    note = tmp_path / "two.part.json"
    running = forked_nmt.start(*command, tmp_path / "two", "--workers", 1)
    wait_for(lambda: note.exists() and '"lines": 0' not in note.read_text(), "it goes on")
    running.signal(signal.SIGKILL)
    running.wait()
    ended = forked_nmt(*command, tmp_path / "two", "--workers", 2)
    assert (ended.code, ended.stderr) == (0, "")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert not note.exists()


@pytest.mark.parametrize("fault", ["a window fails", "reading fails"])
def test_what_comes_before_an_error_is_written_all_the_same(forked_nmt, model, tmp_path, fault):
    lines = LINES[:4200]
    if fault == "a window fails":
        lines[600] = "1\t2\t3"  # at once, and long before the window before it is translated
    else:
        lines.append("1" * 3_000_000)
    (tmp_path / "in").write_text("".join(f"{line}\n" for line in lines))
    found = []
    for workers in (1, 2):
        folder = tmp_path / str(workers)
        folder.mkdir()
        options = (*GREEDY, "--prefixes", "--workers", workers, "-o", "out")
        ended = forked_nmt("translate", model, "../in", *options, cwd=str(folder))
        found.append((ended, (folder / "out.part").read_text()))
    assert found[0] == found[1]
    assert found[0][0].last_line.startswith("nmt: error: ../in: line ")


@needs_proc
@pytest.mark.parametrize("fate", ["worker dies", "interrupted"])
def test_an_end_in_the_middle_is_told_once_and_leaves_nobody(
    forked_nmt, model, source, tmp_path, fate
):
    running = forked_nmt.start(
        "translate", model, source, *GREEDY, "-o", tmp_path / "out", "--workers", 2
    )
    note = tmp_path / "out.part.json"
    wait_for(lambda: note.exists() and '"lines": 0' not in note.read_text(), "it goes on")
    workers = children(running.pid)
    assert len(workers) == 2
    if fate == "interrupted":
        running.signal(signal.SIGINT)
        expected = ("nmt: interrupted", 130)
    else:
        os.kill(workers[0], signal.SIGKILL)
        sentence = "a worker process ended (code -9), most likely because memory ran out"
        expected = (f"nmt: error: {sentence}; use fewer (--workers 1)", 1)
    ended = running.wait()
    assert (ended.last_line, ended.code) == expected
    assert "Traceback" not in ended.stderr
    wait_for(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers), "they end")


@pytest.mark.parametrize("workers", [0, -1])
def test_fewer_than_one_process_are_refused(forked_nmt, model, source, workers):
    with pytest.raises(SettingError, match=f"workers must be 1 or more, not {workers}"):
        TranslateOptions(workers=workers)
    ended = forked_nmt("translate", model, source, "--workers", workers)
    sentence = f"--workers {workers}: give auto, or a number from 1"
    assert (ended.stderr, ended.code) == (f"nmt: error: {sentence}\n", 2)


def test_what_a_worker_cannot_do_is_told_as_if_there_were_none(forked_nmt, model, source):
    for options, sentence in (
        (["--precision", "fp16"], "--precision fp16: choose one of auto, fp32, bf16, int8"),
        (["--workers", "two"], "--workers two: give auto, or a number from 1"),
        (["--stream"], "--stream answers in one process: leave out --workers"),
    ):
        ended = forked_nmt("translate", model, source, "--workers", 2, *options)
        assert ended.stderr == f"nmt: error: {sentence}\n"
