"""The precision of inference: float32, bfloat16, or 8-bit integers.

int8 keeps weights in 8 bits with one scale a row, and cuts inputs to 8 bits as they come. What a
recurrent model multiplies is bounded by its design (states and their averages lie in [-1, 1],
embeddings in a fixed table), so that the inputs' scale is known beforehand: nothing has to be
measured, and a sentence's batch-mates cannot change its numbers.
"""

from functools import cache
from typing import Literal, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from nmt.errors import SettingError
from nmt.hardware import has_fast_int8
from nmt.models.linear import LinearMaker, LinearMap, plain_map

Precision = Literal["fp32", "bf16", "int8"]


def choose_precision(name: str, device: torch.device) -> Precision:
    """Return the precision called `name`; "auto" asks the hardware.

    On a CPU auto is int8 or fp32, elsewhere fp32.

    Raises:
        SettingError: int8 is asked for where its operator is missing.
    """
    if name == "auto":
        fast = device.type == "cpu" and has_fast_int8() and int8_works()
        return "int8" if fast else "fp32"
    if name == "int8" and (device.type != "cpu" or not int8_works()):
        raise SettingError("--precision int8: not supported by this device; use fp32 or auto")
    if name not in _MAKERS:
        raise SettingError(f"--precision {name}: choose one of auto, {', '.join(_MAKERS)}")
    return cast(Precision, name)


def linear_maker(precision: Precision) -> LinearMaker:
    """Return what prepares linear maps in a precision; inputs and outputs are in float32."""
    return _MAKERS[precision]


def _bf16_map(weight: Tensor, bias: Tensor | None, bound: float) -> LinearMap:
    weight = weight.bfloat16()
    bias = None if bias is None else bias.bfloat16()

    def apply(x: Tensor, plus: Tensor | None = None) -> Tensor:
        y = F.linear(x.bfloat16(), weight, bias).float()
        return y if plus is None else plus.add_(y)

    return apply


class _Int8Map:
    """A linear map by torch's operators for quantised models: all in one pass over the output."""

    def __init__(self, weight: Tensor, bias: Tensor | None, bound: float) -> None:
        scales = weight.abs().amax(dim=1).clamp_min(1e-12) / 127
        quantised = torch.round(weight / scales.unsqueeze(1)).to(torch.int8)
        self.packed = torch.ops.onednn.qlinear_prepack(quantised, None)
        self.step = max(bound, 1e-12) / 127
        # All scaling is in the weights' scales: with a second factor for the inputs, the operator
        # rounds differently in small batches (on processors with AMX).
        self.scales = scales.float() * self.step
        self.zeros = torch.zeros(len(weight), dtype=torch.int64)
        self.bias = bias
        # Inputs become bytes 1..255 around 128: the operator is many times slower with signed
        # ones. The half makes the cut to whole numbers a rounding.
        self.middle = torch.tensor(128.5)

    def __call__(self, x: Tensor, plus: Tensor | None = None) -> Tensor:
        bytes_ = torch.add(self.middle, x.flatten(0, -2), alpha=1 / self.step).to(torch.uint8)
        inputs = (bytes_, 1.0, 128, self.packed, self.scales, self.zeros)
        if plus is None:
            y = torch.ops.onednn.qlinear_pointwise(
                *inputs, self.bias, 1.0, 0, torch.float32, "none", [], ""
            )
        else:
            y = torch.ops.onednn.qlinear_pointwise.binary(
                *inputs,
                plus.flatten(0, -2),
                self.bias,
                *(1.0, 0, torch.float32),
                *(1.0, 0, "sum", 1.0),
                *("none", [], ""),
            )
        return cast(Tensor, y).unflatten(0, x.shape[:-1])


@cache
def int8_works() -> bool:
    """Say whether torch's 8-bit linear operator is there and gives the right numbers."""
    try:
        # All at the largest values, where a processor without VNNI would saturate.
        weight, x = torch.ones(4, 512), torch.ones(2, 512)
        weight[1], x[1] = -1, torch.linspace(-1, 1, 512)
        more = torch.ones(2, 4)
        linear, expected = _Int8Map(weight, None, 1.0), x @ weight.t()
        pairs = ((linear(x), expected), (linear(x, more.clone()), expected + more))
        return all(torch.allclose(*pair, rtol=0.01, atol=2) for pair in pairs)
    except (RuntimeError, AttributeError, TypeError):
        return False


_MAKERS: dict[str, LinearMaker] = {"fp32": plain_map, "bf16": _bf16_map, "int8": _Int8Map}
