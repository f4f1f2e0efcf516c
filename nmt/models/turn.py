"""Sentences of different lengths in one batch: where they end, and how to turn them round."""

import torch
from torch import Tensor


def padding_mask(lengths: Tensor | None, size: int, device: torch.device) -> Tensor | None:
    """Return (B, S) booleans, true at padding; None if there is none."""
    if lengths is None:
        return None
    return torch.arange(size, device=device) >= lengths.to(device).unsqueeze(1)


class Turn:
    """Turns each sentence of a batch round, and leaves its padding where it is."""

    def __init__(self, steps: int, lengths: Tensor | None, device: torch.device) -> None:
        """Take the width T of the batch, and the lengths (B,), None if all are T."""
        self.index: Tensor | None = None  # (B, T, 1) where each position finds its content
        if lengths is not None:
            times = torch.arange(steps, device=device)
            ahead = lengths.to(device).unsqueeze(1) - 1 - times
            self.index = ahead.where(ahead >= 0, times).unsqueeze(2)

    def __call__(self, x: Tensor) -> Tensor:
        """Turn x (B, T, I)."""
        return x.flip(1) if self.index is None else x.gather(1, self.index.expand_as(x))
