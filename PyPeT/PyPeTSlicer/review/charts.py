"""Plots of a review: a table, its series and their chart, from lines that are given as arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer

from PyPeTSlicer.plots import Look, number_table, show_columns
from PyPeTSlicer.review.subject import Subject

BLUE, RED, GREEN, ORANGE, PURPLE, GREY = (
    (0.00, 0.35, 0.70),
    (0.80, 0.15, 0.10),
    (0.00, 0.50, 0.35),
    (0.85, 0.45, 0.00),
    (0.55, 0.25, 0.65),
    (0.45, 0.45, 0.45),
)
"""Told apart by the colour-blind too, on the light paper of Slicer's charts."""

_HEADROOM = 0.09
"""Share of the height that each line of the legend is given above the data."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Line:
    """One line, or one set of points, of a plot.

    Attributes
    ----------
    name : str
        What the legend says.
    x, y : sequence of float
    colour : tuple of float
    points : bool
        Marks instead of a line.
    marked : bool
        A mark at every value of the line.
    dashed : bool
    """

    name: str
    x: Sequence[float] | np.ndarray[Any, Any]
    y: Sequence[float] | np.ndarray[Any, Any]
    colour: tuple[float, float, float]
    points: bool = False
    marked: bool = False
    dashed: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawing:
    """What a chart shows.

    Attributes
    ----------
    title, x_title, y_title : str
        Of the chart and its axes, these with their units.
    lines : sequence of Line
    least : float
        The vertical axis spans at least so much, so that noise does not look like a finding.
    """

    title: str
    x_title: str
    y_title: str
    lines: Sequence[Line]
    least: float = 0.0


def upright(
    name: str, x: float, low: float, high: float, colour: tuple[float, float, float], *, dashed: bool = False
) -> Line:
    """A vertical line that marks a value of x."""
    return Line(name=name, x=[x, x], y=[low, high], colour=colour, dashed=dashed)


def chart(subject: Subject, role: str, title: str, drawing: Callable[[], Drawing]) -> Any:
    """A chart node of the review, with its table and series, made from the run or as it was saved.

    Parameters
    ----------
    subject : Subject
    role : str
        By which it is found again; that of its table is ``<role>Table``.
    title : str
        Its name, after that of the series.
    drawing : callable
        Gives what it shows; only called if the chart is missing or older than the run.
    """
    return subject.node(role, "vtkMRMLPlotChartNode", title, lambda node: _draw(subject, role, title, node, drawing()))


def _draw(subject: Subject, role: str, title: str, node: Any, drawing: Drawing) -> None:
    lines = [line for line in drawing.lines if len(line.x)]
    columns: dict[str, Any] = {}
    for line in lines:
        columns |= {_x_of(line): line.x, line.name: line.y}
    table = subject.node(
        f"{role}Table",
        "vtkMRMLTableNode",
        f"{title} values",
        lambda made: made.SetAndObserveTable(number_table(columns)),
    )
    kept = [node.GetNthPlotSeriesNode(index) for index in range(node.GetNumberOfPlotSeriesNodes())]
    node.RemoveAllPlotSeriesNodeIDs()
    for line in lines:
        series = kept.pop(0) if kept else slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode")
        show_columns(series, table, _x_of(line), line.name, _look(line))
        subject.file(series)
        node.AddAndObservePlotSeriesNodeID(series.GetID())
    for series in kept:
        slicer.mrmlScene.RemoveNode(series)
    node.SetTitle(drawing.title)
    node.SetXAxisTitle(drawing.x_title)
    node.SetYAxisTitle(drawing.y_title)
    node.SetLegendVisibility(len(lines) > 1)
    node.SetGridVisibility(True)
    _set_ranges(node, drawing, lines)


def _set_ranges(node: Any, drawing: Drawing, lines: Sequence[Line]) -> None:
    """The data, and above them room for the legend."""
    x = np.concatenate([np.asarray(line.x, float) for line in lines])
    y = np.concatenate([np.asarray(line.y, float) for line in lines])
    low, high = float(y.min()), float(y.max())
    high = max(high, low + drawing.least)
    span = high - low or 1.0
    node.SetXAxisRangeAuto(False)
    node.SetXAxisRange(float(x.min()), float(x.max()) if x.max() > x.min() else float(x.min()) + 1)
    node.SetYAxisRangeAuto(False)
    node.SetYAxisRange(low - 0.05 * span, high + (0.05 + _HEADROOM * len(lines)) * span)


def _x_of(line: Line) -> str:
    return f"x of {line.name}"


def _look(line: Line) -> Look:
    solid = "dash" if line.dashed else "solid"
    marker = "diamond" if line.points else "circle" if line.marked else "none"
    return Look(colour=line.colour, line="none" if line.points else solid, marker=marker, size=9 if line.points else 5)
