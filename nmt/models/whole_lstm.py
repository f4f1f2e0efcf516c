"""An LSTM over whole sequences, with gradients, out of few and large products.

oneDNN's LSTM, which torch calls on a CPU, adds to the gradient of the weights at every step: for
wide inputs in bfloat16 most of its time goes into reading and writing that gradient. Here the
products with the input, and all gradients of weights, are made for all steps at once; only what
depends on the step before is left in the loop (Appleyard et al. 2016, "Optimizing Performance of
Recurrent Neural Networks on GPUs", on a single layer and on the update of weights).
"""

from dataclasses import dataclass
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
) -> tuple[Tensor, Tensor]:
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
        hidden states (T, B, H), zero after each sequence's end, and the last cell states (B, H).
    """
    both: tuple[Tensor, Tensor] = _WholeLSTM.apply(
        x, torch.stack(first), *weights, _Order(sizes, backwards)
    )
    return both


@dataclass(frozen=True)
class _Order:
    """In which order steps come, and how many sequences each one has (None: all)."""

    sizes: list[int] | None
    backwards: bool

    def around(self, length: int) -> tuple[slice, slice]:
        """Where the states before each of `length` steps lie among length + 1, and those after."""
        earlier, later = slice(0, length), slice(1, None)
        return (later, earlier) if self.backwards else (earlier, later)

    def last(self, states: Tensor) -> Tensor:
        """Take from states after each step (T, B, H) that after each sequence's last: (B, H)."""
        if self.backwards:
            return states[0]
        if self.sizes is None:
            return states[-1]
        rows = torch.arange(states.shape[1])
        lengths = (torch.tensor(self.sizes).unsqueeze(1) > rows).sum(dim=0)
        return states[lengths - 1, rows]

    def steps(self, *parts: Tensor) -> list[tuple[Tensor, ...]]:
        """Cut (T, B, ...) into steps in their order, without the sequences that have ended."""
        steps = list(zip(*(self._cut(part) for part in parts), strict=True))
        return steps[::-1] if self.backwards else steps

    def _cut(self, x: Tensor) -> list[Tensor]:
        steps = list(x.unbind())
        if self.sizes is None:
            return steps
        return [step[:n] for step, n in zip(steps, self.sizes, strict=True)]


class _WholeLSTM(Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        first: Tensor,
        weight_input: Tensor,
        weight_hidden: Tensor,
        bias: Tensor,
        order: _Order,
    ) -> tuple[Tensor, Tensor]:
        length, count, _ = x.shape
        make = x.new_empty if order.sizes is None else x.new_zeros
        gates = F.linear(x, weight_input, bias)  # (T, B, 4H), to be completed in the loop
        # The state before the first step and those after each; a tanh is slow, and needed again.
        hiddens, cells, tanhs = (
            make(size, count, first.shape[2]) for size in (length + 1, length + 1, length)
        )
        beginning = -1 if order.backwards else 0
        hiddens[beginning], cells[beginning] = first
        before, after = order.around(length)
        parts = (gates, hiddens[before], cells[before], hiddens[after], cells[after], tanhs)
        for step in order.steps(*parts):
            _forward_step(weight_hidden, *step)
        ctx.save_for_backward(
            x, weight_input, weight_hidden, gates, hiddens[before], cells[before], tanhs
        )
        ctx.order = order
        ctx.set_materialize_grads(False)
        return hiddens[after], order.last(cells[after])

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, grad: Tensor | None, grad_last: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        x, weight_input, weight_hidden, gates, hiddens, cells, tanhs = ctx.saved_tensors
        order: _Order = ctx.order
        grads = torch.empty_like(gates) if order.sizes is None else torch.zeros_like(gates)
        grad = torch.zeros_like(hiddens) if grad is None else grad
        # A sequence that has ended has nothing to pass on but the gradient of its last cell.
        grad_cell = torch.zeros_like(cells[0]) if grad_last is None else grad_last.clone()
        later: Tensor | None = None  # of the gates of the step after this one
        whole = grads.unbind() if order.backwards else grads.unbind()[::-1]
        steps = order.steps(grad, gates, cells, tanhs, grads)[::-1]
        for (grad_hidden, *step), grad_gates in zip(steps, whole, strict=True):
            count = len(grad_hidden)
            if later is not None:
                grad_hidden = torch.addmm(grad_hidden, later[:count], weight_hidden)
            _backward_step(grad_hidden, grad_cell[:count], *step)
            later = grad_gates
        wanted = ctx.needs_input_grad[1]
        flat = grads.flatten(0, 1)
        return (
            (flat @ weight_input).view_as(x),
            torch.stack((whole[-1] @ weight_hidden, grad_cell)) if wanted else None,
            flat.t() @ x.flatten(0, 1),
            flat.t() @ hiddens.flatten(0, 1),
            flat.sum(dim=0),
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
    grad_hidden: Tensor,
    grad_cell: Tensor,
    gates: Tensor,
    cell: Tensor,
    tanh: Tensor,
    grad_gates: Tensor,
) -> None:
    """Fill in the gradient of one step's gates, and pass on that of its cell.

    Args:
        grad_hidden: of the step's hidden state, by all that follows from it (b, H).
        grad_cell: of the cell after this step (b, H); becomes that of the one before.
        gates: after their sigmoids and tanh (b, 4H).
        cell: the cell before this step (b, H).
        tanh: that of the cell after it (b, H).
        grad_gates: where to write (b, 4H).
    """
    enter, forget, candidate, leave = gates.chunk(4, dim=1)
    for_enter, for_forget, for_candidate, for_leave = grad_gates.chunk(4, dim=1)
    _through_sigmoid(grad_hidden * tanh, leave, grad_input=for_leave)
    through = grad_hidden * leave
    grad_cell += _through_tanh(through, tanh, grad_input=through)
    _through_sigmoid(grad_cell * candidate, enter, grad_input=for_enter)
    _through_sigmoid(grad_cell * cell, forget, grad_input=for_forget)
    _through_tanh(grad_cell * enter, candidate, grad_input=for_candidate)
    grad_cell *= forget
