"""Validation: which pairs are translated and by what search, and what scores the models."""

import logging
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from nmt.data.batching import make_batch
from nmt.data.corpus import Corpus
from nmt.data.options import PreprocessOptions
from nmt.data.preprocess import preprocess
from nmt.decoding.model_folder import load_model
from nmt.decoding.options import SearchOptions
from nmt.decoding.translator import Translator
from nmt.errors import SettingError
from nmt.evaluation.metrics import score
from nmt.training.checkpoint import load_newest
from nmt.training.config import Limits, TrainConfig
from nmt.training.description import describe
from nmt.training.learner import Learner
from nmt.training.loader import as_tensors
from nmt.training.options import TrainOptions
from nmt.training.presets import resolve
from nmt.training.run import train
from nmt.training.validation import Examiner, Share, Validator
from tests.support.corpora import TASKS, digit_strings, write_lines
from tests.support.runs import metrics

SMALL = ["model.embedding_size=16", "model.hidden_size=16", "train.batch_tokens=300"]
OPTIONS = TrainOptions("tiny", SMALL, Limits(updates=3), device="cpu", precision="fp32")


def make_corpus(folder: Path, pairs: int, valid: int, **options) -> Path:
    """A corpus of digits, backwards in the target language; no two pairs are the same."""
    files = {"train": digit_strings(pairs, seed=1), "valid": digit_strings(valid, 2, longest=4)}
    paths = {
        f"{split}_{side}": (write_lines(folder / f"{split}.{side}", list(map(task, lines))),)
        for split, lines in files.items()
        for side, task in (("source", str), ("target", TASKS["reverse"]))
    }
    preprocess(PreprocessOptions(**paths, tokenizer="char", threads=1, **options), folder / "made")
    return folder / "made"


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> Path:
    """More validation pairs than are translated."""
    return make_corpus(tmp_path_factory.mktemp("large"), pairs=600, valid=2_002)


def written(model: Path, sources: list[str], beam: int) -> list[str]:
    """What `nmt translate` makes of some sentences."""
    translator = Translator.load(model, SearchOptions(beam_size=beam), device="cpu")
    return [translation.text for translation in translator.translate(sources)]


def scores(hypotheses: list[str], references: list[str]) -> dict[str, float]:
    return {
        metric.name: metric.value for metric in score(hypotheses, [references], ("bleu", "chrf"))
    }


def test_of_a_large_set_an_even_part_is_translated_and_the_loss_is_of_all(large, tmp_path):
    model, greedy = (
        tmp_path / "model",
        [*SMALL, "train.validation_beam=1", "train.batch_tokens=2000"],
    )
    report = train(large, model, replace(OPTIONS, changes=greedy))
    corpus = Corpus.open(large)
    every_second = corpus.valid_source_text[::2]
    assert len(every_second) == 1_001
    assert "On 1,001 validation pairs, by greedy search: " in (model / "README.md").read_text()
    found = scores(written(model, every_second, beam=1), corpus.valid_target_text[::2])
    assert report.validation.scores == pytest.approx(found)
    learner = Learner(load_model(model).model, TrainConfig(), seed=1)
    batch = as_tensors(make_batch(corpus.valid, np.arange(2_002)))
    mean = float(learner.plain_loss(batch)) / batch.tokens
    assert report.validation.loss == pytest.approx(mean, rel=1e-5)
    (line,) = (line for line in metrics(model) if line["kind"] == "valid")
    assert line["loss"] == pytest.approx(mean, rel=1e-5)
    assert line["chrf"] == pytest.approx(found["chrf"])


@pytest.mark.parametrize(
    ("pairs", "translated"),
    [(1, 1), (1_999, 1_999), (2_000, 2_000), (2_001, 1_001), (4_000, 2_000), (90_001, 1_957)],
)
def test_no_more_than_two_thousand_pairs_are_translated(large, tmp_path, pairs, translated):
    lines = [str(number) for number in range(pairs)]
    for side in ("source", "target"):
        write_lines(tmp_path / f"valid.{side}.txt", lines)
    corpus = replace(Corpus.open(large), folder=tmp_path)
    description = describe(Corpus.open(large), resolve("tiny", SMALL, 0), 1)
    validator = Validator(corpus, description)
    assert len(validator.sources) == translated
    numbers = list(map(int, validator.sources))
    (step,) = {after - before for before, after in pairwise(numbers)} or {1}
    assert (numbers[0], numbers[-1] + step >= pairs) == (0, True)
    assert validator.references == validator.sources
    assert Examiner(corpus, description).rows == range(0, pairs, step)


