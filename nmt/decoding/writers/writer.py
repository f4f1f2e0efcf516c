"""What all writers see and do."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmt.decoding.translation import Translation


@dataclass(frozen=True)
class Line:
    """A line and what became of it.

    Attributes:
        number: of the line in its source, from 1.
        source: its text.
        translation: the best translation, with the next best ones.
        attention: for the best and each of the others, the attention of each part
            (T, S), EOS included on both sides; empty where no writer wants it.
    """

    number: int
    source: str
    translation: Translation
    attention: Sequence[list[NDArray[np.float32]]] = ()


class Writer(ABC):
    """Makes something of each line's translation."""

    @abstractmethod
    def write(self, line: Line) -> str:
        """Return what is written for a line, line end included."""

    def wants_attention(self, number: int) -> bool:
        """Say whether line `number` has to come with its attention."""
        return False


def one_line(text: str) -> str:
    """Return text without line ends."""
    return text.replace("\n", " ")
