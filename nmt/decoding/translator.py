"""Translator: lines of text in, translations out, in order, with bounded memory."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from nmt.data.vocabulary import BOS, EOS, PAD, UNK
from nmt.decoding.beam import BeamSearch
from nmt.decoding.greedy import GreedySearch
from nmt.decoding.model_folder import LoadedModel, load_model
from nmt.decoding.precision import choose_precision
from nmt.decoding.scorer import ModelScorer
from nmt.decoding.search import Hypothesis, SearchOptions
from nmt.decoding.segments import Segment, split_line
from nmt.errors import SettingError
from nmt.evaluation.languages import special_language
from nmt.hardware import choose_device

WINDOW_LINES = 4096  # lines that are sorted by length and translated together
WINDOW_CHARACTERS = 1 << 20
SPACE = "\u2581"  # how pieces write a space
# Padded source pieces of a batch, so that long sentences come in smaller batches.
BATCH_TOKENS = 4096


@dataclass(frozen=True)
class Translation:
    """One line's translation."""

    text: str
    score: float  # log-probability over the length penalty, summed where a line was split


@dataclass(frozen=True)
class AttentionMap:
    """Where the decoder looked."""

    source_pieces: list[str]  # S, EOS included
    target_pieces: list[str]  # T, EOS included
    weights: NDArray[np.float32]  # (T, S), rows sum to 1


