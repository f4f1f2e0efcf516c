"""Several processes train one model: the same sums, the same weights after a stop, no orphans."""

import logging
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from nmt.data.corpus import Corpus
from nmt.errors import NmtError
from nmt.training.config import Limits, TrainConfig
from nmt.training.crew import Crew, Job, choose_workers
from nmt.training.description import describe
from nmt.training.loader import Feed
from nmt.training.options import TrainOptions
from nmt.training.presets import resolve
from nmt.training.run import train
from nmt.training.schedule import Pace
from tests.conftest import environment
from tests.support.runs import command, has_lines, same_weights, wait_for

SMALL = ["model.embedding_size=16", "model.hidden_size=16", "train.batch_tokens=300"]
PAIR = [*SMALL, "train.workers=2", "train.report_every=1", "train.validate_every=10"]
PAIR += ["train.checkpoint_minutes=0.0001"]
UNSAID = [change for change in PAIR if "workers" not in change]


def crew(folder: Path, workers: int, dtype: torch.dtype = torch.float32, **changes) -> Crew:
    corpus = Corpus.open(folder)
    settings = resolve("tiny", SMALL, 0)
    description = describe(corpus, settings, 1)
    torch.manual_seed(1)
    job = Job(folder, description, replace(settings.train, **changes), 1, dtype, workers)
    model = description.build().to(torch.promote_types(dtype, torch.float32))
    return Crew(job, model, corpus)


@pytest.mark.parametrize("clip_norm", [0.0, 0.01])
def test_two_processes_make_the_sums_of_one(toy_folder, clip_norm):
    with (
        crew(toy_folder, 1, clip_norm=clip_norm) as one,
        crew(toy_folder, 2, clip_norm=clip_norm) as two,
    ):
        for update in range(1, 4):
            index = update - 1
            works = [
                each.update(0, range(index, update), Pace(update, 0.01, 0.0)) for each in (one, two)
            ]
            gradients = [each.learner.storage.gradient for each in (one, two)]
            assert works[0].tokens == works[1].tokens
            assert works[0].token_pairs == works[1].token_pairs
            assert float(works[1].loss) == pytest.approx(float(works[0].loss), rel=1e-3)
            assert torch.allclose(*gradients, atol=1e-4 * float(gradients[0].abs().max()))
            if clip_norm:
                assert float(gradients[1].norm()) == pytest.approx(clip_norm, rel=1e-3)
            # Adam turns the last bits of a tiny gradient into a step: begin alike each time.
            two.learner.storage.weights.copy_(one.learner.storage.weights)


@pytest.mark.parametrize("workers", [1, 2])
def test_accumulated_batches_and_processes_make_the_gradient_of_one(toy_folder, workers):
    with (
        crew(toy_folder, 1, torch.float64) as plain,
        crew(toy_folder, workers, torch.float64) as crowd,
    ):
        expected = torch.zeros_like(plain.learner.storage.gradient)
        for index in range(3):  # a rate of 0 leaves the weights alone
            plain.learner.gradients(plain.feed.take(0, range(index, index + 1)), Pace(1))
            expected += plain.learner.storage.gradients[0]
        crowd.update(0, range(3), Pace(1, 0.0, 0.0))
        found = crowd.learner.storage.gradients.sum(0)
        assert (found - expected).abs().max() < 1e-10 * expected.abs().max()


def test_products_are_made_with_the_rounded_weights_of_every_part(toy_folder):
    with crew(toy_folder, 2, torch.bfloat16) as pair:
        storage = pair.learner.storage
        before = storage.rounded.clone()
        pair.update(0, range(1), Pace(1, 0.01, 0.0))
        assert torch.equal(storage.rounded, storage.weights.bfloat16())
        assert (storage.rounded != before).float().mean() > 0.1
        halves = storage.rounded.chunk(2)
        assert all((half != old).any() for half, old in zip(halves, before.chunk(2), strict=True))
        state = {name: 2 * tensor for name, tensor in pair.learner.state().items()}
        pair.learner.load_state(state)
        assert torch.equal(storage.rounded, storage.weights.bfloat16())


def test_each_pair_of_a_batch_goes_to_one_worker(toy_folder):
    split = Corpus.open(toy_folder).train
    feeds = [Feed(split, 300, 1, worker, 3) for worker in range(3)]
    whole = Feed(split, 300, 1)
    for index in (0, 1, 5, 2):  # in order and out of order
        parts = [next(feed.take(0, range(index, index + 1)), None) for feed in feeds]
        (batch,) = whole.take(0, range(index, index + 1))
        assert sum(part.tokens for part in parts if part) == batch.tokens
        labels = torch.cat([part.labels for part in parts if part])
        assert torch.equal(labels.sort()[0], batch.labels.sort()[0])


def test_a_batch_smaller_than_the_crew_is_learned_from(toy_folder):
    with crew(toy_folder, 2, batch_tokens=1) as pair:  # a sentence a batch
        work = pair.update(0, range(1), Pace(1, 0.01, 0.1))
        assert work.tokens > 0
        assert bool(torch.isfinite(pair.learner.storage.weights).all())


