"""What a benchmark asks of a toolkit, and the data that all toolkits get."""

import abc
import argparse
import filecmp
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from benchmarks.processes import WORK, Cost, Files, run_pinned, tail

HERE = Path(__file__).resolve().parent
DATA = WORK / "data"
SPLITS = ("train", "val", "test_2016_flickr")
LANGUAGES = ("en", "de")
TEST = DATA / "test_2016_flickr.en"
REFERENCE = DATA / "test_2016_flickr.de"
PIECES = 8000
MAX_LENGTH = 100  # pieces of output, for every toolkit


@dataclass(frozen=True)
class Decoding:
    """How to translate: places in the beam (1 is greedy) and sentences a batch."""

    beam_size: int
    batch_size: int


@dataclass(frozen=True)
class Timed:
    """One translation of the test file: seconds to load, seconds after, and the output's path."""

    load_seconds: float
    seconds: float
    cpu_seconds: float
    peak_mib: float
    output: Path


@dataclass(frozen=True)
class Training:
    """One stretch of training: target pieces a second, the share of its cores it got, peak MiB."""

    tokens_per_second: float
    core_share: float
    peak_mib: float


class Contestant(abc.ABC):
    """One toolkit: how to install it, train config A, and translate."""

    name: str
    requirements: tuple[str, ...] = ()
    loader: str  # `module:attribute`, the call after which the model is loaded

    @property
    def folder(self) -> Path:
        """Where everything of this toolkit lies."""
        return WORK / self.name

    @property
    def python(self) -> Path:
        """The interpreter of this toolkit's own environment."""
        return WORK / f"venv-{self.name}" / "bin" / "python"

    def install(self) -> None:
        """Make the toolkit's environment from PyPI, unless it is there already."""
        done = self.python.parent.parent / "complete"
        if done.exists():
            return
        subprocess.run([sys.executable, "-m", "venv", "--clear", done.parent], check=True)
        for requirements in (self.requirements[:1], self.requirements):
            subprocess.run([self.python, "-m", "pip", "-q", "install", *requirements], check=True)
        done.write_text("\n".join(self.requirements) + "\n", encoding="utf-8")

    @abc.abstractmethod
    def train_command(self, folder: Path, report_every: int) -> list[str | Path]:
        """Return the command that trains config A into `folder`, without an end."""

    @abc.abstractmethod
    def speeds(self, folder: Path) -> list[float]:
        """Return the target pieces a second of each report of a training in `folder`."""

    @abc.abstractmethod
    def translate_command(self, decoding: Decoding, output: Path) -> list[str | Path]:
        """Return the arguments, after the interpreter's own, that translate the test file."""

    @property
    @abc.abstractmethod
    def model_ready(self) -> bool:
        """Whether `train_model` has left a model that can translate."""

    def prepare(self) -> None:
        """Turn the shared data into what this toolkit reads; most need nothing but a folder."""
        self.folder.mkdir(parents=True, exist_ok=True)

    def train_model(self, minutes: float, core: int) -> None:
        """Train the model that translation is measured with, unless it is there already.

        Raises:
            SystemExit: the toolkit left no model; its last words are shown.
        """
        if self.model_ready:
            return
        folder = self.folder / "trained"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        log = folder / "train.log"
        run_pinned(self.train_command(folder, 25), [core], Files(log), minutes * 60)
        if not self.model_ready:
            raise SystemExit(f"{self.name} left no model:\n{tail(log)}")

    def measure_training(self, seconds: float, cores: Sequence[int], report_every: int) -> Training:
        """Train afresh for `seconds`, and return the speed after the first report (the warm-up).

        Raises:
            SystemExit: fewer than two reports came; the toolkit's last words are shown.
        """
        folder = self.folder / "speed"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        log = folder / "train.log"
        command = self.train_command(folder, report_every)
        cost = run_pinned(command, cores, Files(log), seconds, signal.SIGTERM)
        speeds = self.speeds(folder)[1:]
        if not speeds:
            raise SystemExit(f"{self.name} made too few reports in {seconds:.0f} s:\n{tail(log)}")
        share = cost.cpu_seconds / cost.seconds / len(cores)
        # each report covers as many updates, so that the mean over the time is the harmonic one
        return Training(statistics.harmonic_mean(speeds), share, cost.peak_mib)

    def measure_translation(self, decoding: Decoding, cores: Sequence[int]) -> Timed:
        """Translate the test file once, in a new process.

        Raises:
            SystemExit: the toolkit failed; its last words are shown.
        """
        how = f"{self.name}-beam{decoding.beam_size}-batch{decoding.batch_size}".replace(" ", "-")
        stem = self.folder / "translations" / how
        times = stem.with_suffix(".json")
        output, log = stem.with_suffix(".out"), stem.with_suffix(".log")
        output.parent.mkdir(parents=True, exist_ok=True)
        for old in (times, output):
            old.unlink(missing_ok=True)
        command: list[str | Path] = [self.python, HERE / "timed_main.py", times, self.loader]
        command += self.translate_command(decoding, output)
        standard_output = stem.with_suffix(".stdout")
        cost = run_pinned(command, cores, Files(standard_output, TEST, log))
        if cost.status or not times.exists():
            raise SystemExit(f"{self.name} could not translate:\n{tail(log)}")
        if not output.exists():
            standard_output.rename(output)
        return _timed(times, cost, output)


