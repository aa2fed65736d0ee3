"""Masks of a run as segmentations of the review; hidden in the user's own views."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer

from PyPeTLib.arrays import Mask
from PyPeTLib.geometry import Grid, Reorientation, nearest_ras
from PyPeTSlicer import sequences
from PyPeTSlicer.nodes import image_of, matrix_of
from PyPeTSlicer.review.subject import Subject

_LABELMAP = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()


@dataclass(frozen=True, kw_only=True, eq=False)
class Mark:
    """A segment.

    Attributes
    ----------
    mask : ndarray of bool, shape (x, y, z)
        On the RAS+ grid of the input series.
    name : str
        For the user.
    colour : tuple of float
        Red, green and blue from 0 to 1.
    """

    mask: Mask
    name: str
    colour: tuple[float, float, float]


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

    def fill(node: Any) -> None:
        orientation = orientation_of(subject)
        proxy = subject.proxy
        node.SetAndObserveTransformNodeID(proxy.GetTransformNodeID() if proxy is not None else None)
        if proxy is not None:
            node.SetReferenceImageGeometryParameterFromVolumeNode(proxy)
        content, made = node.GetSegmentation(), marks()
        content.RemoveAllSegments()
        for segment_id, mark in made:
            segment = slicer.vtkSegment()
            segment.SetName(mark.name)
            segment.SetColor(*mark.colour)
            segment.AddRepresentation(_LABELMAP, image_of_mask(mark.mask, orientation))
            content.AddSegment(segment, segment_id)
        if node.GetDisplayNode() is None:
            node.CreateDefaultDisplayNodes()
            node.GetDisplayNode().SetVisibility(False)

    return subject.node(role, "vtkMRMLSegmentationNode", title, fill)


def replace_mark(node: Any, segment_id: str, image: Any) -> None:
    """Give a segment another labelmap; who shows it goes on showing it."""
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    logic.SetBinaryLabelmapToSegment(image, node, segment_id, logic.MODE_REPLACE)


def image_of_mask(mask: Mask, orientation: Reorientation) -> Any:
    """A mask as the labelmap of a segment, no larger than what it marks.

    Parameters
    ----------
    mask : ndarray of bool, shape (x, y, z)
        On the RAS+ grid of the orientation.
    orientation : Reorientation
        The labelmap lies on its native grid.
    """
    native = orientation.to_native(mask)
    # an empty segment has a voxel, too
    ends = [(0, 1)] * 3
    if native.any():
        voxels = np.nonzero(native)
        ends = [(int(along.min()), int(along.max()) + 1) for along in voxels]
    image = slicer.vtkOrientedImageData()
    image_of(np.ascontiguousarray(native[tuple(slice(*end) for end in ends)]), image)
    image.SetExtent([bound for start, stop in ends for bound in (start, stop - 1)])
    image.SetImageToWorldMatrix(matrix_of(orientation.native))
    return image


def orientation_of(subject: Subject) -> Reorientation:
    """From the grid of the input series, as its volumes hold it, to RAS+ and back."""
    if subject.result is not None:
        return subject.result.series.orientation
    return nearest_ras(sequences.grid_of(subject.sequence.GetNthDataNode(0)))


def inner_place(mask: Mask, grid: Grid) -> tuple[float, float, float] | None:
    """Where the `inner_voxel` of a mask lies, in RAS+ mm; None for an empty mask."""
    return place_of(inner_voxel(mask), grid) if mask.any() else None


def inner_voxel(mask: Mask) -> tuple[int, int, int]:
    """The mask's voxel that lies nearest to its centre, within its fullest slice.

    Parameters
    ----------
    mask : ndarray of bool, shape (x, y, z)
        Not empty.
    """
    best = int(mask.sum(axis=(0, 1)).argmax())
    voxels = np.argwhere(mask[..., best])
    x, y = voxels[((voxels - voxels.mean(axis=0)) ** 2).sum(axis=1).argmin()]
    return int(x), int(y), best


def place_of(voxel: tuple[int, ...], grid: Grid) -> tuple[float, float, float]:
    """Where a voxel lies, in RAS+ mm."""
    x, y, z = (grid.affine @ [*voxel, 1.0])[:3]
    return float(x), float(y), float(z)


def in_world(subject: Subject, place: Sequence[float]) -> tuple[float, float, float]:
    """A place of the series in RAS mm of the world: a parent transform of the series moves what is shown."""
    x, y, z = map(float, place)
    if subject.proxy is not None:
        moved = [0.0, 0.0, 0.0]
        subject.proxy.TransformPointToWorld((x, y, z), moved)
        x, y, z = moved
    return x, y, z


def written(place: tuple[float, float, float] | None) -> str:
    """A place as the attribute of a node."""
    return "" if place is None else " ".join(f"{value:.4f}" for value in place)


def read(text: str | None) -> tuple[float, float, float] | None:
    """A place from the attribute of a node; None where there is none."""
    if not text:
        return None
    x, y, z = map(float, text.split())
    return x, y, z
