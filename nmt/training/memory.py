"""Where a run's numbers lie: weights, Adam's averages and gradients, each in one flat stretch.

Several processes can work on the same memory: it is an anonymous file that each of them maps.
"""

import mmap
import os
import tempfile
from collections.abc import Iterator

import torch
from torch import Tensor, nn


class Memory:
    """The numbers of a run, W workers wide.

    Attributes:
        weights: (P,), which the model's parameters are views of.
        exp_avg, exp_avg_sq: (P,), Adam's averages of the gradients and of their squares.
        gradients: (W, P), a row for each worker; the first row takes the sum.
    """

    def __init__(self, model: nn.Module, workers: int = 1, file: int | None = None) -> None:
        """Move the parameters of `model` into memory of their own.

        Args:
            model: its parameters become views of `weights`.
            workers: W. More than one share memory, which is on the CPU.
            file: the descriptor of another process's memory; the model takes over its weights.
        """
        parameters = list(model.parameters())
        count = sum(parameter.numel() for parameter in parameters)
        like, self.file = parameters[0], file
        shape = (3 + workers, count)
        if workers == 1:
            space = torch.zeros(shape, dtype=like.dtype, device=like.device)
        else:
            size = shape[0] * shape[1] * like.element_size()
            if file is None:
                self.file = _anonymous_file(size)
            mapped = mmap.mmap(self.file or 0, size)
            space = torch.frombuffer(mapped, dtype=like.dtype).view(shape)
        self.weights, self.exp_avg, self.exp_avg_sq = space[0], space[1], space[2]
        self.gradients = space[3:]
        with torch.no_grad():
            for parameter, view in zip(parameters, self.views(self.weights, model), strict=True):
                if file is None:
                    view.copy_(parameter)
                parameter.data = view

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
