"""Splits of a corpus, made of lists."""

import itertools
from collections.abc import Sequence

import numpy as np

from nmt.data.corpus import Side, Split
from nmt.data.special import EOS


def side_of(sentences: Sequence[Sequence[int]]) -> Side:
    """Sentences as a side; an EOS at the end is left out, as corpora do."""
    bare = [list(ids[:-1]) if ids and ids[-1] == EOS else list(ids) for ids in sentences]
    flat = np.array(list(itertools.chain.from_iterable(bare)), dtype=np.uint16)
    return Side(flat, np.cumsum([0, *map(len, bare)]).astype(np.int64))


def split_of(sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]) -> Split:
    """Sentence pairs as a split."""
    return Split(side_of(sources), side_of(targets))
