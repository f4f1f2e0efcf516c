"""Fine-tuning and the other direction: what a run begins with, and what it is of."""

import math
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from nmt.data.options import PreprocessOptions
from nmt.data.preprocess import preprocess
from nmt.decoding.model_folder import load_model, read_description
from nmt.decoding.translator import Translator
from nmt.errors import FolderError, SettingError
from nmt.training.config import Limits
from nmt.training.options import TrainOptions
from nmt.training.run import train
from nmt.training.trainer import DIVERGED
from tests.support.corpora import digit_corpus
from tests.support.runs import metrics

SMALL = ["model.embedding_size=16", "model.hidden_size=16", "train.batch_tokens=300"]
OPTIONS = TrainOptions("tiny", SMALL, Limits(updates=3), device="cpu", precision="fp32")


@pytest.fixture(scope="module")
def first(toy_folder, tmp_path_factory):
    model = tmp_path_factory.mktemp("first") / "model"
    train(toy_folder, model, OPTIONS)
    return model


def test_fine_tuning_begins_with_the_weights_and_keeps_the_architecture(
    first, toy_folder, tmp_path
):
    still = ["train.learning_rate=1e-9"]
    options = replace(OPTIONS, preset="auto", changes=still, init_from=first)
    train(toy_folder, tmp_path / "second", options)
    before, after = (load_model(folder) for folder in (first, tmp_path / "second"))
    assert after.description.model == before.description.model
    kept = zip(before.model.parameters(), after.model.parameters(), strict=True)
    assert all(torch.allclose(*pair, atol=1e-6) for pair in kept)
    assert after.description.training["init_from"]["model"] == str(first)


@pytest.mark.parametrize(
    "more", [[], ["train.teacher_forcing=0.5", "train.teacher_forcing_decay=linear"]]
)
def test_on_another_task_a_model_may_begin_with_more_loss_than_guessing(learned, tmp_path, more):
    changes = ["train.report_every=1", "train.learning_rate=1e-6", *more]
    options = replace(OPTIONS, preset="auto", changes=changes, init_from=learned("copy").model)
    train(learned("reverse").corpus, tmp_path / "model", options)
    losses = [line["loss"] for line in metrics(tmp_path / "model") if line["kind"] == "train"]
    pieces = read_description(tmp_path / "model").target.pieces
    assert min(losses) > math.log(pieces) + DIVERGED


def test_a_begun_fine_tuning_needs_its_origin_no_more(first, toy_folder, tmp_path):
    origin = Path(shutil.copytree(first, tmp_path / "origin"))
    options = replace(OPTIONS, preset="auto", changes=[], init_from=origin)
    train(toy_folder, tmp_path / "second", options)
    shutil.rmtree(origin)
    longer = replace(options, limits=Limits(updates=4))
    assert train(toy_folder, tmp_path / "second", longer).updates == 4


@pytest.mark.parametrize("left", ["nothing", "something damaged"])
def test_a_fine_tuning_that_lost_its_state_begins_with_its_origin_again(
    first, toy_folder, tmp_path, left
):
    options = replace(OPTIONS, preset="auto", changes=["train.learning_rate=1e-9"], init_from=first)
    train(toy_folder, tmp_path / "second", options)
    (tmp_path / "second" / "model.safetensors").unlink()  # as before the first validation
    for path in (tmp_path / "second" / "checkpoints").iterdir():
        path.unlink() if left == "nothing" else path.write_bytes(b"")
    train(toy_folder, tmp_path / "second", options)
    before, after = (load_model(folder).model for folder in (first, tmp_path / "second"))
    kept = zip(before.parameters(), after.parameters(), strict=True)
    assert all(torch.allclose(*pair, atol=1e-6) for pair in kept)


def test_fine_tuning_refuses_another_architecture(first, toy_folder, tmp_path):
    options = replace(OPTIONS, init_from=first)
    with pytest.raises(SettingError, match=r"--init-from keeps the architecture of its model"):
        train(toy_folder, tmp_path / "second", options)
    assert not (tmp_path / "second").exists()


