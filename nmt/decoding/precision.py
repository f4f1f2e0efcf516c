"""The precision of inference: float32, bfloat16, or 8-bit integers.

int8 keeps weights in 8 bits with one scale a row, and cuts inputs to 8 bits as they come. What a
recurrent model multiplies is bounded by its design (states and their averages lie in [-1, 1],
embeddings in a fixed table), so that the inputs' scale is known beforehand: nothing has to be
measured, and a sentence's batch-mates cannot change its numbers. Where a design gives no close
bound (what was normalised, or multiplied before), each row of inputs goes by its own largest.
"""

import math
import warnings
from functools import cache
from typing import Any, Literal, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from nmt.errors import SettingError
from nmt.hardware import has_fast_int8
from nmt.models.linear import LinearMaker, LinearMap, plain_map

Precision = Literal["fp32", "bf16", "int8"]
FEW_ROWS = 16


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
    """A linear map by torch's operators for quantised models: all in one pass over the output.

    There are two. oneDNN's is the fastest with many rows, but a call costs more than the product
    of a few; FBGEMM's is then twice as fast, as long as torch has it. Both add whole numbers up,
    and what they scale them by is a power of two, which rounds nothing: both say the same, to the
    last bit.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, bound: float) -> None:
        self.step = _reversible_step(bound)
        largest = weight.abs().amax(dim=1).clamp_min(1e-12)
        self.scales = torch.exp2(torch.ceil(torch.log2(largest * self.step / 127))).float()
        scales = self.scales / self.step
        quantised = torch.round(weight / scales.unsqueeze(1)).to(torch.int8)
        self.packed = torch.ops.onednn.qlinear_prepack(quantised, None)
        self.zeros = torch.zeros(len(weight), dtype=torch.int64)
        self.bias = bias
        self.packed_for_few = _pack_for_few(quantised, scales, bias)
        self.middle = torch.tensor(128.5)  # the half makes the cut to whole numbers a rounding

    def __call__(self, x: Tensor, plus: Tensor | None = None) -> Tensor:
        if self.packed_for_few is not None and x.numel() <= FEW_ROWS * x.shape[-1]:
            multiply = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32.default
            y = cast(Tensor, multiply(x, self.step, 128, self.packed_for_few))
            return y if plus is None else plus.add_(y)
        inputs = (self._bytes(x.flatten(0, -2)), 1.0, 128, self.packed, self.scales, self.zeros)
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

    def _bytes(self, x: Tensor) -> Tensor:
        """Cut inputs to bytes around 128: oneDNN is many times slower with signed ones."""
        if self.packed_for_few is not None:  # rounded as FBGEMM does
            return torch.quantize_per_tensor(x, self.step, 128, torch.quint8).int_repr()
        return torch.add(self.middle, x, alpha=1 / self.step).to(torch.uint8)


class _Int8RowsMap:
    """The same for inputs without a bound: each row is scaled to [-1, 1], and back."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        self.linear, self.bias = _Int8Map(weight, None, 1.0), bias

    def __call__(self, x: Tensor, plus: Tensor | None = None) -> Tensor:
        largest = x.abs().amax(dim=-1, keepdim=True).clamp_min(torch.finfo(x.dtype).tiny)
        y = self.linear(x / largest).mul_(largest)
        y = y if self.bias is None else y.add_(self.bias)
        return y if plus is None else plus.add_(y)


def _int8_map(weight: Tensor, bias: Tensor | None, bound: float) -> LinearMap:
    return _Int8Map(weight, bias, bound) if bound < math.inf else _Int8RowsMap(weight, bias)


def _reversible_step(bound: float) -> float:
    """Return bound / 127, or the next float32 above of which x / step * step is x.

    FBGEMM multiplies a step and a scale in float32, and has to find the power of two again.
    """
    step = torch.tensor(max(bound, 1e-12) / 127)
    while 1 / step * step != 1:
        step = torch.nextafter(step, torch.tensor(torch.inf))
    return float(step)


def _pack_for_few(quantised: Tensor, scales: Tensor, bias: Tensor | None) -> Any:
    """Pack weights (O, I) and their scales (O) for FBGEMM; None where torch has it no more."""
    zeros = torch.zeros(len(scales), dtype=torch.int64)
    try:
        with warnings.catch_warnings():  # of the end of these tensors, which we are prepared for
            warnings.simplefilter("ignore")
            rows = torch._make_per_channel_quantized_tensor(quantised, scales.double(), zeros, 0)
            return torch.ops.quantized.linear_prepack(rows, bias)
    except (RuntimeError, AttributeError):
        return None


@cache
def int8_works() -> bool:
    """Say whether torch's 8-bit linear operator is there and gives the right numbers."""
    try:
        return all(map(_gives_right_numbers, (2, FEW_ROWS + 1)))  # by either operator
    except (RuntimeError, AttributeError, TypeError):
        return False


def _gives_right_numbers(rows: int) -> bool:
    # All at the largest values, where a processor without VNNI would saturate.
    weight, x = torch.ones(4, 512), torch.ones(rows, 512)
    weight[1], x[1] = -1, torch.linspace(-1, 1, 512)
    more = torch.ones(rows, 4)
    linear, expected = _Int8Map(weight, None, 1.0), x @ weight.t()
    pairs = ((linear(x), expected), (linear(x, more.clone()), expected + more))
    return all(torch.allclose(*pair, rtol=0.01, atol=2) for pair in pairs)


_MAKERS: dict[str, LinearMaker] = {"fp32": plain_map, "bf16": _bf16_map, "int8": _int8_map}
