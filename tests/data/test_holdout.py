"""Held-out pairs and repeated pairs, against plain Python."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.data import holdout
from nmt.data.holdout import (
    IS_DUPLICATE,
    IS_HELD_OUT,
    IS_OVERLAP,
    KEEP,
    find_duplicates,
    hash_line,
    hold_out,
)

# Few sentences, so that pairs and sides repeat.
pairs_of_few = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=2, max_size=60)
chunks = st.sampled_from([4, holdout.CHUNK])  # all laws hold for any size of the chunks


def hashes_of(pairs: list[tuple[object, object]]) -> np.ndarray:
    data = b"".join(hash_line(f"s{source}") + hash_line(f"t{target}") for source, target in pairs)
    return np.frombuffer(data, np.uint64).reshape(-1, 2)


def duplicates(pairs, chunk=holdout.CHUNK) -> np.ndarray:
    verdicts = np.full(len(pairs), KEEP, np.uint8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(holdout, "CHUNK", chunk)
        find_duplicates(hashes_of(pairs), verdicts)
    return verdicts


def judged(pairs, seed=1, dedup=False, chunk=holdout.CHUNK) -> list[int]:
    verdicts = duplicates(pairs, chunk) if dedup else np.full(len(pairs), KEEP, np.uint8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(holdout, "CHUNK", chunk)
        hold_out(hashes_of(pairs), verdicts, seed)
    return verdicts.tolist()


def select(pairs, verdicts, wanted) -> list[tuple[int, int]]:
    return [pair for pair, verdict in zip(pairs, verdicts, strict=True) if verdict == wanted]


@given(pairs_of_few, chunks)
def test_the_first_of_equal_pairs_stays(pairs, chunk):
    verdicts = duplicates(pairs, chunk)
    assert select(pairs, verdicts, KEEP) == list(dict.fromkeys(pairs))
    assert set(verdicts.tolist()) <= {KEEP, IS_DUPLICATE}


@given(pairs_of_few, st.booleans(), chunks)
def test_no_held_out_sentence_is_left_in_training(pairs, dedup, chunk):
    verdicts = judged(pairs, dedup=dedup, chunk=chunk)
    held, train, gone = (select(pairs, verdicts, v) for v in (IS_HELD_OUT, KEEP, IS_OVERLAP))
    sources, targets = {source for source, _ in held}, {target for _, target in held}
    assert 1 <= len(held) <= max(1, len(pairs) // 20)
    assert not sources & {source for source, _ in train}
    assert not targets & {target for _, target in train}
    assert all(source in sources or target in targets for source, target in gone)


@given(pairs_of_few, st.randoms(), chunks)
def test_the_choice_does_not_depend_on_the_order(pairs, random, chunk):
    shuffled = random.sample(pairs, len(pairs))
    chosen = select(pairs, judged(pairs), IS_HELD_OUT)
    assert set(chosen) == set(select(shuffled, judged(shuffled, chunk=chunk), IS_HELD_OUT))


def test_another_seed_holds_out_other_pairs():
    pairs = [(i, i) for i in range(200)]
    assert judged(pairs, seed=1) == judged(pairs, seed=1) != judged(pairs, seed=2)
    assert judged(pairs).count(IS_HELD_OUT) == 10


def test_pairs_with_frequent_sentences_are_not_held_out():
    pairs = [("yes", i) for i in range(100)] + [(-i, -i) for i in range(1, 101)]
    verdicts = judged(pairs)
    assert verdicts.count(IS_HELD_OUT) == 10
    assert verdicts.count(IS_OVERLAP) == 0


def test_pairs_that_repeat_often_are_not_all_held_out():
    verdicts = judged([(i, i) for i in range(50)] * 20)
    assert verdicts.count(IS_HELD_OUT) == 2
    assert verdicts.count(KEEP) == 48 * 20


def test_at_most_a_thousand_are_held_out():
    assert judged([(i, i) for i in range(30_000)]).count(IS_HELD_OUT) == 1000


def test_space_around_a_sentence_makes_no_other_sentence():
    assert hash_line(" A dog.\r") == hash_line("A dog.") != hash_line("A dog!")
