"""Drawing the meaning of one clause at random."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from demo_grammar import english, german
from demo_grammar.dice import Dice
from demo_grammar.lexicon import (
    ADJECTIVES,
    FREQUENCIES,
    MANNERS,
    NOUNS,
    PROFESSIONS,
    TIMES,
    VERBS,
    EnglishVerb,
    GermanVerb,
    Slot,
    Verb,
    Words,
    adjectives_for,
    english_verb,
    german_verb,
    nouns_of,
)
from demo_grammar.meaning import (
    Argument,
    Clause,
    Nominal,
    NounPhrase,
    has_determiner,
    is_person,
    is_same_noun,
)
from demo_grammar.phrases import (
    ALL,
    BARE,
    EVERY,
    HE,
    IT,
    NO,
    NOBODY,
    SHE,
    known,
    known_object,
    new_object,
    noun_phrase,
    number,
    on_what,
    subject,
    where,
    where_to,
)


@dataclass(frozen=True)
class Mood:
    """A tense, perhaps with a modal verb, and the kind of time that goes with it ("" for none)."""

    tense: str
    modal: str = ""
    times: str = ""


@dataclass(frozen=True)
class Style:
    """What a clause may be like in its place in the sentence.

    `moods` are weighted; `be_moods` are those of clauses with "be". `adverbs` and `negation` are
    probabilities; a plain clause has a definite subject; an active one has a verb of action.
    """

    moods: tuple[tuple[float, Mood], ...]
    be_moods: tuple[tuple[float, Mood], ...]
    adverbs: float = 0.0
    negation: float = 0.15
    plain: bool = False
    active: bool = False


NOW = Mood("progressive", times="now")
FREE_MOODS = (
    (5, NOW),
    (5, Mood("present", times="habit")),
    (5, Mood("past", times="past")),
    (2, Mood("perfect")),
    (2.5, Mood("future", times="future")),
    (1, Mood("present", "can", "future")),
    (0.7, Mood("present", "should", "future")),
    (0.7, Mood("present", "have to", "future")),
    (0.7, Mood("present", "want to", "future")),
    (0.5, Mood("present", "be allowed to", "future")),
    (0.8, Mood("present", "like to")),
    (0.7, Mood("past", "can", "past")),
    (0.5, Mood("past", "have to", "past")),
    (0.5, Mood("past", "want to", "past")),
)
BE_MOODS = (
    (5, Mood("present", times="now")),
    (3, Mood("past", times="past")),
    (1, Mood("future", times="future")),
)
PRESENT = ((1.0, Mood("present")),)
RESULTS = (
    (4, Mood("future", times="future")),
    (1, Mood("present", "can", "future")),
    (1, Mood("present", "should", "future")),
    (1, Mood("present", "have to", "future")),
)

FREE = Style(FREE_MOODS, BE_MOODS, adverbs=0.6)
QUESTION = Style(FREE_MOODS, BE_MOODS, adverbs=0.5, negation=0.0, plain=True)
SHORT = Style(FREE_MOODS, BE_MOODS, adverbs=0.2)
ASKED = replace(SHORT, negation=0.0, plain=True)
HABIT = Style(PRESENT, PRESENT)
RESULT = Style(RESULTS, ((1.0, Mood("future", times="future")),), adverbs=0.15)
MEANWHILE = Style(((1.0, NOW),), PRESENT, negation=0.0, active=True)
PURPOSE = Style(((1.0, Mood("present", "can")),), PRESENT, active=True)
INFINITIVE = Style(PRESENT, PRESENT, negation=0.0, active=True)


def plain_verb(english_forms: str, german_forms: str) -> Verb:
    """Make a verb that the table does not hold, for a kind of sentence of its own."""
    return Verb(english_verb(english_forms), german_verb(german_forms), (), (), "", ("state",))


BE = Verb(
    EnglishVerb("be", "is", "was", "been", "being", ""),
    GermanVerb("", "sein", "ist", "gewesen", with_sein=True),
    subjects=(),
    slots=(),
    place="",
    marks=("state",),
)
COST = plain_verb("cost cost cost", "kosten kostet hat gekostet")
WEATHER = (
    plain_verb("rain", "regnen regnet hat geregnet"),
    plain_verb("snow", "schneien schneit hat geschneit"),
)
WEATHER_WORDS = tuple(
    map(Words, ("cold", "warm", "dark", "windy"), ("kalt", "warm", "dunkel", "windig"))
)
ALREADY = Words("already", "schon")
YET = Words("yet", "noch")
ACTIVE_VERBS = tuple(verb for verb in VERBS if not {"state", "simple"} & set(verb.marks))
# What is so for a time only; nobody "was tall an hour ago".
PASSING = ("happy", "sad", "tired", "sick", "hungry", "dirty", "cold", "warm", "windy", "dark")
COMPARABLE = tuple(adjective for adjective in ADJECTIVES if adjective.comparative)
SITUATED = nouns_of(("laid", "animal"))
PRICED = nouns_of(("thing", "clothing", "vehicle", "furniture", "device"))
DESCRIBED = tuple(noun for noun in NOUNS if "person" not in noun.classes)


def _fit(mood: Mood, verb: Verb, phrase: Nominal) -> Mood:
    """Bend the mood to what the verb and the subject allow."""
    acting = is_person(phrase)
    if "state" in verb.marks and (mood.modal or mood.tense in ("progressive", "perfect")):
        return Mood("present", times="now")
    if "simple" in verb.marks and (mood.tense == "progressive" or mood.modal == "like to"):
        return Mood("present", times="now")
    if mood.modal == "like to" and not _can_be_liked(verb):
        return Mood("present", "want to", "future") if acting else Mood("present")
    if mood.modal and not acting:
        return replace(mood, modal="")
    return mood


def _can_be_liked(verb: Verb) -> bool:
    simple_object = len(verb.slots) == 1 and _takes_kein(verb.slots[0]) and not verb.place
    return simple_object or not verb.slots


def _takes_kein(slot: Slot) -> bool:
    return slot.case == "acc" and not slot.german_preposition


def can_be_negated(phrase: Nominal) -> bool:
    """Whether "not" means one thing only beside this subject (not so with "all" and "every")."""
    return phrase.definite and not (has_determiner(phrase, ALL) or has_determiner(phrase, EVERY))


def _argument(dice: Dice, slot: Slot, clause: Clause) -> Argument:
    if clause.modal == "like to":
        noun = dice.pick([each for each in nouns_of(slot.classes) if "kin" not in each.classes])
        return Argument(slot, noun_phrase(dice, BARE, noun))
    new = 0.5 if _takes_kein(slot) else 0.0 if clause.negated else 0.25
    if clause.subject is NOBODY or has_determiner(clause.subject, NO):
        new = 0.0  # "nobody forgets some words" would have two meanings
    while True:
        if dice.chance(new):
            phrase: Nominal = new_object(dice, slot, clause.negated)
        else:
            phrase = known_object(dice, slot, clause.subject)
        if not is_same_noun(phrase, clause.subject):
            return Argument(slot, phrase)


def _complement(dice: Dice, verb: Verb) -> Words | None:
    if verb.place == "in":
        return where(dice)
    if verb.place == "onto":
        return on_what(dice, "acc")
    return where_to(dice, verb.place) if verb.place else None


def _with_time(dice: Dice, clause: Clause, times: str, probability: float) -> Clause:
    if clause.tense == "perfect":
        return replace(clause, time=YET) if clause.negated else replace(clause, frequency=ALREADY)
    if not times or ("state" in clause.verb.marks and times == "habit"):
        return clause
    # Without its time, "I read the book" would not tell past from present.
    certain = clause.tense == "past" and clause.verb is not BE and not clause.modal
    if not certain and not dice.chance(probability):
        return clause
    often = times == "habit" and not clause.negated and dice.chance(0.55)
    if often:
        fitting = FREQUENCIES if clause.subject.definite else FREQUENCIES[:-1]  # "never" is last
        return replace(clause, frequency=dice.pick(fitting))
    # "Not every day" and "every day not" differ, so what is negated happens "in winter" instead.
    fitting_times = [
        words
        for words in TIMES[times]
        if not (clause.negated and words.english.startswith("every"))
    ]
    return replace(clause, time=dice.pick(fitting_times))


def _with_circumstances(dice: Dice, clause: Clause) -> Clause:
    """Add where and how, where the verb and its objects leave room for it."""
    marks = clause.verb.marks
    if clause.tense == "perfect" or clause.modal == "like to":
        return clause
    if "here" in marks and dice.chance(0.3):
        return replace(clause, place=where(dice))
    manners = [MANNERS[mark] for mark in marks if mark in MANNERS]
    all_known = all(argument.nominal.definite for argument in clause.arguments)
    if manners and all_known and not clause.complement and dice.chance(0.3):
        return replace(clause, manner=dice.pick(manners))
    return clause


def verb_clause(
    dice: Dice,
    style: Style,
    given: Nominal | None = None,
    verbs: Sequence[Verb] | None = None,
) -> Clause:
    """Draw a clause around one of the verbs; `given` is its subject (a person) if there is one."""
    choices = verbs or (ACTIVE_VERBS if style.active else VERBS)
    verb = dice.pick([each for each in choices if not given or "person" in each.subjects])
    mood = dice.weighted(style.moods)
    plain = style.plain or mood.tense == "perfect"
    phrase = given or subject(dice, verb.subjects, plain)
    mood = _fit(mood, verb, phrase)
    negated = can_be_negated(phrase) and dice.chance(style.negation)
    clause = Clause(phrase, verb, mood.tense, mood.modal, negated)
    arguments = tuple(_argument(dice, slot, clause) for slot in verb.slots)
    clause = replace(clause, arguments=arguments, complement=_complement(dice, verb))
    clause = _with_time(dice, clause, mood.times, style.adverbs)
    return _with_circumstances(dice, clause)


def be_clause(dice: Dice, style: Style, phrase: Nominal, complement: Words) -> Clause:
    """Draw tense and negation of a clause with "be", and the time of what does not last."""
    mood = dice.weighted(style.be_moods)
    negated = can_be_negated(phrase) and dice.chance(style.negation)
    clause = Clause(phrase, BE, mood.tense, negated=negated, complement=complement)
    passing = complement.english.split()[-1] in PASSING
    return _with_time(dice, clause, mood.times, style.adverbs) if passing else clause


def described(dice: Dice, style: Style) -> Clause:
    """Draw "the coat is too expensive"."""
    phrase: Nominal = replace(known(dice, dice.pick(DESCRIBED)), adjectives=())
    if dice.chance(0.5):
        phrase = subject(dice, ("person",), style.plain)
    return be_clause(dice, style, phrase, description(dice, phrase))


def description(dice: Dice, phrase: Nominal) -> Words:
    """Draw what somebody or something is: very old, too expensive, red."""
    if isinstance(phrase, NounPhrase):
        fitting = [each for each in adjectives_for(phrase.noun) if each not in phrase.adjectives]
    else:
        fitting = [each for each in ADJECTIVES if "person" in each.classes]
    adjective = dice.pick(fitting)
    degree = Words("", "")
    if adjective.comparative and dice.chance(0.25):
        degree = dice.pick((Words("very", "sehr"), Words("too", "zu")))
    return Words(
        english.say(degree.english, adjective.english), german.say(degree.german, adjective.german)
    )


def compared(dice: Dice, style: Style) -> Clause:
    """Draw "this lamp is older than my table" and "this lamp is as old as my table"."""
    adjective = dice.pick(COMPARABLE)
    nouns = [noun for noun in NOUNS if adjective.suits(noun)]
    noun = dice.pick(nouns)
    phrase = replace(known(dice, noun), adjectives=())
    other = known(dice, dice.pick([each for each in nouns if each is not noun]))
    words = Words(f"as {adjective.english} as", f"so {adjective.german} wie")
    if adjective.comparative and dice.chance(0.7):
        comparative = adjective.comparative
        words = Words(f"{comparative.english} than", f"{comparative.german} als")
    complement = Words(
        f"{words.english} {english.nominal(other)}",
        f"{words.german} {german.nominal(other, 'nom')}",
    )
    return be_clause(dice, style, phrase, complement)


def profession(dice: Dice, style: Style) -> Clause:
    """Draw "my aunt is a doctor"; the German word depends on the person."""
    job, of_man, of_woman = dice.pick(PROFESSIONS)
    female = dice.chance(0.5)
    phrase: Nominal = SHE if female else HE
    if dice.chance(0.6):
        sex = "female" if female else "male"
        kin = [noun for noun in nouns_of((sex,)) if "kin" in noun.classes]
        phrase = replace(known(dice, dice.pick(kin)), plural=False, adjectives=())
    words = Words(job, of_woman if female else of_man)
    return be_clause(dice, replace(style, negation=0.0), phrase, words)


def situated(dice: Dice, style: Style) -> Clause:
    """Draw "the key is under the bed"."""
    return be_clause(dice, style, known(dice, dice.pick(SITUATED)), on_what(dice, "dat"))


def aged(dice: Dice, style: Style) -> Clause:
    """Draw "he is twelve years old"."""
    count = number(dice)
    words = Words(f"{count.english} years old", f"{count.german} Jahre alt")
    return be_clause(dice, style, subject(dice, ("person",), plain=True), words)


def costs(dice: Dice, style: Style) -> Clause:
    """Draw "the hat costs 27 euros"."""
    count = number(dice)
    words = Words(f"{count.english} euros", f"{count.german} Euro")
    phrase = known(dice, dice.pick(PRICED))
    negated = dice.chance(style.negation)
    return Clause(phrase, COST, "present", negated=negated, complement=words)


def weather(dice: Dice, style: Style) -> Clause:
    """Draw "it is snowing" and "it was very cold"."""
    if dice.chance(0.5):
        return be_clause(dice, style, IT, dice.pick(WEATHER_WORDS))
    verb, mood = dice.pick(WEATHER), dice.weighted(style.moods)
    tense = "past" if mood.tense == "perfect" else mood.tense
    clause = Clause(IT, verb, tense, negated=dice.chance(style.negation))
    return _with_time(dice, clause, mood.times if tense == mood.tense else "past", style.adverbs)


KINDS = (
    (66, verb_clause),
    (11, described),
    (5, compared),
    (2, profession),
    (4, situated),
    (3, aged),
    (3, costs),
    (5, weather),
)


def any_clause(dice: Dice, style: Style) -> Clause:
    """Draw a clause of any kind that the style allows."""
    return verb_clause(dice, style) if style.active else dice.weighted(KINDS)(dice, style)
