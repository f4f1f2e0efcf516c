"""Word alignments, as attention has them."""

from collections.abc import Sequence

import numpy as np

from nmt.decoding.translation import Part, Translation
from nmt.decoding.translator import Translator
from nmt.decoding.writers.writer import Line, Writer


class AlignmentWriter(Writer):
    """Writes a line of `source-target` pairs of words (`0-0 1-2`, counted from 0) for each line.

    A word is what stands between spaces in the lines themselves. Each word of the translation is
    paired with the source word that has most attention: the weights are summed over the pieces of
    both words. Ends of sentences, and pieces of spaces alone, belong to no word. Of a line that
    was split, each part is aligned by itself, and words are counted in the whole line.
    """

    def __init__(self, translator: Translator) -> None:
        """Align what this translator makes."""
        self.translator = translator
        self.source = translator.loaded.source_vocabulary
        self.target = translator.loaded.target_vocabulary

    def wants_attention(self, number: int) -> bool:
        """Alignments come from attention."""
        return True

    def write(self, line: Line) -> str:
        """Return the pairs of a line, by target word."""
        sources = self._source_words(line)
        targets = self._target_words(line.translation)
        weights: dict[int, dict[int, float]] = {}
        maps = line.attention[0] if line.attention else []
        for rows, columns, attention in zip(targets, sources, maps, strict=True):
            for row, word in _pairs(rows):
                sums = weights.setdefault(word, {})
                for column, source in _pairs(columns):
                    sums[source] = sums.get(source, 0.0) + float(attention[row, column])
        links = [
            (max(sums, key=lambda source: (sums[source], -source)), word)
            for word, sums in sorted(weights.items())
            if sums
        ]
        return " ".join(f"{source}-{word}" for source, word in links) + "\n"

    def _source_words(self, line: Line) -> list[list[int | None]]:
        """Return, for each part, the word of the line that each source piece belongs to."""
        letters, words = _letters(line.source)
        found, start = [], 0
        for part in line.translation.parts:
            # A part's spaces may differ from the line's: only letters are looked for.
            start = max(start, letters.find(_letters(part.segment.text)[0], start))
            surfaces = self.source.surfaces(part.segment.text)
            sizes = [len(_letters(surface)[0]) for surface in surfaces]
            found.append(_words_of(sizes, words, start))
            start += sum(sizes)
        return found

    def _target_words(self, translation: Translation) -> list[list[int | None]]:
        """Return, for each part, the word of the translation that each piece belongs to."""
        _, words = _letters(translation.text)
        found, start = [], 0
        for part in translation.parts:
            sizes = self._target_sizes(part)
            found.append(_words_of(sizes, words, start))
            start += sum(sizes)
        return found

    def _target_sizes(self, part: Part) -> list[int]:
        """Return how many letters each piece adds to the text."""
        pieces = self.translator.pieces(part)
        begun = self.target.join([pieces[: end + 1] for end in range(len(pieces))])
        lengths = [len(_letters(text)[0]) for text in begun]
        return np.diff([0, *lengths]).tolist()


def _letters(text: str) -> tuple[str, list[int]]:
    """Return what is no space in a text, and the number of the word that each letter is in."""
    words = text.split()
    return "".join(words), [number for number, word in enumerate(words) for _ in word]


def _words_of(sizes: Sequence[int], words: Sequence[int], start: int) -> list[int | None]:
    """Return the word of each piece's first letter; None for a piece that has no letter."""
    found: list[int | None] = []
    for size in sizes:
        found.append(words[start] if size > 0 and start < len(words) else None)
        start += size
    return found


def _pairs(words: Sequence[int | None]) -> list[tuple[int, int]]:
    """Return (position, word) of the pieces that belong to a word."""
    return [(position, word) for position, word in enumerate(words) if word is not None]
