"""Which pairs go together, and how they become arrays."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.data import batching
from nmt.data.batching import gather, make_batch, plan_epoch, plan_in_order
from nmt.data.special import BOS, EOS, PAD
from tests.support.arrays import side_of, split_of

SENTENCES = st.lists(st.integers(EOS + 1, 60_000), max_size=7)
PAIRS = st.lists(st.tuples(SENTENCES, SENTENCES), min_size=1, max_size=40)


def random_split(pairs: int, seed: int = 1, longest: int = 30):
    random = np.random.default_rng(seed)
    sentences = [
        [list(range(4, 4 + random.integers(0, longest))) for _ in range(pairs)] for _ in range(2)
    ]
    return split_of(*sentences)


@given(st.lists(SENTENCES, min_size=1, max_size=20), st.data())
def test_gather_equals_the_obvious_loop(sentences, data):
    some = st.lists(st.integers(0, len(sentences) - 1), min_size=1, max_size=10)
    rows = np.array(data.draw(some))
    ids, lengths = gather(side_of(sentences), rows)
    chosen = [sentences[row] for row in rows]
    width = max(map(len, chosen))
    assert lengths.tolist() == [len(sentence) for sentence in chosen]
    assert ids.tolist() == [ids + [PAD] * (width - len(ids)) for ids in chosen]


@given(PAIRS)
def test_a_batch_holds_its_pairs_with_their_marks(pairs):
    split = split_of(*zip(*pairs, strict=True))
    batch = make_batch(split, np.arange(len(pairs)))
    assert (np.diff(batch.source_lengths) <= 0).all()  # longest source first
    found = []
    for row in range(len(pairs)):
        source = batch.source[row, : batch.source_lengths[row]].tolist()
        size = batch.target_lengths[row]
        begun, ended = batch.target_input[row, :size], batch.target_output[row, :size]
        assert source[-1] == ended[-1] == EOS
        assert begun[0] == BOS
        assert begun[1:].tolist() == ended[:-1].tolist()
        assert not batch.source[row, batch.source_lengths[row] :].any()
        assert not batch.target_output[row, size:].any()
        found.append((source[:-1], ended[:-1].tolist()))
    assert sorted(found) == sorted(pairs)
    assert batch.tokens == sum(len(target) + 1 for _, target in pairs)


def test_a_batch_keeps_its_pairs_together():
    split = split_of([[4], [5, 5], [6, 6, 6]], [[14, 14], [15], [16]])
    batch = make_batch(split, np.array([0, 2, 1]))
    assert batch.source[:, 0].tolist() == [6, 5, 4]
    assert batch.target_output[:, 0].tolist() == [16, 15, 14]


PLANS = {
    "epoch": lambda split, budget: plan_epoch(split, budget, seed=3, epoch=2),
    "in order": plan_in_order,
}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
@given(PAIRS, st.integers(1, 60))
def test_every_pair_comes_once_and_the_budget_is_kept(plan, pairs, budget):
    split = split_of(*zip(*pairs, strict=True))
    batches = plan(split, budget)
    rows = sorted(itertools.chain.from_iterable(batch.tolist() for batch in batches))
    assert rows == list(range(len(pairs)))
    for rows in batches:
        batch = make_batch(split, rows)
        longest = max(batch.source.shape[1], batch.target_input.shape[1])
        assert len(rows) == 1 or len(rows) * longest <= budget


def test_every_pair_comes_once_across_chunks(monkeypatch):
    monkeypatch.setattr(batching, "CHUNK", 100)
    batches = plan_epoch(random_split(1234), 300, seed=1, epoch=0)
    assert sorted(np.concatenate(batches)) == list(range(1234))


def flat(batches) -> list[list[int]]:
    return [batch.tolist() for batch in batches]


def test_a_plan_is_a_function_of_seed_and_epoch():
    split = random_split(500)
    first = flat(plan_epoch(split, 400, seed=7, epoch=3))
    np.random.seed(1)
    assert flat(plan_epoch(split, 400, seed=7, epoch=3)) == first
    others = [flat(plan_epoch(split, 400, seed, epoch)) for seed, epoch in [(7, 4), (8, 3), (3, 7)]]
    assert first not in others
    assert others[0] != others[1] != others[2]


def test_the_first_batch_of_a_run_is_the_largest_and_later_epochs_begin_anywhere():
    split = random_split(500)

    def size(rows) -> int:
        batch = make_batch(split, rows)
        return len(rows) * (batch.source.shape[1] + batch.target_input.shape[1])

    firsts = []
    for epoch in range(6):
        sizes = list(map(size, plan_epoch(split, 400, seed=7, epoch=epoch)))
        firsts.append(sizes[0] == max(sizes))
    assert firsts[0]
    assert not all(firsts)


@pytest.mark.parametrize("seed", [0, 1, 20_261_120, 2**63])
def test_any_seed_will_do(seed):
    assert plan_epoch(random_split(10), 100, seed, epoch=0)


def test_batches_are_full_and_little_of_them_is_padding():
    split = random_split(5000)
    batches = [make_batch(split, rows) for rows in plan_epoch(split, 600, seed=1, epoch=0)]
    sizes = [max(batch.source.size, batch.target_output.size) for batch in batches]
    assert np.median(sizes) > 400
    tokens = sum(batch.source_lengths.sum() for batch in batches)
    assert tokens / sum(batch.source.size for batch in batches) > 0.95
