"""`train.tensorboard` shows every line of metrics.jsonl once, whatever happened on the way."""

import signal
import sys

import pytest

from nmt.errors import SettingError
from nmt.training.config import Limits
from nmt.training.options import TrainOptions
from nmt.training.run import train
from tests.support.runs import WATCHED, command, has_lines, metrics, wait_for

SHOWN = (*WATCHED, "--set=train.tensorboard=true")


def test_a_killed_run_has_neither_gaps_nor_doubles(forked_nmt, toy_folder, tmp_path):
    from tensorboard.backend.event_processing import event_accumulator as reader  # takes seconds

    model = tmp_path / "model"
    ended = forked_nmt(*command(toy_folder, model, *WATCHED, "--updates=4"))  # not shown yet
    assert ended.code == 0, ended.stderr
    running = forked_nmt.start(*command(toy_folder, model, *SHOWN, "--updates=45"))
    wait_for(lambda: has_lines(model, 20), "it trains on")
    running.signal(signal.SIGKILL)
    running.wait()
    ended = forked_nmt(*command(toy_folder, model, *SHOWN, "--updates=45", "--quiet"))
    assert (ended.code, ended.stderr) == (0, "")
    shown = reader.EventAccumulator(str(model / "tensorboard"), {reader.SCALARS: 0})
    shown.Reload()
    lines = metrics(model)
    assert [line["update"] for line in lines if line["kind"] == "valid"] == [4, 30, 45]
    expected = {
        f"{line['kind']}/{name}": [
            (other["update"], pytest.approx(other[name], rel=1e-6, abs=1e-9))
            for other in lines
            if other["kind"] == line["kind"]
        ]
        for line in lines
        for name in line.keys() - {"kind", "update", "best"}
    }
    found = {
        tag: [(event.step, event.value) for event in shown.Scalars(tag)]
        for tag in shown.Tags()["scalars"]
    }
    assert found == expected
    times = [event.wall_time for event in shown.Scalars("train/loss")]
    assert times == sorted(times)


def test_without_the_package_nothing_is_begun(toy_folder, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)  # as where it is not installed
    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard", raising=False)
    options = TrainOptions("tiny", ["train.tensorboard=true"], Limits(updates=1))
    with pytest.raises(SettingError) as caught:
        train(toy_folder, tmp_path / "model", options)
    assert str(caught.value) == (
        "train.tensorboard: TensorBoard is not installed; pip install 'nmt[tensorboard]'"
    )
    assert list(tmp_path.iterdir()) == []
