"""Attention equals its formula, whatever the chunks, and never looks at padding."""

import pytest
import torch
from torch import Tensor

from nmt.models import additive
from nmt.models.additive import additive_scores
from nmt.models.attention import ATTENTIONS, Attention, attend
from nmt.models.config import ModelConfig
from nmt.models.linear import plain_map
from tests.support import decoder
from tests.support.vectors import dot, softmax

HIDDEN, HEADS = 6, 3
LENGTHS = [5, 3, 1]


def made(kind: str) -> Attention:
    """An attention of a few numbers, in float64."""
    torch.manual_seed(4)
    heads = HEADS if kind == "multi-head" else 4
    config = ModelConfig(hidden_size=HIDDEN, attention=kind, attention_heads=heads)
    return ATTENTIONS[kind](config).double()


def tensors(batch: int = 3, targets: int = 4, sources: int = 5) -> tuple[Tensor, Tensor]:
    """Questions and a memory."""
    torch.manual_seed(5)
    questions = torch.randn(batch, targets, HIDDEN, dtype=torch.float64)
    return questions, torch.randn(batch, sources, HIDDEN, dtype=torch.float64)


@pytest.mark.parametrize("prepared", [False, True])
@pytest.mark.parametrize("kind", ATTENTIONS)
def test_an_answer_equals_the_formula_and_leaves_padding_out(kind, prepared):
    attention = made(kind)
    questions, values = tensors()
    final = torch.randn(3, HIDDEN, dtype=torch.float64)
    padding = torch.arange(5) >= torch.tensor(LENGTHS).unsqueeze(1)
    asker = attention.asker(plain_map, 1.0, 1.0) if prepared else attention.learner()
    with torch.no_grad():
        found = asker.ask(questions, asker.remember(values, final, padding))
    for row, length in enumerate(LENGTHS):
        memory = values[row, :length].tolist()
        for target, question in enumerate(questions[row].tolist()):
            context, shares = decoder.attention(
                attention, kind, question, memory, final[row].tolist()
            )
            assert found.weights[row, target, :length].tolist() == pytest.approx(shares, abs=1e-12)
            assert not found.weights[row, target, length:].any()
            assert found.context[row, target].tolist() == pytest.approx(context, abs=1e-12)


@pytest.mark.parametrize("kind", ["general", "dot", "additive", "multi-head"])
def test_gradients_reach_questions_and_memory(kind):
    asker = made(kind).learner()
    questions, values = (x.requires_grad_() for x in tensors(2, 3, 2))
    padding = torch.tensor([[False, False], [False, True]])

    def contexts(questions: Tensor, values: Tensor) -> Tensor:
        return asker.ask(questions, asker.remember(values, values[:, 0], padding)).context

    assert torch.autograd.gradcheck(contexts, (questions, values))


@pytest.mark.parametrize("chunk", [1, 100, 200])
def test_additive_attention_and_its_gradients_are_the_same_in_any_chunks(monkeypatch, chunk):
    inputs = [x.requires_grad_() for x in (*tensors(), torch.randn(HIDDEN, dtype=torch.float64))]

    def whole() -> list[Tensor]:
        scores = additive_scores(*inputs)
        return [scores, *torch.autograd.grad((scores * scores.detach().cos()).sum(), inputs)]

    expected = whole()
    monkeypatch.setitem(additive.CHUNK, "cpu", chunk)
    for found, other in zip(whole(), expected, strict=True):
        assert torch.allclose(found, other, atol=1e-12)
    assert torch.autograd.gradcheck(additive_scores, inputs)


def test_training_keeps_no_additive_intermediate():
    inputs = [x.requires_grad_() for x in (*tensors(), torch.randn(HIDDEN, dtype=torch.float64))]
    kept: list[int] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda x: kept.append(x.numel()) or x, id):
        additive_scores(*inputs)
    assert max(kept) <= 3 * 5 * HIDDEN  # a memory's size, and not a target's times more


def test_additive_scores_of_bfloat16_are_exact_to_its_inputs():
    inputs = [x.bfloat16() for x in (*tensors(), torch.randn(HIDDEN))]
    expected = additive_scores(*(x.float() for x in inputs))
    assert torch.equal(additive_scores(*inputs), expected)


def test_attending_equals_the_formula_and_leaves_padding_out():
    queries, memory = tensors()
    scores = queries @ memory.transpose(1, 2)
    padding = torch.arange(5) >= torch.tensor(LENGTHS).unsqueeze(1)
    answer = attend(scores, memory, padding)
    for row, length in enumerate(LENGTHS):
        for target in range(4):
            shares = softmax(scores[row, target, :length].tolist())
            values = memory[row, :length].tolist()
            read = [dot(shares, column) for column in zip(*values, strict=True)]
            assert answer.weights[row, target, :length].tolist() == pytest.approx(shares, abs=1e-12)
            assert not answer.weights[row, target, length:].any()
            assert answer.context[row, target].tolist() == pytest.approx(read, abs=1e-12)
