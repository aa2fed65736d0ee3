"""A run as it is reviewed: its nodes in the scene, and its result while that is in memory."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import slicer
from slicer.i18n import tr as _

from PyPeTLib.config import PipelineConfig
from PyPeTLib.errors import InputError
from PyPeTLib.maps import QUANTITIES
from PyPeTLib.pipeline import PipelineResult
from PyPeTLib.series import Modality
from PyPeTSlicer import sequences
from PyPeTSlicer.nodes import INPUT, REVIEW, RUN, outputs_of, subject_hierarchy, unique_name
from PyPeTSlicer.outputs import RELATIVE, last_outputs
from PyPeTSlicer.session import Run, Session


class Subject:
    """The last run on a sequence.

    Parameters
    ----------
    segmentation : vtkMRMLSegmentationNode
        Of the run; all other nodes are found by its references.
    run : Run or None
        The run itself while it is in memory.
    """

    def __init__(self, segmentation: Any, run: Run | None) -> None:
        self.segmentation = segmentation
        self.run = run

    @classmethod
    def of(cls, sequence: Any, session: Session) -> Subject | None:
        """What there is to review for a sequence; None where it was not analysed."""
        if sequence is None:
            return None
        run = session.run_of(sequence)
        if run is not None:
            # which need not be the youngest: the user may have chosen to write into an older one
            return cls(run.outputs.segmentation, run)
        found = [node for node in outputs_of(sequence, "vtkMRMLSegmentationNode") if node.GetAttribute(RUN)]
        return cls(found[-1], None) if found else None

    @property
    def result(self) -> PipelineResult | None:
        """What the run made, while it is in memory."""
        return self.run.result if self.run is not None else None

    @property
    def search(self) -> Run | None:
        """The last run that searched for an artery, while it is in memory: this one, or an earlier one."""
        if self.run is None or self.run.result.searched:
            return self.run
        return self.run.search

    @property
    def number(self) -> str:
        """Which run it was."""
        return str(self.segmentation.GetAttribute(RUN))

    @property
    def sequence(self) -> Any:
        """The series; None where it is gone."""
        return self.segmentation.GetNodeReference(INPUT)

    @property
    def proxy(self) -> Any:
        """The volume that shows the series; None where there is none."""
        return sequences.proxy_of(self.sequence) if self.sequence is not None else None

    @cached_property
    def config(self) -> PipelineConfig:
        """Options of the run; an `InputError` where the summary that tells them is gone."""
        if self.result is not None:
            return self.result.config
        try:
            return PipelineConfig.from_mapping(tomllib.loads(self.told.GetAttribute("PyPeT.Config") or ""))
        except tomllib.TOMLDecodeError as error:
            raise InputError(_("The summary of this run does not tell its options. Run again.")) from error

    @property
    def modality(self) -> Modality:
        """Kind of the series."""
        return Modality(self.segmentation.GetAttribute("PyPeT.Modality"))

    @property
    def summary(self) -> Any:
        """Table of findings; None where it is gone."""
        return self.segmentation.GetNodeReference("PyPeT.Summary")

    @property
    def told(self) -> Any:
        """Table of findings; an `InputError` where it is gone."""
        if self.summary is None:
            raise InputError(without_summary())
        return self.summary

    @property
    def curves(self) -> Any:
        """Table of the curves of vessels and brain."""
        return self.segmentation.GetNodeReference("PyPeT.Curves")

    @property
    def chart(self) -> Any:
        """Plot of these curves."""
        return self.segmentation.GetNodeReference("PyPeT.Chart")

    def map_node(self, name: str) -> Any:
        """The volume of a map; None where it is gone or the run gave none."""
        further = self.segmentation.GetNodeReference(f"PyPeT.Map.{name}")
        if further is not None:
            return further
        made = self.run.outputs.volumes.get(name) if self.run is not None else None
        if made is not None and slicer.mrmlScene.IsNodePresent(made):
            return made
        return last_outputs(self.sequence).volumes.get(name)

    def local(self, place: Sequence[float]) -> tuple[float, float, float]:
        """A place in RAS mm of the world as the series has it, before its parent transform."""
        local = [float(value) for value in place]
        if self.proxy is not None:
            self.proxy.TransformPointFromWorld(list(local), local)
        x, y, z = local
        return x, y, z

    def maps(self) -> list[Any]:
        """The volumes of all maps and of their relative maps, in the order of the quantities."""
        found = [node for node in (self.map_node(name) for name in QUANTITIES) if node is not None]
        relative = [node.GetNodeReference(RELATIVE) for node in found]
        return [*found, *(node for node in relative if node is not None)]

    def has(self, role: str) -> bool:
        """Whether a node of the review is up to date, or can be made."""
        return self.result is not None or self._is_current(self.existing(role))

    def existing(self, role: str) -> Any:
        """A node of the review as it is; None where there is none."""
        return self.segmentation.GetNodeReference(f"{REVIEW}{role}")

    def node(self, role: str, class_name: str, title: str, fill: Callable[[Any], None]) -> Any:
        """A node of the review, made and filled if it is missing or older than the run.

        Parameters
        ----------
        role : str
            By which it is found again.
        class_name : str
        title : str
            Its name, after that of the series.
        fill : callable
            Called with the node; ``result`` is there then.
        """
        node = self.existing(role)
        if self._is_current(node):
            return node
        if self.result is None:
            raise RuntimeError(f"{title} was neither saved nor is the run in memory; ask has() first")
        if node is None:
            name = self.sequence.GetName() if self.sequence is not None else "PyPeT"
            node = slicer.mrmlScene.AddNewNodeByClass(class_name, unique_name(f"{name} {title}"))
            self.segmentation.SetNodeReferenceID(f"{REVIEW}{role}", node.GetID())
            self.file(node)
        fill(node)
        node.SetAttribute(RUN, self.number)
        return node

    def file(self, node: Any) -> None:
        """Put a node into the folder of the review, below that of the run."""
        hierarchy = subject_hierarchy()
        run = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(self.segmentation))
        folder = hierarchy.GetItemChildWithName(run, "Review") or hierarchy.CreateFolderItem(run, "Review")
        hierarchy.SetItemExpanded(folder, False)
        hierarchy.CreateItem(folder, node)

    def _is_current(self, node: Any) -> bool:
        return node is not None and node.GetAttribute(RUN) == self.number


def without_summary() -> str:
    """What a step says that needs the summary of the run, where the user has deleted it."""
    return str(_("The summary of this run is no longer in the scene. Run again."))
