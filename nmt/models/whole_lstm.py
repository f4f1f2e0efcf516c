"""An LSTM over whole sequences, with gradients, out of few and large products.

oneDNN's LSTM, which torch calls on a CPU, adds to the gradient of the weights at every step: for
wide inputs in bfloat16 most of its time goes into reading and writing that gradient. Here the
products with the input, and all gradients of weights, are made for all steps at once; only what
depends on the step before is left in the loop (Appleyard et al. 2016, "Optimizing Performance of
Recurrent Neural Networks on GPUs", section 3.1).
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

# Gradients through a sigmoid and a tanh, given their outputs, in one pass and into a given place.
_through_sigmoid = torch.ops.aten.sigmoid_backward.grad_input
_through_tanh = torch.ops.aten.tanh_backward.grad_input


def whole_lstm(
    x: Tensor,
    first: tuple[Tensor, Tensor],
    weights: tuple[Tensor, Tensor, Tensor],
    sizes: list[int] | None,
    backwards: bool,
) -> Tensor:
    """Run one direction of an LSTM layer.

    Args:
        x: inputs (T, B, I), longest sequence first where `sizes` is given.
        first: the hidden and the cell state before the first step, each (B, H).
        weights: for the input (4H, I), for the hidden state (4H, H), and the bias (4H); the gates
            stand in the order input, forget, candidate, output.
        sizes: how many sequences have a step t; None where all have.
        backwards: whether the last step is the first; then first states must be zero where
            sequences differ in length.

    Returns:
        hidden states (T, B, H), zero after each sequence's end.
    """
    outputs: Tensor = _WholeLSTM.apply(x, *first, *weights, sizes, backwards)
    return outputs


def _steps(x: Tensor, sizes: list[int] | None) -> list[Tensor]:
    """Cut (T, B, ...) into its steps, each without the sequences that have ended."""
    steps = list(x.unbind())
    return steps if sizes is None else [step[:n] for step, n in zip(steps, sizes, strict=True)]


class _WholeLSTM(Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        hidden: Tensor,
        cell: Tensor,
        weight_input: Tensor,
        weight_hidden: Tensor,
        bias: Tensor,
        sizes: list[int] | None,
        backwards: bool,
    ) -> Tensor:
        length, count, _ = x.shape
        make = x.new_empty if sizes is None else x.new_zeros
        gates = F.linear(x, weight_input, bias)  # (T, B, 4H), to be completed in the loop
        # The state before the first step and those after each; a tanh is slow, and needed again.
        hiddens, cells, tanhs = (
            make(size, count, hidden.shape[1]) for size in (length + 1, length + 1, length)
        )
        hiddens[-1 if backwards else 0], cells[-1 if backwards else 0] = hidden, cell
        earlier, later = slice(0, length), slice(1, None)
        before, after = (later, earlier) if backwards else (earlier, later)
        parts = (gates, hiddens[before], cells[before], hiddens[after], cells[after], tanhs)
        steps = list(zip(*(_steps(part, sizes) for part in parts), strict=True))
        for step in reversed(steps) if backwards else steps:
            _forward_step(weight_hidden, *step)
        ctx.save_for_backward(
            x, weight_input, weight_hidden, gates, hiddens[before], cells[before], tanhs
        )
        ctx.sizes, ctx.backwards = sizes, backwards
        return hiddens[after]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight_input, weight_hidden, gates, hiddens, cells, tanhs = ctx.saved_tensors
        sizes = ctx.sizes
        grads = torch.empty_like(gates) if sizes is None else torch.zeros_like(gates)
        grad_cell = torch.zeros_like(cells[0])
        parts = (gates, cells, tanhs, grad, grads)
        steps = list(zip(*(_steps(part, sizes) for part in parts), grads.unbind(), strict=True))
        later = None
        for *step, whole in steps if ctx.backwards else reversed(steps):
            _backward_step(weight_hidden, later, grad_cell, *step)
            later = whole
        flat = grads.flatten(0, 1)
        return (
            (flat @ weight_input).view_as(x),
            later @ weight_hidden if ctx.needs_input_grad[1] else None,
            grad_cell,
            flat.t() @ x.flatten(0, 1),
            flat.t() @ hiddens.flatten(0, 1),
            flat.sum(dim=0),
            None,
            None,
        )


def _forward_step(
    weight_hidden: Tensor,
    gates: Tensor,
    hidden: Tensor,
    cell: Tensor,
    next_hidden: Tensor,
    next_cell: Tensor,
    tanh: Tensor,
) -> None:
    """Complete the gates (b, 4H) of one step, and fill in what follows from them, each (b, H)."""
    gates.addmm_(hidden, weight_hidden.t())
    enter, forget, candidate, leave = gates.chunk(4, dim=1)
    gates[:, : 2 * hidden.shape[1]].sigmoid_()
    candidate.tanh_()
    leave.sigmoid_()
    torch.mul(forget, cell, out=next_cell).addcmul_(enter, candidate)
    torch.tanh(next_cell, out=tanh)
    torch.mul(leave, tanh, out=next_hidden)


def _backward_step(
    weight_hidden: Tensor,
    later: Tensor | None,
    grad_cell: Tensor,
    gates: Tensor,
    cell: Tensor,
    tanh: Tensor,
    grad: Tensor,
    grad_gates: Tensor,
) -> None:
    """Fill in the gradient of one step's gates (b, 4H), and pass on that of its cell.

    Args:
        weight_hidden: (4H, H).
        later: the gradient of the next step's gates (B, 4H), zero for sequences without one.
        grad_cell: the gradient of the cell after this step (B, H); becomes that of the one before.
        gates: after their sigmoids and tanh (b, 4H).
        cell: the cell before this step (b, H).
        tanh: that of the cell after it (b, H).
        grad: the gradient of the step's output (b, H).
        grad_gates: where to write (b, 4H).
    """
    if later is not None:
        grad = torch.addmm(grad, later[: len(grad)], weight_hidden)
    grad_cell = grad_cell[: len(grad)]
    enter, forget, candidate, leave = gates.chunk(4, dim=1)
    for_enter, for_forget, for_candidate, for_leave = grad_gates.chunk(4, dim=1)
    _through_sigmoid(grad * tanh, leave, grad_input=for_leave)
    through = grad * leave
    grad_cell += _through_tanh(through, tanh, grad_input=through)
    _through_sigmoid(grad_cell * candidate, enter, grad_input=for_enter)
    _through_sigmoid(grad_cell * cell, forget, grad_input=for_forget)
    _through_tanh(grad_cell * enter, candidate, grad_input=for_candidate)
    grad_cell *= forget
