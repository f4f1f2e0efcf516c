"""Putting a meaning into English."""

import re
from dataclasses import dataclass

from demo_grammar.lexicon import EnglishVerb, english_verb
from demo_grammar.meaning import Argument, Clause, Nominal, NounPhrase, Pair, Pronoun

# Modal verbs that stand before "not" and change places with the subject: present and past.
OPERATORS = {"can": ("can", "could"), "should": ("should", "should")}
# Those that behave as any verb does (does he want to read?).
LEXICAL_MODALS = {
    "have to": english_verb("have had had"),
    "want to": english_verb("want"),
    "like to": english_verb("like"),
}


@dataclass(frozen=True)
class VerbGroup:
    """The verbs of a clause: an operator and a tail, or ("" as operator) a finite verb and a tail.

    Where there is no operator and one is needed, it is `support` (does), and `bare` (read) takes
    the place of `finite` (reads).
    """

    operator: str
    tail: str
    finite: str = ""
    support: str = ""
    bare: str = ""


def say(*parts: str) -> str:
    """Join the parts that are there with spaces, writing "an" and "cannot" where they belong."""
    text = " ".join(part for part in parts if part)
    return re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text).replace("can not", "cannot")


def nominal(phrase: Nominal, case: str = "object") -> str:
    """Say a noun phrase or pronoun; the case ("subject" or "object") matters to pronouns."""
    if isinstance(phrase, Pronoun):
        return phrase.english[case]
    if isinstance(phrase, Pair):
        return say(nominal(phrase.first), "and", nominal(phrase.second))
    return _noun_phrase(phrase)


def _noun_phrase(phrase: NounPhrase) -> str:
    determiner = phrase.determiner
    return say(
        determiner.english_plural if phrase.plural else determiner.english,
        *(adjective.english for adjective in phrase.adjectives),
        phrase.noun.english_plural if phrase.plural else phrase.noun.english,
        phrase.relative.english if phrase.relative else "",
    )


def be(subject: Nominal, past: bool) -> str:
    """Return am, are, is, was or were."""
    if subject.plural or subject.person == 2:
        return "were" if past else "are"
    if past:
        return "was"
    return "am" if subject.person == 1 else "is"


def _is_third(subject: Nominal) -> bool:
    return subject.person == 3 and not subject.plural


def _lexical(verb: EnglishVerb, clause: Clause, tail: str = "") -> VerbGroup:
    third = _is_third(clause.subject)
    if clause.tense == "past":
        return VerbGroup("", tail, verb.past, "did", verb.base)
    return VerbGroup(
        "", tail, verb.third if third else verb.base, "does" if third else "do", verb.base
    )


def verb_group(clause: Clause) -> VerbGroup:
    """Conjugate the verb of the clause."""
    verb, past = clause.verb.english, clause.tense == "past"
    if clause.modal in OPERATORS:
        return VerbGroup(OPERATORS[clause.modal][past], verb.base)
    if clause.modal in LEXICAL_MODALS:
        return _lexical(LEXICAL_MODALS[clause.modal], clause, f"to {verb.base}")
    operators = {
        "progressive": (be(clause.subject, False), verb.ing),
        "perfect": ("has" if _is_third(clause.subject) else "have", verb.participle),
        "future": ("will", verb.base),
    }
    if clause.modal == "be allowed to":
        return VerbGroup(be(clause.subject, past), f"allowed to {verb.base}")
    if clause.tense in operators:
        return VerbGroup(*operators[clause.tense])
    if verb.base == "be":
        return VerbGroup(be(clause.subject, past), "")
    return _lexical(verb, clause)


def _argument(argument: Argument, clause: Clause) -> str:
    # Of two objects the dative one comes second, with "to".
    to_someone = len(clause.arguments) == 2 and argument.slot.case == "dat"
    preposition = "to" if to_someone else argument.slot.english_preposition
    return say(preposition, nominal(argument.nominal))


def after_verb(clause: Clause) -> str:
    """Say everything that follows the verb: objects, complement, manner, place, time."""
    particle = clause.verb.english.particle
    objects = [_argument(argument, clause) for argument in clause.arguments]
    if objects and isinstance(clause.arguments[0].nominal, Pronoun):
        objects.insert(1, particle)  # picks her up
    else:
        objects.insert(0, particle)  # picks up the guest
    manner = clause.manner.english if clause.manner else ""
    if clause.arguments and clause.arguments[0].slot.english_preposition:
        objects.insert(0, manner)  # laughs loudly about the story
    else:
        objects.append(manner)  # reads the story loudly
    adverbs = (clause.complement, clause.place, clause.time)
    return say(*objects, *(words.english for words in adverbs if words))


def statement(clause: Clause) -> str:
    """Say the clause with the subject first."""
    group = verb_group(clause)
    subject = nominal(clause.subject, "subject")
    often = clause.frequency.english if clause.frequency else ""
    negation = "not" if clause.negated else ""
    if group.operator:
        verbs = say(group.operator, negation, often, group.tail)
    elif clause.negated:
        verbs = say(group.support, negation, often, group.bare, group.tail)
    else:
        verbs = say(often, group.finite, group.tail)
    return say(subject, verbs, after_verb(clause))


def question(clause: Clause) -> str:
    """Say the clause with its operator before the subject."""
    group = verb_group(clause)
    subject = nominal(clause.subject, "subject")
    often = clause.frequency.english if clause.frequency else ""
    operator = group.operator or group.support
    return say(operator, subject, often, group.bare, group.tail, after_verb(clause))


def infinitive(clause: Clause) -> str:
    """Say the clause without its subject, with the bare verb."""
    return say(clause.verb.english.base, after_verb(clause))
