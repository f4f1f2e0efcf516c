"""The precision of inference: float32, bfloat16, or 8-bit integers.

int8 keeps weights in 8 bits with one scale a row, and quantises activations as they come with one
scale a row too, so that a sentence's batch-mates cannot change its numbers.
"""

from functools import cache, partial
from typing import Literal

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
    if name not in ("fp32", "bf16", "int8"):
        raise SettingError(f"--precision {name}: choose one of auto, fp32, bf16, int8")
    return name  # type: ignore[return-value]  # checked against the list above


def linear_maker(precision: Precision) -> LinearMaker:
    """Return what prepares linear maps in a precision; inputs and outputs are in float32."""
    return {"fp32": plain_map, "bf16": _bf16_map, "int8": _int8_map}[precision]


def _bf16_map(weight: Tensor, bias: Tensor | None) -> LinearMap:
    weight = weight.bfloat16()
    bias = None if bias is None else bias.bfloat16()
    return lambda x: F.linear(x.bfloat16(), weight, bias).float()


def _int8_map(weight: Tensor, bias: Tensor | None) -> LinearMap:
    scales = weight.abs().amax(dim=1).clamp_min(1e-12) / 127
    quantised = torch.round(weight / scales.unsqueeze(1)).to(torch.int8)
    zeros = torch.zeros(len(weight), dtype=torch.int64)
    packed = torch.ops.onednn.qlinear_prepack(quantised, None)
    return partial(_int8_linear, packed, scales.float(), zeros, bias)


def _int8_linear(
    packed: Tensor, scales: Tensor, zeros: Tensor, bias: Tensor | None, x: Tensor
) -> Tensor:
    rows = x.flatten(0, -2)
    steps = rows.abs().amax(dim=1, keepdim=True).clamp_min(1e-12) / 127  # one a row
    # Bytes 1..255 around 128: the operator is many times slower with signed activations.
    bytes_ = (rows / steps + 128.5).to(torch.uint8)
    out = torch.ops.onednn.qlinear_pointwise(
        bytes_, 1.0, 128, packed, scales, zeros, None, 1.0, 0, torch.float32, "none", [], ""
    )
    out = out * steps if bias is None else torch.addcmul(bias, out, steps)
    return out.unflatten(0, x.shape[:-1])


@cache
def int8_works() -> bool:
    """Say whether torch's 8-bit linear operator is there and gives the right numbers."""
    try:
        # All at the largest values, where a processor without VNNI would saturate.
        weight, x = torch.ones(4, 512), torch.ones(2, 512)
        weight[1], x[1] = -1, torch.linspace(-1, 1, 512)
        return bool(torch.allclose(_int8_map(weight, None)(x), x @ weight.t(), rtol=0.01, atol=2))
    except (RuntimeError, AttributeError):
        return False
