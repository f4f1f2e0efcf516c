"""The LSTM that training runs on a CPU equals torch's, in its outputs and in all gradients."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt.models.lstm import LSTMLayer
from nmt.models.state import LayerState
from nmt.models.whole_lstm import whole_lstm

SIZE, WIDTH = 4, 3


def leaf(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64).requires_grad_()


def made_weights() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return leaf(4 * SIZE, WIDTH), leaf(4 * SIZE, SIZE), leaf(4 * SIZE)


def by_torch(x, first, weights, length: int, backwards: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """One sequence (T, I) by torch's LSTM, in its own order, and its last cell."""
    x = x[:length].flip(0) if backwards else x[:length]
    state = [part.view(1, 1, -1) for part in first]
    no_bias = torch.zeros(4 * SIZE, dtype=torch.float64)
    options = (True, 1, 0.0, True, False, True)
    y, _, cell = torch.lstm(x.unsqueeze(0), state, [*weights, no_bias], *options)
    return y[0].flip(0) if backwards else y[0], cell[0, 0]


@settings(max_examples=30)
@given(
    lengths=st.lists(st.integers(1, 5), min_size=1, max_size=4).map(lambda n: sorted(n)[::-1]),
    backwards=st.booleans(),
    packed=st.booleans(),
)
def test_outputs_and_gradients_equal_torchs(lengths, backwards, packed):
    torch.manual_seed(1)
    steps, count = lengths[0], len(lengths)
    if not packed:
        lengths = [steps] * count
    x, weights, weighing = leaf(steps, count, WIDTH), made_weights(), leaf(steps, count, SIZE)
    states = [leaf(count, SIZE) for _ in range(2)]
    zeros = [torch.zeros(count, SIZE, dtype=torch.float64)] * 2
    first = zeros if packed else states
    sizes = [sum(length > step for length in lengths) for step in range(steps)] if packed else None
    found, last = whole_lstm(x, (first[0], first[1]), weights, sizes, backwards)
    alone = [
        by_torch(x[:, row], [f[row] for f in first], weights, length, backwards)
        for row, length in enumerate(lengths)
    ]
    expected = torch.stack(
        [torch.cat((y, y.new_zeros(steps - len(y), SIZE))) for y, _ in alone], dim=1
    )
    expected_last = torch.stack([cell for _, cell in alone])
    assert torch.allclose(found, expected, atol=1e-12)
    assert torch.allclose(last, expected_last, atol=1e-12)
    leaves = [x, *weights] if packed else [x, *weights, *states]
    with_last = weighing[0]
    for ours, theirs in (
        ((found * weighing).sum(), (expected * weighing).sum()),
        ((last * with_last).sum(), (expected_last * with_last).sum()),
        (
            (found * weighing).sum() + (last * with_last).sum(),
            (expected * weighing).sum() + (expected_last * with_last).sum(),
        ),
    ):
        pairs = zip(
            torch.autograd.grad(ours, leaves, retain_graph=True),
            torch.autograd.grad(theirs, leaves, retain_graph=True),
            strict=True,
        )
        assert all(torch.allclose(one, other, atol=1e-11) for one, other in pairs)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("lengths", [None, [6, 4, 4, 1]])
def test_a_layer_in_training_gives_what_it_gives_afterwards(bidirectional, lengths):
    torch.manual_seed(2)
    layer = LSTMLayer(8, 16, bidirectional).bfloat16()
    x = torch.randn(4, 6, 8).bfloat16()
    state = None if bidirectional else LayerState(*torch.randn(2, 4, 16).bfloat16())
    if lengths is not None:
        state = None
    given = None if lengths is None else torch.tensor(lengths)
    training = layer(x, given, state)
    assert training.grad_fn is not None
    with torch.no_grad():
        after = layer(x, given, state)
    assert torch.allclose(training.float(), after.float(), atol=0.02)  # bfloat16 has 8 bits
    if lengths is not None:
        padding = torch.arange(6) >= torch.tensor(lengths).unsqueeze(1)
        assert not training[padding].any()
