"""Fine-tuning and the other direction: what a run begins with, and what it is of."""

import shutil
from dataclasses import replace

import pytest
import torch

from nmt.decoding.model_folder import load_model, read_description
from nmt.decoding.translator import Translator
from nmt.errors import FolderError, SettingError
from nmt.training.config import Limits
from nmt.training.run import TrainOptions, train
from tests.support.corpora import digit_corpus

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
    options = replace(OPTIONS, preset="base", changes=still, init_from=first)
    train(toy_folder, tmp_path / "second", options)
    before, after = (load_model(folder) for folder in (first, tmp_path / "second"))
    assert after.description.model == before.description.model
    kept = zip(before.model.parameters(), after.model.parameters(), strict=True)
    assert all(torch.allclose(*pair, atol=1e-6) for pair in kept)
    assert after.description.training["init_from"]["model"] == "model"
    # The same command goes on with the second model, not with the first.
    options = replace(options, limits=Limits(updates=4), changes=still)
    assert train(toy_folder, tmp_path / "second", options).updates == 4


def test_fine_tuning_refuses_another_architecture(first, toy_folder, tmp_path):
    options = replace(OPTIONS, init_from=first)
    with pytest.raises(SettingError, match=r"--init-from keeps the architecture of .*model; leave"):
        train(toy_folder, tmp_path / "second", options)
    assert not (tmp_path / "second").exists()


def test_fine_tuning_refuses_another_vocabulary(first, tmp_path):
    corpus = digit_corpus(tmp_path, "copy", pairs=300)
    options = replace(OPTIONS, changes=[], init_from=first)
    sentence = r"its vocabulary is not that of .*model; make the corpus with --source-vocab .*model"
    with pytest.raises(SettingError, match=sentence):
        train(corpus, tmp_path / "second", options)


def test_fine_tuning_refuses_what_is_no_model(toy_folder, tmp_path):
    options = replace(OPTIONS, changes=[], init_from=tmp_path)
    with pytest.raises(FolderError, match="this is not a model folder"):
        train(toy_folder, tmp_path / "second", options)


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
