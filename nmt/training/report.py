"""What a run leaves for people and programs to read: metrics.jsonl and the model card."""

import json
import os
from pathlib import Path
from typing import Any

from nmt.decoding.model_folder import Description
from nmt.files import atomic_write
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

    def write(self, **fields: Any) -> None:
        """Append a line."""
        with self.path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(json.dumps(fields, ensure_ascii=False) + "\n")

    def size(self) -> int:
        """Return the length of the file in bytes."""
        return self.path.stat().st_size


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

Made with [nmt](https://pypi.org/project/nmt/) {version}.

    nmt translate {folder} FILE -o TRANSLATION
    echo "..." | nmt translate {folder}

```python
from nmt import Translator

print(Translator.load("{folder}").translate(["..."])[0].text)
```

## Scores

On the {valid:,} validation pairs, by {search}: {scores}.

| source | translation | reference |
|---|---|---|
{samples}

## Data

{pairs:,} sentence pairs, {source_tokens:,} source and {target_tokens:,} target pieces
({tokenizer} vocabulary, {source_pieces:,} source and {target_pieces:,} target pieces{joint}).
Inputs: {inputs}.

## Training

Preset {preset}, {parameters:,} parameters; the best model is of update {update:,} of {updates:,},
after {minutes:.1f} minutes on {device} in {precision}.

```json
{settings}
```
"""


def write_model_card(path: Path, description: Description, facts: dict[str, Any]) -> None:
    """Write README.md of a model folder.

    Args:
        path: the file to write.
        description: what the model is.
        facts: the other fields of CARD; `corpus` is the corpus's manifest and `validation` the
            final Validation.
    """
    corpus, validation = facts["corpus"], facts["validation"]
    train = corpus["splits"]["train"]
    card = CARD.format(
        source=description.source.language or "the source language",
        target=description.target.language or "the target language",
        version=facts["version"],
        folder=path.parent.resolve().name,
        valid=corpus["splits"]["valid"]["pairs"],
        search=facts["search"],
        scores=scores_in_words(validation),
        samples="\n".join(
            f"| {_cell(s.source)} | {_cell(s.hypothesis)} | {_cell(s.reference)} |"
            for s in validation.samples
        ),
        pairs=train["pairs"],
        source_tokens=train["source_tokens"],
        target_tokens=train["target_tokens"],
        tokenizer=corpus["tokenizer"],
        source_pieces=description.source.pieces,
        target_pieces=description.target.pieces,
        joint=", shared" if description.joint else "",
        inputs=", ".join(f"{name} (sha256 {digest[:12]})" for name, digest in _inputs(corpus)),
        preset=description.training["preset"],
        parameters=facts["parameters"],
        update=facts["update"],
        updates=facts["updates"],
        minutes=facts["minutes"],
        device=facts["device"],
        precision=facts["precision"],
        settings=json.dumps(description.training, indent=2, ensure_ascii=False),
    )
    with atomic_write(path) as file:
        file.write(card)


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")


def _inputs(corpus: dict[str, Any]) -> list[tuple[str, str]]:
    return [(str(name), str(digest)) for name, digest in corpus["inputs"].items()]
