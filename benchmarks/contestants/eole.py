"""eole 0.6.4, from PyPI."""

import re
from pathlib import Path

from benchmarks.contestants.base import DATA, MAX_LENGTH, TEST, Contestant, Decoding, fill


class Eole(Contestant):
    """eole: batches of like length, padded encoder, a Python loop over target positions."""

    name = "eole"
    requirements = (
        "torch==2.13.0",
        "eole==0.6.4",
        "aiohttp",  # needed and not declared
    )
    loader = "eole.bin.run.predict:InferenceEnginePY"

    @property
    def model_ready(self) -> bool:
        """Whether a checkpoint was saved; eole saves none at Ctrl-C."""
        return self._checkpoint() is not None

    def prepare(self) -> None:
        """Write the vocabulary as eole wants it: a piece and a count a line."""
        pieces = (DATA / "pieces.txt").read_text(encoding="utf-8").splitlines()[4:]
        self.folder.mkdir(parents=True, exist_ok=True)
        text = "".join(f"{piece}\t1\n" for piece in pieces)
        (self.folder / "vocabulary.txt").write_text(text, encoding="utf-8")

    def train_command(self, folder: Path, report_every: int) -> list[str | Path]:
        """Train by a configuration file in `folder`."""
        values = {"data": DATA, "folder": folder, "report_every": report_every, "save_every": 50}
        config = fill("eole.yaml.in", folder / "train.yaml", values)
        return [self.python, "-m", "eole.bin.main", "train", "--config", config]

    def speeds(self, folder: Path) -> list[float]:
        """Read the second figure of `source/target tok/s` (without padding, loader included)."""
        log = (folder / "train.log").read_text(encoding="utf-8")
        return [float(speed) for speed in re.findall(r"Step .*/\s*(\d+) tok/s", log)]

    def translate_command(self, decoding: Decoding, output: Path) -> list[str | Path]:
        """Translate from file to file."""
        return [
            *("eole.bin.main", "predict", "--model_path", str(self._checkpoint())),
            *("--src", TEST, "--output", output, "--max_length", str(MAX_LENGTH)),
            *("--beam_size", str(decoding.beam_size)),
            *("--batch_size", str(decoding.batch_size), "--batch_type", "sents"),
        ]

    def _checkpoint(self) -> Path | None:
        steps = (self.folder / "trained" / "model").glob("step_*")
        return max(steps, key=lambda path: int(path.name.split("_")[1]), default=None)
