"""Processes of torchrun train one model: the sums of one process, one folder, one sentence."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from nmt.data.corpus import Corpus
from nmt.training.crew import Crew, Job
from nmt.training.description import describe
from nmt.training.presets import resolve
from nmt.training.ranks import Ranks
from nmt.training.schedule import Pace
from nmt.training.team import Team, together
from tests.conftest import environment
from tests.support.fork_server import Ended, Running
from tests.support.runs import (
    SMALL,
    command,
    computed,
    has_lines,
    metrics,
    same_weights,
    updates,
    wait_for,
)

CHANGES = ["model.embedding_size=16", "model.hidden_size=16", "train.batch_tokens=300"]
UPDATES = 25
# Without dropout the number of processes changes nothing but the last bits.
WATCHED = (
    *SMALL,
    "--set=train.dropout=0",
    "--set=train.report_every=1",
    "--set=train.validate_every=10",
    "--set=train.checkpoint_minutes=0.001",
)
GONE = "most likely because memory ran out"


# Below those that a system gives to connections, and others for each of pytest's processes.
FIRST_PORT = 20_000 + 500 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
PORTS = iter(range(FIRST_PORT, FIRST_PORT + 500))


def is_free(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
        return True
    return False


def places(size: int) -> list[dict[str, str]]:
    """What torchrun tells each of its processes by their environment."""
    port = next(port for port in PORTS if is_free(port))
    shared = {"WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    return [{"RANK": str(rank), "LOCAL_RANK": str(rank), **shared} for rank in range(size)]


@pytest.fixture
def start(forked_nmt) -> Callable[..., list[Running]]:
    """Start `nmt ARGS` in so many processes, as torchrun does, without its seconds."""

    def start(size: int, *arguments: object, **limits) -> list[Running]:
        return [forked_nmt.start(*arguments, environment=place, **limits) for place in places(size)]

    return start


def ends(running: list[Running]) -> list[Ended]:
    return [process.wait() for process in running]


@pytest.fixture
def with_a_helper(forked_nmt, toy_folder, tmp_path, monkeypatch) -> Iterator[None]:
    """Make this process the first of two; the other one helps whatever this one does."""
    mine, other = places(2)
    helper = forked_nmt.start("train", toy_folder, "-o", tmp_path / "none", environment=other)
    for name, value in mine.items():
        monkeypatch.setenv(name, value)
    yield
    ended = helper.wait()
    assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")
    assert not (tmp_path / "none").exists()


def job(corpus: Path, dtype: torch.dtype = torch.float64, **changes) -> Job:
    settings = resolve("tiny", CHANGES, 0)
    description = describe(Corpus.open(corpus), settings, 1)
    return Job(corpus, description, replace(settings.train, **changes), 1, dtype)


def model_of(job: Job) -> torch.nn.Module:
    torch.manual_seed(1)
    return job.description.build().to(job.dtype)


@pytest.mark.usefixtures("with_a_helper")
def test_two_processes_make_the_gradient_of_one(toy_folder):
    corpus = Corpus.open(toy_folder)
    whole, single = job(toy_folder), job(toy_folder, batch_tokens=1)  # a sentence a batch
    assert len(corpus.train) > 3

    def lead(ranks: Ranks) -> list[torch.Tensor]:
        found = []
        for each, indices in ((whole, range(1)), (whole, range(3)), (single, range(3))):
            with Team(ranks, each, model_of(each), corpus) as team:
                work = team.update(0, indices, Pace(1, 0.0, 0.0))  # a rate of 0 changes no weight
                found.append((team.storage.gradients[0] / work.tokens, team.storage.gradient))
        return found

    found = together(lead, toy_folder)
    for (gradient, used), (each, count) in zip(
        found, ((whole, 1), (whole, 3), (single, 3)), strict=True
    ):
        with Crew(each, model_of(each), corpus) as one:
            expected, tokens = torch.zeros_like(gradient), 0
            for index in range(count):
                batches = one.feed.take(0, range(index, index + 1))
                tokens += one.learner.gradients(batches, Pace(1)).tokens
                expected += one.storage.gradients[0]
        mean = expected / tokens
        assert (gradient - mean).abs().max() < 1e-10 * mean.abs().max()
        shrunk = mean * min(1.0, each.config.clip_norm / float(mean.norm()))
        assert (used - shrunk).abs().max() < 1e-5 * shrunk.abs().max()


@pytest.mark.usefixtures("with_a_helper")
def test_validation_is_shared_and_the_same(toy_folder):
    """The 20 validation pairs among two; all of the model that is validated is rank 0's."""
    corpus, plain = Corpus.open(toy_folder), job(toy_folder, torch.float32)

    def lead(ranks: Ranks) -> list:
        return Team(ranks, plain, model_of(plain), corpus).examine(1)

    one, other = together(lead, toy_folder)
    (whole,) = Crew(plain, model_of(plain), corpus).examine(1)
    assert whole.hypotheses[::2] == one.hypotheses
    assert whole.hypotheses[1::2] == other.hypotheses
    assert whole.loss == pytest.approx(one.loss + other.loss, rel=1e-6)
    assert whole.tokens == one.tokens + other.tokens
    assert other.tokens > 0


def losses(model: Path) -> list[float]:
    return [line["loss"] for line in metrics(model)]


