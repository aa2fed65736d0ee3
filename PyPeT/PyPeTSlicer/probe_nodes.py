"""Tables and charts whose values change in place: nodes, arrays and plot series are made once and used again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from PyPeTSlicer.nodes import subject_hierarchy, unique_name
from PyPeTSlicer.plots import Look, show_columns

Colour = tuple[float, float, float]

_LOOKS: dict[str, Callable[[Colour], Look]] = {
    "line": lambda colour: Look(colour=colour),
    "dash": lambda colour: Look(colour=colour, line="dash"),
    "points": lambda colour: Look(colour=colour, line="none", marker="circle"),
}


@dataclass(frozen=True, kw_only=True)
class Line:
    """A curve of a chart: the column that it shows, and how.

    ``style`` is ``"line"``, ``"dash"`` or ``"points"``.
    """

    column: str
    colour: Colour
    style: str = "line"


def node_of(segmentation: Any, role: str, class_name: str, title: str) -> Any:
    """The node that a segmentation refers to by a role; made beside it, in its folder, where there is none."""
    node = segmentation.GetNodeReference(role)
    if node is None:
        node = slicer.mrmlScene.AddNewNodeByClass(class_name, unique_name(title))
        segmentation.SetNodeReferenceID(role, node.GetID())
        hierarchy = subject_hierarchy()
        folder = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(segmentation))
        hierarchy.CreateItem(folder or hierarchy.GetSceneItemID(), node)
    return node


class CurveTable:
    """A table node of curves over one axis.

    Parameters
    ----------
    node : vtkMRMLTableNode
    axis, unit : str
        Name and unit of the first column.
    """

    def __init__(self, node: Any, axis: str, unit: str) -> None:
        self.node = node
        self._axis, self._axis_unit = axis, unit
        self._views: dict[str, np.ndarray[Any, Any]] = {}

    def shape(self, values: np.ndarray[Any, Any], units: Mapping[str, str]) -> None:
        """Make it hold curves, all empty, at values of the axis.

        Parameters
        ----------
        values : ndarray, shape (n,)
        units : mapping
            Unit of each curve by its name, in the order of the columns.
        """
        table = vtk.vtkTable()
        self._views = {}
        for name in (self._axis, *units):
            column = vtk.vtkDoubleArray()
            column.SetName(name)
            column.SetNumberOfTuples(len(values))
            table.AddColumn(column)
            self._views[name] = vtk_to_numpy(column)
            self._views[name][:] = values if name == self._axis else np.nan
        self.node.SetAndObserveTable(table)
        for name, unit in {self._axis: self._axis_unit, **units}.items():
            self.node.SetColumnUnitLabel(name, unit)

    def put(self, name: str, values: np.ndarray[Any, Any] | None) -> None:
        """Change a curve; None empties it. Nothing is told of it before `publish`."""
        self._views[name][:] = np.nan if values is None else values
        self.node.GetTable().GetColumnByName(name).Modified()

    def publish(self) -> None:
        """Tell all who show the table that it has changed, once."""
        self.node.GetTable().Modified()


class TextTable:
    """A table node of words, one column a place."""

    def __init__(self, node: Any) -> None:
        self.node = node

    def shape(self, header: Sequence[str], n_rows: int) -> None:
        """Make it hold columns of empty words."""
        table = vtk.vtkTable()
        for name in header:
            column = vtk.vtkStringArray()
            column.SetName(name)
            column.SetNumberOfValues(n_rows)
            table.AddColumn(column)
        self.node.SetAndObserveTable(table)

    def put(self, column: int, words: Sequence[str]) -> None:
        """Change a column. Nothing is told of it before `publish`."""
        array = self.node.GetTable().GetColumn(column)
        for row, word in enumerate(words):
            array.SetValue(row, word)
        array.Modified()

    def publish(self) -> None:
        """Tell all who show the table that it has changed, once."""
        self.node.GetTable().Modified()


def draw(chart: Any, table: Any, axis: str, lines: Sequence[Line]) -> None:
    """Make a chart show curves of a table; its plot series are used again, in their order."""
    before = chart.StartModify()
    kept = [chart.GetNthPlotSeriesNode(index) for index in range(chart.GetNumberOfPlotSeriesNodes())]
    kept = [series for series in kept if series is not None]
    chart.RemoveAllPlotSeriesNodeIDs()
    for index, line in enumerate(lines):
        if index == len(kept):
            kept.append(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode"))
            kept[-1].SetHideFromEditors(True)
        show_columns(kept[index], table, axis, line.column, _LOOKS[line.style](line.colour))
        chart.AddAndObservePlotSeriesNodeID(kept[index].GetID())
    chart.EndModify(before)
    for surplus in kept[len(lines) :]:
        slicer.mrmlScene.RemoveNode(surplus)
