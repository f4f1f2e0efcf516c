"""The words of the demo language, read from the tables beside this file."""

import functools
import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
PLACE_KINDS = ("in", "to", "near", "away", "onto")


@dataclass(frozen=True)
class Words:
    """The same short expression in both languages."""

    english: str
    german: str


@dataclass(frozen=True)
class Noun:
    """A noun; its classes say which verbs and adjectives it goes with."""

    english: str
    english_plural: str
    german: str
    german_plural: str
    gender: str  # "m", "f" or "n"
    weak: bool
    classes: tuple[str, ...]

    @property
    def countable(self) -> bool:
        """Whether the noun has a plural."""
        return self.german_plural != "-"


@dataclass(frozen=True)
class Adjective:
    """An adjective with its comparatives; `comparative` is None where none makes sense."""

    english: str
    german: str
    stem: str
    comparative: Words | None
    classes: tuple[str, ...]
    excluded: tuple[str, ...]

    def suits(self, noun: Noun) -> bool:
        """Whether the adjective can describe the noun."""
        return bool(set(self.classes) & set(noun.classes)) and not (
            set(self.excluded) & set(noun.classes)
        )


@dataclass(frozen=True)
class EnglishVerb:
    """The forms of an English verb; `particle` is the "up" of "pick up"."""

    base: str
    third: str
    past: str
    participle: str
    ing: str
    particle: str


@dataclass(frozen=True)
class GermanVerb:
    """The forms of a German verb; `prefix` is the "an" of "anrufen", and no other form has it."""

    prefix: str
    infinitive: str
    third: str
    participle: str
    with_sein: bool


@dataclass(frozen=True)
class Slot:
    """A place for an object: its prepositions ("" for none), German case and noun classes."""

    english_preposition: str
    german_preposition: str
    case: str
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Verb:
    """A verb in both languages with the company it keeps."""

    english: EnglishVerb
    german: GermanVerb
    subjects: tuple[str, ...]
    slots: tuple[Slot, ...]
    place: str  # "", or how a place completes the verb, one of PLACE_KINDS
    marks: tuple[str, ...]


@dataclass(frozen=True)
class Site:
    """A noun that can be a place: where (dative), and where to in German."""

    noun: Noun
    english_preposition: str
    german_preposition: str
    direction_preposition: str
    direction_case: str


@dataclass(frozen=True)
class Ground:
    """A relation in space, as "on" a surface."""

    english_preposition: str
    german_preposition: str
    noun_class: str


def third_person(base: str) -> str:
    """Return the English third person singular; it spells like a plural."""
    if re.search(r"(s|x|ch|sh|o)$", base):
        return base + "es"
    if re.search(r"[^aeiou]y$", base):
        return base[:-1] + "ies"
    return base + "s"


def past_tense(base: str) -> str:
    """Return the regular English past."""
    if base.endswith("e"):
        return base + "d"
    if re.search(r"[^aeiou]y$", base):
        return base[:-1] + "ied"
    return base + "ed"


def present_participle(base: str) -> str:
    """Return the English form in -ing: carry, carrying; write, writing; run, running."""
    if base.endswith("e") and not base.endswith("ee"):
        return base[:-1] + "ing"
    if re.fullmatch(r"[^aeiou]*[aeiou][^aeiouwxy]", base):
        return base + base[-1] + "ing"
    return base + "ing"


