"""The demo grammar: forms and word order, in both languages."""

from dataclasses import replace

import pytest
from demo_grammar import english, german, lexicon, phrases
from demo_grammar.clauses import ALREADY, BE, YET
from demo_grammar.lexicon import VERBS, Adjective, Verb, Words, noun
from demo_grammar.meaning import Argument, Clause, Determiner, Nominal, NounPhrase

ME, YOU, HE, SHE, WE, THEY = phrases.PERSONS
TODAY = Words("today", "heute")
YESTERDAY = Words("yesterday", "gestern")


def verb(base: str, particle: str = "", cases: str | None = None) -> Verb:
    """Find a verb of the lexicon by its English name."""
    return next(
        each
        for each in VERBS
        if each.english.base == base
        and each.english.particle == particle
        and (cases is None or " ".join(slot.case for slot in each.slots) == cases)
    )


def adjective(name: str) -> Adjective:
    return next(each for each in lexicon.ADJECTIVES if each.english == name)


def np(determiner: Determiner, *words: str, plural: bool = False) -> NounPhrase:
    *adjectives, name = words
    return NounPhrase(determiner, tuple(map(adjective, adjectives)), noun(name), plural)


MY = phrases.POSSESSIVES[0]
THE, A, BARE, MANY, NOT_A = phrases.THE, phrases.A, phrases.BARE, phrases.MANY, phrases.NOT_A
TWO = Determiner("", "two", "zwei", "fixed", "strong")


def clause(subject: Nominal, action: Verb, tense: str, *objects: Nominal, **more: object) -> Clause:
    arguments = tuple(map(Argument, action.slots, objects))
    return replace(Clause(subject, action, tense, arguments=arguments), **more)


@pytest.mark.parametrize(
    ("phrase", "forms"),
    [
        (np(THE, "old", "dog"), "der alte Hund, den alten Hund, dem alten Hund"),
        (np(A, "old", "dog"), "ein alter Hund, einen alten Hund, einem alten Hund"),
        (np(A, "old", "cat"), "eine alte Katze, eine alte Katze, einer alten Katze"),
        (np(A, "old", "horse"), "ein altes Pferd, ein altes Pferd, einem alten Pferd"),
        (np(THE, "boy"), "der Junge, den Jungen, dem Jungen"),
        (np(THE, "child", plural=True), "die Kinder, die Kinder, den Kindern"),
        (np(THE, "car", plural=True), "die Autos, die Autos, den Autos"),
        (
            np(MY, "old", "cat", plural=True),
            "meine alten Katzen, meine alten Katzen, meinen alten Katzen",
        ),
        (
            np(MANY, "old", "dog", plural=True),
            "viele alte Hunde, viele alte Hunde, vielen alten Hunden",
        ),
        (np(TWO, "old", "dog", plural=True), "zwei alte Hunde, zwei alte Hunde, zwei alten Hunden"),
        (np(BARE, "cold", "beer"), "kaltes Bier, kaltes Bier, kaltem Bier"),
        (np(THE, "expensive", "hat"), "der teure Hut, den teuren Hut, dem teuren Hut"),
        (
            np(phrases.THIS, "dark", "forest"),
            "dieser dunkle Wald, diesen dunklen Wald, diesem dunklen Wald",
        ),
        (WE, "wir, uns, uns"),
        (SHE, "sie, sie, ihr"),
    ],
)
def test_german_declension(phrase: Nominal, forms: str) -> None:
    assert ", ".join(german.nominal(phrase, case) for case in german.CASES) == forms


@pytest.mark.parametrize(
    ("action", "forms"),
    [
        (verb("read"), "lese liest liest lesen"),
        (verb("work"), "arbeite arbeitest arbeitet arbeiten"),
        (verb("smile"), "lächle lächelst lächelt lächeln"),
        (verb("wash"), "wasche wäschst wäscht waschen"),
        (verb("dance"), "tanze tanzt tanzt tanzen"),
        (verb("have"), "habe hast hat haben"),
        (BE, "bin bist ist sind"),
    ],
)
def test_german_conjugation(action: Verb, forms: str) -> None:
    assert " ".join(german.present(action.german, who) for who in (ME, YOU, HE, WE)) == forms


