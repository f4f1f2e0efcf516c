"""Penalties, lengths, n-grams and prefixes: each is its formula, in every kind of search."""

import math
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt.data.special import EOS, PAD
from nmt.decoding.adjusters.coverage import CoveragePenalty
from nmt.decoding.adjusters.ngrams import NoRepeatNgram
from nmt.decoding.beam import BeamSearch
from nmt.decoding.greedy import GreedySearch
from nmt.decoding.options import SearchOptions
from nmt.decoding.scorer import ModelScorer
from nmt.decoding.search import Given, Hypothesis
from nmt.models.seq2seq import Seq2Seq
from tests.support import reference
from tests.support.reference import ReferenceModel, Rules
from tests.support.small import lengths_of, pad, random_sentences, small_model

ROOM = 4  # pieces that a translation may have more than its source


def undecided(seed: int, end: float = -1.0) -> Seq2Seq:
    """A model that ends neither at once nor never."""
    model = small_model(seed=seed)
    with torch.no_grad():
        model.output_bias[EOS] += end
    return model


def given_prefixes(prefixes: list[list[int]]) -> Given:
    width = max(map(len, prefixes))
    rows = [[*prefix, *[PAD] * (width - len(prefix))] for prefix in prefixes]
    places = torch.zeros(len(prefixes), 2, dtype=torch.long)
    return Given(torch.tensor(rows, dtype=torch.long).view(len(rows), width), places)


def search(
    model: Seq2Seq,
    sentences: list[list[int]],
    options: SearchOptions,
    prefixes: list[list[int]] | None = None,
    stop_early: bool = True,
) -> list[list[Hypothesis]]:
    """Search in one batch."""
    batch = pad(sentences), lengths_of(sentences), prefixes and given_prefixes(prefixes)
    if options.strategy == "greedy":
        return GreedySearch(ModelScorer(model), options)(*batch)
    return BeamSearch(ModelScorer(model), options, stop_early=stop_early)(*batch)


def repeats(ids: list[int], size: int) -> bool:
    """Say whether an n-gram of this size comes twice."""
    grams = [tuple(ids[at : at + size]) for at in range(len(ids) - size + 1)]
    return len(set(grams)) < len(grams)


def coverage(attention: list[list[float]], beta: float) -> float:
    """Wu et al. 2016, equation 14."""
    return beta * sum(math.log(min(sum(column), 1.0)) for column in zip(*attention, strict=True))


def rules(options: SearchOptions, length: int, prefix: list[int]) -> Rules:
    """The same options as plain Python, for a source of a length (with EOS)."""
    least = max(options.min_length, math.ceil(options.min_length_ratio * (length - 1) - 1e-6))
    least = min(least, longest(options, length, prefix) - 1)

    def allowed(ids: list[int], piece: int) -> bool:
        if len(ids) < len(prefix):
            return piece == prefix[len(ids)]
        if piece == EOS:
            return len(ids) >= least
        size = options.no_repeat_ngram
        if not size:
            return True
        last = tuple([*ids, piece][-size:])
        earlier = [tuple(ids[at : at + size]) for at in range(len(ids) - size + 1)]
        return len(last) < size or last not in earlier

    return Rules(
        allowed,
        lambda attention: coverage(attention, options.coverage_penalty),
        options.length_penalty == "average",
    )


def longest(options: SearchOptions, length: int, prefix: list[int]) -> int:
    """The most pieces of a translation, EOS included, of a source with EOS."""
    most = math.floor(options.length_ratio * length) + options.length_extra
    least = max(options.min_length, math.ceil(options.min_length_ratio * (length - 1) - 1e-6))
    most = max(most, least + 1)
    if options.max_length is not None:
        most = min(most, options.max_length + 1)
    if options.max_length_ratio is not None:
        pieces = math.floor(options.max_length_ratio * (length - 1) + 1e-6)
        most = min(most, max(1, pieces) + 1)
    return max(most, len(prefix) + 1)


@dataclass
class Case:
    """Some options, and what they are tested with."""

    options: dict[str, Any]
    end: float = -1.0  # how much likelier or less likely the model ends
    prefixes: list[list[int]] = field(default_factory=lambda: [[], [], [], []])