def read_table(name: str) -> dict[str, list[list[str]]]:
    """Read a table as rows of cells under the name of their section ("" before the first)."""
    sections: dict[str, list[list[str]]] = {"": []}
    section = ""
    for line in (FOLDER / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
            sections[section] = []
        elif line and not line.startswith("#"):
            sections[section].append([cell.strip() for cell in line.split("|")])
    return sections


def _noun(english: str, german: str, classes: str) -> Noun:
    singular, *irregular = english.split(", ")
    name, plural, *weak = german.split(", ")
    article, word = name.split()
    return Noun(
        english=singular,
        english_plural=irregular[0] if irregular else third_person(singular),
        german=word,
        german_plural=plural,
        gender={"der": "m", "die": "f", "das": "n"}[article],
        weak=bool(weak),
        classes=tuple(classes.split()),
    )


def _adjective(english: str, german: str, classes: str) -> Adjective:
    word, *more = english.split(", ")
    lemma, *rest = german.split(", ")
    comparative = Words(more[0] if more else f"more {word}", rest[0]) if rest else None
    return Adjective(
        english=word,
        german=lemma,
        stem=rest[1] if len(rest) > 1 else lemma.removesuffix("e"),
        comparative=comparative,
        classes=tuple(name for name in classes.split() if not name.startswith("-")),
        excluded=tuple(name[1:] for name in classes.split() if name.startswith("-")),
    )


def english_verb(cell: str) -> EnglishVerb:
    """Read `swim swam swum` or `pick+up`; what is missing is regular."""
    first, *forms = cell.split()
    base, _, particle = first.partition("+")
    past = forms[0] if forms else past_tense(base)
    return EnglishVerb(
        base=base,
        third="has" if base == "have" else third_person(base),
        past=past,
        participle=forms[1] if len(forms) > 1 else past,
        ing=forms[2] if len(forms) > 2 else present_participle(base),
        particle=particle,
    )


def german_verb(cell: str) -> GermanVerb:
    """Read `an/rufen ruft hat gerufen`."""
    name, third, auxiliary, participle = cell.split()
    *prefix, infinitive = name.split("/")
    return GermanVerb("".join(prefix), infinitive, third, participle, auxiliary == "ist")


def _slots(cell: str) -> tuple[Slot, ...]:
    found = re.findall(r"(?:([a-z]+) )?(?:(\w+)\+)?(acc|dat):([a-z,]+)", cell)
    return tuple(Slot(e, g, case, tuple(classes.split(","))) for e, g, case, classes in found)


def _verb(english: str, german: str, subjects: str, objects: str, marks: str = "") -> Verb:
    last = objects.split()[-1]
    return Verb(
        english=english_verb(english),
        german=german_verb(german),
        subjects=tuple(subjects.split()),
        slots=_slots(objects),
        place=last if last in PLACE_KINDS else "",
        marks=tuple(marks.split()),
    )


def _site(name: str, prepositions: str, direction: str) -> Site:
    english, german = prepositions.split()
    return Site(noun(name), english, german, *direction.split("+"))


def _ground(prepositions: str, noun_class: str) -> Ground:
    english, german = prepositions.rsplit(" ", 1)
    return Ground(english, german, noun_class)


NOUNS = tuple(_noun(*row) for row in read_table("nouns.txt")[""])
VERBS = tuple(_verb(*row) for row in read_table("verbs.txt")[""])
ADJECTIVES = tuple(_adjective(*row) for row in read_table("adjectives.txt")[""])


def noun(english: str) -> Noun:
    """Return the noun of that English name."""
    return next(noun for noun in NOUNS if noun.english == english)


_PHRASES = read_table("phrases.txt")
TIMES = {
    kind: tuple(Words(*row) for row in _PHRASES[kind])
    for kind in ("now", "habit", "past", "future")
}
FREQUENCIES = tuple(Words(*row) for row in _PHRASES["frequency"])
MANNERS = {row[0]: Words(*row) for row in _PHRASES["manner"]}
PLACES = tuple(Words(*row[:2]) for row in _PHRASES["place"])
DIRECTIONS = tuple(Words(*row[2:]) for row in _PHRASES["place"] if len(row) == 4)
SITES = tuple(_site(*row) for row in _PHRASES["site"])
GROUNDS = tuple(_ground(*row) for row in _PHRASES["ground"])
UNITS = tuple(Words(*row) for row in _PHRASES["unit"])
TENS = tuple(Words(*row) for row in _PHRASES["ten"])
PROFESSIONS = tuple(tuple(row) for row in _PHRASES["profession"])


@functools.cache
def nouns_of(classes: tuple[str, ...]) -> tuple[Noun, ...]:
    """Return the nouns of any of the classes, in the order of the table."""
    return tuple(noun for noun in NOUNS if set(classes) & set(noun.classes))


@functools.cache
def adjectives_for(noun: Noun) -> tuple[Adjective, ...]:
    """Return the adjectives that can describe the noun."""
    return tuple(adjective for adjective in ADJECTIVES if adjective.suits(noun))
