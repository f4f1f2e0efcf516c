"""From text to corpus: pairing, determinism, the validation set, and what is dropped."""

import dataclasses
import hashlib
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sentencepiece import SentencePieceTrainer

from nmt.api import PreprocessOptions, preprocess
from nmt.data.corpus import Corpus
from nmt.data.folder import build_folder
from nmt.errors import DataError, FolderError, UsageError

NASTY = "\r\f\v\u2028\u2029\u0085\u001c\x00\ufeff😀👩‍👩‍👧שלום\u202e\u0301 \t日"
nasty_line = st.text(
    st.sampled_from(NASTY + "abc") | st.characters(exclude_characters="\n", codec="utf-8")
)


def write(path: Path, lines: list[str]) -> Path:
    path.write_bytes("".join(f"{line}\n" for line in lines).encode())
    return path


def options_for(folder: Path, pairs: list[tuple[str, str]], **more: object) -> PreprocessOptions:
    """Options for a corpus of these pairs, with its files in `folder`."""
    source = write(folder / "train.en", [source for source, _ in pairs])
    target = write(folder / "train.de", [target for _, target in pairs])
    return PreprocessOptions((source,), (target,), **more)


def toy_options(toy, **more: object) -> PreprocessOptions:
    given = {"valid_source": (toy.valid_source,), "valid_target": (toy.valid_target,)} | more
    return PreprocessOptions((toy.train_source,), (toy.train_target,), **given)


def decoded(corpus: Corpus, split: str) -> list[tuple[str, str]]:
    chosen = getattr(corpus, split)
    source = corpus.source_vocabulary.decode(
        [chosen.source[i].tolist() for i in range(len(chosen))]
    )
    target = corpus.target_vocabulary.decode(
        [chosen.target[i].tolist() for i in range(len(chosen))]
    )
    return list(zip(source, target, strict=True))


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
    }


def test_a_corpus_holds_its_text(toy_corpus, tmp_path):
    report = preprocess(toy_options(toy_corpus), tmp_path / "corpus")
    corpus = Corpus.open(tmp_path / "corpus")
    source = toy_corpus.train_source.read_text("utf-8").splitlines()
    target = toy_corpus.train_target.read_text("utf-8").splitlines()
    assert decoded(corpus, "train") == list(zip(source, target, strict=True))
    assert corpus.valid_source_text == toy_corpus.valid_source.read_text("utf-8").splitlines()
    assert corpus.valid_target_text == toy_corpus.valid_target.read_text("utf-8").splitlines()
    assert (corpus.source_language, corpus.target_language) == ("en", "de")
    assert corpus.source_vocabulary is corpus.target_vocabulary
    assert report.train.pairs == len(corpus.train) == report.pairs_read
    assert report.train.source_tokens == len(corpus.train.source.ids)
    assert corpus.train.source.lengths().tolist() == [
        len(corpus.train.source[i]) for i in range(len(corpus.train))
    ]


def test_anyone_can_read_the_ids_with_numpy(toy_corpus, tmp_path):
    preprocess(toy_options(toy_corpus), tmp_path / "corpus")
    ids = np.load(tmp_path / "corpus/train.source.ids.npy")
    offsets = np.load(tmp_path / "corpus/train.source.offsets.npy")
    assert ids.dtype.kind == "u"
    assert ids.dtype.itemsize == (
        1 if Corpus.open(tmp_path / "corpus").manifest["source"]["pieces"] <= 256 else 2
    )
    assert (offsets.dtype, offsets[0], offsets[-1]) == (np.int64, 0, len(ids))


