"""How likely a model finds given translations: files of pairs, or what `translate` wrote as JSON.

A pair's score is the natural logarithm of the probability of its target, end included, given its
source. What is empty is translated as nothing: an empty pair has log-probability 0, and a target
of an empty source minus infinity. So has a pair too long for the memory.
"""

import json
import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from nmt.data.special import UNK
from nmt.data.text import (
    LONGEST_LINE,
    LONGEST_TRANSLATION,
    LineReader,
    count_lines,
    open_output,
    read_lines,
)
from nmt.data.vocabulary import Vocabulary
from nmt.decoding.forced import ForcedDecoder, Pair
from nmt.decoding.model_folder import load_model
from nmt.decoding.outputs import check_outputs
from nmt.decoding.windows import windows
from nmt.errors import DataError, UsageError
from nmt.hardware import choose_device
from nmt.progress import Progress

LOGGER = logging.getLogger("nmt")
# The translations of a line, the best one first: each a pair for each part of the line.
Translations = list[list[Pair]]
IMPOSSIBLE = -math.inf
LONGEST_JSON = 16 * LONGEST_TRANSLATION  # bytes: with every piece, and attention to each


@dataclass(frozen=True)
class Texts:
    """What to score: two files, line by line, or one of JSON lines."""

    source: Path | str | None = None
    target: Path | str | None = None
    hypotheses: Path | str | None = None  # what `nmt translate --format json` wrote

    def __post_init__(self) -> None:
        pair = self.source is not None and self.target is not None
        alone = self.source is None and self.target is None
        if not (pair if self.hypotheses is None else alone):
            raise UsageError("give --source F and --target F, or --hypotheses F alone")
        if str(self.source) == str(self.target) == "-":
            raise UsageError("only one of the files can be - (standard input)")

    @property
    def files(self) -> list[Path | str]:
        """The files that are read."""
        every = (self.source, self.target, self.hypotheses)
        return [file for file in every if file is not None]


@dataclass(frozen=True)
class ScoreOptions:
    """How to read and write."""

    device: str = "auto"
    json: bool = False  # an object a line: line, log_probability, pieces
    pieces: bool = False  # in JSON, the log-probability of each piece too
    invalid_utf8: str = "error"

    def __post_init__(self) -> None:
        if self.pieces and not self.json:
            raise UsageError("--pieces are written as JSON only: add --json")


@dataclass(frozen=True)
class ScoreReport:
    """What was done."""

    lines: int
    too_long: int  # pairs that have no score


@dataclass(frozen=True)
class _Score:
    """One translation's score: of its parts, in order."""

    log_probability: float
    pieces: list[float]  # log-probabilities, each part's end included


def score_file(
    model: Path | str, texts: Texts, output: Path | str = "-", options: ScoreOptions | None = None
) -> ScoreReport:
    """Write the log-probability of each line's translation, in order, in float32.

    Args:
        model: a model folder.
        texts: what to score. Of plain text, the pieces are those that the model's vocabulary cuts
            it into, which may differ from those that a translation was made of.
        output: a file; `-` is standard output.
        options: how to read and write.

    Raises:
        FolderError: no model folder, or a damaged one.
        DataError: files that cannot be read, with a line too long for the memory, of different
            lengths, or no JSON lines of this model.
        UsageError: the output is a folder, or one of the texts.
    """
    options = options or ScoreOptions()
    check_outputs(texts.files, [output])
    loaded = load_model(Path(model))
    force = ForcedDecoder(loaded.model.to(choose_device(options.device)))
    vocabularies = (loaded.source_vocabulary, loaded.target_vocabulary)
    read = _read_pairs if texts.hypotheses is None else _read_hypotheses
    done, too_long = 0, 0
    total = count_lines(texts.files[0])
    with open_output(output) as out, Progress(total, "lines", "Scoring") as bar:
        for lines in read(texts, options.invalid_utf8, vocabularies):
            every = [translation for line in lines for translation in line]
            too_long += sum(not pair.fits for pairs in every for pair in pairs)
            scores = _scores(force, every)
            for number, line in enumerate(lines, start=done + 1):
                out.write(_write(number, [next(scores) for _ in line], options))
            out.flush()
            done += len(lines)
            bar.advance(len(lines))
    if too_long:
        LOGGER.warning(f"{too_long:,} pairs are too long to be scored; they have -inf")
    return ScoreReport(done, too_long)


