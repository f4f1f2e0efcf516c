"""Recurrent layers equal their formulas, packed and not, in one direction and in both."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt.models.layer import RecurrentLayer
from nmt.models.linear import learning_map, plain_map
from nmt.models.recurrent import CELLS
from nmt.models.state import LayerState
from tests.support import cells

LENGTHS = st.lists(st.integers(1, 6), min_size=1, max_size=4).map(lambda n: sorted(n)[::-1])
WIDTH, SIZE = 3, 4

of_every_cell = pytest.mark.parametrize("kind", CELLS)
in_both_forms = pytest.mark.parametrize("bidirectional", [False, True])


def layer(kind: str, bidirectional: bool, size: int = SIZE) -> RecurrentLayer:
    torch.manual_seed(3)
    made = CELLS[kind](WIDTH, size, bidirectional).double()
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            if "weight" not in name:
                parameter.normal_()
    return made


def inputs(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, WIDTH, dtype=torch.float64)


def some_state(made: RecurrentLayer, *shape: int) -> LayerState:
    return made.zeros(inputs(1), *shape).map(torch.randn_like)


def close(found: torch.Tensor, expected: list) -> bool:
    return torch.allclose(found, torch.tensor(expected, dtype=torch.float64), atol=1e-12)


def all_close(found: list[torch.Tensor], expected: list) -> bool:
    return all(close(one, other) for one, other in zip(found, expected, strict=True))


@of_every_cell
@in_both_forms
@settings(max_examples=15)
@given(lengths=LENGTHS)
def test_packed_sequences_equal_the_formula(kind, bidirectional, lengths):
    made = layer(kind, bidirectional)
    x = inputs(len(lengths), max(lengths))
    run = made.run(x, torch.tensor(lengths))
    for row, length in enumerate(lengths):
        expected = cells.run(made, x[row, :length].tolist())
        assert close(run.outputs[row, :length], expected.outputs)
        assert not run.outputs[row, length:].any()
        assert all_close([part[row] for part in run.final.parts()], expected.final)


@of_every_cell
@in_both_forms
def test_unpacked_sequences_equal_the_formula(kind, bidirectional):
    made = layer(kind, bidirectional)
    x = inputs(3, 5)
    run = made.run(x)
    for row in range(3):
        expected = cells.run(made, x[row].tolist())
        assert close(run.outputs[row], expected.outputs)
        assert all_close([part[row] for part in run.final.parts()], expected.final)


@of_every_cell
def test_a_first_state_is_taken_over_and_single_steps_equal_the_formula(kind):
    made = layer(kind, bidirectional=False)
    x = inputs(2, 4)
    first = some_state(made, 2)
    run = made.run(x, None, first)
    state, cell = first, made.cell(plain_map, 1.0)
    for step in range(4):
        with torch.no_grad():
            state = cell(x[:, step], state)
        assert torch.allclose(state.hidden, run.outputs[:, step], atol=1e-12)
    for row in range(2):
        start = [part[row].tolist() for part in first.parts()]
        expected = cells.run(made, x[row].tolist(), start)
        assert close(run.outputs[row], expected.outputs)
        assert all_close([part[row] for part in state.parts()], expected.final)
        assert all_close([part[row] for part in run.final.parts()], expected.final)


@of_every_cell
@pytest.mark.parametrize("lengths", [None, [3, 1]])
def test_gradients_are_those_of_the_outputs_and_of_the_last_state(kind, lengths):
    made = layer(kind, bidirectional=True, size=2)
    x = inputs(2, 3).requires_grad_()
    ends = None if lengths is None else torch.tensor(lengths)

    def run(x, *_):
        done = made.run(x, ends)
        return done.outputs, *done.final.parts()

    assert torch.autograd.gradcheck(run, (x, *made.parameters()))


@of_every_cell
def test_the_cell_that_learns_passes_on_the_gradients_of_the_whole_sequence(kind):
    made = layer(kind, bidirectional=False)
    x = inputs(3, 4).requires_grad_()
    first = some_state(made, 3).map(torch.Tensor.requires_grad_)
    outputs = made(x, None, first)
    state, cell, steps = first, made.cell(learning_map, 1.0), []
    for prepared in cell.inputs(x).unbind(1):
        state = cell.advance(prepared, state)
        steps.append(state.hidden)
    weighing = torch.randn_like(outputs)
    leaves = [x, *first.parts(), *made.parameters()]
    whole = torch.autograd.grad((outputs * weighing).sum(), leaves)
    stepped = torch.autograd.grad((torch.stack(steps, dim=1) * weighing).sum(), leaves)
    assert all(torch.allclose(*pair, atol=1e-12) for pair in zip(whole, stepped, strict=True))


@of_every_cell
def test_directions_take_a_step_side_by_side_as_they_do_alone(kind):
    made = layer(kind, bidirectional=True)
    both = made.cells(plain_map, 1.0)
    x, before = inputs(2, 3), some_state(made, 2, 3)
    with torch.no_grad():
        alone = [cell(*each) for cell, *each in zip(both, x, before.unstack(), strict=True)]
        prepared = torch.stack([cell.inputs(each) for cell, each in zip(both, x, strict=True)])
        together = both[0].side_by_side(both, prepared, before)
    pairs = zip(together.parts(), LayerState.stack(alone).parts(), strict=True)
    assert all(torch.allclose(*pair, atol=1e-14) for pair in pairs)


@of_every_cell
@in_both_forms
def test_in_bfloat16_a_layer_learns_nearly_the_same(kind, bidirectional):
    made = layer(kind, bidirectional)
    x, lengths = inputs(4, 6), torch.tensor([6, 4, 4, 1])
    names = [name for name, _ in made.named_parameters()]
    exact = torch.autograd.grad(made.run(x, lengths).outputs.sum(), list(made.parameters()))
    rounded = made.bfloat16()
    outputs = rounded.run(x.bfloat16(), lengths).outputs
    found = torch.autograd.grad(outputs.sum(), list(rounded.parameters()))
    for name, one, other in zip(names, found, exact, strict=True):
        distance = (one.double() - other).norm() / other.norm()
        assert distance < 0.05, name


@pytest.mark.parametrize(
    ("kind", "error"), [("lstm", 0.004), ("gru", 0.004), ("rnn", 0.004), ("norm-lstm", 0.02)]
)
def test_steps_in_bfloat16_are_nearly_those_of_the_same_weights_in_float64(kind, error):
    made = layer(kind, False, size=64)
    made.reset_parameters()
    made.bfloat16()
    x = inputs(16, 20).bfloat16()
    with torch.no_grad():
        found, expected = steps(made, x), steps(made.double(), x.double())
    assert (found.double() - expected).norm() < error * expected.norm()


def steps(made: RecurrentLayer, x: torch.Tensor) -> torch.Tensor:
    cell, state = made.cells(plain_map, 1.0)[0], made.zeros(x, len(x))
    outputs = []
    for now in x.unbind(1):
        state = cell(now, state)
        outputs.append(state.hidden)
    return torch.stack(outputs, dim=1)


@pytest.mark.parametrize("kind", ["lstm", "norm-lstm"])
def test_forget_gates_begin_open(kind):
    made = CELLS[kind](3, 4, bidirectional=True)
    assert made.bias.detach()[:, 4:8].eq(1).all()
    assert made.bias.detach()[:, [0, 1, 2, 3, 8, 9, 15]].eq(0).all()
