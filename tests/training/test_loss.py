"""The label-smoothed loss and its gradients equal the formula, in any chunks, in any batch."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt.data.batching import make_batch
from nmt.training import loss as module
from nmt.training.config import TrainConfig
from nmt.training.learner import Learner
from nmt.training.loader import as_tensors
from nmt.training.loss import cross_entropy, smoothed_cross_entropy
from tests.support.arrays import split_of
from tests.support.reference import ReferenceModel, smoothed, smoothed_loss
from tests.support.small import SHAPES, random_sentences, small_model
from tests.support.vectors import affine, softmax

SMOOTHINGS = [0.0, 0.1, 0.9]


def inputs(rows: int = 7, size: int = 4, pieces: int = 5) -> list[torch.Tensor]:
    """Read-outs, weight, bias (all of which want gradients), labels."""
    torch.manual_seed(2)
    shapes = [(rows, size), (pieces, size), (pieces,)]
    tensors = [torch.randn(*shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    return [*tensors, torch.randint(pieces, (rows,))]


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@pytest.mark.parametrize("chunk", [5, 12, 3_000_000])
def test_values_and_gradients_equal_the_formula(monkeypatch, smoothing, chunk):
    monkeypatch.setitem(module.CHUNK, "cpu", chunk)
    readouts, weight, bias, labels = inputs()
    total = smoothed_cross_entropy(readouts, weight, bias, labels, smoothing)
    (3 * total).backward()
    value, by_row, by_weight = 0.0, [], [[0.0] * 4 for _ in range(5)]
    by_bias = [0.0] * 5
    matrix = weight.tolist()
    for row, label in zip(readouts.tolist(), labels.tolist(), strict=True):
        logits = affine(matrix, row, bias.tolist())
        value += smoothed_loss(logits, label, smoothing)
        # d loss / d logit = p - q
        wanted = smoothed(5, label, smoothing)
        slope = [3 * (p - q) for p, q in zip(softmax(logits), wanted, strict=True)]
        by_row.append([sum(slope[v] * matrix[v][e] for v in range(5)) for e in range(4)])
        for v in range(5):
            by_bias[v] += slope[v]
            by_weight[v] = [old + slope[v] * x for old, x in zip(by_weight[v], row, strict=True)]
    assert total.item() == pytest.approx(value, rel=1e-12)
    for found, expected in ((readouts, by_row), (weight, by_weight), (bias, by_bias)):
        assert torch.allclose(found.grad, torch.tensor(expected).double(), atol=1e-6)
        assert torch.allclose(found.grad, torch.tensor(expected, dtype=torch.float64), atol=1e-12)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_gradients_equal_differences(smoothing):
    readouts, weight, bias, labels = inputs(rows=3)
    assert torch.autograd.gradcheck(
        lambda *tensors: smoothed_cross_entropy(*tensors, labels, smoothing),
        (readouts, weight, bias),
    )


def test_without_smoothing_it_is_the_cross_entropy():
    readouts, weight, bias, labels = inputs()
    plain = cross_entropy(readouts, weight, bias, labels)
    smooth = smoothed_cross_entropy(readouts, weight, bias, labels, 0.0)
    assert smooth.item() == pytest.approx(plain.item(), rel=1e-12)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_a_hopeless_label_leaves_the_loss_a_number(smoothing):
    readouts = torch.tensor([[1.0]], requires_grad=True)
    weight = torch.tensor([[0.0], [400.0]])
    total = smoothed_cross_entropy(readouts, weight, torch.zeros(2), torch.tensor([0]), smoothing)
    total.backward()
    assert math.isfinite(total.item())
    assert total.item() > 50
    assert readouts.grad.item() == pytest.approx(400 * (1 - smoothing / 2), rel=1e-5)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@pytest.mark.parametrize("size", [400.0, 4000.0, 4e6])
def test_the_loss_of_a_broken_model_is_large_and_never_negative(smoothing, size):
    weight = torch.linspace(0, size, 50).unsqueeze(1)  # the label is the least likely of 50
    total = smoothed_cross_entropy(
        torch.ones(3, 1), weight, torch.zeros(50), torch.zeros(3, dtype=torch.int64), smoothing
    )
    exact = 3 * smoothed_loss(weight[:, 0].tolist(), 0, smoothing)
    assert 3 * (1 - smoothing) * 50 < total.item() <= exact * 1.001


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_lower_precisions_are_near_and_gradients_keep_the_weights_type(dtype):
    readouts, weight, bias, labels = (
        tensor.detach() for tensor in inputs(rows=200, size=16, pieces=50)
    )
    exact = smoothed_cross_entropy(readouts, weight, bias, labels, 0.1)
    rows = readouts.to(dtype).requires_grad_()
    matrix, offset = weight.float().requires_grad_(), bias.float().requires_grad_()
    total = smoothed_cross_entropy(rows, matrix, offset, labels, 0.1)
    total.backward()
    assert total.dtype == torch.float32
    assert total.item() == pytest.approx(exact.item(), rel=1e-2)
    assert (rows.grad.dtype, matrix.grad.dtype) == (dtype, torch.float32)


def stepper(attention: str = "general", depths: tuple[int, int] = (1, 1)) -> Learner:
    model = small_model(attention, depths)
    return Learner(model, TrainConfig(), seed=1, dtype=torch.float64)


@pytest.mark.parametrize(("attention", "depths"), SHAPES)
def test_the_loss_of_a_batch_equals_plain_loops(attention, depths):
    step = stepper(attention, depths)
    plain = ReferenceModel(step.model)
    sources, targets = random_sentences([4, 3, 1], 1), random_sentences([2, 5, 3], 2)
    batch = as_tensors(make_batch(split_of(sources, targets), rows_of(3)))
    with torch.no_grad():
        found = step.loss(batch).item()
    expected = -sum(
        plain.log_probability(source, target[:-1])
        for source, target in zip(sources, targets, strict=True)
    )
    assert step.plain_loss(batch).item() == pytest.approx(expected, rel=1e-9)
    smooth = 0.0
    for source, target in zip(sources, targets, strict=True):
        steps = plain.steps(source, [2, *target[:-1]])
        smooth += sum(
            smoothed_loss(each.logits, label, 0.1)
            for each, label in zip(steps, target, strict=True)
        )
    assert found == pytest.approx(smooth, rel=1e-9)
    assert batch.tokens == sum(map(len, targets))


@settings(max_examples=15)
@given(
    st.lists(st.tuples(st.integers(1, 7), st.integers(1, 7)), min_size=1, max_size=6),
    st.sampled_from(SHAPES),
)
def test_batch_mates_and_padding_change_no_loss(sizes, shape):
    step = stepper(*shape)
    sources, targets = zip(*sizes, strict=True)
    split = split_of(
        [random_sentences([length], at)[0] for at, length in enumerate(sources)],
        [random_sentences([length], 100 + at)[0] for at, length in enumerate(targets)],
    )
    with torch.no_grad():
        together = step.loss(as_tensors(make_batch(split, rows_of(len(sizes)))))
        alone = [
            step.loss(as_tensors(make_batch(split, rows_of(len(sizes))[at : at + 1])))
            for at in range(len(sizes))
        ]
    assert together.item() == pytest.approx(sum(loss.item() for loss in alone), rel=1e-9)


def rows_of(count: int):
    """Every row of a split."""
    return torch.arange(count).numpy()
