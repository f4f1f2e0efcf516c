"""`nmt train` goes on after an interruption, to the same weights bit for bit."""

import json
import shutil
import signal
from pathlib import Path

import pytest

from tests.support.runs import (
    SMALL,
    UPDATES,
    WATCHED,
    command,
    computed,
    has_lines,
    metrics,
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


@pytest.mark.parametrize("kind", [("--precision=bf16", "--updates=60"), ("--epochs=2",)])
def test_so_does_one_in_bf16_and_one_by_epochs(forked_nmt, toy_folder, tmp_path, kind):
    whole, model = tmp_path / "whole", tmp_path / "model"
    assert forked_nmt(*command(toy_folder, whole, *WATCHED, *kind)).code == 0
    running = forked_nmt.start(*command(toy_folder, model, *WATCHED, *kind))
    wait_for(lambda: has_lines(model, 40), "it trains")
    running.signal(signal.SIGKILL)
    assert running.wait().code == -signal.SIGKILL
    ended = forked_nmt(*command(toy_folder, model, *WATCHED, *kind))
    assert "going on after update" in ended.stderr
    assert computed(model) == computed(whole)
    assert same_weights(model, whole)


@pytest.mark.parametrize(
    ("number", "name", "code", "lines"),
    [
        (signal.SIGINT, "Ctrl-C", 130, 10),
        (signal.SIGTERM, "SIGTERM", 143, 35),
        (signal.SIGHUP, "SIGHUP", 129, 20),
    ],
)
def test_an_interrupted_run_saves_says_so_and_goes_on(
    forked_nmt, toy_folder, uninterrupted, tmp_path, number, name, code, lines
):
    model = tmp_path / "model"
    # Rare checkpoints: only the signal can have saved.
    rarely = ["--set=train.checkpoint_minutes=9", "--quiet", "--updates", UPDATES]
    arguments = command(toy_folder, model, *WATCHED, *rarely)
    running = forked_nmt.start(*arguments)
    wait_for(lambda: has_lines(model, lines), "it trains")
    running.signal(number)
    ended = running.wait()
    assert ended.code == code
    update = updates(model)[-1]
    there_is = "it cannot translate yet: the first validation, after update 30, saves a model"
    if update >= 30:
        best = [line["update"] for line in metrics(model) if line.get("best")][-1]
        there_is = (
            f"it can translate: the best model so far, of update {best}, has its card and its "
            "curves; what is missing is the last validation, by beam search"
        )
    assert ended.stderr == (
        f"nmt: {name}: stopped after update {update}, and everything is saved; "
        f"the same command goes on from here ({there_is})\n"
    )
    assert update < UPDATES
    made = [(model / page).exists() for page in ("model.safetensors", "README.md", "curves.png")]
    assert made == 3 * [update >= 30]
    if update >= 30:
        check_unfinished_card(model)
    again = forked_nmt(*arguments)
    assert (again.code, again.stderr) == (0, "")
    check_resumed(model, uninterrupted)
    assert MISSING not in (model / "README.md").read_text()


def test_under_nohup_a_lost_terminal_stops_nothing(forked_nmt, toy_folder, uninterrupted, tmp_path):
    model = tmp_path / "model"
    arguments = command(toy_folder, model, *WATCHED, "--quiet", "--updates", UPDATES)
    running = forked_nmt.start(*arguments, ignored=[signal.SIGHUP])
    wait_for(lambda: has_lines(model, 10), "it trains")
    running.signal(signal.SIGHUP)
    ended = running.wait()
    assert (ended.code, ended.stderr) == (0, "")
    check_resumed(model, uninterrupted)


def test_after_overwrite_the_command_to_go_on_with_is_the_one_without_it(
    forked_nmt, toy_folder, tmp_path
):
    model = tmp_path / "model"
    arguments = command(toy_folder, model, *WATCHED, "--quiet", "--updates", UPDATES)
    running = forked_nmt.start(*arguments, "--overwrite")
    wait_for(lambda: has_lines(model, 10), "it trains")
    running.signal(signal.SIGTERM)
    said = "everything is saved; the same command without --overwrite goes on from here"
    assert said in running.wait().stderr
    begun = updates(model)
    assert forked_nmt(*arguments).code == 0
    assert updates(model) == list(range(1, UPDATES + 1))
    assert updates(model)[: len(begun)] == begun


MISSING = "This was written before the end of the training: the scores by beam search are missing."


def check_unfinished_card(model: Path) -> None:
    card = (model / "README.md").read_text()
    assert MISSING in card
    best = [line for line in metrics(model) if line.get("best")][-1]
    scores = f"BLEU {best['bleu']:.1f}, chrF {best['chrf']:.1f}, loss {best['loss']:.3f}"
    assert f"On 20 validation pairs, by greedy search: {scores}" in card
    assert f"the best model is of update {best['update']} of {best['update']},\n" in card


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
    sentence = "another limit than before: the schedule is stretched to it"
    assert sentence in ended.stderr
    assert updates(model) == list(range(1, UPDATES + 31))


def test_a_run_of_an_older_version_goes_on_with_what_was_its_only_choice(
    forked_nmt, toy_folder, tmp_path
):
    model = tmp_path / "model"
    assert forked_nmt(*command(toy_folder, model, *SMALL, "--updates", 2)).code == 0
    manifest = json.loads((model / "config.json").read_text())
    for name in ("attend", "input_feeding", "readout", "attention_heads", "cell"):
        del manifest["model"][name]
    for name in ("teacher_forcing", "teacher_forcing_decay"):
        del manifest["training"]["settings"][name]
    (model / "config.json").write_text(json.dumps(manifest))
    sampled = (*SMALL, "--set=train.teacher_forcing=0.5", "--updates", 4)
    refused = forked_nmt(*command(toy_folder, model, *sampled))
    assert "(train.teacher_forcing was 1.0 and is now 0.5)" in refused.stderr
    ended = forked_nmt(*command(toy_folder, model, *SMALL, "--updates", 4))
    assert ended.code == 0, ended.stderr
    assert "going on after update 2" in ended.stderr
