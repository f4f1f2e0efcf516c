"""Fine-tuning: a run that begins with the weights of a finished model instead of chance."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from nmt.data.corpus import SIDES, Corpus
from nmt.data.vocabulary import Vocabulary
from nmt.decoding.model_folder import WEIGHTS, load_model
from nmt.errors import SettingError
from nmt.files import checksum
from nmt.models.config import ModelConfig
from nmt.models.seq2seq import Seq2Seq
from nmt.training.presets import Settings


class Origin:
    """The model that a run begins with."""

    def __init__(self, folder: Path) -> None:
        """Read a model folder.

        Raises:
            FolderError: it is none, or a damaged one, or it has no weights yet.
        """
        self.folder = folder
        self.loaded = load_model(folder)

    def check(self, corpus: Corpus) -> None:
        """Refuse a corpus that was not made with this model's vocabularies.

        Raises:
            SettingError: says how to make the corpus.
        """
        mine = (self.loaded.source_vocabulary, self.loaded.target_vocabulary)
        theirs = (corpus.source_vocabulary, corpus.target_vocabulary)
        if all(map(_same, mine, theirs)):
            return
        if all(map(_same, mine, reversed(theirs))):
            raise SettingError(
                f"{self.folder} translates in the other direction than this training; "
                "add --reverse, or leave it out"
            )
        wanted = dict(zip(corpus.sides, (vocabulary.path for vocabulary in mine), strict=True))
        options = " ".join(f"--{side}-vocab {wanted[side]}" for side in SIDES)
        raise SettingError(
            f"{corpus.folder}: its vocabulary is not that of {self.folder}; make the corpus with "
            f"{options}"
        )

    @torch.no_grad()
    def fill(self, model: Seq2Seq) -> None:
        """Give a model of the same architecture these weights."""
        for mine, theirs in zip(model.parameters(), self.loaded.model.parameters(), strict=True):
            mine.copy_(theirs)

    def facts(self) -> dict[str, Any]:
        """Return what is kept of it in the new model's description."""
        return {"model": str(self.folder), "weights": checksum(self.folder / WEIGHTS)}


def with_architecture(
    settings: Settings, model: ModelConfig, preset: str, changes: list[str]
) -> Settings:
    """Return a run's settings with the architecture of the model that it begins with.

    Args:
        settings: as the user asks for them.
        model: the architecture to keep.
        preset: what the user said of it; "auto" asks for no architecture.
        changes: the user's, like "model.hidden_size=768".

    Raises:
        SettingError: the user asks for another architecture.
    """
    if any(change.strip().startswith("model.") for change in changes):
        raise SettingError(
            "--init-from keeps the architecture of its model: leave out every --set model.NAME"
        )
    # A preset file with training settings alone leaves the architecture at its defaults.
    if preset != "auto" and settings.model not in (model, ModelConfig()):
        asked, kept = asdict(settings.model), asdict(model)
        others = ", ".join(name for name in kept if asked[name] != kept[name])
        raise SettingError(
            f"--init-from keeps the architecture of its model, and the preset {preset} has "
            f"another one ({others}): leave out --preset"
        )
    return replace(settings, model=model)


def _same(one: Vocabulary, other: Vocabulary) -> bool:
    return one.path.read_bytes() == other.path.read_bytes()
