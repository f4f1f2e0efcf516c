"""Ensembles: probabilities are averaged, and models that do not fit together are refused."""

from dataclasses import replace

import pytest

from nmt.decoding.beam import BeamSearch
from nmt.decoding.ensemble import EnsembleScorer
from nmt.decoding.greedy import GreedySearch
from nmt.decoding.model_folder import load_model
from nmt.decoding.options import SearchOptions
from nmt.decoding.sampling import SamplingSearch
from nmt.decoding.scorer import ModelScorer
from nmt.decoding.translator import Translator
from nmt.errors import FolderError
from tests.support import reference
from tests.support.corpora import char_vocabulary, digit_strings
from tests.support.reference import ReferenceEnsemble, ReferenceModel
from tests.support.small import lengths_of, pad, random_sentences, small_model


def three_models(seed):
    """Of different shapes; only their pieces are the same."""
    shapes = [("general", (1, 1)), ("dot", (2, 1)), ("additive", (1, 3))]
    return [small_model(*shape, seed=seed + at) for at, shape in enumerate(shapes)]


@pytest.mark.parametrize("width", [1, 4])
@pytest.mark.parametrize("seed", range(3))
def test_an_ensemble_searches_like_a_plain_loop(width, seed):
    models, sentences = three_models(seed), random_sentences([5, 4, 4, 1], seed)
    options = SearchOptions(width, n_best=width, length_ratio=1.0, length_extra=3)
    scorer = EnsembleScorer([ModelScorer(model) for model in models])
    search = GreedySearch(scorer, options) if width == 1 else BeamSearch(scorer, options)
    exact = ReferenceEnsemble([ReferenceModel(model) for model in models])
    found = search(pad(sentences), lengths_of(sentences))
    for hypotheses, source in zip(found, sentences, strict=True):
        expected = reference.beam_search(exact, source, width, 1.0, longest=len(source) + 3)
        assert [each.ids for each in hypotheses] == [each.ids for each in expected]
        assert [each.attended for each in hypotheses] == [each.attended for each in expected]
        scores = [each.score for each in hypotheses]
        assert scores == pytest.approx([each.score for each in expected], rel=1e-6)


@pytest.mark.parametrize("options", [{"beam_size": 1}, {"beam_size": 3}, {"sample": True}])
def test_a_model_twice_is_the_model_once(options):
    model, sentences = small_model(seed=4), random_sentences([6, 5, 3], 4)
    kinds = {"greedy": GreedySearch, "beam": BeamSearch, "sampling": SamplingSearch}
    chosen = SearchOptions(n_best=1 if options.get("beam_size") == 1 else 3, **options)
    once, twice = (
        kinds[chosen.strategy](scorer, chosen)(pad(sentences), lengths_of(sentences))
        for scorer in (ModelScorer(model), EnsembleScorer([ModelScorer(model)] * 2))
    )
    for hypotheses, others in zip(once, twice, strict=True):
        assert [each.ids for each in hypotheses] == [each.ids for each in others]
        scores = [each.score for each in hypotheses]
        assert scores == pytest.approx([each.score for each in others], rel=1e-9)


def test_two_tasks_disagree_and_two_models_of_one_task_do_not(learned):
    reverse, copy = learned("reverse").model, learned("copy").model
    lines = ["", "7", *digit_strings(20, seed=8)]
    greedy = SearchOptions(beam_size=1)
    found = {
        names: [
            translation.text
            for translation in Translator.load(
                names[0], greedy, ensemble=names[1:], precision="fp32", device="cpu"
            ).translate(lines)
        ]
        for names in ((reverse,), (reverse, reverse), (reverse, copy), (copy, reverse))
    }
    assert found[(reverse,)] == found[(reverse, reverse)] == [line[::-1] for line in lines]
    assert found[(reverse, copy)] == found[(copy, reverse)] != found[(reverse,)]


def test_models_with_other_pieces_are_refused(learned, tmp_path):
    loaded = load_model(learned("reverse").model)
    other = char_vocabulary(tmp_path)
    for side in ("source", "target"):
        misfit = replace(loaded, **{f"{side}_vocabulary": other})
        with pytest.raises(FolderError) as caught:
            Translator(loaded, ensemble=[misfit], precision="fp32", device="cpu")
        assert str(caught.value) == (
            f"{loaded.source_vocabulary.path.parent} and {other.path.parent}: an ensemble needs "
            f"models with the same pieces, and their {side} vocabularies differ; train both from "
            "one corpus folder"
        )
