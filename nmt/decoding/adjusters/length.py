"""Length penalties: what log-probabilities are divided by before hypotheses are compared.

Without one, short translations win: every piece costs something. This file needs no torch.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from nmt.errors import SettingError

if TYPE_CHECKING:
    from torch import Tensor

    # From lengths, EOS included, to what log-probabilities are divided by. It never falls with
    # the length: early stopping relies on that.
    LengthPenalty = Callable[[Tensor], Tensor]


def gnmt(alpha: float) -> "LengthPenalty":
    """Return the penalty of Wu et al. 2016, equation 14: ((5 + length) / 6) ** alpha."""
    return lambda length: ((5 + length) / 6) ** alpha


# Its powers of lengths are numbers of float32; what people use is at most 2.
MOST = 6

NAMED: dict[str, "LengthPenalty"] = {
    "none": gnmt(0.0),
    "average": lambda length: length,  # what is compared is the mean log-probability of a piece
}


def length_penalty(choice: float | str) -> "LengthPenalty":
    """Return the penalty with a name, or GNMT's with an alpha.

    Raises:
        SettingError: an unknown name, or an alpha that is negative or too large.
    """
    if isinstance(choice, str):
        if choice not in NAMED:
            raise SettingError(
                f"the length penalty must be a number or one of {', '.join(NAMED)}, not {choice}"
            )
        return NAMED[choice]
    if not 0 <= choice < math.inf:
        raise SettingError(f"the length penalty must be 0 or more, not {choice}")
    if choice > MOST:
        raise SettingError(f"the length penalty must be at most {MOST}, not {choice}")
    return gnmt(choice)
