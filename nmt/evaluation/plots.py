"""Pictures: the learning curves of a training, and where a decoder looked (its attention).

Figures are made without pyplot, which keeps global state and may want a screen.
"""

import json
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nmt.evaluation.fonts import font_families, readable
from nmt.files import atomic_write

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, FAINT, GRID = "#22272e", "#6b7480", "#e6e9ed"
BLUE, ORANGE, GREEN, PURPLE = "#2f6fb5", "#d9722b", "#3a8f5c", "#7d5ba6"
DPI = 110
# In inches: the curves' width; the heat map's longest side, and the least room for a label.
WIDTH, LONGEST_SIDE, SMALLEST_LABEL = 8.0, 20.0, 0.15


@dataclass(frozen=True)
class Curve:
    """One line of a diagram: the figure `key` of the reports of one kind."""

    kind: str
    key: str
    label: str
    colour: str


@dataclass(frozen=True)
class Panel:
    """One of the stacked diagrams of the learning curves; `height` in inches."""

    title: str
    curves: tuple[Curve, ...]
    height: float


@dataclass(frozen=True)
class Series:
    """The points of one curve, and which of them stand for the best model so far."""

    updates: list[float]
    values: list[float]
    best: list[bool]


PANELS = (
    Panel(
        "Loss",
        (
            Curve("train", "loss", "training", BLUE),
            Curve("valid", "loss", "validation", ORANGE),
        ),
        3.0,
    ),
    Panel(
        "Translation quality on the validation set",
        (Curve("valid", "bleu", "BLEU", GREEN), Curve("valid", "chrf", "chrF", PURPLE)),
        3.0,
    ),
    Panel("Learning rate", (Curve("train", "learning_rate", "", FAINT),), 1.2),
)


def learning_curves(metrics: Path, output: Path) -> None:
    """Draw the loss, BLEU, chrF and the learning rate of a training against its updates.

    Lines that are not whole (a crash may leave one) and figures that are not numbers are passed
    over; a diagram without any figure is left out.

    Args:
        metrics: a `metrics.jsonl`, one report a line, each with a `kind` and its `update`.
        output: the PNG file to write.
    """
    reports = _read_reports(metrics)
    panels = [
        panel for panel in PANELS if any(_series(reports, curve).values for curve in panel.curves)
    ]
    heights = [panel.height for panel in panels] or [3.0]
    figure = _figure(WIDTH, sum(heights) + 0.8)
    column = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)
    for axes, panel in zip(column[:, 0], panels, strict=False):
        _draw_panel(axes, panel, reports)
    if panels:
        column[-1, 0].set_xlabel("updates", color=FAINT, fontsize=10)
    else:
        column[0, 0].set_axis_off()
        column[0, 0].text(0.5, 0.5, "No reports yet", ha="center", color=FAINT, fontsize=14)
    _save(figure, output)


def attention_heatmap(
    attention: "np.ndarray",
    source_pieces: Sequence[str],
    target_pieces: Sequence[str],
    output: Path,
) -> None:
    """Draw the attention that each target piece (a row) paid to each source piece (a column).

    Args:
        attention: (T, S), weights from 0 to 1.
        source_pieces: the S pieces of the source.
        target_pieces: the T pieces of the translation.
        output: the PNG file to write.

    Raises:
        ValueError: a shape that does not fit the pieces, or no pieces.
    """
    rows, columns = len(target_pieces), len(source_pieces)
    if attention.shape != (rows, columns) or not attention.size:
        raise ValueError(f"attention of {attention.shape} does not fit {rows} x {columns} pieces")
    cell = min(0.42, LONGEST_SIDE / max(rows, columns))  # inches
    figure = _figure(columns * cell + 2.6, rows * cell + 1.9)
    axes = figure.subplots()
    lines: dict[str, Any] = {"edgecolor": GRID, "linewidth": 1} if cell > 0.1 else {}
    mesh = axes.pcolormesh(attention, cmap=_colours(), vmin=0, vmax=1, **lines)
    axes.set_aspect("equal")
    axes.invert_yaxis()
    _label_pieces(axes, source_pieces, target_pieces, cell)
    bar = figure.colorbar(mesh, ax=axes, shrink=min(1.0, 2.2 / (rows * cell)), aspect=14, pad=0.02)
    bar.set_label("attention", color=FAINT, fontsize=10)
    bar.outline.set_visible(False)
    bar.set_ticks([0, 0.5, 1])
    bar.ax.tick_params(labelsize=9, labelcolor=FAINT, length=0)
    _save(figure, output)


def _read_reports(path: Path) -> list[dict[str, Any]]:
    """Read the lines of metrics.jsonl that are whole."""
    reports = []
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):
        try:
            report = json.loads(line)
        except ValueError:
            continue
        if isinstance(report, dict) and _is_figure(report.get("update")):
            reports.append(report)
    return reports


