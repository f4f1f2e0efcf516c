"""Translator: lines of text in, translations out, in order, with bounded memory."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nmt.data.special import EOS, UNK
from nmt.decoding.beam import BeamSearch
from nmt.decoding.ensemble import EnsembleScorer, check_alike
from nmt.decoding.forced import ForcedDecoder, Pair
from nmt.decoding.greedy import GreedySearch
from nmt.decoding.model_folder import LoadedModel, load_model
from nmt.decoding.options import SearchOptions
from nmt.decoding.padding import pad_rows, pad_sources
from nmt.decoding.precision import choose_precision
from nmt.decoding.sampling import SamplingSearch
from nmt.decoding.scorer import ModelScorer, Scorer
from nmt.decoding.search import Given, Hypothesis, Search
from nmt.decoding.segments import Segment, split_line
from nmt.decoding.translation import Part, Translation
from nmt.decoding.windows import windows
from nmt.errors import SettingError
from nmt.evaluation.languages import special_language
from nmt.hardware import choose_device

# Padded source pieces of a batch, so that long sentences come in smaller batches.
BATCH_TOKENS = 4096
# Hypotheses of a batch: each has a score for every piece of the vocabulary.
BATCH_HYPOTHESES = 4096
SEARCHES: dict[str, Callable[[Scorer, SearchOptions], Search]] = {
    "beam": BeamSearch,
    "greedy": GreedySearch,
    "sampling": SamplingSearch,
}


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
        ensemble: Sequence[LoadedModel] = (),
        precision: str = "auto",
        device: str = "auto",
        batch_size: int = 64,
    ) -> None:
        """Prepare a loaded model, or several; see `load`."""
        self.loaded = loaded
        self.options = options or SearchOptions()
        self.device = choose_device(device)
        self.precision = choose_precision(precision, self.device)
        if batch_size < 1:
            raise SettingError(f"the batch size must be 1 or more, not {batch_size}")
        self.batch_size = batch_size
        models = [loaded, *ensemble]
        check_alike(models)
        # Whether it is known where a source was looked at when a piece was written.
        self.looks = any(each.model.decoder.looks for each in models)
        if self.options.coverage_penalty and not self.looks:
            raise SettingError(without_attention("--coverage-penalty", loaded))
        scorers = [ModelScorer(each.model.to(self.device), self.precision) for each in models]
        self.scorer: Scorer[Any] = EnsembleScorer(scorers) if ensemble else scorers[0]
        self.search = SEARCHES[self.options.strategy](self.scorer, self.options)
        self.spaced = _has_spaces(self.target_language)
        self.source_spaced = _has_spaces(self.source_language)
        # A little room over what was seen in training; a longer line is split.
        seen = min(each.description.longest_source for each in models)
        self.longest = max(50, int(1.2 * seen))

    @classmethod
    def load(
        cls,
        folder: Path | str,
        options: SearchOptions | None = None,
        *,
        ensemble: Sequence[Path | str] = (),
        precision: str = "auto",
        device: str = "auto",
        batch_size: int = 64,
    ) -> "Translator":
        """Open a model folder, or several that decide together.

        Args:
            folder: what `nmt train -o` wrote.
            options: how to search; None is a beam of 5.
            ensemble: more model folders, whose probabilities are averaged with the first one's.
            precision: auto, fp32, bf16 or int8; auto is int8 or fp32 on a CPU.
            device: auto, cpu or cuda.
            batch_size: sentences translated together; it changes the speed, not the result.

        Raises:
            FolderError: no model folder, or a damaged one; or models with different pieces.
            SettingError: a device or precision that is not to be had here, or an option that
                needs attention for a model without.
        """
        first, *others = (load_model(Path(each)) for each in (folder, *ensemble))
        return cls(
            first,
            options,
            ensemble=others,
            precision=precision,
            device=device,
            batch_size=batch_size,
        )

    @property
    def source_language(self) -> str | None:
        """The language it reads."""
        return self.loaded.description.source.language

    @property
    def target_language(self) -> str | None:
        """The language it writes."""
        return self.loaded.description.target.language

    def translate(
        self, lines: Iterable[str], prefixes: Sequence[str] | None = None
    ) -> list[Translation]:
        """Translate lines: N in, N out, in order. An empty line gives an empty line.

        Args:
            lines: the lines.
            prefixes: what each translation has to begin with; an empty text leaves it free.

        Raises:
            TypeError: one string instead of several.
            ValueError: not as many prefixes as lines.
        """
        if isinstance(lines, str):
            raise TypeError("translate() wants a list of lines: translate([line])[0]")
        lines = list(lines)
        if prefixes is not None and len(prefixes) != len(lines):
            raise ValueError(f"{len(lines)} lines, but {len(prefixes)} prefixes")
        return list(self.stream(lines, prefixes))

    def stream(
        self, lines: Iterable[str], prefixes: Sequence[str] | None = None
    ) -> Iterator[Translation]:
        """Translate lines as they come, a window at a time, in bounded memory."""
        done = 0
        for window in windows(lines):
            given = None if prefixes is None else prefixes[done : done + len(window)]
            yield from self.translate_window(window, done, given)
            done += len(window)

    def translate_window(
        self, lines: Sequence[str], first: int = 0, prefixes: Sequence[str] | None = None
    ) -> list[Translation]:
        """Translate some lines together: split what is too long, sort, search, put together.

        Args:
            lines: the lines.
            first: the number of the first of them, from which sampling makes random numbers.
            prefixes: what each translation has to begin with; an empty text leaves it free. It
                belongs to the first part of a line that is split.
        """
        begin = list(prefixes) if prefixes is not None else [""] * len(lines)
        units = self._units(list(lines), begin, first)
        found: list[list[_Found]] = [[] for _ in lines]
        for unit, hypotheses in zip(units, self._search_all(units), strict=True):
            found[unit.line - first].append(_Found(unit, hypotheses))
        return [
            self._put_together(parts) if parts else Translation(prefix.strip(), 0.0)
            for parts, prefix in zip(found, begin, strict=True)
        ]

    def _put_together(self, found: list["_Found"]) -> Translation:
        """Join the best hypotheses of a line's parts, their second best, and so on."""
        ranks = max(len(each.hypotheses) for each in found)
        # A part that has fewer than another goes on with its last.
        best, *others = (
            self._join([each.part(min(rank, len(each.hypotheses) - 1)) for each in found])
            for rank in range(ranks)
        )
        return replace(best, others=others)

    def _join(self, parts: list[Part]) -> Translation:
        text = ""
        for part in parts:
            # A source without spaces does not tell where one is wanted: between its sentences.
            wanted = part.segment.spaced or not self.source_spaced
            space = " " if text and wanted and self.spaced else ""
            text += space + self._text(part)
        return Translation(text, sum(part.hypothesis.score for part in parts), parts)

    def _units(self, lines: list[str], prefixes: list[str], first: int) -> list["_Unit"]:
        """Cut lines into what is translated at once: nothing, a whole line, or its segments."""
        encode = self.loaded.source_vocabulary.encode
        units = []
        for number, (line, ids) in enumerate(zip(lines, encode(lines), strict=True)):
            segments, parts = [Segment(line, False)], [ids]
            if len(ids) > self.longest:
                segments = split_line(line, self.longest, self._count)
                parts = encode([segment.text for segment in segments])
            pairs = [pair for pair in zip(segments, parts, strict=True) if pair[1]]
            units += [
                _Unit(first + number, at, *pair, "" if at else prefixes[number])
                for at, pair in enumerate(pairs)
            ]
        return units

    def _count(self, texts: list[str]) -> list[int]:
        return [len(ids) for ids in self.loaded.source_vocabulary.encode(texts)]

    def _search_all(self, units: list["_Unit"]) -> list[list[Hypothesis]]:
        """Search for the best hypotheses of each unit, in batches of like length."""
        found: dict[int, list[Hypothesis]] = {}
        order = sorted(range(len(units)), key=lambda number: -len(units[number].ids))
        most = min(self.batch_size, max(1, BATCH_HYPOTHESES // self.options.width))
        start = 0
        while start < len(order):
            room = max(1, BATCH_TOKENS // (len(units[order[start]].ids) + 1))
            rows = order[start : start + min(room, most)]
            batch = [units[row] for row in rows]
            source, lengths = pad_sources([unit.ids for unit in batch])
            hypotheses = self.search(source.to(self.device), lengths, self._given(batch))
            found |= zip(rows, hypotheses, strict=True)
            start += len(rows)
        return [found[number] for number in range(len(units))]

    def _given(self, batch: list["_Unit"]) -> Given | None:
        """Gather what search has to know besides the sources, if anything."""
        forced = any(unit.prefix for unit in batch)
        if not forced and not self.options.sample:
            return None
        encode = self.loaded.target_vocabulary.encode
        prefixes = encode([unit.prefix for unit in batch]) if forced else [[] for _ in batch]
        places = torch.tensor([[unit.line, unit.part] for unit in batch])
        return Given(pad_rows(prefixes).to(self.device), places.to(self.device))

    def _text(self, part: Part) -> str:
        vocabulary, ids = self.loaded.target_vocabulary, part.hypothesis.ids
        if UNK not in ids:
            return vocabulary.decode([ids])[0]
        return vocabulary.join([self.pieces(part)])[0]

    def pieces(self, part: Part) -> list[str]:
        """Return a part's pieces; an unknown one is the source text that was attended to.

        Where nothing was attended to, unknown pieces are the source's unknown text, in its order.
        """
        vocabulary, hypothesis = self.loaded.target_vocabulary, part.hypothesis
        surfaces = self.loaded.source_vocabulary.surfaces(part.segment.text)
        unknown = [at for at, piece in enumerate(part.source_ids) if piece == UNK]
        pieces = vocabulary.pieces(hypothesis.ids)
        given = vocabulary.surfaces(part.prefix)
        for at, position in enumerate(hypothesis.attended):
            if hypothesis.ids[at] == UNK and at < len(given):
                pieces[at] = vocabulary.as_piece(given, at)
            elif hypothesis.ids[at] == UNK:
                # What the source vocabulary cannot express either is most likely what is meant.
                other = position if self.looks else None
                near = min(unknown, key=lambda place: abs(place - position), default=other)
                if near is None:  # it stays unknown
                    continue
                unknown = [place for place in unknown if place != near]
                pieces[at] = vocabulary.as_piece(surfaces, near) if near < len(surfaces) else ""
        return pieces

    def attention(self, line: str) -> list[AttentionMap]:
        """Translate a line and return where the decoder looked: a map for each part of it.

        Raises:
            SettingError: the model, of an ensemble the first, has no attention.
        """
        if not self.loaded.model.decoder.looks:
            raise SettingError(without_attention("attention", self.loaded))
        parts = self.translate([line])[0].parts
        return [
            AttentionMap(
                self.loaded.source_vocabulary.pieces([*part.source_ids, EOS]),
                self.loaded.target_vocabulary.pieces([*part.hypothesis.ids, EOS]),
                weights,
            )
            for part, weights in zip(parts, self.attended(parts), strict=True)
        ]

    def attended(self, parts: Sequence[Part]) -> list[NDArray[np.float32]]:
        """Return where the model, the first of an ensemble, looked: (T, S), EOS included, each."""
        pairs = [Pair(part.source_ids, part.hypothesis.ids) for part in parts]
        return ForcedDecoder(self.loaded.model).attention(pairs)


def _has_spaces(language: str | None) -> bool:
    """Say whether words stand apart in a language; Korean is special to BLEU, but has spaces."""
    return special_language(language) in (None, "ko")


def without_attention(what: str, loaded: LoadedModel) -> str:
    """Say that something is not to be had of a model that has no attention."""
    folder, kind = loaded.target_vocabulary.path.parent, loaded.description.model.attention
    return (
        f"{what}: the model {folder} has no attention (model.attention={kind}), so that nothing is "
        "known of where it looked; leave that out, or choose a model with attention"
    )


@dataclass(frozen=True)
class _Unit:
    """What is translated at once."""

    line: int  # the number of the line it belongs to
    part: int  # its place in that line
    segment: Segment
    ids: list[int]
    prefix: str  # what its translation begins with


@dataclass(frozen=True)
class _Found:
    """A unit and its hypotheses, best first."""

    unit: _Unit
    hypotheses: list[Hypothesis]

    def part(self, rank: int) -> Part:
        unit = self.unit
        return Part(unit.segment, unit.ids, self.hypotheses[rank], unit.prefix)
