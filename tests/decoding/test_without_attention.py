"""Models without attention: they translate, and what would show attention is refused."""

from pathlib import Path

import pytest
import torch

from nmt.data.special import UNK
from nmt.decoding.model_folder import load_model
from nmt.decoding.options import SearchOptions
from nmt.decoding.translator import Translator
from nmt.errors import SettingError
from tests.support.random_models import write_model

LINE = "Two big dogs sleep."


@pytest.fixture(scope="module")
def models(toy_folder, tmp_path_factory) -> dict[str, Path]:
    """A model of each of three kinds."""
    folder = tmp_path_factory.mktemp("models")
    return {
        kind: write_model(toy_folder, folder / kind, kind) for kind in ("none", "initial", "dot")
    }


def sentence(option: str, model: Path, kind: str) -> str:
    """What is said of an option that needs attention."""
    return (
        f"{option}: the model {model} has no attention (model.attention={kind}), so that nothing "
        "is known of where it looked; leave that out, or choose a model with attention"
    )


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("none", ["--alignments", "links"]),
        ("none", ["--format", "json", "--attention"]),
        ("initial", ["--attention-plots", "plots"]),
        ("initial", ["--coverage-penalty", "0.2"]),
    ],
)
def test_what_needs_attention_is_refused(forked_nmt, models, tmp_path, kind, options):
    named = [str(tmp_path / each) if each in ("links", "plots") else each for each in options]
    arguments = ["translate", models[kind], "-o", tmp_path / "out", *named, "--quiet"]
    done = forked_nmt(*arguments, stdin=f"{LINE}\n".encode())
    option = next(each for each in reversed(options) if each.startswith("--"))
    assert done.code == 1
    assert done.stderr == f"nmt: error: {sentence(option, models[kind], kind)}\n"
    assert not list(tmp_path.iterdir())


def test_attention_of_such_a_model_is_refused_in_python_too(models):
    translator = Translator.load(models["none"])
    with pytest.raises(SettingError) as caught:
        translator.attention(LINE)
    assert str(caught.value) == sentence("attention", models["none"], "none")


def test_an_ensemble_needs_one_model_with_attention(models):
    options = SearchOptions(coverage_penalty=0.2, max_length=5)
    mixed = Translator.load(models["none"], options, ensemble=[models["dot"]])
    assert len(mixed.translate([LINE, ""])) == 2
    with pytest.raises(SettingError, match="--coverage-penalty"):
        Translator.load(models["none"], options, ensemble=[models["initial"]])


@pytest.mark.parametrize("kind", ["none", "initial"])
def test_unknown_pieces_are_the_unknown_text_in_its_order(models, kind):
    loaded = load_model(models[kind])
    with torch.no_grad():
        loaded.model.output_bias[UNK] = 100.0  # it writes nothing else
    options = SearchOptions(beam_size=2, min_length=3, max_length=3)
    translator = Translator(loaded, options, precision="fp32", device="cpu")
    lines = ["\u674e dogs \u96f7", "dogs", "\u96f7\u674e \u96f7 \u674e"]
    found = [translation.text for translation in translator.translate(lines)]
    unknown = "\u2047"  # how SentencePiece writes it
    assert [text.replace(" ", "") for text in found] == [
        f"\u674e\u96f7{unknown}",
        unknown * 3,
        "\u96f7\u674e\u96f7\u674e",
    ]


def test_with_attention_a_piece_is_copied_even_where_all_is_known(models):
    loaded = load_model(models["dot"])
    with torch.no_grad():
        loaded.model.output_bias[UNK] = 100.0
    options = SearchOptions(beam_size=1, min_length=1, max_length=1)
    translator = Translator(loaded, options, precision="fp32", device="cpu")
    lines = ["dogs", "a cat sleeps", "seven", "on the table"]
    copied = 0
    for line, found in zip(lines, translator.translate(lines), strict=True):
        (attended,) = found.parts[0].hypothesis.attended
        if attended < len(found.parts[0].source_ids):  # its end is no text
            assert found.text
            copied += 1
        assert found.text in line
    assert copied
