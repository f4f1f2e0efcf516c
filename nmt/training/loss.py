"""Label-smoothed cross-entropy that never keeps the logits of a whole batch.

A batch's logits (N, V) are the largest tensor of training by far. They are made a few rows at a
time, turned into their own gradient in place, and multiplied back at once, all in the forward
pass; so that memory does not grow with the batch, and nothing is copied to float.
"""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

# Rows come in multiples of this, because a product of a new size has to be compiled first.
ROWS = 64
# Logits that exist at once. On a CPU: few enough to stay in the cache, and to stay far below the
# 32 MB above which malloc takes fresh pages from the system for every tensor.
CHUNK = {"cpu": 3_000_000, "cuda": 256_000_000}


def smoothed_cross_entropy(
    readouts: Tensor, weight: Tensor, bias: Tensor, labels: Tensor, smoothing: float
) -> Tensor:
    """Sum of -sum_v q(v) log p(v) over tokens, where q = (1 - s) one-hot + s / V.

    Szegedy et al. 2016, "Rethinking the Inception Architecture", section 7.

    Args:
        readouts: what the output layer sees, one row a token (N, E); no padding among them.
        weight: the output layer (V, E); it is cast to the read-outs' type.
        bias: its bias (V).
        labels: the right pieces (N).
        smoothing: s, in [0, 1).

    Returns:
        a float32 scalar (float64 for float64 read-outs), to be divided by N.
    """
    total: Tensor = _SmoothedCrossEntropy.apply(readouts, weight, bias, labels, smoothing)
    return total


def cross_entropy(readouts: Tensor, weight: Tensor, bias: Tensor, labels: Tensor) -> Tensor:
    """Sum of -log p(label) over tokens, without gradients, logits in float32 or better."""
    kind = torch.promote_types(readouts.dtype, torch.float32)
    total = readouts.new_zeros((), dtype=kind)
    for rows, wanted in _chunks(readouts, labels, len(weight)):
        logits = F.linear(rows.to(kind), weight.to(kind), bias.to(kind))
        total += F.cross_entropy(logits, wanted, reduction="sum")
    return total


def _chunks(readouts: Tensor, labels: Tensor, pieces: int) -> list[tuple[Tensor, Tensor]]:
    limit = CHUNK.get(readouts.device.type, CHUNK["cpu"]) // pieces
    size = max(1, limit // ROWS) * ROWS
    return list(zip(readouts.split(size), labels.split(size), strict=True))


class _SmoothedCrossEntropy(Function):
    @staticmethod
    def forward(
        ctx: Any, readouts: Tensor, weight: Tensor, bias: Tensor, labels: Tensor, smoothing: float
    ) -> Tensor:
        kind = torch.promote_types(readouts.dtype, torch.float32)
        matrix, offset = weight.to(readouts.dtype), bias.to(readouts.dtype)
        # The smoothed part of q is the same for every piece, so that what it adds to the loss and
        # to the gradients follows from averages, without a pass over the logits.
        # (Not mean(), which in bfloat16 makes a float copy of the whole matrix first.)
        average_weight = matrix.sum(dim=0).to(kind) / len(weight)
        average_bias = bias.mean().to(kind)
        share = smoothing / len(weight)
        grad_rows, grad_weight = [], torch.zeros_like(matrix)
        grad_bias = torch.zeros_like(bias)
        total = readouts.new_zeros((), dtype=kind)
        for rows, wanted in _chunks(readouts, labels, len(weight)):
            count, padding = len(wanted), -len(wanted) % ROWS
            rows = F.pad(rows, (0, 0, 0, padding))
            index = F.pad(wanted, (0, padding)).unsqueeze(1)
            logits = torch.addmm(offset, rows, matrix.t())  # (n, V)
            right = logits.gather(1, index).to(kind)
            gradient = torch.softmax(logits, dim=1)
            # log p = logit - log-normaliser, and the normaliser follows from any p. One too small
            # for its type counts as the smallest, so that the loss stays a number; and no
            # normaliser is below that of equal logits, so that it stays positive.
            likely = gradient.gather(1, index).to(kind).clamp_min(torch.finfo(kind).tiny)
            mean_logit = rows.to(kind) @ average_weight + average_bias
            normaliser = torch.maximum(
                right - likely.log(), mean_logit.unsqueeze(1) + math.log(len(weight))
            )
            total += (normaliser - (1 - smoothing) * right)[:count].sum()
            # Not scatter_add_: on a CPU that copies the whole of it, twice.
            gradient[torch.arange(len(index), device=index.device), index[:, 0]] -= 1 - smoothing
            gradient[count:] = 0
            shift = (-smoothing * average_weight).to(rows.dtype)
            grad_rows.append(torch.addmm(shift, gradient, matrix)[:count])
            grad_weight.addmm_(gradient.t(), rows)
            grad_bias += gradient.sum(dim=0)
        all_rows = readouts.sum(dim=0, dtype=kind)
        total -= smoothing * (all_rows.dot(average_weight) + len(readouts) * average_bias)
        grad_weight -= (share * all_rows).to(grad_weight.dtype)
        grad_bias -= share * len(readouts)
        ctx.save_for_backward(torch.cat(grad_rows), grad_weight, grad_bias)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_total: Tensor) -> Any:
        readouts, weight, bias = ctx.saved_tensors
        scale = grad_total.to(readouts.dtype)
        return readouts * scale, weight * grad_total, bias * grad_total, None, None
