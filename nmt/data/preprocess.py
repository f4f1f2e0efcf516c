"""From text files to a corpus folder that training can read.

Passes over the text, in memory that does not grow with it (but for one byte a pair):
1. read both sides in step, drop empty pairs, and keep the rest in temporary files;
2. where asked, find repeated pairs and hold out pairs for validation, by the sentences' hashes;
3. train the vocabularies on a sample;
4. cut every sentence into pieces, drop pairs that are too long or too unlike, write the ids.
"""

import dataclasses
import logging
import shutil
import time
from collections import Counter
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nmt
from nmt.data import filters
from nmt.data.corpus import FORMAT_VERSION, MANIFEST, SPLITS
from nmt.data.encoding import NAMES, Encoder
from nmt.data.filters import PairFilter
from nmt.data.folder import build_folder
from nmt.data.languages import UNKNOWN, guess_language
from nmt.data.options import Dropped, PreprocessOptions, PreprocessReport, SplitReport
from nmt.data.pairs import PairReader
from nmt.data.splitting import Part, copy_text, part
from nmt.data.vocabularies import Vocabularies, make_vocabularies
from nmt.errors import DataError
from nmt.files import write_manifest
from nmt.hardware import cores

# Fewer validation pairs than this give rough scores; fewer training pairs, a rough translator.
FEW_VALID, FEW_TRAIN = 200, 5_000
# From here on the two sides look like one file: some pairs are alike in any corpus.
SAME_SIDES = 0.5
LOGGER = logging.getLogger("nmt")
DroppedBySplit = dict[str, Counter[str]]


@dataclass(frozen=True)
class _Raw:
    """The text of a corpus before it is cut into pieces.

    Attributes:
        train: the training text.
        valid: the validation text.
        read: how many training pairs the files hold.
        same: of how many of them both sides are the same text.
        held_out: how many of these are in `valid`.
        dropped: how many pairs each filter dropped, for each split.
        checksums: of the files that were read, by name.
    """

    train: Part
    valid: Part
    read: int
    same: int
    held_out: int
    dropped: DroppedBySplit
    checksums: dict[str, str]


def preprocess(options: PreprocessOptions, output: Path | str) -> PreprocessReport:
    """Make a corpus folder from text files.

    The folder appears when it is complete; an error or Ctrl-C leaves nothing behind.

    Args:
        options: the files, and what to do with them.
        output: the folder to make.

    Raises:
        DataError: a file is missing, unreadable, not UTF-8 or empty, or has a line over a
            megabyte, or two differ in length.
        FolderError: `output` holds something that may not be replaced.
        SettingError: an option makes no sense.
        UsageError: options contradict each other.
        OSError: the disk is full, or `output` cannot be written.
    """
    start = time.monotonic()
    options.check()
    with build_folder(Path(output), options.overwrite) as folder:
        work = folder / "text"
        work.mkdir()
        raw = _read(options, work)
        vocabularies = make_vocabularies(raw.train.files, raw.train.pairs, options, folder)
        encoder = Encoder(folder, vocabularies, options.threads or cores())
        splits = _encode(raw, options, encoder)
        shutil.rmtree(work)
        report = _report(raw, splits, vocabularies, options)
        _write_manifest(report, raw, vocabularies)
    report = dataclasses.replace(
        report, output=str(output), seconds=round(time.monotonic() - start, 3)
    )
    _warn(report, raw.same)
    _tell(report)
    return report


def _read(options: PreprocessOptions, work: Path) -> _Raw:
    """Read all files, drop what is empty or repeated, and hold out pairs if need be."""
    unfit = options.invalid_utf8
    valid_reader = PairReader(options.valid_source, options.valid_target, "validation", unfit)
    train_reader = PairReader(options.train_source, options.train_target, "training", unfit)
    # The small validation files first: what is wrong with them is then told at once.
    given = copy_text(valid_reader, work) if options.valid_source else None
    train = copy_text(train_reader, work)
    parts = part(train, given, options)
    parts.dropped[filters.EMPTY] = train.read - train.pairs
    return _Raw(
        train=parts.train,
        valid=parts.valid,
        read=train.read,
        same=train.same,
        held_out=0 if given else parts.valid.pairs,
        dropped={
            "train": parts.dropped,
            "valid": Counter({filters.EMPTY: given.read - given.pairs if given else 0}),
        },
        checksums=valid_reader.checksums | train_reader.checksums,
    )


