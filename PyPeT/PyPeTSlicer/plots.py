"""What all plots share: tables of numbers, and the series that show their columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk

_SERIES = slicer.vtkMRMLPlotSeriesNode

_LINES = {
    "none": _SERIES.LineStyleNone,
    "solid": _SERIES.LineStyleSolid,
    "dash": _SERIES.LineStyleDash,
}
_MARKERS = {
    "none": _SERIES.MarkerStyleNone,
    "circle": _SERIES.MarkerStyleCircle,
    "square": _SERIES.MarkerStyleSquare,
    "diamond": _SERIES.MarkerStyleDiamond,
}


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a series is drawn.

    Attributes
    ----------
    colour : tuple of float
        Red, green and blue from 0 to 1.
    line : str
        ``"solid"``, ``"dash"`` or ``"none"``.
    marker : str
        ``"none"``, ``"circle"``, ``"square"`` or ``"diamond"``.
    size : float
        Of the markers.
    """

    colour: tuple[float, float, float]
    line: str = "solid"
    marker: str = "none"
    size: float = 5.0


def number_table(columns: Mapping[str, Any]) -> vtk.vtkTable:
    """A table of numbers; shorter columns stay at their last value, which a plot draws on top of itself."""
    rows = max((len(values) for values in columns.values()), default=0)
    table = vtk.vtkTable()
    for name, values in columns.items():
        padded = np.pad(np.asarray(values, np.float64), (0, rows - len(values)), mode="edge")
        column = numpy_to_vtk(padded, deep=True)
        column.SetName(name)
        table.AddColumn(column)
    return table


def show_columns(series: Any, table: Any, x: str, y: str, look: Look, *, name: str = "") -> None:
    """Make a plot series show two columns of a table node; its name, for the legend, is that of ``y`` by default."""
    before = series.StartModify()
    series.SetName(name or y)
    series.SetAndObserveTableNodeID(table.GetID())
    series.SetPlotType(_SERIES.PlotTypeScatter)
    series.SetXColumnName(x)
    series.SetYColumnName(y)
    series.SetColor(*look.colour)
    series.SetLineStyle(_LINES[look.line])
    series.SetLineWidth(2)
    series.SetMarkerStyle(_MARKERS[look.marker])
    series.SetMarkerSize(look.size)
    series.EndModify(before)
