"""Presets and --set: what they come to, and what is said of those that make no sense."""

import pytest

from nmt.errors import SettingError
from nmt.models.config import ModelConfig
from nmt.training.config import TrainConfig
from nmt.training.presets import choose, names, resolve


def refusal(preset: str = "tiny", *changes: str) -> str:
    """The sentence that refuses these settings."""
    with pytest.raises(SettingError) as caught:
        resolve(preset, list(changes), pairs=100)
    return str(caught.value)


def test_there_are_three_presets_and_each_is_sound():
    assert names() == ["tiny", "small", "base"]
    sizes = [resolve(name, [], 0).model.hidden_size for name in ("tiny", "small", "base")]
    assert sizes == sorted(sizes)


def test_auto_goes_by_the_size_of_the_corpus():
    chosen = [choose(pairs) for pairs in (1, 1_000, 29_000, 150_000, 1_000_000, 10_000_000)]
    assert chosen[0] == "tiny"
    assert chosen[2] == "small"
    assert chosen[-1] == "base"
    order = ["tiny", "small", "base"]
    assert chosen == sorted(chosen, key=order.index)
    assert resolve("auto", [], 29_000) == resolve("small", [], 0)


def test_changes_override_the_preset_and_the_last_one_counts():
    found = resolve("tiny", ["model.hidden_size=64", "train.dropout=0.5", "train.dropout=0"], 0)
    assert found.model.hidden_size == 64
    assert found.train.dropout == 0.0
    assert found.train.learning_rate == resolve("tiny", [], 0).train.learning_rate


def test_a_file_of_settings_is_a_preset(tmp_path):
    path = tmp_path / "my.toml"
    path.write_text('[model]\nattention = "dot"\n[train]\nbatch_tokens = 99\n')
    found = resolve(str(path), ["train.patience=3"], 0)
    assert found.model == ModelConfig(attention="dot")
    assert found.train == TrainConfig(batch_tokens=99, patience=3)


@pytest.mark.parametrize(
    ("preset", "sentence"),
    [
        (
            "smal",
            "there is no preset 'smal' (did you mean 'small'?); "
            "choose one of auto, tiny, small, base, or give a .toml file",
        ),
        (
            "gigantic",
            "there is no preset 'gigantic'; "
            "choose one of auto, tiny, small, base, or give a .toml file",
        ),
        (
            "none.toml",
            "none.toml: cannot be read as a file of settings: "
            "[Errno 2] No such file or directory: 'none.toml'",
        ),
    ],
)
def test_an_unknown_preset(preset, sentence):
    assert refusal(preset) == sentence


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            "model.hiden_size=3",
            "model: there is no setting 'hiden_size' (did you mean 'hidden_size'?)",
        ),
        ("train.xyzzy=3", "train: there is no setting 'xyzzy'"),
        (
            "modle.hidden_size=3",
            "--set: there is no group of settings 'modle' (did you mean 'model'?); "
            "the groups are model, train",
        ),
        ("hidden_size=3", "--set hidden_size=3: write it as group.name=value"),
        ("model.hidden_size", "--set model.hidden_size: write it as group.name=value"),
        ("model.hidden_size=big", "model: hidden_size needs a whole number, not 'big'"),
        ("model.hidden_size=3.5", "model: hidden_size needs a whole number, not '3.5'"),
        ("train.dropout=much", "train: dropout needs a number, not 'much'"),
        (
            "model.attention=dott",
            "model: attention cannot be 'dott'; choose one of general, dot, additive, multi-head, "
            "none, initial",
        ),
        (
            "model.hidden_size=7",
            "model: hidden_size must be even, because each encoder direction has half of it, not 7",
        ),
        ("model.encoder_layers=0", "model: encoder_layers must be 1 or more, not 0"),
        ("train.dropout=1", "train: dropout must be at least 0 and below 1, not 1.0"),
        ("train.dropout=nan", "train: dropout must be at least 0 and below 1, not nan"),
        (
            "train.label_smoothing=-1",
            "train: label_smoothing must be at least 0 and below 1, not -1.0",
        ),
        ("train.batch_tokens=0", "train: batch_tokens must be 1 or more, not 0"),
        ("train.validation_beam=0", "train: validation_beam must be 1 or more, not 0"),
        ("train.clip_norm=nan", "train: clip_norm must be 0 or more, not nan"),
        ("train.weight_decay=-0.1", "train: weight_decay must be 0 or more, not -0.1"),
    ],
)
def test_a_setting_without_sense(change, sentence):
    assert refusal("tiny", change) == sentence


@pytest.mark.parametrize("rate", ["0", "-1", "nan", "inf"])
def test_a_learning_rate_without_sense(rate):
    assert refusal("tiny", f"train.learning_rate={rate}").startswith("train: learning_rate must be")


def test_a_mistake_in_a_file_names_the_file(tmp_path):
    path = tmp_path / "my.toml"
    path.write_text("[modell]\nhidden_size = 4\n")
    assert refusal(str(path)).startswith(f"preset {path}: there is no group of settings 'modell'")
    path.write_text("dropout = 0.1\n")
    assert refusal(str(path)).startswith(f"preset {path}: there is no group of settings 'dropout'")
    path.write_text("[model\n")
    assert refusal(str(path)).startswith(f"{path}: cannot be read as a file of settings: ")
