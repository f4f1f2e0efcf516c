"""`train` from Python: the clock, the best model, early stopping, and what stands in the folder."""

import json
import logging
import math
import re
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from nmt.data.corpus import Corpus
from nmt.data.options import PreprocessOptions
from nmt.data.preprocess import preprocess
from nmt.data.special import BOS
from nmt.decoding.model_folder import load_model, load_weights, read_description, save_weights
from nmt.errors import FolderError, Interrupted, NmtError, SettingError
from nmt.training.checkpoint import load_newest, save_checkpoint
from nmt.training.config import Limits
from nmt.training.description import describe
from nmt.training.folder import alone
from nmt.training.options import TrainOptions
from nmt.training.presets import resolve
from nmt.training.run import TrainReport, train
from nmt.training.selection import Standing, is_better
from tests.support.corpora import digit_corpus
from tests.support.runs import same_weights

SMALL = [
    "model.embedding_size=16",
    "model.hidden_size=16",
    "train.batch_tokens=300",
    "train.report_every=1",
]


def options(*changes: str, seed: int = 1, **limits) -> TrainOptions:
    return TrainOptions(
        preset="tiny",
        changes=[*SMALL, *changes],
        limits=Limits(**limits),
        seed=seed,
        device="cpu",
        precision="fp32",
    )


def metrics(model: Path, kind: str = "train") -> list[dict]:
    lines = map(json.loads, (model / "metrics.jsonl").read_text().splitlines())
    return [line for line in lines if line["kind"] == kind]


class Clock:
    """A clock that goes on by so much each time that it is read."""

    def __init__(self, tick: float) -> None:
        self.now, self.tick = 1000.0, tick

    def __call__(self) -> float:
        self.now += self.tick
        return self.now


def test_the_share_of_time_decides_over_the_rate_and_the_end(toy_folder, tmp_path):
    train(toy_folder, tmp_path / "model", options(seconds=60.0), Clock(0.05))
    lines = metrics(tmp_path / "model")
    rates = [line["learning_rate"] for line in lines]
    falling = rates[rates.index(max(rates)) :]
    assert falling == sorted(falling, reverse=True)
    assert falling[-1] < 0.05 * max(rates)
    seconds = [line["seconds"] for line in lines]
    assert seconds == sorted(seconds)
    assert 45 < seconds[-1] <= 61


def test_the_same_clock_gives_the_same_model(toy_folder, tmp_path):
    for name in ("a", "b"):
        train(toy_folder, tmp_path / name, options(seconds=30.0), Clock(0.05))
    first, second = (
        [line | {"share_of_peak": None} for line in metrics(tmp_path / name)] for name in "ab"
    )
    assert first == second  # but for the machine's peak, which is measured
    first, second = (load_model(tmp_path / name).model for name in ("a", "b"))
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)


def test_without_the_share_of_time_the_clock_decides_nothing(toy_folder, tmp_path):
    for name, tick in (("slow", 100.0), ("quick", 0.0001)):
        train(toy_folder, tmp_path / name, options(updates=20), Clock(tick))
    first, second = (load_model(tmp_path / name).model for name in ("slow", "quick"))
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.fixture
def may_get_worse(monkeypatch):
    """Let a run go on that has lost what it learned."""
    monkeypatch.setattr("nmt.training.trainer.DIVERGED", math.inf)


@pytest.mark.usefixtures("may_get_worse")
def test_the_best_model_is_kept(toy_folder, tmp_path):
    logging.getLogger("nmt").setLevel(logging.INFO)
    changes = [
        "train.select_by=loss",
        "train.validate_every=5",
        "train.learning_rate=0.5",
        "train.warmup_updates=0",
        "train.dropout=0",
        "train.report_every=100",
    ]
    report = train(toy_folder, tmp_path / "model", options(*changes, updates=50))
    losses = {line["update"]: line["loss"] for line in metrics(tmp_path / "model", "valid")}
    assert report.best_update == min(losses, key=losses.__getitem__)
    assert report.validation.loss == pytest.approx(losses[report.best_update], rel=1e-5)


def test_the_kept_model_is_the_one_that_the_rule_picks(toy_folder, tmp_path):
    chosen = options("train.validate_every=5", "train.dropout=0", updates=200)
    report = train(toy_folder, tmp_path / "model", chosen)
    lines = metrics(tmp_path / "model", "valid")
    noise = 16 / math.sqrt(len(Corpus.open(toy_folder).valid_source_text))
    best, highest, rises = Standing(-math.inf, math.inf), -math.inf, []
    for line in lines:
        new = Standing(line["bleu"], line["loss"])
        if is_better(new, best, highest, noise):
            best = new
            rises.append(line["update"])
        highest = max(highest, new.score)
    assert [line["update"] for line in lines if line["best"]] == rises
    assert report.best_update == rises[-1]


