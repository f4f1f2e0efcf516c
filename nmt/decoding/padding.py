"""Rows of ids laid into one tensor."""

import torch

from nmt.data.special import PAD


def pad_rows(ids: list[list[int]]) -> torch.Tensor:
    """Lay rows of ids into one tensor (B, W), padded; W may be 0."""
    width = max(map(len, ids))
    padded = [[*row, *[PAD] * (width - len(row))] for row in ids]
    return torch.tensor(padded, dtype=torch.long).view(len(ids), width)
