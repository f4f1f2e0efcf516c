"""Layer normalisation equals its formula."""

import torch

from nmt.models.norm import LayerNorm
from tests.support.vectors import layer_norm, weights


def made(size: int) -> LayerNorm:
    torch.manual_seed(1)
    norm = LayerNorm(size).double()
    with torch.no_grad():
        norm.gain.normal_()
        norm.bias.normal_()
    return norm


def test_it_equals_the_formula():
    norm, x = made(5), torch.randn(3, 5, dtype=torch.float64)
    expected = [layer_norm(row, *weights(norm, "gain", "bias")) for row in x.tolist()]
    assert torch.allclose(norm(x), torch.tensor(expected, dtype=torch.float64), atol=1e-12)


def test_what_it_learns_has_the_right_gradient():
    norm, x = made(4), torch.randn(2, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, *_: norm(x), (x, *norm.parameters()))


def test_a_lower_precision_keeps_its_type():
    norm, x = LayerNorm(8), torch.randn(3, 8)
    assert norm(x.bfloat16()).dtype == torch.bfloat16
    assert torch.allclose(norm(x.bfloat16()).float(), norm(x), atol=0.03)
