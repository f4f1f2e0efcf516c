"""Translating from a file, or a pipe, or a terminal, to a file or a pipe."""

import contextlib
import logging
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nmt.data.text import BLOCK, COMPRESSED, open_output, read_lines
from nmt.data.vocabulary import UNK
from nmt.decoding.translator import WINDOW_LINES, Translator, windows
from nmt.errors import UsageError
from nmt.progress import Progress

END = object()
LOGGER = logging.getLogger("nmt")
# Text of which this share is unknown to the model, judged by its first lines, is warned of.
STRANGE = 0.2
SAMPLE_LINES = 200
FEWEST_PIECES = 10


@dataclass(frozen=True)
class TranslateOptions:
    """How to read and write."""

    invalid_utf8: str = "replace"  # error, replace, or skip (an empty line)
    stream: bool = False  # translate whatever is waiting at once


@dataclass(frozen=True)
class TranslateReport:
    """What was done."""

    lines: int


def translate_file(
    translator: Translator,
    source: Path | str = "-",
    output: Path | str = "-",
    options: TranslateOptions | None = None,
) -> TranslateReport:
    """Translate every line of `source`, in order, in bounded memory; `-` is standard in and out.

    Raises:
        DataError: the source cannot be read, or is not UTF-8 under `invalid_utf8="error"`.
        UsageError: the output is a folder, or the source itself.
    """
    options = options or TranslateOptions()
    _check_output(Path(source), Path(output))
    total = count_lines(source)
    with (
        read_lines(source, options.invalid_utf8) as lines,
        open_output(output) as out,
        Progress(total, "lines", "Translating") as bar,
    ):
        iterator = iter(lines)
        count = 0
        for window in waiting(iterator) if options.stream else windows(iterator):
            if count == 0:
                warn_of_strange_text(lines.name, translator, window[:SAMPLE_LINES])
            for translation in translator.translate_window(window):
                out.write(translation.text.replace("\n", " ") + "\n")
            out.flush()
            count += len(window)
            bar.advance(len(window))
    return TranslateReport(count)


def _check_output(source: Path, output: Path) -> None:
    if output.is_dir():
        raise UsageError(f"{output}: this is a folder; name a file for the translation")
    if source.exists() and output.exists() and output.samefile(source):
        raise UsageError(f"{output}: the translation would replace its own source; name another")


def warn_of_strange_text(name: str, translator: Translator, lines: list[str]) -> None:
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


def count_lines(source: Path | str) -> int | None:
    """Count the lines of an ordinary file, for the progress bar; None for anything else."""
    path = Path(source)
    if not path.is_file() or path.suffix in COMPRESSED:
        return None
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(BLOCK), b""))


def waiting(lines: Iterator[str]) -> Iterator[list[str]]:
    """Cut a stream of lines into windows of whatever has arrived by now."""
    arrived: queue.Queue[object] = queue.Queue(maxsize=WINDOW_LINES)

    def read() -> None:
        try:
            for line in lines:
                arrived.put(line)
            arrived.put(END)
        except BaseException as error:  # handed over to the thread that translates
            arrived.put(error)

    threading.Thread(target=read, daemon=True).start()
    while True:
        window = [arrived.get()]
        with contextlib.suppress(queue.Empty):
            while len(window) < WINDOW_LINES:
                window.append(arrived.get_nowait())
        texts = [line for line in window if isinstance(line, str)]
        if texts:
            yield texts
        if isinstance(window[-1], BaseException):
            raise window[-1]
        if window[-1] is END:
            return
