"""All nodes of a comparison: volumes, plots and the table of figures; written together or not at all."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.compare import Comparison, table
from PyPeTLib.maps import QUANTITIES
from PyPeTSlicer import comparison_charts
from PyPeTSlicer.colours import RELATIVE, colour_node
from PyPeTSlicer.comparison_looks import (
    NORMALISED_WINDOWS,
    hide,
    show_alike,
    shown_unit,
    value_of_nothing,
    window_of_difference,
)
from PyPeTSlicer.curves import fill_rows
from PyPeTSlicer.nodes import Transaction, image_of, subject_hierarchy, unique_name
from PyPeTSlicer.outputs import MAPS
from PyPeTSlicer.sequences import voxels_of
from PyPeTSlicer.volumes import add_legend

ROLE = "PyPeT.Compare."
"""Beginning of the roles of the references from the output segmentation to the nodes of its comparison."""

FIGURES, NOTES, NORMALISATION, RUN = (f"{ROLE}{name}" for name in ("Figures", "Notes", "Normalisation", "Run"))
"""Attributes of the table: all figures in full and all notes, by quantity, as JSON; how values were normalised; and
the run whose maps were compared."""

NO_VALUE = f"{ROLE}NoValue"
"""Attribute of a volume of the comparison: what it holds where there is nothing to compare."""

_SCALE = f"{ROLE}Scale"
"""Attribute of a volume: the unit and normalisation that its window was made for."""

_TABLE = "table"
_CHECKERBOARD = "checkerboard"

_VOLUME, _TABLE_NODE, _CHART = "vtkMRMLScalarVolumeNode", "vtkMRMLTableNode", "vtkMRMLPlotChartNode"


@dataclass(frozen=True, kw_only=True, eq=False)
class Compared:
    """A comparison and the nodes of its two maps."""

    comparison: Comparison
    generated: Any
    source: Any


@dataclass(frozen=True, kw_only=True)
class MapNodes:
    """The nodes of one compared map.

    Attributes
    ----------
    quantity : str
    source : vtkMRMLScalarVolumeNode or None
        The reference as it was chosen; None where it is gone.
    generated, reference, difference : vtkMRMLScalarVolumeNode
        On one grid and in one unit; ``generated`` is the run's own map unless values were normalised.
    histogram, bland_altman : vtkMRMLPlotChartNode
    """

    quantity: str
    source: Any
    generated: Any
    reference: Any
    difference: Any
    histogram: Any
    bland_altman: Any


@dataclass(frozen=True, kw_only=True)
class ComparisonNodes:
    """The nodes of a comparison: those of its maps by quantity, and the table of all figures."""

    maps: dict[str, MapNodes]
    table: Any

    @property
    def notes(self) -> dict[str, list[str]]:
        """What was done and what is to be kept in mind, by quantity."""
        found: dict[str, list[str]] = json.loads(self.table.GetAttribute(NOTES) or "{}")
        return found

    @property
    def run(self) -> str:
        """Number of the run whose maps were compared."""
        return str(self.table.GetAttribute(RUN) or "")


def comparison_of(segmentation: Any) -> ComparisonNodes | None:
    """The last comparison of a run, from its nodes in the scene; None where there is none or nodes were removed."""
    shown = _node_of(segmentation, _TABLE) if segmentation is not None else None
    if shown is None:
        return None
    maps = {}
    for name in MAPS:
        found = {
            what: _node_of(segmentation, f"{name}.{what}")
            for what in ("generated", "reference", "difference", "histogram", "bland_altman")
        }
        if all(node is not None for node in found.values()):
            maps[name] = MapNodes(quantity=name, source=_node_of(segmentation, f"{name}.source"), **found)
    return ComparisonNodes(maps=maps, table=shown) if maps else None


def write_comparison(segmentation: Any, compared: Sequence[Compared]) -> ComparisonNodes:
    """Write comparisons into the scene: into the nodes of the last comparison of this run, else into new ones.

    Nodes of maps that were compared before and are not now go.

    Parameters
    ----------
    segmentation : vtkMRMLSegmentationNode
        Output of the run; refers to all nodes of its comparison.
    compared : sequence of Compared
    """
    with Transaction() as scene:
        writer = _Writer(scene, segmentation)
        for one in compared:
            writer.write(one)
        writer.write_table(compared)
        writer.file()
    # nothing fails from here
    stale = set(_roles()) - set(writer.written)
    for role, node in writer.written.items():
        segmentation.SetNodeReferenceID(f"{ROLE}{role}", node.GetID())
    _remove(segmentation, sorted(stale))
    made = comparison_of(segmentation)
    if made is None:
        raise RuntimeError("the comparison is not found in the scene that it was written into")
    return made


def set_checkerboard(segmentation: Any, shown: MapNodes, tile: float) -> Any:
    """The volume that holds tiles of both maps in turn, like a checkerboard; made or filled anew.

    Parameters
    ----------
    segmentation : vtkMRMLSegmentationNode
    shown : MapNodes
    tile : float
        Edge of a tile in mm, along each axis of the voxels.
    """
    role = f"{shown.quantity}.{_CHECKERBOARD}"
    title = f"{QUANTITIES[shown.quantity].symbol} checkerboard"
    with Transaction() as scene:
        node = _node_of(segmentation, role)
        if node is None:
            node = scene.add(_VOLUME, unique_name(f"{_series_title(shown.generated)} {title}"))
            _file(scene, segmentation, [node])
        else:
            scene.change(node)
        sizes = shown.generated.GetSpacing()
        volumes = (shown.generated, shown.reference)
        holds_nothing = [float(volume.GetAttribute(NO_VALUE) or 0) for volume in volumes]
        arrays = [voxels_of(volume) for volume in volumes]
        alike = [
            np.where(array == nothing, np.float32(min(holds_nothing)), array)
            for array, nothing in zip(arrays, holds_nothing, strict=True)
        ]
        _place(node, np.where(checkerboard(alike[0].shape, sizes, tile), *alike), shown.generated)
        hide(node, min(holds_nothing))
        node.SetAttribute(NO_VALUE, f"{min(holds_nothing):.0f}")
        show_alike(shown.generated, node)
    segmentation.SetNodeReferenceID(f"{ROLE}{role}", node.GetID())
    return node


def checkerboard(shape: Sequence[int], sizes: Sequence[float], tile: float) -> Mask:
    """Tiles of a size in mm, in turn true and false along each axis of a grid; true where the grid begins."""
    numbers = [(np.arange(n) * size // tile).astype(int) for n, size in zip(shape, sizes, strict=True)]
    i, j, k = np.ix_(*numbers)
    first: Mask = (i + j + k) % 2 == 0
    return first


class _Writer:
    """What all nodes of one comparison share."""

    def __init__(self, scene: Transaction, segmentation: Any) -> None:
        self.scene, self.segmentation = scene, segmentation
        self.written: dict[str, Any] = {}

    def write(self, one: Compared) -> None:
        comparison, name = one.comparison, one.comparison.quantity
        symbol = QUANTITIES[name].symbol
        self.written[f"{name}.source"] = one.source
        generated = one.generated
        if comparison.normalisation != "absolute":
            generated = self._node(f"{name}.normalised", _VOLUME, one.generated, f"{symbol} {comparison.normalisation}")
            self._map(generated, comparison.generated, comparison.generated_valid, one)
            self._style_normalised(generated, comparison)
            self.written[f"{name}.normalised"] = generated
        self.written[f"{name}.generated"] = generated
        reference = self._node(f"{name}.reference", _VOLUME, one.generated, f"{symbol} reference (resampled)")
        self._map(reference, comparison.reference, comparison.reference_valid, one)
        show_alike(generated, reference)
        add_legend(reference, symbol, shown_unit(comparison))
        self.written[f"{name}.reference"] = reference
        difference = self._node(f"{name}.difference", _VOLUME, one.generated, f"{symbol} difference")
        self._map(difference, comparison.difference, comparison.mask, one, is_signed=True)
        self._style_difference(difference, comparison, generated)
        self.written[f"{name}.difference"] = difference
        display = generated.GetDisplayNode()
        self._charts(one, symbol, (display.GetWindowLevelMin(), display.GetWindowLevelMax()))

    def _charts(self, one: Compared, symbol: str, window: tuple[float, float]) -> None:
        for what, title, draw in (
            ("histogram", "joint histogram", comparison_charts.draw_histogram),
            ("bland_altman", "Bland-Altman", comparison_charts.draw_bland_altman),
        ):
            role = f"{one.comparison.quantity}.{what}"
            points = self._node(f"{role}.points", _TABLE_NODE, one.generated, f"{symbol} {title} points")
            chart = self._node(role, _CHART, one.generated, f"{symbol} {title}")
            draw(self.scene, chart, points, one.comparison, window)
            self.written |= {f"{role}.points": points, role: chart}

    def write_table(self, compared: Sequence[Compared]) -> None:
        """One table for all maps."""
        comparisons = [one.comparison for one in compared]
        node = self._node(_TABLE, _TABLE_NODE, compared[0].generated, "comparison")
        figures = table(comparisons)
        cells = [(row.title, *row.texts()) for row in figures.rows]
        fill_rows(node, ("Figure", *figures.columns), cells)
        in_full = {
            comparison.quantity: {
                row.name: None if math.isnan(row.values[index]) else row.values[index] for row in figures.rows
            }
            for index, comparison in enumerate(comparisons)
        }
        node.SetAttribute(FIGURES, json.dumps(in_full))
        node.SetAttribute(NOTES, json.dumps({one.quantity: list(one.notes) for one in comparisons}))
        node.SetAttribute(NORMALISATION, comparisons[0].normalisation)
        node.SetAttribute(RUN, self.segmentation.GetAttribute("PyPeT.Run") or "")
        self.written[_TABLE] = node

    def file(self) -> None:
        """Put all nodes into the folder of the comparison, below that of the run."""
        own = {role: node for role, node in self.written.items() if not _is_borrowed(role, self.written)}
        charts = [node for node in own.values() if node.IsA(_CHART)]
        series = [chart.GetNthPlotSeriesNode(i) for chart in charts for i in range(chart.GetNumberOfPlotSeriesNodes())]
        _file(self.scene, self.segmentation, [*own.values(), *series])

    def _node(self, role: str, class_name: str, generated: Any, title: str) -> Any:
        """The node of the last comparison, else a new one."""
        node = _node_of(self.segmentation, role)
        if node is not None and node.IsA(class_name):
            return self.scene.change(node)
        return self.scene.add(class_name, unique_name(f"{_series_title(generated)} {title}"))

    def _map(self, node: Any, values: Volume, valid: Mask, one: Compared, *, is_signed: bool = False) -> None:
        nothing = value_of_nothing(values[valid], is_signed=is_signed)
        _place(node, np.where(valid, values, np.float32(nothing)), one.generated)
        node.SetAttribute(NO_VALUE, f"{nothing:.0f}")
        node.SetVoxelValueQuantity(one.generated.GetVoxelValueQuantity())
        node.SetVoxelValueUnits(self._unit(one))
        hide(node, nothing)

    def _unit(self, one: Compared) -> Any:
        """Coded unit of compared values; None where it is not known."""
        if one.comparison.normalisation == "absolute":
            return one.generated.GetVoxelValueUnits() if one.comparison.unit else None
        plain = slicer.vtkCodedEntry()
        plain.SetValueSchemeMeaning("1", "UCUM", "no units")
        return plain

    def _style_normalised(self, node: Any, comparison: Comparison) -> None:
        if _is_styled(node, comparison):
            return
        display = node.GetDisplayNode()
        low, high = NORMALISED_WINDOWS[comparison.normalisation]
        # white in the middle, where a voxel has the mean of the brain
        display.SetAndObserveColorNodeID(colour_node(RELATIVE).GetID())
        display.AutoWindowLevelOff()
        display.SetWindowLevelMinMax(low, high)
        display.SetInterpolate(False)
        add_legend(node, QUANTITIES[comparison.quantity].symbol, shown_unit(comparison))

    def _style_difference(self, node: Any, comparison: Comparison, generated: Any) -> None:
        if _is_styled(node, comparison):
            return
        display = node.GetDisplayNode()
        largest = window_of_difference(comparison, generated.GetDisplayNode())
        display.SetAndObserveColorNodeID(colour_node(RELATIVE).GetID())
        display.AutoWindowLevelOff()
        display.SetWindowLevelMinMax(-largest, largest)
        display.SetInterpolate(False)
        add_legend(node, f"Δ {QUANTITIES[comparison.quantity].symbol}", shown_unit(comparison))
        legend = slicer.modules.colors.logic().GetColorLegendDisplayNode(node)
        if legend is not None:
            # 0 has a number, whatever the window
            legend.SetNumberOfLabels(5)


def _is_styled(node: Any, comparison: Comparison) -> bool:
    """Whether a volume has a window for values of this kind, which the user may have changed; from now on it has."""
    scale = f"{comparison.normalisation} {comparison.unit}"
    before = node.GetAttribute(_SCALE)
    node.SetAttribute(_SCALE, scale)
    return bool(before == scale)


def _place(node: Any, values: Volume, generated: Any) -> None:
    """Put values where the voxels of the generated map lie."""
    node.SetAndObserveImageData(image_of(values))
    node.CopyOrientation(generated)
    node.SetAndObserveTransformNodeID(generated.GetTransformNodeID())


def _series_title(generated: Any) -> str:
    """Name of the series: what stands before the map's symbol in its name."""
    name = str(generated.GetName())
    symbol = generated.GetAttribute("PyPeT.Symbol")
    return name.removesuffix(f" {symbol}") if symbol else name


