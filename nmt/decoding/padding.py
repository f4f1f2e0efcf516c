"""Rows of ids laid into one tensor."""

import torch

from nmt.data.special import EOS, PAD


def pad_rows(ids: list[list[int]]) -> torch.Tensor:
    """Lay rows of ids into one tensor (B, W), padded; W may be 0."""
    width = max(map(len, ids))
    padded = [[*row, *[PAD] * (width - len(row))] for row in ids]
    return torch.tensor(padded, dtype=torch.long).view(len(ids), width)


def pad_sources(ids: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Make ids (B, S) with EOS at each end, and their lengths (B,), longest first as given."""
    return pad_rows([[*row, EOS] for row in ids]), torch.tensor([len(row) + 1 for row in ids])
