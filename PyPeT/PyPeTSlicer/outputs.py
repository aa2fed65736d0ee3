"""All nodes of a run: five maps, two segments, curves, summary, one folder; written together or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import slicer

from PyPeTLib.io import LoadedSeries, format_toml
from PyPeTLib.io.sidecar import image_stem
from PyPeTLib.pipeline import PipelineResult
from PyPeTLib.report.summary import map_facts, rows, summarise
from PyPeTSlicer import curves, segments, volumes
from PyPeTSlicer.nodes import INPUT, Transaction, outputs_of, subject_hierarchy

MAPS = ("cbf", "cbv", "mtt", "ttp", "tmax")

_NAME = "PyPeTName"
"""Attribute with the name that PyPeT gave a node: a node that still has it may be named anew."""

_RELATIVE = "PyPeT.Relative"
"""Role of the reference from a map to its relative map."""

_ROLES = {
    "curves": ("PyPeT.Curves", "vtkMRMLTableNode", "AIF curves"),
    "chart": ("PyPeT.Chart", "vtkMRMLPlotChartNode", "AIF plot"),
    "summary": ("PyPeT.Summary", "vtkMRMLTableNode", "summary"),
}
"""Nodes that the segmentation refers to: role, class and name."""


@dataclass(kw_only=True)
class OutputNodes:
    """Nodes of a run; None for one that is to be made.

    Attributes
    ----------
    volumes : dict of str to vtkMRMLScalarVolumeNode
        By quantity.
    segmentation : vtkMRMLSegmentationNode
    curves, summary : vtkMRMLTableNode
    chart : vtkMRMLPlotChartNode
    relative : dict of str to vtkMRMLScalarVolumeNode
    folder : int
        Item of the subject hierarchy.
    findings : mapping
        The summary of the run.
    """

    volumes: dict[str, Any] = field(default_factory=dict)
    segmentation: Any = None
    curves: Any = None
    chart: Any = None
    summary: Any = None
    relative: dict[str, Any] = field(default_factory=dict)
    folder: int = 0
    findings: Mapping[str, Any] = field(default_factory=dict)


def last_outputs(sequence: Any) -> OutputNodes:
    """The nodes of the last run on a sequence, as far as they are in the scene."""
    found = OutputNodes()
    for node in outputs_of(sequence, "vtkMRMLScalarVolumeNode"):
        name = (node.GetAttribute("PyPeT.Symbol") or "").casefold()
        if name in MAPS and node.GetAttribute("PyPeT.RelativeToMean") is None:
            found.volumes[name] = node
    for node in outputs_of(sequence, "vtkMRMLSegmentationNode"):
        found.segmentation = node
    return found


def is_own(node: Any) -> bool:
    """Whether PyPeT has written into a node before."""
    return node.GetNodeReferenceID(INPUT) is not None or node.GetAttribute("PyPeT.Symbol") is not None


def is_empty(node: Any) -> bool:
    """Whether a volume holds no image, or a segmentation no segment."""
    if node.IsA("vtkMRMLSegmentationNode"):
        return bool(node.GetSegmentation().GetNumberOfSegments() == 0)
    return node.GetImageData() is None


def write_outputs(
    result: PipelineResult,
    loaded: LoadedSeries,
    *,
    sequence: Any,
    proxy: Any,
    wanted: OutputNodes,
    given: set[str],
) -> OutputNodes:
    """Write a run into the scene: into the nodes that are wanted, else into new ones.

    Parameters
    ----------
    result : PipelineResult
    loaded : LoadedSeries
    sequence : vtkMRMLSequenceNode or None
        Which the outputs refer to.
    proxy : vtkMRMLScalarVolumeNode or None
        Whose parent transform and place in the subject hierarchy the outputs share.
    wanted : OutputNodes
    given : set of str
        Ids of the segments that were an input.
    """
    with Transaction() as scene:
        writer = _Writer(scene, result, loaded, sequence, proxy)
        made = writer.all_nodes(wanted, given)
        made.folder = writer.folder(wanted, made)
    return made


class _Writer:
    """What all outputs of one run share."""

    def __init__(
        self, scene: Transaction, result: PipelineResult, loaded: LoadedSeries, sequence: Any, proxy: Any
    ) -> None:
        self.scene, self.result, self.loaded = scene, result, loaded
        self.sequence, self.proxy = sequence, proxy
        self.title = sequence.GetName() if sequence is not None else image_stem(Path(loaded.series.name))

    def all_nodes(self, wanted: OutputNodes, given: set[str]) -> OutputNodes:
        result, orientation = self.result, self.result.series.orientation
        made = OutputNodes(findings=summarise(result, self.loaded))
        for name in MAPS:
            made.volumes[name] = self._volume(result.maps[name], wanted.volumes.get(name))
            if result.config.quantification.relative:
                last = made.volumes[name].GetNodeReference(_RELATIVE)
                relative = self._volume(result.maps[name].relative(), last)
                made.volumes[name].SetNodeReferenceID(_RELATIVE, relative.GetID())
                made.relative[name] = relative
        made.segmentation, is_new = self._node("vtkMRMLSegmentationNode", "segmentation", wanted.segmentation)
        made.segmentation.SetReferenceImageGeometryParameterFromVolumeNode(made.volumes["cbf"])
        segments.write_segments(made.segmentation, self._masks(), orientation, given)
        if is_new or made.segmentation.GetDisplayNode() is None:
            segments.style(made.segmentation)
        for key, (role, class_name, title) in _ROLES.items():
            node, _ = self._node(class_name, title, made.segmentation.GetNodeReference(role))
            made.segmentation.SetNodeReferenceID(role, node.GetID())
            setattr(made, key, node)
        shown = curves.fill_curves(made.curves, result)
        curves.plot(self.scene, made.chart, made.curves, shown, result)
        curves.fill_rows(made.summary, ("Item", "Value", "Unit"), rows(made.findings))
        made.summary.SetAttribute("PyPeT.Config", format_toml(result.config.to_mapping()))
        return made

    def folder(self, wanted: OutputNodes, made: OutputNodes) -> int:
        """One folder for the run: that of the nodes that are used again, else a new one beside the input."""
        hierarchy = subject_hierarchy()
        title = f"PyPeT {self.title}"
        item = 0
        if wanted.segmentation is not None:
            last = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(wanted.segmentation))
            if last and hierarchy.GetItemLevel(last) == "Folder" and hierarchy.GetItemName(last).startswith("PyPeT "):
                item = last
                hierarchy.SetItemName(item, title)
        item = item or self.scene.add_folder(self._study(hierarchy), title)
        charted = [made.chart.GetNthPlotSeriesNode(i) for i in range(made.chart.GetNumberOfPlotSeriesNodes())]
        kept = [*made.volumes.values(), *made.relative.values(), made.segmentation, made.curves, made.chart, *charted]
        for node in [*kept, made.summary]:
            hierarchy.CreateItem(item, node)
        return int(item)

    def _volume(self, shown: Any, node: Any) -> Any:
        relative = volumes.is_relative(shown)
        title = f"{shown.quantity.symbol} relative" if relative else shown.quantity.symbol
        node, is_new = self._node("vtkMRMLScalarVolumeNode", title, node)
        facts = map_facts(shown, self.result, self.loaded)
        facts |= {"FrameTimes": self.loaded.sources.get("frame_times", ""), "Flags": self._flags()}
        scale = volumes.scale_of(node)
        volumes.fill_volume(node, shown, self.result.series.orientation, facts)
        # the user's window and colours stay, but not on a map that got another scale
        if is_new or node.GetDisplayNode() is None or volumes.scale_of(node) != scale:
            volumes.style(node, shown)
        return node

    def _node(self, class_name: str, title: str, node: Any) -> tuple[Any, bool]:
        """The node to write into, and whether it is new."""
        name = f"{self.title} {title}"
        is_new = node is None
        if node is None:
            node = self.scene.add(class_name, slicer.mrmlScene.GenerateUniqueName(name))
        else:
            self.scene.change(node)
            # a name that the user chose stays
            if node.GetAttribute(_NAME) == node.GetName() and not node.GetName().startswith(name):
                node.SetName(slicer.mrmlScene.GenerateUniqueName(name))
        if is_new or node.GetAttribute(_NAME) is not None:
            node.SetAttribute(_NAME, node.GetName())
        node.SetNodeReferenceID(INPUT, self.sequence.GetID() if self.sequence is not None else None)
        if node.IsA("vtkMRMLTransformableNode"):
            node.SetAndObserveTransformNodeID(self.proxy.GetTransformNodeID() if self.proxy is not None else None)
        return node, is_new

    def _masks(self) -> dict[str, np.ndarray[Any, Any]]:
        result = self.result
        artery = result.aif.mask if result.aif is not None else None
        return {
            segments.BRAIN: result.on_input_grid(result.brain.mask),
            segments.AIF: np.zeros(result.series.grid.shape, bool) if artery is None else result.on_input_grid(artery),
        }

    def _flags(self) -> str:
        return " | ".join(f"{flag.severity}: {flag.message}" for flag in self.result.flags)

    def _study(self, hierarchy: Any) -> int:
        """Item that the run's folder belongs under: where the input lies."""
        for node in (self.proxy, self.sequence):
            item = hierarchy.GetItemByDataNode(node) if node is not None else 0
            if item:
                return int(hierarchy.GetItemParent(item))
        return int(hierarchy.GetSceneItemID())
