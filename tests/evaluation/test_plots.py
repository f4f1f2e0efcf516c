"""Pictures are whole PNG files with something to see, whatever was measured so far."""

import json
import warnings

import numpy as np
import pytest
from matplotlib.image import imread

from nmt.evaluation.fonts import font_families, readable
from nmt.evaluation.plots import attention_heatmap, learning_curves

TRAIN = {"kind": "train", "update": 100, "epoch": 0.5, "loss": 4.1, "learning_rate": 0.001}
VALID = {"kind": "valid", "update": 150, "loss": 3.2, "bleu": 21.3, "chrf": 45.0, "best": True}
BLUE, ORANGE, GREEN = "#2f6fb5", "#d9722b", "#3a8f5c"


def curves(tmp_path, *reports):
    """Draw the curves of these reports (or of lines as they are) and return the picture."""
    lines = [report if isinstance(report, str) else json.dumps(report) for report in reports]
    (tmp_path / "metrics.jsonl").write_text("\n".join(lines), "utf-8")
    learning_curves(tmp_path / "metrics.jsonl", tmp_path / "curves.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["curves.png", "metrics.jsonl"]
    return imread(tmp_path / "curves.png")


def colours_in(picture):
    """Return the colours of a picture, written as in HTML."""
    pixels = np.unique((picture[..., :3] * 255).round().astype(int).reshape(-1, 3), axis=0)
    return {f"#{r:02x}{g:02x}{b:02x}" for r, g, b in pixels}


def test_the_curves_show_loss_and_quality(tmp_path):
    later = [{**report, "update": report["update"] + 200} for report in (TRAIN, VALID)]
    picture = curves(tmp_path, TRAIN, VALID, *later)
    assert {BLUE, ORANGE, GREEN} <= colours_in(picture)


def test_one_report_is_drawn_as_a_point(tmp_path):
    picture = curves(tmp_path, TRAIN)
    assert BLUE in colours_in(picture)
    assert ORANGE not in colours_in(picture)
    assert GREEN in colours_in(curves(tmp_path, VALID))


def test_without_reports_the_picture_says_so(tmp_path):
    assert len(colours_in(curves(tmp_path))) > 2


def test_lines_that_are_not_whole_and_figures_that_are_none_are_passed_over(tmp_path):
    odd = [
        '{"kind": "trai',
        "",
        "7",
        '{"kind": "train", "update": 200, "loss": NaN}',
        '{"kind": "train", "update": null, "loss": 3}',
        '{"kind": "train", "update": 200, "loss": "much"}',
        {"kind": "valid", "update": 200, "loss": None, "bleu": None},
        {"kind": "sample", "update": 200, "text": "\u2028"},
    ]
    assert np.array_equal(
        curves(tmp_path, *odd, TRAIN, *odd, VALID), curves(tmp_path, TRAIN, VALID)
    )


def test_after_a_resumed_run_the_later_report_of_an_update_counts(tmp_path):
    wrong = {**TRAIN, "loss": 9.0}
    assert np.array_equal(curves(tmp_path, wrong, TRAIN, VALID), curves(tmp_path, TRAIN, VALID))


@pytest.mark.parametrize("script", ["▁A ▁dog ▁runs .", "▁ $ 5$ \\frac \t", "我 喜 คน ि سلام 👍 ␣"])
def test_the_heat_map_shows_any_pieces_without_a_warning(tmp_path, script):
    pieces = script.split(" ")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        attention_heatmap(np.eye(len(pieces), 3), ["▁x", "y", "$z"], pieces, tmp_path / "map.png")
    assert "#143d73" in colours_in(imread(tmp_path / "map.png"))  # an attention of 1
    assert [path.name for path in tmp_path.iterdir()] == ["map.png"]


def test_a_row_of_the_heat_map_is_a_target_piece(tmp_path):
    attention = np.zeros((2, 6))
    attention[1, 0] = 1  # the lower left corner
    attention_heatmap(attention, list("abcdef"), ["g", "h"], tmp_path / "map.png")
    picture = imread(tmp_path / "map.png")
    dark = np.argwhere(np.abs(picture[..., :3] - np.array([20, 61, 115]) / 255).sum(-1) < 0.01)
    cell = dark[dark[:, 1] < picture.shape[1] * 0.7]  # without the colour bar on the right
    row, column = cell.mean(0) / picture.shape[:2]
    assert row > 0.6
    assert column < 0.4


def test_a_very_long_sentence_still_makes_a_picture_of_sensible_size(tmp_path):
    pieces = [f"▁word{i}" for i in range(300)]
    attention_heatmap(np.eye(300), pieces, pieces, tmp_path / "map.png")
    assert max(imread(tmp_path / "map.png").shape) < 3000


@pytest.mark.parametrize("shape", [(2, 3), (0, 0)])
def test_a_heat_map_of_another_shape_than_the_pieces_is_refused(tmp_path, shape):
    with pytest.raises(ValueError, match="does not fit"):
        attention_heatmap(np.zeros(shape), ["a"] * shape[0], ["b"] * shape[1], tmp_path / "m.png")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("piece", "shown"),
    [
        ("▁dog", "dog"),
        ("s", "s"),
        ("▁", "␣"),
        ("", "␣"),
        ("▁New▁York", "New York"),
        ("\t", "□"),
        ("ि", "◌ि"),
        ("</s>", "</s>"),
    ],
)
def test_pieces_are_shown_readably(piece, shown):
    assert readable(piece) == shown


def test_latin_text_needs_one_font_only():
    assert font_families("Ein Hund läuft.") == ["DejaVu Sans"]
