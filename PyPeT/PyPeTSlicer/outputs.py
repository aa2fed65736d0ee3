"""All nodes of a run: maps, segments, lesions, curves, summary, one folder; written together or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from PyPeTLib.aif import VesselCurve
from PyPeTLib.errors import InputError
from PyPeTLib.io import LoadedSeries, format_toml
from PyPeTLib.io.sidecar import image_stem
from PyPeTLib.lesions import Lesions, find_lesions, lesions_facts
from PyPeTLib.maps import QUANTITIES
from PyPeTLib.masking import TITLES
from PyPeTLib.pipeline import PipelineResult
from PyPeTLib.report.summary import map_facts, rows, summarise
from PyPeTSlicer import curves, lesion_nodes, segments, volumes
from PyPeTSlicer.colours import DEFAULT
from PyPeTSlicer.nodes import INPUT, REVIEW, RUN, Transaction, outputs_of, subject_hierarchy, unique_name

MAPS = ("cbf", "cbv", "mtt", "ttp", "tmax")
"""The maps that every run gives, each with a selector on the panel; others come and go with the options."""

_NAME = "PyPeTName"
"""Attribute with the name that PyPeT gave a node: a node that still has it may be named anew."""

RELATIVE = "PyPeT.Relative"
"""Role of the reference from a map to its relative map."""

_FURTHER = "PyPeT.Map."
"""Role, with the name of the map, of the reference from the segmentation to a map that not every run gives."""

_EARLIER = " (earlier run)"
"""End of the name of a map that the last run did not give."""

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
        By quantity. Only those in `MAPS` can be wanted; the segmentation knows the nodes of the others.
    segmentation : vtkMRMLSegmentationNode
    curves, summary : vtkMRMLTableNode
    chart : vtkMRMLPlotChartNode
    lesions : vtkMRMLSegmentationNode
    lesion_volumes : vtkMRMLTableNode
        None, as the lesions, where lesions cannot be told; the findings hold the reason.
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
    lesions: Any = None
    lesion_volumes: Any = None
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
    scheme: str = DEFAULT,
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
    scheme : str
        Colours of new maps: a key of `colours.SCHEMES`.
    """
    with Transaction() as scene:
        writer = _Writer(scene, result, loaded, sequence, proxy, scheme)
        made = writer.all_nodes(wanted, given)
        made.folder = writer.folder(wanted, made)
    return made


def _last_volume(wanted: OutputNodes, name: str) -> Any:
    """The node for a map: the one that is wanted, or for further maps that of the last run; None for a new one."""
    if name in MAPS or wanted.segmentation is None:
        return wanted.volumes.get(name)
    last = wanted.segmentation.GetNodeReference(f"{_FURTHER}{name}")
    # one that the user chose for another map is needed there
    return None if last in wanted.volumes.values() else last


