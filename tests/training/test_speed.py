"""Speed: tokens a second and the share of the peak, of the time that went into training."""

from pathlib import Path

import pytest
import torch

from nmt.models.cost import Cost
from nmt.training.config import Limits
from nmt.training.learner import Work
from nmt.training.options import TrainOptions
from nmt.training.run import train
from nmt.training.speed import Figures, Speedometer
from tests.support.runs import metrics

# A pass forward through WORK is 20 * 2 + 30 * 5 + 400 * 7 = 2,990 operations; with the way back
# it is 8,970.
COST = Cost(per_source_token=2, per_target_token=5, per_pair_of_tokens=7)
WORK = Work(loss=torch.tensor(60.0), tokens=30, source_tokens=20, token_pairs=400)
PEAK = 1e5


class Clock:
    """A clock that the test moves."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_reading_is_of_the_work_and_the_seconds_since_the_last_one(clock):
    speed = Speedometer(COST, PEAK, clock)
    speed.count(WORK)
    speed.count(WORK)
    clock.now += 4
    # 60 tokens and 17,940 operations in 4 s, of which the peak would do 400,000.
    assert speed.read() == Figures(loss=2.0, tokens_per_second=15.0, share_of_peak=0.0449)
    speed.count(WORK)
    clock.now += 0.5
    assert speed.read() == Figures(loss=2.0, tokens_per_second=60.0, share_of_peak=0.1794)


def test_pauses_are_left_out(clock):
    speed = Speedometer(COST, PEAK, clock)
    for pause in (1000, 30):
        speed.count(WORK)
        clock.now += 1
        with speed.paused():
            clock.now += pause
    clock.now += 2
    assert speed.read() == Figures(loss=2.0, tokens_per_second=15.0, share_of_peak=0.0449)
    speed.count(WORK)
    clock.now += 0.5  # the pauses were those of the last reading
    assert speed.read().tokens_per_second == 60


def test_what_an_earlier_call_did_not_report_counts_for_the_loss_alone(clock):
    speed = Speedometer(COST, PEAK, clock, loss=240.0, tokens=30)
    speed.count(WORK)
    clock.now += 2
    # (240 + 60) / (30 + 30), but 30 tokens in 2 s.
    assert speed.read() == Figures(loss=5.0, tokens_per_second=15.0, share_of_peak=0.0449)
    speed.count(WORK)
    clock.now += 2
    assert speed.read().loss == 2


class SlowDisk(Clock):
    """A clock on which each new model and each new checkpoint in a folder takes an hour."""

    def __init__(self, model: Path) -> None:
        self.model, self.seen = model, set()

    def __call__(self) -> float:
        found = {*self.model.glob("checkpoints/*"), *self.model.glob("model.safetensors")}
        now = {(path.name, path.stat().st_mtime_ns) for path in found}
        self.now += 0.5 + 3600 * bool(now - self.seen)
        self.seen |= now
        return self.now


def test_in_a_run_validation_and_checkpoints_take_time_but_no_speed(toy_folder, tmp_path):
    model = tmp_path / "model"
    changes = ["model.embedding_size=16", "model.hidden_size=16", "train.batch_tokens=300"]
    changes += ["train.report_every=1", "train.validate_every=3", "train.checkpoint_minutes=0"]
    options = TrainOptions("tiny", changes, Limits(updates=9), device="cpu", precision="fp32")
    train(toy_folder, model, options, SlowDisk(model))
    lines = [line for line in metrics(model) if line["kind"] == "train"]
    assert lines[-1]["seconds"] > 9 * 3600
    # Some hundred tokens in the two seconds of each update, or in an hour less than one a second.
    assert [line["update"] for line in lines if line["tokens_per_second"] > 20] == [*range(1, 10)]
