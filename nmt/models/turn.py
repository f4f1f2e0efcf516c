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
        # Where each position finds its content, counted through the whole batch (B*T): selecting
        # rows is several times as fast as gathering single numbers, with gradients too.
        self.rows: Tensor | None = None
        if lengths is not None:
            times = torch.arange(steps, device=device)
            ahead = lengths.to(device).unsqueeze(1) - 1 - times
            firsts = steps * torch.arange(len(lengths), device=device).unsqueeze(1)
            self.rows = (firsts + ahead.where(ahead >= 0, times)).flatten()

    def __call__(self, x: Tensor) -> Tensor:
        """Turn x (B, T, I)."""
        if self.rows is None:
            return x.flip(1)
        return x.flatten(0, 1).index_select(0, self.rows).view(x.shape)