class _Writer:
    """What all outputs of one run share."""

    def __init__(
        self, scene: Transaction, result: PipelineResult, loaded: LoadedSeries, sequence: Any, proxy: Any, scheme: str
    ) -> None:
        self.scene, self.result, self.loaded = scene, result, loaded
        self.sequence, self.proxy, self.scheme = sequence, proxy, scheme
        self.title = sequence.GetName() if sequence is not None else image_stem(Path(loaded.series.name))

    def all_nodes(self, wanted: OutputNodes, given: set[str]) -> OutputNodes:
        result, orientation = self.result, self.result.series.orientation
        lesions = self._find_lesions()
        facts = lesions_facts(lesions, result.config.lesions)
        made = OutputNodes(findings={**summarise(result, self.loaded), "lesions": facts})
        for name, shown in result.maps.items():
            made.volumes[name] = self._volume(shown, _last_volume(wanted, name))
            if result.config.quantification.relative:
                last = made.volumes[name].GetNodeReference(RELATIVE)
                relative = self._volume(shown.relative(), last)
                made.volumes[name].SetNodeReferenceID(RELATIVE, relative.GetID())
                made.relative[name] = relative
        made.segmentation, is_new = self._node("vtkMRMLSegmentationNode", "segmentation", wanted.segmentation)
        made.segmentation.SetReferenceImageGeometryParameterFromVolumeNode(made.volumes["cbf"])
        made.segmentation.SetAttribute(RUN, str(int(made.segmentation.GetAttribute(RUN) or 0) + 1))
        made.segmentation.SetAttribute("PyPeT.Modality", result.series.modality.value)
        segments.write_segments(made.segmentation, self._masks(), orientation, given)
        if is_new or made.segmentation.GetDisplayNode() is None:
            segments.style(made.segmentation)
        for name, node in made.volumes.items():
            if name not in MAPS:
                made.segmentation.SetNodeReferenceID(f"{_FURTHER}{name}", node.GetID())
        if isinstance(lesions, Lesions):
            self._lesions(made, lesions)
        self._mark_those_of_earlier_runs(made)
        for key, (role, class_name, title) in _ROLES.items():
            node, _ = self._node(class_name, title, made.segmentation.GetNodeReference(role))
            made.segmentation.SetNodeReferenceID(role, node.GetID())
            setattr(made, key, node)
        drawn = curves.fill_curves(made.curves, result)
        curves.plot(self.scene, made.chart, made.curves, drawn, result)
        *found, notice, software = rows(made.findings)
        curves.fill_rows(
            made.summary, ("Item", "Value", "Unit"), [*found, *lesion_nodes.in_short(facts), notice, software]
        )
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
        for node in [*kept, *(node for node in (made.lesions, made.lesion_volumes) if node is not None), made.summary]:
            hierarchy.CreateItem(item, node)
        return int(item)

    def _volume(self, shown: Any, node: Any) -> Any:
        relative = volumes.is_relative(shown)
        title = f"{shown.quantity.symbol} relative" if relative else shown.quantity.symbol
        node, is_new = self._node("vtkMRMLScalarVolumeNode", title, node)
        facts = map_facts(shown, self.result, self.loaded)
        facts |= {"FrameTimes": self.loaded.sources.get("frame_times", ""), "Flags": self._flags()}
        scale = volumes.scale_of(node)
        # every selector that offers the node looks at it once, not at each of some forty facts
        changing = node.StartModify()
        try:
            volumes.fill_volume(node, shown, self.result.series.orientation, facts)
        finally:
            node.EndModify(changing)
        # the user's window and colours stay, but not on a map that got another scale
        if is_new or node.GetDisplayNode() is None or volumes.scale_of(node) != scale:
            volumes.style(node, shown, self.scheme)
        return node

    def _find_lesions(self) -> Lesions | str:
        """The lesions that the maps show, or why they cannot be told."""
        try:
            return find_lesions(self.result, self.result.config.lesions)
        except InputError as error:
            return str(error)

    def _lesions(self, made: OutputNodes, lesions: Lesions) -> None:
        """The nodes of the lesions, which are those that the review shows."""

        def node(role: str, class_name: str, title: str) -> Any:
            last = made.segmentation.GetNodeReference(f"{REVIEW}{role}")
            if last is not None and last.GetName() == f"{self.title} {title}":
                # made by the review, in place of one that was removed
                last.SetAttribute(_NAME, last.GetName())
            found, _ = self._node(class_name, title, last, is_output=False)
            found.SetAttribute(RUN, made.segmentation.GetAttribute(RUN))
            made.segmentation.SetNodeReferenceID(f"{REVIEW}{role}", found.GetID())
            return found

        made.lesions = node(lesion_nodes.SEGMENTS, "vtkMRMLSegmentationNode", lesion_nodes.segments_title())
        made.lesions.SetReferenceImageGeometryParameterFromVolumeNode(made.volumes["cbf"])
        lesion_nodes.fill_segments(made.lesions, lesions, self.result.series.orientation)
        made.lesion_volumes = node(lesion_nodes.TABLE, "vtkMRMLTableNode", lesion_nodes.table_title())
        lesion_nodes.fill_table(made.lesion_volumes, lesions)

    def _node(self, class_name: str, title: str, node: Any, *, is_output: bool = True) -> tuple[Any, bool]:
        """The node to write into, and whether it is new; one that is no output cannot be chosen as such."""
        name = f"{self.title} {title}"
        is_new = node is None
        if node is None:
            node = self.scene.add(class_name, unique_name(name))
        else:
            self.scene.change(node)
            # a name that the user chose stays
            fits = node.GetName().startswith(name) and not node.GetName().endswith(_EARLIER)
            if node.GetAttribute(_NAME) == node.GetName() and not fits:
                node.SetName(unique_name(name))
        if is_new or node.GetAttribute(_NAME) is not None:
            node.SetAttribute(_NAME, node.GetName())
        if is_output:
            node.SetNodeReferenceID(INPUT, self.sequence.GetID() if self.sequence is not None else None)
        if node.IsA("vtkMRMLTransformableNode"):
            node.SetAndObserveTransformNodeID(self.proxy.GetTransformNodeID() if self.proxy is not None else None)
        return node, is_new

    def _mark_those_of_earlier_runs(self, made: OutputNodes) -> None:
        """Say in their names which maps and lesions are not of this run: they stay, but do not go with the others."""
        further = [made.segmentation.GetNodeReference(f"{_FURTHER}{name}") for name in QUANTITIES]
        maps = [*made.volumes.values(), *(node for node in further if node is not None)]
        relative = [node.GetNodeReference(RELATIVE) for node in maps]
        roles = (lesion_nodes.SEGMENTS, lesion_nodes.TABLE)
        lesions = [made.segmentation.GetNodeReference(f"{REVIEW}{role}") for role in roles]
        now = (*made.volumes.values(), *made.relative.values(), made.lesions, made.lesion_volumes)
        written = {node.GetID() for node in now if node is not None}
        for node in [*maps, *(node for node in (*relative, *lesions) if node is not None)]:
            if node.GetID() in written or node.GetName().endswith(_EARLIER):
                continue
            if node.GetAttribute(_NAME) == node.GetName():
                self.scene.change(node).SetName(unique_name(f"{node.GetName()}{_EARLIER}"))
                node.SetAttribute(_NAME, node.GetName())

    def _masks(self) -> dict[str, np.ndarray[Any, Any]]:
        result, sides = self.result, self.result.hemispheres
        arteries = (result.aif,) if sides is None else (sides.left, sides.right)
        return {
            segments.BRAIN: result.on_input_grid(result.brain.mask),
            segments.AIF: self._places(*arteries),
            segments.VOF: self._places(result.vof),
            **{
                TITLES[kind]: result.on_input_grid(result.tissue.mask(kind))
                for kind in segments.TISSUES
                if kind in result.tissue.volumes()
            },
        }

    def _places(self, *vessels: VesselCurve | None) -> np.ndarray[Any, Any]:
        """The voxels of vessels on the grid of the input; none for those without a place."""
        together = np.zeros(self.result.series.grid.shape, bool)
        for vessel in vessels:
            if vessel is not None and vessel.mask is not None:
                together |= self.result.on_input_grid(vessel.mask)
        return together

    def _flags(self) -> str:
        return " | ".join(f"{flag.severity}: {flag.text}" for flag in self.result.flags)

    def _study(self, hierarchy: Any) -> int:
        """Item that the run's folder belongs under: where the input lies."""
        for node in (self.proxy, self.sequence):
            item = hierarchy.GetItemByDataNode(node) if node is not None else 0
            if item:
                return int(hierarchy.GetItemParent(item))
        return int(hierarchy.GetSceneItemID())
