"""Settings that do not go together are refused with a sentence that says what to change."""

from dataclasses import fields
from pathlib import Path

import pytest

from nmt.errors import SettingError
from nmt.models.config import ModelConfig
from nmt.settings import build


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"hidden_size": 7},
            "hidden_size must be even, because each encoder direction has half of it, not 7",
        ),
        (
            {"hidden_size": 7, "encoder": "first-bidirectional", "encoder_layers": 3},
            "hidden_size must be even, because each encoder direction has half of it, not 7",
        ),
        (
            {"residual_from": 1},
            "residual_from must be 2 or more, or 0 for none, not 1: the first layer reads word "
            "vectors, which are of another size",
        ),
        (
            {"residual_from": -1},
            "residual_from must be 2 or more, or 0 for none, not -1: the first layer reads word "
            "vectors, which are of another size",
        ),
        (
            {"reverse_source": True, "encoder_layers": 2},
            "reverse_source changes nothing where every encoder layer reads in both directions "
            "(encoder bidirectional, encoder_layers 2); set encoder to forward, or reverse_source "
            "to false",
        ),
        (
            {"reverse_source": True, "encoder": "first-bidirectional"},
            "reverse_source changes nothing where every encoder layer reads in both directions "
            "(encoder first-bidirectional, encoder_layers 1); set encoder to forward, or "
            "reverse_source to false",
        ),
        (
            {"attention": "initial", "bridge": "zero"},
            "attention initial and bridge zero leave the decoder without any knowledge of the "
            "source; set bridge to linear or copy, or choose another attention",
        ),
        (
            {"attention": "initial", "bridge": "copy", "encoder_layers": 3, "decoder_layers": 2},
            "with attention initial and bridge copy each encoder layer needs a decoder layer to "
            "hand its state to: set decoder_layers to 3 or encoder_layers to 2, or bridge to "
            "linear",
        ),
        (
            {"attention": "multi-head", "hidden_size": 10},
            "hidden_size must be a multiple of attention_heads, so that each head has its share, "
            "and 10 is none of 4",
        ),
        (
            {"attention": "multi-head", "attention_heads": 0},
            "attention_heads must be 1 or more, not 0",
        ),
        (
            {"attention_heads": 8},
            "attention_heads 8 changes nothing with attention general; leave it out, or set "
            "attention to multi-head",
        ),
        (
            {"attention": "initial", "attend": "last"},
            "attend last changes nothing with attention initial, which has no context; leave it "
            "out, or set attention to none for a fixed context",
        ),
        (
            {"readout": "direct"},
            "readout direct gives the output layer more numbers than an embedding has, and with "
            "tying two-way the output layer is an embedding; set tying to none, or readout to tanh",
        ),
        (
            {"attend": "befor"},
            "attend cannot be 'befor' (did you mean 'before'?); choose one of every, first, last, "
            "before",
        ),
        (
            {"cell": "lstn"},
            "cell cannot be 'lstn' (did you mean 'lstm'?); choose one of lstm, gru, rnn, norm-lstm",
        ),
        (
            {"bridge": "none"},
            "bridge cannot be 'none'; choose one of linear, copy, zero",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(values, sentence):
    with pytest.raises(SettingError) as caught:
        build(ModelConfig, values, "config")
    assert str(caught.value) == f"config: {sentence}"


@pytest.mark.parametrize(
    "values",
    [
        {"hidden_size": 7, "encoder": "forward"},
        {"residual_from": 2},
        {"residual_from": 0},
        {"reverse_source": True, "encoder": "forward"},
        {"reverse_source": True, "encoder": "first-bidirectional", "encoder_layers": 2},
        {"attention": "initial", "bridge": "copy", "encoder_layers": 2, "decoder_layers": 3},
        {"attention": "multi-head", "attention_heads": 8},
        {"attention": "none", "attend": "before"},
        {"readout": "direct", "tying": "none"},
        {"readout": "direct", "tying": "none", "attention": "initial", "input_feeding": True},
    ],
)
def test_what_goes_together_is_not(values):
    build(ModelConfig, values, "config")


def test_a_model_folder_of_before_has_what_it_had():
    """Settings that its config.json does not know take the values that were the only ones."""
    old = {
        "embedding_size": 256,
        "hidden_size": 512,
        "encoder_layers": 1,
        "decoder_layers": 1,
        "attention": "general",
        "tying": "two-way",
    }
    config = build(ModelConfig, old, "config.json")
    found = (config.cell, config.encoder, config.residual_from, config.bridge)
    assert found == ("lstm", "bidirectional", 3, "linear")
    assert (config.layer_norm, config.reverse_source) == (False, False)
    found = (config.attend, config.readout, config.input_feeding)
    assert found == ("every", "tanh", False)


def test_the_page_on_models_tells_every_setting_and_its_choices():
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    for field in fields(ModelConfig):
        for name in (field.name, *field.metadata["choices"]):
            assert f"`{name}`" in page, name
