"""LSTM layers equal the formula, packed and not, in one direction and in both."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt.models.linear import plain_map
from nmt.models.lstm import LSTMLayer
from nmt.models.state import LayerState
from tests.support import reference

LENGTHS = st.lists(st.integers(1, 6), min_size=1, max_size=4).map(lambda n: sorted(n)[::-1])


def layer(bidirectional: bool) -> LSTMLayer:
    torch.manual_seed(3)
    made = LSTMLayer(3, 4, bidirectional).double()
    with torch.no_grad():
        made.bias.normal_()
    return made


def by_formula(made: LSTMLayer, xs: list[list[float]]):
    if made.directions == 2:
        return reference.both_directions(made, xs)
    return reference.cells(made)[0].run(xs)


def close(found: torch.Tensor, expected: list) -> bool:
    return torch.allclose(found, torch.tensor(expected, dtype=torch.float64), atol=1e-12)


@pytest.mark.parametrize("bidirectional", [False, True])
@settings(deadline=None, max_examples=20)
@given(lengths=LENGTHS)
def test_packed_sequences_equal_the_formula(bidirectional, lengths):
    made = layer(bidirectional)
    x = torch.randn(len(lengths), max(lengths), 3, dtype=torch.float64)
    outputs = made(x, torch.tensor(lengths))
    for row, length in enumerate(lengths):
        expected, _, _ = by_formula(made, x[row, :length].tolist())
        assert close(outputs[row, :length], expected)
        assert not outputs[row, length:].any()


@pytest.mark.parametrize("bidirectional", [False, True])
def test_unpacked_sequences_equal_the_formula(bidirectional):
    made = layer(bidirectional)
    x = torch.randn(3, 5, 3, dtype=torch.float64)
    outputs = made(x)
    for row in range(3):
        expected, _, _ = by_formula(made, x[row].tolist())
        assert close(outputs[row], expected)


def test_a_first_state_is_taken_over_and_single_steps_equal_the_formula():
    made = layer(bidirectional=False)
    x = torch.randn(2, 4, 3, dtype=torch.float64)
    first = LayerState(*torch.randn(2, 2, 4, dtype=torch.float64))
    outputs = made(x, None, first)
    state, cell = first, made.cell(plain_map, 1.0)
    for step in range(4):
        with torch.no_grad():
            state = cell(x[:, step], state)
        assert torch.allclose(state.hidden, outputs[:, step], atol=1e-12)
    for row in range(2):
        start = first.hidden[row].tolist(), first.cell[row].tolist()
        expected, _, cell_after = reference.cells(made)[0].run(x[row].tolist(), *start)
        assert close(outputs[row], expected)
        assert close(state.cell[row], cell_after)


def test_forget_gates_begin_open():
    made = LSTMLayer(3, 4, bidirectional=True)
    assert made.bias.detach()[:, 4:8].eq(1).all()
    assert made.bias.detach()[:, [0, 1, 2, 3, 8, 9, 15]].eq(0).all()
