"""Back-translation: the script joins what a model of the other direction wrote to the corpus."""

import gzip
import lzma
import os
import subprocess
from pathlib import Path

import pytest

from nmt.data.corpus import Corpus
from nmt.decoding.model_folder import read_description
from tests.conftest import environment
from tests.support.runs import nmt_program

ANEW = (
    "back_translate.sh: MORE_TARGET or work/reverse has changed: work/back.txt and work/enriched "
    "are made anew\n"
)
SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "back_translate.sh"


@pytest.fixture
def program(tmp_path) -> Path:
    """A folder with an `nmt` command."""
    return nmt_program(tmp_path)


def run(program: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    path = f"{program}{os.pathsep}{os.environ['PATH']}"
    command = ["sh", str(SCRIPT), *map(str, arguments)]
    return subprocess.run(
        command,
        cwd=program.parent,
        env=environment() | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_text_of_the_target_language_joins_the_corpus(program, toy_corpus, tmp_path):
    train = [toy_corpus.train_source, toy_corpus.train_target]
    valid = [toy_corpus.valid_source, toy_corpus.valid_target]
    more = tmp_path / "more.txt"
    lines = toy_corpus.train_target.read_text(encoding="utf-8").splitlines()[:50]
    more.write_text("".join(f"{line} {line}\n" for line in lines), encoding="utf-8")
    small = ["--updates", 20, "--preset", "tiny", "--set", "model.hidden_size=16"]
    done = run(program, *train, *valid, more, "work", *small)
    assert done.returncode == 0, done.stderr
    work = tmp_path / "work"
    assert len((work / "back.txt").read_text(encoding="utf-8").split("\n")) == 51
    plain, enriched = Corpus.open(work / "corpus"), Corpus.open(work / "enriched")
    assert len(plain.train) < len(enriched.train) <= len(plain.train) + 55
    assert enriched.valid_target_text == plain.valid_target_text
    model = read_description(work / "reverse")
    assert (model.source.language, model.target.language) == (
        plain.target_language,
        plain.source_language,
    )
    # Once more: everything is there already.
    again = run(program, *train, *valid, more, "work", *small)
    assert again.returncode == 0
    assert "this run is finished" in again.stderr
    assert "made anew" not in again.stderr
    # Other text is translated back by the same model, and a model trained further translates anew.
    more.write_text("Ein anderer Satz.\nZwei Hunde.\n", encoding="utf-8")
    changed = run(program, *train, *valid, more, "work", *small)
    assert changed.returncode == 0, changed.stderr
    assert "this run is finished" in changed.stderr
    assert ANEW in changed.stderr
    assert len((work / "back.txt").read_text(encoding="utf-8").split("\n")) == 3
    assert len(plain.train) < len(Corpus.open(work / "enriched").train) <= len(plain.train) + 4
    before = (work / "enriched.of").read_text()
    further = run(program, *train, *valid, more, "work", *small, "--updates", 25)
    assert further.returncode == 0, further.stderr
    assert ANEW in further.stderr
    assert (work / "enriched.of").read_text() != before
    # Not with other pairs, which are not what the reverse model learnt.
    other = run(program, *reversed(train), *valid, more, "work", *small)
    assert other.returncode == 1
    assert other.stderr == (
        "back_translate.sh: error: work was begun with other pairs; choose another folder\n"
    )


BAD = b"gut\ncaf\xe9\n"
CUT = gzip.compress(bytes(range(128)) * 100)[:-20]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("more.txt", BAD),
        ("more.gz", gzip.compress(BAD)),
        ("more.xz", lzma.compress(BAD)),
        ("more.gz", CUT),
        ("more.gz", b"no gzip\n"),
        ("more.txt", b"gut\n" + b"x" * ((1 << 20) + 1) + b"\n"),
    ],
    ids=["text", "gz", "xz", "a cut gz", "no gz", "a long line"],
)
def test_text_that_cannot_be_read_is_told_before_anything_is_made(
    program, toy_corpus, tmp_path, name, content
):
    (tmp_path / name).write_bytes(content)
    some = toy_corpus.train_source
    done = run(program, some, some, some, some, name, "work")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"back_translate.sh: error: {name}: this is damaged, not valid UTF-8, or has a line of "
        "over a megabyte; mend it"
    )
    assert not (tmp_path / "work").exists()


def test_where_python_does_not_run_texts_are_not_called_damaged(program, toy_corpus):
    broken = program / "python3"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    some = toy_corpus.train_source
    done = run(program, some, some, some, some, some, "work", "--updates", "none")
    assert "damaged" not in done.stderr
    assert (program.parent / "work" / "corpus").exists()


@pytest.mark.parametrize("kind", ["empty", "pipe"])
def test_a_text_that_is_empty_or_read_once_is_told(program, toy_corpus, tmp_path, kind):
    os.mkfifo(tmp_path / "more") if kind == "pipe" else (tmp_path / "more").write_text("")
    some = toy_corpus.train_source
    done = run(program, some, some, some, some, "more", "work")
    assert done.returncode == 1
    assert done.stderr == (
        "back_translate.sh: error: more: this is empty, or no file to be read twice\n"
    )
    assert not (tmp_path / "work").exists()


def test_a_missing_text_is_told(program, toy_corpus):
    some = toy_corpus.train_source
    done = run(program, some, some, some, some, "nothere", "work")
    assert done.returncode == 1
    assert done.stderr == (
        "back_translate.sh: error: nothere: no such file, or one that may not be read\n"
    )
    assert not (program.parent / "work").exists()


def test_too_few_arguments_show_the_usage(program):
    done = run(program, "one.en", "one.de")
    assert done.returncode == 2
    assert done.stderr.startswith("usage: scripts/back_translate.sh SOURCE TARGET")
