"""Fine-tuning: a run that begins with the weights of a finished model instead of chance."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from nmt.data.corpus import SIDES, Corpus
from nmt.data.vocabulary import Vocabulary
from nmt.decoding.model_folder import WEIGHTS, load_model, read_description
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


@dataclass(frozen=True)
class Inherited:
    """What a run has from the model that it begins with, or has begun with.

    Attributes:
        architecture: to be kept.
        facts: what the new model's description keeps of that model.
        origin: the model itself; None where the run has begun, and needs it no more.
    """

    architecture: ModelConfig
    facts: dict[str, Any]
    origin: Origin | None


def inherit(folder: Path, corpus: Corpus, output: Path, begun: bool) -> Inherited:
    """Find out what a run has from the model in `folder`.

    Args:
        folder: what `--init-from` names.
        corpus: to train on.
        output: the run's own folder.
        begun: whether the run has a state to go on from; then its own description is asked.

    Raises:
        FolderError: one of the folders is unusable.
        SettingError: the two are the same, or the corpus has other vocabularies.
    """
    if folder.resolve() == output.resolve():
        raise SettingError(
            f"--init-from {folder}: this is the output folder; choose another one for the new model"
        )
    if begun:
        description = read_description(output)
        weights = description.training.get("init_from", {}).get("weights")
        return Inherited(description.model, _facts(folder, weights), None)
    origin = Origin(folder)
    origin.check(corpus)
    weights = checksum(folder / WEIGHTS)
    return Inherited(origin.loaded.description.model, _facts(folder, weights), origin)


def _facts(folder: Path, weights: str | None) -> dict[str, Any]:
    return {"model": str(folder), "weights": weights}


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
