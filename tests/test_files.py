"""Files are whole or not there; folders of ours know what they hold."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.errors import FolderError
from nmt.files import atomic_write, checksum, read_manifest, write_json, write_manifest

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}

WRITE_AND_WAIT = """
import pathlib, sys, time
from nmt.files import atomic_write
with atomic_write(pathlib.Path(sys.argv[1])) as file:
    file.write("new " * 100_000)
    file.flush()
    print("half way", flush=True)
    time.sleep(60)
"""


def test_a_write_that_is_killed_leaves_the_old_file_whole(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with subprocess.Popen(
        [sys.executable, "-c", WRITE_AND_WAIT, str(path)], stdout=subprocess.PIPE, env=ENVIRONMENT
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    assert path.read_text() == "old"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_write_that_fails_leaves_nothing_behind(tmp_path, error):
    path = tmp_path / "file"
    path.write_text("old")

    def fail() -> None:
        with atomic_write(path) as file:
            file.write("half")
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_full_disk_is_about_the_file_that_the_user_knows(tmp_path):
    program = """
import pathlib, resource, sys
from nmt.files import atomic_write
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    with atomic_write(pathlib.Path(sys.argv[1])) as file:
        file.write("x" * 5000)
except OSError as error:
    print(error.filename)
"""
    path = tmp_path / "ids.npy"
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, env=ENVIRONMENT
    )
    assert done.stdout == f"{path}\n"
    assert os.listdir(tmp_path) == []


def test_a_missing_folder_is_told_by_the_name_of_the_file(tmp_path):
    path = tmp_path / "none" / "file"
    with pytest.raises(FileNotFoundError) as caught, atomic_write(path):
        pass
    assert caught.value.filename == str(path)


def test_files_are_as_open_to_others_as_the_user_wants(tmp_path):
    old = os.umask(0o027)
    try:
        write_json(tmp_path / "file", {})
    finally:
        os.umask(old)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


@given(st.binary(max_size=1000))
def test_bytes_come_back_as_written(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("bytes") / "file"
    with atomic_write(path, "wb") as file:
        file.write(content)
    assert path.read_bytes() == content


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_text_comes_back_as_written_on_every_system(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("text") / "file"
    write_json(path, {"text": text})
    assert json.loads(path.read_bytes().decode("utf-8")) == {"text": text}
    with atomic_write(path) as file:
        file.write(text)
    assert path.read_bytes() == text.encode("utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of ours with one file in it."""
    (tmp_path / "data.npy").write_bytes(b"0123456789")
    write_manifest(tmp_path, "corpus.json", 1, {"language": "de"}, ["data.npy"])
    return tmp_path


def opened(folder: Path) -> dict[str, object]:
    """Read the folder as the program does."""
    return read_manifest(folder, "corpus.json", 1, "corpus")


def test_a_folder_of_ours_is_read_back(folder):
    manifest = opened(folder)
    assert manifest["language"] == "de"
    assert manifest["format_version"] == 1
    assert manifest["files"] == {"data.npy": checksum(folder / "data.npy")}


def set_version(path: Path, version: object) -> None:
    """Pretend that another program wrote the manifest."""
    path.write_text(json.dumps({**json.loads(path.read_text()), "format_version": version}))


DAMAGE = {
    "no folder": (
        lambda folder: folder.rename(folder.with_name("away")),
        "{folder}: there is no such corpus folder",
    ),
    "something else": (
        lambda folder: (folder / "corpus.json").unlink(),
        "{folder}: this is not a corpus folder (it has no corpus.json)",
    ),
    "a torn manifest": (
        lambda folder: os.truncate(folder / "corpus.json", 20),
        "{folder}/corpus.json: the file is damaged; make the corpus again",
    ),
    "another program's manifest": (
        lambda folder: (folder / "corpus.json").write_text("[]"),
        "{folder}/corpus.json: the file is damaged; make the corpus again",
    ),
    "bytes for a manifest": (
        lambda folder: (folder / "corpus.json").write_bytes(b"\xff\xfe"),
        "{folder}/corpus.json: the file is damaged; make the corpus again",
    ),
    "a newer version": (
        lambda folder: set_version(folder / "corpus.json", 2),
        "{folder}/corpus.json: format version 2 is newer than this program reads (1); update nmt",
    ),
    "a lost file": (
        lambda folder: (folder / "data.npy").unlink(),
        "{folder}/data.npy: the file is missing; make the corpus again",
    ),
    "a file cut short": (
        lambda folder: os.truncate(folder / "data.npy", 5),
        "{folder}/data.npy: the file was changed or cut short after it was written; "
        "make the corpus again, or copy the folder again",
    ),
    "an edited file": (
        lambda folder: (folder / "data.npy").write_bytes(b"0123456780"),
        "{folder}/data.npy: the file was changed or cut short after it was written; "
        "make the corpus again, or copy the folder again",
    ),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_folder_that_cannot_be_used_says_why(folder, kind):
    damage, sentence = DAMAGE[kind]
    damage(folder)
    with pytest.raises(FolderError) as caught:
        opened(folder)
    assert str(caught.value) == sentence.format(folder=folder)
