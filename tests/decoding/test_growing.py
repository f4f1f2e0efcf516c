"""Outputs that grow: killed at any moment, the next call ends with the same files."""

import fcntl
import gzip
import json
import lzma
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from nmt.decoding import growing
from nmt.decoding.growing import GrowingOutputs, Mark
from nmt.decoding.outputs import check_growing, check_outputs, open_outputs
from nmt.errors import DataError, UsageError

IDENTITY = {"model": "m", "beam_size": 5, "list": (1, 2)}
WINDOWS = [["1\n2\n", "a\nb\n"], ["3\n", ""], ["\u00e9\n5\n", "c\nd\n"], ["6\n", "e\n"]]
UNPACK = {"": bytes, ".gz": gzip.decompress, ".xz": lzma.decompress}


@dataclass
class Killed(BaseException):
    """Stands for a process that is gone: nothing may be done after it."""


def marks() -> list[Mark]:
    return [Mark(3 * (index + 1), str(index)) for index in range(len(WINDOWS))]


def outputs(paths, overwrite=False, **changes) -> GrowingOutputs:
    return GrowingOutputs(paths, IDENTITY | changes, overwrite)


def go_on(paths, windows: int = 4) -> None:
    """Write what is still missing of the first windows; all are 4."""
    with outputs(paths) as out:
        done = out.mark.lines // 3
        for texts, mark in list(zip(WINDOWS, marks(), strict=True))[done:windows]:
            out.write(texts, mark)
        if windows < len(WINDOWS):
            raise Killed


@pytest.fixture(autouse=True)
def _note_always(monkeypatch):
    monkeypatch.setattr(growing, "NOTE_EVERY", 0.0)


def stop(paths, windows: int) -> None:
    with pytest.raises(Killed):
        go_on(paths, windows)


@pytest.mark.parametrize("suffix", UNPACK)
def test_killed_between_any_two_system_calls_the_files_come_out_the_same(
    tmp_path, monkeypatch, suffix
):
    whole = [tmp_path / f"whole-{name}{suffix}" for name in "ab"]
    go_on(whole)
    expected = [path.read_bytes() for path in whole]
    for index, content in enumerate(expected):
        assert UNPACK[suffix](content).decode() == "".join(texts[index] for texts in WINDOWS)
    left = 0
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # which waits for a real disk

    def dying(call):
        def either(*args, **named):
            nonlocal left
            left -= 1
            if left < 0:  # from now on the process is dead: nothing reaches the disk
                raise Killed
            return call(*args, **named)

        return either

    for moment in range(200):
        folder = tmp_path / str(moment)
        folder.mkdir()
        paths = [folder / f"{name}{suffix}" for name in "ab"]
        left = moment
        with monkeypatch.context() as patch:
            for name in ("write", "replace", "unlink", "fsync", "ftruncate"):
                patch.setattr(os, name, dying(getattr(os, name)))
            try:
                go_on(paths)
                died = False
            except Killed:
                died = True
        go_on(paths)
        assert [path.read_bytes() for path in paths] == expected, moment
        assert sorted(path.name for path in folder.glob("[!.]*")) == [p.name for p in paths]
        if not died:
            break
    assert moment > 20


@pytest.mark.parametrize("torn", [b"", b"half a li", b"lines\nthat nobody noted\n"])
def test_what_was_written_after_the_last_note_is_dropped(tmp_path, torn):
    path = tmp_path / "out"
    stop([path, tmp_path / "more"], 2)
    with (tmp_path / "out.part").open("ab") as file:
        file.write(torn)
    go_on([path, tmp_path / "more"])
    assert path.read_text() == "1\n2\n3\n\u00e9\n5\n6\n"


def refused(paths, sentence: str, **changes) -> None:
    with pytest.raises(DataError) as told, outputs(paths, **changes):
        pass
    assert str(told.value) == sentence


def test_two_files_of_one_name_do_not_mix_up_their_sizes(tmp_path):
    paths = [tmp_path / folder / "out" for folder in "ab"]
    for path in paths:
        path.parent.mkdir()
    stop(paths, 2)
    go_on(paths)
    for number, path in enumerate(paths):
        assert path.read_text() == "".join(texts[number] for texts in WINDOWS)