PLATEAU = (
    "train.validate_every=5",
    "train.patience=2",
    "train.learning_rate=1e-30",  # nothing gets better
    "train.warmup_updates=0",
    "train.workers=1",
)


# After update 15 two validations were no better than the first, and that is three fifths of 25.
# With a smaller budget the rate is falling already, and has its time.
@pytest.mark.parametrize(("updates", "last", "falls_from"), [(2000, 25, 15), (20, 20, 12)])
def test_where_nothing_gets_better_the_rate_falls_and_training_ends(
    toy_folder, tmp_path, updates, last, falls_from
):
    report = train(toy_folder, tmp_path / "model", options(*PLATEAU, updates=updates))
    assert (report.best_update, report.updates) == (5, last)
    lines = metrics(tmp_path / "model")
    rates = {line["update"]: line["learning_rate"] for line in lines}
    assert [rates[update] for update in range(1, falls_from)] == [1e-30] * (falls_from - 1)
    assert rates[falls_from + 1] < 1e-30
    if updates == 2000:
        assert rates[20] == pytest.approx(0.5e-30)
        assert rates[25] == 0


def test_a_shortened_run_goes_on_to_the_same_end_and_with_another_limit_takes_that(
    toy_folder, tmp_path
):
    shown = options(*PLATEAU, updates=2000)
    train(toy_folder, tmp_path / "whole", shown)
    with pytest.raises(Interrupted):
        train(toy_folder, tmp_path / "halves", shown, StoppingClock(110))
    assert 15 < metrics(tmp_path / "halves")[-1]["update"] < 25
    shutil.copytree(tmp_path / "halves", tmp_path / "longer")
    assert train(toy_folder, tmp_path / "halves", shown).updates == 25
    whole, halves = (metrics(tmp_path / name) for name in ("whole", "halves"))
    assert [line["learning_rate"] for line in whole] == [line["learning_rate"] for line in halves]
    assert train(toy_folder, tmp_path / "longer", options(*PLATEAU, updates=50)).updates == 50
    rates = {line["update"]: line["learning_rate"] for line in metrics(tmp_path / "longer")}
    assert [rates[update] for update in range(25, 30)] == [1e-30] * 5
    assert rates[31] < 1e-30


def test_training_learns(toy_folder, tmp_path):
    changes = ("train.label_smoothing=0", "train.dropout=0", "train.learning_rate=0.02")
    train(toy_folder, tmp_path / "model", options(*changes, updates=60))
    losses = [line["loss"] for line in metrics(tmp_path / "model")]
    assert losses[-1] < 0.6 * losses[0]
    rates = [line["learning_rate"] for line in metrics(tmp_path / "model")]
    assert rates[-1] == pytest.approx(0, abs=1e-9)


def test_the_report_says_what_came_out(toy_folder, tmp_path):
    report = train(toy_folder, tmp_path / "model", options(updates=3))
    assert isinstance(report, TrainReport)
    assert report.as_dict().keys() == {
        "model",
        "updates",
        "best_update",
        "seconds",
        "loss",
        "bleu",
        "chrf",
    }
    assert len(report.validation.samples) == 3


def test_nothing_is_printed(toy_folder, tmp_path, capfd):
    logging.getLogger("nmt").handlers = []
    logging.getLogger("nmt").setLevel(logging.NOTSET)
    train(toy_folder, tmp_path / "model", options(updates=2))
    assert capfd.readouterr() == ("", "")


def test_a_loss_that_is_no_number_ends_the_run_with_advice(toy_folder, tmp_path):
    model = tmp_path / "model"
    train(toy_folder, model, options(updates=3))
    before = (model / "model.safetensors").read_bytes()
    tensors, position = load_newest(model / "checkpoints")
    tensors["model.output_bias"] += math.nan
    save_checkpoint(model / "checkpoints", tensors, position, keep=1)
    with pytest.raises(NmtError) as caught:
        train(toy_folder, model, options(updates=9))
    assert str(caught.value) == (
        f"the loss is no longer a number at update 4; the best model so far stays in {model}; "
        "train again with a lower rate, into another folder: --set train.learning_rate=0.002"
    )
    assert (model / "model.safetensors").read_bytes() == before


