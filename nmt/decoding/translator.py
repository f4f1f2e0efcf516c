"""Translator: lines of text in, translations out, in order, with bounded memory."""

import logging
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
from nmt.hardware import choose_device

log = logging.getLogger("nmt")

WINDOW_LINES = 4096  # lines that are sorted by length and translated together
WINDOW_CHARACTERS = 1 << 20
UNSPACED = {"zh", "ja", "th", "lo", "km", "my", "bo"}  # languages that put no space between words


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
        self.batch_size = batch_size
        self.scorer = ModelScorer(loaded.model.to(self.device), self.precision)
        greedy = self.options.beam_size == 1
        self.search = (GreedySearch if greedy else BeamSearch)(self.scorer, self.options)
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
        """Translate lines: N in, N out, in order. An empty line gives an empty line."""
        return list(self.stream(lines))

    def stream(self, lines: Iterable[str]) -> Iterator[Translation]:
        """Translate lines as they come, a window at a time, in bounded memory."""
        for window in windows(lines):
            yield from self.translate_window(window)

    def translate_window(self, lines: Sequence[str]) -> list[Translation]:
        """Translate some lines together: split what is too long, sort, search, put together."""
        encoded = self.loaded.source_vocabulary.encode(list(lines))
        segments: list[Segment] = []
        ids: list[list[int]] = []
        owners: list[int] = []
        for line, (text, pieces) in enumerate(zip(lines, encoded, strict=True)):
            if not pieces:
                continue
            if len(pieces) <= self.longest:
                parts, part_ids = [Segment(text, False)], [pieces]
            else:
                parts = split_line(text, self.longest, self._count)
                part_ids = self.loaded.source_vocabulary.encode([part.text for part in parts])
            segments += parts
            ids += part_ids
            owners += [line] * len(parts)
        texts, scores = [""] * len(lines), [0.0] * len(lines)
        for line, segment, hypothesis in zip(owners, segments, self._search_all(ids), strict=True):
            text = self._text(hypothesis, segment.text)
            space = " " if segment.spaced and self.target_language not in UNSPACED else ""
            texts[line] += space + text if texts[line] else text
            scores[line] += hypothesis.score
        return [Translation(text, score) for text, score in zip(texts, scores, strict=True)]

    def _count(self, texts: list[str]) -> list[int]:
        return [len(ids) for ids in self.loaded.source_vocabulary.encode(texts)]

    def _search_all(self, ids: list[list[int]]) -> list[Hypothesis]:
        """Search for each source the best hypothesis, in batches of like length."""
        best: list[Hypothesis] = [Hypothesis([], 0.0, 0.0, [])] * len(ids)
        order = sorted((n for n in range(len(ids)) if ids[n]), key=lambda n: -len(ids[n]))
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            source, lengths = pad_sources([ids[row] for row in rows])
            for row, hypotheses in zip(
                rows, self.search(source.to(self.device), lengths), strict=True
            ):
                best[row] = hypotheses[0]
        return best

    def _text(self, hypothesis: Hypothesis, source: str) -> str:
        """Turn pieces into text; an unknown piece becomes the source text that was attended to."""
        vocabulary = self.loaded.target_vocabulary
        if UNK not in hypothesis.ids:
            return vocabulary.decode([hypothesis.ids])[0]
        surfaces = [*self.loaded.source_vocabulary.surfaces(source), ""]
        pieces = vocabulary.pieces(hypothesis.ids)
        for at, (piece, position) in enumerate(
            zip(hypothesis.ids, hypothesis.attended, strict=True)
        ):
            if piece == UNK:
                pieces[at] = surfaces[min(position, len(surfaces) - 1)].replace(" ", "\u2581")
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
