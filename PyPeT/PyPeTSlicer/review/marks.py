"""Masks of a run as segmentations of the review; hidden in the user's own views."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import slicer

from PyPeTLib.geometry import Reorientation, nearest_ras
from PyPeTSlicer import sequences
from PyPeTSlicer.mark_segments import Mark, fill_marks
from PyPeTSlicer.review.subject import Subject


def marked(subject: Subject, role: str, title: str, marks: Callable[[], Iterable[tuple[str, Mark]]]) -> Any:
    """A segmentation of the review, made from the run or as it was saved.

    Parameters
    ----------
    subject : Subject
    role, title : str
        See `Subject.node`.
    marks : callable
        Gives ids and segments, one after the other; only called if they are missing or older than the run.
    """
    return filled(subject, role, title, lambda node: fill_marks(node, marks(), orientation_of(subject)))


def filled(subject: Subject, role: str, title: str, fill: Callable[[Any], None]) -> Any:
    """The same where the caller fills it; the segmentation lies as the series does."""

    def place_and_fill(node: Any) -> None:
        proxy = subject.proxy
        node.SetAndObserveTransformNodeID(proxy.GetTransformNodeID() if proxy is not None else None)
        if proxy is not None:
            node.SetReferenceImageGeometryParameterFromVolumeNode(proxy)
        fill(node)

    return subject.node(role, "vtkMRMLSegmentationNode", title, place_and_fill)


def replace_mark(node: Any, segment_id: str, image: Any) -> None:
    """Give a segment another labelmap; who shows it goes on showing it."""
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    logic.SetBinaryLabelmapToSegment(image, node, segment_id, logic.MODE_REPLACE)


def orientation_of(subject: Subject) -> Reorientation:
    """From the grid of the input series, as its volumes hold it, to RAS+ and back."""
    if subject.result is not None:
        return subject.result.series.orientation
    return nearest_ras(sequences.grid_of(subject.sequence.GetNthDataNode(0)))


def in_world(subject: Subject, place: Sequence[float]) -> tuple[float, float, float]:
    """A place of the series in RAS mm of the world: a parent transform of the series moves what is shown."""
    x, y, z = map(float, place)
    if subject.proxy is not None:
        moved = [0.0, 0.0, 0.0]
        subject.proxy.TransformPointToWorld((x, y, z), moved)
        x, y, z = moved
    return x, y, z