def test_the_same_text_gives_the_same_bytes_whatever_the_threads(toy_corpus, tmp_path):
    for name, threads in (("one", 1), ("again", 1), ("three", 3)):
        preprocess(toy_options(toy_corpus, threads=threads), tmp_path / name)
    assert (
        contents(tmp_path / "one") == contents(tmp_path / "again") == contents(tmp_path / "three")
    )


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.tuples(nasty_line, nasty_line), max_size=20))
def test_pairing_never_shifts(nasty_vocabulary, tmp_path_factory, lines):
    """Each source carries its number into the corpus, and each target the same number."""
    folder = tmp_path_factory.mktemp("nasty")
    pairs = [(f"{i} {source}", f"{i} {target}") for i, (source, target) in enumerate(lines)]
    pairs = [pair for i, pair in enumerate(pairs) for pair in (pair, ("", "x"))[: 1 + i % 2]]
    options = options_for(
        folder,
        [("a", "b"), *pairs],
        source_vocabulary=nasty_vocabulary,
        target_vocabulary=nasty_vocabulary,
        valid_source=(folder / "train.en",),
        valid_target=(folder / "train.de",),
        max_ratio=1000.0,
    )
    preprocess(options, folder / "corpus")
    corpus = Corpus.open(folder / "corpus")
    for split in ("train", "valid"):
        numbers = [[side.split()[0] for side in pair] for pair in decoded(corpus, split)[1:]]
        assert numbers == [[str(i)] * 2 for i in range(len(lines))]
    stripped = [source.removesuffix("\r") for source, _ in pairs if source]
    assert corpus.valid_source_text[1:] == stripped


