"""The presets that come with the program, and what is known of each: its paper, its figures.

A preset is a TOML file of settings. Its section [preset] holds no settings but facts:

    [preset]
    year = 2015
    paper = "Who: What"
    summary = "what it is made of, in a few words"
    # as benchmarks/family.py measures them; absent until it has
    parameters = 9876543
    bleu = 35.7
    tokens_per_second = 4321
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nmt.errors import SettingError, nearest
from nmt.settings import read_toml

FOLDER = Path(__file__).parent / "presets"
SECTION = "preset"
OURS = ("tiny", "small", "base")  # by size; all others carry the name of their paper


@dataclass(frozen=True)
class Preset:
    """What is known of a preset; None and "" are not known.

    Attributes:
        name: what `--preset` calls it.
        year: when its paper was published.
        paper: who wrote it, and its title.
        summary: what the model is made of.
        parameters: how many numbers the model has, with the vocabulary of the benchmark.
        bleu: on Multi30k English to German, test_2016_flickr, after the benchmark's updates.
        tokens_per_second: target tokens that it was trained with in a second.
    """

    name: str
    year: int | None = None
    paper: str = ""
    summary: str = ""
    parameters: int | None = None
    bleu: float | None = None
    tokens_per_second: float | None = None


KINDS: dict[str, tuple[type, ...]] = {
    "year": (int,),
    "paper": (str,),
    "summary": (str,),
    "parameters": (int,),
    "bleu": (int, float),
    "tokens_per_second": (int, float),
}


def list_presets() -> list[Preset]:
    """Return the presets that come with the program: ours by size, then the papers' by year."""
    found = [facts(path.stem, read_toml(path).get(SECTION, {})) for path in FOLDER.glob("*.toml")]
    return sorted(found, key=_place)


def _place(preset: Preset) -> tuple[int, int, str]:
    own = OURS.index(preset.name) if preset.name in OURS else len(OURS)
    return own, preset.year or 0, preset.name


def names() -> list[str]:
    """Return the names of the presets that come with the program, in the same order."""
    return [preset.name for preset in list_presets()]


def facts(name: str, section: Any) -> Preset:
    """Read the section [preset] of a file of settings.

    Raises:
        SettingError: it holds something unknown, or of another kind.
    """
    where = f"preset {name}"
    if not isinstance(section, dict):
        raise SettingError(f"{where}: 'preset' is a section, not a value; write [preset]")
    for key, value in section.items():
        if key not in KINDS:
            raise SettingError(
                f"{where}: [preset] has no '{key}'{nearest(key, KINDS)}; it has {', '.join(KINDS)}"
            )
        if not isinstance(value, KINDS[key]) or isinstance(value, bool):
            raise SettingError(
                f"{where}: [preset] {key} needs {'text' if str in KINDS[key] else 'a number'}, "
                f"not '{value}'"
            )
    return Preset(name, **section)


def as_table(presets: list[Preset]) -> list[list[str]]:
    """Return a row of text for each preset under a header; `-` is not known."""
    rows = [
        [
            preset.name,
            _text(preset.year, "d"),
            _text(preset.parameters, ",d"),
            _text(preset.bleu, ".1f"),
            _text(preset.tokens_per_second, ",.0f"),
            preset.summary,
        ]
        for preset in presets
    ]
    return [["preset", "year", "parameters", "BLEU", "tokens/s", "features"], *rows]


def _text(figure: float | None, form: str) -> str:
    return "-" if figure is None else format(figure, form)
