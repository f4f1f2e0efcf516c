"""JoeyNMT 2.3.0, from PyPI."""

import re
from pathlib import Path

from benchmarks.contestants.base import DATA, MAX_LENGTH, Contestant, Decoding, fill


class JoeyNmt(Contestant):
    """JoeyNMT: random batches, padded encoder and decoder, a Python loop over target positions."""

    name = "joeynmt"
    requirements = (
        "torch==2.13.0",
        "joeynmt==2.3.0",
        "importlib_metadata",  # needed and not declared
        "sentencepiece==0.2.0",  # newer ones lack what it calls
    )
    loader = "joeynmt.prediction:prepare"

    @property
    def model_ready(self) -> bool:
        """Whether there is a checkpoint; JoeyNMT also writes one at Ctrl-C."""
        return any((self.folder / "trained" / "model").glob("*.ckpt"))

    def train_command(self, folder: Path, report_every: int) -> list[str | Path]:
        """Train by a configuration file in `folder`."""
        config = self._config(folder, report_every, Decoding(5, 64))
        return [self.python, "-m", "joeynmt", "train", config, "--skip-test"]

    def speeds(self, folder: Path) -> list[float]:
        """Read `Tokens per Sec` (target pieces without padding, loader included) from the log."""
        log = (folder / "train.log").read_text(encoding="utf-8")
        return [float(speed) for speed in re.findall(r"Tokens per Sec:\s*(\d+)", log)]

    def translate_command(self, decoding: Decoding, output: Path) -> list[str | Path]:
        """Translate standard input to standard output (its `-o` ends in an AttributeError)."""
        return ["joeynmt", "translate", self._config(self.folder / "trained", 25, decoding)]

    def _config(self, folder: Path, report_every: int, decoding: Decoding) -> Path:
        path = folder / f"beam{decoding.beam_size}.batch{decoding.batch_size}.yaml"
        values = {"data": DATA, "folder": folder, "report_every": report_every}
        return fill("joeynmt.yaml.in", path, {**values, **vars(decoding), "max_length": MAX_LENGTH})
