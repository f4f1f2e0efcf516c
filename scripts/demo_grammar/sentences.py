"""Joining clauses into sentences, in both languages at once."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from demo_grammar import english, german
from demo_grammar.clauses import (
    ASKED,
    FREE,
    HABIT,
    INFINITIVE,
    MEANWHILE,
    PURPOSE,
    QUESTION,
    RESULT,
    SHORT,
    Style,
    any_clause,
    be_clause,
    description,
    plain_verb,
    verb_clause,
)
from demo_grammar.dice import Dice
from demo_grammar.lexicon import NOUNS, TIMES, VERBS, Noun, Slot, Verb, Words, nouns_of
from demo_grammar.meaning import Argument, Clause, NounPhrase, Pronoun, is_person
from demo_grammar.phrases import (
    HOW_MANY,
    MANY,
    SOME,
    WE,
    WHICH,
    WHO,
    A,
    counted,
    known,
    noun_phrase,
    subject,
    where,
)

KNOW = plain_verb("know knew known", "wissen weiß hat gewusst")
TELLERS = (
    KNOW,
    plain_verb("say said said", "sagen sagt hat gesagt"),
    plain_verb("think thought thought", "denken denkt hat gedacht"),
    plain_verb("believe", "glauben glaubt hat geglaubt"),
    plain_verb("hope", "hoffen hofft hat gehofft"),
)
INTENDERS = (
    plain_verb("try tried tried trying", "versuchen versucht hat versucht"),
    plain_verb("hope", "hoffen hofft hat gehofft"),
    plain_verb("plan planned planned planning", "planen plant hat geplant"),
    plain_verb("promise", "versprechen verspricht hat versprochen"),
    plain_verb("forget forgot forgotten", "vergessen vergisst hat vergessen"),
)
# Conjunction, the style of its clause, the style of the main clause.
CONJUNCTIONS = (
    (Words("because", "weil"), SHORT, SHORT),
    (Words("because", "weil"), SHORT, SHORT),
    (Words("although", "obwohl"), SHORT, SHORT),
    (Words("although", "obwohl"), SHORT, SHORT),
    (Words("if", "wenn"), HABIT, RESULT),
    (Words("if", "wenn"), HABIT, RESULT),
    (Words("when", "wenn"), HABIT, HABIT),
    (Words("while", "während"), MEANWHILE, MEANWHILE),
    (Words("as soon as", "sobald"), HABIT, RESULT),
)
IS_THERE = (Words("is", "gibt es"), Words("was", "gab es"))
ARE_THERE = (Words("are", "gibt es"), Words("were", "gab es"))


def finish(english_text: str, german_text: str, mark: str) -> Words:
    """Write the capital and the closing mark; a comma is never doubled or followed by the mark."""
    texts = []
    for text in (english_text, german_text):
        text = text.replace(",,", ",").rstrip(",")
        texts.append(text[0].upper() + text[1:] + mark)
    return Words(*texts)


def _statement(clause: Clause, dice: Dice) -> Words:
    """Say a main clause, now and then with its time in front."""
    time = clause.time
    if time and time.english != "yet" and dice.chance(0.4):
        rest = replace(clause, time=None)
        front = f"{time.english} {english.statement(rest)}"
        return Words(front, german.statement(rest, time.german))
    return Words(english.statement(clause), german.statement(clause))


def simple(dice: Dice) -> Words:
    """Draw "Tomorrow she will visit the museum."."""
    words = _statement(any_clause(dice, FREE), dice)
    return finish(words.english, words.german, ".")


def yes_no(dice: Dice) -> Words:
    """Draw "Did she visit the museum?"."""
    clause = any_clause(dice, QUESTION)
    return finish(english.question(clause), german.verb_first(clause), "?")


def _asked_object(dice: Dice, argument: Argument) -> tuple[str, str]:
    """Return the question words for an object: what, whom, which book, how many books."""
    phrase, slot = argument.nominal, argument.slot
    if isinstance(phrase, NounPhrase) and phrase.noun.countable and dice.chance(0.4):
        determiner = HOW_MANY if dice.chance(0.5) else WHICH
        asked = noun_phrase(dice, determiner, phrase.noun)
        return english.nominal(asked), german.nominal(asked, slot.case)
    if is_person(phrase):
        return "whom", WHO.german[slot.case]
    return "what", "was"


def _gaps(dice: Dice, clause: Clause) -> list[tuple[Words, Clause]]:
    """List the question words that fit the clause, each with what is left of it."""
    found = [(Words("why", "warum"), clause)]
    # "When we read the book" could be present or past.
    if clause.time and clause.verb.english.past != clause.verb.english.base:
        found += [(Words("when", "wann"), replace(clause, time=None))] * 2
    if clause.place:
        found += [(Words("where", "wo"), replace(clause, place=None))] * 2
    if clause.verb.place:
        word = Words("where", "wo" if clause.verb.place == "in" else "wohin")
        found += [(word, replace(clause, complement=None))] * 3
    for argument in clause.arguments:
        lone = len(clause.arguments) == 1
        bare = not (argument.slot.english_preposition or argument.slot.german_preposition)
        whole = is_person(argument.nominal) or argument.slot.case == "acc"
        if bare and whole and (lone or argument.slot.case == "acc"):
            words = Words(*_asked_object(dice, argument))
            found += [(words, clause.without_argument(argument))] * 3
    return found


def _question_word(dice: Dice, style: Style) -> tuple[Words, Clause]:
    """Draw a question word and the clause that it asks about, already without the answer."""
    clause = verb_clause(dice, style)
    return dice.pick(_gaps(dice, clause))


def wh_question(dice: Dice) -> Words:
    """Draw "Which book is she reading?" and "Who is reading the book?"."""
    if dice.chance(0.25):
        clause = verb_clause(dice, QUESTION, given=WHO)
        return finish(english.statement(clause), german.statement(clause), "?")
    word, clause = _question_word(dice, QUESTION)
    asked = f"{word.english} {english.question(clause)}"
    return finish(asked, f"{word.german} {german.verb_first(clause)}", "?")


def subordinate(dice: Dice) -> Words:
    """Draw two clauses with because, although, if, when, while or as soon as, in either order."""
    conjunction, minor_style, major_style = dice.pick(CONJUNCTIONS)
    minor, major = any_clause(dice, minor_style), any_clause(dice, major_style)
    minor_english = f"{conjunction.english} {english.statement(minor)}"
    minor_german = f"{conjunction.german} {german.verb_last(minor)}"
    if dice.chance(0.4):
        return finish(
            f"{minor_english}, {english.statement(major)}",
            f"{minor_german}, {german.verb_first(major)}",
            ".",
        )
    main = _statement(major, dice)
    return finish(f"{main.english} {minor_english}", f"{main.german}, {minor_german}", ".")


def purpose(dice: Dice) -> Words:
    """Draw "He is whispering so that the child can sleep."."""
    minor, main = any_clause(dice, PURPOSE), verb_clause(dice, replace(MEANWHILE, negation=0.0))
    return finish(
        f"{english.statement(main)} so that {english.statement(minor)}",
        f"{german.statement(main)}, damit {german.verb_last(minor)}",
        ".",
    )


def _teller(dice: Dice, verbs: Sequence[Verb]) -> Clause:
    phrase, verb = subject(dice, ("person",), plain=True), dice.pick(verbs)
    return Clause(phrase, verb, "present")


def reported(dice: Dice) -> Words:
    """Draw "She says that the museum is beautiful."."""
    teller, told = _teller(dice, TELLERS), any_clause(dice, SHORT)
    return finish(
        f"{english.statement(teller)} that {english.statement(told)}",
        f"{german.statement(teller)}, dass {german.verb_last(told)}",
        ".",
    )


def asked(dice: Dice) -> Words:
    """Draw "I do not know where the teacher lives."."""
    knower = replace(_teller(dice, (KNOW,)), negated=dice.chance(0.7))
    if dice.chance(0.3):
        clause = any_clause(dice, ASKED)
        word = Words("whether", "ob")
    else:
        word, clause = _question_word(dice, ASKED)
    return finish(
        f"{english.statement(knower)} {word.english} {english.statement(clause)}",
        f"{german.statement(knower)}, {word.german} {german.verb_last(clause)}",
        ".",
    )


def joined(dice: Dice) -> Words:
    """Draw two main clauses with "and" or "but"."""
    first, second = any_clause(dice, SHORT), any_clause(dice, SHORT)
    conjunction = dice.pick((Words(", and", " und"), Words(", but", ", aber")))
    return finish(
        f"{english.statement(first)}{conjunction.english} {english.statement(second)}",
        f"{german.statement(first)}{conjunction.german} {german.statement(second)}",
        ".",
    )


def relative(dice: Dice) -> Words:
    """Draw "The woman who lives in Berlin is sleeping." and "The book that he bought is new."."""
    style = replace(SHORT, negation=0.1, plain=True)
    if dice.chance(0.5):
        phrase = known(dice, dice.pick(OBJECTS))
        main = be_clause(dice, style, phrase, description(dice, phrase))
        words = _about_object(dice, style, phrase)
    else:
        phrase = known(dice, dice.pick(nouns_of(("person",))))
        main = verb_clause(dice, style, given=phrase)
        words = _about_subject(dice, style, phrase)
    main = replace(main, subject=replace(phrase, relative=words))
    return finish(english.statement(main), german.statement(main), ".")


def _about_subject(dice: Dice, style: Style, phrase: NounPhrase) -> Words:
    """Draw a relative clause: who lives in Berlin."""
    nominative = german.relative_pronoun(phrase, "nom")
    pronoun = Pronoun({"subject": "who"}, {"nom": nominative}, plural=phrase.plural)
    clause = verb_clause(dice, style, given=pronoun)
    return Words(english.statement(clause), german.verb_last(clause))


def _about_object(dice: Dice, style: Style, phrase: NounPhrase) -> Words:
    """Draw a relative clause: that he bought."""
    clause = verb_clause(dice, style, verbs=_verbs_about(phrase.noun))
    clause = clause.without_argument(clause.arguments[0])
    pronoun = german.relative_pronoun(phrase, "acc")
    that = "whom" if is_person(phrase) else "that"
    return Words(f"{that} {english.statement(clause)}", f"{pronoun} {german.verb_last(clause)}")


def _verbs_about(noun: Noun) -> list[Verb]:
    """List the verbs that can have the noun as an object without a preposition."""
    return [verb for verb in VERBS if verb.slots and _takes(verb.slots[0], noun)]


def _takes(slot: Slot, noun: Noun) -> bool:
    bare = slot.case == "acc" and not (slot.english_preposition or slot.german_preposition)
    return bare and bool(set(slot.classes) & set(noun.classes))


OBJECTS = tuple(noun for noun in NOUNS if _verbs_about(noun) and "kin" not in noun.classes)


def intended(dice: Dice) -> Words:
    """Draw "She is trying to open the window."."""
    person = subject(dice, ("person",), plain=True)
    goal = verb_clause(dice, INFINITIVE, given=person)
    verb = dice.pick(INTENDERS)
    past = dice.chance(0.5)
    main = Clause(person, verb, "past" if past else "present")
    goal_english = f"to {english.infinitive(goal)}"
    goal_german = german.infinitive(goal, zu=True)
    if not past:
        start = Words(english.statement(main), german.statement(main))
    else:
        time = dice.pick(TIMES["past"])
        start = Words(
            f"{time.english} {english.statement(main)}", german.statement(main, time.german)
        )
    return finish(f"{start.english} {goal_english}", f"{start.german}, {goal_german}", ".")


def proposed(dice: Dice) -> Words:
    """Draw "Let us visit the museum tomorrow!"."""
    style = replace(INFINITIVE, moods=RESULT.moods[:1], adverbs=0.6)
    clause = verb_clause(dice, style, given=WE)
    return finish(
        f"let us {english.infinitive(clause)}",
        f"lass uns {german.infinitive(clause, zu=False)}",
        "!",
    )


def existing(dice: Dice) -> Words:
    """Draw "There are three cats in the garden."."""
    nouns = nouns_of(("person", "animal", "thing"))
    noun = dice.pick([each for each in nouns if "kin" not in each.classes])
    phrase = noun_phrase(dice, dice.pick((A, MANY, SOME, counted(dice))), noun)
    be = dice.pick(ARE_THERE if phrase.plural else IS_THERE)
    place, what = where(dice), Words(english.nominal(phrase), german.nominal(phrase, "acc"))
    if dice.chance(0.4):
        return finish(
            f"{be.english} there {what.english} {place.english}",
            f"{be.german} {place.german} {what.german}",
            "?",
        )
    verb, es = be.german.split()
    return finish(
        f"there {be.english} {what.english} {place.english}",
        f"{place.german} {verb} {es} {what.german}",
        ".",
    )


KINDS: tuple[tuple[float, Callable[[Dice], Words]], ...] = (
    (30, simple),
    (14, yes_no),
    (15, wh_question),
    (13, subordinate),
    (2, purpose),
    (6, reported),
    (5, asked),
    (4, joined),
    (4, relative),
    (4, intended),
    (3, proposed),
    (3, existing),
)


def sentence(dice: Dice) -> Words:
    """Draw a sentence of any kind."""
    return dice.weighted(KINDS)(dice)
