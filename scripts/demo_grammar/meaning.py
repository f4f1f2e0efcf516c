"""What a sentence says, before it is put into either language."""

from dataclasses import dataclass, replace

from demo_grammar.lexicon import Adjective, Noun, Slot, Verb, Words


@dataclass(frozen=True)
class Pronoun:
    """A personal pronoun, or "somebody", "who" and the like, with its forms by case."""

    english: dict[str, str]
    german: dict[str, str]
    person: int = 3
    plural: bool = False
    definite: bool = True


@dataclass(frozen=True)
class Determiner:
    """An article or what takes its place.

    Its German form is `stem` and an ending of the table `pattern`; `declension` is that of the
    adjectives after it ("weak", "mixed" or "strong").
    """

    english: str
    english_plural: str
    stem: str
    pattern: str
    declension: str
    definite: bool = False


@dataclass(frozen=True)
class NounPhrase:
    """A noun with its determiner and adjectives, and perhaps a relative clause."""

    determiner: Determiner
    adjectives: tuple[Adjective, ...]
    noun: Noun
    plural: bool
    relative: Words | None = None
    person: int = 3

    @property
    def definite(self) -> bool:
        """Whether listeners know which one is meant; such objects stand early in German."""
        return self.determiner.definite


@dataclass(frozen=True)
class Pair:
    """Two noun phrases joined by "and"."""

    first: NounPhrase
    second: NounPhrase
    person: int = 3
    plural: bool = True
    definite: bool = True


Nominal = Pronoun | NounPhrase | Pair


def is_person(phrase: Nominal) -> bool:
    """Whether the phrase is about persons, as every pronoun is."""
    if isinstance(phrase, Pronoun):
        return True
    noun = phrase.noun if isinstance(phrase, NounPhrase) else phrase.first.noun
    return "person" in noun.classes


def has_determiner(phrase: Nominal, determiner: Determiner) -> bool:
    """Whether it is a noun phrase with that determiner."""
    return isinstance(phrase, NounPhrase) and phrase.determiner is determiner


def is_same_noun(phrase: Nominal, other: Nominal) -> bool:
    """Whether both phrases have the same noun (the dog sees a dog)."""
    if isinstance(phrase, NounPhrase) and isinstance(other, NounPhrase):
        return phrase.noun is other.noun
    return False


@dataclass(frozen=True)
class Argument:
    """An object, and the slot of the verb that it fills."""

    slot: Slot
    nominal: Nominal


@dataclass(frozen=True)
class Clause:
    """One clause, in no language.

    `tense` is "present", "progressive", "past", "perfect" or "future"; `modal` is the English modal
    verb or "". The complement is what belongs closest to the verb: where it goes, what it is, what
    it costs.
    """

    subject: Nominal
    verb: Verb
    tense: str
    modal: str = ""
    negated: bool = False
    arguments: tuple[Argument, ...] = ()
    complement: Words | None = None
    time: Words | None = None
    frequency: Words | None = None
    manner: Words | None = None
    place: Words | None = None

    def without_argument(self, argument: Argument) -> "Clause":
        """Return the clause without one of its objects."""
        kept = tuple(other for other in self.arguments if other is not argument)
        return replace(self, arguments=kept)
