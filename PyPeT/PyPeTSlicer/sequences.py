"""A sequence node of scalar volumes becomes a `PerfusionSeries`; the scene is only read."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import slicer
from vtk import vtkMatrix4x4
from vtk.util.numpy_support import vtk_to_numpy

from PyPeTLib.errors import InputError
from PyPeTLib.frames import WIDEST_STORED, StoredFrames
from PyPeTLib.geometry import Grid, nearest_ras
from PyPeTLib.io import LoadedSeries
from PyPeTLib.io.sidecar import Sidecar, resolve_modality
from PyPeTLib.series import Acquisition, Modality, PerfusionSeries

Poll = Callable[[], None]


def sequence_of(node: Any) -> Any:
    """The sequence node itself, or that of a browser's proxy volume.

    Raises
    ------
    InputError
        If the node is neither.
    """
    if node.IsA("vtkMRMLSequenceNode"):
        return node
    browser = slicer.modules.sequences.logic().GetFirstBrowserNodeForProxyNode(node)
    sequence = browser.GetSequenceNode(node) if browser is not None else None
    if sequence is None:
        raise InputError(
            f"{node.GetName()}: this {node.GetNodeTagName()} node is one image, not a series. Choose the sequence node "
            "that holds all frames, or load the 4D file."
        )
    return sequence


def browser_of(sequence: Any) -> Any:
    """The browser that plays a sequence; None where there is none."""
    return slicer.modules.sequences.logic().GetFirstBrowserNodeForSequenceNode(sequence)


def proxy_of(sequence: Any) -> Any:
    """The volume that shows a sequence in the views; None where there is none."""
    browser = browser_of(sequence)
    return browser.GetProxyNode(sequence) if browser is not None else None


def check_frames(sequence: Any) -> None:
    """Nothing if the sequence holds scalar volumes, else an `InputError`; quick, looks at no voxel."""
    name = sequence.GetName()
    if sequence.GetNumberOfDataNodes() == 0:
        raise InputError(f"{name}: the sequence is empty. Load the series again.")
    first = sequence.GetNthDataNode(0)
    if not first.IsA("vtkMRMLScalarVolumeNode"):
        raise InputError(f"{name}: the sequence holds {first.GetNodeTagName()} nodes; scalar volumes are needed.")


def grid_of(volume: Any) -> Grid:
    """Where the voxels of a scalar volume lie, in its own (i, j, k) order, before any parent transform."""
    matrix = vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    i, j, k = volume.GetImageData().GetDimensions()
    return Grid((i, j, k), np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)]))


def voxels_of(volume: Any) -> np.ndarray[Any, Any]:
    """The voxels of a scalar volume as a view, shape (i, j, k)."""
    image = volume.GetImageData()
    i, j, k = image.GetDimensions()
    array: np.ndarray[Any, Any] = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(k, j, i).T
    return array


def first_frame(sequence: Any) -> np.ndarray[Any, Any]:
    """Voxels of the first frame, shape (i, j, k)."""
    check_frames(sequence)
    _check_volume(sequence.GetNthDataNode(0), sequence.GetName(), 0)
    return voxels_of(sequence.GetNthDataNode(0))


def read_sequence(
    sequence: Any,
    *,
    modality: Modality,
    frame_times: np.ndarray[Any, Any],
    echo_time: float | None,
    sources: dict[str, str],
    slice_times: tuple[float, ...] | None = None,
    poll: Poll = lambda: None,
) -> LoadedSeries:
    """The frames of a sequence on the nearest RAS+ grid, in one copy: 16-bit integers as they are, else float32.

    Parameters
    ----------
    sequence : vtkMRMLSequenceNode
    modality : Modality
    frame_times : ndarray, shape (t,)
        In seconds.
    echo_time : float or None
        In seconds.
    sources : dict
        Where these facts came from.
    slice_times : tuple of float, optional
        In seconds from the start of a frame, from the lowest slice to the highest.
    poll : callable
        Called once a frame; may raise to stop.

    Raises
    ------
    InputError
        If the frames are not scalar volumes of one size at one place, or make no series.
    """
    check_frames(sequence)
    name = sequence.GetName()
    n_frames = sequence.GetNumberOfDataNodes()
    kind = _common_type(sequence)
    orientation = nearest_ras(grid_of(sequence.GetNthDataNode(0)))
    data = np.empty((*orientation.ras.shape, n_frames), dtype=kind, order="F")
    for frame in range(n_frames):
        poll()
        volume = sequence.GetNthDataNode(frame)
        if not grid_of(volume).matches(orientation.native):
            raise InputError(
                f"{name}: frame {frame} (counted from 0) lies elsewhere than the first.\n"
                f"  first: {orientation.native.describe()}\n  frame: {grid_of(volume).describe()}\n"
                "Resample all frames to one grid."
            )
        with np.errstate(over="ignore", invalid="ignore"):
            data[..., frame] = orientation.to_ras(voxels_of(volume))
    series = PerfusionSeries(
        data=StoredFrames(data),
        affine=orientation.ras.affine,
        frame_times=frame_times,
        modality=modality,
        acquisition=Acquisition(echo_time=echo_time if modality is Modality.DSC else None, slice_times=slice_times),
        orientation=orientation,
        name=name,
    )
    return LoadedSeries(series=series, sources=sources)


def with_second_echo(first: LoadedSeries, second: LoadedSeries, source: str) -> LoadedSeries:
    """A series with the second echo of the same scan.

    Parameters
    ----------
    first, second : LoadedSeries
    source : str
        Where the second echo came from.

    Raises
    ------
    InputError
        If they are no two echoes of one scan.
    """
    # refuses Hounsfield values, which are no second echo
    resolve_modality(Modality.DSC.value, Sidecar(), second.series.frame(0), name=second.series.name)
    series = dataclasses.replace(first.series, second_echo=second.series)
    return dataclasses.replace(first, series=series, sources={**first.sources, "second_echo": source})


def _common_type(sequence: Any) -> np.dtype[Any]:
    """The type that holds all frames, which are checked: that of the volumes where it is a narrow one, else float32."""
    types = set()
    for frame in range(sequence.GetNumberOfDataNodes()):
        volume = sequence.GetNthDataNode(frame)
        _check_volume(volume, sequence.GetName(), frame)
        types.add(voxels_of(volume).dtype)
    first = types.pop()
    is_narrow = not types and first.kind in "iu" and first.itemsize <= WIDEST_STORED
    return first if is_narrow else np.dtype(np.float32)


def _check_volume(volume: Any, name: str, frame: int) -> None:
    image = volume.GetImageData() if volume is not None else None
    if image is None or image.GetNumberOfPoints() == 0:
        raise InputError(f"{name}: frame {frame} (counted from 0) holds no image. Load the series again.")
    components = image.GetNumberOfScalarComponents()
    if components != 1:
        raise InputError(
            f"{name}: frame {frame} (counted from 0) has {components} values a voxel; one is needed. Give the signal "
            "itself, such as the magnitude image."
        )
