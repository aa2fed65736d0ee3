"""Masks as segments of nodes that only show them, and places as attributes of such nodes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer

from PyPeTLib.arrays import Mask
from PyPeTLib.geometry import Grid, Reorientation
from PyPeTSlicer.nodes import image_of, matrix_of

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


def fill_marks(node: Any, marks: Iterable[tuple[str, Mark]], orientation: Reorientation) -> None:
    """Give a segmentation these segments in place of those that it has; one that was never seen is hidden at first.

    Parameters
    ----------
    node : vtkMRMLSegmentationNode
    marks : iterable of (str, Mark)
        Ids and segments.
    orientation : Reorientation
        Of the input series.
    """
    content = node.GetSegmentation()
    content.RemoveAllSegments()
    for segment_id, mark in marks:
        segment = slicer.vtkSegment()
        segment.SetName(mark.name)
        segment.SetColor(*mark.colour)
        segment.AddRepresentation(_LABELMAP, image_of_mask(mark.mask, orientation))
        content.AddSegment(segment, segment_id)
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
        node.GetDisplayNode().SetVisibility(False)


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


def written(place: tuple[float, float, float] | None) -> str:
    """A place as the attribute of a node."""
    return "" if place is None else " ".join(f"{value:.4f}" for value in place)


def read(text: str | None) -> tuple[float, float, float] | None:
    """A place from the attribute of a node; None where there is none."""
    if not text:
        return None
    x, y, z = map(float, text.split())
    return x, y, z
