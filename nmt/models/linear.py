"""Linear maps: in whole-sequence training, and prepared once for step-by-step search."""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

# A linear map made ready for search: (..., I) -> (..., O).
LinearMap = Callable[[Tensor], Tensor]
# Makes one from a weight (O, I) and a bias (O) or None, in the precision of its choice.
LinearMaker = Callable[[Tensor, Tensor | None], LinearMap]


class Linear(nn.Linear):
    """A linear layer that computes in the type of its input, whatever the type of its weights.

    The weights stay in float32 while activations are bfloat16: the cast is part of the graph, so
    that gradients arrive in the weights' own type, and no global autocast state is needed.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Map x (..., I) to (..., O)."""
        bias = None if self.bias is None else self.bias.to(x.dtype)
        return F.linear(x, self.weight.to(x.dtype), bias)


def plain_map(weight: Tensor, bias: Tensor | None) -> LinearMap:
    """Make the linear map in the weight's own precision."""
    return lambda x: F.linear(x, weight, bias)
