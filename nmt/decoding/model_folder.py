"""Model folders: everything needed to translate, in one place that can be copied and used alone."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from nmt.data.vocabulary import Vocabulary
from nmt.decoding.model_files import (
    FORMAT_VERSION,
    MANIFEST,
    WEIGHTS,
    find_weights,
    read_model_manifest,
)
from nmt.errors import FolderError
from nmt.files import atomic_write, write_manifest
from nmt.models.config import ModelConfig
from nmt.models.seq2seq import Seq2Seq
from nmt.settings import build
from nmt.tensors import load_tensors, save_tensors


@dataclass(frozen=True)
class Side:
    """One language of a model."""

    language: str | None
    vocabulary: str  # the SentencePiece model's file name in the folder
    pieces: int


@dataclass(frozen=True)
class Description:
    """What a model is and how it came to be; the content of config.json."""

    model: ModelConfig
    source: Side
    target: Side
    joint: bool
    longest_source: int  # pieces of the longest source it was trained on
    training: dict[str, Any]  # preset, settings, seed, corpus; reverse and init_from if given

    def build(self) -> Seq2Seq:
        """Make the model with random weights."""
        return Seq2Seq(self.model, self.source.pieces, self.target.pieces, self.joint)


@dataclass(frozen=True)
class LoadedModel:
    """A model folder, opened."""

    description: Description
    model: Seq2Seq
    source_vocabulary: Vocabulary
    target_vocabulary: Vocabulary


def write_description(folder: Path, description: Description, vocabularies: list[Path]) -> None:
    """Begin a model folder: its vocabularies and config.json. Weights come later."""
    for path in vocabularies:
        with atomic_write(folder / path.name, "wb") as file:
            file.write(path.read_bytes())
    names = sorted({path.name for path in vocabularies})
    write_manifest(folder, MANIFEST, FORMAT_VERSION, asdict(description), names)


def read_description(folder: Path) -> Description:
    """Read and check config.json.

    Raises:
        FolderError: no model folder, a damaged one, or one of a newer version.
    """
    content = read_model_manifest(folder)
    try:
        description = Description(
            model=build(ModelConfig, dict(content["model"]), f"{folder / MANIFEST}: model"),
            source=Side(**content["source"]),
            target=Side(**content["target"]),
            joint=content["joint"],
            longest_source=content["longest_source"],
            training=content["training"],
        )
        if not _makes_sense(description, content["files"]):
            raise ValueError
        return description
    except (KeyError, TypeError, ValueError):
        raise FolderError(
            f"{folder / MANIFEST}: the file is damaged; train the model again"
        ) from None


def _makes_sense(description: Description, files: dict[str, str]) -> bool:
    """Say whether the values are of their types, and of a size that a model can have."""
    sides = (description.source, description.target)
    numbers = [description.longest_source, *(side.pieces for side in sides)]
    numbers += [value for value in vars(description.model).values() if isinstance(value, int)]
    return (
        all(isinstance(number, int) and 0 <= number < 1 << 31 for number in numbers)
        and all(side.vocabulary in files for side in sides)
        and all(isinstance(side.language, str | None) for side in sides)
        and isinstance(description.joint, bool)
        and isinstance(description.training, dict)
    )


def save_weights(folder: Path, model: Seq2Seq, notes: dict[str, Any]) -> None:
    """Write the weights, atomically. `notes` says which update they are of, and their scores."""
    save_tensors(folder / WEIGHTS, dict(model.named_parameters()), notes)


def load_weights(folder: Path, model: Seq2Seq) -> dict[str, Any]:
    """Fill `model` with the folder's weights and return the notes that were saved with them.

    Raises:
        FolderError: the weights are missing, damaged, no numbers, or of another architecture.
    """
    path = find_weights(folder)
    tensors, notes = load_tensors(path)
    parameters = dict(model.named_parameters())
    expected = {name: parameter.shape for name, parameter in parameters.items()}
    if {name: tensor.shape for name, tensor in tensors.items()} != expected:
        raise FolderError(f"{path}: these weights are not of the model in {MANIFEST}")
    if not all(bool(tensor.isfinite().all()) for tensor in tensors.values()):
        raise FolderError(f"{path}: some of the weights are no numbers; train the model again")
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(tensors[name])
    return notes


def load_model(folder: Path) -> LoadedModel:
    """Open a model folder.

    Raises:
        FolderError: no model folder, a damaged one, or one of a newer version.
    """
    description = read_description(folder)
    model = description.build()
    load_weights(folder, model)
    source = Vocabulary.load(folder / description.source.vocabulary)
    same = description.target.vocabulary == description.source.vocabulary
    target = source if same else Vocabulary.load(folder / description.target.vocabulary)
    for side, vocabulary in ((description.source, source), (description.target, target)):
        if len(vocabulary) != side.pieces:
            raise FolderError(f"{vocabulary.path}: not the vocabulary this model was trained with")
    return LoadedModel(description, model.eval(), source, target)