@pytest.mark.parametrize("report_every", [1, 50])  # each update, or none before the end
def test_where_there_is_no_model_yet_the_advice_is_to_begin_anew(
    toy_folder, tmp_path, report_every
):
    rare = f"train.report_every={report_every}"
    wild = options("train.learning_rate=50", "train.warmup_updates=0", rare, updates=9)
    with pytest.raises(NmtError) as caught:
        train(toy_folder, tmp_path / "model", wild)
    assert re.fullmatch(
        r"the loss .* at update \d; train again with a lower rate: "
        r"--set train\.learning_rate=25 --overwrite",
        str(caught.value),
    )
    assert not (tmp_path / "model" / "model.safetensors").exists()
    assert (tmp_path / "model" / "curves.png").exists()


def test_a_run_shorter_than_a_report_is_reported_at_its_end(toy_folder, tmp_path):
    train(toy_folder, tmp_path / "model", options("train.report_every=50", updates=7))
    train(toy_folder, tmp_path / "watched", options(updates=7))
    (line,) = metrics(tmp_path / "model")
    losses = [line["loss"] for line in metrics(tmp_path / "watched")]
    assert line["update"] == 7
    assert min(losses) < line["loss"] < max(losses)


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        ("model.output_bias", "the loss is no longer a number"),
        # What is wrong with the optimiser shows in the weights first, in the loss an update later.
        ("optimizer.exp_avg.output_bias", "some weights are no longer numbers"),
    ],
)
def test_a_state_that_is_no_number_is_not_saved(toy_folder, tmp_path, broken, what):
    model = tmp_path / "model"
    often = ("train.report_every=99", "train.checkpoint_minutes=0.00001")
    train(toy_folder, model, options(*often, updates=3))
    tensors, position = load_newest(model / "checkpoints")
    tensors[broken] += math.nan
    save_checkpoint(model / "checkpoints", tensors, position, keep=1)
    with pytest.raises(NmtError, match=f"{what} at update 4"):
        train(toy_folder, model, options(*often, updates=99))
    assert load_newest(model / "checkpoints")[1].update == 3


def test_a_model_with_a_weight_that_is_no_number_is_never_the_best(toy_folder, tmp_path):
    """Validation need not notice: here it is the weight of a piece that no source has."""
    model = tmp_path / "model"
    train(toy_folder, model, options(updates=3))
    before = (model / "model.safetensors").read_bytes()
    tensors, position = load_newest(model / "checkpoints")
    tensors["optimizer.exp_avg.source_embedding"][BOS] += math.nan
    save_checkpoint(model / "checkpoints", tensors, position, keep=1)
    with pytest.raises(NmtError, match="some weights are no longer numbers at update 6"):
        train(toy_folder, model, options(updates=6))
    assert (model / "model.safetensors").read_bytes() == before
    assert load_model(model)
    assert load_newest(model / "checkpoints")[1].update == 3


def test_where_memory_runs_out_the_setting_to_lower_is_named(toy_folder, tmp_path, monkeypatch):
    def full(**_):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 9 bytes")

    monkeypatch.setattr("nmt.training.adam.adamw", full)  # torch's
    with pytest.raises(NmtError) as caught:
        train(toy_folder, tmp_path / "model", options(updates=3))
    assert str(caught.value) == (
        "there is not enough memory for update 1: begin anew, by --overwrite, with smaller "
        "batches (--set train.batch_tokens=150) or a smaller model"
    )


def test_under_a_time_limit_a_stopped_run_has_used_its_time(toy_folder, tmp_path):
    limited = options(seconds=60.0)
    train(toy_folder, tmp_path / "whole", limited, Clock(0.2))
    with pytest.raises(Interrupted):
        train(toy_folder, tmp_path / "halves", limited, StoppingClock(150, 0.2))
    stopped = metrics(tmp_path / "halves")[-1]
    assert 20 < stopped["seconds"] < 40
    train(toy_folder, tmp_path / "halves", limited, Clock(0.2))
    lines = metrics(tmp_path / "halves")
    seconds = [line["seconds"] for line in lines]
    assert seconds == sorted(seconds)
    assert seconds[-1] == pytest.approx(metrics(tmp_path / "whole")[-1]["seconds"], abs=1)
    rates = {line["seconds"]: line["learning_rate"] for line in lines}
    falling = [rate for at, rate in rates.items() if at > 40]
    assert falling == sorted(falling, reverse=True)
    assert falling[-1] < 0.05 * max(rates.values())