def _timed(times: Path, cost: Cost, output: Path) -> Timed:
    found = json.loads(times.read_text(encoding="utf-8"))
    return Timed(
        found["load_seconds"], found["seconds"], found["cpu_seconds"], cost.peak_mib, output
    )


def fill(template: str, path: Path, values: dict[str, object]) -> Path:
    """Write `template` (a file beside this one) to `path` with its $names filled in."""
    text = (HERE / template).read_text(encoding="utf-8")
    path.write_text(Template(text).substitute(values), encoding="utf-8")
    return path


def add_data_option(parser: argparse.ArgumentParser) -> None:
    """Add `--data`, by default the folder that NMT_MULTI30K names, as for the tests."""
    known = os.environ.get("NMT_MULTI30K")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(known) if known else None,
        required=not known,
        help="folder of the corpus, by default $NMT_MULTI30K",
    )


def prepare_data(source: Path) -> None:
    """Link the corpus into the work folder and make the joint vocabulary of config A.

    Raises:
        SystemExit: `source` lacks a file, or what was made of another corpus lies in the way.
    """
    DATA.mkdir(parents=True, exist_ok=True)
    for name in (f"{split}.{language}" for split in SPLITS for language in LANGUAGES):
        if not (source / name).is_file():
            raise SystemExit(f"{source / name}: the file is missing (see data/README.md)")
        link, file = DATA / name, (source / name).resolve()
        if link.exists() and not filecmp.cmp(link, file, shallow=False):
            raise SystemExit(
                f"{WORK} holds what was made of another {name}: move it away to measure this"
            )
        if link.resolve() != file:  # another benchmark may be reading it right now
            link.unlink(missing_ok=True)
            link.symlink_to(file)
    if not (DATA / "pieces.txt").exists():
        _make_vocabulary()


def _make_vocabulary() -> None:
    import sentencepiece

    sentencepiece.SentencePieceTrainer.train(
        input=[str(DATA / f"train.{language}") for language in LANGUAGES],
        model_prefix=str(DATA / "joint"),
        model_type="bpe",
        vocab_size=PIECES,
        character_coverage=1.0,
        unk_id=0,
        pad_id=1,
        bos_id=2,
        eos_id=3,
        minloglevel=1,
    )
    model = sentencepiece.SentencePieceProcessor(model_file=str(DATA / "joint.model"))
    pieces = [model.id_to_piece(number) for number in range(model.get_piece_size())]
    (DATA / "pieces.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
