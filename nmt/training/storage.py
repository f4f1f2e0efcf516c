"""Where a run's numbers lie: weights, Adam's averages and gradients, each in one flat stretch.

Several processes can work on the same numbers: they lie in a file without a name that each maps.
"""

import mmap
import os
import tempfile
from collections.abc import Iterator

import torch
from torch import Tensor, nn


class Storage:
    """The numbers of a run, W workers wide.

    Attributes:
        weights: (P,), which the model's parameters are views of.
        exp_avg, exp_avg_sq: (P,), Adam's averages of the gradients and of their squares.
        gradients: (W, P), a row for each worker; the first row takes the sum.
        file: the descriptor of the shared file; None where nothing is shared.
    """

    def __init__(self, model: nn.Module, workers: int = 1, file: int | None = None) -> None:
        """Move the parameters of `model` into storage of their own.

        Args:
            model: its parameters become views of `weights`.
            workers: W. What more than one share is on the CPU.
            file: the descriptor of another process's storage; the model takes over its weights,
                and the descriptor is closed.
        """
        parameters = list(model.parameters())
        count = sum(parameter.numel() for parameter in parameters)
        like, self.file = parameters[0], file
        shape = (3 + workers, count)
        if workers == 1:
            space = torch.zeros(shape, dtype=like.dtype, device=like.device)
        else:
            size = shape[0] * shape[1] * like.element_size()
            shared = _anonymous_file(size) if file is None else file
            space = torch.frombuffer(mmap.mmap(shared, size), dtype=like.dtype).view(shape)
            self.file = shared
        self.weights, self.exp_avg, self.exp_avg_sq = space[0], space[1], space[2]
        self.gradients = space[3:]
        with torch.no_grad():
            for parameter, view in zip(parameters, self.views(self.weights, model), strict=True):
                if file is None:
                    view.copy_(parameter)
                parameter.data = view
        if file is not None:
            self.close_file()

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