def test_a_mean_loss_that_was_begun_before_a_stop_is_reported_whole(toy_folder, tmp_path):
    rarely = options("train.report_every=7", "train.workers=1", updates=21)
    train(toy_folder, tmp_path / "whole", rarely)
    with pytest.raises(Interrupted):
        train(toy_folder, tmp_path / "halves", rarely, StoppingClock(30))
    stopped = load_newest(tmp_path / "halves" / "checkpoints")[1].update
    assert 0 < stopped < 21
    assert stopped % 7
    train(toy_folder, tmp_path / "halves", rarely)
    whole, halves = (metrics(tmp_path / name) for name in ("whole", "halves"))
    assert [line["loss"] for line in whole] == [line["loss"] for line in halves]


def test_a_seed_that_torch_cannot_take_leaves_what_is_there(toy_folder, tmp_path):
    model = tmp_path / "model"
    train(toy_folder, model, options(updates=2))
    for seed in (-1, 2**63):
        with pytest.raises(SettingError, match="a seed is a number from 0 to 9223372036854775807"):
            train(toy_folder, model, replace(options(updates=2, seed=seed), overwrite=True))
    assert load_model(model)


@pytest.mark.parametrize("lost", ["removed", "damaged"])
def test_a_model_whose_state_is_lost_is_not_trained_anew_by_itself(toy_folder, tmp_path, lost):
    model = tmp_path / "model"
    train(toy_folder, model, options(updates=3))
    if lost == "removed":
        shutil.rmtree(model / "checkpoints")
    else:
        for path in (model / "checkpoints").iterdir():
            path.write_bytes(path.read_bytes()[:-9])
    before = {path: path.read_bytes() for path in model.rglob("*") if path.is_file()}
    with pytest.raises(FolderError) as caught:
        train(toy_folder, model, options(updates=3))
    assert str(caught.value) == (
        f"{model}: the folder holds a model, but no whole checkpoint to go on from; choose another "
        "folder, or start anew with --overwrite"
    )
    assert {path: path.read_bytes() for path in model.rglob("*") if path.is_file()} == before
    again = replace(options(updates=3), overwrite=True)
    assert train(toy_folder, model, again).updates == 3


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ((), [5, 6]),
        (("train.keep_checkpoints=1",), [6]),
        (("train.keep_checkpoints=4",), [3, 4, 5, 6]),
    ],
)
def test_as_many_checkpoints_are_kept_as_were_asked_for(toy_folder, tmp_path, changes, kept):
    often = options("train.checkpoint_minutes=0", *changes, updates=6)
    train(toy_folder, tmp_path / "model", often, Clock(0.05))
    names = sorted(path.name for path in (tmp_path / "model" / "checkpoints").iterdir())
    assert names == [f"update-{update:08d}.safetensors" for update in kept]


def test_what_a_killed_process_half_wrote_is_removed(toy_folder, tmp_path):
    model = tmp_path / "model"
    train(toy_folder, model, options(updates=3))
    halves = (model / ".model.safetensors.ab12.tmp", model / "checkpoints/.update-04.safe.x.tmp")
    for half in halves:
        half.write_text("half")
    others = (model / ".notes.tmp", model / ".average.x.tmp" / "config.json")
    others[1].parent.mkdir()
    for other in others:
        other.write_text("mine")
    train(toy_folder, model, options(updates=4))
    assert not any(half.exists() for half in halves)
    assert [other.read_text() for other in others] == ["mine", "mine"]


def test_a_checkpoint_of_another_model_is_named(toy_folder, tmp_path):
    model, wider = tmp_path / "model", tmp_path / "wider"
    train(toy_folder, model, options(updates=3))
    train(toy_folder, wider, options("model.hidden_size=32", updates=4))
    for path in (wider / "checkpoints").iterdir():
        shutil.copy(path, model / "checkpoints")
    with pytest.raises(FolderError) as caught:
        train(toy_folder, model, options(updates=9))
    assert str(caught.value) == (
        f"{model}: the newest checkpoint there is of another model; choose another folder, or "
        "start anew with --overwrite"
    )


def test_a_mistake_leaves_no_folder_behind(toy_folder, tmp_path):
    with pytest.raises(SettingError):
        train(toy_folder, tmp_path / "runs" / "a" / "model", options("train.dropout=2"))
    assert list(tmp_path.iterdir()) == []