@pytest.fixture
def log(caplog):
    """What a run says."""
    caplog.set_level(logging.INFO, "nmt")
    logging.getLogger("nmt").propagate = True
    return caplog


def test_a_run_of_two_goes_on_to_the_same_weights(toy_folder, tmp_path, log):
    """By two again, which need not be said again."""

    def run(folder: str, changes: list[str]) -> None:
        options = TrainOptions("tiny", changes, Limits(updates=20))
        options = replace(options, device="cpu", precision="fp32")
        train(toy_folder, tmp_path / folder, options)

    run("whole", PAIR)
    arguments = command(
        toy_folder,
        tmp_path / "stopped",
        "--preset=tiny",
        *[f"--set={change}" for change in PAIR],
        *("--updates=20", "--device=cpu", "--precision=fp32"),
    )
    program = [sys.executable, "-m", "nmt", *map(str, arguments)]
    running = subprocess.Popen(program, env=environment(), stderr=subprocess.DEVNULL)
    saved = tmp_path / "stopped" / "checkpoints"
    wait_for(lambda: saved.is_dir() and any(saved.glob("*.safetensors")), "it saves")
    wait_for(lambda: has_lines(tmp_path / "stopped", 7), "it trains on")
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
    workers = children.read_text().split() if children.exists() else []
    running.send_signal(signal.SIGKILL)
    running.wait()
    wait_for(lambda: not any(map(alive, workers)), "its worker ends as well")
    log.clear()
    run("stopped", UNSAID)
    assert log.messages[0].endswith("on cpu in fp32, by 2 processes")
    assert same_weights(tmp_path / "whole", tmp_path / "stopped")


def test_after_a_run_of_two_all_threads_are_back(toy_folder, tmp_path):
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        options = TrainOptions("tiny", PAIR, Limits(updates=2), device="cpu", precision="fp32")
        train(toy_folder, tmp_path / "model", options)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)


def alive(process: str) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def test_a_worker_that_dies_is_told_in_a_sentence(toy_folder):
    with crew(toy_folder, 2) as pair:
        pair.update(0, range(1), Pace(1, 0.01, 0.1))
        pair._others[0].process.kill()
        pair._others[0].process.wait()
        with pytest.raises(NmtError) as caught:
            pair.update(0, range(1, 2), Pace(2, 0.01, 0.1))
    assert str(caught.value) == (
        "a worker process ended (code -9), most likely because memory ran out; the same command "
        "goes on from the last checkpoint, with --set train.workers=1 in one process"
    )


def test_no_worker_is_left_behind(toy_folder):
    with crew(toy_folder, 3) as three:
        three.update(0, range(1), Pace(1, 0.01, 0.1))
        processes = [worker.process for worker in three._others]
        assert [process.poll() for process in processes] == [None, None]
    assert [process.poll() for process in processes] == [0, 0]


@pytest.mark.parametrize(
    ("config", "pairs", "device", "cores", "chosen"),
    [
        (TrainConfig(batch_tokens=2048), 100_000, "cpu", 1, 1),
        (TrainConfig(batch_tokens=2048), 100_000, "cpu", 2, 2),
        (TrainConfig(batch_tokens=1100), 100_000, "cpu", 3, 2),
        (TrainConfig(batch_tokens=1000), 100_000, "cpu", 2, 1),
        (TrainConfig(batch_tokens=9999), 100_000, "cpu", 9, 4),
        (TrainConfig(batch_tokens=4096), 300, "cpu", 4, 1),
        (TrainConfig(batch_tokens=4096), 100_000, "cuda", 4, 1),
        (TrainConfig(batch_tokens=4096, workers=3), 100_000, "cuda", 4, 1),
    ],
)
def test_as_many_processes_as_there_are_cores_and_work_for(config, pairs, device, cores, chosen):
    before = torch.get_num_threads()
    torch.set_num_threads(cores)
    try:
        assert choose_workers(config, pairs, torch.device(device)) == chosen
    finally:
        torch.set_num_threads(before)


def test_the_number_of_processes_can_be_chosen():
    assert choose_workers(TrainConfig(workers=3), 10, torch.device("cpu")) == 3


def test_the_advice_after_a_dead_worker_can_be_followed(toy_folder, tmp_path, log):
    options = TrainOptions("tiny", PAIR, Limits(updates=4), device="cpu", precision="fp32")
    train(toy_folder, tmp_path / "model", options)
    # From then on it is one process, which need not be said again.
    for updates, changes in ((8, [*PAIR, "train.workers=1"]), (9, UNSAID)):
        log.clear()
        options = replace(options, changes=changes, limits=Limits(updates=updates))
        assert train(toy_folder, tmp_path / "model", options).updates == updates
        assert log.messages[0].endswith("on cpu in fp32")


def test_a_failure_in_a_worker_is_told(toy_folder, tmp_path):
    with crew(toy_folder, 1) as one:
        job = replace(one.job, workers=2, corpus=tmp_path / "nowhere")
        pair = Crew(job, one.learner.model, Corpus.open(toy_folder))
        with pair, pytest.raises(NmtError, match=r"a worker process failed: .*nowhere"):
            pair.update(0, range(1), Pace(1, 0.01, 0.1))
