"""Attention equals its formula, whatever the chunks, and never looks at padding."""

import pytest
import torch

from nmt.models.attention import ATTENTIONS, AdditiveAttention, attend
from tests.support import reference
from tests.support.small import ATTENTION_TYPES

HIDDEN = 6


def tensors(batch: int = 3, targets: int = 4, sources: int = 5) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(5)
    queries = torch.randn(batch, targets, HIDDEN, dtype=torch.float64)
    return queries, torch.randn(batch, sources, HIDDEN, dtype=torch.float64)


@pytest.mark.parametrize("kind", ATTENTION_TYPES)
def test_scores_equal_the_formula(kind):
    queries, memory = tensors()
    attention = ATTENTIONS[kind](HIDDEN).double()
    scores = attention.scores(queries, attention.keys(memory))
    expected = [
        [
            [reference.attention_score(attention, kind, query, value) for value in values]
            for query in asked
        ]
        for asked, values in zip(queries.tolist(), memory.tolist(), strict=True)
    ]
    assert torch.allclose(scores, torch.tensor(expected, dtype=torch.float64), atol=1e-12)


@pytest.mark.parametrize("chunk", [1, 100, 200, 10_000])
def test_additive_attention_is_the_same_in_any_chunks(chunk):
    queries, memory = tensors()
    attention = AdditiveAttention(HIDDEN).double()
    keys = attention.keys(memory)
    whole = attention.scores(queries, keys)
    attention.chunk = chunk
    assert torch.allclose(attention.scores(queries, keys), whole, atol=1e-14)


def test_attending_equals_the_formula_and_leaves_padding_out():
    queries, memory = tensors()
    scores = queries @ memory.transpose(1, 2)
    padding = torch.arange(5) >= torch.tensor([5, 3, 1]).unsqueeze(1)
    context, weights = attend(scores, memory, padding)
    for row, length in enumerate([5, 3, 1]):
        for target in range(4):
            shares = reference.softmax(scores[row, target, :length].tolist())
            values = memory[row, :length].tolist()
            read = [reference.dot(shares, column) for column in zip(*values, strict=True)]
            assert weights[row, target, :length].tolist() == pytest.approx(shares, abs=1e-12)
            assert not weights[row, target, length:].any()
            assert context[row, target].tolist() == pytest.approx(read, abs=1e-12)
