"""Reading NIfTI: the perfusion series, masks and single volumes, reoriented to RAS+ and checked.

Values are decoded frame by frame straight into one array, so reading takes a piece of the file, one frame and the
result, and a header that promises more than the file holds is refused before memory is used for it.
"""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from PyPeTLib.arrays import Curve, Mask, Volume
from PyPeTLib.errors import InputError
from PyPeTLib.frames import WIDEST_STORED, Frames, StoredFrames
from PyPeTLib.geometry import Grid, Reorientation, nearest_ras
from PyPeTLib.io.header import ImageHeader, parse_header
from PyPeTLib.io.sidecar import read_sidecar, resolve_echo_time, resolve_frame_times, resolve_modality
from PyPeTLib.io.slice_timing import resolve_slice_times
from PyPeTLib.io.stream import ImageFile
from PyPeTLib.series import Acquisition, Modality, PerfusionSeries
from PyPeTLib.workspace import Workspace, enough_memory


@dataclass(frozen=True, kw_only=True, eq=False)
class LoadedSeries:
    """A perfusion series with the origin of each fact about it.

    Attributes
    ----------
    series : PerfusionSeries
    sources : dict of str to str
        Where ``modality``, ``frame_times``, ``echo_time``, ``orientation``, and if there are any ``slice_times`` and
        ``second_echo`` came from, in words.
    sha256 : str
        Of the file's bytes, in hexadecimal; empty for a series that came from no file.
    files : tuple of Path
        The DICOM files that it was made of, in the order of their frames and slices; empty for other formats.
    """

    series: PerfusionSeries
    sources: dict[str, str]
    sha256: str = ""
    files: tuple[Path, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class LoadedFrames:
    """The frames of a 4D file with the facts that the file and its sidecar hold; what they leave open is None.

    Attributes
    ----------
    frames : Frames, shape (x, y, z, t)
    orientation : Reorientation
    frame_times : ndarray of float64, shape (t,), or None
        In seconds.
    frame_times_source : str
        Where the times came from, or why there are none.
    echo_time : float or None
        In seconds.
    modality : Modality or None
    sha256 : str
    """

    frames: Frames
    orientation: Reorientation
    frame_times: Curve | None
    frame_times_source: str
    echo_time: float | None
    modality: Modality | None
    sha256: str


@dataclass(frozen=True, kw_only=True, eq=False)
class LoadedVolume:
    """A 3D image in RAS+ orientation.

    Attributes
    ----------
    data : ndarray of float32, shape (x, y, z)
    orientation : Reorientation
        How the file's own grid relates to ``data``.
    sha256 : str
        Of the file's bytes, in hexadecimal.
    """

    data: Volume
    orientation: Reorientation
    sha256: str

    @property
    def grid(self) -> Grid:
        """Shape and affine of ``data``."""
        return self.orientation.ras


def load_series(  # noqa: PLR0913 - facts that a file may lack, each of them optional
    path: str | PathLike[str],
    *,
    modality: str = "auto",
    frame_interval: float | None = None,
    frame_times: str | PathLike[str] | npt.ArrayLike | None = None,
    echo_time: float | None = None,
    slice_times: str | PathLike[str] | npt.ArrayLike | None = None,
    second_echo: str | PathLike[str] | None = None,
    second_echo_time: float | None = None,
    workspace: Workspace | None = None,
) -> LoadedSeries:
    """A 4D perfusion series from a NIfTI file, with the origin of its facts and the file's hash.

    Parameters
    ----------
    path : path
        ``.nii`` or ``.nii.gz``, shape (x, y, z, t); singleton dimensions behind the third are dropped.
    modality : {"auto", "ctp", "dsc"}
        ``"auto"`` asks the JSON sidecar, the file name and the signal, in this order.
    frame_interval : float, optional
        Seconds from one frame to the next.
    frame_times : path or array_like, optional
        Time of each frame in seconds, or a text file with them. Without either option the JSON sidecar is asked,
        then the header.
    echo_time : float, optional
        In seconds; else the sidecar's ``EchoTime``.
    slice_times : path or array_like, optional
        Time of each slice in seconds from the time of its frame on, in the order of the file, or a text file with
        them; else the sidecar's ``SliceTiming``.
    second_echo : path, optional
        The same frames at a longer echo time (DSC); takes its frame times from the first.
    second_echo_time : float, optional
        In seconds; else ``EchoTime`` in the sidecar of the second echo.
    workspace : Workspace, optional
        Where the frames are kept; in memory by default.

    Returns
    -------
    LoadedSeries
        Its frames are on the nearest RAS+ grid, as they are stored where that is 16 bits or less, else float32.

    Raises
    ------
    InputError
        If anything about the file or the options does not serve; the message says what and how to go on.
    """
    path = Path(path)
    file, header = _opened_series(path)
    sidecar = read_sidecar(path)
    times, times_source = resolve_frame_times(
        header, sidecar, interval=frame_interval, times=frame_times, name=path.name
    )
    echo, echo_source = resolve_echo_time(echo_time, sidecar)
    frames, orientation, sha256 = _read_voxels(file, header, workspace or Workspace())
    kind, modality_source = resolve_modality(modality, sidecar, frames.frame(0), name=path.name)
    by_slice, slice_source = resolve_slice_times(slice_times, sidecar, orientation, name=path.name)
    later = None
    if second_echo is not None:
        if kind is not Modality.DSC:
            raise InputError(f"{path.name}: this is CT, and only a DSC series has a second echo. Leave it out.")
        later = _load_second_echo(Path(second_echo), second_echo_time, times, workspace)
    elif second_echo_time is not None:
        raise InputError(f"{path.name}: --second-echo-time needs the second echo's file (--second-echo FILE)")
    series = PerfusionSeries(
        data=frames,
        affine=orientation.ras.affine,
        frame_times=times,
        modality=kind,
        acquisition=Acquisition(echo_time=echo if kind is Modality.DSC else None, slice_times=by_slice),
        orientation=orientation,
        second_echo=None if later is None else later[0].series,
        name=path.name,
    )
    sources = {"modality": modality_source, "frame_times": times_source, "orientation": header.affine_source}
    if kind is Modality.DSC:
        sources["echo_time"] = echo_source
    if by_slice is not None:
        sources["slice_times"] = slice_source
    if later is not None:
        sources["second_echo"] = f"{later[0].series.name}, {later[1]}, SHA-256 {later[0].sha256}"
    return LoadedSeries(series=series, sources=sources, sha256=sha256)


def _load_second_echo(
    path: Path, echo_time: float | None, times: Curve, workspace: Workspace | None
) -> tuple[LoadedSeries, str]:
    """The second echo, and where its echo time came from."""
    found, source = resolve_echo_time(echo_time, read_sidecar(path))
    if found is None:
        raise InputError(
            f"{path.name}: the second echo needs its own echo time, and none was found. Give it in seconds with "
            "--second-echo-time (for example 0.05), or as EchoTime in its JSON sidecar."
        )
    source = source if echo_time is None else f"--second-echo-time {echo_time:g} s"
    return load_series(path, modality="dsc", frame_times=times, echo_time=found, workspace=workspace), source


def load_frames(path: str | PathLike[str]) -> LoadedFrames:
    """The frames of a 4D NIfTI file as they are, for a program that asks for the facts that are missing.

    Raises
    ------
    InputError
        If the file is no 4D image or cannot be read.
    """
    path = Path(path)
    file, header = _opened_series(path)
    sidecar = read_sidecar(path)
    times: Curve | None = None
    try:
        times, source = resolve_frame_times(header, sidecar, interval=None, times=None, name=path.name)
    except InputError as error:
        source = str(error)
    echo_time, _ = resolve_echo_time(None, sidecar)
    frames, orientation, sha256 = _read_voxels(file, header, Workspace())
    modality: Modality | None = None
    with contextlib.suppress(InputError):
        modality, _ = resolve_modality("auto", sidecar, frames.frame(0), name=path.name)
    return LoadedFrames(
        frames=frames,
        orientation=orientation,
        frame_times=times,
        frame_times_source=source,
        echo_time=echo_time,
        modality=modality,
        sha256=sha256,
    )


def read_series(path: str | PathLike[str], **facts: Any) -> PerfusionSeries:
    """The series alone; parameters and errors as for `load_series`."""
    return load_series(path, **facts).series


def read_volume(path: str | PathLike[str], *, finite: bool = True) -> LoadedVolume:
    """A 3D image from a NIfTI file, reoriented to the nearest RAS+ grid.

    Raises
    ------
    InputError
        If the file cannot be used, has more than one volume, or (unless ``finite`` is false) holds NaN or infinite
        voxels.
    """
    path = Path(path)
    file = ImageFile(path)
    header = _checked_header(file)
    if len(header.shape) != 3:
        shape = "×".join(str(n) for n in header.shape)
        raise InputError(f"{path.name}: one volume (x, y, z) is needed, found {shape}. Give a 3D image.")
    frames, orientation, sha256 = _read_voxels(file, header, Workspace())
    volume = frames.frame(0)
    bad = int(np.count_nonzero(~np.isfinite(volume))) if finite else 0
    if bad:
        raise InputError(f"{path.name}: {bad} voxels are NaN or infinite. Replace them by numbers.")
    return LoadedVolume(data=volume, orientation=orientation, sha256=sha256)


def read_mask(path: str | PathLike[str], series: PerfusionSeries) -> Mask:
    """A mask drawn on the series' voxels, as bool on its RAS+ grid, shape (x, y, z).

    Whole numbers are expected: 0 outside, anything else inside. The file may store its axes in another order than
    the series, as long as the voxels lie at the same places.

    Raises
    ------
    InputError
        If the file cannot be used, lies on another grid, is empty or holds values between whole numbers.
    """
    volume = read_volume(path)
    name = Path(path).name
    if not volume.grid.matches(series.grid):
        raise InputError(
            f"{name}: the mask lies on another grid than {series.name}.\n  mask:   {volume.grid.describe()}\n"
            f"  series: {series.grid.describe()}\nDraw it on the series, or resample it there (nearest neighbour)."
        )
    fractions = int(np.count_nonzero(np.abs(volume.data - np.rint(volume.data)) > 1e-3))
    if fractions:
        raise InputError(
            f"{name}: {fractions} voxels lie between whole numbers (from {volume.data.min():g} to "
            f"{volume.data.max():g}), so this is no mask. Give 0 outside and 1 inside."
        )
    mask: Mask = np.abs(volume.data) > 0.5
    if not mask.any():
        raise InputError(f"{name}: the mask is empty: no voxel differs from 0. Draw it, or leave the option out.")
    return mask


def _opened_series(path: Path) -> tuple[ImageFile, ImageHeader]:
    """A file and its header, once it is known to be a 4D image."""
    file = ImageFile(path)
    header = _checked_header(file)
    if len(header.shape) != 4:
        raise _not_four_dimensions(header.shape, path)
    return file, header


def _checked_header(file: ImageFile) -> ImageHeader:
    """The header, once the file is known to be able to hold what it promises."""
    name = file.path.name
    header = parse_header(file.head, name=name)
    if header.data_offset + header.data_bytes > file.capacity:
        shape = "×".join(str(n) for n in header.shape)
        raise InputError(
            f"{name}: the file is truncated or its header is damaged: the header promises {shape} voxels "
            f"({header.data_bytes} bytes), which a file of {file.size} bytes cannot hold. Copy or export it again."
        )
    return header


def _read_voxels(file: ImageFile, header: ImageHeader, workspace: Workspace) -> tuple[StoredFrames, Reorientation, str]:
    """All volumes on the RAS+ grid, the way back, and the file's SHA-256."""
    name = file.path.name
    x, y, z = header.shape[:3]
    n_frames = math.prod(header.shape[3:])
    orientation = nearest_ras(Grid((x, y, z), header.affine))
    is_narrow = header.dtype.kind in "iu" and header.dtype.itemsize <= WIDEST_STORED
    kept = header.dtype.newbyteorder("=") if is_narrow else np.dtype(np.float32)
    with enough_memory(name, math.prod(header.shape) * kept.itemsize):
        # memory is only taken when values are written to it, so a truncated file costs what it holds
        data = workspace.empty((*orientation.ras.shape, n_frames), kept, order="F")
        stored = np.empty((x, y, z), dtype=header.dtype, order="F")
    payload = file.open()
    buffer = memoryview(stored.reshape(-1, order="F").view(np.uint8).data)
    reached = payload.skip(header.data_offset)
    for frame in range(n_frames):
        count = payload.fill(buffer)
        if count < len(buffer):
            reached += frame * len(buffer) + count
            raise InputError(
                f"{name}: the file is truncated: its data end in volume {frame + 1} of {n_frames}, after {reached} of "
                f"{header.data_offset + header.data_bytes} bytes. Copy or export it again."
            )
        # values beyond float32 become infinite here and are refused with the frame's number by the series' checks
        with np.errstate(over="ignore", invalid="ignore"):
            data[..., frame] = orientation.to_ras(stored if is_narrow else _scaled(stored, header))
    # reading on to the end verifies the checksum of gzip data
    if payload.skip(len(buffer)) >= len(buffer):
        raise InputError(
            f"{name}: the header is damaged: it promises {n_frames} volumes, but the data of at least one more follow. "
            "Copy or export the file again."
        )
    scale = (header.slope, header.intercept) if is_narrow else (1.0, 0.0)
    return StoredFrames(data, *scale), orientation, payload.sha256


def _scaled(stored: npt.NDArray[Any], header: ImageHeader) -> npt.NDArray[Any]:
    """Values of one frame; wide integers need float64 on the way."""
    if header.slope == 1 and header.intercept == 0:
        return stored
    working: npt.NDArray[np.floating[Any]] = stored.astype(np.float64)
    np.multiply(working, header.slope, out=working)
    np.add(working, header.intercept, out=working)
    return working


def _not_four_dimensions(shape: tuple[int, ...], path: Path) -> InputError:
    found = "×".join(str(n) for n in shape)
    if len(shape) < 4:
        return InputError(
            f"{path.name}: a perfusion series has 4 dimensions (x, y, z, time), found one volume of {found}. Give the "
            "file with all time frames."
        )
    return InputError(
        f"{path.name}: a perfusion series has 4 dimensions (x, y, z, time), found {len(shape)} of {found}: which one "
        "is time cannot be told. Split the file, for instance by echo."
    )