class Translator:
    """A model, ready to translate."""

    def __init__(
        self,
        loaded: LoadedModel,
        options: SearchOptions | None = None,
        *,
        precision: str = "auto",
        device: str = "auto",
        batch_size: int = 64,
    ) -> None:
        """Prepare a loaded model; see `load`."""
        self.loaded = loaded
        self.options = options or SearchOptions()
        self.device = choose_device(device)
        self.precision = choose_precision(precision, self.device)
        if batch_size < 1:
            raise SettingError(f"the batch size must be 1 or more, not {batch_size}")
        self.batch_size = batch_size
        self.scorer = ModelScorer(loaded.model.to(self.device), self.precision)
        greedy = self.options.beam_size == 1
        self.search = (GreedySearch if greedy else BeamSearch)(self.scorer, self.options)
        # Korean is special to BLEU, but it has spaces.
        self.spaced = special_language(self.target_language) in (None, "ko")
        # A little room over what was seen in training; a longer line is split.
        self.longest = max(50, int(1.2 * loaded.description.longest_source))

    @classmethod
    def load(
        cls,
        folder: Path | str,
        *,
        beam_size: int = 5,
        length_penalty: float = 1.0,
        precision: str = "auto",
        device: str = "auto",
        batch_size: int = 64,
    ) -> "Translator":
        """Open a model folder.

        Args:
            folder: what `nmt train -o` wrote.
            beam_size: hypotheses kept at each step; 1 is greedy search.
            length_penalty: alpha of Wu et al. 2016; 0 is none, larger favours longer translations.
            precision: auto, fp32, bf16 or int8; auto is int8 or fp32 on a CPU.
            device: auto, cpu or cuda.
            batch_size: sentences translated together; it changes the speed, not the result.

        Raises:
            FolderError: no model folder, or a damaged one.
            SettingError: a device or precision that is not to be had here.
        """
        options = SearchOptions(beam_size=beam_size, length_penalty=length_penalty)
        loaded = load_model(Path(folder))
        return cls(loaded, options, precision=precision, device=device, batch_size=batch_size)

    @property
    def source_language(self) -> str | None:
        """The language it reads."""
        return self.loaded.description.source.language

    @property
    def target_language(self) -> str | None:
        """The language it writes."""
        return self.loaded.description.target.language

    def translate(self, lines: Iterable[str]) -> list[Translation]:
        """Translate lines: N in, N out, in order. An empty line gives an empty line.

        Raises:
            TypeError: one string instead of several.
        """
        if isinstance(lines, str):
            raise TypeError("translate() wants a list of lines: translate([line])[0]")
        return list(self.stream(lines))

    def stream(self, lines: Iterable[str]) -> Iterator[Translation]:
        """Translate lines as they come, a window at a time, in bounded memory."""
        for window in windows(lines):
            yield from self.translate_window(window)

    def translate_window(self, lines: Sequence[str]) -> list[Translation]:
        """Translate some lines together: split what is too long, sort, search, put together."""
        units = self._units(list(lines))
        texts, scores = [""] * len(lines), [0.0] * len(lines)
        for unit, hypothesis in zip(units, self._search_all(units), strict=True):
            text = self._text(hypothesis, unit)
            space = " " if unit.segment.spaced and self.spaced else ""
            texts[unit.line] += space + text if texts[unit.line] else text
            scores[unit.line] += hypothesis.score
        return [Translation(text, score) for text, score in zip(texts, scores, strict=True)]

    def _units(self, lines: list[str]) -> list["_Unit"]:
        """Cut lines into what is translated at once: nothing, a whole line, or its segments."""
        encode = self.loaded.source_vocabulary.encode
        units = []
        for number, (line, ids) in enumerate(zip(lines, encode(lines), strict=True)):
            if len(ids) <= self.longest:
                units.append(_Unit(number, Segment(line, False), ids))
                continue
            segments = split_line(line, self.longest, self._count)
            parts = encode([segment.text for segment in segments])
            units += [
                _Unit(number, segment, part) for segment, part in zip(segments, parts, strict=True)
            ]
        return [unit for unit in units if unit.ids]

    def _count(self, texts: list[str]) -> list[int]:
        return [len(ids) for ids in self.loaded.source_vocabulary.encode(texts)]

    def _search_all(self, units: list["_Unit"]) -> list[Hypothesis]:
        """Search for the best hypothesis of each unit, in batches of like length."""
        best: dict[int, Hypothesis] = {}
        order = sorted(range(len(units)), key=lambda number: -len(units[number].ids))
        start = 0
        while start < len(order):
            room = max(1, BATCH_TOKENS // (len(units[order[start]].ids) + 1))
            rows = order[start : start + min(room, self.batch_size)]
            source, lengths = pad_sources([units[row].ids for row in rows])
            found = self.search(source.to(self.device), lengths)
            best |= {row: hypotheses[0] for row, hypotheses in zip(rows, found, strict=True)}
            start += len(rows)
        return [best[number] for number in range(len(units))]

    def _text(self, hypothesis: Hypothesis, unit: "_Unit") -> str:
        """Turn pieces into text; an unknown piece becomes the source text that was attended to."""
        vocabulary = self.loaded.target_vocabulary
        if UNK not in hypothesis.ids:
            return vocabulary.decode([hypothesis.ids])[0]
        surfaces = self.loaded.source_vocabulary.surfaces(unit.segment.text)
        unknown = [at for at, piece in enumerate(unit.ids) if piece == UNK]
        pieces = vocabulary.pieces(hypothesis.ids)
        for at, position in enumerate(hypothesis.attended):
            if hypothesis.ids[at] == UNK:
                # What the source vocabulary cannot express either is most likely what is meant.
                near = min(unknown, key=lambda other: abs(other - position), default=position)
                unknown = [other for other in unknown if other != near]
                pieces[at] = _as_piece(surfaces[near]) if near < len(surfaces) else ""
        return vocabulary.join([pieces])[0]

    def attention(self, line: str) -> AttentionMap:
        """Translate one line and return where the decoder looked for each piece."""
        ids = self.loaded.source_vocabulary.encode([line])
        source, _ = pad_sources(ids)
        source = source.to(self.device)
        target = [*self.search(source, None)[0][0].ids, EOS]
        state = self.scorer.start(source, None)
        weights = []
        for token in [BOS, *target[:-1]]:
            scores, state = self.scorer.step(state, torch.tensor([[token]], device=self.device))
            weights.append(scores.attention[0, 0].float().cpu().numpy())
        pieces = self.loaded.source_vocabulary.pieces([*ids[0], EOS])
        return AttentionMap(pieces, self.loaded.target_vocabulary.pieces(target), np.stack(weights))


def _as_piece(text: str) -> str:
    """Write source text as a piece: a space before it is kept, those after it belong to no word."""
    return (SPACE if text[:1].isspace() else "") + text.strip()


@dataclass(frozen=True)
class _Unit:
    """What is translated at once."""

    line: int  # the number of the line it belongs to
    segment: Segment
    ids: list[int]


def pad_sources(ids: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Make ids (B, S) with EOS at each end, and their lengths (B,), longest first as given."""
    lengths = torch.tensor([len(row) + 1 for row in ids])
    width = int(lengths.max())
    return torch.tensor([[*row, EOS, *[PAD] * (width - len(row) - 1)] for row in ids]), lengths


def windows(lines: Iterable[str]) -> Iterator[list[str]]:
    """Cut a stream of lines into windows of bounded length and size."""
    iterator = iter(lines)
    while window := list(islice(iterator, 1)):
        size = len(window[0])
        while len(window) < WINDOW_LINES and size < WINDOW_CHARACTERS:
            line = next(iterator, None)
            if line is None:
                break
            window.append(line)
            size += len(line)
        yield window
