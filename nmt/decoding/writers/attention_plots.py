"""Pictures of attention, for the first lines."""

from pathlib import Path

from nmt.data.special import EOS
from nmt.data.vocabulary import Vocabulary
from nmt.decoding.writers.writer import Line, Writer
from nmt.evaluation.plots import attention_heatmap


class AttentionPlots(Writer):
    """Draws where the decoder looked: FOLDER/LINE.png, or LINE-PART.png where a line was split."""

    def __init__(self, source: Vocabulary, target: Vocabulary, folder: Path, lines: int) -> None:
        """Draw the first `lines` lines into a folder, which is made."""
        self.source, self.target, self.folder, self.lines = source, target, folder, lines

    def wants_attention(self, number: int) -> bool:
        """Only what is drawn has to be known."""
        return number <= self.lines

    def write(self, line: Line) -> str:
        """Draw a line; nothing is written."""
        if not self.wants_attention(line.number):
            return ""
        self.folder.mkdir(parents=True, exist_ok=True)
        parts = line.translation.parts
        for number, (part, weights) in enumerate(
            zip(parts, line.attention[0], strict=True), start=1
        ):
            name = f"{line.number:06}" + (f"-{number}" if len(parts) > 1 else "")
            attention_heatmap(
                weights,
                self.source.pieces([*part.source_ids, EOS]),
                self.target.pieces([*part.hypothesis.ids, EOS]),
                self.folder / f"{name}.png",
            )
        return ""
