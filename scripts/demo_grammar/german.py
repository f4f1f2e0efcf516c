"""Putting a meaning into German."""

from dataclasses import dataclass

from demo_grammar.lexicon import GermanVerb, Noun
from demo_grammar.meaning import Argument, Clause, Nominal, NounPhrase, Pair, Pronoun

CASES = ("nom", "acc", "dat")

# Endings by case; the columns are masculine, feminine, neuter and plural. "-" is no ending.
ENDINGS = {
    "der": {"nom": "er ie as ie", "acc": "en ie as ie", "dat": "em er em en"},
    "dies": {"nom": "er e es e", "acc": "en e es e", "dat": "em er em en"},
    "ein": {"nom": "- e - e", "acc": "en e - e", "dat": "em er em en"},
    "fixed": dict.fromkeys(CASES, "- - - -"),
    "weak": {"nom": "e e e en", "acc": "en e e en", "dat": "en en en en"},
    "mixed": {"nom": "er e es en", "acc": "en e es en", "dat": "en en en en"},
    "strong": {"nom": "er e es e", "acc": "en e es e", "dat": "em er em en"},
}
RELATIVE_PRONOUNS = {"nom": "der die das die", "acc": "den die das die"}

# Present forms that no rule gives: ich, du, er, wir.
PRESENT = {
    "sein": "bin bist ist sind",
    "haben": "habe hast hat haben",
    "werden": "werde wirst wird werden",
    "mögen": "mag magst mag mögen",
    "wissen": "weiß weißt weiß wissen",
    "können": "kann kannst kann können",
    "müssen": "muss musst muss müssen",
    "wollen": "will willst will wollen",
    "dürfen": "darf darfst darf dürfen",
    "sollen": "sollte solltest sollte sollten",  # what "should" means
}
# Verbs whose past is the preterite even in speech; all others take the perfect.
PRETERITE = {
    "sein": "war warst war waren",
    "haben": "hatte hattest hatte hatten",
    "mögen": "mochte mochtest mochte mochten",
    "wissen": "wusste wusstest wusste wussten",
    "können": "konnte konntest konnte konnten",
    "müssen": "musste musstest musste mussten",
    "wollen": "wollte wolltest wollte wollten",
    "dürfen": "durfte durftest durfte durften",
}
MODALS = {
    "can": "können",
    "should": "sollen",
    "have to": "müssen",
    "want to": "wollen",
    "be allowed to": "dürfen",
}
CONTRACTIONS = {
    "in dem": "im",
    "in das": "ins",
    "an dem": "am",
    "von dem": "vom",
    "zu dem": "zum",
    "zu der": "zur",
}
# After these words, as after "nicht", known objects come first: er hat das Buch schon gelesen.
FOCUS = ("schon", "noch", "nie")


@dataclass(frozen=True)
class VerbGroup:
    """The verbs of a clause: the finite one, its prefix, and what stands at the end."""

    finite: str
    prefix: str
    end: str


def say(*parts: str) -> str:
    """Join the parts that are there with spaces."""
    return " ".join(part for part in parts if part)


def _cell(table: dict[str, str], case: str, noun: Noun, plural: bool) -> str:
    column = 3 if plural else "mfn".index(noun.gender)
    return table[case].split()[column].replace("-", "")


def relative_pronoun(phrase: NounPhrase, case: str) -> str:
    """Return the der, die, das that begins a relative clause about the phrase."""
    return _cell(RELATIVE_PRONOUNS, case, phrase.noun, phrase.plural)


def decline_noun(noun: Noun, case: str, plural: bool) -> str:
    """Return the noun in a case: dem Jungen, den Kindern."""
    if not plural:
        return noun.german_plural if noun.weak and case != "nom" else noun.german
    if case == "dat" and noun.german_plural[-1] not in "ns":
        return noun.german_plural + "n"
    return noun.german_plural


def _noun_phrase(phrase: NounPhrase, case: str) -> str:
    determiner, noun, plural = phrase.determiner, phrase.noun, phrase.plural
    article = determiner.stem + _cell(ENDINGS[determiner.pattern], case, noun, plural)
    ending = _cell(ENDINGS[determiner.declension], case, noun, plural)
    adjectives = (adjective.stem + ending for adjective in phrase.adjectives)
    text = say(article, *adjectives, decline_noun(noun, case, plural))
    return f"{text}, {phrase.relative.german}," if phrase.relative else text


def nominal(phrase: Nominal, case: str) -> str:
    """Say a noun phrase or pronoun in the case "nom", "acc" or "dat"."""
    if isinstance(phrase, Pronoun):
        return phrase.german[case]
    if isinstance(phrase, Pair):
        return say(nominal(phrase.first, case), "und", nominal(phrase.second, case))
    return _noun_phrase(phrase, case)


def with_preposition(preposition: str, phrase: Nominal, case: str) -> str:
    """Say preposition and phrase, drawn together where German does: im Garten, zur Schule."""
    article, *rest = nominal(phrase, case).split(" ", 1)
    start = say(preposition, article)
    return say(CONTRACTIONS.get(start, start), *rest)


