"""A 4D NIfTI file or a series becomes a sequence node with its times, whatever Slicer can read by itself."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import slicer

from PyPeTLib.frames import Frames
from PyPeTLib.geometry import Reorientation
from PyPeTLib.io import LoadedFrames, load_frames
from PyPeTLib.io.sidecar import image_stem, read_sidecar
from PyPeTLib.io.slice_timing import resolve_slice_times
from PyPeTLib.series import PerfusionSeries
from PyPeTSlicer import timing
from PyPeTSlicer.nodes import Transaction, image_of, matrix_of

SOURCE_FILE = "PyPeT.SourceFile"


def load_file(path: str | PathLike[str]) -> Any:
    """Load a 4D NIfTI file as a sequence with a browser, and return the ``vtkMRMLSequenceNode``.

    Times that the file or its sidecar hold become index values in seconds; the echo time, the times of the slices and
    the modality become attributes. Without times the frames are numbered, without a unit: PyPeT asks for the times
    then.

    Parameters
    ----------
    path : path

    Raises
    ------
    InputError
        If the file cannot be read; the scene is as it was then.
    """
    path = Path(path)
    frames = load_frames(path)
    by_slice, _ = resolve_slice_times(None, read_sidecar(path), frames.orientation, name=path.name)
    return add_sequence(frames, image_stem(path), path.name, slice_times=by_slice)


def add_sequence(frames: LoadedFrames, name: str, file: str, *, slice_times: tuple[float, ...] | None = None) -> Any:
    """A sequence node with a browser and its proxy volume, from frames and what is known of them."""
    attributes = {SOURCE_FILE: file}
    if slice_times is not None:
        attributes[timing.SLICE_TIMES] = " ".join(map(repr, slice_times))
    if frames.modality is not None:
        attributes[timing.OWN_MODALITY] = frames.modality.value
    if frames.echo_time is not None:
        attributes[timing.OWN_ECHO_TIME] = f"{1000 * frames.echo_time:.10g}"
    with Transaction() as scene:
        sequence = scene.add("vtkMRMLSequenceNode", slicer.mrmlScene.GenerateUniqueName(name))
        fill_sequence(sequence, frames.frames, frames.orientation, frames.frame_times)
        for key, value in attributes.items():
            sequence.SetAttribute(key, value)
        browse(scene, sequence)
    return sequence


def add_series(
    series: PerfusionSeries,
    name: str,
    file: str = "",
    *,
    has_times: bool = True,
    notes: Mapping[str, str] | None = None,
) -> Any:
    """A series as a sequence node that knows its times, modality and echo time.

    Parameters
    ----------
    series : PerfusionSeries
        Without its second echo.
    name, file : str
        Of the node, and what it was read from.
    has_times : bool
        False where the times of the frames are unknown: they are numbered then, and PyPeT asks.
    notes : mapping, optional
        Further attributes.
    """
    frames = LoadedFrames(
        frames=series.frames,
        orientation=series.orientation,
        frame_times=series.frame_times if has_times else None,
        frame_times_source=series.name,
        echo_time=series.acquisition.echo_time,
        modality=series.modality,
        sha256="",
    )
    sequence = add_sequence(frames, name, file, slice_times=series.acquisition.slice_times if has_times else None)
    for key, value in (notes or {}).items():
        sequence.SetAttribute(key, value)
    return sequence


def fill_sequence(
    sequence: Any,
    frames: Frames,
    orientation: Reorientation,
    times: np.ndarray[Any, Any] | None,
) -> None:
    """Put frames into a sequence node on the file's own grid, the time as index where it is known."""
    sequence.SetIndexType(slicer.vtkMRMLSequenceNode.NumericIndex)
    sequence.SetIndexName("time" if times is not None else "frame")
    sequence.SetIndexUnit("s" if times is not None else "")
    matrix = matrix_of(orientation.native)
    for frame in range(frames.shape[3]):
        volume = slicer.vtkMRMLScalarVolumeNode()
        volume.SetName(sequence.GetName())
        volume.SetAndObserveImageData(image_of(orientation.to_native(frames.frame(frame))))
        volume.SetIJKToRASMatrix(matrix)
        sequence.SetDataNodeAtValue(volume, f"{times[frame]:.10g}" if times is not None else str(frame))


def browse(scene: Transaction, sequence: Any) -> None:
    """Add a browser for a sequence, so that it can be seen and played."""
    browser = scene.add("vtkMRMLSequenceBrowserNode", f"{sequence.GetName()} browser")
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
    proxy = browser.GetProxyNode(sequence)
    if proxy is not None:
        display = proxy.GetDisplayNode()
        if display is not None:
            display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeGrey")
