"""Samples follow the model's probabilities, and depend on the line and the seed alone."""

import math
from collections import Counter
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt.data.special import BOS, EOS, PAD
from nmt.decoding.candidates import BLOCK
from nmt.decoding.options import SearchOptions
from nmt.decoding.random_numbers import combine, gumbel
from nmt.decoding.sampling import SamplingSearch, draw, likely
from nmt.decoding.scorer import ModelScorer
from nmt.decoding.search import Given, Hypothesis
from nmt.models.seq2seq import Seq2Seq
from tests.support.reference import ReferenceModel, log_softmax, penalty, softmax
from tests.support.small import lengths_of, pad, random_sentences, small_model

COUNT = 4000


def places(lines: list[int]) -> Given:
    """Whole lines with these numbers."""
    rows = torch.tensor([[line, 0] for line in lines])
    return Given(rows.new_zeros(len(lines), 0), rows)


def sample(
    model: Seq2Seq, sentences: list[list[int]], lines: list[int], **options
) -> list[list[Hypothesis]]:
    """Draw in one batch."""
    search = SamplingSearch(ModelScorer(model), SearchOptions(sample=True, **options))
    return search(pad(sentences), lengths_of(sentences), places(lines))


def surprise(counts: Counter, chances: dict, draws: int) -> float:
    """By how many standard deviations chi-squared is over its mean; rare outcomes are joined."""
    assert set(counts) <= {outcome for outcome, chance in chances.items() if chance > 0}
    bins, rest = [], [0.0, 0.0]
    for outcome, chance in chances.items():
        if chance * draws >= 10:
            bins.append((counts[outcome], chance * draws))
        else:
            rest = [rest[0] + counts[outcome], rest[1] + chance * draws]
    bins += [tuple(rest)] if rest[1] >= 5 else []
    chi = sum((count - mean) ** 2 / mean for count, mean in bins)
    free = len(bins) - 1
    return (chi - free) / math.sqrt(2 * free)


def filtered(logits: list[float], temperature: float, top_k: int, top_p: float) -> list[float]:
    """The probabilities to draw from, with plain loops."""
    allowed = [v for v in range(len(logits)) if v not in (PAD, BOS)]
    order = sorted(allowed, key=lambda v: -logits[v])[: top_k or None]
    shares = softmax([logits[v] / temperature for v in order])
    kept, mass = [], 0.0
    for v, share in zip(order, shares, strict=True):
        if mass < top_p:
            kept.append(v)
        mass += share
    total = sum(shares[: len(kept)])
    return [shares[order.index(v)] / total if v in kept else 0.0 for v in range(len(logits))]


@pytest.mark.parametrize(
    ("temperature", "top_k", "top_p"),
    [(1.0, 0, 1.0), (0.5, 0, 1.0), (2.0, 3, 1.0), (1.0, 0, 0.7), (1.5, 4, 0.6), (1.0, 1, 1.0)],
)
def test_whole_translations_come_as_often_as_their_probability_says(temperature, top_k, top_p):
    model, (source,) = small_model(seed=3), random_sentences([4], seed=3)
    options = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "seed": 5}
    (found,) = sample(model, [source], [7], n_best=COUNT, max_length=2, **options)
    exact = ReferenceModel(model)
    chances = {}
    for first, second in product(range(9), repeat=2):
        steps = exact.steps(source, [BOS, first])
        one, two = (filtered(step.logits, temperature, top_k, top_p) for step in steps)
        chances[(first, second)] = one[first] * two[second]
    empty = filtered(exact.steps(source, [BOS])[0].logits, temperature, top_k, top_p)[EOS]
    chances = {
        (): empty,
        **{(a,): chance for (a, b), chance in chances.items() if b == EOS and a != EOS},
        **{(a, b): chance for (a, b), chance in chances.items() if EOS not in (a, b)},
    }
    assert sum(chances.values()) == pytest.approx(1)
    counts = Counter(tuple(hypothesis.ids) for hypothesis in found)
    assert len(found) == COUNT
    if top_k == 1:
        assert len(counts) == 1
    else:
        assert surprise(counts, chances, COUNT) < 4
    for hypothesis in found[:20]:
        forced = exact.log_probability(source, hypothesis.ids)
        assert hypothesis.log_probability == pytest.approx(forced, rel=1e-9)
        score = forced / penalty(len(hypothesis.ids) + 1, 1.0)
        assert hypothesis.score == pytest.approx(score, rel=1e-6)