def _series(reports: Sequence[dict[str, Any]], curve: Curve) -> Series:
    """Return the points of a curve, by growing update.

    A run that was killed and resumed repeats some updates: the later report of each counts.
    """
    found: dict[float, dict[str, Any]] = {}
    for report in reports:
        if report.get("kind") == curve.kind and _is_figure(report.get(curve.key)):
            found[report["update"]] = report
    updates = sorted(found)
    return Series(
        updates,
        [found[update][curve.key] for update in updates],
        [found[update].get("best") is True for update in updates],
    )


def _is_figure(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _draw_panel(axes: "Axes", panel: Panel, reports: Sequence[dict[str, Any]]) -> None:
    """Draw the curves of one panel, with the best validation marked on the first that has one."""
    marked = False
    for curve in panel.curves:
        series = _series(reports, curve)
        if not series.values:
            continue
        # Few points need their marks: a line through one point is invisible.
        style: dict[str, Any] = {"marker": "o", "markersize": 4} if len(series.values) <= 40 else {}
        axes.plot(series.updates, series.values, color=curve.colour, label=curve.label, **style)
        if curve.kind == "valid" and curve.key != "loss" and not marked and any(series.best):
            _mark_best(axes, series, curve.colour)
            marked = True
    _dress(axes, panel)


def _mark_best(axes: "Axes", series: Series, colour: str) -> None:
    """Ring the point whose model was kept in the end, and write its value beside it."""
    index = max(i for i, best in enumerate(series.best) if best)
    point = (series.updates[index], series.values[index])
    axes.plot(*point, "o", markersize=11, markerfacecolor="none", markeredgecolor=colour)
    axes.annotate(
        f"kept {series.values[index]:.1f}",
        point,
        xytext=(0, -12),
        textcoords="offset points",
        ha="right" if index else "left",
        va="top",
        color=colour,
        fontsize=10,
    )


def _dress(axes: "Axes", panel: Panel) -> None:
    """Give a panel its title, its legend, a light grid, and no frame."""
    axes.set_title(panel.title, loc="left", fontsize=12, color=INK, pad=8)
    if len(axes.get_legend_handles_labels()[0]) and len(panel.curves) > 1:
        axes.legend(
            loc="lower right",
            bbox_to_anchor=(1.0, 1.0),
            ncols=len(panel.curves),
            frameon=False,
            fontsize=10,
            labelcolor="linecolor",
        )
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelsize=9, labelcolor=FAINT)
    axes.margins(x=0.02, y=0.08)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.locator_params(axis="y", nbins=6 if panel.height > 2 else 3)


def _label_pieces(
    axes: "Axes", source_pieces: Sequence[str], target_pieces: Sequence[str], cell: float
) -> None:
    """Write the source pieces above the columns and the target pieces beside the rows."""
    every = max(1, math.ceil(SMALLEST_LABEL / cell))  # very long sentences: not all of them
    style: dict[str, Any] = {
        "fontfamily": font_families("".join([*source_pieces, *target_pieces])),
        "fontsize": min(11.0, 72 * cell * every * 0.6),
        "color": INK,
        "parse_math": False,  # a dollar sign is a piece like any other
    }
    axes.set_xlabel("source", color=FAINT, fontsize=10, labelpad=8)
    axes.set_ylabel("translation", color=FAINT, fontsize=10, labelpad=8)
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    columns, rows = range(0, len(source_pieces), every), range(0, len(target_pieces), every)
    axes.set_xticks([column + 0.5 for column in columns])
    axes.set_xticklabels(
        [readable(source_pieces[column]) for column in columns],
        rotation=55,
        ha="left",
        rotation_mode="anchor",
        **style,
    )
    axes.set_yticks([row + 0.5 for row in rows])
    axes.set_yticklabels([readable(target_pieces[row]) for row in rows], **style)
    axes.tick_params(length=0, pad=4)
    axes.spines[:].set_visible(False)


def _colours() -> Any:
    """White to deep blue: white is no attention, as on paper."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("ink", ["#ffffff", "#c9dcf0", "#5b94cd", "#143d73"])


def _figure(width: float, height: float) -> "Figure":
    """Return an empty figure of a size in inches, with a margin all around."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12)
    return Figure(figsize=(width, height), dpi=DPI, layout=layout)


def _save(figure: "Figure", output: Path) -> None:
    """Write the figure as a PNG file, whole or not at all."""
    with atomic_write(output, "wb") as file, warnings.catch_warnings():
        # No font may have a letter of some script: a box in its place is message enough.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        warnings.filterwarnings("ignore", message="constrained_layout not applied")
        figure.savefig(file, format="png", facecolor="white", metadata={"Software": None})
