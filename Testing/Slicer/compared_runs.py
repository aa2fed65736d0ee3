"""Runs to compare, made once, and references made from their maps on other grids."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import slicer
import vtk
from scipy import ndimage

from PyPeTLib.config import PipelineConfig
from PyPeTLib.io import LoadedSeries
from PyPeTLib.phantom import make_head
from PyPeTLib.pipeline import run_pipeline
from PyPeTSlicer.outputs import OutputNodes, write_outputs
from PyPeTSlicer.sample_data import add_series
from PyPeTSlicer.sequences import grid_of, proxy_of, voxels_of

SHAPE = (56, 56, 8)

MAPS = ("cbf", "cbv", "mtt", "ttp", "tmax")


@cache
def _result(modality, affine):
    series = make_head(modality, seed=1, affine=affine, shape=SHAPE).series
    config = PipelineConfig.for_modality(series.modality, {"motion": {"correct": False}})
    return series, run_pipeline(series, config)


@dataclass
class Outputs:
    """Nodes of a run, named as the parameters of the panel name them."""

    inputSequence: Any  # noqa: N815
    segmentation: Any
    normalisation: str = "absolute"


def add_run(modality="ctp", affine="ras", name="Head", sequence=None):
    """A series and the outputs of a run on it; the pipeline runs once for all tests."""
    series, result = _result(modality, affine)
    sequence = sequence or add_series(series, name)
    made = write_outputs(
        result,
        LoadedSeries(series=series, sources={"frame_times": "phantom"}),
        sequence=sequence,
        proxy=proxy_of(sequence),
        wanted=OutputNodes(),
        given=set(),
    )
    run = Outputs(sequence, made.segmentation)
    for quantity in MAPS:
        setattr(run, f"{quantity}Volume", made.volumes[quantity])
        setattr(run, f"{quantity}Reference", None)
    return run


def add_volume(name, values, affine):
    """A volume that knows nothing but its voxels and their place."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    slicer.util.updateVolumeFromArray(node, np.ascontiguousarray(values.T))
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(np.asarray(affine, float)))
    return node


def same(values, affine):
    return values, affine


def flipped(values, affine):
    """The last slice first, as some readers store it."""
    back = np.diag([1.0, 1, -1, 1])
    back[2, 3] = values.shape[2] - 1
    return values[:, :, ::-1], affine @ back


def permuted(values, affine):
    """The second axis first."""
    return values.transpose(1, 0, 2), affine @ np.eye(4)[[1, 0, 2, 3]]


def cropped(values, affine):
    """Without the outermost voxels, so that the same index is another place."""
    moved = affine.copy()
    moved[:3, 3] = (affine @ [3, 2, 1, 1])[:3]
    return values[3:-2, 2:-3, 1:-1], moved


def finer(values, affine):
    """Twice as many voxels in a slice; each second one lies where there was one before."""
    x, y, z = values.shape
    places = np.mgrid[0 : 2 * x - 1, 0 : 2 * y - 1, 0:z].astype(float)
    places[:2] /= 2
    return _at(values, places), affine @ np.diag([0.5, 0.5, 1, 1])


def rotated(values, affine):
    """Turned by 20 degrees about the axis of the slices, with smaller voxels."""
    turn = np.deg2rad(20)
    to_old = np.eye(4)
    to_old[:2, :2] = 0.6 * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    n = int(1.5 * max(values.shape[:2]) / 0.6)
    to_old[:2, 3] = (np.array(values.shape[:2]) - 1) / 2 - to_old[:2, :2] @ [(n - 1) / 2, (n - 1) / 2]
    i, j, k = np.mgrid[0:n, 0:n, 0 : values.shape[2]]
    places = np.tensordot(to_old, np.stack([i, j, k, np.ones_like(i)]), axes=1)[:3]
    return _at(values, places), affine @ to_old


def _at(values, places):
    """Values between voxels, linear; 0 where a neighbour holds none, as a map of the same head would have."""
    held = ndimage.map_coordinates((values != 0).astype(np.float32), places, order=1)
    between = ndimage.map_coordinates(values, places, order=1)
    return np.where(held > 0.999, between, 0).astype(np.float32)


def add_reference(node, name="Reference", grid=same, change=lambda values: values, *, tells=False):
    """A reference made from a map: with changed values, on another grid; it may tell its unit."""
    values = np.array(voxels_of(node))
    changed = np.where(values != 0, change(values), 0).astype(np.float32)
    reference = add_volume(name, *grid(changed, grid_of(node).affine))
    if tells:
        reference.SetVoxelValueUnits(node.GetVoxelValueUnits())
    return reference


def add_references(run, quantities=MAPS, **more):
    """References for several maps, chosen."""
    for quantity in quantities:
        node = add_reference(getattr(run, f"{quantity}Volume"), f"Scanner {quantity.upper()}", **more)
        setattr(run, f"{quantity}Reference", node)


def add_transform(matrix=None):
    """A transform node: of a matrix, or one that bends."""
    if matrix is not None:
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "Moved")
        node.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
        return node
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTransformNode", "Bent")
    bend = vtk.vtkThinPlateSplineTransform()
    for landmarks, shift in ((bend.SetSourceLandmarks, 0), (bend.SetTargetLandmarks, 5)):
        points = vtk.vtkPoints()
        for corner in ((0, 0, 0), (50, 0, 0), (0, 50, 0), (0, 0, 50), (40 + shift, 40, 40)):
            points.InsertNextPoint(corner)
        landmarks(points)
    node.SetAndObserveTransformToParent(bend)
    return node