@pytest.mark.parametrize("pieces", [5, BLOCK, 3 * BLOCK])
def test_one_draw_follows_softmax(pieces):
    torch.manual_seed(pieces)
    logits = torch.randn(1, 1, pieces, dtype=torch.float64)
    keys = combine(torch.tensor(1), torch.arange(20_000)).unsqueeze(0)
    counts = Counter(draw(logits, keys, 3)[0].tolist())
    chances = dict(enumerate(softmax(logits.flatten().tolist())))
    assert surprise(counts, chances, 20_000) < 4


@settings(max_examples=30)
@given(
    seed=st.integers(0, 10_000),
    pieces=st.integers(2, 300),
    temperature=st.sampled_from([0.3, 1.0, 2.0]),
    top_k=st.integers(0, 80),
    top_p=st.sampled_from([1e-9, 0.3, 0.9, 1.0]),
)
def test_unlikely_pieces_are_left_out(seed, pieces, temperature, top_k, top_p):
    torch.manual_seed(seed)
    logits = 3 * torch.randn(2, 2, pieces + 4, dtype=torch.float64)
    logits[:, :, [PAD, BOS]] = -torch.inf
    options = SearchOptions(sample=True, temperature=temperature, top_k=top_k, top_p=top_p)
    found = likely(logits, options).softmax(dim=2)
    for row, expected in zip(found.flatten(0, 1), logits.flatten(0, 1), strict=True):
        wanted = filtered(expected.tolist(), temperature, top_k, top_p)
        assert row.tolist() == pytest.approx(wanted, rel=1e-9)


def test_gumbel_numbers_have_their_mean_and_spread_and_are_no_two_alike():
    keys = combine(torch.tensor(0), torch.arange(300).unsqueeze(1), torch.arange(300))
    assert keys.unique().numel() == keys.numel()
    numbers = gumbel(keys)
    assert float(numbers.mean()) == pytest.approx(0.5772, abs=0.02)  # Euler's constant
    assert float(numbers.var()) == pytest.approx(math.pi**2 / 6, rel=0.02)
    assert bool(numbers.isfinite().all())
    ones = torch.tensor([0, -1, 1 << 62, -(1 << 63)])
    assert bool(gumbel(ones).isfinite().all())


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10_000),
    sizes=st.lists(st.integers(1, 8), min_size=1, max_size=7),
    count=st.integers(1, 4),
    top_p=st.sampled_from([0.8, 1.0]),
    share=st.sampled_from([0.0, 0.125, 2.0]),
)
def test_batch_mates_order_and_other_samples_change_no_sample(seed, sizes, count, top_p, share):
    model, sentences = small_model(seed=seed), random_sentences(sizes, seed)
    lines = [(7 * at + seed) % 100 for at in range(len(sizes))]
    options = {"seed": seed, "top_p": top_p, "length_extra": 3, "no_repeat_ngram": 3}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nmt.decoding.search.DONE_SHARE", share)
        together = sample(model, sentences, lines, n_best=count, **options)
    for found, source, line in zip(together, sentences, lines, strict=True):
        (alone,) = sample(model, [source], [line], n_best=5, **options)
        assert [each.ids for each in found] == [each.ids for each in alone[:count]]
        assert [each.attended for each in found] == [each.attended for each in alone[:count]]
        for one, other in zip(found, alone, strict=False):
            assert one.log_probability == pytest.approx(other.log_probability, rel=1e-9)


def test_lines_seeds_and_samples_differ():
    model, (source,) = small_model(seed=2), random_sentences([6], seed=2)
    found = sample(model, [source] * 8, list(range(8)), n_best=3, length_extra=9)
    again = sample(model, [source] * 8, list(range(8)), n_best=3, length_extra=9)
    other = sample(model, [source] * 8, list(range(8)), n_best=3, length_extra=9, seed=2)
    assert found == again
    texts = [tuple(each.ids) for batch in (found, other) for every in batch for each in every]
    assert len(set(texts)) > 40


def test_log_probabilities_are_those_of_the_model_whatever_was_left_out():
    model, (source,) = small_model(seed=4), random_sentences([5], seed=4)
    (found,) = sample(model, [source], [0], n_best=6, temperature=0.4, top_k=2, min_length=2)
    exact = ReferenceModel(model)
    for hypothesis in found:
        assert len(hypothesis.ids) >= 2
        for step, piece in zip(
            exact.steps(source, [BOS, *hypothesis.ids]), [*hypothesis.ids, EOS], strict=True
        ):
            ranks = sorted(
                (v for v in range(9) if v not in (PAD, BOS)), key=lambda v: -step.logits[v]
            )
            assert piece in ranks[:3]  # two, or the third where EOS is too early
            assert log_softmax(step.logits)[piece] < 0
        forced = exact.log_probability(source, hypothesis.ids)
        assert hypothesis.log_probability == pytest.approx(forced, rel=1e-9)
