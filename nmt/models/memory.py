"""What the decoder knows of the sources."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Memory:
    """What the decoder knows of the sources; kept per sentence, never per beam."""

    values: Tensor  # (B, S, H)
    keys: Tensor  # (B, ...) what the attention makes of a source before any question
    padding: Tensor | None  # (B, S), true at padding

    def exact(self) -> "Memory":
        """Return the same in float32, or better if it is.

        Attention computes so; loops have the cast, and sums of gradients, before them.
        """
        return replace(self, values=exact(self.values), keys=exact(self.keys))

    def select(self, sentences: Tensor) -> "Memory":
        """Keep some of the sentences, by index."""
        padding = None if self.padding is None else self.padding[sentences]
        return replace(
            self, values=self.values[sentences], keys=self.keys[sentences], padding=padding
        )


def exact(x: Tensor) -> Tensor:
    """Return bfloat16 as float32, and anything else as it is.

    Scores of attention grow to tens, where bfloat16 has steps of an eighth, and a softmax over
    them would be wrong by as much; gates lose around a half. Both are under one percent of a
    model's products.
    """
    return x.float() if x.dtype == torch.bfloat16 else x
