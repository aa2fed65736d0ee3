"""All nodes of a predicted PET: volumes, segments and the table; written together or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import slicer
from slicer.i18n import tr as _

from PyPeTLib.arrays import Volume
from PyPeTLib.lesions.hypometabolic import HypometabolicRegions
from PyPeTLib.report.summary import RESEARCH_ONLY
from PyPeTLib.synthesis import Subject, SynthesisModel
from PyPeTSlicer import synthesis_looks as looks
from PyPeTSlicer import synthesis_table
from PyPeTSlicer.comparison_looks import value_of_nothing
from PyPeTSlicer.comparison_nodes import NO_VALUE
from PyPeTSlicer.mark_segments import Mark, fill_marks, inner_place, written
from PyPeTSlicer.nodes import TITLE, Transaction, image_of, remove, subject_hierarchy, unique_name
from PyPeTSlicer.sequences import grid_of

PREFIX = "PyPeT.Synthesis."
"""Beginning of roles and attributes."""

SYNTHETIC = "PyPeT.Synthetic"
"""Attribute of a volume that no scanner made: what it shows."""

PREDICTED, REAL = "Predicted", "Real"
"""Ids of the segments with the hypometabolic regions of either PET."""

MODEL, FIGURES, NOTES, WARNINGS, PLACE = (
    f"{PREFIX}{name}" for name in ("Digest", "Figures", "Notes", "Warnings", "Place")
)
"""Attributes: of the volumes and the table the model's digest; of the table all figures in full, what was done and what
is doubtful, as JSON; of the segmentation where to look first."""

_FIRST, _REAL_SOURCE = f"{PREFIX}First", f"{PREFIX}RealSource"
"""Roles of the references from the predicted PET to the first contrast, and to the real PET as it was chosen."""

_VOLUME, _TABLE, _SEGMENTATION = "vtkMRMLScalarVolumeNode", "vtkMRMLTableNode", "vtkMRMLSegmentationNode"

_PREDICTION = "predicted PET"
_OWN = {
    "real": (_VOLUME, "real PET (compared)"),
    "error": (_VOLUME, "PET error, predicted − real"),
    "absolute": (_VOLUME, "PET error, absolute"),
    "table": (_TABLE, "synthetic PET figures"),
    "segments": (_SEGMENTATION, "hypometabolic regions"),
}
"""Class and name of the nodes that the predicted PET refers to."""

_COLOURS = {PREDICTED: (0.0, 0.85, 1.0), REAL: (0.35, 1.0, 0.35)}

_OWN_SCHEME = "99PYPET"
"""Coding scheme of units that UCUM has no code for; DICOM keeps names that begin with 99 for such."""

_UCUM = {
    "SUV": ("{SUVbw}g/ml", "Standardized Uptake Value body weight"),
    "SUVR": ("1", "no units"),
    "1": ("1", "no units"),
    "Bq/ml": ("Bq/ml", "Becquerels/milliliter"),
    "kBq/ml": ("kBq/ml", "Kilobecquerels/milliliter"),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Synthesised:
    """A predicted PET and what is told of it; arrays lie on the subject's grid.

    Attributes
    ----------
    model : SynthesisModel
    subject : Subject
    predicted : ndarray of float32, shape (x, y, z)
    figures : mapping of str to mapping of str to float
        By scope and name; empty without a real PET.
    regions : mapping of str to HypometabolicRegions
        By `PREDICTED` and `REAL`, as far as they can be told.
    warnings, notes : tuple of str
        What is doubtful, and what was done.
    """

    model: SynthesisModel
    subject: Subject
    predicted: Volume
    figures: Mapping[str, Mapping[str, float]]
    regions: Mapping[str, HypometabolicRegions]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SynthesisNodes:
    """The nodes of a predicted PET.

    Attributes
    ----------
    first : vtkMRMLScalarVolumeNode
        The first contrast, whose voxels the others share.
    predicted : vtkMRMLScalarVolumeNode
    real, error, absolute : vtkMRMLScalarVolumeNode or None
        Real PET on those voxels, and predicted minus real with and without the sign; None without a real PET.
    table : vtkMRMLTableNode
    segmentation : vtkMRMLSegmentationNode
        Hypometabolic regions, `PREDICTED` and `REAL`.
    """

    first: Any
    predicted: Any
    real: Any
    error: Any
    absolute: Any
    table: Any
    segmentation: Any

    @property
    def has_real(self) -> bool:
        """Whether there is a real PET to compare with."""
        return all(node is not None for node in (self.real, self.error, self.absolute))

    @property
    def figures(self) -> dict[str, dict[str, float]]:
        """All figures in full, by scope and name; empty without a real PET."""
        found: dict[str, dict[str, float]] = json.loads(self.table.GetAttribute(FIGURES) or "{}")
        return found

    @property
    def warnings(self) -> list[str]:
        """What is doubtful."""
        found: list[str] = json.loads(self.table.GetAttribute(WARNINGS) or "[]")
        return found

    @property
    def notes(self) -> list[str]:
        """What was done."""
        found: list[str] = json.loads(self.table.GetAttribute(NOTES) or "[]")
        return found


def is_own(node: Any) -> bool:
    """Whether a node was made with a prediction."""
    return node.GetAttribute(MODEL) is not None


def is_synthetic(node: Any) -> bool:
    """Whether a volume belongs to a prediction: it, its errors, or the real PET as it was compared."""
    return node.GetAttribute(SYNTHETIC) is not None


def synthesis_of(first: Any) -> SynthesisNodes | None:
    """The last prediction from a first contrast, from its nodes in the scene; None where there is none."""
    predicted = _predicted_from(first)
    if predicted is None:
        return None
    own = {role: predicted.GetNodeReference(f"{PREFIX}{role}") for role in _OWN}
    if own["table"] is None or own["segments"] is None:
        return None
    segmentation = own.pop("segments")
    return SynthesisNodes(first=first, predicted=predicted, segmentation=segmentation, **own)


def write_synthesis(done: Synthesised, *, first: Any, pet: Any) -> SynthesisNodes:
    """Write a prediction into the scene: into the nodes of the last one from this contrast, else into new ones.

    Without a real PET, that of the last prediction and the errors against it go.

    Parameters
    ----------
    done : Synthesised
    first, pet : vtkMRMLScalarVolumeNode
        First contrast, and real PET or None.
    """
    with Transaction() as scene:
        writer = _Writer(scene, done, first)
        writer.write()
    # nothing fails from here
    predicted = writer.nodes["predicted"]
    predicted.SetNodeReferenceID(_FIRST, first.GetID())
    predicted.SetNodeReferenceID(_REAL_SOURCE, pet.GetID() if pet is not None else None)
    for role in _OWN:
        last, node = predicted.GetNodeReference(f"{PREFIX}{role}"), writer.nodes.get(role)
        predicted.SetNodeReferenceID(f"{PREFIX}{role}", node.GetID() if node is not None else None)
        if node is None and last is not None:
            remove(last)
    made = synthesis_of(first)
    if made is None:
        raise RuntimeError("the predicted PET is not found in the scene that it was written into")
    return made


def _predicted_from(first: Any) -> Any:
    """The predicted PET of a first contrast; None where there is none."""
    if first is None:
        return None
    every = slicer.util.getNodesByClass(_VOLUME)
    of_first = (node for node in every if node.GetAttribute(SYNTHETIC) == _PREDICTION)
    return next((node for node in of_first if node.GetNodeReference(_FIRST) is first), None)


class _Writer:
    """What all nodes of one prediction share."""

    def __init__(self, scene: Transaction, done: Synthesised, first: Any) -> None:
        self.scene, self.done, self.first = scene, done, first
        self._unit = done.model.unit
        # what windows are made for: values of this model
        self._scale = done.model.digest
        self.last = _predicted_from(first)
        self.nodes: dict[str, Any] = {}

    def write(self) -> None:
        done, real = self.done, self.done.subject.pet
        predicted = self._node("predicted", _VOLUME, "synthetic PET", self.last)
        self._fill(predicted, done.predicted, _PREDICTION)
        pets = [done.predicted] if real is None else [done.predicted, real]
        top = looks.top_of([values[done.subject.mask] for values in pets])
        looks.style_pet(predicted, top, self._unit, self._scale, is_predicted=True)
        if real is not None:
            self._write_comparison(real, top)
        self._write_segments()
        table = self._own("table")
        synthesis_table.fill(table, done)
        self._tell(table)
        self._file()

    def _write_comparison(self, real: Volume, top: float) -> None:
        mask = self.done.subject.mask
        compared = self._own("real")
        self._fill(compared, real, "real PET, resampled for a comparison")
        looks.style_pet(compared, top, self._unit, self._scale, is_predicted=False)
        difference = np.where(mask, self.done.predicted - real, np.float32(0))
        largest = looks.largest_shown(difference[mask], top)
        for role, values, is_signed in (("error", difference, True), ("absolute", np.abs(difference), False)):
            node = self._own(role)
            nothing = value_of_nothing(values[mask], is_signed=is_signed)
            self._fill(node, np.where(mask, values, np.float32(nothing)), "error of a predicted PET")
            node.SetAttribute(NO_VALUE, f"{nothing:.0f}")
            looks.style_error(node, largest, nothing, self._unit, self._scale, is_signed=is_signed)

    def _write_segments(self) -> None:
        subject, regions = self.done.subject, self.done.regions
        names = {
            PREDICTED: str(_("Hypometabolic, predicted PET")),
            REAL: str(_("Hypometabolic, real PET")),
        }
        marks = {key: Mark(mask=found.mask, name=names[key], colour=_COLOURS[key]) for key, found in regions.items()}
        node = self._own("segments")
        node.SetReferenceImageGeometryParameterFromVolumeNode(self.first)
        # segments lie under the contrast's parent transform, the subject in the world
        fill_marks(node, marks.items(), replace(subject.orientation, native=grid_of(self.first)))
        node.SetAndObserveTransformNodeID(self.first.GetTransformNodeID())
        inner = (inner_place(regions[key].mask, subject.grid) for key in (REAL, PREDICTED) if key in regions)
        node.SetAttribute(PLACE, written(next((place for place in inner if place is not None), None)))

    # ---- one node

    def _own(self, role: str) -> Any:
        class_name, title = _OWN[role]
        return self._node(role, class_name, title, self.last and self.last.GetNodeReference(f"{PREFIX}{role}"))

    def _node(self, role: str, class_name: str, title: str, last: Any) -> Any:
        """The node of the last prediction, else a new one."""
        is_kept = last is not None and last.IsA(class_name)
        node = last if is_kept else self.scene.add(class_name, unique_name(f"{self.first.GetName()} {title}"))
        if is_kept:
            self.scene.change(node)
        node.SetAttribute(MODEL, self.done.model.digest)
        node.SetAttribute("PyPeT.Notice", RESEARCH_ONLY)
        self.nodes[role] = node
        return node

    def _fill(self, node: Any, values: Volume, what: str) -> None:
        """Put values where the voxels of the first contrast lie."""
        changing = node.StartModify()
        try:
            native = np.asarray(self.done.subject.orientation.to_native(values), np.float32)
            node.SetAndObserveImageData(image_of(native))
            node.CopyOrientation(self.first)
            node.SetAndObserveTransformNodeID(self.first.GetTransformNodeID())
            node.SetVoxelValueUnits(_coded(self._unit))
            facts = {
                SYNTHETIC: what,
                f"{PREFIX}Contrasts": ", ".join(self.done.model.contrasts),
                f"{PREFIX}TrainingSubjects": str(self.done.model.subjects),
                f"{PREFIX}Unit": self._unit,
            }
            for key, value in facts.items():
                node.SetAttribute(key, value)
        finally:
            node.EndModify(changing)

    def _tell(self, table: Any) -> None:
        """Keep all that is told with the table, and its gist in the title of the view that shows it."""
        done = self.done
        table.SetAttribute(FIGURES, json.dumps(done.figures))
        table.SetAttribute(WARNINGS, json.dumps(_once(done.warnings)))
        table.SetAttribute(NOTES, json.dumps(_once(done.notes)))
        table.SetAttribute(TITLE, synthesis_table.title(done))

    def _file(self) -> None:
        hierarchy = subject_hierarchy()
        title = f"PyPeT synthetic PET {self.first.GetName()}"
        item = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(self.last)) if self.last is not None else 0
        if not item or not str(hierarchy.GetItemName(item)).startswith("PyPeT synthetic PET "):
            beside = hierarchy.GetItemByDataNode(self.first)
            parent = hierarchy.GetItemParent(beside) if beside else hierarchy.GetSceneItemID()
            item = self.scene.add_folder(parent, title)
        for node in self.nodes.values():
            hierarchy.CreateItem(item, node)


def _once(sentences: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(sentences))


def _coded(unit: str) -> Any:
    """A unit as a coded entry; None where it is not told."""
    if not unit:
        return None
    entry = slicer.vtkCodedEntry()
    code, meaning = _UCUM.get(unit, (unit, unit))
    entry.SetValueSchemeMeaning(code, "UCUM" if unit in _UCUM else _OWN_SCHEME, meaning)
    return entry
