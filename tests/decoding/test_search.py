"""Beam and greedy search equal plain loops, and no sentence's search sees another's."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt.data.special import BOS, EOS, PAD, UNK
from nmt.decoding.beam import BeamSearch
from nmt.decoding.greedy import GreedySearch
from nmt.decoding.options import SearchOptions
from nmt.decoding.scorer import ModelScorer, SearchState, StepScores
from nmt.decoding.search import Hypothesis
from nmt.models.memory import Memory
from nmt.models.seq2seq import Seq2Seq
from nmt.models.state import LayerState
from tests.support import reference
from tests.support.reference import ReferenceModel
from tests.support.small import (
    ATTENTION_TYPES,
    SHAPES,
    lengths_of,
    pad,
    random_sentences,
    small_model,
)

TINY = EOS + 3  # PAD, UNK, BOS, EOS and two others


def undecided(seed: int, pieces: int = 9, attention: str = "general") -> Seq2Seq:
    """A model that ends neither at once nor never."""
    model = small_model(attention, seed=seed, pieces=pieces)
    with torch.no_grad():
        model.output_bias[EOS] -= 1.0
    return model


def search(model: Seq2Seq, sentences: list[list[int]], **options) -> list[list[Hypothesis]]:
    """Search in one batch; `stop_early` goes to the search, the rest is SearchOptions."""
    stop_early = options.pop("stop_early", True)
    every = {"n_best": options.get("beam_size", 5)}
    found = SearchOptions(**{"length_ratio": 1.0, "length_extra": 3} | every | options)
    scorer, batch = ModelScorer(model), (pad(sentences), lengths_of(sentences))
    if found.beam_size == 1:
        return GreedySearch(scorer, found)(*batch)
    return BeamSearch(scorer, found, stop_early=stop_early)(*batch)


def same(found: Hypothesis, expected: Hypothesis | reference.Found) -> bool:
    return (
        found.ids == expected.ids
        and found.attended == expected.attended
        and found.log_probability == pytest.approx(expected.log_probability, rel=1e-9)
        and found.score == pytest.approx(expected.score, rel=1e-6)
    )


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("width", "alpha"), [(1, 1.0), (2, 0.0), (3, 1.0), (5, 0.6), (12, 1.5)])
def test_beam_search_equals_a_plain_loop(seed, width, alpha):
    model = undecided(seed, attention=ATTENTION_TYPES[seed % 3])
    sentences = random_sentences([5, 3, 3, 1], seed)
    options = SearchOptions(width, alpha, length_ratio=1.0, length_extra=3, n_best=width)
    searched = BeamSearch(ModelScorer(model), options, stop_early=False)
    found = searched(pad(sentences), lengths_of(sentences))
    for hypotheses, source in zip(found, sentences, strict=True):
        expected = reference.beam_search(
            ReferenceModel(model), source, width, alpha, longest=len(source) + 3
        )
        assert len(hypotheses) == len(expected)
        assert all(same(*pair) for pair in zip(hypotheses, expected, strict=True))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_a_beam_that_covers_every_prefix_is_exhaustive(seed, alpha):
    model = undecided(seed, TINY)
    sentences = random_sentences([3, 2], seed, TINY)
    found = search(
        model,
        sentences,
        beam_size=150,
        length_penalty=alpha,
        length_ratio=0.0,
        length_extra=4,
        stop_early=False,
    )
    for hypotheses, source in zip(found, sentences, strict=True):
        expected = reference.exhaustive_search(ReferenceModel(model), source, alpha, longest=4)
        assert [hypothesis.ids for hypothesis in hypotheses] == [each.ids for each in expected]
        scores = [hypothesis.score for hypothesis in hypotheses]
        assert scores == pytest.approx([each.score for each in expected], rel=1e-6)


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.lists(st.integers(1, 8), min_size=1, max_size=9))
def test_a_beam_of_one_equals_greedy(seed, sizes):
    model = undecided(seed)
    sentences = random_sentences(sizes, seed)
    options = SearchOptions(beam_size=1, length_ratio=1.0, length_extra=5)
    batch = pad(sentences), lengths_of(sentences)
    by_beam = BeamSearch(ModelScorer(model), options)(*batch)
    by_greedy = GreedySearch(ModelScorer(model), options)(*batch)
    for one, other in zip(by_beam, by_greedy, strict=True):
        assert len(one) == len(other) == 1
        assert same(one[0], other[0])


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    width=st.integers(1, 7),
    alpha=st.sampled_from([0.0, 0.5, 1.0, 2.0]),
    confidence=st.sampled_from([1.0, 3.0]),
    n_best=st.integers(1, 7),
)
def test_stopping_early_changes_no_translation(seed, width, alpha, confidence, n_best):
    model = undecided(seed)
    with torch.no_grad():  # a confident model's long translations can still overtake short ones
        model.output_bias.mul_(confidence)
        model.decoder.readout.weight.mul_(confidence)
    sentences = random_sentences([7, 6, 6, 4, 2, 1], seed)
    early, late = (
        search(
            model,
            sentences,
            beam_size=width,
            length_penalty=alpha,
            length_extra=12,
            n_best=min(n_best, width),
            stop_early=stop,
        )
        for stop in (True, False)
    )
    for hypotheses, others in zip(early, late, strict=True):
        assert len(hypotheses) == min(n_best, width)
        assert all(same(*pair) for pair in zip(hypotheses, others, strict=True))


class Bigrams:
    """A scorer that knows only which piece follows which: search needs no more of a model."""

    def __init__(self, following: dict[int, dict[int, float]]) -> None:
        self.table = torch.full((TINY, TINY), -60.0, dtype=torch.float64)
        for piece, chances in following.items():
            for successor, chance in chances.items():
                self.table[piece, successor] = math.log(chance)

    def start(self, source, lengths):
        nothing = torch.zeros(*source.shape, 1, dtype=torch.float64)
        hidden = nothing[:, :1]
        return SearchState(Memory(nothing, nothing, None), [LayerState(hidden, hidden)])

    def step(self, state, tokens):
        attention = torch.ones(*tokens.shape, state.memory.values.shape[1])
        layer = LayerState(*[torch.zeros(*tokens.shape, 1, dtype=torch.float64)] * 2)
        scores = self.table[tokens].log_softmax(dim=2)
        return StepScores(scores, attention), SearchState(state.memory, [layer])

    def select(self, state, sentences, beams):
        rows = torch.arange(len(beams)) if sentences is None else sentences
        layer = LayerState(*[torch.zeros(*beams.shape, 1, dtype=torch.float64)] * 2)
        return SearchState(state.memory.select(rows), [layer])


def test_a_long_translation_may_still_overtake_a_finished_one():
    a, b = EOS + 1, EOS + 2
    # The empty translation is likeliest, but one that goes on for long costs next to nothing more.
    scorer = Bigrams(
        {
            BOS: {EOS: 0.4, a: 0.35, b: 0.25},
            a: {a: 0.97, EOS: 0.03},
            b: {b: 0.5, EOS: 0.5},
        }
    )
    options = SearchOptions(beam_size=2, length_penalty=2.0, length_ratio=0.0, length_extra=12)
    batch = torch.tensor([[a, EOS]]), torch.tensor([2])
    early, late = (
        BeamSearch(scorer, options, stop_early=stop)(*batch)[0][0] for stop in (True, False)
    )
    assert early == late
    assert early.ids == [a] * 11


def test_stopping_early_saves_steps():
    class Counting(ModelScorer):
        steps = 0

        def step(self, state, tokens):
            self.steps += 1
            return super().step(state, tokens)

    model = undecided(1)
    with torch.no_grad():
        model.output_bias[EOS] += 8.0
    sentences = random_sentences([5, 3])
    steps = []
    for stop in (True, False):
        scorer = Counting(model)
        options = SearchOptions(beam_size=4)
        BeamSearch(scorer, options, stop_early=stop)(pad(sentences), lengths_of(sentences))
        steps.append(scorer.steps)
    assert steps[0] < steps[1]


@pytest.mark.parametrize("width", [1, 4])
@settings(max_examples=10)
@given(seed=st.integers(0, 10_000), sizes=st.lists(st.integers(1, 9), min_size=2, max_size=8))
def test_batch_mates_and_padding_change_no_translation(width, seed, sizes):
    model = undecided(seed)
    sentences = random_sentences(sizes, seed)
    together = search(model, sentences, beam_size=width)
    for hypotheses, source in zip(together, sentences, strict=True):
        alone = search(model, [source], beam_size=width)[0]
        assert same(hypotheses[0], alone[0])


@pytest.mark.parametrize("width", [1, 4])
@pytest.mark.parametrize("share", [0.0, 0.5, 2.0])
def test_sentences_that_leave_the_batch_change_nothing(monkeypatch, width, share):
    model = undecided(8)
    sentences = random_sentences([9, 9, 8, 7, 7, 5, 3, 3, 2, 1])
    expected = search(model, sentences, beam_size=width)
    monkeypatch.setattr("nmt.decoding.search.DONE_SHARE", share)  # 0: at once; 2: only all together
    found = search(model, sentences, beam_size=width)
    assert len({len(hypotheses[0].ids) for hypotheses in found}) > 2
    for hypotheses, others in zip(found, expected, strict=True):
        assert all(same(*pair) for pair in zip(hypotheses, others, strict=True))


@pytest.mark.parametrize(("attention", "depths"), SHAPES)
@pytest.mark.parametrize("width", [1, 3])
def test_log_probabilities_are_those_of_the_model(attention, depths, width):
    model = small_model(attention, depths)
    sentences = random_sentences([5, 2])
    for hypotheses, source in zip(
        search(model, sentences, beam_size=width), sentences, strict=True
    ):
        for hypothesis in hypotheses:
            forced = ReferenceModel(model).log_probability(source, hypothesis.ids)
            assert hypothesis.log_probability == pytest.approx(forced, rel=1e-9)
            length = len(hypothesis.ids) + 1
            score = forced / reference.penalty(length, SearchOptions().length_penalty)
            assert hypothesis.score == pytest.approx(score, rel=1e-6)


@pytest.mark.parametrize("width", [1, 2, 5])
def test_the_longest_translation_ends_and_holds_no_special_piece(width):
    model = undecided(3)
    with torch.no_grad():
        model.output_bias[EOS] = -100.0
        model.output_bias[[PAD, BOS]] = 100.0
    sentences = random_sentences([6, 4, 1])
    for hypotheses, source in zip(
        search(model, sentences, beam_size=width), sentences, strict=True
    ):
        assert len(hypotheses) == width
        for hypothesis in hypotheses:
            assert len(hypothesis.ids) == len(source) + 3 - 1
            assert not {PAD, BOS, EOS} & set(hypothesis.ids)
            assert len(hypothesis.attended) == len(hypothesis.ids)
            assert all(0 <= position < len(source) for position in hypothesis.attended)


def test_an_immediate_end_is_an_empty_translation():
    model = undecided(1)
    with torch.no_grad():
        model.output_bias[EOS] = 50.0
    for width in (1, 3):
        best = search(model, random_sentences([4, 2]), beam_size=width)
        assert [hypotheses[0].ids for hypotheses in best] == [[], []]


def test_hypotheses_come_best_first_and_differ():
    for hypotheses in search(undecided(2), random_sentences([6, 5]), beam_size=6):
        scores = [hypothesis.score for hypothesis in hypotheses]
        assert scores == sorted(scores, reverse=True)
        assert len({tuple(hypothesis.ids) for hypothesis in hypotheses}) == len(hypotheses)


def test_the_n_best_are_the_best_of_all():
    sentences = random_sentences([6, 4, 3])
    every = search(undecided(2), sentences, beam_size=5, stop_early=False)
    some = search(undecided(2), sentences, beam_size=5, stop_early=False, n_best=2)
    for hypotheses, others in zip(some, every, strict=True):
        assert len(hypotheses) == 2
        assert all(same(*pair) for pair in zip(hypotheses, others[:2], strict=True))


def test_unknown_pieces_may_be_written():
    model = undecided(1)
    with torch.no_grad():
        model.output_bias[UNK] = 30.0
    assert UNK in search(model, random_sentences([4]), beam_size=2)[0][0].ids
