"""Decides, from the hashes of the sentences alone, which pairs repeat and which are held out.

The hashes lie in a flat file: P rows of two unsigned 64-bit numbers, source and target. All passes
over it go by chunks, so that memory stays small for any number of pairs (one byte a pair, for the
verdict).
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

KEEP, IS_DUPLICATE, IS_HELD_OUT, IS_OVERLAP = 0, 1, 2, 3
MOST_HELD_OUT = 1000
SHARE_HELD_OUT = 20  # one pair in so many
CANDIDATES = 4  # for each place in the held-out set
CHUNK = 1 << 18  # pairs
HASH_BYTES = 8

Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class _Candidates:
    """Pairs that may be held out: their keys, positions and hashes, K rows each."""

    keys: Hashes
    positions: NDArray[np.int64]
    hashes: Hashes


def hash_line(line: str) -> bytes:
    """Return 8 bytes that tell this sentence from others, whatever the space around it."""
    return hashlib.blake2b(line.strip().encode(), digest_size=HASH_BYTES).digest()


def find_duplicates(hashes: Hashes, verdicts: NDArray[np.uint8]) -> None:
    """Mark each pair that came before, so that the first of its kind stays.

    Args:
        hashes: (P, 2), on disk.
        verdicts: (P,), changed in place.
    """
    # Pairs with the same key fall into the same part; each part fits into memory.
    parts = 1 + len(hashes) // (4 * CHUNK)
    for part in range(parts):
        keys, positions = [], []
        for start in range(0, len(hashes), CHUNK):
            chunk = _keys(hashes[start : start + CHUNK], seed=0)
            mine = np.flatnonzero(chunk % np.uint64(parts) == part)
            keys.append(chunk[mine])
            positions.append(mine + start)
        where = np.concatenate(positions)
        _, firsts = np.unique(np.concatenate(keys), return_index=True)
        verdicts[np.delete(where, firsts)] = IS_DUPLICATE


def hold_out(hashes: Hashes, verdicts: NDArray[np.uint8], seed: int) -> None:
    """Mark the pairs to hold out, and each other pair that shares a sentence with one of them.

    The choice depends on the sentences and the seed, not on their order. Of several candidates,
    those come first whose sentences are rare, so that few other pairs have to go.

    Args:
        hashes: (P, 2), on disk.
        verdicts: (P,), changed in place; only pairs marked KEEP are considered.
        seed: another seed, other pairs.
    """
    wanted = min(MOST_HELD_OUT, max(1, int((verdicts == KEEP).sum()) // SHARE_HELD_OUT))
    candidates = _candidates(hashes, verdicts, seed, CANDIDATES * wanted)
    if len(candidates.keys) < CANDIDATES * wanted:  # these are all the different pairs there are
        wanted = max(1, len(candidates.keys) // SHARE_HELD_OUT)
    frequency = _occurrences(hashes, candidates.hashes)
    chosen = np.lexsort((candidates.keys, frequency))[:wanted]
    sentences = np.unique(candidates.hashes[chosen])
    for start in range(0, len(hashes), CHUNK):
        shared = np.isin(hashes[start : start + CHUNK], sentences).any(axis=1)
        part = verdicts[start : start + CHUNK]
        part[shared & (part == KEEP)] = IS_OVERLAP
    verdicts[candidates.positions[chosen]] = IS_HELD_OUT


def _candidates(hashes: Hashes, verdicts: NDArray[np.uint8], seed: int, wanted: int) -> _Candidates:
    """Return the pairs with the smallest keys, each pair once."""
    keys, positions = np.empty(0, np.uint64), np.empty(0, np.int64)
    for start in range(0, len(hashes), CHUNK):
        mine = np.flatnonzero(verdicts[start : start + CHUNK] == KEEP)
        chunk = _keys(hashes[start : start + CHUNK][mine], seed)
        keys, firsts = np.unique(np.concatenate([keys, chunk]), return_index=True)
        positions = np.concatenate([positions, mine + start])[firsts]
        keys, positions = keys[:wanted], positions[:wanted]
    return _Candidates(keys, positions, np.asarray(hashes[positions]))


def _occurrences(hashes: Hashes, candidates: Hashes) -> NDArray[np.int64]:
    """Count how often the two sentences of each candidate occur in the corpus; (K,)."""
    sentences = np.unique(candidates)
    counts = np.zeros(len(sentences), np.int64)
    for start in range(0, len(hashes), CHUNK):
        chunk = hashes[start : start + CHUNK].ravel()
        found = np.searchsorted(sentences, chunk[np.isin(chunk, sentences)])
        counts += np.bincount(found, minlength=len(sentences))
    return counts[np.searchsorted(sentences, candidates)].sum(axis=1)


def _keys(hashes: Hashes, seed: int) -> Hashes:
    """Mix the two hashes of each pair and the seed into one number, by splitmix64."""
    with np.errstate(over="ignore"):
        mixed = hashes[:, 0] * np.uint64(3) + hashes[:, 1]
        mixed = mixed + np.uint64((seed * 0x9E3779B97F4A7C15) % 2**64)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))
