"""`nmt train` goes on after an interruption, to the same weights bit for bit."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import environment
from tests.support.runs import (
    UPDATES,
    WATCHED,
    command,
    computed,
    has_lines,
    same_weights,
    updates,
    wait_for,
)


def check_resumed(model: Path, uninterrupted: Path) -> None:
    assert same_weights(model, uninterrupted)
    assert updates(model) == list(range(1, UPDATES + 1))
    assert updates(model, "valid") == [30, 60, 90]
    assert computed(model) == computed(uninterrupted)
    hidden = [path.name for path in model.rglob(".*")]
    assert hidden == []


@pytest.mark.parametrize("lines", [0, 3, 40, 70])
def test_a_killed_run_goes_on_to_the_same_weights(
    forked_nmt, toy_folder, uninterrupted, tmp_path, lines
):
    model = tmp_path / "model"
    running = forked_nmt.start(*command(toy_folder, model, *WATCHED, "--updates", UPDATES))
    wait_for(lambda: (model / "config.json").exists() and has_lines(model, lines), "it begins")
    running.signal(signal.SIGKILL)
    assert running.wait().code == -signal.SIGKILL
    ended = forked_nmt(*command(toy_folder, model, *WATCHED, "--updates", UPDATES))
    assert ended.code == 0, ended.stderr
    if lines > 30:
        assert "going on after update" in ended.stderr
    check_resumed(model, uninterrupted)


@pytest.mark.parametrize(
    ("number", "name", "code"),
    [(signal.SIGINT, "Ctrl-C", 130), (signal.SIGTERM, "SIGTERM", 143)],
)
def test_an_interrupted_run_saves_says_so_and_goes_on(
    toy_folder, uninterrupted, tmp_path, number, name, code
):
    model = tmp_path / "model"
    arguments = command(toy_folder, model, *WATCHED, "--updates", UPDATES)
    arguments = [sys.executable, "-m", "nmt", *map(str, arguments)]
    # Rare checkpoints: only the signal can have saved.
    arguments[arguments.index("--set=train.checkpoint_minutes=0.001")] = "--quiet"
    options = {"stderr": subprocess.PIPE, "text": True, "env": environment(), "cwd": tmp_path}
    process = subprocess.Popen(arguments, **options)
    wait_for(lambda: has_lines(model, 20), "it trains")
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == code
    update = updates(model)[-1]
    hint = " (it cannot translate yet: the first validation, after update 30, saves a model)"
    hint = hint if update < 30 else ""
    assert stderr == (
        f"nmt: {name}: stopped after update {update}, and everything is saved; "
        f"the same command goes on from here{hint}\n"
    )
    assert update < UPDATES
    again = subprocess.run(arguments, **options, timeout=120)
    assert (again.returncode, again.stderr) == (0, "")
    check_resumed(model, uninterrupted)


def test_a_damaged_checkpoint_is_passed_over(forked_nmt, toy_folder, uninterrupted, tmp_path):
    model = tmp_path / "model"
    running = forked_nmt.start(*command(toy_folder, model, *WATCHED, "--updates", UPDATES))
    wait_for(lambda: has_lines(model, 60), "it trains")
    running.signal(signal.SIGKILL)
    running.wait()
    newest = sorted((model / "checkpoints").glob("*.safetensors"))[-1]
    newest.write_bytes(newest.read_bytes()[:1000])
    ended = forked_nmt(*command(toy_folder, model, *WATCHED, "--updates", UPDATES))
    assert f"{newest} is damaged; going back to the checkpoint before it" in ended.stderr
    check_resumed(model, uninterrupted)


def test_a_finished_run_says_so_and_a_larger_limit_trains_on(
    forked_nmt, toy_folder, uninterrupted, tmp_path
):
    model = tmp_path / "model"
    shutil.copytree(uninterrupted, model)
    ended = forked_nmt(*command(toy_folder, model, *WATCHED, "--updates", UPDATES))
    assert ended.code == 0
    assert "this run is finished; give a larger limit to train on" in ended.stderr
    assert same_weights(model, uninterrupted)
    assert computed(model) == computed(uninterrupted)
    ended = forked_nmt(*command(toy_folder, model, *WATCHED, "--updates", UPDATES + 30))
    assert ended.code == 0
    sentence = "this run was finished; its schedule is stretched to the larger limit"
    assert sentence in ended.stderr
    assert updates(model) == list(range(1, UPDATES + 31))