def _column(subject: Nominal) -> int:
    return 3 if subject.plural else subject.person - 1


def present(verb: GermanVerb, subject: Nominal) -> str:
    """Conjugate in the present, the prefix left out: ich rufe, du rufst, er ruft, wir rufen."""
    if verb.infinitive in PRESENT:
        return PRESENT[verb.infinitive].split()[_column(subject)]
    stem = verb.third.removesuffix("t")
    first = verb.infinitive.removesuffix("n")
    if verb.infinitive.endswith("eln"):
        first = verb.infinitive.removesuffix("eln") + "le"  # ich lächle
    second = stem + ("t" if stem[-1] in "sßzx" else "st")
    return (first, second, verb.third, verb.infinitive)[_column(subject)]


def _auxiliary(infinitive: str, subject: Nominal, past: bool) -> str:
    return (PRETERITE if past else PRESENT)[infinitive].split()[_column(subject)]


def verb_group(clause: Clause) -> VerbGroup:
    """Conjugate the verb of the clause."""
    verb, subject, past = clause.verb.german, clause.subject, clause.tense == "past"
    infinitive = verb.prefix + verb.infinitive
    if clause.modal in MODALS:
        return VerbGroup(_auxiliary(MODALS[clause.modal], subject, past), "", infinitive)
    if clause.tense == "future":
        return VerbGroup(_auxiliary("werden", subject, False), "", infinitive)
    if past and verb.infinitive in PRETERITE:
        return VerbGroup(_auxiliary(verb.infinitive, subject, True), "", "")
    if clause.tense in ("past", "perfect"):
        auxiliary = _auxiliary("sein" if verb.with_sein else "haben", subject, False)
        return VerbGroup(auxiliary, "", verb.prefix + verb.participle)
    return VerbGroup(present(verb, subject), verb.prefix, "")


def _argument(argument: Argument) -> str:
    slot = argument.slot
    if slot.german_preposition:
        return with_preposition(slot.german_preposition, argument.nominal, slot.case)
    return nominal(argument.nominal, slot.case)


def _rank(argument: Argument, clause: Clause) -> str:
    """Say where in the middle of the clause an object stands."""
    phrase = argument.nominal
    if argument.slot.german_preposition:
        return "late"
    if isinstance(phrase, Pronoun):
        return "pronoun"
    if "late" in clause.verb.marks:
        return "late"
    if phrase.definite:
        return "known"
    return "someone" if argument.slot.case == "dat" else "new"


def _has_kein(clause: Clause) -> bool:
    return any(
        isinstance(argument.nominal, NounPhrase) and argument.nominal.determiner.stem == "kein"
        for argument in clause.arguments
    )


def middle(clause: Clause) -> str:
    """Say all between the finite verb (or the subject) and the verbs at the end, in German order.

    Pronouns, time, known objects, manner, place, new objects, complement. What is negated, or
    in focus, follows the known objects; "nicht" stands before manner, place and complement.
    """
    ranks: dict[str, list[str]] = {
        name: [] for name in ("pronoun", "known", "someone", "new", "late")
    }
    for argument in sorted(clause.arguments, key=lambda each: each.slot.case == "acc"):
        ranks[_rank(argument, clause)].append(_argument(argument))
    text = {
        name: words.german if (words := getattr(clause, name)) else ""
        for name in ("time", "frequency", "manner", "place", "complement")
    }
    negation = "nicht" if clause.negated and not _has_kein(clause) else ""
    when = [text["time"], text["frequency"]]
    focus = clause.negated or any(word in FOCUS for word in when)
    early = [*ranks["known"], *when] if focus else [*when, *ranks["known"]]
    gladly = "gern" if clause.modal == "like to" else ""
    return say(
        *(*ranks["pronoun"], *early, *ranks["someone"], negation, gladly),
        *(text["manner"], text["place"], *ranks["new"], *ranks["late"], text["complement"]),
    )


def statement(clause: Clause, front: str = "") -> str:
    """Say the clause with its verb second, after `front` or else after the subject."""
    group = verb_group(clause)
    subject = nominal(clause.subject, "nom")
    start = (front, group.finite, subject) if front else (subject, group.finite)
    return say(*start, middle(clause), group.prefix, group.end)


def verb_first(clause: Clause) -> str:
    """Say the clause as a yes/no question, or as it follows a question word or another clause."""
    group = verb_group(clause)
    subject = nominal(clause.subject, "nom")
    return say(group.finite, subject, middle(clause), group.prefix, group.end)


def verb_last(clause: Clause) -> str:
    """Say the clause as a subordinate one, its conjunction left to the caller."""
    group = verb_group(clause)
    subject = nominal(clause.subject, "nom")
    return say(subject, middle(clause), group.end, group.prefix + group.finite)


def infinitive(clause: Clause, zu: bool) -> str:
    """Say the clause without its subject: das Buch lesen, das Licht einzuschalten."""
    verb = clause.verb.german
    if not zu:
        return say(middle(clause), verb.prefix + verb.infinitive)
    if verb.prefix:
        return say(middle(clause), f"{verb.prefix}zu{verb.infinitive}")
    return say(middle(clause), "zu", verb.infinitive)
