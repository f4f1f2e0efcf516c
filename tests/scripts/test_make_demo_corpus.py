"""The demo corpus: its size, its parts kept apart, and the grammar of both its languages."""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from demo_grammar.dice import Dice
from demo_grammar.german import PRETERITE
from demo_grammar.lexicon import NOUNS, VERBS
from demo_grammar.sentences import sentence

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
Corpus = dict[str, list[str]]


def make(folder: Path, *options: str, hash_seed: str = "1") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPTS / "make_demo_corpus.py"), str(folder), *options],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        encoding="utf-8",
    )


def read(folder: Path) -> Corpus:
    return {path.name: path.read_text(encoding="utf-8").splitlines() for path in folder.iterdir()}


def words_of(lines: list[str]) -> Counter[str]:
    return Counter(re.findall(r"[^\W\d]+", " ".join(lines).lower()))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("demo") / "corpus"
    result = make(folder)
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"{folder}: 20,000 train, 1,000 valid, 1,000 test pairs\n"
    return read(folder)


# ---- the files


def test_six_files_of_the_promised_sizes(corpus: Corpus) -> None:
    sizes = {name: len(lines) for name, lines in corpus.items()}
    parts = {"train": 20_000, "valid": 1_000, "test": 1_000}
    assert sizes == {f"{part}.{side}": n for part, n in parts.items() for side in ("en", "de")}


def test_the_same_seed_gives_the_same_sentences_whatever_the_hash_seed(
    corpus: Corpus, tmp_path: Path
) -> None:
    make(tmp_path / "again", "--train", "300", hash_seed="2")
    again = read(tmp_path / "again")
    assert again == {name: lines[: len(again[name])] for name, lines in corpus.items()}


def test_another_seed_gives_other_sentences(corpus: Corpus, tmp_path: Path) -> None:
    make(tmp_path / "other", "--train", "10", "--valid", "10", "--test", "10", "--seed", "2")
    assert read(tmp_path / "other")["test.en"] != corpus["test.en"][:10]


def test_dice_fall_alike_on_every_machine() -> None:
    dice = Dice(1)
    assert [dice.pick(range(1000)) for _ in range(6)] == [134, 847, 763, 255, 495, 449]


def test_no_test_or_validation_sentence_is_in_another_part(corpus: Corpus) -> None:
    for side in ("en", "de"):
        train, valid, test = (set(corpus[f"{part}.{side}"]) for part in ("train", "valid", "test"))
        assert not test & train
        assert not valid & train
        assert not test & valid


def test_no_source_is_repeated(corpus: Corpus) -> None:
    sources = corpus["train.en"] + corpus["valid.en"] + corpus["test.en"]
    assert len(set(sources)) == len(sources)


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = make(tmp_path / "file" / "corpus", "--train", "1", "--valid", "1", "--test", "1")
    assert result.returncode == 1
    assert result.stderr.startswith("make_demo_corpus: error: ")
    assert len(result.stderr.splitlines()) == 1


# ---- the sentences


def test_each_source_has_one_translation() -> None:
    dice, translations = Dice(7), {}
    for _ in range(30_000):
        pair = sentence(dice)
        assert translations.setdefault(pair.english, pair.german) == pair.german


def test_enough_word_forms_and_each_often_enough(corpus: Corpus) -> None:
    for side, fewest in (("en", 700), ("de", 1_000)):
        words = words_of(corpus[f"train.{side}"])
        often = [word for word, count in words.items() if count >= 10]
        assert len(often) >= fewest
        assert len(often) > 0.8 * len(words)  # balanced: few rare words


def test_every_noun_and_verb_of_the_lexicon_is_learnt(corpus: Corpus) -> None:
    words = words_of(corpus["train.de"])
    for entry in NOUNS:
        assert words[entry.german.lower()] >= 10, entry.german
    for verb in VERBS:
        if verb.german.infinitive not in PRETERITE:
            participle = verb.german.prefix + verb.german.participle
            assert words[participle] >= 5, participle


def test_lengths_capitals_and_marks(corpus: Corpus) -> None:
    for lines in corpus.values():
        lengths = Counter(len(line.split()) for line in lines)
        assert min(lengths) == 3
        assert 15 < max(lengths) <= 25
        for line in lines:
            assert line[0].isupper()
            assert line[-1] in ".?!"
            assert not re.search(r"  |,[^ ]| ,|,[.?!]|[.?!].", line), line


