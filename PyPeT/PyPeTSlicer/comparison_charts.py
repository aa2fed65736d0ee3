"""Agreement of two maps as plots: joint histogram and Bland-Altman."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import slicer
from slicer.i18n import tr as _

from PyPeTLib.arrays import Array, Curve
from PyPeTLib.compare import BlandAltman, Comparison, bland_altman, joint_histogram
from PyPeTLib.maps import QUANTITIES
from PyPeTSlicer.comparison_looks import shown_unit
from PyPeTSlicer.nodes import Transaction
from PyPeTSlicer.plots import Look, number_table, show_columns

BINS = 48
"""Of the joint histogram along each axis: about as many as a plot has room for squares."""

_MOST_BINS = 1024
"""Along each axis, those beyond the ends of the axes included."""

LEVELS = (
    (0.74, 0.84, 0.93),
    (0.56, 0.75, 0.88),
    (0.35, 0.61, 0.80),
    (0.18, 0.46, 0.71),
    (0.06, 0.31, 0.58),
    (0.02, 0.17, 0.38),
)
"""Colours of bins with few to many voxels."""

IDENTITY, POINTS, BIAS, LOWER, UPPER = "equal", "voxels", "bias", "lower limit", "upper limit"
X = " x"
"""End of the name of the column with the places along the horizontal axis; that of the heights has the bare name."""

_RED, _ORANGE, _BLUE = (0.80, 0.10, 0.10), (0.90, 0.50, 0.10), (0.18, 0.46, 0.71)
_SQUARE = 7
_DOT = 3


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """Points or a line of a plot; a ``size`` makes markers, no size a line."""

    x: Array
    y: Array
    title: str
    colour: tuple[float, float, float]
    size: float = 0.0
    is_dashed: bool = False


def draw_histogram(
    scene: Transaction, chart: Any, points: Any, comparison: Comparison, window: tuple[float, float]
) -> None:
    """Make a chart show how many voxels have which pair of values: a square for each bin, dark where there are many.

    Plots of Slicer have one colour a series, so that bins of similar count make a series. Large vessels have many
    times the values of tissue; the axes show the map's window and a little more, and the title counts what lies beyond.

    Parameters
    ----------
    scene : Transaction
    chart : vtkMRMLPlotChartNode
    points : vtkMRMLTableNode
        Receives the points of the chart.
    comparison : Comparison
    window : tuple of float
        Lowest and highest value that the map's colours tell apart.
    """
    whole = joint_histogram(comparison, bins=1).edges
    low, high = _ends(window, whole)
    found = joint_histogram(comparison, bins=min(_MOST_BINS, math.ceil(BINS * (whole[1] - whole[0]) / (high - low))))
    middles = (found.edges[1:] + found.edges[:-1]) / 2
    seen = (middles >= low) & (middles <= high)
    counts = np.where(np.outer(seen, seen), found.counts, 0)
    drawn = {}
    steps = np.unique(np.geomspace(1, counts.max() + 1, len(LEVELS) + 1).astype(int))
    for level, (least, beyond) in enumerate(pairwise(steps)):
        generated, reference = np.nonzero((counts >= least) & (counts < beyond))
        if generated.size:
            drawn[f"level {level + 1}"] = Drawn(
                x=middles[generated],
                y=middles[reference],
                title=_voxels(int(least), int(beyond) - 1),
                colour=LEVELS[level + len(LEVELS) + 1 - len(steps)],
                size=_SQUARE,
            )
    ends = np.array([low, high])
    drawn[IDENTITY] = Drawn(x=ends, y=ends, title=str(_("equal")), colour=_RED)
    show(scene, chart, points, drawn)
    symbol, unit = QUANTITIES[comparison.quantity].symbol, shown_unit(comparison)
    told = str(_("r {pearson:.2f}, concordance {concordance:.2f}"))
    figures = {name: comparison.metrics[name] for name in ("pearson", "concordance")}
    chart.SetTitle(told.format(**figures) + _hidden(int(found.counts.sum() - counts.sum())))
    chart.SetXAxisTitle(str(_("{map} generated [{unit}]")).format(map=symbol, unit=unit))
    chart.SetYAxisTitle(str(_("{map} reference [{unit}]")).format(map=symbol, unit=unit))
    # the shades explain themselves: a list of counts would hide the bins
    chart.SetLegendVisibility(False)
    # both alike, so that equal values lie on the diagonal
    _limit(chart, (low, high), (low, high))


def draw_bland_altman(
    scene: Transaction, chart: Any, points: Any, comparison: Comparison, window: tuple[float, float]
) -> None:
    """Make a chart show differences against means, with the bias and the limits of agreement.

    Parameters are those of `draw_histogram`.
    """
    found = bland_altman(comparison)
    ends = _ends(window, np.array([found.means.min(), found.means.max()], dtype=np.float64))
    across = _across(found)
    is_seen = (found.means >= ends[0]) & (found.means <= ends[1])
    is_seen &= (found.differences >= across[0]) & (found.differences <= across[1])
    drawn = {
        POINTS: Drawn(
            x=found.means[is_seen], y=found.differences[is_seen], title=str(_("voxels")), colour=_BLUE, size=_DOT
        )
    }
    lines = {
        BIAS: (found.bias, _("bias {value:.3g}"), _RED),
        UPPER: (found.upper, _("bias + 1.96 SD: {value:.3g}"), _ORANGE),
        LOWER: (found.lower, _("bias − 1.96 SD: {value:.3g}"), _ORANGE),
    }
    for name, (value, title, colour) in lines.items():
        # one voxel alone has a bias but no limits
        if np.isfinite(value):
            drawn[name] = Drawn(
                x=np.array(ends),
                y=np.full(2, value),
                title=str(title).format(value=value),
                colour=colour,
                is_dashed=name != BIAS,
            )
    show(scene, chart, points, {name: one for name, one in drawn.items() if one.x.size})
    symbol, unit = QUANTITIES[comparison.quantity].symbol, shown_unit(comparison)
    told = str(_("{shown} of {voxels} voxels"))
    title = told.format(shown=found.means.size, voxels=comparison.coverage.voxels)
    chart.SetTitle(title + _hidden(int((~is_seen).sum())))
    chart.SetXAxisTitle(str(_("{map}, mean of both [{unit}]")).format(map=symbol, unit=unit))
    chart.SetYAxisTitle(str(_("Difference [{unit}]")).format(unit=unit))
    _limit(chart, ends, across)


def _ends(window: tuple[float, float], whole: Curve) -> tuple[float, float]:
    """Ends of an axis of values: the window and a quarter more, but not beyond the values themselves."""
    more = 0.25 * (window[1] - window[0])
    low, high = max(float(whole[0]), window[0] - more), min(float(whole[1]), window[1] + more)
    if high > low:
        return low, high
    # nothing lies in the window
    middle = float(whole.mean())
    half = max(0.5 * float(whole[1] - whole[0]), 1e-3 * abs(middle), 1e-6)
    return middle - half, middle + half


def _across(found: BlandAltman) -> tuple[float, float]:
    """Ends of the axis of differences: the limits of agreement and their width on either side, at the most."""
    width = found.upper - found.lower
    if not (np.isfinite(width) and width > 0):
        width = max(abs(found.bias), 1e-3)
    largest = float(np.abs(found.differences - found.bias).max()) * 1.1
    reach = max(min(1.5 * width, largest), 0.6 * width)
    # room for the legend above
    return found.bias - reach, found.bias + 1.5 * reach


def _limit(chart: Any, x: tuple[float, float], y: tuple[float, float]) -> None:
    chart.SetXAxisRangeAuto(False)
    chart.SetXAxisRange(*x)
    chart.SetYAxisRangeAuto(False)
    chart.SetYAxisRange(*y)


def _hidden(count: int) -> str:
    return str(_(", {count} beyond the axes")).format(count=count) if count else ""


def show(scene: Transaction, chart: Any, points: Any, drawn: Mapping[str, Drawn]) -> None:
    """Put points and lines into a table node and make a chart show them; the table's series nodes are used again."""
    columns: dict[str, Array] = {}
    for name, one in drawn.items():
        columns |= {f"{name}{X}": one.x, name: one.y}
    points.SetAndObserveTable(number_table(columns))
    every = slicer.util.getNodesByClass("vtkMRMLPlotSeriesNode")
    kept = {series.GetYColumnName(): series for series in every if series.GetTableNode() is points}
    chart.RemoveAllPlotSeriesNodeIDs()
    for name, one in drawn.items():
        series = kept.get(name)
        series = scene.add("vtkMRMLPlotSeriesNode", one.title) if series is None else scene.change(series)
        show_columns(series, points, f"{name}{X}", name, _look(one), name=one.title)
        chart.AddAndObservePlotSeriesNodeID(series.GetID())
    chart.SetLegendVisibility(True)
    # three plots share the width of the window
    chart.SetTitleFontSize(14)
    chart.SetAxisTitleFontSize(12)
    chart.SetAxisLabelFontSize(11)
    chart.SetLegendFontSize(11)


def _look(one: Drawn) -> Look:
    if one.size:
        return Look(colour=one.colour, line="none", marker="square" if one.size >= _SQUARE else "circle", size=one.size)
    return Look(colour=one.colour, line="dash" if one.is_dashed else "solid")


def _voxels(low: int, high: int) -> str:
    if low == high:
        return str(_("{count} voxels") if low > 1 else _("{count} voxel")).format(count=low)
    return str(_("{low} to {high} voxels")).format(low=low, high=high)
