"""Segments become masks on the grid of the series, and masks become segments with ids that stay the same."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Reorientation
from PyPeTLib.masking import TITLES, TissueClass
from PyPeTSlicer.nodes import image_of, matrix_of

BRAIN, AIF, VOF = "Brain", "AIF", "VOF"
"""Ids and names of the segments that PyPeT writes and, where the user changes them, takes as an input."""

TISSUES = (TissueClass.CSF, TissueClass.VESSEL, TissueClass.GREY, TissueClass.WHITE)
"""Classes that become a segment of their own, under their title, where the brain holds them."""

_LABELMAP = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()

_COLOURS = {
    BRAIN: (0.25, 0.88, 1.0),
    AIF: (1.0, 0.25, 0.2),
    VOF: (0.3, 0.45, 1.0),
    TITLES[TissueClass.CSF]: (0.45, 0.7, 0.85),
    TITLES[TissueClass.VESSEL]: (0.85, 0.4, 0.55),
    TITLES[TissueClass.GREY]: (0.6, 0.6, 0.6),
    TITLES[TissueClass.WHITE]: (0.95, 0.93, 0.85),
}

_DIGEST = "PyPeT.Digest"
"""Tag with a hash of the mask as PyPeT wrote it: a segment that no longer has it was edited."""

_GIVEN = "PyPeT.Given"
"""Tag of a segment that was the user's own at the last run, and stays so."""


@dataclass(frozen=True, kw_only=True)
class SegmentChoice:
    """A segment of a segmentation node."""

    segmentation: Any
    segment_id: str

    @property
    def label(self) -> str:
        """Names of the segmentation and the segment, for messages."""
        segment = self.segmentation.GetSegmentation().GetSegment(self.segment_id)
        return f"{self.segmentation.GetName()}: {segment.GetName() if segment is not None else self.segment_id}"


def mask_of(choice: SegmentChoice, orientation: Reorientation, proxy: Any) -> np.ndarray[Any, Any]:
    """A segment as a mask on the RAS+ grid of the series, shape (x, y, z).

    Parameters
    ----------
    choice : SegmentChoice
    orientation : Reorientation
        Of the series.
    proxy : vtkMRMLScalarVolumeNode or None
        The volume that shows the series; its parent transform counts, as does that of the segmentation.

    Raises
    ------
    InputError
        If the segment is gone, empty, or lies outside the series.
    """
    node, segment_id = choice.segmentation, choice.segment_id
    if node.GetSegmentation().GetSegment(segment_id) is None:
        raise InputError(f"{node.GetName()}: there is no segment {segment_id!r}. Choose another one.")
    mask = _sampled(node, segment_id, orientation, proxy)
    if mask is None:
        raise InputError(f"{choice.label}: the segment is empty. Draw it, or choose “find automatically”.")
    if not mask.any():
        raise InputError(
            f"{choice.label}: the segment marks no voxel of the series. Draw it on the series, or check its transform."
        )
    return mask


def edited_mask(
    segmentation: Any, segment_id: str, orientation: Reorientation, proxy: Any
) -> np.ndarray[Any, Any] | None:
    """The mask of a segment that PyPeT wrote and the user has changed since; None where there is no such change.

    A segment that the user emptied or removed is to be found anew, so it is no change either.
    """
    segment = segmentation.GetSegmentation().GetSegment(segment_id)
    if segment is None:
        return None
    mask = _sampled(segmentation, segment_id, orientation, proxy)
    if mask is None or not mask.any():
        return None
    # without a digest it is not PyPeT's work, so it is the user's own
    untouched = _tag(segment, _DIGEST) == _digest(mask) and not _tag(segment, _GIVEN)
    return None if untouched else mask


def write_segments(
    segmentation: Any, masks: dict[str, np.ndarray[Any, Any]], orientation: Reorientation, given: set[str]
) -> None:
    """Put masks on the RAS+ grid of the series into a segmentation, each under its own id.

    Tissue classes of an earlier run that this one does not tell apart go; all other segments stay.

    Parameters
    ----------
    segmentation : vtkMRMLSegmentationNode
    masks : dict
        Segment id to mask, shape (x, y, z).
    orientation : Reorientation
    given : set of str
        Ids of the masks that the user gave.
    """
    content = segmentation.GetSegmentation()
    for segment_id, mask in masks.items():
        is_new = content.GetSegment(segment_id) is None
        tags = {_DIGEST: _digest(mask)} | ({_GIVEN: "1"} if segment_id in given else {})
        _put(content, segment_id, mask, orientation, tags)
        if is_new and segment_id not in (BRAIN, AIF, VOF) and segmentation.GetDisplayNode() is not None:
            segmentation.GetDisplayNode().SetSegmentVisibility(segment_id, False)
    for segment_id in (TITLES[kind] for kind in TISSUES):
        last = content.GetSegment(segment_id)
        if segment_id not in masks and last is not None and _tag(last, _DIGEST):
            content.RemoveSegment(segment_id)


