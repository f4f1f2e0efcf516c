"""The best continuations are those of a sorted list of all of them."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt.decoding.candidates import BLOCK, best_candidates


@settings(max_examples=60)
@given(
    sentences=st.integers(1, 4),
    beams=st.integers(1, 5),
    pieces=st.sampled_from([3, 7, BLOCK, 2 * BLOCK, 5 * BLOCK, 5 * BLOCK + 1]),
    count=st.integers(1, 9),
    gone=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_candidates_are_the_best_of_all(sentences, beams, pieces, count, gone, seed):
    torch.manual_seed(seed)
    values = torch.randn(sentences, beams, pieces).log_softmax(dim=2)
    scores = -3 * torch.rand(sentences, beams)
    if gone:
        scores[:, -1] = -torch.inf
        values[:, :, : pieces // 2] = -torch.inf
    found = best_candidates(values, scores, count)
    every = (values + scores.unsqueeze(2)).flatten(1)
    expected = every.sort(dim=1, descending=True)[0][:, :count]
    assert torch.equal(found.totals, expected)
    assert torch.equal(every.gather(1, found.parents * pieces + found.tokens), found.totals)
    distinct = (found.parents * pieces + found.tokens).sort(dim=1)[0]
    assert bool((distinct[:, 1:] != distinct[:, :-1]).all())
