"""The precisions of inference: close to float32, and each row for itself."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt.decoding import precision
from nmt.decoding.precision import choose_precision, int8_works, linear_maker
from nmt.decoding.scorer import ModelScorer
from nmt.errors import SettingError
from nmt.models.config import ModelConfig
from nmt.models.recurrent import CELLS
from nmt.models.seq2seq import Seq2Seq
from tests.support.small import small_model

needs_int8 = pytest.mark.skipif(
    not int8_works(), reason="this build of torch has no 8-bit linear operator"
)


@needs_int8
@settings(max_examples=40)
@given(
    rows=st.integers(1, 70),
    sizes=st.sampled_from([(7, 5), (64, 32), (512, 300)]),
    bound=st.sampled_from([1e-4, 1.0, 1e3]),
    bias=st.booleans(),
)
def test_int8_batch_mates_change_no_bit_of_a_row(rows, sizes, bound, bias):
    torch.manual_seed(rows)
    weight = torch.randn(sizes[1], sizes[0])
    linear = linear_maker("int8")(weight, torch.randn(sizes[1]) if bias else None, bound)
    x = bound * (2 * torch.rand(rows, sizes[0]) - 1)
    together = linear(x)
    for row in range(0, rows, 7):
        assert torch.equal(linear(x[row : row + 1])[0], together[row])
    flipped = linear(x.flip(0)).flip(0)
    assert torch.equal(flipped, together)


@needs_int8
@settings(max_examples=20)
@given(rows=st.integers(1, 40), bound=st.floats(1e-4, 1e3), size=st.sampled_from([5, 64, 512]))
def test_both_int8_operators_say_the_same_to_the_last_bit(rows, bound, size):
    torch.manual_seed(rows)
    linear = linear_maker("int8")(torch.randn(70, size), torch.randn(70), bound)
    x, more = bound * (2 * torch.rand(rows, size) - 1), torch.randn(rows, 70)
    found = []
    for few in (0, 40):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(precision, "FEW_ROWS", few)
            found.append((linear(x), linear(x, more.clone())))
    assert all(torch.equal(*pair) for pair in zip(*found, strict=True))


@needs_int8
@pytest.mark.parametrize(
    ("package", "operator"),
    [
        ("onednn", "qlinear_pointwise"),
        ("quantized", "linear_with_input_q_dq_qweight_dq_output_fp32"),
    ],
)
def test_int8_counts_as_working_only_where_both_operators_do(monkeypatch, package, operator):
    monkeypatch.setattr(getattr(torch.ops, package), operator, None)  # as of another signature
    assert not int8_works.__wrapped__()


@needs_int8
def test_int8_does_without_the_operator_for_few_rows(monkeypatch):
    monkeypatch.delattr(torch, "_make_per_channel_quantized_tensor")
    weight, x = torch.randn(40, 100), 2 * torch.rand(3, 100) - 1
    found = linear_maker("int8")(weight, None, 1.0)(x)
    assert (found - x @ weight.t()).abs().max() < 0.5


@pytest.mark.parametrize(
    ("precision", "tolerance"),
    [("fp32", 1e-5), ("bf16", 2e-2), pytest.param("int8", 3e-2, marks=needs_int8)],
)
@pytest.mark.parametrize("bias", [False, True])
def test_every_precision_is_near_the_exact_product(precision, tolerance, bias):
    torch.manual_seed(1)
    weight, x = torch.randn(40, 100), torch.randn(3, 5, 100).clamp(-3, 3)
    offset = torch.randn(40) if bias else None
    exact = torch.nn.functional.linear(x.double(), weight.double(), None)
    exact = exact + offset.double() if bias else exact
    linear = linear_maker(precision)(weight, offset, 3.0)
    more = torch.randn(3, 5, 40)
    for found, expected in ((linear(x), exact), (linear(x, more.clone()), exact + more)):
        assert found.shape == (3, 5, 40)
        assert found.dtype == torch.float32
        assert (found - expected).abs().max() < tolerance * exact.abs().max()


@needs_int8
@pytest.mark.parametrize("depths", [(1, 1), (4, 1), (1, 4), (4, 4)])
def test_int8_follows_float32_through_every_layer(depths):
    """Sums of residual connections are larger than single states: each bound must cover them."""
    model = small_model("general", depths, pieces=64).float()
    with torch.no_grad():
        for layer in (*model.encoder.layers, *model.decoder.layers):
            layer.bias.add_(2.0)  # states near one, sums near the number of layers
    source, tokens = torch.randint(4, 64, (5, 7)), torch.randint(4, 64, (5, 1))
    found = []
    for name in ("fp32", "int8"):
        scorer = ModelScorer(model, name)
        state = scorer.start(source, None)
        for _ in range(4):
            scores, state = scorer.step(state, tokens)
        found.append(scores.log_probabilities)
    assert (found[0] - found[1]).abs().max() < 0.3


@needs_int8
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("encoder", ["bidirectional", "first-bidirectional"])
@pytest.mark.parametrize("layer_norm", [False, True])
def test_int8_follows_float32_in_every_cell(cell, encoder, layer_norm):
    config = ModelConfig(
        *(32, 64),
        cell=cell,
        encoder=encoder,
        encoder_layers=3,
        decoder_layers=2,
        residual_from=2,
        layer_norm=layer_norm,
    )
    torch.manual_seed(1)
    model = Seq2Seq(config, 64, 64)
    source, lengths = torch.randint(4, 64, (40, 7)), torch.tensor([7] * 30 + [4] * 8 + [1, 1])
    exact, rounded = (ModelScorer(model, name).start(source, lengths) for name in ("fp32", "int8"))
    # Norms at every step turn small differences into larger ones: 1 % of the weights is 10 % there.
    limit = 0.08 if cell == "norm-lstm" else 0.03
    difference = exact.memory.values - rounded.memory.values
    assert difference.norm() < limit * exact.memory.values.norm()
    tokens = torch.randint(4, 64, (40, 1))
    found = [ModelScorer(model, name).step(exact, tokens)[0] for name in ("fp32", "int8")]
    assert (found[0].log_probabilities - found[1].log_probabilities).abs().max() < 0.2


@needs_int8
def test_int8_of_zeros_is_the_bias():
    linear = linear_maker("int8")(torch.zeros(4, 8), torch.arange(4.0), 1.0)
    assert linear(torch.zeros(2, 8)).tolist() == [[0, 1, 2, 3]] * 2


def test_auto_never_picks_bf16_on_a_processor():
    assert choose_precision("auto", torch.device("cpu")) in ("fp32", "int8")


def test_an_unknown_precision_is_refused():
    with pytest.raises(SettingError, match="fp16: choose one of auto, fp32, bf16, int8"):
        choose_precision("fp16", torch.device("cpu"))


@needs_int8
@pytest.mark.parametrize("bound", [0.01, 1.0, 40.0])
def test_int8_holds_up_to_the_very_bound(bound):
    weight = torch.eye(4)
    x = bound * torch.tensor([[1.0, -1.0, 1 - 1e-7, 0.5]])
    assert torch.allclose(linear_maker("int8")(weight, None, bound)(x), x, atol=bound / 127)