def _file(scene: Transaction, segmentation: Any, nodes: Iterable[Any]) -> None:
    hierarchy = subject_hierarchy()
    run = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(segmentation)) or hierarchy.GetSceneItemID()
    folder = hierarchy.GetItemChildWithName(run, "Comparison") or scene.add_folder(run, "Comparison")
    for node in nodes:
        hierarchy.CreateItem(folder, node)


def _node_of(segmentation: Any, role: str) -> Any:
    return segmentation.GetNodeReference(f"{ROLE}{role}")


def _roles() -> list[str]:
    """All roles that a comparison may use."""
    whats = ("source", "generated", "normalised", "reference", "difference", _CHECKERBOARD)
    charts = ("histogram", "histogram.points", "bland_altman", "bland_altman.points")
    return [_TABLE, *(f"{name}.{what}" for name in MAPS for what in (*whats, *charts))]


def _is_borrowed(role: str, nodes: dict[str, Any]) -> bool:
    """Whether a node is not the comparison's own: the user's reference, or the run's map."""
    what = role.rpartition(".")[2]
    return what == "source" or (what == "generated" and f"{role.rpartition('.')[0]}.normalised" not in nodes)


def _remove(segmentation: Any, roles: Iterable[str]) -> None:
    """Let go of nodes of an earlier comparison; what is not its own stays in the scene."""
    scene = slicer.mrmlScene
    found = {role: _node_of(segmentation, role) for role in roles}
    for role, node in found.items():
        segmentation.SetNodeReferenceID(f"{ROLE}{role}", None)
        if node is None or role.rpartition(".")[2] in ("source", "generated") or not scene.IsNodePresent(node):
            continue
        parts = [node]
        if node.IsA(_TABLE_NODE):
            every = slicer.util.getNodesByClass("vtkMRMLPlotSeriesNode")
            parts += [series for series in every if series.GetTableNode() is node]
        if node.IsA(_VOLUME):
            parts += [node.GetNthDisplayNode(index) for index in range(node.GetNumberOfDisplayNodes())]
        for part in reversed(parts):
            # a display may have gone with another part
            if part is not None and scene.IsNodePresent(part):
                scene.RemoveNode(part)
