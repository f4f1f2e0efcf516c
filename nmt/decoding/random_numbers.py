"""Random numbers from counters: each is a hash of what it is for, and of nothing else.

So a sentence draws the same numbers in whatever batch it is, and nobody keeps a generator's state.
"""

import torch
from torch import Tensor

# The finaliser of SplitMix64 (Steele, Lea, Flood 2014): shifts, and factors as signed integers.
ROUNDS = ((30, 0xBF58476D1CE4E5B9 - (1 << 64)), (27, 0x94D049BB133111EB - (1 << 64)))
LAST_SHIFT = 31
STRIDE = 0x9E3779B97F4A7C15 - (1 << 64)  # far from small whole numbers
MANTISSA = 52  # bits that a float64 holds with half a step more


def combine(key: Tensor, *counters: Tensor) -> Tensor:
    """Hash a key and some counters, int64 tensors that broadcast, into new keys."""
    for counter in counters:
        key = _mix(key ^ (counter * STRIDE))
    return key


def gumbel(keys: Tensor) -> Tensor:
    """Return a standard Gumbel-distributed number, in float64, for each key.

    The largest of several scores + Gumbel numbers is that of piece i with probability
    softmax(scores)_i.
    """
    uniform = (_shift(keys, 64 - MANTISSA).double() + 0.5) * 2.0**-MANTISSA
    return -torch.log(-torch.log(uniform))


def _mix(x: Tensor) -> Tensor:
    """Turn each of 2^64 numbers into another, neighbours into strangers."""
    for shift, factor in ROUNDS:
        x = (x ^ _shift(x, shift)) * factor  # products of int64 wrap around
    return x ^ _shift(x, LAST_SHIFT)


def _shift(x: Tensor, bits: int) -> Tensor:
    """Shift to the right and fill with zeros; torch's own shift copies the sign."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)
