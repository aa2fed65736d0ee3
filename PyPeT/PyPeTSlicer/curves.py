"""Curves and findings as nodes: the AIF as table and plot, the summary as table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _

from PyPeTLib.aif import SIDES
from PyPeTLib.contrast import contrast_sign
from PyPeTLib.pipeline import PipelineResult
from PyPeTSlicer.nodes import Transaction
from PyPeTSlicer.plots import Look, number_table, show_columns

TIME, MEASURED, FITTED, VEIN, BRAIN = "Time", "AIF measured", "AIF fit", "VOF", "Brain mean"

_OF_SIDES = {side: f"AIF {side}" for side in SIDES}

_SERIES = {
    MEASURED: (0.80, 0.10, 0.10),
    FITTED: (0.95, 0.60, 0.10),
    _OF_SIDES["left"]: (0.60, 0.10, 0.45),
    _OF_SIDES["right"]: (0.85, 0.45, 0.65),
    VEIN: (0.30, 0.65, 0.90),
    BRAIN: (0.15, 0.35, 0.80),
}
"""Curves of the plot and their colours."""


def fill_curves(node: Any, result: PipelineResult) -> list[str]:
    """Put the curves of a run into a table node; returns the names of the curves that there are.

    Times are those of the frames; the bolus arrives at the time that the attribute ``PyPeT.BolusArrival`` holds.
    Arterial curves are those that were deconvolved with: scaled to the vein by ``PyPeT.AIFScale``.
    """
    times, aif = result.working.frame_times, result.aif
    columns = {TIME: times}
    if aif is not None:
        columns[MEASURED] = aif.curve(times, "measured")
        if aif.fit is not None:
            columns[FITTED] = aif.curve(times, "fitted")
    if result.hemispheres is not None:
        arteries = {side: getattr(result.hemispheres, side) for side in SIDES}
        columns |= {_OF_SIDES[side]: artery.curve(times, "measured") for side, artery in arteries.items()}
    if result.vof is not None:
        columns[VEIN] = result.vof.measured
    if len(result.concentration.curves):
        columns[BRAIN] = result.concentration.curves.mean(axis=0, dtype=np.float64)
    node.SetAndObserveTable(number_table(columns))
    unit = unit_of(result)
    for name in columns:
        node.SetColumnUnitLabel(name, "s" if name == TIME else unit)
    arrival = f"{result.bolus.time:.3f}" if result.bolus.found else ""
    node.SetAttribute("PyPeT.BolusArrival", arrival)
    node.SetAttribute("PyPeT.AIFScale", "" if aif is None else f"{aif.scale:.6g}")
    return [name for name in columns if name != TIME]


def plot(scene: Transaction, chart: Any, table: Any, curves: Sequence[str], result: PipelineResult) -> None:
    """Make a chart node show the curves of a table node; the table's series nodes are used again."""
    unit = unit_of(result)
    # also those that the last run had no curve for, and so left out of the chart
    every = slicer.util.getNodesByClass("vtkMRMLPlotSeriesNode")
    kept = {series.GetYColumnName(): series for series in every if series.GetTableNode() is table}
    chart.RemoveAllPlotSeriesNodeIDs()
    for name in curves:
        series = kept.get(name) or scene.add("vtkMRMLPlotSeriesNode", name)
        line, marker = "dash" if name == FITTED else "solid", "circle" if name == MEASURED else "none"
        show_columns(series, table, TIME, name, Look(colour=_SERIES[name], line=line, marker=marker, size=6))
        chart.AddAndObservePlotSeriesNodeID(series.GetID())
    told = _("{series}: bolus arrives at {time:.1f} s") if result.bolus.found else _("{series}: no bolus found")
    chart.SetTitle(str(told).format(series=result.series.name, time=result.bolus.time))
    chart.SetXAxisTitle(_("Time [s]"))
    chart.SetYAxisTitle(str(_("Contrast [{unit}]")).format(unit=unit))
    chart.SetLegendVisibility(True)


def fill_rows(node: Any, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Put rows of text into a table node."""
    table = vtk.vtkTable()
    for index, name in enumerate(header):
        column = vtk.vtkStringArray()
        column.SetName(name)
        column.SetNumberOfValues(len(rows))
        for row, values in enumerate(rows):
            column.SetValue(row, values[index])
        table.AddColumn(column)
    node.SetAndObserveTable(table)


def unit_of(result: PipelineResult) -> str:
    """Unit of the curves of a run."""
    return "HU" if contrast_sign(result.series.modality) > 0 else "1/s"