def test_fine_tuning_refuses_a_preset_of_another_architecture(first, toy_folder, tmp_path):
    options = replace(OPTIONS, preset="cho2014", changes=[], init_from=first)
    sentence = r"preset cho2014 has another one \(embedding_size, .*cell, .*\): leave out --preset"
    with pytest.raises(SettingError, match=sentence):
        train(toy_folder, tmp_path / "second", options)
    assert not (tmp_path / "second").exists()


def test_fine_tuning_takes_a_preset_that_says_nothing_of_the_architecture(
    first, toy_folder, tmp_path
):
    (tmp_path / "mine.toml").write_text("[train]\nlearning_rate = 1e-4\n")
    options = replace(OPTIONS, preset=str(tmp_path / "mine.toml"), changes=[], init_from=first)
    train(toy_folder, tmp_path / "second", options)
    description = read_description(tmp_path / "second")
    assert description.model == read_description(first).model
    assert description.training["settings"]["learning_rate"] == 1e-4


def test_fine_tuning_refuses_another_vocabulary(first, tmp_path):
    corpus = digit_corpus(tmp_path, "copy", pairs=300)
    options = replace(OPTIONS, changes=[], init_from=first)
    sentence = r"its vocabulary is not that of .*model; make the corpus with --source-vocab .*model"
    with pytest.raises(SettingError, match=sentence):
        train(corpus, tmp_path / "second", options)


def test_fine_tuning_refuses_a_model_of_the_other_direction(toy_corpus, tmp_path):
    corpus, model = tmp_path / "corpus", tmp_path / "model"
    sides = ((toy_corpus.train_source,), (toy_corpus.train_target,))
    preprocess(PreprocessOptions(*sides, joint=False), corpus)
    train(corpus, model, OPTIONS)
    options = replace(OPTIONS, changes=[], init_from=model, reverse=True)
    with pytest.raises(SettingError, match=r"in the other direction .* --reverse, or leave it out"):
        train(corpus, tmp_path / "second", options)


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_fine_tuning_refuses_what_is_no_whole_model(first, toy_folder, tmp_path, missing):
    origin = Path(shutil.copytree(first, tmp_path / "origin"))
    (origin / missing).unlink()
    output = Path(shutil.copytree(first, tmp_path / "second"))
    options = replace(OPTIONS, changes=[], init_from=origin, overwrite=True)
    with pytest.raises(FolderError, match=f"{origin}: .*(not a model folder|no weights yet)"):
        train(toy_folder, output, options)
    assert load_model(output)  # what was there is still there


def test_fine_tuning_does_not_overwrite_its_origin(first, toy_folder, tmp_path):
    model = Path(shutil.copytree(first, tmp_path / "model"))
    options = replace(OPTIONS, changes=[], init_from=model, overwrite=True)
    with pytest.raises(SettingError, match="this is the output folder; choose another one"):
        train(toy_folder, model, options)
    assert load_model(model)


def test_a_reversed_run_translates_the_other_way_and_goes_on(first, toy_folder, tmp_path):
    model = tmp_path / "back"
    options = replace(OPTIONS, reverse=True)
    train(toy_folder, model, options)
    there, back = read_description(first), read_description(model)
    assert (back.source, back.target) == (there.target, there.source)
    assert len(Translator.load(model).translate(["x y"])) == 1
    assert train(toy_folder, model, replace(options, limits=Limits(updates=5))).updates == 5
    with pytest.raises(FolderError, match="other settings"):
        train(toy_folder, model, OPTIONS)


def test_processes_that_train_together_all_read_the_reversed_corpus(toy_folder, tmp_path):
    """A worker that read it forwards would learn from other numbers of tokens."""
    losses = []
    for workers in (1, 2):
        changes = [*SMALL, f"train.workers={workers}", "train.dropout=0"]
        model = tmp_path / str(workers)
        report = train(toy_folder, model, replace(OPTIONS, changes=changes, reverse=True))
        losses.append(report.validation.loss)
        shutil.rmtree(model)
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
