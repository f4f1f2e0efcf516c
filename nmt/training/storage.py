"""Where a run's numbers lie: weights, Adam's averages and gradients, each in one flat stretch.

Several processes can work on the same numbers: they lie in a file without a name that each maps.
"""

import copy
import mmap
import os
import tempfile
from collections.abc import Iterator
from typing import TypeVar

import torch
from torch import Tensor, nn

M = TypeVar("M", bound=nn.Module)


class Storage:
    """The numbers of a run, W workers wide.

    Attributes:
        weights: (P,), which the model's parameters are views of.
        exp_avg, exp_avg_sq: (P,), Adam's averages of the gradients and of their squares.
        rounded: (P,), the weights in the type that products are made in; `weights` itself where
            that is their own.
        gradients: (W, P), each worker's own, in the type of `rounded`.
        gradient: (P,), their sum.
        file: the descriptor of the shared file; None where nothing is shared.
    """

    def __init__(
        self,
        model: nn.Module,
        workers: int = 1,
        file: int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Move the parameters of `model` into storage of their own.

        Args:
            model: its parameters become views of `weights`.
            workers: W. What more than one share is on the CPU.
            file: the descriptor of another process's storage; the model takes over its weights,
                and the descriptor is closed.
            dtype: the type of products; None is that of the weights.
        """
        self.file = file
        parameters = list(model.parameters())
        kind, count = parameters[0].dtype, sum(parameter.numel() for parameter in parameters)
        low = dtype or kind
        parts = [(kind, 4), (low, workers), (low, int(low != kind))]
        spaces = self._spaces(parts, count, workers, parameters[0].device)
        self.weights, self.exp_avg, self.exp_avg_sq, self.gradient = spaces[0]
        self.gradients = spaces[1]
        self.rounded = spaces[2][0] if len(spaces[2]) else self.weights
        with torch.no_grad():
            for parameter, view in zip(parameters, self.views(self.weights, model), strict=True):
                if file is None:
                    view.copy_(parameter)
                parameter.data = view
        if file is None:
            self.round()
        else:
            self.close_file()

    def _spaces(
        self, parts: list[tuple[torch.dtype, int]], count: int, workers: int, device: torch.device
    ) -> list[Tensor]:
        """Make room for so many rows of `count` numbers of each type, shared if need be."""
        sizes = [rows * count * dtype.itemsize for dtype, rows in parts]
        if workers == 1:
            space = torch.zeros(sum(sizes), dtype=torch.uint8, device=device)
        else:
            self.file = _anonymous_file(sum(sizes)) if self.file is None else self.file
            space = torch.frombuffer(mmap.mmap(self.file, sum(sizes)), dtype=torch.uint8)
        return [
            piece.view(dtype).view(rows, count)
            for piece, (dtype, rows) in zip(space.split(sizes), parts, strict=True)
        ]

    @torch.no_grad()
    def round(self, part: slice = slice(None)) -> None:
        """Bring `rounded`, or a part of it, up to date with the weights."""
        if self.rounded is not self.weights:
            self.rounded[part].copy_(self.weights[part])

    def rounded_copy(self, model: M) -> M:
        """Return `model` with parameters that are views of `rounded`."""
        if self.rounded is self.weights:
            return model
        twin = copy.deepcopy(model)
        for parameter, view in zip(twin.parameters(), self.views(self.rounded, model), strict=True):
            parameter.data = view
        return twin

    def close_file(self) -> None:
        """Close the descriptor, once nobody else needs it; the numbers stay."""
        if self.file is not None:
            os.close(self.file)
            self.file = None

    @staticmethod
    def views(flat: Tensor, model: nn.Module) -> Iterator[Tensor]:
        """Cut a flat tensor (P,) into the shapes of the model's parameters, in their order."""
        start = 0
        for parameter in model.parameters():
            yield flat[start : start + parameter.numel()].view_as(parameter)
            start += parameter.numel()


def _anonymous_file(size: int) -> int:
    """Make a file without a name, which goes when the last process that has it ends."""
    if hasattr(os, "memfd_create"):
        file = os.memfd_create("nmt")
    else:
        with tempfile.TemporaryFile() as named:
            file = os.dup(named.fileno())
    os.truncate(file, size)
    return file
