"""On real text: no line's translation changes with the batch size."""

import itertools
import math
import statistics

import pytest

from nmt.data.options import PreprocessOptions
from nmt.data.preprocess import preprocess
from nmt.decoding.model_folder import load_model
from nmt.decoding.options import SearchOptions
from nmt.decoding.translator import Translator
from nmt.training.config import Limits
from nmt.training.options import TrainOptions
from nmt.training.run import train

LINES = 200
TIE = 1e-4  # two scores this close may change places with the order of additions


@pytest.fixture(scope="module")
def translated(multi30k, tmp_path_factory):
    """A model that had some seconds to learn, and lines of the test set."""
    folder = tmp_path_factory.mktemp("multi30k")
    files = []
    for language in ("en", "de"):
        for name, lines in (("train", 3000), ("val", 50)):
            path = folder / f"{name}.{language}"
            with (multi30k / path.name).open(encoding="utf-8") as file:
                path.write_text("".join(itertools.islice(file, lines)), encoding="utf-8")
            files.append(path)
    options = PreprocessOptions((files[0],), (files[2],), (files[1],), (files[3],))
    preprocess(options, folder / "corpus")
    changes = ["model.embedding_size=64", "model.hidden_size=128", "train.validate_every=10000"]
    training = TrainOptions("tiny", changes, Limits(updates=150), device="cpu", precision="fp32")
    train(folder / "corpus", folder / "model", training)
    test = sorted(multi30k.glob("*test*2016*.en"))[0]
    return load_model(folder / "model"), test.read_text(encoding="utf-8").split("\n")[:LINES]


@pytest.mark.parametrize("beam_size", [1, 5])
def test_no_line_changes_with_the_batch_size(translated, beam_size):
    loaded, lines = translated
    found = []
    for size in (1, 7, 64):
        options = SearchOptions(beam_size=beam_size)
        translator = Translator(loaded, options, precision="fp32", device="cpu", batch_size=size)
        found.append(translator.translate(lines))
    assert len({translation.text for translation in found[0]}) > LINES / 4
    for others in found[1:]:
        for one, other in zip(found[0], others, strict=True):
            if one.text != other.text:
                assert math.isclose(one.score, other.score, abs_tol=TIE), (one, other)
        differing = sum(one.text != other.text for one, other in zip(found[0], others, strict=True))
        assert differing <= 1


def test_scores_rise_with_the_beam(translated):
    loaded, lines = translated
    means = []
    for size in (1, 2, 5):
        options = SearchOptions(beam_size=size)
        translator = Translator(loaded, options, precision="fp32", device="cpu")
        means.append(statistics.fmean(found.score for found in translator.translate(lines)))
    assert means == sorted(set(means))
