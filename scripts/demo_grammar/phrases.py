"""Drawing noun phrases, places and numbers at random."""

from demo_grammar import german
from demo_grammar.dice import Dice
from demo_grammar.english import nominal as english_nominal
from demo_grammar.lexicon import (
    DIRECTIONS,
    GROUNDS,
    PLACES,
    SITES,
    TENS,
    UNITS,
    Adjective,
    Noun,
    Site,
    Slot,
    Words,
    adjectives_for,
    nouns_of,
)
from demo_grammar.meaning import Determiner, Nominal, NounPhrase, Pair, Pronoun

THE = Determiner("the", "the", "d", "der", "weak", definite=True)
THIS = Determiner("this", "these", "dies", "dies", "weak", definite=True)
EVERY = Determiner("every", "", "jed", "dies", "weak", definite=True)
ALL = Determiner("", "all the", "all", "dies", "weak", definite=True)
WHICH = Determiner("which", "which", "welch", "dies", "weak", definite=True)
A = Determiner("a", "", "ein", "ein", "mixed")
BARE = Determiner("", "", "", "fixed", "strong")
MANY = Determiner("", "many", "viel", "dies", "strong")
SOME = Determiner("", "some", "einig", "dies", "strong")
HOW_MANY = Determiner("", "how many", "wie viel", "dies", "strong")
NO = Determiner("no", "no", "kein", "ein", "mixed")
NOT_A = Determiner("a", "any", "kein", "ein", "mixed")
NOT_ANY = Determiner("any", "any", "kein", "ein", "mixed")  # of what cannot be counted
POSSESSIVES = tuple(
    Determiner(english, english, stem, "ein", "mixed", definite=True)
    for english, stem in (
        ("my", "mein"),
        ("your", "dein"),
        ("his", "sein"),
        ("her", "ihr"),
        ("our", "unser"),
        ("their", "ihr"),
    )
)


def _pronoun(forms: str, person: int = 3, plural: bool = False, definite: bool = True) -> Pronoun:
    subject, obj, nominative, accusative, dative = forms.split()
    english = {"subject": subject, "object": obj}
    cases = {"nom": nominative, "acc": accusative, "dat": dative}
    return Pronoun(english, cases, person, plural, definite)


HE = _pronoun("he him er ihn ihm")
SHE = _pronoun("she her sie sie ihr")
WE = _pronoun("we us wir uns uns", 1, plural=True)
THEY = _pronoun("they them sie sie ihnen", plural=True)
I_ME = _pronoun("I me ich mich mir", 1)
YOU = _pronoun("you you du dich dir", 2)  # always "du"
PERSONS = (I_ME, YOU, HE, SHE, WE, THEY)
# Forms such as "ich lächle" come with one pronoun only, so these pronouns come more often.
SUBJECTS = ((2, I_ME), (2, YOU), (1, HE), (1, SHE), (1, WE), (1, THEY))
IT = _pronoun("it it es es ihm")
WHO = _pronoun("who whom wer wen wem")
SOMEBODY = _pronoun("somebody somebody jemand jemanden jemandem", definite=False)
NOBODY = _pronoun("nobody nobody niemand niemanden niemandem", definite=False)

COLOURS = ("red", "blue", "green", "yellow", "black", "white")


def number(dice: Dice, digits: bool = True) -> Words:
    """Draw a number from 2 to 59: twelve, thirty-one (einunddreißig), and 57 if digits may be."""
    kinds = ((6, "unit"), (1, "ten"), (2, "both"), (2 * digits, "digits"))
    kind = dice.weighted(kinds)
    if kind == "unit":
        return dice.pick(UNITS[1:])
    if kind == "digits":
        value = str(dice.pick(range(13, 60)))
        return Words(value, value)
    ten, unit = dice.pick(TENS), dice.pick(UNITS[:9])
    if kind == "ten":
        return ten
    return Words(f"{ten.english}-{unit.english}", f"{unit.german}und{ten.german}")


def counted(dice: Dice, digits: bool = True) -> Determiner:
    """Draw a number as a determiner."""
    words = number(dice, digits)
    return Determiner("", words.english, words.german, "fixed", "strong")


def adjectives(dice: Dice, noun: Noun, probability: float = 0.3) -> tuple[Adjective, ...]:
    """Draw no adjective, one, or one and a colour."""
    fitting = adjectives_for(noun)
    if not fitting or not dice.chance(probability):
        return ()
    first = dice.pick(fitting)
    colours = [adjective for adjective in fitting if adjective.english in COLOURS]
    if colours and first.english in ("old", "new", "small", "big") and dice.chance(0.3):
        return first, dice.pick(colours)
    return (first,)


