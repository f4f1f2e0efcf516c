"""Everything that is known of a translation, as one JSON object a line."""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmt.data.vocabulary import Vocabulary
from nmt.decoding.translation import Part, Translation
from nmt.decoding.writers.writer import Line, Writer


class JsonWriter(Writer):
    """Writes objects with `line`, `source`, `text`, `score`, `log_probability`, `parts`, `others`.

    A part is what was translated at once: the whole line, or a segment of a long one. It has
    `source_pieces` and `pieces` (without the end of the sentence), `score`, `log_probability`
    and, if asked for, `attention`: a row for each piece and one for the end, with a column for
    each source piece and one for the end. `others` are the next best translations.
    """

    def __init__(self, source: Vocabulary, target: Vocabulary, attention: bool) -> None:
        """Write pieces of these vocabularies, with attention or without."""
        self.source, self.target, self.attention = source, target, attention

    def wants_attention(self, number: int) -> bool:
        """Say whether attention was asked for."""
        return self.attention

    def write(self, line: Line) -> str:
        """Return one object."""
        translations = [line.translation, *line.translation.others]
        asked = line.attention if self.attention else []  # another writer may have asked
        attention = asked or [[] for _ in translations]
        best, *others = map(self._translation, translations, attention)
        value = {"line": line.number, "source": line.source, **best}
        if others:
            value["others"] = others
        return json.dumps(value, ensure_ascii=False) + "\n"

    def _translation(
        self, translation: Translation, attention: list[NDArray[np.float32]]
    ) -> dict[str, Any]:
        parts = [self._part(part) for part in translation.parts]
        for part, weights in zip(parts, attention, strict=False):
            part["attention"] = weights.astype(float).round(5).tolist()
        return {
            "text": translation.text,
            "score": round(translation.score, 6),
            "log_probability": round(translation.log_probability, 6),
            "parts": parts,
        }

    def _part(self, part: Part) -> dict[str, Any]:
        hypothesis = part.hypothesis
        return {
            "source_pieces": self.source.pieces(part.source_ids),
            "pieces": self.target.pieces(hypothesis.ids),
            "score": round(hypothesis.score, 6),
            "log_probability": round(hypothesis.log_probability, 6),
        }