def test_three_way_tying_needs_a_joint_vocabulary(toy_corpus, tmp_path):
    toy = toy_corpus
    texts = (toy.train_source, toy.train_target, toy.valid_source, toy.valid_target)
    separate = PreprocessOptions(*((text,) for text in texts), joint=False)
    preprocess(separate, tmp_path / "corpus")
    with pytest.raises(SettingError) as caught:
        train(tmp_path / "corpus", tmp_path / "model", options("model.tying=three-way"))
    assert str(caught.value) == (
        "model.tying: three-way tying needs a joint vocabulary, and this corpus has two; "
        "preprocess with --joint-vocab, or take two-way"
    )
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        ({"seconds": math.inf}, "seconds must be above 0 and finite, not inf"),
        ({"seconds": math.nan}, "seconds must be above 0 and finite, not nan"),
        ({"updates": -5}, "updates must be above 0 and finite, not -5"),
        ({"seconds": 60, "updates": 7}, "a run has one limit, not seconds and updates"),
    ],
)
def test_what_is_no_limit_is_refused(toy_folder, tmp_path, limits, sentence):
    with pytest.raises(SettingError) as caught:
        train(toy_folder, tmp_path / "model", options(**limits))
    assert str(caught.value) == sentence
    assert not (tmp_path / "model").exists()


def test_two_runs_do_not_write_into_one_folder(toy_folder, tmp_path):
    model = tmp_path / "model"
    with alone(model), pytest.raises(FolderError) as caught:
        train(toy_folder, model, options(updates=3))
    assert str(caught.value) == (
        f"{model}: another training is writing into this folder; wait for it, or choose another "
        "folder"
    )
    assert not model.exists()
    assert train(toy_folder, model, options(updates=3)).updates == 3


def test_a_loss_that_rises_far_ends_the_run_with_advice(toy_folder, tmp_path):
    model = tmp_path / "model"
    train(toy_folder, model, options(updates=3))
    before = (model / "model.safetensors").read_bytes()
    tensors, position = load_newest(model / "checkpoints")
    tensors["model.output_bias"] += 30 * torch.randn(len(tensors["model.output_bias"]))
    save_checkpoint(model / "checkpoints", tensors, position, keep=1)
    with pytest.raises(NmtError) as caught:
        train(toy_folder, model, options(updates=9))
    assert re.fullmatch(
        rf"the loss has risen from \d+\.\d\d to \d+\.\d\d at update 4; the best model so far stays "
        rf"in {re.escape(str(model))}; train again with a lower rate, into another folder: "
        r"--set train\.learning_rate=0\.002",
        str(caught.value),
    )
    assert (model / "model.safetensors").read_bytes() == before


def test_losses_by_other_shares_of_teacher_forcing_are_not_compared(toy_folder, tmp_path):
    decay = ["train.teacher_forcing=0", "train.teacher_forcing_decay=linear"]
    train(toy_folder, tmp_path / "model", options(*decay, updates=5))
    *_, before, last = metrics(tmp_path / "model")
    assert before["teacher_forcing"] > last["teacher_forcing"]
    position = load_newest(tmp_path / "model" / "checkpoints")[1]
    assert position.lowest_loss == pytest.approx(last["loss"])
    wild = options(*decay, "train.learning_rate=50", "train.warmup_updates=0", updates=9)
    with pytest.raises(NmtError, match=r"the loss .* at update \d; train again with a lower rate"):
        train(toy_folder, tmp_path / "wild", wild)


def test_a_model_folder_comes_back_as_it_was_saved(learned):
    folder = learned("copy").model
    loaded = load_model(folder)
    assert loaded.description == read_description(folder)
    assert not loaded.model.training
    again = loaded.description.build()
    notes = load_weights(folder, again)
    assert {"update", "loss", "chrf"} <= notes.keys()
    for one, other in zip(loaded.model.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)


def test_weights_of_another_model_are_refused(toy_folder, tmp_path):
    corpus = Corpus.open(toy_folder)
    settings = resolve("tiny", SMALL, 0)
    save_weights(tmp_path, describe(corpus, settings, 1).build(), {"update": 1})
    other = resolve("tiny", [*SMALL, "model.attention=additive"], 0)
    with pytest.raises(FolderError, match=r"these weights are not of the model in config\.json"):
        load_weights(tmp_path, describe(corpus, other, 1).build())


