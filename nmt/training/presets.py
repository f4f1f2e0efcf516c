"""Presets: named files of settings, and the choice among them by the size of a corpus."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nmt.errors import SettingError, nearest
from nmt.models.config import ModelConfig
from nmt.settings import assignments, build, describe, read_toml
from nmt.training.catalogue import FOLDER, OURS, SECTION, facts, names
from nmt.training.config import TrainConfig

GROUPS = {"model": ModelConfig, "train": TrainConfig}
# Training pairs up to which a preset is the right size.
SIZES = (("tiny", 4_000), ("small", 20_000))
LARGEST = "base"


@dataclass(frozen=True)
class Settings:
    """Everything that decides what a run computes, apart from the corpus and the seed."""

    preset: str
    model: ModelConfig
    train: TrainConfig


@dataclass(frozen=True)
class SettingValues:
    """One setting: its full name, its value in each preset of our own, and its meaning."""

    name: str
    values: dict[str, str]
    meaning: str


def list_settings() -> list[SettingValues]:
    """Return every setting that a preset file or `--set` may change."""
    presets = {name: resolve(name, [], 0) for name in OURS}
    found = []
    for group in GROUPS:
        columns = [describe(group, getattr(preset, group)) for preset in presets.values()]
        for rows in zip(*columns, strict=True):
            values = dict(zip(presets, (row.value for row in rows), strict=True))
            found.append(SettingValues(rows[0].name, values, rows[0].meaning))
    return found


def choose(pairs: int) -> str:
    """Return the preset for a corpus of so many training pairs."""
    return next((name for name, most in SIZES if pairs <= most), LARGEST)


def resolve(preset: str, changes: list[str], pairs: int) -> Settings:
    """Put together a preset and the user's changes.

    Args:
        preset: "auto", a preset's name, or a TOML file of the same settings.
        changes: texts like "model.hidden_size=768"; they override the preset.
        pairs: training pairs of the corpus, for "auto".

    Raises:
        SettingError: an unknown preset, group, setting or fact, or an unfit value.
    """
    name = choose(pairs) if preset == "auto" else preset
    read = read_toml(_path(name))
    facts(name, read.pop(SECTION, {}))
    values = _merge(read, assignments(changes), name)
    return Settings(
        preset=name,
        model=build(ModelConfig, values.get("model", {}), "model"),
        train=build(TrainConfig, values.get("train", {}), "train"),
    )


def _path(name: str) -> Path:
    own = FOLDER / f"{name}.toml"
    if own.exists():
        return own
    if name.endswith(".toml"):
        return Path(name)
    raise SettingError(
        f"there is no preset '{name}'{nearest(name, names())}; "
        f"choose one of auto, {', '.join(names())}, or give a .toml file"
    )


def _merge(
    base: dict[str, Any], changes: dict[str, dict[str, str]], name: str
) -> dict[str, dict[str, Any]]:
    merged: dict[str, dict[str, Any]] = {}
    for where, source in ((f"preset {name}", base), ("--set", changes)):
        for group, values in source.items():
            if group not in GROUPS or not isinstance(values, dict):
                raise SettingError(
                    f"{where}: there is no group of settings '{group}'{nearest(group, GROUPS)}; "
                    f"the groups are {', '.join(GROUPS)}"
                )
            merged.setdefault(group, {}).update(values)
    return merged