@pytest.fixture(scope="module")
def nasty_vocabulary(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("vocabulary")
    pairs = [(f"{i} a b c", f"{i} c b a") for i in range(100)]
    preprocess(options_for(folder, pairs), folder / "corpus")
    return folder / "corpus/joint.model"


def test_held_out_sentences_are_nowhere_in_training(tmp_path):
    pairs = [(f"Sentence {i}.", f"Satz {i % 150}.") for i in range(200)]
    report = preprocess(options_for(tmp_path, pairs), tmp_path / "corpus")
    corpus = Corpus.open(tmp_path / "corpus")
    train, valid = decoded(corpus, "train"), decoded(corpus, "valid")
    assert len(valid) == report.held_out == 10
    assert set(valid) <= set(pairs)
    lessons = {pair for pair in train if "\u2047" in pair[0]}  # a number hidden on both sides
    assert len(lessons) <= report.train.lessons
    assert set(train) - lessons <= set(pairs)
    assert not {target for _, target in train} & {target for _, target in valid}
    given = len(train) - report.train.lessons
    assert given + len(valid) + report.dropped["overlap"].pairs == len(pairs)
    assert list(zip(corpus.valid_source_text, corpus.valid_target_text, strict=True)) == valid


def test_each_filter_counts_what_it_drops(tmp_path, caplog):
    good = [(f"A good sentence, number {i}.", f"Ein guter Satz, Nummer {i}.") for i in range(100)]
    bad = [
        ("", "leer"),
        ("blank", " \t "),
        ("only controls", "\x01\x02"),
        (" ".join(["long"] * 300), " ".join(["lang"] * 300)),
        ("1 2.", "1 " + "2 " * 80 + "3."),
        good[3],
        good[3],
    ]
    options = options_for(
        tmp_path,
        good + bad,
        dedup=True,
        valid_source=(write(tmp_path / "v.en", ["A good sentence.", "", "x"]),),
        valid_target=(write(tmp_path / "v.de", ["Ein guter Satz.", "y", "z " * 300]),),
        max_length=250,
    )
    with caplog.at_level("INFO", "nmt"):
        report = preprocess(options, tmp_path / "corpus")
    counts = {name: dropped.pairs for name, dropped in report.dropped.items()}
    assert counts == {"empty": 3, "duplicate": 2, "overlap": 0, "max_length": 1, "max_ratio": 1}
    assert report.train.pairs == 100
    # Validation text that was given loses only what is empty.
    assert report.valid.pairs == 2
    assert report.valid_dropped["empty"].pairs == 1
    assert "Dropped 2 training pairs: the same pair came before (--dedup)." in caplog.messages
    manifest = json.loads((tmp_path / "corpus/corpus.json").read_text("utf-8"))
    assert manifest["filters"]["train"]["max_length"] == {
        "pairs": 1,
        "reason": "one side has more than 250 pieces (--max-length)",
    }


def test_lessons_are_made_of_the_pairs_that_are_kept(tmp_path):
    too_long = [(f"{'long ' * 40}Boston{i}", f"{'lang ' * 40}Boston{i}") for i in range(100)]
    good = [(f"I saw Boston{i} today.", f"Ich sah Boston{i} heute.") for i in range(100)]
    valid = {name: (write(tmp_path / name, ["x"]),) for name in ("valid_source", "valid_target")}
    options = options_for(tmp_path, too_long + good, max_length=30, **valid)
    report = preprocess(options, tmp_path / "corpus")
    assert report.dropped["max_length"].pairs == 100
    assert report.train.lessons == 3
    train = decoded(Corpus.open(tmp_path / "corpus"), "train")
    assert train == [*good, *[("I saw  \u2047  today.", "Ich sah  \u2047  heute.")] * 3]


def test_a_vocabulary_that_writes_all_in_bytes_needs_no_lessons(tmp_path):
    pairs = [(f"I saw {n} today.", f"Ich sah {n} heute.") for n in range(100, 200)]
    options = options_for(tmp_path, pairs)
    SentencePieceTrainer.train(
        input=f"{options.train_source[0]},{options.train_target[0]}",
        model_prefix=str(tmp_path / "bytes"),
        model_type="bpe",
        vocab_size=350,
        byte_fallback=True,
        pad_id=0,
        unk_id=1,
        bos_id=2,
        eos_id=3,
    )
    given = tmp_path / "bytes.model"
    adopted = dataclasses.replace(options, source_vocabulary=given, target_vocabulary=given)
    assert preprocess(adopted, tmp_path / "adopted").train.lessons == 0
    assert preprocess(options, tmp_path / "own").train.lessons == 2


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_file_name_that_is_not_utf8_is_noted_all_the_same(tmp_path):
    source = write(tmp_path / os.fsdecode(b"caf\xe9.en"), [f"{i} a" for i in range(30)])
    target = write(tmp_path / "tea.de", [f"{i} b" for i in range(30)])
    preprocess(PreprocessOptions((source,), (target,)), tmp_path / "corpus")
    inputs = Corpus.open(tmp_path / "corpus").manifest["inputs"]
    assert list(inputs) == [f"{tmp_path}/caf\\xe9.en", str(target)]


def test_several_files_are_read_in_a_row(tmp_path):
    for name in ("a", "b"):
        write(tmp_path / f"{name}.en", [f"{name} {i}" for i in range(30)])
        write(tmp_path / f"{name}.de", [f"{name}: {i}" for i in range(30)])
    both = [tuple(tmp_path / f"{name}.{side}" for name in "ab") for side in ("en", "de")]
    options = PreprocessOptions(*both, valid_source=both[0][:1], valid_target=both[1][:1])
    preprocess(options, tmp_path / "corpus")
    train = decoded(Corpus.open(tmp_path / "corpus"), "train")
    assert train == [(f"{n} {i}", f"{n}: {i}") for n in "ab" for i in range(30)]


def test_one_file_may_be_both_sides(tmp_path):
    file = write(tmp_path / "digits.txt", [f"{i} {i * 7 % 100}" for i in range(100)])
    preprocess(PreprocessOptions((file,), (file,)), tmp_path / "corpus")
    train = decoded(Corpus.open(tmp_path / "corpus"), "train")
    assert all(source == target for source, target in train)


def test_languages_in_different_scripts_get_two_vocabularies(tmp_path, caplog):
    pairs = [(f"The word number {i}.", f"Слово номер {i}.") for i in range(100)]
    with caplog.at_level("INFO", "nmt"):
        report = preprocess(options_for(tmp_path, pairs), tmp_path / "corpus")
    corpus = Corpus.open(tmp_path / "corpus")
    assert not report.joint
    assert not corpus.joint
    assert corpus.source_vocabulary.path.name == "source.model"
    assert corpus.target_vocabulary.path.name == "target.model"
    assert "The languages share few letters" in caplog.text


def test_given_vocabularies_are_used(tmp_path, nasty_vocabulary):
    pairs = [(f"{i} a", f"b {i}") for i in range(100)]
    one = options_for(tmp_path, pairs, source_vocabulary=nasty_vocabulary)
    report = preprocess(one, tmp_path / "one")
    assert not report.joint
    assert (tmp_path / "one/source.model").read_bytes() == nasty_vocabulary.read_bytes()
    both = dataclasses.replace(one, target_vocabulary=nasty_vocabulary)
    assert preprocess(both, tmp_path / "both").joint
    separate = preprocess(dataclasses.replace(both, joint=False), tmp_path / "separate")
    assert not separate.joint


def test_a_tiny_corpus_gets_a_smaller_vocabulary_and_a_sentence(tmp_path, caplog):
    pairs = [("One.", "Eins."), ("Two.", "Zwei."), ("Three.", "Drei.")]
    with caplog.at_level("INFO", "nmt"):
        report = preprocess(options_for(tmp_path, pairs, vocabulary_size=8000), tmp_path / "corpus")
    assert report.source_pieces < 60
    assert f"{report.source_pieces} bpe pieces instead of 8,000: the text" in caplog.text
    assert (report.train.pairs, report.valid.pairs) == (2, 1)


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        ([], "there is no text, not a single line"),
        ([("", "x"), ("y", " ")], "no line has text on both sides"),
        ([("one", "eins")], "there is only one pair of sentences, and a corpus needs two"),
        ([("one", "eins"), ("one", "ein")], "no pair is left to train on: every one shares a"),
        ([("\x01", "a"), ("\x02", "b"), ("\x03", "c")], "there is no text to make a vocabulary"),
        (
            [(f"{i}", f"{i} viel zu lang " * 100) for i in range(9)],
            r"no training pair is left \(8: one side has more than 200 pieces",
        ),
    ],
)
def test_too_little_text_is_told_and_leaves_nothing(tmp_path, pairs, sentence):
    options = options_for(tmp_path, pairs, joint=None if "\x01" not in str(pairs) else False)
    with pytest.raises(DataError, match=sentence):
        preprocess(options, tmp_path / "new/corpus")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["train.de", "train.en"]


