"""Recipes: what tells one translation from another."""

import pytest

from nmt import hardware
from nmt.decoding.precision import int8_works
from nmt.decoding.recipe import Recipe
from nmt.decoding.translator import Translator
from nmt.hardware import has_fast_int8


@pytest.fixture(scope="module")
def model(learned) -> str:
    """A model that reverses digits."""
    return str(learned("reverse").model)


@pytest.mark.skipif(
    has_fast_int8() and not int8_works(), reason="this build of torch has no 8-bit linear operator"
)
@pytest.mark.parametrize("precision", ["auto", "fp32"])
def test_a_recipe_names_the_precision_that_its_translator_computes_in(model, precision):
    recipe = Recipe(model, precision=precision, device="cpu")
    translator = Translator.load(model, precision=precision, device="cpu")
    assert recipe.identity()["precision"] == translator.precision


@pytest.mark.parametrize(
    ("sign", "visible", "device"),
    [("gpu", None, "cuda"), ("gpu", "0", "cuda"), ("gpu", "", "cpu"), ("none", None, "cpu")],
)
def test_a_recipe_names_the_device_that_auto_becomes(
    model, tmp_path, monkeypatch, sign, visible, device
):
    (tmp_path / "gpu").touch()
    monkeypatch.setattr(hardware, "GPU_SIGNS", (str(tmp_path / sign),))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    identity = Recipe(model).identity()
    assert identity["device"] == device
    assert identity == Recipe(model, device=device).identity()
    if device == "cuda":
        assert identity["precision"] == "fp32"
