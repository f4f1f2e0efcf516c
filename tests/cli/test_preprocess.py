"""`nmt preprocess` as people meet it: what it prints, and what it leaves when it fails."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def arguments(toy, output: object = "corpus", valid: bool = False) -> list[object]:
    files = ["--train-source", toy.train_source, "--train-target", toy.train_target]
    if valid:
        files += ["--valid-source", toy.valid_source, "--valid-target", toy.valid_target]
    return ["preprocess", *files, "-o", output]


def test_it_says_what_it_did_and_what_comes_next(nmt_cli, toy_corpus, tmp_path):
    outcome = nmt_cli(*arguments(toy_corpus, valid=True), cwd=tmp_path)
    assert (outcome.code, outcome.stdout) == (0, "")
    assert "one vocabulary for both (--separate-vocabs makes two)" in outcome.stderr
    assert "--vocab-size sets another size" in outcome.stderr
    assert "corpus: 364 training pairs" in outcome.stderr
    assert outcome.stderr.rstrip().endswith("Next: nmt train corpus -o MODEL")
    assert "LOG(" not in outcome.stderr  # SentencePiece's own words
    assert (tmp_path / "corpus/corpus.json").is_file()


def test_a_validation_set_is_held_out_and_said(nmt_cli, toy_corpus, tmp_path):
    outcome = nmt_cli(*arguments(toy_corpus), cwd=tmp_path)
    assert outcome.code == 0
    assert "Held out 18 of 364 pairs for validation, since no validation files" in outcome.stderr


def test_quiet_says_nothing_and_json_goes_to_stdout(nmt_cli, toy_corpus, tmp_path):
    outcome = nmt_cli(*arguments(toy_corpus, valid=True), "--quiet", "--json", cwd=tmp_path)
    assert (outcome.code, outcome.stderr) == (0, "")
    report = json.loads(outcome.stdout)
    assert (report["output"], report["source_language"]) == ("corpus", "en")
    assert report["train"]["pairs"] == 364
    assert report["dropped"]["empty"] == {"pairs": 0, "reason": "one side is empty"}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_an_output_name_that_is_not_utf8_is_reported_as_it_is(nmt_cli, toy_corpus, tmp_path):
    name = os.fsdecode(b"caf\xe9")
    outcome = nmt_cli(*arguments(toy_corpus, name, valid=True), "--quiet", "--json", cwd=tmp_path)
    assert (outcome.code, outcome.stderr) == (0, "")
    assert json.loads(outcome.stdout)["output"] == name
    assert (tmp_path / name / "corpus.json").is_file()


def test_standard_input_and_compressed_files(nmt_cli, toy_corpus, tmp_path):
    import gzip

    packed = tmp_path / "train.de.gz"
    packed.write_bytes(gzip.compress(toy_corpus.train_target.read_bytes()))
    outcome = nmt_cli(
        *("preprocess", "--train-source", "-", "--train-target", packed, "-o", "corpus"),
        *("--source-lang", "en", "--json", "--quiet"),
        stdin=toy_corpus.train_source.read_bytes(),
        cwd=tmp_path,
    )
    assert outcome.code == 0
    report = json.loads(outcome.stdout)
    assert (report["source_language"], report["target_language"]) == ("en", "de")
    assert report["pairs_read"] == 364


def test_few_pairs_and_equal_sides_are_told(nmt_cli, toy_corpus, tmp_path):
    toy_corpus.train_target.write_bytes(toy_corpus.train_source.read_bytes())
    outcome = nmt_cli(*arguments(toy_corpus), cwd=tmp_path)
    assert outcome.code == 0
    assert "training pairs: a translator of general text needs" in outcome.stderr
    assert "Only 18 validation pairs: scores on them are rough" in outcome.stderr
    assert "In 364 of 364 pairs both sides are the same text" in outcome.stderr


def test_files_in_the_wrong_place_are_refused(nmt_cli, toy_corpus, tmp_path):
    toy = toy_corpus
    train = ["--train-source", toy.train_source, "--train-target", toy.train_target]
    valid = ["--valid-source", toy.valid_target, "--valid-target", toy.valid_source]
    outcome = nmt_cli("preprocess", *train, *valid, "-o", tmp_path / "corpus")
    assert outcome.stderr == (
        "nmt: error: the training text goes from en to de, but the validation text from de to en; "
        "swap --valid-source and --valid-target\n"
    )
    assert outcome.code == 2


def shorter(toy):
    toy.train_target.write_text("nur eine Zeile\n")


def latin1(toy):
    toy.train_source.write_bytes(b"first\ncaf\xe9\n")


def emptied(toy):
    toy.train_source.write_text("")
    toy.train_target.write_text("")


def endless(toy):
    toy.train_target.write_text("eins\n" + "zwei " * (1 << 18))


def removed(toy):
    toy.train_source.unlink()


def folder(toy):
    toy.train_source.unlink()
    toy.train_source.mkdir()


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (removed, "training source {source}: there is no such file"),
        (folder, "training source {source}: this is a folder, not a text file"),
        (
            shorter,
            "{source} has 364 lines but {target} has 1: each line of one must be the translation "
            "of the same line of the other",
        ),
        (
            endless,
            "training target {target}: line 2 has more than 1,048,576 bytes; is this a text with a "
            "sentence a line?",
        ),
        (emptied, "{source} and {target}: there is no text, not a single line"),
        (
            latin1,
            "training source {source}: line 2, byte 4 (0xe9) is not valid UTF-8; convert the file "
            "to UTF-8, or choose --invalid-utf8 replace or skip",
        ),
    ],
)
def test_bad_text_is_told_in_one_sentence(nmt_cli, toy_corpus, tmp_path, spoil, sentence):
    spoil(toy_corpus)
    outcome = nmt_cli(*arguments(toy_corpus, "new/corpus"), cwd=tmp_path)
    files = {"source": toy_corpus.train_source, "target": toy_corpus.train_target}
    assert outcome.stderr == f"nmt: error: {sentence.format(**files)}\n"
    assert (outcome.code, outcome.stdout) == (1, "")
    assert [path.name for path in tmp_path.iterdir()] == ["toy"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
def test_files_that_may_not_be_read_or_written(nmt_cli, toy_corpus, tmp_path):
    toy_corpus.train_source.chmod(0)
    outcome = nmt_cli(*arguments(toy_corpus), cwd=tmp_path)
    assert (
        f"{toy_corpus.train_source}: the file cannot be read: permission denied" in outcome.stderr
    )
    toy_corpus.train_source.chmod(0o644)
    (tmp_path / "locked").mkdir(mode=0o500)
    outcome = nmt_cli(*arguments(toy_corpus, "locked/corpus"), cwd=tmp_path)
    assert (outcome.code, outcome.stderr) == (
        1,
        f"nmt: error: {tmp_path}/locked/corpus: permission denied\n",
    )


@pytest.mark.parametrize(
    ("extra", "sentence", "code"),
    [
        (["--vocab-size", "many"], "--vocab-size needs a whole number or auto, not 'many'", 1),
        (["--vocab-size", "9"], "a vocabulary of 9 pieces is too small for the letters of this", 1),
        (
            ["--tokenizer", "wrod"],
            "--tokenizer wrod: choose one of bpe, unigram, char, word",
            1,
        ),
        (
            ["--invalid-utf8", "drop"],
            "--invalid-utf8 drop: choose one of error, replace, skip",
            1,
        ),
        (["--source-vocab", "no.model"], "vocabulary no.model: cannot be read: No such file", 1),
        (["--joint-vocab", "--source-vocab", "x.model"], "a joint vocabulary is one model", 2),
        (
            [
                "--source-vocab",
                "x",
                "--target-vocab",
                "y",
                "--vocab-size",
                9,
                "--tokenizer",
                "char",
            ],
            "both vocabularies are given, and none is made; leave --vocab-size, --tokenizer out",
            2,
        ),
        (["--valid-source", "v.en"], "each validation source file needs a target file", 2),
    ],
)
def test_options_that_make_no_sense(nmt_cli, toy_corpus, tmp_path, extra, sentence, code):
    outcome = nmt_cli(*arguments(toy_corpus), *extra, "--quiet", cwd=tmp_path)
    assert outcome.stderr.startswith(f"nmt: error: {sentence}")
    assert outcome.stderr.count("\n") == 1
    assert outcome.code == code
    assert [path.name for path in tmp_path.iterdir()] == ["toy"]


def test_an_output_that_is_taken(nmt_cli, toy_corpus, tmp_path):
    (tmp_path / "file").write_text("x")
    outcome = nmt_cli(*arguments(toy_corpus, "file"), cwd=tmp_path)
    assert (outcome.code, outcome.stderr) == (
        1,
        "nmt: error: file: this is no folder; choose another name for the corpus\n",
    )
    outcome = nmt_cli(*arguments(toy_corpus, "toy"), "--overwrite", cwd=tmp_path)
    assert (outcome.code, outcome.stderr) == (
        1,
        "nmt: error: toy: the folder holds something other than a corpus ('train.de'); choose "
        "another folder\n",
    )
    assert nmt_cli(*arguments(toy_corpus), cwd=tmp_path).code == 0
    outcome = nmt_cli(*arguments(toy_corpus), cwd=tmp_path)
    assert (outcome.code, outcome.stderr) == (
        1,
        "nmt: error: corpus: the folder holds a corpus already; add --overwrite to replace it, or "
        "choose another folder\n",
    )
    assert nmt_cli(*arguments(toy_corpus), "--overwrite", cwd=tmp_path).code == 0


@pytest.mark.parametrize("blocks", [1, 16, 200])
def test_a_full_disk_leaves_nothing(toy_corpus, tmp_path, blocks):
    """The limits hit the copies of the text, then the normalisation rules, then the model."""
    command = [sys.executable, "-m", "nmt", *map(str, arguments(toy_corpus, "new/corpus"))]
    done = subprocess.run(
        ["bash", "-c", f'ulimit -f {blocks}; exec "$@"', "bash", *command],
        cwd=tmp_path,
        env=ENVIRONMENT | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"nmt: error: {tmp_path}/new/corpus: no space left")
    assert "Traceback" not in done.stderr
    assert done.returncode == 1
    assert [path.name for path in tmp_path.iterdir()] == ["toy"]


def wait_for(pattern: str, place: Path) -> None:
    deadline = time.monotonic() + 30
    while not list(place.glob(pattern)):
        assert time.monotonic() < deadline, f"{pattern} did not appear"
        time.sleep(0.01)


@pytest.mark.parametrize("stage", ["reading", "vocabulary"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interruption_leaves_nothing(toy_corpus, tmp_path, stage, number, code):
    command = [str(argument) for argument in arguments(toy_corpus)]
    if stage == "reading":
        command[command.index("--train-source") + 1] = "-"
    else:  # enough different words for training to last longer than a look at the folder
        for side in (toy_corpus.train_source, toy_corpus.train_target):
            side.write_text("".join(f"{i * 7919:x} {i * i:x}\n" for i in range(20_000)))
    process = subprocess.Popen(
        [sys.executable, "-m", "nmt", *command],
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    # Standard input stays open, so that reading cannot end; the rules come right before training.
    wait_for(".corpus.*/text/" + ("*.hashes" if stage == "reading" else "*.tsv"), tmp_path)
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == code
    assert "Traceback" not in errors
    assert [path.name for path in tmp_path.iterdir()] == ["toy"]