def test_what_differs_is_told_and_nothing_is_changed(tmp_path):
    paths = [tmp_path / "out", tmp_path / "more"]
    stop(paths, 2)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    anew = "repeat that command to finish it, delete it, or begin anew with --overwrite"
    for changes, what in (
        ({"beam_size": 4}, "other options (beam_size was 5 and is now 4)"),
        ({"more": True}, "other options (more was None and is now True)"),
        ({"model": "n", "beam_size": 4}, "another model"),
    ):
        refused(
            paths,
            f"{tmp_path}/out.part: the file is of a translation with {what}; {anew}",
            **changes,
        )
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    with outputs(paths, overwrite=True, beam_size=4) as out:
        assert out.mark == Mark()
        out.write(["x\n", "y\n"], Mark(1, "x"))
    assert [path.read_text() for path in paths] == ["x\n", "y\n"]


def test_other_outputs_of_the_same_options_are_told(tmp_path, monkeypatch):
    """As of a relative name, in another folder."""
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    stop([tmp_path / "out", Path("more")], 2)
    monkeypatch.chdir(tmp_path / "there")
    refused(
        [tmp_path / "out", Path("more")],
        f"{tmp_path}/out.part: the file is of a translation with other outputs; repeat that "
        "command to finish it, delete it, or begin anew with --overwrite",
    )
    assert list((tmp_path / "there").iterdir()) == []
    monkeypatch.chdir(tmp_path / "here")
    go_on([tmp_path / "out", Path("more")])
    assert Path("more").read_text() == "".join(texts[1] for texts in WINDOWS)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_names_that_are_not_utf8_are_gone_on_with(tmp_path):
    paths = [tmp_path / os.fsdecode(b"caf\xe9"), tmp_path / os.fsdecode(b"\xff")]
    stop(paths, 2)
    go_on(paths)
    assert paths[1].read_text() == "".join(texts[1] for texts in WINDOWS)
    assert sorted(tmp_path.iterdir()) == sorted(paths)


def test_files_without_or_with_a_damaged_note_are_left_alone(tmp_path):
    paths, part, note = [tmp_path / "out"], tmp_path / "out.part", tmp_path / "out.part.json"
    anew = "delete it, or begin anew with --overwrite"
    part.write_text("somebody's own\n")
    refused(paths, f"{part}: nothing tells what this file is of; {anew}")
    for content in ("", "[]", "{}", '{"sizes": 3}', '{"sizes": {}, "mark": {"lines": 1, "x": 2}}'):
        note.write_text(content)
        refused(paths, f"{note}: the file is damaged; {anew}")
    assert part.read_text() == "somebody's own\n"


def test_a_file_that_lost_its_end_is_not_gone_on_with(tmp_path):
    stop([tmp_path / "out", tmp_path / "more"], 2)
    part = tmp_path / "more.part"
    part.write_bytes(part.read_bytes()[:-1])
    refused(
        [tmp_path / "out", tmp_path / "more"],
        f"{part}: the file was cut short after it was written; delete it, or begin anew with "
        "--overwrite",
    )


def test_two_processes_never_write_the_same_file(tmp_path):
    path = tmp_path / "out"
    with outputs([path]) as out:
        refused(
            [path],
            f"{path}.part: another process is writing this file; wait for it, or name another "
            "output",
        )
        out.write(["1\n"], Mark(1, "1"))
    assert path.read_text() == "1\n"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


BUSY = "another process is writing this file; wait for it, or name another output"


def test_another_process_cannot_take_a_file_that_is_just_being_finished(tmp_path, monkeypatch):
    path = tmp_path / "out"
    rename, tries = os.replace, []

    def observed(source, target):
        rename(source, target)
        if target == path:
            tries.append(target)
            refused([path], f"{path}.part: {BUSY}")

    with outputs([path]) as out:
        out.write(["1\n"], Mark(1, "1"))
        monkeypatch.setattr(os, "replace", observed)
    assert tries == [path]
    assert path.read_text() == "1\n"
    assert [each.name for each in tmp_path.iterdir()] == ["out"]


