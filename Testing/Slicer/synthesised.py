"""Heads with MRI and PET as volumes of the scene, and a small model that was trained on others of their kind."""

from functools import cache

import numpy as np
import slicer

from PyPeTLib.geometry import Grid
from PyPeTLib.phantom.pairs import make_pairs
from PyPeTLib.synthesis import SynthesisOptions, fit

SIZE = 24
TRAINED_ON = 3
CONTRASTS = ("T1", "T2", "FLAIR")


@cache
def pairs(size=SIZE):
    return make_pairs(train=TRAINED_ON, test=1, size=size)


@cache
def model():
    """Fitted once for all tests: eight patches, and as few sweeps as do."""
    subjects = (one.subject for one in pairs().train())
    (made,) = fit(subjects, SynthesisOptions(patches=8))
    return made.model


@cache
def head(order="ras"):
    """The subject that was not learned from, with its PET, on an upright grid or an oblique one of another order."""
    if order == "ras":
        return next(iter(pairs().test())).subject
    return next(iter(make_pairs(train=TRAINED_ON, test=1, size=SIZE, grid=oblique()).test())).subject


def oblique():
    """Axes to the left, down and to the front, tilted by ten degrees."""
    voxel, tilt = 192 / SIZE, np.deg2rad(10)
    turn = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    axes = voxel * turn @ np.array([[-1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    affine = np.eye(4)
    affine[:3, :3] = axes
    affine[:3, 3] = -axes @ (np.full(3, SIZE - 1) / 2)
    return Grid((SIZE, SIZE, SIZE), affine)


def add_volume(name, values, affine):
    """A volume of the scene from an array (i, j, k)."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    slicer.util.updateVolumeFromArray(node, np.ascontiguousarray(values.T))
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(np.asarray(affine, float)))
    return node


def add_head(subject, prefix="Head"):
    """The contrasts of a subject and its PET as volumes of the scene."""
    native = subject.orientation
    affine = native.native.affine
    contrasts = {
        name: add_volume(f"{prefix} {name}", native.to_native(values), affine)
        for name, values in subject.contrasts.items()
    }
    return contrasts, add_volume(f"{prefix} measured", native.to_native(subject.pet), affine)


def add_brain(subject, reference):
    """The brain as a segment, under the id ``brain``."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Masks")
    node.SetReferenceImageGeometryParameterFromVolumeNode(reference)
    node.GetSegmentation().AddEmptySegment("brain", "Brain")
    mask = subject.orientation.to_native(subject.mask).astype(np.uint8)
    slicer.util.updateSegmentBinaryLabelmapFromArray(np.ascontiguousarray(mask.T), node, "brain", reference)
    return node