@pytest.mark.usefixtures("may_get_worse")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_final_loss_is_that_of_the_best_model(toy_folder, tmp_path, precision):
    """Of a run that gets worse: the last weights are not those that stay."""
    chosen = options(
        "train.learning_rate=9", "train.warmup_updates=20", "train.validate_every=2",
        "train.select_by=loss", "train.report_every=20", updates=12,
    )  # fmt: skip
    report = train(toy_folder, tmp_path / "model", replace(chosen, precision=precision))
    assert report.best_update < report.updates
    best = [line for line in metrics(tmp_path / "model", "valid") if line["best"]][-1]
    assert best["update"] == report.best_update
    assert report.validation.loss == pytest.approx(best["loss"], rel=1e-6)


class StoppingClock(Clock):
    """A clock that presses Ctrl-C when it is read for the n-th time."""

    def __init__(self, reading: int, tick: float = 0.01) -> None:
        super().__init__(tick)
        self.left = reading

    def __call__(self) -> float:
        self.left -= 1
        if self.left == 0:
            signal.raise_signal(signal.SIGINT)
        return super().__call__()


@pytest.mark.parametrize(
    ("corpus", "changes", "first"),
    [
        ("toy", ["train.batch_tokens=1"], "728"),  # twice its 364 pairs
        ("toy", ["train.batch_tokens=1", "train.accumulate=3"], "244"),  # of 121 and a third
        ("toy", [], "100"),
        ("toy", ["train.accumulate=7"], "15"),  # which are 105 batches
        ("digits", ["train.batch_tokens=1"], "1,000"),
        ("toy", ["train.batch_tokens=1", "train.validate_every=2000"], "2,000"),
    ],
)
def test_a_run_validates_every_two_epochs_but_neither_all_the_time_nor_hardly_ever(
    toy_folder, tmp_path, corpus, changes, first
):
    folder = toy_folder if corpus == "toy" else digit_corpus(tmp_path, "copy", pairs=700)
    with pytest.raises(Interrupted) as caught:
        train(folder, tmp_path / "model", options(*changes), StoppingClock(12))
    assert f"the first validation, after update {first}, saves a model" in str(caught.value)


class ImpatientClock(Clock):
    """A clock that presses Ctrl-C twice in a row when it is read for the n-th time."""

    def __init__(self, reading: int) -> None:
        super().__init__(0.01)
        self.left = reading

    def __call__(self) -> float:
        self.left -= 1
        if self.left == 0:
            noting = signal.getsignal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            end = time.monotonic() + 10
            while signal.getsignal(signal.SIGINT) == noting:  # two at once would be one
                assert time.monotonic() < end, "the first one is noted"
            signal.raise_signal(signal.SIGINT)
        return super().__call__()


@pytest.fixture
def interruptible():
    """Let Ctrl-C do what it does in a program, whatever other tests left."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_a_second_signal_waits_for_nothing_and_what_was_saved_goes_on(toy_folder, tmp_path):
    whole, model, shown = tmp_path / "whole", tmp_path / "model", options(updates=9)
    train(toy_folder, whole, shown)
    with pytest.raises(KeyboardInterrupt):
        train(toy_folder, model, shown, ImpatientClock(25))
    assert 0 < metrics(model)[-1]["update"] < 9
    assert load_newest(model / "checkpoints")[1].update == 0  # nothing was saved on the way out
    assert train(toy_folder, model, shown).updates == 9
    assert same_weights(whole, model)


def test_a_run_that_adds_up_batches_goes_on_inside_an_epoch(toy_folder, tmp_path):
    together = options("train.accumulate=3", "train.workers=1", updates=9)
    train(toy_folder, tmp_path / "whole", together)
    train(toy_folder, tmp_path / "single", options("train.workers=1", updates=1))
    (batch,) = (line["epoch"] for line in metrics(tmp_path / "single"))
    epochs = [line["epoch"] for line in metrics(tmp_path / "whole")]
    assert epochs == pytest.approx(
        [min(1, 3 * batch * update) for update in range(1, 10)], abs=0.01
    )
    with pytest.raises(Interrupted, match="stopped after update"):
        train(toy_folder, tmp_path / "halves", together, StoppingClock(25))
    stopped = metrics(tmp_path / "halves")[-1]
    assert 0 < stopped["epoch"] % 1 < 1
    assert stopped["update"] < 9
    assert train(toy_folder, tmp_path / "halves", together).updates == 9
    first, second = (load_model(tmp_path / name).model for name in ("whole", "halves"))
    pairs = zip(first.parameters(), second.parameters(), strict=True)
    assert all(torch.equal(*pair) for pair in pairs)