def give_segment(segmentation: Any, segment_id: str, mask: np.ndarray[Any, Any], orientation: Reorientation) -> None:
    """Put a mask of the user's into a segmentation, as if it had been painted: the next run takes it as it is.

    Parameters
    ----------
    segmentation : vtkMRMLSegmentationNode
    segment_id : str
        `BRAIN`, `AIF` or `VOF`.
    mask : ndarray of bool, shape (x, y, z)
        On the RAS+ grid of the series.
    orientation : Reorientation
    """
    _put(segmentation.GetSegmentation(), segment_id, mask, orientation, {})


def is_of_user(segmentation: Any, segment_id: str) -> bool:
    """Whether the last run took a segment from the user, or the user has given it since by `give_segment`."""
    segment = segmentation.GetSegmentation().GetSegment(segment_id)
    return segment is not None and (bool(_tag(segment, _GIVEN)) or not _tag(segment, _DIGEST))


def _put(
    content: Any, segment_id: str, mask: np.ndarray[Any, Any], orientation: Reorientation, tags: dict[str, str]
) -> None:
    """A segment with this mask and these tags, in place of the one with this id."""
    last = content.GetSegment(segment_id)
    segment = slicer.vtkSegment()
    segment.SetName(last.GetName() if last is not None else segment_id)
    segment.SetColor(last.GetColor() if last is not None else _COLOURS[segment_id])
    image = image_of(orientation.to_native(mask), _oriented(orientation))
    segment.AddRepresentation(_LABELMAP, image)
    for name, value in tags.items():
        segment.SetTag(name, value)
    if last is not None:
        content.RemoveSegment(segment_id)
    # the node's own call for this does not take an id in Slicer 5.6
    content.AddSegment(segment, segment_id)


def style(segmentation: Any) -> None:
    """Show the brain as an outline, the artery and the vein filled; tissue classes are there to be switched on."""
    segmentation.CreateDefaultDisplayNodes()
    display = segmentation.GetDisplayNode()
    display.SetSegmentOpacity2DFill(BRAIN, 0.0)
    display.SetSegmentVisibility2DFill(BRAIN, False)
    for vessel in (AIF, VOF):
        display.SetSegmentOpacity2DFill(vessel, 0.6)
    for segment_id in (TITLES[kind] for kind in TISSUES):
        if segmentation.GetSegmentation().GetSegment(segment_id) is not None:
            display.SetSegmentVisibility(segment_id, False)


def _sampled(node: Any, segment_id: str, orientation: Reorientation, proxy: Any) -> np.ndarray[Any, Any] | None:
    """The segment on the grid of the series; None where it holds nothing."""
    labelmap = slicer.vtkOrientedImageData()
    if not node.GetBinaryLabelmapRepresentation(segment_id, labelmap):
        return None
    extent = labelmap.GetExtent()
    if labelmap.GetPointData().GetScalars() is None or any(extent[2 * a] > extent[2 * a + 1] for a in range(3)):
        return None
    between = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(
        node.GetParentTransformNode(), proxy.GetParentTransformNode() if proxy is not None else None, between
    )
    reference = _oriented(orientation)
    image_of(np.zeros(orientation.native.shape, bool), reference)
    sampled = slicer.vtkOrientedImageData()
    resample = slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage
    if not resample(labelmap, reference, sampled, False, False, between):
        return None
    i, j, k = sampled.GetDimensions()
    native = vtk_to_numpy(sampled.GetPointData().GetScalars()).reshape(k, j, i).T > 0
    return np.ascontiguousarray(orientation.to_ras(native))


def _oriented(orientation: Reorientation) -> Any:
    image = slicer.vtkOrientedImageData()
    image.SetImageToWorldMatrix(matrix_of(orientation.native))
    return image


def _digest(mask: np.ndarray[Any, Any]) -> str:
    shape = "×".join(str(n) for n in mask.shape)
    return hashlib.sha256(shape.encode() + np.packbits(np.ascontiguousarray(mask)).tobytes()).hexdigest()[:32]


def _tag(segment: Any, name: str) -> str:
    value = vtk.reference("")
    return str(value) if segment.GetTag(name, value) else ""
