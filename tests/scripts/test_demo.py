"""The demo's looks and manners; the pipeline itself takes minutes and is run by `make demo`."""

import shlex
from pathlib import Path

import demo
import pytest

from tests.support.random_models import write_model

LONG = (
    "nmt preprocess --train-source .demo/corpus/train.en --train-target .demo/corpus/train.de "
    "--valid-source .demo/corpus/valid.en --valid-target .demo/corpus/valid.de -o .demo/data"
)


def test_a_wrapped_command_fits_and_can_be_pasted() -> None:
    text = demo.MARGIN + demo.wrapped(LONG)
    assert max(map(len, text.splitlines())) <= 80
    assert shlex.split(text.replace("\\\n", "")) == shlex.split(LONG)


def test_no_colours_where_there_is_no_terminal() -> None:
    assert not demo.INK.enabled
    assert demo.INK.good("gut") == "gut"
    assert demo.Ink(enabled=True).good("gut") == "\033[32mgut\033[0m"


def test_starting_afresh_removes_what_the_demo_wrote_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "ROOT", tmp_path)
    (tmp_path / demo.MODEL / "checkpoints").mkdir(parents=True)
    (tmp_path / demo.HEATMAP).write_bytes(b"old")
    (tmp_path / demo.DEMO / "notes.txt").write_text("mine")
    demo.start_afresh()
    assert [path.name for path in (tmp_path / demo.DEMO).iterdir()] == ["notes.txt"]


def test_samples_stand_beside_their_references(capsys: pytest.CaptureFixture[str]) -> None:
    long = " ".join(["Wort"] * 30)
    demo.show_samples([demo.Sample("A dog.", "Ein Hund.", long)] * 10)
    output = capsys.readouterr().out
    assert output.count("translation   Wort") == 5
    assert "     source        A dog.\n     reference     Ein Hund.\n" in output
    assert max(map(len, output.splitlines())) <= 80


def test_a_failed_command_ends_the_demo_with_its_exit_code() -> None:
    with pytest.raises(demo.DemoError, match=r"^python -c ended with exit code 7; its message is"):
        demo.run("python -c 'import sys; sys.exit(7)'")


def test_attention_is_drawn(
    toy_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "ROOT", tmp_path)
    write_model(toy_folder, tmp_path / demo.MODEL, "general")
    demo.draw_attention([demo.Sample("A dog.", "Ein Hund.", "Ein Hund.")])
    assert (tmp_path / demo.HEATMAP).read_bytes().startswith(b"\x89PNG")