@pytest.mark.parametrize("workers", [1, 3])
def test_what_several_processes_translate_is_put_together_in_order(large, workers):
    corpus = Corpus.open(large)
    description = describe(corpus, resolve("tiny", SMALL, 0), 1)
    shares = []
    for worker in range(workers):
        rows = Examiner(corpus, description, worker, workers).rows
        right = [corpus.valid_target_text[row] for row in rows]
        shares.append(Share(right, loss=20.0 * (worker + 1), tokens=10 * (worker + 1)))
    validation = Validator(corpus, description).score(shares)
    assert validation.scores["chrf"] == pytest.approx(100)
    assert validation.loss == pytest.approx(2)
    assert [sample.hypothesis for sample in validation.samples] == [
        corpus.valid_target_text[row] for row in (0, 666, 1332)
    ]


def test_the_last_validation_is_by_the_beam_that_was_chosen(toy_folder, tmp_path):
    model, corpus = tmp_path / "model", Corpus.open(toy_folder)
    limits = Limits(updates=40)
    found = {}
    # The setting changes nothing of what is computed: from the second call on it is all that is.
    for beam, search in ((1, "greedy search"), (3, "beam search of 3"), (None, "beam search of 5")):
        changes = [*SMALL, "train.learning_rate=0.02"]
        changes += [f"train.validation_beam={beam}"] if beam else []
        report = train(toy_folder, model, replace(OPTIONS, changes=changes, limits=limits))
        found[beam or 5] = report.validation.scores
        written_then = written(model, corpus.valid_source_text, beam or 5)
        expected = scores(written_then, corpus.valid_target_text)
        assert report.validation.scores == pytest.approx(expected)
        said = f"BLEU {expected['bleu']:.1f}, chrF {expected['chrf']:.1f}, loss "
        card = (model / "README.md").read_text()
        assert f"On 20 validation pairs, by {search}: {said}" in card
    (line,) = (line for line in metrics(model) if line["kind"] == "valid")
    assert line["chrf"] == pytest.approx(found[1]["chrf"])
    assert len({each["chrf"] for each in found.values()}) == 3


@pytest.fixture
def thai(tmp_path, monkeypatch) -> Path:
    """A corpus whose target language is cut into words by a model that is not here."""
    monkeypatch.setattr("sacrebleu.utils.SACREBLEU_DIR", str(tmp_path / "sacrebleu"))
    return make_corpus(tmp_path, pairs=60, valid=10, target_language="th")


def test_bleu_picks_no_model_where_it_cannot_find_words(thai, tmp_path):
    by_bleu = replace(OPTIONS, changes=[*SMALL, "train.select_by=bleu"])
    with pytest.raises(SettingError) as caught:
        train(thai, tmp_path / "model", by_bleu)
    assert re.fullmatch(
        r"train\.select_by: BLEU cannot find the words of Thai: the model of sacreBLEU's tokeniser "
        rf"flores200 is not at {re.escape(str(tmp_path / 'sacrebleu'))}/models/\S+ \(to download "
        r"it: python -c \"from sacrebleu import BLEU; BLEU\(tokenize='flores200'\)\"\)",
        str(caught.value),
    )
    assert not (tmp_path / "model").exists()


def test_without_bleu_chrf_picks_the_model_and_the_log_says_why(thai, tmp_path, caplog):
    caplog.set_level(logging.INFO, "nmt")
    logging.getLogger("nmt").propagate = True
    report = train(thai, tmp_path / "model", OPTIONS)
    assert list(report.validation.scores) == ["chrf"]
    assert load_newest(tmp_path / "model" / "checkpoints")[1].best_metric == "chrf"
    (why,) = (said for said in caplog.messages if said.startswith("BLEU cannot find the words"))
    assert why.startswith("BLEU cannot find the words of Thai: the model of sacreBLEU's tokeniser")


def test_with_a_tokeniser_of_ones_own_bleu_may_pick_the_model(thai, tmp_path):
    by_bleu = replace(OPTIONS, changes=[*SMALL, "train.select_by=bleu"], bleu_tokenize="char")
    report = train(thai, tmp_path / "model", by_bleu)
    assert list(report.validation.scores) == ["bleu", "chrf"]
    assert load_newest(tmp_path / "model" / "checkpoints")[1].best_metric == "bleu char"
