"""A DICOM series as a perfusion series: chosen among those of a folder, with the origin of every fact about it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path

import numpy as np
import numpy.typing as npt

from PyPeTLib.arrays import Curve
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Reorientation
from PyPeTLib.io.dicom.marks import Paths, is_dicom
from PyPeTLib.io.dicom.series import DicomSeries, Echo, find_series
from PyPeTLib.io.dicom.voxels import Voxels, check_copies, read_echo
from PyPeTLib.io.header import ImageHeader
from PyPeTLib.io.nifti import LoadedSeries, load_series
from PyPeTLib.io.sidecar import Sidecar, looks_like_hounsfield, resolve_frame_times
from PyPeTLib.io.slice_timing import resolve_slice_times
from PyPeTLib.series import Acquisition, Modality, PerfusionSeries
from PyPeTLib.workspace import Workspace

_MODALITIES = {"CT": Modality.CTP, "MR": Modality.DSC}
_MOST_LISTED = 12
Times = str | PathLike[str] | npt.ArrayLike | None


def load_dicom(  # noqa: PLR0913 - facts that files may lack, each of them optional
    path: Paths,
    *,
    series: str | int | None = None,
    modality: str = "auto",
    frame_interval: float | None = None,
    frame_times: Times = None,
    echo_time: float | None = None,
    slice_times: Times = None,
    second_echo: str | PathLike[str] | None = None,
    second_echo_time: float | None = None,
    workspace: Workspace | None = None,
) -> LoadedSeries:
    """A perfusion series from DICOM files, with the origin of its facts and a hash of its content.

    Parameters
    ----------
    path : path, or sequence of paths
        A folder (its subfolders are searched) or files.
    series : str or int, optional
        Number (see `DicomSeries.number`) or UID of the series; needed where several could be meant. A series that is
        not taken by itself, such as derived images, can be chosen by it.
    modality : {"auto", "ctp", "dsc"}
        ``"auto"`` takes CT for CTP and MR for DSC.
    frame_interval : float, optional
        Seconds from one frame to the next, where the files do not tell.
    frame_times : path or array_like, optional
        Time of each frame in seconds, or a text file with them.
    echo_time : float, optional
        In seconds; else that of the files.
    slice_times : path or array_like, optional
        Time of each slice in seconds from the time of its frame on, in the order of the slices along their normal
        (feet to head for axial ones), or a text file with them; else from the files.
    second_echo : path, optional
        The second echo as NIfTI or a folder, where it is no part of the series.
    second_echo_time : float, optional
        In seconds.
    workspace : Workspace, optional
        Where the frames are kept; in memory by default.

    Returns
    -------
    LoadedSeries
        Frames on the nearest RAS+ grid; its `orientation` leads to columns, rows and slices.

    Raises
    ------
    InputError
        If there is no such series, it is not complete, or contradicts itself; the message names the file.
    """
    chosen = _choose(find_series(path), series, modality)
    name, place = chosen.name, workspace or Workspace()
    kind, modality_source = _modality(chosen, modality)
    if chosen.problem is not None:
        raise InputError(f"{name}: {chosen.problem}")
    first = chosen.echoes[0]
    times, times_source = _frame_times(chosen, first, frame_interval, frame_times)
    try:
        check_copies([*chosen.copies, *(pair for echo in chosen.echoes for pair in echo.order.copies)])
        voxels = read_echo(first, name, place)
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    _check_values(kind, voxels, name, modality_source)
    by_slice, slice_source = _slice_times(
        slice_times, first, voxels.orientation, name, forced=frame_interval is not None or frame_times is not None
    )
    sources = {
        "modality": modality_source,
        "frame_times": times_source,
        "orientation": "ImagePositionPatient and ImageOrientationPatient"
        + (f", slices sheared by a tilt of {first.stack.tilt:.1f}°" if first.stack.tilt else ""),
    }
    echo = _echo_time(chosen, echo_time, sources) if kind is Modality.DSC else None
    if by_slice is not None:
        sources["slice_times"] = slice_source
    _note(chosen, sources)
    whole = LoadedSeries(
        series=PerfusionSeries(
            data=voxels.frames,
            affine=voxels.orientation.ras.affine,
            frame_times=times,
            modality=kind,
            acquisition=Acquisition(echo_time=echo, slice_times=by_slice),
            orientation=voxels.orientation,
            name=name,
        ),
        sources=sources,
        sha256=voxels.sha256,
        files=_files(first),
    )
    return _with_second_echo(whole, chosen, second_echo, second_echo_time, place)


def _choose(found: Sequence[DicomSeries], series: str | int | None, modality: str) -> DicomSeries:
    """The series that is meant."""
    if series is not None:
        wanted = str(series).strip()
        matching = [one for one in found if wanted in (one.number, one.uid)]
        if not matching:
            raise InputError(f"there is no series {wanted} among the DICOM files. {_listed(found)}")
        if not matching[0].is_dynamic:
            raise InputError(f"{matching[0].name} is no perfusion series: {matching[0].reason}. {_listed(found)}")
        return matching[0]
    taken = [one for one in found if not one.reason]
    if modality.casefold() in ("ctp", "dsc") and len(found) > 1:
        wanted_kind = modality.casefold()
        taken = [one for one in taken if one.kind == wanted_kind] or taken
    if not taken and modality.casefold() == "dsc":
        # whoever says that it is DSC answers the doubt about its echo time
        taken = [one for one in found if one.is_dynamic and one.modality == "MR" and "echo time" in one.reason]
    if len(taken) == 1:
        return taken[0]
    if not taken:
        raise InputError(f"there is no perfusion series among the DICOM files. {_listed(found)}")
    raise InputError(f"{len(taken)} series could be meant. Choose one by its number with --series. {_listed(taken)}")


def _listed(found: Sequence[DicomSeries]) -> str:
    more = f"; and {len(found) - _MOST_LISTED} more" if len(found) > _MOST_LISTED else ""
    return "Found: " + "; ".join(one.describe() for one in found[:_MOST_LISTED]) + more + "."


def _modality(chosen: DicomSeries, modality: str) -> tuple[Modality, str]:
    found = _MODALITIES.get(chosen.modality)
    if modality.casefold() not in ("auto", *Modality):
        raise InputError(f"{chosen.name}: the modality must be auto, ctp or dsc, found {modality!r}.")
    if found is None:
        raise InputError(f"{chosen.name}: its Modality is {chosen.modality}; PyPeT analyses CT and MR.")
    if modality.casefold() not in ("auto", found):
        raise InputError(
            f"{chosen.name}: the files are {chosen.modality}, but --modality says {modality}. Leave the option out, or "
            "give the right folder."
        )
    return found, f"Modality {chosen.modality} of the DICOM files"


def _frame_times(chosen: DicomSeries, echo: Echo, interval: float | None, given: Times) -> tuple[Curve, str]:
    """Frame times in seconds from the options, or else the files, and where they came from."""
    timing = echo.order.timing
    if interval is not None and echo.order.lost:
        raise InputError(
            f"{chosen.name}: whole frames are missing (temporal position {', '.join(map(str, echo.order.lost))}), so "
            "one interval between all frames would be wrong. Give the time of each frame with --frame-times FILE."
        )
    if interval is not None or given is not None:
        header = _as_header(echo)
        times, source = resolve_frame_times(header, Sidecar(), interval=interval, times=given, name=chosen.name)
        source += f", frames in the order of {echo.order.by}"
        if timing is not None and not np.allclose(times - times[0], timing.frames, rtol=0.01, atol=0.05):
            source += f" (not over {timing.frames[-1]:g} s, as {timing.source} says)"
        return times, source
    if timing is None:
        raise InputError(f"{chosen.name}: {echo.order.problem}")
    return timing.frames, timing.source


def _as_header(echo: Echo) -> ImageHeader:
    """The shape of the series in the form in which options are resolved against it."""
    return ImageHeader(
        shape=(*echo.stack.grid.shape, echo.order.n_frames),
        dtype=np.dtype(np.int16),
        data_offset=0,
        slope=1.0,
        intercept=0.0,
        affine=echo.stack.grid.affine,
        affine_source="",
        time_step=math.nan,
        time_unit="unknown",
    )


def _slice_times(
    given: Times, echo: Echo, orientation: Reorientation, name: str, *, forced: bool
) -> tuple[tuple[float, ...] | None, str]:
    """Slice times along the third axis of the RAS+ series, and where they came from; None where all are one."""
    timing = echo.order.timing
    if given is not None or timing is None or timing.slices is None:
        return resolve_slice_times(given, Sidecar(), orientation, name=name)
    if orientation.permutation[2] != 2:
        if forced:
            return None, ""
        raise InputError(
            f"{name}: the slices are acquired up to {timing.slices.max():.3g} s apart ({timing.source}), and they are "
            "not axial; slice times are used for axial slices only. To take all slices for one time in spite of that, "
            "give the times of the frames (--frame-interval, --frame-times)."
        )
    found, _ = resolve_slice_times(timing.slices, Sidecar(), orientation, name=f"{name} ({timing.source})")
    return found, timing.source


def _echo_time(chosen: DicomSeries, given: float | None, sources: dict[str, str]) -> float | None:
    found = chosen.echo_times[0] if chosen.echo_times else None
    if given is not None:
        sources["echo_time"] = f"--echo-time {given:g} s"
        if found is not None and not math.isclose(given, found, rel_tol=0.01):
            sources["echo_time"] += f" (not {found:g} s, as EchoTime of the files says)"
        return given
    sources["echo_time"] = "" if found is None else f"EchoTime of the files = {found:g} s"
    return found


def _check_values(kind: Modality, voxels: Voxels, name: str, source: str) -> None:
    if kind is Modality.DSC and looks_like_hounsfield(voxels.frames.frame(0)):
        raise InputError(
            f"{name}: the series is taken for DSC ({source}), but its values are Hounsfield units with air near −1000, "
            "so it is CT. Correct the files."
        )


def _note(chosen: DicomSeries, sources: dict[str, str]) -> None:
    """What else a reader of the results should know."""
    copies = len(chosen.copies) + sum(len(echo.order.copies) for echo in chosen.echoes)
    if copies:
        sources["duplicates"] = f"{copies} images came twice; the copies, identical, were left out"
    values = []
    images = [image for line in chosen.echoes[0].order.images for image in line]
    if chosen.modality == "CT" and not all(image.is_scaled for image in images):
        values.append("taken as stored: not every file holds RescaleSlope and RescaleIntercept")
    if any(image.header.format is not None and image.header.format.lossy for image in images):
        values.append("from files with lossy compression")
    if chosen.reason:
        values.append(f"of a series that was chosen although it is: {chosen.reason}")
    if values:
        sources["values"] = "; ".join(values)


def _files(echo: Echo) -> tuple[Path, ...]:
    frames = zip(*echo.order.images, strict=True)
    return tuple(dict.fromkeys(image.header.path for frame in frames for image in frame))


def _with_second_echo(
    loaded: LoadedSeries,
    chosen: DicomSeries,
    path: str | PathLike[str] | None,
    echo_time: float | None,
    workspace: Workspace,
) -> LoadedSeries:
    """The series with its second echo, from the same files or others, if there is one."""
    series, name = loaded.series, loaded.series.name
    if path is None and len(chosen.echoes) < 2:
        if echo_time is not None:
            raise InputError(f"{name}: --second-echo-time needs a second echo (--second-echo FILE)")
        return loaded
    if series.modality is not Modality.DSC:
        raise InputError(f"{name}: this is CT, and only a DSC series has a second echo. Leave it out.")
    if path is not None and len(chosen.echoes) > 1:
        raise InputError(f"{name}: the series has two echoes of its own. Leave --second-echo out.")
    files = loaded.files
    if path is None:
        echo = chosen.echoes[1]
        voxels = read_echo(echo, name, workspace)
        found = echo.time if echo_time is None else echo_time
        second = replace(
            series,
            data=voxels.frames,
            acquisition=Acquisition(echo_time=found),
            orientation=voxels.orientation,
            name=f"{name}, second echo",
        )
        source = f"EchoTime of the files = {echo.time:g} s" if echo_time is None else f"--second-echo-time {found:g} s"
        sha256, files = voxels.sha256, (*files, *_files(echo))
    else:
        load = load_dicom if is_dicom(path) else load_series
        other = load(path, modality="dsc", frame_times=series.frame_times, echo_time=echo_time, workspace=workspace)
        second, source, sha256 = other.series, other.sources["echo_time"], other.sha256
        files = (*files, *other.files)
    sources = {**loaded.sources, "second_echo": f"{second.name}, {source}, SHA-256 {sha256}"}
    return replace(loaded, series=replace(series, second_echo=second), sources=sources, files=files)
