"""Linear maps: in whole-sequence training, and prepared once for step-by-step search."""

from collections.abc import Callable
from typing import Protocol

import torch.nn.functional as F
from torch import Tensor, nn


class LinearMap(Protocol):
    """A linear map made ready for loops over steps, in search or in training."""

    def __call__(self, x: Tensor, plus: Tensor | None = None) -> Tensor:
        """Map x (..., I) to (..., O), and add it to `plus` (..., O), contiguous, if given.

        Maps made for search add in place; those that learn return a new tensor: always use what
        is returned.
        """


# Makes one from a weight (O, I), a bias (O) or None, and a bound: no input is ever outside
# [-bound, bound]. It is infinite where nothing close is known.
LinearMaker = Callable[[Tensor, Tensor | None, float], LinearMap]


class Linear(nn.Linear):
    """A linear layer that computes in the type of its input, whatever the type of its weights.

    Weights in float32 serve activations in bfloat16: the cast is part of the graph, so that
    gradients arrive in the weights' own type, and no global autocast state is needed. (Training
    rounds all weights once an update instead, and nothing is cast here.)
    """

    def forward(self, x: Tensor) -> Tensor:
        """Map x (..., I) to (..., O)."""
        bias = None if self.bias is None else self.bias.to(x.dtype)
        return F.linear(x, self.weight.to(x.dtype), bias)


def learning_map(weight: Tensor, bias: Tensor | None, bound: float) -> LinearMap:
    """Make a linear map for loops in training: gradients reach the weights, the input, and `plus`.

    Nothing is overwritten.
    """

    def apply(x: Tensor, plus: Tensor | None = None) -> Tensor:
        y = F.linear(x, weight.to(x.dtype), None if bias is None else bias.to(x.dtype))
        return y if plus is None else plus + y

    return apply


def plain_map(weight: Tensor, bias: Tensor | None, bound: float) -> LinearMap:
    """Make the linear map in the weight's own precision."""

    def apply(x: Tensor, plus: Tensor | None = None) -> Tensor:
        y = F.linear(x, weight, bias)
        return y if plus is None else plus.add_(y)

    return apply
