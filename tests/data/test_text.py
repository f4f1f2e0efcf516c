"""Reading and writing lines: one at `\\n`, nowhere else, whatever else the text holds."""

import gzip
import lzma
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.data.text import BOM, LineReader, count_lines, open_output, read_lines
from nmt.errors import DataError

# What other readers take for line ends, and what else confuses them.
NASTY = "\r\f\v\u2028\u2029\u0085\u001c\u001d\u001e\x00\x01\ufeff😀👩‍👩‍👧שלום\u202e\u0301 \ta日"
nasty_line = st.text(st.sampled_from(NASTY) | st.characters(exclude_characters="\n", codec="utf-8"))


def reference(data: bytes) -> list[str]:
    """The rule in one line of Python each: split at \\n, drop one \\r before it."""
    lines = data.removeprefix(BOM).split(b"\n")
    ended = [line.removesuffix(b"\r") for line in lines[:-1]]
    return [line.decode() for line in (ended + lines[-1:] if lines[-1] else ended)]


@given(lines=st.lists(nasty_line), end=st.sampled_from(["\n", "\r\n"]), last=nasty_line)
def test_lines_end_at_newlines_only(tmp_path_factory, lines, end, last):
    path = tmp_path_factory.mktemp("text") / "nasty.txt"
    data = ("".join(line + end for line in lines) + last).encode()
    path.write_bytes(data)
    with read_lines(path) as reader:
        read = list(reader)
    assert read == reference(data)
    assert reader.lines == len(read)


@pytest.mark.parametrize("block", [1, 2, 3, 7])
def test_lines_do_not_depend_on_how_the_file_is_read(tmp_path, monkeypatch, block):
    path = tmp_path / "text"
    data = "eins\r\nzwei 😀\n\n\r\n\r\r\nvïer\r".encode()
    path.write_bytes(data)
    monkeypatch.setattr("nmt.data.text.BLOCK", block)
    with read_lines(path) as reader:
        assert list(reader) == reference(data) == ["eins", "zwei 😀", "", "", "\r", "vïer\r"]


@pytest.mark.parametrize(("suffix", "opener"), [(".gz", gzip.open), (".xz", lzma.open)])
def test_compressed_files_are_read_and_written(tmp_path, suffix, opener):
    path = tmp_path / f"text{suffix}"
    with open_output(path) as out:
        out.write("a\u2028b\nc\r\n")
    with opener(path, "rb") as file:
        assert file.read() == "a\u2028b\nc\r\n".encode()
    with read_lines(path) as reader:
        assert list(reader) == ["a\u2028b", "c"]


def test_a_compressed_file_cut_short_is_told(tmp_path):
    path = tmp_path / "text.gz"
    path.write_bytes(gzip.compress(b"line\n" * 100_000)[:-20])
    with pytest.raises(DataError, match=r"text\.gz: the compressed file is damaged or cut short"):
        list(read_lines(path))


def test_a_file_that_is_not_compressed_is_told(tmp_path):
    path = tmp_path / "text.xz"
    path.write_bytes(b"plain\n")
    with pytest.raises(DataError, match="damaged or cut short after 0 lines"):
        list(read_lines(path))


@pytest.mark.parametrize(
    ("content", "program"),
    [(gzip.compress(b"line\n"), "gzip"), (lzma.compress(b"line\n"), "xz")],
    ids=["gzip", "xz"],
)
def test_compressed_text_under_another_name_is_told(tmp_path, content, program):
    path = tmp_path / "text"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        list(read_lines(path, "replace"))
    assert str(caught.value) == (
        f"{path}: this is compressed by {program}, not text; unpack it first ({program} -dc), or "
        "give a file whose name ends in .gz or .xz"
    )


def test_an_output_that_fails_leaves_nothing(tmp_path):
    def write_and_fail():
        with open_output(tmp_path / "out.txt") as out:
            out.write("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("old", ["old\n", None])
def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path, old):
    link, file = tmp_path / "link", tmp_path / "elsewhere" / "file"
    file.parent.mkdir()
    if old:
        file.write_text(old)
    link.symlink_to("elsewhere/file")
    with open_output(link) as out:
        out.write("new\n")
    assert (link.readlink(), file.read_text()) == (Path("elsewhere/file"), "new\n")
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="this system has no names for open files")
def test_what_has_a_file_open_goes_on_with_it(tmp_path):
    with (tmp_path / "log").open("a") as log:
        print("first", file=log, flush=True)
        with open_output(f"/dev/fd/{log.fileno()}") as out:
            out.write("second\n")
        print("third", file=log, flush=True)
    assert (tmp_path / "log").read_text() == "first\nsecond\nthird\n"


def test_invalid_utf8_is_an_error_with_line_and_byte(tmp_path):
    path = tmp_path / "latin1.txt"
    path.write_bytes(b"good\ncaf\xe9 noir\nmore\n")
    with pytest.raises(DataError) as error:
        list(read_lines(path, what="training source"))
    assert str(error.value) == (
        f"training source {path}: line 2, byte 4 (0xe9) is not valid UTF-8; convert the file to "
        "UTF-8, or choose --invalid-utf8 replace or skip"
    )


@pytest.mark.parametrize(("fate", "line"), [("replace", "caf\ufffd noir"), ("skip", "")])
def test_invalid_utf8_can_be_replaced_or_skipped(tmp_path, caplog, fate, line):
    path = tmp_path / "latin1.txt"
    path.write_bytes(b"good\ncaf\xe9 noir\nmore\n")
    with read_lines(path, fate) as reader:
        assert list(reader) == ["good", line, "more"]
    assert (reader.lines, reader.invalid) == (3, 1)
    assert "not valid UTF-8 in 1 of 3 lines (the first is line 2)" in caplog.text


def test_utf16_is_recognised(tmp_path):
    path = tmp_path / "text"
    path.write_text("hello\n", encoding="utf-16")
    with pytest.raises(DataError, match="the file is UTF-16; convert it to UTF-8"):
        list(read_lines(path))


def test_a_missing_file_and_a_folder_are_told(tmp_path):
    with pytest.raises(DataError, match=r"nowhere: there is no such file$"):
        read_lines(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"this is a folder, not a text file$"):
        read_lines(tmp_path)


def test_a_line_longer_than_any_block_is_whole(tmp_path):
    path = tmp_path / "long"
    path.write_bytes(b"x" * 5_000_000 + b"\nend\n")
    assert [len(line) for line in LineReader(path)] == [5_000_000, 3]


@pytest.mark.parametrize("content", [b"", b"\n", b"a", b"a\n", b"a\nb", b"\n\n", b"a\r\n\r\n b"])
def test_lines_are_counted_as_they_are_read(tmp_path, content):
    path = tmp_path / "text"
    path.write_bytes(content)
    assert count_lines(path) == len(list(read_lines(path)))


def test_lines_are_counted_in_ordinary_files_only(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-").write_bytes(b"not standard input\n")
    (tmp_path / "text.gz").write_bytes(b"")
    assert [count_lines(name) for name in ("-", tmp_path, tmp_path / "text.gz")] == [None] * 3
