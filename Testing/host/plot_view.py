"""Pictures of ``vtkMRMLPlotChartNode``s, drawn offscreen with VTK's charts, as Slicer's own plot view does."""

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from .views import render_to_array

MARKERS = ("none", "cross", "plus", "square", "circle", "diamond")  # in the order of vtkMRMLPlotSeriesNode's markers
PEN_STYLES = {
    "none": vtk.vtkPen.NO_PEN,
    "solid": vtk.vtkPen.SOLID_LINE,
    "dash": vtk.vtkPen.DASH_LINE,
    "dot": vtk.vtkPen.DOT_LINE,
    "dash-dot": vtk.vtkPen.DASH_DOT_LINE,
    "dash-dot-dot": vtk.vtkPen.DASH_DOT_DOT_LINE,
}
PAPER = (1.0, 253 / 255, 246 / 255)
"""The background of Slicer's charts, in its dark style too."""
SMOOTHING_SAMPLES = 4
LEGEND_WIDTH, LEGEND_HEIGHT = 0.4, 0.4
"""Shares of the chart that a legend is taken to cover."""


def plot_picture(chart_node, size=(640, 400)):
    """Draw a chart with title, axis labels, legend and series; return an array of shape (height, width, 3).

    The legend lies in the corner with the fewest points, where a user would drag it.
    """
    view = vtk.vtkContextView()
    view.GetRenderWindow().SetOffScreenRendering(1)
    view.GetRenderWindow().SetMultiSamples(SMOOTHING_SAMPLES)
    view.GetRenderWindow().SetSize(*size)
    view.GetRenderer().SetBackground(*PAPER)
    chart = vtk.vtkChartXY()
    view.GetScene().AddItem(chart)
    _label(chart, chart_node)
    points = [_add_series(chart, series) for series in _series_of(chart_node)]
    _place_legend(chart, points)
    picture = render_to_array(view.GetRenderWindow())
    view.GetRenderWindow().Finalize()
    return picture


def _series_of(chart_node):
    return [chart_node.GetNthPlotSeriesNode(index) for index in range(chart_node.GetNumberOfPlotSeriesNodes())]


def _label(chart, chart_node):
    chart.SetTitle(chart_node.GetTitle() or "" if chart_node.GetTitleVisibility() else "")
    chart.GetTitleProperties().SetFontSize(chart_node.GetTitleFontSize())
    chart.SetShowLegend(chart_node.GetLegendVisibility())
    chart.GetLegend().GetLabelProperties().SetFontSize(chart_node.GetLegendFontSize())
    axes = (
        (vtk.vtkAxis.BOTTOM, chart_node.GetXAxisTitle, chart_node.GetXAxisTitleVisibility, "X"),
        (vtk.vtkAxis.LEFT, chart_node.GetYAxisTitle, chart_node.GetYAxisTitleVisibility, "Y"),
    )
    for position, title, visible, letter in axes:
        axis = chart.GetAxis(position)
        axis.SetTitle(title() or "" if visible() else "")
        axis.GetTitleProperties().SetFontSize(chart_node.GetAxisTitleFontSize())
        axis.GetLabelProperties().SetFontSize(chart_node.GetAxisLabelFontSize())
        axis.SetGridVisible(chart_node.GetGridVisibility())
        if not getattr(chart_node, f"Get{letter}AxisRangeAuto")():
            axis.SetBehavior(vtk.vtkAxis.FIXED)
            axis.SetRange(getattr(chart_node, f"Get{letter}AxisRange")())


def _add_series(chart, series):
    """Add one series and return its points, shape (n, 2).

    A missing table or column is an error here, where Slicer shows an empty chart.
    """
    table_node = series.GetTableNode()
    if table_node is None:
        raise ValueError(f"plot series {series.GetName()!r} has no table")
    names = [series.GetYColumnName()]
    if series.IsXColumnRequired():
        names.insert(0, series.GetXColumnName())
    for name in names:
        if table_node.GetTable().GetColumnByName(name) is None:
            raise ValueError(f"plot series {series.GetName()!r}: table {table_node.GetName()!r} has no column {name!r}")
    bars = series.GetPlotType() in (
        slicer.vtkMRMLPlotSeriesNode.PlotTypeBar,
        slicer.vtkMRMLPlotSeriesNode.PlotTypeScatterBar,
    )
    plot = chart.AddPlot(vtk.vtkChart.BAR if bars else vtk.vtkChart.LINE)
    columns = [table_node.GetTable().GetColumnByName(name) for name in names]
    data = vtk.vtkTable()
    for position, column in enumerate(columns):
        copy = column.NewInstance()
        copy.DeepCopy(column)
        copy.SetName(f"column {position}")  # the same column may serve for x and y
        data.AddColumn(copy)
    plot.SetInputData(data, 0, len(columns) - 1)
    plot.SetUseIndexForXSeries(len(columns) == 1)
    plot.SetLabel(series.GetName())
    plot.SetColorF(*series.GetColor())
    plot.SetOpacity(series.GetOpacity())
    if not bars:
        _style_line(plot, series)
    values = [vtk_to_numpy(column).astype(float) for column in columns]
    return np.stack([np.arange(float(values[0].size)), *values][-2:], axis=-1)


def _style_line(plot, series):
    plot.SetWidth(series.GetLineWidth())
    line_style = series.GetLineStyleAsString(series.GetLineStyle())
    plot.GetPen().SetLineType(PEN_STYLES[line_style])
    marker = series.GetMarkerStyleAsString(series.GetMarkerStyle())
    plot.SetMarkerStyle(MARKERS.index(marker))
    plot.SetMarkerSize(series.GetMarkerSize())


def _place_legend(chart, series_points):
    if not series_points:
        return
    points = np.concatenate(series_points)
    points = points[np.isfinite(points).all(axis=1)]
    low, high = points.min(axis=0, initial=0.0), points.max(axis=0, initial=0.0)
    x, y = ((points - low) / np.where(high > low, high - low, 1)).T
    hidden = {
        (vertical, horizontal): np.count_nonzero(
            (x > 1 - LEGEND_WIDTH if horizontal == "RIGHT" else x < LEGEND_WIDTH)
            & (y > 1 - LEGEND_HEIGHT if vertical == "TOP" else y < LEGEND_HEIGHT)
        )
        for vertical in ("TOP", "BOTTOM")
        for horizontal in ("RIGHT", "LEFT")
    }
    vertical, horizontal = min(hidden, key=hidden.get)
    legend = chart.GetLegend()
    legend.SetVerticalAlignment(getattr(vtk.vtkChartLegend, vertical))
    legend.SetHorizontalAlignment(getattr(vtk.vtkChartLegend, horizontal))