def test_a_killed_run_goes_on_with_any_number_of_processes(start, toy_folder, tmp_path):
    def by(size: int, name: str) -> list[Running]:
        arguments = command(toy_folder, tmp_path / name, *WATCHED, "--updates", UPDATES)
        return start(size, *arguments)

    first, second = ends(by(2, "whole"))
    assert (first.code, second.code) == (0, 0), first.stderr
    assert (first.stdout, second.stdout, second.stderr) == ("", "", "")
    assert "by 2 processes" in first.stderr

    running = by(2, "by-2")
    wait_for(lambda: has_lines(tmp_path / "by-2", 15), "it trains")
    for process in running:
        process.signal(signal.SIGKILL)
    assert {ended.code for ended in ends(running)} == {-signal.SIGKILL}
    shutil.copytree(tmp_path / "by-2", tmp_path / "by-1")
    for size in (1, 2):
        model = tmp_path / f"by-{size}"
        ended, *others = ends(by(size, model.name))
        assert ended.code == 0, ended.stderr
        assert "going on after update" in ended.stderr
        assert [other.stderr for other in others] == [""] * (size - 1)
        assert updates(model) == list(range(1, UPDATES + 1))
        assert updates(model, "valid") == [10, 20, 25]
        assert losses(model) == pytest.approx(losses(tmp_path / "whole"), rel=1e-3)
        names = [path.name for path in model.iterdir()]
        assert sorted(names) == sorted(path.name for path in (tmp_path / "whole").iterdir())
    assert same_weights(tmp_path / "whole", tmp_path / "by-2")


def test_a_killed_run_with_dropout_goes_on_to_the_same_weights(start, toy_folder, tmp_path):
    """Each process has chance of its own, which a run that goes on draws again."""

    def by_two(name: str) -> list[Running]:
        watched = [option for option in WATCHED if "validate_every" not in option]
        changes = ["--set=train.dropout=0.3", "--set=train.validate_every=60"]
        arguments = command(toy_folder, tmp_path / name, *watched, *changes, "--updates=60")
        return start(2, *arguments)

    assert [ended.code for ended in ends(by_two("whole"))] == [0, 0]
    running = by_two("model")
    wait_for(lambda: has_lines(tmp_path / "model", 40), "it trains")
    for process in running:
        process.signal(signal.SIGKILL)
    ends(running)
    first, _ = ends(by_two("model"))
    assert "going on after update" in first.stderr
    assert computed(tmp_path / "model") == computed(tmp_path / "whole")
    assert same_weights(tmp_path / "model", tmp_path / "whole")


# Who gets which signal; who speaks, with which code; what is said; whether the state is saved.
DEATHS = {
    "a helper is killed": (
        (1, signal.SIGKILL),
        (0, 1),
        f"nmt: error: a process of the run has ended, {GONE}; everything up to update {{update}} "
        "is saved, and the same command goes on from there\n",
    ),
    "the first is killed": (
        (0, signal.SIGKILL),
        (1, 1),
        f"nmt: error: the first process of the run has ended, {GONE}; "
        "the same command goes on from the last checkpoint\n",
    ),
    "a helper is stopped": (
        (1, signal.SIGTERM),
        (0, 143),
        "nmt: SIGTERM: stopped after update {update}, and everything is saved; the same command "
        "goes on from here (it cannot translate yet: the first validation, after update 100,000, "
        "saves a model)\n",
    ),
}


@pytest.mark.parametrize(("who", "speaker", "sentence"), DEATHS.values(), ids=DEATHS)
def test_one_that_ends_ends_all_with_a_sentence(
    start, toy_folder, tmp_path, who, speaker, sentence
):
    model = tmp_path / "model"
    options = [*SMALL, "--set=train.report_every=1", "--set=train.validate_every=100000"]
    running = start(2, *command(toy_folder, model, *options, "--updates=100000", "--quiet"))
    wait_for(lambda: has_lines(model, 5), "it trains")
    rank, number = who
    running[rank].signal(number)
    ended = ends(running)
    update = updates(model)[-1]
    assert ended[speaker[0]].stderr == sentence.format(update=update)
    assert ended[speaker[0]].code == speaker[1]
    assert ended[1 - speaker[0]].stderr == ""
    assert ended[1 - speaker[0]].code != 0
    saved = [int(path.stem.removeprefix("update-")) for path in model.glob("checkpoints/*")]
    assert sorted(saved) == ([0, update] if "{update}" in sentence else [0])


def test_what_is_wrong_is_said_once(start, toy_folder, tmp_path):
    wrong = command(toy_folder, tmp_path / "model", "--set=train.dropout=2")
    first, second = ends(start(2, *wrong))
    sentence = "nmt: error: train: dropout must be at least 0 and below 1, not 2.0\n"
    assert (first.stderr, first.code) == (sentence, 1)
    assert (second.stderr, second.code) == ("", 1)


def test_a_machine_with_another_corpus_is_named(forked_nmt, toy_folder, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(toy_folder, other)
    manifest = json.loads((other / "corpus.json").read_text())
    (other / "corpus.json").write_text(json.dumps(manifest | {"inputs": {}}))
    running = [
        forked_nmt.start(*command(corpus, tmp_path / "model", *SMALL), environment=place)
        for corpus, place in zip((toy_folder, other), places(2), strict=True)
    ]
    first, second = ends(running)
    assert (first.code, second.code, second.stderr) == (1, 1, "")
    assert first.last_line == (
        f"nmt: error: rank 1, on {socket.gethostname()}: {other}: this is not the corpus of "
        "rank 0; copy that one here"
    )


def test_torchrun(toy_folder, tmp_path):
    model = tmp_path / "model"
    arguments = command(toy_folder, model, *SMALL, "--updates=4", "--json")
    program = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*program, "-m", "nmt", *map(str, arguments)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["updates"] == 4
    assert len(re.findall("^done: ", done.stderr, re.MULTILINE)) == 1
    assert (model / "README.md").exists()
