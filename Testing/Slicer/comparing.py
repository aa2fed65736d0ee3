"""Nodes of the scene against files of `pypet run`, voxel by voxel, whatever order either stores them in."""

import nibabel
import numpy as np
import pytest
import slicer
import vtk


def expect_equal(volume, path, *, only_where=None):
    """The voxels of a node at the places of a file's voxels; or of those only that a mask file marks."""
    image = nibabel.load(path)
    expected = np.asarray(image.dataobj)
    found = slicer.util.arrayFromVolume(volume).T
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    to_ras = np.array([[matrix.GetElement(i, j) for j in range(4)] for i in range(4)])
    corners = np.array([[0, 0, 0, 1], [*(n - 1 for n in expected.shape), 1], [5, 7, 3, 1]], float)
    places = np.rint((np.linalg.inv(to_ras) @ image.affine @ corners.T)[:3]).astype(int)
    step = np.rint((np.linalg.inv(to_ras) @ image.affine)[:3, :3]).astype(int)
    assert np.abs(step).sum() == 3, "the axes of node and file are not parallel"
    order, flips = np.abs(step).argmax(axis=0), step.sum(axis=0) < 0
    arranged = found.transpose(order)[tuple(slice(None, None, -1 if flip else 1) for flip in flips)]
    for corner, place in zip(corners[:, :3].astype(int), places.T, strict=True):
        assert arranged[tuple(corner)] == pytest.approx(found[tuple(place)])
    if only_where is not None:
        where = np.asarray(nibabel.load(only_where).dataobj) > 0
        assert where.sum() > 100
        arranged, expected = arranged[where], expected[where]
    np.testing.assert_allclose(arranged, expected, rtol=1e-5, atol=1e-5)


def expect_segment(segmentation, segment, reference, path):
    """The voxels of a segment, on the grid of a volume, at the places of a mask file's voxels."""
    expected = np.asarray(nibabel.load(path).dataobj) > 0
    found = slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, segment, reference)
    assert found.sum() == expected.sum() > 0
    labelmap = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
    slicer.util.updateVolumeFromArray(labelmap, (found > 0).astype(np.uint8))
    matrix = vtk.vtkMatrix4x4()
    reference.GetIJKToRASMatrix(matrix)
    labelmap.SetIJKToRASMatrix(matrix)
    expect_equal(labelmap, path)
    slicer.mrmlScene.RemoveNode(labelmap)