def test_one_pair_suffices_where_validation_text_is_given(tmp_path):
    options = options_for(tmp_path, [("one", "eins")])
    options = dataclasses.replace(
        options, valid_source=options.train_source, valid_target=options.train_target
    )
    assert preprocess(options, tmp_path / "corpus").train.pairs == 1


def test_skipped_lines_take_their_partners_along(tmp_path):
    (tmp_path / "train.en").write_bytes(b"one\nb\xe4d\nthree\nfour\n")
    (tmp_path / "train.de").write_bytes(b"eins\nzwei\ndrei\nvier\n")
    files = (tmp_path / "train.en",), (tmp_path / "train.de",)
    write(tmp_path / "v", ["v"])
    valid = {"valid_source": (tmp_path / "v",), "valid_target": (tmp_path / "v",)}
    preprocess(PreprocessOptions(*files, **valid, invalid_utf8="skip"), tmp_path / "corpus")
    expected = [("one", "eins"), ("three", "drei"), ("four", "vier")]
    assert decoded(Corpus.open(tmp_path / "corpus"), "train") == expected


def test_an_old_corpus_is_replaced_only_on_demand_and_only_by_a_whole_one(toy_corpus, tmp_path):
    corpus = tmp_path / "corpus"
    preprocess(toy_options(toy_corpus), corpus)
    before = contents(corpus)
    with pytest.raises(FolderError, match="holds a corpus already; add --overwrite to replace it"):
        preprocess(toy_options(toy_corpus), corpus)
    broken = toy_options(toy_corpus, valid_target=(toy_corpus.train_target,), overwrite=True)
    with pytest.raises(DataError, match=r"has 20 lines but .* has 364"):
        preprocess(broken, corpus)
    assert contents(corpus) == before
    preprocess(toy_options(toy_corpus, overwrite=True, tokenizer="char"), corpus)
    assert contents(corpus) != before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", "toy"]


