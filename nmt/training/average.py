"""Averaging: one model out of several of a kind, by the mean of each weight (Junczys-Dowmunt 2016).

The last checkpoints of a training, averaged, can be a little better than any of them.
"""

import logging
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from nmt.decoding.model_folder import (
    Description,
    load_weights,
    read_description,
    save_weights,
    write_description,
)
from nmt.errors import FolderError, UsageError
from nmt.files import checksum, umask
from nmt.tensors import load_tensors
from nmt.training.checkpoint import trained_in, weights_of

log = logging.getLogger("nmt")


@dataclass(frozen=True)
class _Ingredient:
    """One set of weights, and the model folder it is of."""

    path: Path
    folder: Path

    @property
    def is_checkpoint(self) -> bool:
        return self.path != self.folder


def average(sources: Sequence[Path | str], output: Path | str) -> int:
    """Average the weights of models, of checkpoints, or of both, into a new model folder.

    Args:
        sources: model folders; checkpoint files, which lie in a model's folder `checkpoints`; or
            such a folder, which stands for all checkpoints in it.
        output: the model folder to make.

    Returns:
        how many sets of weights were averaged.

    Raises:
        FolderError: no such model, a damaged one, one of another kind than the first, or an
            output that exists.
        UsageError: nothing to average.
    """
    output = Path(output)
    ingredients = [each for source in sources for each in _ingredients(Path(source))]
    if not ingredients:
        raise UsageError("there is nothing to average: name models or checkpoints")
    if output.exists():
        raise FolderError(f"{output}: this exists already; name a new folder for the average")
    first = ingredients[0].folder
    description = read_description(first)
    for each in ingredients[1:]:
        _check_alike(first, each.folder)
    sums: dict[str, Tensor] = {}
    for each in ingredients:
        for name, tensor in _weights(each, description).items():
            # In float64, so that neither order nor number of models matters.
            sums[name] = sums.get(name, torch.zeros((), dtype=torch.float64)) + tensor.double()
    _write(output, first, description, sums, [str(each.path) for each in ingredients])
    log.info(f"the average of {len(ingredients)} sets of weights is in {output}")
    return len(ingredients)


def _ingredients(source: Path) -> list[_Ingredient]:
    """Find the weights that a source stands for."""
    # Where people stand in the folder itself, only the whole path tells its name.
    place = source.absolute() if source.parent == Path() else source
    if source.is_file():
        if place.parent.name != "checkpoints":
            raise FolderError(
                f"{source}: this is neither a model folder nor a checkpoint in a model's folder "
                "checkpoints"
            )
        return [_Ingredient(source, place.parent.parent)]
    if source.is_dir() and place.name == "checkpoints":
        found = trained_in(source)
        if not found:
            raise FolderError(f"{source}: there are no checkpoints in this folder")
        return [_Ingredient(path, place.parent) for path in found]
    return [_Ingredient(source, source)]


def _check_alike(first: Path, other: Path) -> None:
    """Refuse to average models whose weights mean different things."""
    one, two = read_description(first), read_description(other)
    if (one.model, one.joint) != (two.model, two.joint):
        raise FolderError(f"{first} and {other}: models of different architectures have no average")
    for side in ("source", "target"):
        mine, theirs = getattr(one, side), getattr(two, side)
        if checksum(first / mine.vocabulary) != checksum(other / theirs.vocabulary):
            raise FolderError(
                f"{first} and {other}: models with different {side} vocabularies have no average"
            )


def _weights(each: _Ingredient, description: Description) -> dict[str, Tensor]:
    """Read one set of weights."""
    model = description.build()
    if not each.is_checkpoint:
        load_weights(each.folder, model)
        return {name: parameter.detach() for name, parameter in model.named_parameters()}
    tensors, _ = load_tensors(each.path)
    expected = {name: parameter.shape for name, parameter in model.named_parameters()}
    found = weights_of(tensors)
    if {name: tensor.shape for name, tensor in found.items()} != expected:
        raise FolderError(f"{each.path}: this is not a checkpoint of the model in {each.folder}")
    return found


def _write(
    output: Path,
    first: Path,
    description: Description,
    sums: dict[str, Tensor],
    names: list[str],
) -> None:
    """Make the folder beside its place, and put it there when it is whole."""
    model = description.build()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(sums[name] / len(names))
    described = replace(description, training={**description.training, "average_of": names})
    sides = (description.source, description.target)
    try:
        name = tempfile.mkdtemp(dir=output.parent, prefix=f".{output.name}.", suffix=".tmp")
    except OSError as error:
        error.filename = str(output)  # the temporary name would mean nothing to the user
        raise
    beside = Path(name)
    try:
        write_description(beside, described, [first / side.vocabulary for side in sides])
        save_weights(beside, model, {"average_of": names})
        beside.chmod(0o777 & ~umask())
        os.rename(beside, output)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