def _encode(raw: _Raw, options: PreprocessOptions, encoder: Encoder) -> dict[str, SplitReport]:
    """Write the ids of both splits. Validation files that were given lose only empty pairs."""
    limits = PairFilter(options.max_length, options.max_ratio)
    work = {"train": (raw.train, limits), "valid": (raw.valid, limits)}
    if not raw.held_out:
        work["valid"] = (raw.valid, PairFilter())
    reports = {}
    for split, (text, limit) in work.items():
        encoded = encoder.encode(split, text, limit)
        reports[split] = encoded.split
        raw.dropped[split].update(encoded.dropped)
        if encoded.split.pairs == 0:
            reasons = filters.reasons(options)
            found = [f"{n:,}: {reasons[name]}" for name, n in raw.dropped[split].items() if n]
            raise DataError(f"no {NAMES[split]} pair is left ({'; '.join(found)})")
    return reports


def _report(
    raw: _Raw,
    splits: dict[str, SplitReport],
    vocabularies: Vocabularies,
    options: PreprocessOptions,
) -> PreprocessReport:
    reasons = filters.reasons(options)
    dropped = {
        split: {name: Dropped(raw.dropped[split][name], why) for name, why in reasons.items()}
        for split in SPLITS
    }
    return PreprocessReport(
        output="",
        source_language=options.source_language or guess_language(options.train_source[0]),
        target_language=options.target_language or guess_language(options.train_target[0]),
        tokenizer=vocabularies.tokenizer,
        joint=vocabularies.joint,
        source_pieces=len(vocabularies.source),
        target_pieces=len(vocabularies.target),
        pairs_read=raw.read,
        held_out=raw.held_out,
        dropped=dropped["train"],
        valid_dropped=dropped["valid"],
        train=splits["train"],
        valid=splits["valid"],
        seconds=0.0,
    )


def _write_manifest(report: PreprocessReport, raw: _Raw, vocabularies: Vocabularies) -> None:
    """Write corpus.json, last of all. Nothing in it depends on the time or the machine."""
    folder = vocabularies.source.path.parent
    sides = {
        "source": (report.source_language, vocabularies.source),
        "target": (report.target_language, vocabularies.target),
    }
    content: dict[str, Any] = {
        side: {"language": language, "vocabulary": model.path.name, "pieces": len(model)}
        for side, (language, model) in sides.items()
    }
    content |= {
        "joint": report.joint,
        "tokenizer": report.tokenizer,
        "splits": {"train": asdict(report.train), "valid": asdict(report.valid)},
        "pairs_read": report.pairs_read,
        "held_out": report.held_out,
        "filters": {
            "train": {name: asdict(some) for name, some in report.dropped.items() if some.pairs},
            "valid": {
                name: asdict(some) for name, some in report.valid_dropped.items() if some.pairs
            },
        },
        "inputs": raw.checksums,
        "versions": {"nmt": nmt.__version__, "sentencepiece": version("sentencepiece")},
    }
    files = sorted(path.name for path in folder.iterdir())
    write_manifest(folder, MANIFEST, FORMAT_VERSION, content, files)


def _warn(report: PreprocessReport, same: int) -> None:
    """Say what will likely disappoint."""
    if same > SAME_SIDES * report.pairs_read:
        LOGGER.warning(
            f"In {same:,} of {report.pairs_read:,} pairs both sides are the same text: is the "
            "target file the right one?"
        )
    if report.train.pairs < FEW_TRAIN:
        LOGGER.info(
            f"Only {report.train.pairs:,} training pairs: a translator of general text needs some "
            "tens of thousands; expect poor translations."
        )
    if report.valid.pairs < FEW_VALID:
        LOGGER.info(
            f"Only {report.valid.pairs:,} validation pairs: scores on them are rough, and the "
            "best model is picked by little."
        )


def _tell(report: PreprocessReport) -> None:
    """Say what became of the text."""
    if report.held_out:
        LOGGER.info(
            f"Held out {report.held_out:,} of {report.pairs_read:,} pairs for validation, since no "
            "validation files were given (--valid-source, --valid-target)."
        )
    for split, dropped in (("train", report.dropped), ("valid", report.valid_dropped)):
        for filtered in dropped.values():
            if filtered.pairs:
                LOGGER.info(f"Dropped {filtered.pairs:,} {NAMES[split]} pairs: {filtered.reason}.")
    if UNKNOWN in (report.source_language, report.target_language):
        LOGGER.info(
            "The file names do not tell both languages; --source-lang and --target-lang name them "
            "(BLEU needs to know Chinese, Japanese, Korean and Thai)."
        )
    train = report.train
    if train.lessons:
        LOGGER.info(
            f"Added {train.lessons:,} pairs in which a word that stands on both sides is hidden: "
            "they teach the model to copy what its vocabulary cannot express."
        )
    LOGGER.info(
        f"{report.output}: {train.pairs:,} training pairs ({train.source_tokens:,} and "
        f"{train.target_tokens:,} pieces, {report.source_language} to {report.target_language}), "
        f"{report.valid.pairs:,} validation pairs, in {report.seconds:.1f} s. Next: nmt train "
        f"{report.output} -o MODEL"
    )
