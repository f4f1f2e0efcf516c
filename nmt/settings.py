"""Settings: frozen dataclasses whose fields carry their own meaning.

A group of settings is a frozen dataclass whose fields are made by `setting(default, "meaning")`.
Bounds are checked where one is made. They can be read and listed without torch.
"""

import dataclasses
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from nmt.errors import SettingError, nearest

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


def setting(default: Any, meaning: str, choices: tuple[str, ...] = ()) -> Any:
    """Declare one setting: its default (in this one place), what it means, and what it may be."""
    return dataclasses.field(default=default, metadata={"meaning": meaning, "choices": choices})


def build(group: type[T], values: Mapping[str, Any], where: str) -> T:
    """Make a settings object from `values`, text or typed.

    Raises:
        SettingError: an unknown name (the nearest known one is offered) or an unfit value.
    """
    fields = {field.name: field for field in dataclasses.fields(group)}
    types = get_type_hints(group)
    typed = {}
    for name, value in values.items():
        if name not in fields:
            raise SettingError(f"{where}: there is no setting '{name}'{nearest(name, fields)}")
        typed[name] = _convert(value, types[name], f"{where}: {name}")
        choices = fields[name].metadata["choices"]
        if choices and typed[name] not in choices:
            raise SettingError(
                f"{where}: {name} cannot be '{value}'{nearest(str(value), choices)}; choose one of "
                f"{', '.join(choices)}"
            )
    try:
        return group(**typed)
    except ValueError as error:  # a bound checked in __post_init__
        raise SettingError(f"{where}: {error}") from None


def _convert(value: Any, kind: Any, where: str) -> Any:
    """Turn text or a JSON/TOML value into the type that the setting declares."""
    try:
        if kind is bool:
            if isinstance(value, bool):
                return value
            return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[
                str(value).lower()
            ]
        # Python would make 1 of 1.5 and of true; whoever wrote that meant something else.
        if (kind is int and isinstance(value, float)) or isinstance(value, bool):
            raise ValueError
        return kind(value)
    except (ValueError, KeyError, TypeError, OverflowError):
        names = {int: "a whole number", float: "a number", bool: "true or false"}
        raise SettingError(f"{where} needs {names.get(kind, 'text')}, not '{value}'") from None


def assignments(texts: list[str]) -> dict[str, dict[str, str]]:
    """Split `["model.layers=2", ...]` into `{"model": {"layers": "2"}, ...}`.

    Raises:
        SettingError: a text without `group.name=value`.
    """
    groups: dict[str, dict[str, str]] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        group, dot, key = name.strip().partition(".")
        if not equals or not dot:
            raise SettingError(f"--set {text}: write it as group.name=value")
        groups.setdefault(group, {})[key] = value.strip()
    return groups


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file of settings.

    Raises:
        SettingError: the file is missing or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingError(f"{path}: cannot be read as a file of settings: {error}") from None


@dataclasses.dataclass(frozen=True)
class SettingRow:
    """One setting, as text for people."""

    name: str
    value: str
    meaning: str


def describe(group: str, values: Any) -> list[SettingRow]:
    """List the settings of a settings object: full name, value, and what each means."""
    rows = []
    for field in dataclasses.fields(values):
        choices = field.metadata["choices"]
        may_be = f" ({', '.join(choices)})" if choices else ""
        rows.append(
            SettingRow(
                f"{group}.{field.name}",
                str(getattr(values, field.name)),
                field.metadata["meaning"] + may_be,
            )
        )
    return rows
