"""Curves and findings as nodes: the AIF as table and plot, the summary as table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import slicer
import vtk

from PyPeTLib.contrast import contrast_sign
from PyPeTLib.pipeline import PipelineResult
from PyPeTSlicer.nodes import Transaction

TIME, MEASURED, FITTED, BRAIN = "Time", "AIF measured", "AIF fit", "Brain mean"

_SERIES = {MEASURED: (0.80, 0.10, 0.10), FITTED: (0.95, 0.60, 0.10), BRAIN: (0.15, 0.35, 0.80)}
"""Curves of the plot and their colours."""


def fill_curves(node: Any, result: PipelineResult) -> list[str]:
    """Put the curves of a run into a table node; returns the names of the curves that there are.

    Times are those of the frames; the bolus arrives at the time that the attribute ``PyPeT.BolusArrival`` holds.
    """
    times, aif = result.working.frame_times, result.aif
    columns = {TIME: times}
    if aif is not None:
        columns[MEASURED] = aif.measured
        if aif.fit is not None:
            columns[FITTED] = aif.fit(times)
    if len(result.concentration.curves):
        columns[BRAIN] = result.concentration.curves.mean(axis=0, dtype=np.float64)
    table = vtk.vtkTable()
    for name, values in columns.items():
        column = vtk.vtkDoubleArray()
        column.SetName(name)
        column.SetNumberOfTuples(len(values))
        for row, value in enumerate(values):
            column.SetValue(row, float(value))
        table.AddColumn(column)
    node.SetAndObserveTable(table)
    unit = unit_of(result)
    for name in columns:
        node.SetColumnUnitLabel(name, "s" if name == TIME else unit)
    arrival = f"{result.bolus.time:.3f}" if result.bolus.found else ""
    node.SetAttribute("PyPeT.BolusArrival", arrival)
    return [name for name in columns if name != TIME]


def plot(scene: Transaction, chart: Any, table: Any, curves: Sequence[str], result: PipelineResult) -> None:
    """Make a chart node show the curves of a table node; the chart's series nodes are used again."""
    unit = unit_of(result)
    kept = {
        chart.GetNthPlotSeriesNode(i).GetYColumnName(): chart.GetNthPlotSeriesNode(i)
        for i in range(chart.GetNumberOfPlotSeriesNodes())
        if chart.GetNthPlotSeriesNode(i) is not None
    }
    chart.RemoveAllPlotSeriesNodeIDs()
    for name in curves:
        series = kept.get(name) or scene.add("vtkMRMLPlotSeriesNode", name)
        series.SetName(name)
        series.SetAndObserveTableNodeID(table.GetID())
        series.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
        series.SetXColumnName(TIME)
        series.SetYColumnName(name)
        series.SetColor(*_SERIES[name])
        series.SetLineWidth(2)
        marked = name == MEASURED
        styles = slicer.vtkMRMLPlotSeriesNode
        series.SetMarkerStyle(styles.MarkerStyleCircle if marked else styles.MarkerStyleNone)
        series.SetMarkerSize(6)
        series.SetLineStyle(styles.LineStyleDash if name == FITTED else styles.LineStyleSolid)
        chart.AddAndObservePlotSeriesNodeID(series.GetID())
    arrives = f"bolus arrives at {result.bolus.time:.1f} s" if result.bolus.found else "no bolus found"
    chart.SetTitle(f"{result.series.name}: {arrives}")
    chart.SetXAxisTitle("Time [s]")
    chart.SetYAxisTitle(f"Contrast [{unit}]")
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
