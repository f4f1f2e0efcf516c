"""nmt itself, measured like any other toolkit: by its command line, in a process of its own."""

import json
import shutil
import sys
from pathlib import Path

from benchmarks.contestants.base import DATA, PIECES, TEST, Contestant, Decoding
from benchmarks.processes import WORK, Files, run_pinned, run_whole, tail

CONFIG_A = (
    "model.embedding_size=256",
    "model.hidden_size=512",
    "model.encoder_layers=1",
    "model.decoder_layers=1",
    "model.attention=general",
    "train.dropout=0.3",
    "train.label_smoothing=0.1",
)
BATCH_TOKENS = 1390  # makes 80 pairs of this corpus on average


class Nmt(Contestant):
    """nmt, translating with one of its precisions."""

    loader = "nmt.decoding.translator:Translator.load"

    def __init__(self, precision: str = "auto", pieces: int = PIECES) -> None:
        self.precision = precision
        self.pieces = pieces
        self.name = f"nmt {precision}"
        self.batch_tokens = BATCH_TOKENS

    @property
    def folder(self) -> Path:
        """All precisions share one model."""
        return WORK / "nmt"

    @property
    def python(self) -> Path:
        """The interpreter that runs the benchmark."""
        return Path(sys.executable)

    @property
    def model_ready(self) -> bool:
        """Whether the trained model is whole: its card is written last."""
        return (self.model / "README.md").exists()

    @property
    def model(self) -> Path:
        """The model that translation is measured with."""
        return self.folder / "trained" / "model"

    def install(self) -> None:
        """Nothing to do: what is measured is this repository, in this environment."""

    @property
    def corpus(self) -> Path:
        """The corpus folder: with as many pieces as the peers have, or with others."""
        return self.folder / ("corpus" if self.pieces == PIECES else f"corpus-{self.pieces}")

    def prepare(self) -> None:
        """Make the corpus folder, with a joint BPE vocabulary."""
        corpus = self.corpus
        if (corpus / "corpus.json").exists():
            return
        shutil.rmtree(corpus, ignore_errors=True)
        log = self.folder / "preprocess.log"
        command: list[str | Path] = [self.python, "-m", "nmt", "preprocess", *corpus_files()]
        command += ["-o", corpus]
        command += ["--tokenizer", "bpe", "--vocab-size", str(self.pieces), "--joint-vocab"]
        run_whole(command, [0], Files(log), "nmt preprocess")

    def train_command(self, folder: Path, report_every: int) -> list[str | Path]:
        """Train config A for as long as it is let."""
        never = ("--set", "train.validate_every=1000000")
        return [*self._train(folder, report_every), *never, "--updates", "1000000"]

    def train_model(self, minutes: float, core: int) -> None:
        """Train with a time limit, as people do."""
        if self.model_ready:
            return
        folder = self.folder / "trained"
        log = folder / "train.log"
        command = [*self._train(folder, 25), "--time-limit", f"{minutes:g}m", "--overwrite"]
        if run_pinned(command, [core], Files(log)).status or not self.model_ready:
            raise SystemExit(f"nmt train failed:\n{tail(log)}")

    def speeds(self, folder: Path) -> list[float]:
        """Read `tokens_per_second` (target pieces without padding, loader included)."""
        return train_speeds(folder / "model")

    def translate_command(self, decoding: Decoding, output: Path) -> list[str | Path]:
        """Translate from file to file."""
        return [
            *("nmt", "translate", self.model, TEST, "-o", output),
            *("--beam-size", str(decoding.beam_size), "--batch-size", str(decoding.batch_size)),
            *("--precision", self.precision),
        ]

    def _train(self, folder: Path, report_every: int) -> list[str | Path]:
        batches = f"train.batch_tokens={self.batch_tokens}"
        settings = [*CONFIG_A, batches, f"train.report_every={report_every}"]
        named = [part for setting in settings for part in ("--set", setting)]
        files = (self.corpus, "-o", folder / "model")
        return [self.python, "-m", "nmt", "train", *files, "--seed", "1", *named]


def train_speeds(model: Path) -> list[float]:
    """Return the target tokens a second of each report of a training, without padding."""
    metrics = model / "metrics.jsonl"
    if not metrics.exists():
        return []
    records = [json.loads(line) for line in metrics.read_text(encoding="utf-8").splitlines()]
    return [record["tokens_per_second"] for record in records if record["kind"] == "train"]


def corpus_files(train: Path = DATA) -> list[str | Path]:
    """Return the options of `nmt preprocess` that name the shared data, or others to train on."""
    return [
        *("--train-source", train / "train.en", "--train-target", train / "train.de"),
        *("--valid-source", DATA / "val.en", "--valid-target", DATA / "val.de"),
        *("--source-lang", "en", "--target-lang", "de"),
    ]
