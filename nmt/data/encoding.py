"""Text to ids on disk: cut each sentence into pieces, drop unfit pairs, write the rest."""

import itertools
from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from nmt.data.arrays import SideWriter
from nmt.data.corpus import SIDES
from nmt.data.filters import PairFilter
from nmt.data.lessons import HIDDEN, Teacher
from nmt.data.options import SplitReport
from nmt.data.pairs import Pair, PairFiles, PairWriter, batches
from nmt.data.special import UNK
from nmt.data.splitting import Part
from nmt.data.vocabularies import Vocabularies
from nmt.data.vocabulary import Vocabulary
from nmt.progress import Progress

NAMES = {"train": "training", "valid": "validation"}
IdPair = tuple[list[int], list[int]]


@dataclass(frozen=True)
class Encoded:
    """What was written of a split, and how many pairs each filter dropped."""

    split: SplitReport
    dropped: Counter[str]


@dataclass(frozen=True)
class Encoder:
    """Writes splits to `folder` as ids of `vocabularies`; `threads` changes only the speed."""

    folder: Path
    vocabularies: Vocabularies
    threads: int

    def encode(self, split: str, text: Part, limits: PairFilter) -> Encoded:
        """Write the ids of the pairs that `limits` lets through.

        With "valid" comes the text as well, with "train" the lessons in copying. A lesson is
        hardly longer than its pair, and no limit is asked again. It may be much shorter on one
        side, where the hidden word had many pieces: such a ratio does no harm to copying.
        """
        source, target = (
            SideWriter(self.folder, split, side, len(vocabulary))
            for side, vocabulary in zip(SIDES, self._both(), strict=True)
        )
        dropped: Counter[str] = Counter()
        teacher, teaches = Teacher(), split == "train" and self._hides()
        progress = Progress(text.pairs, "pairs", f"Cutting the {NAMES[split]} text into pieces")
        with source, target, self._text_writer(split) as texts, progress:
            for batch in batches(text.files):
                progress.advance(len(batch))
                ids = self._ids(batch)
                verdicts = [limits.verdict(len(left), len(right)) for left, right in ids]
                dropped.update(verdict for verdict in verdicts if verdict)
                keep = [verdict is None for verdict in verdicts]
                batch = list(itertools.compress(batch, keep))
                kept = list(itertools.compress(ids, keep))
                if teaches:
                    kept += self._ids(list(teacher.lessons_of(batch)))
                source.write([left for left, _ in kept])
                target.write([right for _, right in kept])
                if texts:
                    texts.write(batch)
        report = SplitReport(source.sentences, source.tokens, target.tokens, teacher.lessons)
        return Encoded(report, dropped)

    def _text_writer(self, split: str) -> AbstractContextManager[PairWriter | None]:
        if split != "valid":
            return nullcontext()
        return PairFiles.beside(self.folder, split).writer()

    def _ids(self, batch: list[Pair]) -> list[IdPair]:
        source, target = (
            vocabulary.encode([pair[side] for pair in batch], self.threads)
            for side, vocabulary in enumerate(self._both())
        )
        return list(zip(source, target, strict=True))

    def _hides(self) -> bool:
        """Say whether a hidden word is unknown: not to a vocabulary that writes it in bytes."""
        return all(UNK in vocabulary.encode([HIDDEN])[0] for vocabulary in self._both())

    def _both(self) -> tuple[Vocabulary, Vocabulary]:
        return self.vocabularies.source, self.vocabularies.target
