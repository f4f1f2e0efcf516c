"""A desk: where windows of lines become what is written of them."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from nmt.data.special import UNK
from nmt.decoding.prefixes import split_prefixes
from nmt.decoding.translation import Translation
from nmt.decoding.translator import Translator, without_attention
from nmt.decoding.windows import Window
from nmt.decoding.writers.alignments import AlignmentWriter
from nmt.decoding.writers.attention_plots import AttentionPlots
from nmt.decoding.writers.json_lines import JsonWriter
from nmt.decoding.writers.nbest import NBestWriter
from nmt.decoding.writers.options import WriterOptions
from nmt.decoding.writers.text import TextWriter
from nmt.decoding.writers.writer import Line, Writer
from nmt.errors import SettingError

LOGGER = logging.getLogger("nmt")
# Text of which this share is unknown to the model, judged by its first lines, is warned of.
STRANGE = 0.2
SAMPLE_LINES = 200
FEWEST_PIECES = 10
# Lines whose attention is in memory together.
TOGETHER = 256


class Desk:
    """A translator with its writers."""

    def __init__(
        self, translator: Translator, options: WriterOptions, source: str, prefixes: bool = False
    ) -> None:
        """Translate and write lines of `source`, which messages tell by that name.

        With `prefixes`, a tab in a line is followed by what its translation begins with.

        Raises:
            SettingError: an option shows attention, and the model has none.
        """
        _check_attention(translator, options)
        self.translator, self.source, self.prefixes = translator, source, prefixes
        self.writers = _writers(translator, options)  # one for each output
        self.plots = _plots(translator, options)

    def __call__(self, window: Window) -> list[str]:
        """Return what is written of a window, for each output."""
        prefixes = None
        if self.prefixes:
            given = split_prefixes(window.lines, window.done, self.source)
            window, prefixes = replace(window, lines=given.sources), given.prefixes
        if window.done == 0:
            _warn_of_strange_text(self.source, self.translator, window.lines[:SAMPLE_LINES])
        translations = self.translator.translate_window(window.lines, window.done, prefixes)
        texts: list[list[str]] = [[] for _ in self.writers]
        for line in self._lines(window, translations):
            for text, writer in zip(texts, self.writers, strict=True):
                text.append(writer.write(line))
            for plots in self.plots:
                plots.write(line)
        return ["".join(text) for text in texts]

    def _lines(self, window: Window, translations: list[Translation]) -> Iterator[Line]:
        lines = [
            Line(number, *pair)
            for number, pair in enumerate(
                zip(window.lines, translations, strict=True), start=window.done + 1
            )
        ]
        for start in range(0, len(lines), TOGETHER):
            yield from self._attended(lines[start : start + TOGETHER])

    def _attended(self, lines: Sequence[Line]) -> Iterator[Line]:
        """Give lines their attention where a writer wants it."""
        everyone = [*self.writers, *self.plots]
        wanted = [any(writer.wants_attention(line.number) for writer in everyone) for line in lines]
        translations = [
            translation
            for line, wants in zip(lines, wanted, strict=True)
            for translation in (line.translation, *line.translation.others)
            if wants
        ]
        parts = [part for translation in translations for part in translation.parts]
        found = iter(self.translator.attended(parts))
        for line, wants in zip(lines, wanted, strict=True):
            if not wants:
                yield line
                continue
            attention = [
                [next(found) for _ in translation.parts]
                for translation in (line.translation, *line.translation.others)
            ]
            yield Line(line.number, line.source, line.translation, attention)


def _check_attention(translator: Translator, options: WriterOptions) -> None:
    if translator.loaded.model.decoder.looks:
        return
    for name in ("attention", "alignments", "attention_plots"):
        if getattr(options, name):
            option = f"--{name.replace('_', '-')}"
            raise SettingError(without_attention(option, translator.loaded))


def _writers(translator: Translator, options: WriterOptions) -> list[Writer]:
    source, target = translator.loaded.source_vocabulary, translator.loaded.target_vocabulary
    formats: dict[str, Writer] = {
        "text": TextWriter(),
        "nbest": NBestWriter(),
        "json": JsonWriter(source, target, options.attention),
    }
    return [formats[options.format], *([AlignmentWriter(translator)] if options.alignments else [])]


def _plots(translator: Translator, options: WriterOptions) -> list[Writer]:
    if options.attention_plots is None:
        return []
    source, target = translator.loaded.source_vocabulary, translator.loaded.target_vocabulary
    folder = Path(options.attention_plots)
    return [AttentionPlots(source, target, folder, options.plotted_lines)]


def _warn_of_strange_text(name: str, translator: Translator, lines: list[str]) -> None:
    """Warn of text that the model can hardly be meant for, in another script for example."""
    pieces = [piece for ids in translator.loaded.source_vocabulary.encode(lines) for piece in ids]
    unknown = sum(piece == UNK for piece in pieces)
    if len(pieces) >= FEWEST_PIECES and unknown > STRANGE * len(pieces):
        language = translator.source_language
        reads = f", which reads {language}" if language else ""
        LOGGER.warning(
            f"{name}: {unknown / len(pieces):.0%} of the text is unknown to this model{reads}; is "
            "it the right file, and the right model?"
        )
