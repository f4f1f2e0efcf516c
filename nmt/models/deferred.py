"""Linear maps for loops over time in training: gradients of weights are made once for all steps.

Autograd would multiply for the gradient of a weight at every step, and read and write the whole of
it each time to add up, rounded every time. Here steps note what they multiplied, and one product of
all of it follows (Appleyard et al. 2016, "Optimizing Performance of Recurrent Neural Networks on
GPUs", on the update of weights).
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from nmt.models.linear import LinearMap

# What steps of the backward pass have noted: inputs (N, I), and gradients of the outputs (N, O).
Notes = list[tuple[Tensor, Tensor]]


def deferred_map(weight: Tensor, bias: Tensor | None, bound: float) -> LinearMap:
    """Make a linear map that learns, for many steps, and computes in the type of its input."""
    notes: Notes = []
    weight, bias = _Parameters.apply(weight, bias, notes)

    def apply(x: Tensor, plus: Tensor | None = None) -> Tensor:
        y: Tensor = _Product.apply(x, plus, weight, bias, notes)
        return y

    return apply


class _Parameters(Function):
    """Hands a weight and a bias on; its backward pass comes after those of all steps."""

    @staticmethod
    def forward(
        ctx: Any, weight: Tensor, bias: Tensor | None, notes: Notes
    ) -> tuple[Tensor, Tensor | None]:
        ctx.set_materialize_grads(False)  # the steps give none
        ctx.notes, ctx.has_bias = notes, bias is not None
        ctx.kind = weight.dtype
        return weight.view_as(weight), None if bias is None else bias.view_as(bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *nothing: None) -> tuple[Tensor | None, ...]:
        inputs, grads = (torch.cat(parts) for parts in zip(*ctx.notes, strict=True))
        ctx.notes.clear()
        for_bias = grads.sum(dim=0).to(ctx.kind) if ctx.has_bias else None
        return (grads.t() @ inputs).to(ctx.kind), for_bias, None


class _Product(Function):
    """W x + b + plus, of one step."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, plus: Tensor | None, weight: Tensor, bias: Tensor | None, notes: Notes
    ) -> Tensor:
        weight = weight.to(x.dtype)
        ctx.save_for_backward(x, weight)
        ctx.notes = notes
        y = x.new_empty(*x.shape[:-1], len(weight))
        rows, out = x.flatten(0, -2), y.flatten(0, -2)
        if plus is not None:
            torch.addmm(plus.flatten(0, -2), rows, weight.t(), out=out)
        else:
            torch.mm(rows, weight.t(), out=out)
        return y if bias is None else y.add_(bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        if ctx.needs_input_grad[2]:
            ctx.notes.append((x.flatten(0, -2), grad.flatten(0, -2)))
        for_plus = grad if ctx.needs_input_grad[1] else None
        return grad @ weight, for_plus, None, None, None
