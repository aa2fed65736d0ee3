"""Pictures of ``vtkMRMLPlotChartNode``s, drawn offscreen with VTK's charts, as Slicer's own plot view does."""

import slicer
import vtk

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


def plot_picture(chart_node, size=(640, 400)):
    """Draw a chart with title, axis labels, legend and series; return an array of shape (height, width, 3)."""
    view = vtk.vtkContextView()
    view.GetRenderWindow().SetOffScreenRendering(1)
    view.GetRenderWindow().SetSize(*size)
    view.GetRenderer().SetBackground(1, 1, 1)
    chart = vtk.vtkChartXY()
    view.GetScene().AddItem(chart)
    _label(chart, chart_node)
    for index in range(chart_node.GetNumberOfPlotSeriesNodes()):
        _add_series(chart, chart_node.GetNthPlotSeriesNode(index))
    picture = render_to_array(view.GetRenderWindow())
    view.GetRenderWindow().Finalize()
    return picture


def _label(chart, chart_node):
    chart.SetTitle(chart_node.GetTitle() or "" if chart_node.GetTitleVisibility() else "")
    chart.SetShowLegend(chart_node.GetLegendVisibility())
    axes = (
        (vtk.vtkAxis.BOTTOM, chart_node.GetXAxisTitle, chart_node.GetXAxisTitleVisibility, "X"),
        (vtk.vtkAxis.LEFT, chart_node.GetYAxisTitle, chart_node.GetYAxisTitleVisibility, "Y"),
    )
    for position, title, visible, letter in axes:
        axis = chart.GetAxis(position)
        axis.SetTitle(title() or "" if visible() else "")
        axis.SetGridVisible(chart_node.GetGridVisibility())
        if not getattr(chart_node, f"Get{letter}AxisRangeAuto")():
            axis.SetBehavior(vtk.vtkAxis.FIXED)
            axis.SetRange(getattr(chart_node, f"Get{letter}AxisRange")())


def _add_series(chart, series):
    """Add one series; a missing table or column is an error here, where Slicer shows an empty chart."""
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


def _style_line(plot, series):
    plot.SetWidth(series.GetLineWidth())
    line_style = series.GetLineStyleAsString(series.GetLineStyle())
    plot.GetPen().SetLineType(PEN_STYLES[line_style])
    marker = series.GetMarkerStyleAsString(series.GetMarkerStyle())
    plot.SetMarkerStyle(MARKERS.index(marker))
    plot.SetMarkerSize(series.GetMarkerSize())
