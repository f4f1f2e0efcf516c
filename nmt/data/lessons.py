"""Extra training pairs from which a model learns to copy what its vocabulary cannot express.

A name in another script or an emoji is an unknown piece, and the decoder should write an unknown
piece in its place, looking at it, so that translation can put the source text there. Training text
alone hardly teaches that: its vocabulary was made to express it. So some pairs in which a word
stands on both sides (a name, a number) come a second time with that word hidden on both.
"""

import re
from collections import Counter
from collections.abc import Iterator

from nmt.data.pairs import Pair

# A noncharacter, which no writing has. Should a text have it, no vocabulary learns it (`unhidden`).
HIDDEN = "\ufdd0"
WORD = re.compile(r"[^\W_]{3,}")
MOST = 0.03  # lessons for each pair of the corpus


def lesson(pair: Pair) -> Pair | None:
    """Hide the longest word that stands once on both sides; None if there is no such word."""
    source, target = (Counter(WORD.findall(text)) for text in pair)
    shared = [word for word in source if source[word] == 1 == target[word]]
    if not shared:
        return None
    word = re.compile(rf"(?<![^\W_]){re.escape(max(shared, key=len))}(?![^\W_])")
    return word.sub(HIDDEN, pair[0]), word.sub(HIDDEN, pair[1])


def unhidden(pair: Pair) -> Pair:
    """Return a pair without HIDDEN: what a vocabulary may be made from."""
    return pair[0].replace(HIDDEN, ""), pair[1].replace(HIDDEN, "")


class Teacher:
    """Makes lessons from a stream of pairs, at most MOST for each pair."""

    def __init__(self) -> None:
        self.pairs = self.lessons = 0

    def lessons_of(self, batch: list[Pair]) -> Iterator[Pair]:
        """Yield the lessons in some pairs, in their order."""
        for pair in batch:
            self.pairs += 1
            made = lesson(pair) if self.lessons + 1 <= MOST * self.pairs else None
            if made is not None:
                self.lessons += 1
                yield made
