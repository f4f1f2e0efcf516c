"""Presets and --set: what they come to, and what is said of those that make no sense."""

import pytest
import torch

from nmt.errors import SettingError
from nmt.models.config import ModelConfig
from nmt.models.seq2seq import Seq2Seq
from nmt.training.catalogue import OURS, list_presets, names
from nmt.training.config import TrainConfig
from nmt.training.presets import choose, resolve

BENCHMARK_PIECES = 8000  # of the one vocabulary that benchmarks/family.py makes


def refusal(preset: str = "tiny", *changes: str) -> str:
    """The sentence that refuses these settings."""
    with pytest.raises(SettingError) as caught:
        resolve(preset, list(changes), pairs=100)
    return str(caught.value)


def test_our_presets_come_first_by_size_then_the_papers_by_year():
    presets = list_presets()
    assert [preset.name for preset in presets[:3]] == list(OURS) == ["tiny", "small", "base"]
    sizes = [preset.parameters for preset in presets[:3]]
    assert sizes == sorted(sizes)
    papers = presets[3:]
    assert [paper.year for paper in papers] == sorted(paper.year for paper in papers)
    assert all(preset.summary for preset in presets)
    assert all(str(paper.year) in paper.name and paper.paper for paper in papers)


@pytest.mark.parametrize("preset", list_presets(), ids=lambda preset: preset.name)
def test_every_preset_is_sound_and_as_large_as_it_says(preset):
    config = resolve(preset.name, [], 0).model
    with torch.device("meta"):
        model = Seq2Seq(config, BENCHMARK_PIECES, BENCHMARK_PIECES, share=True)
    assert preset.parameters == sum(parameter.numel() for parameter in model.parameters())


def test_auto_goes_by_the_size_of_the_corpus():
    chosen = [choose(pairs) for pairs in (1, 1_000, 12_000, 29_000, 150_000, 1_000_000, 10_000_000)]
    assert chosen[0] == "tiny"
    assert chosen[2] == "small"
    assert chosen[-1] == "base"
    order = ["tiny", "small", "base"]
    assert chosen == sorted(chosen, key=order.index)
    assert resolve("auto", [], 12_000) == resolve("small", [], 0)
    assert resolve("auto", [], 29_000) == resolve("base", [], 0)


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
            f"choose one of auto, {', '.join(names())}, or give a .toml file",
        ),
        (
            "gigantic",
            "there is no preset 'gigantic'; "
            f"choose one of auto, {', '.join(names())}, or give a .toml file",
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
            "model: attention cannot be 'dott' (did you mean 'dot'?); choose one of general, dot, "
            "additive, multi-head, none, initial",
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
        (
            "model.hidden_size=1000000000000000000",
            "model: hidden_size must be at most 100,000, not 1000000000000000000",
        ),
        (
            "train.batch_tokens=10000000000000000000",
            "train: batch_tokens must be at most 1,000,000,000, not 10000000000000000000",
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


def test_facts_about_a_preset_are_no_settings(tmp_path):
    path = tmp_path / "my.toml"
    path.write_text('[preset]\nyear = 2020\npaper = "mine"\nbleu = 30\n[train]\npatience = 3\n')
    assert resolve(str(path), [], 0).train == TrainConfig(patience=3)
    assert refusal("tiny", "preset.year=3").startswith(
        "--set: there is no group of settings 'preset'"
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "[preset]\nyeer = 2020",
            "[preset] has no 'yeer' (did you mean 'year'?); it has year, paper, summary, "
            "parameters, bleu, tokens_per_second",
        ),
        ("[preset]\nyear = '2020'", "[preset] year needs a number, not '2020'"),
        ("[preset]\nsummary = true", "[preset] summary needs text, not 'True'"),
        ("preset = 3", "'preset' is a section, not a value; write [preset]"),
    ],
)
def test_a_mistake_in_the_facts(tmp_path, text, sentence):
    path = tmp_path / "my.toml"
    path.write_text(text)
    assert refusal(str(path)) == f"preset {path}: {sentence}"


def test_a_mistake_in_a_file_names_the_file(tmp_path):
    path = tmp_path / "my.toml"
    path.write_text("[modell]\nhidden_size = 4\n")
    assert refusal(str(path)).startswith(f"preset {path}: there is no group of settings 'modell'")
    path.write_text("dropout = 0.1\n")
    assert refusal(str(path)).startswith(f"preset {path}: there is no group of settings 'dropout'")
    path.write_text("[model\n")
    assert refusal(str(path)).startswith(f"{path}: cannot be read as a file of settings: ")