def _scores(force: ForcedDecoder, translations: Translations) -> Iterator[_Score]:
    """Score translations, each of some pairs whose log-probabilities are added up."""
    usable = [pair for pairs in translations for pair in pairs if pair.source and pair.fits]
    found = iter(force.log_probabilities(usable))
    for pairs in translations:
        pieces: list[float] = []
        total = 0.0
        for pair in pairs:
            if pair.source and pair.fits:
                each = next(found)
                pieces += each.tolist()
                total += float(each.sum(dtype="float64"))
            elif pair.target or not pair.fits:
                total = IMPOSSIBLE
        yield _Score(total, pieces)


def _write(number: int, scores: list[_Score], options: ScoreOptions) -> str:
    """Return what is written of a line: the score of its best translation, then of the others."""
    if not options.json:
        return "\t".join(f"{score.log_probability:.6f}" for score in scores) + "\n"
    best, *others = (_as_json(score, options) for score in scores)
    value = {"line": number, **best, **({"others": others} if others else {})}
    return json.dumps(value) + "\n"


def _as_json(score: _Score, options: ScoreOptions) -> dict[str, Any]:
    known = score.log_probability > IMPOSSIBLE
    value: dict[str, Any] = {
        "log_probability": round(score.log_probability, 6) if known else None,
        "pieces": len(score.pieces),
    }
    if options.pieces:
        value["log_probabilities"] = [round(piece, 6) for piece in score.pieces]
    return value


def _read_pairs(
    texts: Texts, invalid_utf8: str, vocabularies: tuple[Vocabulary, Vocabulary]
) -> Iterator[list[Translations]]:
    """Read two files, in windows of lines of one translation each."""
    assert texts.source is not None
    assert texts.target is not None
    with (
        read_lines(texts.source, invalid_utf8, "source", LONGEST_LINE) as sources,
        read_lines(texts.target, invalid_utf8, "target", LONGEST_TRANSLATION) as targets,
    ):
        # No line holds a line end: joined by one, a window bounds both sides together.
        for window in windows(f"{s}\n{t}" for s, t in _together(sources, targets)):
            sides = zip(*(joined.split("\n") for joined in window), strict=True)
            encoded = [
                vocabulary.encode(list(side))
                for vocabulary, side in zip(vocabularies, sides, strict=True)
            ]
            yield [[[Pair(*ids)]] for ids in zip(*encoded, strict=True)]


def _together(sources: LineReader, targets: LineReader) -> Iterator[tuple[str, str]]:
    for source, target in zip_longest(sources, targets):
        if source is None or target is None:
            short, long = (sources, targets) if source is None else (targets, sources)
            raise DataError(
                f"{short.name} has {short.lines:,} lines and {long.name} has more; line N of one "
                "has to be the translation of line N of the other"
            )
        yield source, target


def _read_hypotheses(
    texts: Texts, invalid_utf8: str, vocabularies: tuple[Vocabulary, Vocabulary]
) -> Iterator[list[Translations]]:
    """Read JSON lines, in windows."""
    assert texts.hypotheses is not None
    with read_lines(texts.hypotheses, invalid_utf8, "hypotheses", LONGEST_JSON) as lines:
        number = 0
        for window in windows(lines):
            found = []
            for line in window:
                number += 1
                found.append(_translations(line, f"{lines.name}: line {number:,}", vocabularies))
            yield found


def _translations(
    line: str, where: str, vocabularies: tuple[Vocabulary, Vocabulary]
) -> Translations:
    try:
        value = json.loads(line)
        every = [_pieces(each["parts"]) for each in (value, *value.get("others", ()))]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise DataError(
            f"{where} is no JSON object with parts; make the file with nmt translate --format json"
        ) from None
    return [
        [
            Pair(_ids(source, vocabularies[0], where), _ids(target, vocabularies[1], where))
            for source, target in sides
        ]
        for sides in every
    ]


def _pieces(parts: Any) -> list[tuple[list[str], list[str]]]:
    """Return the pieces of the source and of the translation, for each part.

    Raises:
        KeyError, TypeError: they are not there, or no lists of texts.
        UnicodeEncodeError: half a character stands among them.
    """
    sides = [(part["source_pieces"], part["pieces"]) for part in parts]
    for pieces in (side for both in sides for side in both):
        if not isinstance(pieces, list) or not all(isinstance(piece, str) for piece in pieces):
            raise TypeError
        "".join(pieces).encode()
    return sides


def _ids(pieces: Sequence[str], vocabulary: Vocabulary, where: str) -> list[int]:
    ids = [vocabulary.id(piece) for piece in pieces]
    unknown = vocabulary.pieces([UNK])[0]
    for piece, found in zip(pieces, ids, strict=True):
        if found == UNK and piece != unknown:
            raise DataError(
                f"{where} has the piece '{piece}', which is not in this model's vocabulary; give "
                "the model that made the file"
            )
    return ids
