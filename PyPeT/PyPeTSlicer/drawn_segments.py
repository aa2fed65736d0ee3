"""Segments that are drawn in one slice view alone, beside the user's own displays, which stay out of that view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import slicer

_OWN_VIEW = "PyPeT.View"
"""Attribute of a segmentation's display that draws in one view of PyPeT's: the id of the view."""

_LIMITED = "PyPeT.Limited"
"""Attribute of a display of the user's that is kept out of PyPeT's views."""


@dataclass(frozen=True, kw_only=True)
class Segments:
    """Segments of a segmentation node that a slice view draws.

    Attributes
    ----------
    segmentation : vtkMRMLSegmentationNode
    outlined, filled : tuple of str
        Ids of segments.
    opacity : float
        Of those that are filled.
    """

    segmentation: Any
    outlined: tuple[str, ...] = ()
    filled: tuple[str, ...] = ()
    opacity: float = 0.6


def draw(wanted: Mapping[str, tuple[Segments, ...]]) -> None:
    """Draw segments in slice views; those of the user's displays only in all others.

    Parameters
    ----------
    wanted : mapping of str to tuple of Segments
        By the id of the view, which is named even where nothing is drawn in it.
    """
    others = [
        view.GetID()
        for kind in ("vtkMRMLSliceNode", "vtkMRMLViewNode")
        for view in slicer.util.getNodesByClass(kind)
        if view.GetID() not in wanted
    ]
    for display in _displays():
        if display.GetAttribute(_OWN_VIEW) is None and display.GetNumberOfViewNodeIDs() == 0:
            display.SetViewNodeIDs(others)
            display.SetAttribute(_LIMITED, "1")
    for view_id, segments in wanted.items():
        for drawn in segments:
            _draw(drawn, view_id)


def let_go() -> None:
    """Hide what was drawn in views of PyPeT's, and let the user's displays into all views again."""
    for display in _displays():
        if display.GetAttribute(_OWN_VIEW) is not None:
            display.SetVisibility(False)
        elif display.GetAttribute(_LIMITED) is not None:
            display.RemoveAttribute(_LIMITED)
            display.RemoveAllViewNodeIDs()


def _displays() -> list[Any]:
    """All displays of segmentations."""
    found: list[Any] = slicer.util.getNodesByClass("vtkMRMLSegmentationDisplayNode")
    return found


def _draw(drawn: Segments, view_id: str) -> None:
    """Draw segments in one view, by a display of its own.

    It stays with the segmentation, hidden, when the view shows something else: Slicer's drawing of segmentations keeps
    pointers to displays that were removed from the scene, and crashes at the next change of a segment.
    """
    segmentation = drawn.segmentation
    displays = [segmentation.GetNthDisplayNode(index) for index in range(segmentation.GetNumberOfDisplayNodes())]
    own = [display for display in displays if display is not None and display.GetAttribute(_OWN_VIEW) == view_id]
    display = own[0] if own else _new_display(segmentation, view_id)
    content = segmentation.GetSegmentation()
    for index in range(content.GetNumberOfSegments()):
        segment = content.GetNthSegmentID(index)
        is_filled, is_outlined = segment in drawn.filled, segment in drawn.outlined
        display.SetSegmentVisibility(segment, is_filled or is_outlined)
        display.SetSegmentVisibility2DFill(segment, is_filled)
        display.SetSegmentVisibility2DOutline(segment, True)
        display.SetSegmentOpacity2DFill(segment, drawn.opacity)
    display.SetVisibility(True)


def _new_display(segmentation: Any, view_id: str) -> Any:
    display = slicer.vtkMRMLSegmentationDisplayNode()
    display.SetSaveWithScene(False)
    display.SetHideFromEditors(True)
    display.SetAttribute(_OWN_VIEW, view_id)
    # before any view hears of it
    display.SetViewNodeIDs([view_id])
    display.SetVisibility3D(False)
    # one pixel is lost on bone and on coloured maps
    display.SetSliceIntersectionThickness(2)
    slicer.mrmlScene.AddNode(display)
    segmentation.AddAndObserveDisplayNodeID(display.GetID())
    return display
