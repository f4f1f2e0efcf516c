"""Dropout whose random numbers belong to the caller."""

import torch
from torch import Tensor


class Dropout:
    """Inverted dropout (Srivastava et al. 2014) with a generator of its own.

    Models take one as an argument and hold no randomness themselves, so that a training step is a
    function of its seed. One random byte decides over one element: the rate is rounded to 1/256.
    """

    def __init__(self, rate: float, generator: torch.Generator | None = None) -> None:
        """Drop with probability `rate` in [0, 1), drawing from `generator`."""
        self.threshold = min(round(rate * 256), 255)  # something is always kept
        self.generator = generator

    def __call__(self, x: Tensor) -> Tensor:
        """Return `x` (any shape) with some elements zero and the rest scaled up."""
        if not self.threshold:
            return x
        return x * self._mask(x.shape, x)

    def _mask(self, shape: torch.Size, like: Tensor) -> Tensor:
        count = shape.numel()
        # 64 random bits serve eight elements: drawing is what costs.
        words = torch.empty((count + 7) // 8, dtype=torch.int64, device=like.device)
        words.random_(-(2**63), None, generator=self.generator)
        keep = words.view(torch.uint8)[:count].view(shape) >= self.threshold
        return keep.to(like.dtype).mul_(256 / (256 - self.threshold))


NO_DROPOUT = Dropout(0.0)