def test_a_file_that_was_finished_while_it_was_opened_stays_whole(tmp_path, monkeypatch):
    path = tmp_path / "out"
    first, lock = outputs([path]), fcntl.flock
    first.__enter__()
    first.write(["1\n"], Mark(1, "1"))

    def late(handle, how):
        monkeypatch.undo()
        first.__exit__(None, None, None)
        lock(handle, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with outputs([path]) as out:
        assert (out.mark, path.read_text()) == (Mark(), "1\n")
        out.write(["2\n"], Mark(1, "2"))
        assert path.read_text() == "1\n"
    assert path.read_text() == "2\n"
    assert [each.name for each in tmp_path.iterdir()] == ["out"]


def test_a_finished_file_whose_note_is_left_is_not_taken_from_its_place(tmp_path, monkeypatch):
    path = tmp_path / "out"
    killed = outputs([path])
    killed.__enter__().write(["1\n"], Mark(1, "1"))
    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", dying)
        with pytest.raises(Killed):
            killed.__exit__(None, None, None)
    with pytest.raises(DataError), outputs([path], beam_size=4):
        pass
    assert path.read_text() == "1\n"


def dying(*args, **named) -> None:
    raise Killed


def test_nothing_written_leaves_nothing(tmp_path):
    stop([tmp_path / "out"], 0)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError), outputs([tmp_path / "out", tmp_path / "no" / "out"]):
        pass
    assert list(tmp_path.iterdir()) == []


def test_no_lines_make_a_whole_compressed_file(tmp_path):
    with outputs([tmp_path / "out.gz"]):
        pass
    assert gzip.decompress((tmp_path / "out.gz").read_bytes()) == b""


@pytest.mark.parametrize("old", ["old\n", None])
def test_a_link_stays_and_the_file_behind_it_grows(tmp_path, old):
    link, file = tmp_path / "link", tmp_path / "elsewhere" / "file.txt"
    file.parent.mkdir()
    if old:
        file.write_text(old)
    link.symlink_to(file)
    stop([link, tmp_path / "more"], 2)
    assert {path.name for path in file.parent.glob("*.part*")} == {
        "file.txt.part",
        "file.txt.part.json",
    }
    go_on([link, tmp_path / "more"])
    assert (link.readlink(), file.read_text()) == (file, "1\n2\n3\n\u00e9\n5\n6\n")
    assert list(file.parent.iterdir()) == [file]


def test_two_links_to_one_file_are_two_outputs_in_one(tmp_path):
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "out")
    with pytest.raises(UsageError, match="this is named for two outputs"):
        check_outputs([], [tmp_path / "out", link])


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("out.part", ["out"]),
        ("out.part.json", ["out"]),
        ("out.part.json.tmp", ["out"]),
        ("link", ["out"]),
        ("more.part", ["out", "more"]),
        ("behind.part", ["link-to-behind"]),
    ],
)
def test_a_source_with_a_name_that_growing_needs_is_refused(tmp_path, source, names):
    (tmp_path / "out.part").write_text("a source\n")
    (tmp_path / "link").symlink_to("out.part")
    (tmp_path / "link-to-behind").symlink_to("behind")
    with pytest.raises(UsageError) as told:
        check_growing(tmp_path / source, [str(tmp_path / name) for name in names])
    sentence = "an output needs this name while it grows; name another output"
    assert str(told.value) == f"{tmp_path / source}: {sentence}"


@pytest.mark.parametrize("suffix", [".part", ".part.json", ".part.json.tmp"])
def test_an_output_with_a_name_that_another_needs_is_refused(tmp_path, suffix):
    out, other = str(tmp_path / "out"), str(tmp_path / f"out{suffix}")
    with pytest.raises(UsageError, match="an output needs this name while it grows"):
        check_growing(tmp_path / "in", [out, other])


def test_a_pipe_needs_no_other_names(tmp_path):
    check_growing(tmp_path / "out.part", ["-", str(tmp_path / "out")])


def test_a_dash_is_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("-").mkdir()
    check_growing("-", ["-"])
    Path("-").rmdir()
    Path("-").write_text("a file of this name\n")
    check_growing("-", ["-"])
    check_growing("-", ["./-"])
    check_outputs(["./-"], ["-", "out"])
    for sources, outputs in ((["./-"], ["./-"]), ([], ["-", "-"])):
        with pytest.raises(UsageError):
            check_outputs(sources, outputs)


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="this system has no names for open files")
def test_a_standard_stream_that_leads_to_a_file_keeps_its_name(tmp_path):
    with (tmp_path / "log").open("w") as log:
        stream = f"/dev/fd/{log.fileno()}"
        with open_outputs([stream], dict, overwrite=False) as out:
            out.write(["1\n"], Mark(1, "1"))
    assert (tmp_path / "log").read_text() == "1\n"
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


def test_a_note_is_plain_json(tmp_path):
    stop([tmp_path / "out", tmp_path / "more"], 1)
    note = json.loads((tmp_path / "out.part.json").read_text())
    assert note["mark"] == {"lines": 3, "sha256": "0"}
    assert note["sizes"] == {"out.part": 4, "more.part": 4}
