"""Diagrams of figures that a benchmark measured."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

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
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5, 7)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.margins(x=0.25, y=0.1)
    # Labels point away from the middle, so that neighbours of like height do not share a place.
    middle = statistics.median(point.x for point in points)
    for point in points:
        axes.plot(point.x, point.y, "o", color=COLOURS[0])
        left = point.x <= middle
        offset, side = ((-7, -4), "right") if left else ((7, -4), "left")
        axes.annotate(point.label, (point.x, point.y), offset, textcoords="offset points", ha=side)
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
