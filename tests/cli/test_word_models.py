"""Vocabularies of words on the command line: what is unknown is copied from the source."""

import json
import random
from pathlib import Path

import pytest

from nmt.data.special import UNK
from nmt.decoding.search import Hypothesis
from nmt.decoding.segments import Segment
from nmt.decoding.translation import Part
from nmt.decoding.translator import Translator
from tests.support.corpora import write_lines
from tests.support.runs import command

NAMES, VERBS = ["Anna", "Ben", "Carla", "David"], ["sees", "hears"]
GERMAN = {"sees": "sieht", "hears": "hört", "and": "und"}
QUICK = (
    *("--preset=tiny", "--precision=fp32", "--device=cpu", "--updates=250", "--quiet"),
    *("--set=model.embedding_size=24", "--set=model.hidden_size=32", "--set=train.dropout=0"),
    *("--set=train.batch_tokens=400", "--set=train.learning_rate=0.01"),
    *("--set=train.label_smoothing=0", "--set=train.warmup_updates=20"),
)
FAST = ("--precision", "fp32", "--device", "cpu", "--beam-size", 2)


def pairs(count: int) -> list[tuple[str, str]]:
    """Sentences of names; each strange one occurs once, so that it becomes unknown."""
    chance = random.Random(1)
    found = []
    for number in range(count):
        who = [chance.choice(NAMES), f"N{number}", chance.choice(NAMES)]
        chance.shuffle(who)
        verb = chance.choice(VERBS)
        source = f"{who[0]} {verb} {who[1]} and {who[2]}."
        found.append((source, " ".join(GERMAN.get(word, word) for word in source.split())))
    return found


@pytest.fixture(scope="module")
def model(forked_nmt, tmp_path_factory) -> Path:
    """A model that learnt what to do with a name that it has never seen."""
    folder = tmp_path_factory.mktemp("words")
    lines = pairs(1200)
    write_lines(folder / "a.en", [source for source, _ in lines])
    write_lines(folder / "a.de", [target for _, target in lines])
    files = ("--train-source", folder / "a.en", "--train-target", folder / "a.de")
    ended = forked_nmt(
        *("preprocess", *files, "-o", folder / "corpus", "--tokenizer", "word"),
        *("--min-frequency", 3),
    )
    assert ended.code == 0, ended.stderr
    ended = forked_nmt(*command(folder / "corpus", folder / "model", *QUICK))
    assert ended.code == 0, ended.stderr
    return folder / "model"


def test_an_unknown_word_is_copied_from_where_attention_looks(forked_nmt, model):
    source = "Anna sees Zoë and Ben.\nXanthippe hears Carla and David.\nBen sees Anna and O2.\n"
    ended = forked_nmt("translate", model, *FAST, stdin=source.encode())
    assert ended.code == 0, ended.stderr
    assert ended.stdout.splitlines() == [
        "Anna sieht Zoë und Ben.",
        "Xanthippe hört Carla und David.",
        "Ben sieht Anna und O2.",
    ]


def test_a_mark_that_begins_the_source_does_not_stick_to_a_word_where_it_is_copied(model):
    translator = Translator.load(model, precision="fp32", device="cpu")
    [ids] = translator.loaded.source_vocabulary.encode(["★ Anna"])
    target = translator.loaded.target_vocabulary
    written = [target.id("▁Anna"), UNK, target.id("▁Ben")]
    part = Part(Segment("★ Anna", False), ids, Hypothesis(written, 0.0, 0.0, [1, 0, 1]))
    assert target.join([translator.pieces(part)]) == ["Anna ★ Ben"]


def test_pieces_and_scores_of_words_are_found_again(forked_nmt, model, tmp_path):
    write_lines(tmp_path / "in", ["Anna sees Zoë and Ben.", "", "“Ben”, Ben (Ben)!?"])
    ended = forked_nmt(
        *("translate", model, tmp_path / "in", "-o", tmp_path / "out", *FAST, "--format", "json")
    )
    assert ended.code == 0, ended.stderr
    values = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    assert values[0]["parts"][0]["pieces"] == ["▁Anna", "▁sieht", "<unk>", "▁und", "▁Ben", "▁‿."]
    ended = forked_nmt("score", model, "--hypotheses", tmp_path / "out", "--device", "cpu")
    assert ended.code == 0, ended.stderr
    scores = [float(line) for line in ended.stdout.split()]
    expected = [value["log_probability"] for value in values]
    assert scores == pytest.approx(expected, abs=1e-4)


def test_a_minimum_frequency_is_for_words(forked_nmt, tmp_path):
    write_lines(tmp_path / "a.en", ["a b c"])
    files = ("--train-source", tmp_path / "a.en", "--train-target", tmp_path / "a.en")
    ended = forked_nmt("preprocess", *files, "-o", tmp_path / "corpus", "--min-frequency", 2)
    assert (ended.code, ended.last_line) == (
        2,
        "nmt: error: a minimum frequency is of use only for words, not with the tokenizer bpe; add "
        "--tokenizer word, or leave --min-frequency out",
    )
    word = ("--tokenizer", "word", "--min-frequency", 0)
    ended = forked_nmt("preprocess", *files, "-o", tmp_path / "corpus", *word)
    assert (ended.code, ended.last_line) == (
        1,
        "nmt: error: the minimum frequency must be at least 1, not 0",
    )
    assert not (tmp_path / "corpus").exists()