@pytest.mark.parametrize(
    ("side", "pattern"),
    [
        ("de", r", (weil|obwohl|wenn|sobald|dass|ob|damit)\b.* \w+(t|e|st|en|nd|ss|ß|ll|r|n)\."),
        ("de", r"^(Weil|Obwohl|Wenn|Während|Sobald) .*, \w+ "),  # a clause in front: verb next
        ("de", r"^(Heute|Gestern|Morgen|Bald|Im Winter) \w+(e|st|t|en|d|n|r|f|g|ß|l|s) "),
        ("de", r" (an|auf|aus|ein|zu|weg|ab|mit|fern)\.$"),  # a prefix left behind
        ("de", r"\b(an|auf|aus|ein|ab|mit|weg)ge\w+(t|en)\b"),  # angerufen
        ("de", r"\b(an|auf|aus|ein|ab|mit|weg|fern)zu\w+n\b"),  # anzurufen
        ("de", r"\bnicht\b"),
        ("de", r"\bkein(e|en|em|er)?\b"),
        ("de", r"\b(noch nicht|noch kein\w*)\b"),
        ("de", r"\b(ist|sind|bin|bist) .*ge(gang|fahr|blieb|folg|flog|rann|schwomm)\w+"),
        ("de", r"\b(hat|habe|hast|haben) .*ge\w+(t|en)\b"),
        ("de", r"\b(kann|muss|will|darf|sollte)\b"),
        ("de", r"\b(konnte|musste|wollte)n?\b"),
        ("de", r"\b(war|hatte)(en|st|n)?\b"),
        ("de", r"\bwird .*en\b"),
        ("de", r"\w+und(zwanzig|dreißig|vierzig)\b"),
        ("de", r"\b\d\d\b"),
        ("de", r"^(Wer|Wen|Wem|Was|Wo|Wohin|Wann|Warum|Welch\w+|Wie viele?n?)\b.*\?$"),
        ("de", r"^(Hat|Ist|Kann|Liest|Kauft|Sind|Haben)\b.*\?$"),
        ("de", r", (der|die|das|den) .*, "),
        ("de", r"\b(älter|größer|schöner|teurer) als\b"),
        ("de", r" gern\b"),
        ("en", r"\b(does|do|did) not\b"),
        ("en", r"\ban (apple|old|expensive|egg|umbrella|ugly|interesting|answer)\b"),
        ("en", r"\b(mice|geese|children|women|knives|scarves|potatoes)\b"),
        ("en", r"\b(up|along|on) (the|this|my|his)\b"),
        ("en", r"\b(me|you|him|her|us|them) up\b"),
    ],
)
def test_the_corpus_shows_each_construction(corpus: Corpus, side: str, pattern: str) -> None:
    found = sum(bool(re.search(pattern, line)) for line in corpus[f"train.{side}"])
    assert found >= 20, found


@pytest.mark.parametrize(
    ("side", "wrong"),
    [
        ("en", r"\ba [aeiou]"),
        ("en", r"\ban (?!hour)[^aeiou]"),
        ("en", r"\b(He|She) (have|do|are|go|were)\b"),
        ("en", r"\b(i|I) (is|are|has|does)\b"),
        ("en", r"\bi\b"),
        ("en", r"\b(up|on|off|away) (me|him|us|them)\b"),  # turn on it
        ("de", r"\b(in|an|von|zu) dem\b"),
        ("de", r"\b(in das|zu der)\b"),
        ("de", r"\bnicht (eine|einen|ein (?!und)\w+)\b"),
        ("de", r"\b(ein|kein|mein|dein|sein|unser) \w+(e|en) (Mann|Hund|Buch|Kind)\b"),
        ("de", r"\b[Ii]ch (hat|ist|liest|wird|sind)\b"),
        ("de", r"\b[Dd]u (ist|hat|wird|kauft|geht|sind)\b"),
    ],
)
def test_the_corpus_is_free_of_common_mistakes(corpus: Corpus, side: str, wrong: str) -> None:
    found = [line for line in corpus[f"train.{side}"] if re.search(wrong, line)]
    assert found == []