@pytest.mark.parametrize(
    ("meaning", "english_text", "german_text"),
    [
        # tenses and auxiliaries
        (
            clause(SHE, verb("read"), "progressive", np(THE, "book"), time=TODAY),
            "she is reading the book today",
            "sie liest heute das Buch",
        ),
        (
            clause(THEY, verb("read"), "past", np(A, "book"), time=YESTERDAY),
            "they read a book yesterday",
            "sie haben gestern ein Buch gelesen",
        ),
        (
            clause(HE, verb("arrive"), "past", time=YESTERDAY),
            "he arrived yesterday",
            "er ist gestern angekommen",
        ),
        (clause(ME, verb("visit"), "future", HE), "I will visit him", "ich werde ihn besuchen"),
        (clause(HE, verb("have"), "past", np(A, "dog")), "he had a dog", "er hatte einen Hund"),
        (
            clause(ME, verb("buy"), "perfect", np(THE, "hat"), frequency=ALREADY),
            "I have already bought the hat",
            "ich habe den Hut schon gekauft",
        ),
        # modal verbs
        (
            clause(YOU, verb("visit"), "present", HE, modal="have to"),
            "you have to visit him",
            "du musst ihn besuchen",
        ),
        (
            clause(SHE, verb("swim"), "present", modal="like to"),
            "she likes to swim",
            "sie schwimmt gern",
        ),
        (
            clause(WE, verb("sleep"), "past", modal="can", negated=True),
            "we could not sleep",
            "wir konnten nicht schlafen",
        ),
        # separable verbs
        (clause(SHE, verb("pick", "up"), "present", HE), "she picks him up", "sie holt ihn ab"),
        (
            clause(SHE, verb("pick", "up"), "present", np(THE, "boy")),
            "she picks up the boy",
            "sie holt den Jungen ab",
        ),
        # cases that the verb asks for
        (
            clause(HE, verb("help"), "present", np(THE, "woman")),
            "he helps the woman",
            "er hilft der Frau",
        ),
        (
            clause(HE, verb("give"), "present", np(A, "book"), np(THE, "boy")),
            "he gives a book to the boy",
            "er gibt dem Jungen ein Buch",
        ),
        (
            clause(HE, verb("give"), "present", np(A, "book"), SHE),
            "he gives a book to her",
            "er gibt ihr ein Buch",
        ),
        (
            clause(HE, verb("dream"), "present", np(THE, "car")),
            "he dreams of the car",
            "er träumt vom Auto",
        ),
        # negation
        (
            clause(HE, verb("read"), "present", np(THE, "book"), negated=True, time=TODAY),
            "he does not read the book today",
            "er liest das Buch heute nicht",
        ),
        (
            clause(HE, verb("read"), "past", np(NOT_A, "book"), negated=True, time=YESTERDAY),
            "he did not read a book yesterday",
            "er hat gestern kein Buch gelesen",
        ),
        (
            clause(HE, verb("wait"), "progressive", np(THE, "bus"), negated=True),
            "he is not waiting for the bus",
            "er wartet nicht auf den Bus",
        ),
        (
            clause(HE, verb("read"), "perfect", np(NOT_A, "book"), negated=True, time=YET),
            "he has not read a book yet",
            "er hat noch kein Buch gelesen",
        ),
        (
            clause(HE, verb("play"), "present", negated=True, place=Words("here", "hier")),
            "he does not play here",
            "er spielt nicht hier",
        ),
    ],
)
def test_main_clauses(meaning: Clause, english_text: str, german_text: str) -> None:
    assert english.statement(meaning) == english_text
    assert german.statement(meaning) == german_text


def test_order_of_the_verb_in_questions_and_subordinate_clauses() -> None:
    now = clause(HE, verb("pick", "up"), "progressive", np(THE, "boy"), time=TODAY)
    assert english.question(now) == "is he picking up the boy today"
    assert german.verb_first(now) == "holt er heute den Jungen ab"
    assert german.verb_last(now) == "er heute den Jungen abholt"
    assert german.statement(replace(now, time=None), "heute") == "heute holt er den Jungen ab"
    past = replace(now, tense="past")
    assert english.question(past) == "did he pick up the boy today"
    assert german.verb_last(past) == "er heute den Jungen abgeholt hat"
    able = replace(now, tense="present", modal="can")
    assert english.question(able) == "can he pick up the boy today"
    assert german.verb_last(able) == "er heute den Jungen abholen kann"


def test_infinitives_take_zu_between_prefix_and_stem() -> None:
    separable = clause(HE, verb("pick", "up"), "present", np(THE, "boy"))
    assert german.infinitive(separable, zu=True) == "den Jungen abzuholen"
    whole = clause(HE, verb("read"), "present", np(THE, "book"))
    assert german.infinitive(whole, zu=True) == "das Buch zu lesen"


def test_two_way_prepositions_tell_where_from_where_to() -> None:
    table = np(THE, "table")
    assert german.with_preposition("auf", table, "dat") == "auf dem Tisch"
    assert german.with_preposition("auf", table, "acc") == "auf den Tisch"
    assert german.with_preposition("in", np(THE, "garden"), "dat") == "im Garten"
    assert german.with_preposition("in", np(THE, "office"), "acc") == "ins Büro"
    assert german.with_preposition("zu", np(THE, "school"), "dat") == "zur Schule"


@pytest.mark.parametrize(
    ("base", "third", "past", "ing"),
    [
        ("fly", "flies", "flew", "flying"),
        ("wash", "washes", "washed", "washing"),
        ("dance", "dances", "danced", "dancing"),
        ("swim", "swims", "swam", "swimming"),
        ("play", "plays", "played", "playing"),
        ("forget", "forgets", "forgot", "forgetting"),
        ("see", "sees", "saw", "seeing"),
        ("have", "has", "had", "having"),
        ("visit", "visits", "visited", "visiting"),
    ],
)
def test_english_verb_forms(base: str, third: str, past: str, ing: str) -> None:
    forms = verb(base).english
    assert (forms.third, forms.past, forms.ing) == (third, past, ing)
