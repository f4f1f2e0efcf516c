"""What a model folder will say of the model that a run makes."""

from dataclasses import asdict
from typing import Any

from nmt.data.corpus import MANIFEST, Corpus
from nmt.decoding.model_folder import Description, Side
from nmt.evaluation.languages import guess_language
from nmt.files import checksum
from nmt.training.presets import Settings


def describe(
    corpus: Corpus, settings: Settings, seed: int, history: dict[str, Any] | None = None
) -> Description:
    """Describe the model that a run will make of a corpus; `history` is kept with it."""
    return Description(
        model=settings.model,
        source=_side(corpus, "source"),
        target=_side(corpus, "target"),
        joint=corpus.joint,
        longest_source=int(corpus.train.source.lengths().max()),
        training={
            "preset": settings.preset,
            "settings": asdict(settings.train),
            "seed": seed,
            "corpus": checksum(corpus.folder / MANIFEST),
            **(history or {}),
        },
    )


def _side(corpus: Corpus, name: str) -> Side:
    facts: dict[str, Any] = corpus.manifest[name]
    language = None if facts["language"] == "und" else facts["language"]
    text = corpus.valid_source_text if name == "source" else corpus.valid_target_text
    return Side(language or guess_language(text), facts["vocabulary"], facts["pieces"])