CASES = {
    "average": Case({"length_penalty": "average"}),
    "none": Case({"length_penalty": "none"}),
    "coverage": Case({"coverage_penalty": 0.7}, end=2.0),
    "minimum": Case({"min_length": 4}, end=2.0),
    "minimum ratio": Case({"min_length_ratio": 1.5}, end=2.0),
    "minimum over the room": Case({"min_length": 12}, end=2.0),
    "maximum": Case({"max_length": 3}, end=-3.0),
    "maximum ratio": Case({"max_length_ratio": 0.5}, end=-3.0),
    "no unigram": Case({"no_repeat_ngram": 1}, end=-4.0),
    "no bigram": Case({"no_repeat_ngram": 2}, end=-4.0),
    "no trigram": Case({"no_repeat_ngram": 3}, end=-4.0),
    "prefixes": Case({}, prefixes=[[5, 5, 4, 7], [], [8], [1, 6, 4, 4, 4, 4, 5]]),
    "all": Case(
        {
            "length_penalty": "average",
            "coverage_penalty": 0.3,
            "min_length": 3,
            "max_length_ratio": 2.0,
            "no_repeat_ngram": 2,
        },
        prefixes=[[5, 5, 5, 7], [4], [], []],
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("width", [1, 2, 5])
def test_a_search_with_adjusters_equals_a_plain_loop(case, width):
    if width == 1 and "coverage_penalty" in case.options:
        pytest.skip("there is nothing to choose from")
    small = {"length_ratio": 1.0, "length_extra": ROOM, "n_best": width, "beam_size": width}
    options = SearchOptions(**small | case.options)
    plain = SearchOptions(**small)
    changed = 0
    for seed in range(4):
        model, sentences = undecided(seed, case.end), random_sentences([6, 4, 4, 2], seed)
        found = search(model, sentences, options, case.prefixes, stop_early=False)
        early = search(model, sentences, options, case.prefixes)
        without = search(model, sentences, plain)
        for at, (source, prefix) in enumerate(zip(sentences, case.prefixes, strict=True)):
            expected = reference.beam_search(
                ReferenceModel(model),
                source,
                width,
                1.0 if options.length_penalty == 1.0 else 0.0,
                longest(options, len(source), prefix),
                rules(options, len(source), prefix),
            )
            assert [each.ids for each in found[at]] == [each.ids for each in expected]
            for hypothesis, other in zip(found[at], expected, strict=True):
                assert hypothesis.log_probability == pytest.approx(other.log_probability, rel=1e-9)
                assert hypothesis.score == pytest.approx(other.score, rel=1e-5)
                assert hypothesis.attended == other.attended
            assert early[at] == found[at]
            changed += found[at] != without[at]
    assert changed  # or the case would show nothing


@settings(max_examples=15)
@given(
    seed=st.integers(0, 10_000),
    sizes=st.lists(st.integers(1, 8), min_size=2, max_size=7),
    width=st.sampled_from([1, 4]),
)
def test_batch_mates_change_no_adjusted_search(seed, sizes, width):
    model, sentences = undecided(seed), random_sentences(sizes, seed)
    prefixes = [sentence[:-1][: (seed + at) % 4] for at, sentence in enumerate(sentences)]
    options = SearchOptions(
        beam_size=width,
        coverage_penalty=0.2 if width > 1 else 0.0,
        min_length_ratio=0.5,
        no_repeat_ngram=2,
        length_extra=3,
    )
    together = search(model, sentences, options, prefixes)
    for found, source, prefix in zip(together, sentences, prefixes, strict=True):
        (alone,) = search(model, [source], options, [prefix])
        assert found[0].ids == alone[0].ids
        assert found[0].score == pytest.approx(alone[0].score, rel=1e-6)


@pytest.mark.parametrize("width", [1, 40])
def test_the_beginning_of_the_best_translation_leads_to_the_rest(width):
    """With a beam that is wide enough to see everything worth seeing."""
    for seed in range(3):
        model, sentences = undecided(seed), random_sentences([5, 4, 2], seed)
        options = SearchOptions(beam_size=width, length_ratio=1.0, length_extra=2)
        best = [hypotheses[0] for hypotheses in search(model, sentences, options)]
        for cut in (0, 1, 2, 100):
            prefixes = [hypothesis.ids[:cut] for hypothesis in best]
            forced = search(model, sentences, options, prefixes)
            assert [hypotheses[0].ids for hypotheses in forced] == [each.ids for each in best]
            for hypotheses, one in zip(forced, best, strict=True):
                assert hypotheses[0].score == pytest.approx(one.score, rel=1e-9)


@pytest.mark.parametrize("width", [1, 3])
def test_a_translation_ends_when_no_piece_is_left(width):
    model, sentences = undecided(1), random_sentences([5, 3])
    options = SearchOptions(beam_size=width, no_repeat_ngram=1, min_length=20, n_best=width)
    for hypotheses in search(model, sentences, options):
        for hypothesis in hypotheses:
            assert len(hypothesis.ids) == 6  # UNK and five others, once each
            assert not repeats(hypothesis.ids, 1)


@settings(max_examples=40)
@given(
    size=st.integers(1, 4),
    beams=st.lists(st.lists(st.integers(4, 6), min_size=7, max_size=7), min_size=1, max_size=3),
    parents=st.lists(st.integers(0, 2), min_size=7, max_size=7),
)
def test_what_would_repeat_an_ngram_is_forbidden_and_nothing_else(size, beams, parents):
    """Three hypotheses that change places as they grow."""
    rule = NoRepeatNgram(size, torch.tensor([0]))
    rule.pieces = rule.pieces.expand(-1, 3, -1)
    texts: list[list[int]] = [[], [], []]
    for step, (beam, shift) in enumerate(zip(zip(*beams * 3, strict=False), parents, strict=True)):
        scores = torch.zeros(1, 3, 7)
        scores[:, :, PAD] = -torch.inf
        rule.restrict(scores, step)
        for text, row in zip(texts, scores[0].tolist(), strict=True):
            grams = {tuple(text[at : at + size]) for at in range(len(text) - size + 1)}
            expected = {v for v in range(1, 7) if tuple([*text, v][-size:]) in grams}
            assert {v for v in range(1, 7) if row[v] < 0} == expected
        order = [(shift + place) % 3 for place in range(3)]
        texts = [[*texts[parent], piece] for parent, piece in zip(order, beam[:3], strict=True)]
        rule.follow(None, torch.tensor([order]), torch.tensor([beam[:3]]))


def test_what_was_never_looked_at_costs_much_but_not_everything():
    rule = CoveragePenalty(1.0, torch.tensor([2]))
    rule.look(torch.tensor([[[1.0, 0.0]]]))
    assert -1000 < float(rule.bonus()) < -50