@pytest.mark.parametrize("name", ["thesis.tex", "train.en", "valid.en.gz", "train.source.txt"])
@pytest.mark.parametrize("with_corpus", [False, True])
def test_a_folder_with_other_things_is_never_replaced(toy_corpus, tmp_path, with_corpus, name):
    folder = tmp_path / "mine"
    if with_corpus:
        preprocess(toy_options(toy_corpus), folder)
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("years of work")
    with pytest.raises(FolderError, match=rf"something other than a corpus \('{name}'\)"):
        preprocess(toy_options(toy_corpus, overwrite=True), folder)
    assert (folder / name).read_text() == "years of work"


@pytest.mark.parametrize("with_corpus", [False, True])
def test_what_a_file_manager_left_is_nobodys(toy_corpus, tmp_path, with_corpus):
    folder = tmp_path / "mine"
    if with_corpus:
        preprocess(toy_options(toy_corpus), folder)
    folder.mkdir(exist_ok=True)
    (folder / ".DS_Store").write_bytes(b"places of icons")
    preprocess(toy_options(toy_corpus, overwrite=with_corpus), folder)
    assert len(Corpus.open(folder).valid) == 20
    assert [path.name for path in tmp_path.iterdir() if path.name != "toy"] == ["mine"]


@pytest.mark.parametrize("before", ["nothing", "empty", "corpus"])
def test_what_is_put_there_meanwhile_stays(toy_corpus, tmp_path, before):
    folder, options = tmp_path / "mine", toy_options(toy_corpus, overwrite=True)
    if before == "corpus":
        preprocess(options, folder)
    elif before == "empty":
        folder.mkdir()

    def fill() -> None:
        with build_folder(folder, overwrite=True) as building:
            (building / "corpus.json").write_text("{}")
            folder.mkdir(exist_ok=True)
            (folder / "thesis.tex").write_text("years of work")

    with pytest.raises(FolderError, match=r"something other than a corpus \('thesis.tex'\)"):
        fill()
    assert (folder / "thesis.tex").read_text() == "years of work"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "toy"]


def test_a_corpus_that_came_meanwhile_stays(toy_corpus, tmp_path):
    folder = tmp_path / "corpus"

    def twice() -> None:
        with build_folder(folder, overwrite=False) as building:
            (building / "corpus.json").write_text("{}")
            preprocess(toy_options(toy_corpus), folder)

    with pytest.raises(FolderError, match="holds a corpus already; add --overwrite to replace it"):
        twice()
    assert len(Corpus.open(folder).valid) == 20


def test_a_link_to_a_folder_is_told(toy_corpus, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    with pytest.raises(FolderError) as told:
        preprocess(toy_options(toy_corpus), tmp_path / "link")
    sentence = "this is a link; give the folder that it leads to"
    assert str(told.value) == f"{tmp_path / 'link'}: {sentence}"


def test_an_empty_folder_is_filled(toy_corpus, tmp_path):
    (tmp_path / "empty").mkdir()
    preprocess(toy_options(toy_corpus), tmp_path / "empty")
    assert len(Corpus.open(tmp_path / "empty").valid) == 20


def test_options_are_checked_before_anything_is_made(toy_corpus, tmp_path):
    with pytest.raises(UsageError):
        preprocess(toy_options(toy_corpus, valid_target=()), tmp_path / "new/corpus")
    assert not (tmp_path / "new").exists()
