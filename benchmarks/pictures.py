"""Diagrams of figures that a benchmark measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

COLOURS = ("#2f6fb5", "#d9722b", "#3a8f5c", "#7d5ba6")
DPI = 110


@dataclass(frozen=True)
class Point:
    """A labelled point."""

    x: float
    y: float
    label: str


@dataclass(frozen=True)
class Line:
    """A labelled line through points; its label is in the legend."""

    label: str
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True)
class Titles:
    """What stands above and beside a diagram."""

    title: str
    x: str
    y: str


def scatter(points: Sequence[Point], titles: Titles, output: Path) -> None:
    """Draw points with their labels; the horizontal axis is logarithmic."""
    figure, axes = _figure(titles)
    axes.set_xscale("log")
    for ticks in (axes.xaxis.set_major_formatter, axes.xaxis.set_minor_formatter):
        ticks(StrMethodFormatter("{x:,.0f}"))
    axes.margins(x=0.2, y=0.1)
    # Of two points at the same height, one has its label above it and the other below.
    for number, point in enumerate(sorted(points, key=lambda point: point.y)):
        axes.plot(point.x, point.y, "o", color=COLOURS[0])
        offset = (6, 5 if number % 2 else -12)
        axes.annotate(point.label, (point.x, point.y), offset, textcoords="offset points")
    _save(figure, output)


def lines(found: Sequence[Line], titles: Titles, output: Path) -> None:
    """Draw lines with a legend."""
    figure, axes = _figure(titles)
    for number, line in enumerate(found):
        colour = COLOURS[number % len(COLOURS)]
        axes.plot(line.x, line.y, "o-", color=colour, label=line.label)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    _save(figure, output)


def _figure(titles: Titles) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    axes.set_title(titles.title, loc="left")
    axes.set_xlabel(titles.x)
    axes.set_ylabel(titles.y)
    axes.grid(color="#e6e9ed")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _save(figure: Figure, output: Path) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(output, dpi=DPI)
