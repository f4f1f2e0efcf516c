"""`nmt average`: one model out of several."""

import shutil

import pytest
import torch
from safetensors.torch import load_file

from nmt.decoding.model_folder import load_model, save_weights
from nmt.tensors import load_tensors, save_tensors
from tests.support.runs import same_weights


@pytest.fixture(scope="module")
def model(learned):
    """A model that reverses digits, with its checkpoints."""
    return learned("reverse").model


@pytest.fixture(scope="module")
def other(model, tmp_path_factory):
    """A model with other weights."""
    folder = tmp_path_factory.mktemp("other") / "model"
    shutil.copytree(model, folder)
    changed = load_model(folder).model
    with torch.no_grad():
        for parameter in changed.parameters():
            parameter.add_(torch.randn_like(parameter))
    save_weights(folder, changed, {})
    return folder


def weights(folder):
    return load_file(folder / "model.safetensors")


def test_the_average_of_a_model_with_itself_is_itself(forked_nmt, model, tmp_path):
    output = tmp_path / "average"
    ended = forked_nmt("average", model, model, model, "-o", output)
    assert ended.stderr == f"the average of 3 sets of weights is in {output}\n"
    assert same_weights(model, output)
    assert forked_nmt("translate", output, stdin=b"123\n").stdout == "321\n"
    assert [path.name for path in tmp_path.iterdir()] == ["average"]


def test_the_average_of_two_is_their_mean(forked_nmt, model, other, tmp_path):
    assert forked_nmt("average", model, other, "-o", tmp_path / "average").code == 0
    one, two, mean = map(weights, (model, other, tmp_path / "average"))
    for name, tensor in mean.items():
        expected = ((one[name].double() + two[name].double()) / 2).float()
        assert torch.equal(tensor, expected)


def test_checkpoints_are_averaged(forked_nmt, model, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(model, folder)
    beginning, first = sorted((folder / "checkpoints").glob("*.safetensors"))
    assert beginning.name == "update-00000000.safetensors"  # which nobody wants in an average
    tensors, notes = load_tensors(first)
    changed = {name: tensor + torch.randn_like(tensor) for name, tensor in tensors.items()}
    second = first.with_name("update-99999999.safetensors")
    save_tensors(second, changed, notes)
    for output, sources in (
        ("all", [folder / "checkpoints"]),
        ("named", [first, second]),
        ("here", ["."]),
        ("named-here", [first.name, second.name]),
    ):
        ended = forked_nmt(
            "average", *sources, "-o", tmp_path / output, cwd=str(folder / "checkpoints")
        )
        assert ended.code == 0, ended.stderr
        for name, tensor in weights(tmp_path / output).items():
            pair = (tensors[f"model.{name}"].double(), changed[f"model.{name}"].double())
            assert torch.equal(tensor, (sum(pair) / 2).float())


def test_what_cannot_be_averaged_is_refused(forked_nmt, model, learned, uninterrupted, tmp_path):
    (tmp_path / "there").mkdir()
    for sources, output, sentence in (
        (
            [model, uninterrupted],
            "new",
            f"{model} and {uninterrupted}: models of different architectures have no average",
        ),
        ([tmp_path / "none"], "new", f"{tmp_path}/none: there is no such model folder"),
        (
            [model],
            "there",
            f"{tmp_path}/there: this exists already; name a new folder for the average",
        ),
        (
            [model / "model.safetensors"],
            "new",
            f"{model}/model.safetensors: this is neither a model folder nor a checkpoint in a "
            "model's folder checkpoints",
        ),
        ([model], "no/new", f"{tmp_path}/no/new: no such file or folder"),
    ):
        ended = forked_nmt("average", *sources, "-o", tmp_path / output)
        assert (ended.stderr, ended.code) == (f"nmt: error: {sentence}\n", 1)
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
