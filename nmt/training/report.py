"""What a run leaves for people and programs to read: metrics.jsonl and the model card."""

import json
import os
from pathlib import Path
from typing import Any

import nmt
from nmt.data.corpus import Corpus
from nmt.decoding.model_folder import Description
from nmt.evaluation.plots import learning_curves
from nmt.files import as_text, atomic_write
from nmt.training.checkpoint import Position
from nmt.training.tensorboard import Board
from nmt.training.validation import Sample, Validation


class MetricsLog:
    """metrics.jsonl: one JSON object a line, in the order of updates, without gaps or doubles."""

    def __init__(self, path: Path, keep: int = 0) -> None:
        """Open for appending, after the first `keep` bytes; what an earlier run wrote after its
        last checkpoint will be computed, and written, again.
        """
        path.touch()
        if path.stat().st_size > keep:
            os.truncate(path, keep)
        self.path = path
        self.board: Board | None = None  # where each line is shown too

    def write(self, **fields: Any) -> None:
        """Append a line."""
        with self.path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(json.dumps(fields, ensure_ascii=False) + "\n")
        if self.board:
            self.board.write(fields)

    def lines(self) -> list[dict[str, Any]]:
        """Read all lines."""
        return [json.loads(line) for line in self.path.read_text(encoding="utf-8").split("\n")[:-1]]

    def flush(self) -> int:
        """See to it that what was written outlives a power cut; returns its length in bytes."""
        with self.path.open("ab") as file:
            os.fsync(file.fileno())
            return file.tell()


def sample_lines(samples: list[Sample]) -> list[str]:
    """Lay out sample translations for the log."""
    lines = []
    for sample in samples:
        lines += [
            f"    source      {sample.source}",
            f"    reference   {sample.reference}",
            f"    translation {sample.hypothesis}",
        ]
    return lines


def scores_in_words(validation: Validation) -> str:
    """Say the scores in one line."""
    names = {"bleu": "BLEU", "chrf": "chrF"}
    scores = [f"{names[name]} {value:.1f}" for name, value in validation.scores.items()]
    return ", ".join(
        [*scores, f"loss {validation.loss:.3f} (perplexity {validation.perplexity:.1f})"]
    )


CARD = """# A translator from {source} to {target}

Made with nmt {version}.

    nmt translate {folder} FILE -o TRANSLATION
    echo "..." | nmt translate {folder}

```python
from nmt import Translator

print(Translator.load("{folder}").translate(["..."])[0].text)
```

## Scores

On {valid:,} validation pairs, by {search}: {scores}.

| source | translation | reference |
|---|---|---|
{samples}

## Data

{pairs:,} sentence pairs, {source_tokens:,} source and {target_tokens:,} target pieces
({tokenizer} vocabulary, {source_pieces:,} source and {target_pieces:,} target pieces{joint}).
Inputs: {inputs}.

## Training

Preset {preset}, {parameters:,} parameters; the best model is of update {update:,} of {updates:,},
after {minutes:.1f} minutes on {device} in {precision}.{unfinished}

```json
{settings}
```
"""


UNFINISHED = """
This was written before the end of the training: the scores by beam search are missing."""


class Records:
    """The pages of a model folder that are for people: its card and its curves."""

    def __init__(
        self, folder: Path, description: Description, corpus: Corpus, facts: dict[str, Any]
    ) -> None:
        """Prepare to write.

        Args:
            folder: the model folder.
            description: what the model is.
            corpus: what it is trained on.
            facts: what else CARD says of all models of a run: `parameters`, `device`, `precision`,
                and `valid`, how many validation pairs are translated.
        """
        self.folder = folder
        self.facts = _card_facts(description, corpus.manifest) | facts

    def draw_curves(self) -> None:
        """Draw curves.png from metrics.jsonl."""
        learning_curves(self.folder / "metrics.jsonl", self.folder / "curves.png")

    def write_card(
        self, validation: Validation, beam_size: int, update: int, position: Position
    ) -> None:
        """Write README.md.

        Args:
            validation: how good the model is,
            beam_size: by this search.
            update: the model's.
            position: where its run is.
        """
        samples = [
            f"| {_cell(sample.source)} | {_cell(sample.hypothesis)} | {_cell(sample.reference)} |"
            for sample in validation.samples
        ]
        card = CARD.format(
            **self.facts,
            folder=as_text(self.folder.resolve().name),
            search="greedy search" if beam_size == 1 else f"beam search of {beam_size}",
            scores=scores_in_words(validation),
            samples="\n".join(samples),
            update=update,
            updates=position.update,
            minutes=position.seconds / 60,
            unfinished="" if position.finished else UNFINISHED,
        )
        with atomic_write(self.folder / "README.md") as file:
            file.write(card)


def _card_facts(description: Description, corpus: dict[str, Any]) -> dict[str, Any]:
    """Return what CARD says of the data and the settings."""
    train = corpus["splits"]["train"]
    return {
        "version": nmt.__version__,
        "source": description.source.language or "the source language",
        "target": description.target.language or "the target language",
        "pairs": train["pairs"],
        "source_tokens": train["source_tokens"],
        "target_tokens": train["target_tokens"],
        "tokenizer": corpus["tokenizer"],
        "source_pieces": description.source.pieces,
        "target_pieces": description.target.pieces,
        "joint": ", shared" if description.joint else "",
        "inputs": ", ".join(f"{name} (sha256 {digest[:12]})" for name, digest in _inputs(corpus)),
        "preset": description.training["preset"],
        "settings": json.dumps(description.training, indent=2, ensure_ascii=False),
    }


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")


def _inputs(corpus: dict[str, Any]) -> list[tuple[str, str]]:
    return [(str(name), str(digest)) for name, digest in corpus["inputs"].items()]