def noun_phrase(dice: Dice, determiner: Determiner, noun: Noun) -> NounPhrase:
    """Draw the number and the adjectives that go with a determiner and a noun."""
    if not noun.countable or determiner in (A, EVERY):
        plural = False
    elif not determiner.english or determiner is HOW_MANY:
        plural = True
    else:
        plural = dice.chance(0.25)
    return NounPhrase(determiner, adjectives(dice, noun), noun, plural)


def _known_determiner(dice: Dice, noun: Noun) -> Determiner:
    if "kin" in noun.classes:
        return dice.weighted(((4, dice.pick(POSSESSIVES)), (1, THE)))
    whose = 0 if "free" in noun.classes else 2
    return dice.weighted(((5, THE), (2, THIS), (whose, dice.pick(POSSESSIVES))))


def known(dice: Dice, noun: Noun) -> NounPhrase:
    """Draw a definite phrase: the, this or somebody's."""
    return noun_phrase(dice, _known_determiner(dice, noun), noun)


def subject(dice: Dice, classes: tuple[str, ...], plain: bool = False) -> Nominal:
    """Draw a subject; a plain one is definite and may be negated, asked about and so on."""
    if "person" in classes and dice.chance(0.5):
        return dice.weighted(SUBJECTS)
    noun = dice.pick(nouns_of(classes))
    if plain or "kin" in noun.classes or dice.chance(0.55):
        return known(dice, noun)
    if "person" in classes and dice.chance(0.2):
        return dice.pick((SOMEBODY, NOBODY))
    if dice.chance(0.15):
        return Pair(_one(dice, noun), _one(dice, _other(dice, noun, classes)))
    count = counted(dice, digits=False)  # no sentence begins with them
    choices = (A, A, EVERY, EVERY, ALL, MANY, SOME, NO, count, count)
    return noun_phrase(dice, dice.pick(choices), noun)


def _other(dice: Dice, noun: Noun, classes: tuple[str, ...]) -> Noun:
    return dice.pick([other for other in nouns_of(classes) if other is not noun])


def _one(dice: Dice, noun: Noun) -> NounPhrase:
    return NounPhrase(_known_determiner(dice, noun), (), noun, plural=False)


def pronoun_object(dice: Dice, subject_phrase: Nominal) -> Pronoun:
    """Draw an object pronoun that is not the subject itself (I see you, never I see me)."""
    return dice.pick(
        [each for each in PERSONS if each.person == 3 or each.person != subject_phrase.person]
    )


def known_object(dice: Dice, slot: Slot, subject_phrase: Nominal) -> Nominal:
    """Draw a definite object, perhaps a pronoun where the verb is one about persons."""
    noun = dice.pick(nouns_of(slot.classes))
    if "person" in noun.classes and dice.chance(0.4):
        return pronoun_object(dice, subject_phrase)
    return known(dice, noun)


def new_object(dice: Dice, slot: Slot, negated: bool) -> NounPhrase:
    """Draw an indefinite object; a negated one is the kind that German calls "kein"."""
    noun = dice.pick([each for each in nouns_of(slot.classes) if "kin" not in each.classes])
    if not noun.countable:
        return noun_phrase(dice, NOT_ANY if negated else BARE, noun)
    if negated:
        return noun_phrase(dice, NOT_A, noun)
    choices = (A, A, A, BARE, MANY, SOME, counted(dice), counted(dice))
    return noun_phrase(dice, dice.pick(choices), noun)


def _site(dice: Dice, site: Site) -> NounPhrase:
    determiner = dice.weighted(((6, THE), (1, THIS), (1, dice.pick(POSSESSIVES)), (1, A)))
    return NounPhrase(determiner, adjectives(dice, site.noun, 0.15), site.noun, plural=False)


def where(dice: Dice) -> Words:
    """Draw a place: at home, in Berlin, in the old garden."""
    if dice.chance(0.4):
        return dice.pick(PLACES)
    site = dice.pick(SITES)
    phrase = _site(dice, site)
    return Words(
        f"{site.english_preposition} {english_nominal(phrase)}",
        german.with_preposition(site.german_preposition, phrase, "dat"),
    )


def where_to(dice: Dice, distance: str) -> Words:
    """Draw a direction: to Berlin, to the station; `distance` is "near", "away" or "to"."""
    named = {"near": 0.0, "away": 1.0, "to": 0.35}[distance]
    if dice.chance(named):
        return dice.pick(DIRECTIONS)
    site = dice.pick(SITES)
    phrase = _site(dice, site)
    return Words(
        f"to {english_nominal(phrase)}",
        german.with_preposition(site.direction_preposition, phrase, site.direction_case),
    )


def on_what(dice: Dice, case: str) -> Words:
    """Draw a relation to a thing: on the table. The case tells where (dat) from where to (acc)."""
    ground = dice.pick(GROUNDS)
    phrase = known(dice, dice.pick(nouns_of((ground.noun_class,))))
    return Words(
        f"{ground.english_preposition} {english_nominal(phrase)}",
        german.with_preposition(ground.german_preposition, phrase, case),
    )
