"""Parts that are not trained: chosen by name, and left alone to the last bit."""

from dataclasses import replace

import pytest
import torch

from nmt.decoding.model_folder import load_model
from nmt.errors import SettingError
from nmt.training.config import Limits
from nmt.training.frozen import trainable, within
from nmt.training.options import TrainOptions
from nmt.training.run import train
from tests.support.small import small_model

SMALL = ["model.embedding_size=16", "model.hidden_size=16", "train.batch_tokens=300"]
OPTIONS = TrainOptions("tiny", SMALL, Limits(updates=3), device="cpu", precision="fp32")


def test_stretches_cover_all_that_is_not_frozen():
    model = small_model()
    count = sum(parameter.numel() for parameter in model.parameters())
    assert trainable(model, "") == [slice(0, count)]
    covered = torch.zeros(count, dtype=torch.bool)
    for stretch in trainable(model, "encoder, output_bias"):
        covered[stretch] = True
    start = 0
    for name, parameter in model.named_parameters():
        part = covered[start : start + parameter.numel()]
        assert bool(part.all()) != (name.startswith("encoder.") or name == "output_bias")
        assert bool(part.any()) == bool(part.all())
        start += parameter.numel()


def test_a_part_of_the_stretches():
    stretches = [slice(0, 5), slice(7, 9)]
    assert within(stretches, slice(3, 8)) == [slice(3, 5), slice(7, 8)]
    assert within(stretches, slice(5, 7)) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_frozen_parts_keep_their_weights_and_the_others_learn(toy_folder, tmp_path, workers):
    first, second = tmp_path / "first", tmp_path / "second"
    train(toy_folder, first, OPTIONS)
    changes = [
        "train.freeze=encoder,target_embedding",
        "train.weight_decay=0.1",
        f"train.workers={workers}",
    ]
    train(toy_folder, second, replace(OPTIONS, preset="auto", changes=changes, init_from=first))
    before, after = (dict(load_model(model).model.named_parameters()) for model in (first, second))
    for name, old in before.items():
        frozen = name.startswith("encoder.") or name == "target_embedding"
        assert torch.equal(old, after[name]) == frozen, name


@pytest.mark.parametrize(
    ("frozen", "sentence"),
    [
        ("encodr", r"train\.freeze: the model has no part 'encodr' \(did you mean 'encoder'\?\)"),
        ("encoder.layers.7", r"the model has no part 'encoder\.layers\.7'"),
        (
            "encoder,decoder,source_embedding,target_embedding,output_bias",
            "nothing is left to train",
        ),
    ],
)
def test_a_part_that_is_not_there_is_told_before_anything_is_written(
    toy_folder, tmp_path, frozen, sentence
):
    options = replace(OPTIONS, changes=[*SMALL, f"train.freeze={frozen}"])
    with pytest.raises(SettingError, match=sentence):
        train(toy_folder, tmp_path / "model", options)
    assert not (tmp_path / "model").exists()
