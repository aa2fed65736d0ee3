"""Series from sequence files (`.seq.nrrd`), for scripts: with the parameters of `PyPeTLib.io.load_scan`."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import slicer

from PyPeTLib.errors import InputError
from PyPeTLib.geometry import nearest_ras
from PyPeTLib.io import LoadedSeries, load_scan, read_frame_times, read_slice_times
from PyPeTLib.io.sidecar import Sidecar, read_sidecar, resolve_echo_time
from PyPeTLib.io.slice_timing import resolve_slice_times
from PyPeTLib.series import Modality
from PyPeTSlicer import sequences, timing
from PyPeTSlicer.dicom_loading import without_pydicom

ENDINGS = (".seq.nrrd", ".seq.nhdr")


def load(
    path: Path, *, second_echo: str | Path | None = None, second_echo_time: float | None = None, **facts: Any
) -> LoadedSeries:
    """A series from a 4D NIfTI file, DICOM files or a sequence file; each kind may hold the second echo.

    Parameters
    ----------
    path : Path
    second_echo : path, optional
    second_echo_time : float, optional
        In seconds; else what the file says.
    **facts
        Further parameters of `PyPeTLib.io.load_scan`.

    Raises
    ------
    InputError
        If a file cannot be used, or facts about it are missing.
    """
    second = None if second_echo is None else Path(second_echo)
    if not is_sequence(path) and (second is None or not is_sequence(second)):
        return _load_other(path, second_echo=second, second_echo_time=second_echo_time, **facts)
    if second is None and second_echo_time is not None:
        raise InputError(f"{path.name}: --second-echo-time needs the second echo's file (--second-echo FILE)")
    workspace = facts.pop("workspace", None)
    # the frames of a sequence are in the application's memory already
    first = _load_sequence(path, **facts) if is_sequence(path) else _load_other(path, workspace=workspace, **facts)
    if second is None:
        return first
    if first.series.modality is not Modality.DSC:
        raise InputError(f"{path.name}: this is CT, and only a DSC series has a second echo. Leave it out.")
    return _with_second_echo(first, second, second_echo_time)


def is_sequence(path: Path) -> bool:
    """Whether a file is a sequence file, by its name."""
    return path.name.casefold().endswith(ENDINGS)


def _load_other(path: Path, **facts: Any) -> LoadedSeries:
    """A series from anything but a sequence file."""
    try:
        return load_scan(path, **facts)
    except ModuleNotFoundError as error:
        raise without_pydicom(error) from error


def _with_second_echo(first: LoadedSeries, path: Path, echo_time: float | None) -> LoadedSeries:
    """The series with its second echo, which takes its frame times from the first."""
    given = None if echo_time is None else f"--second-echo-time {echo_time:g} s"
    facts: dict[str, Any] = {"modality": Modality.DSC.value, "frame_times": first.series.frame_times}
    if is_sequence(path):
        second = _load_sequence(path, echo_time=echo_time, needs_echo_time="--second-echo-time", **facts)
        source = given or f"echo time of {path.name}"
    else:
        # DICOM files tell it themselves
        found, where = (echo_time, "") if path.is_dir() else resolve_echo_time(echo_time, read_sidecar(path))
        second = _load_other(path, echo_time=found, **facts)
        if second.series.acquisition.echo_time is None:
            raise _no_echo_time(path, "--second-echo-time")
        source = given or where or second.sources["echo_time"]
    return sequences.with_second_echo(first, second, f"{path.name}, {source}, SHA-256 {second.sha256}")


def _load_sequence(
    path: Path,
    *,
    modality: str = "auto",
    frame_interval: float | None = None,
    frame_times: Any = None,
    echo_time: float | None = None,
    slice_times: Any = None,
    needs_echo_time: str = "--echo-time",
    series: str | None = None,
) -> LoadedSeries:
    if series is not None:
        raise InputError(f"{path.name}: --series chooses among DICOM series, and this is a sequence file.")
    if not path.is_file():
        raise InputError(f"{path}: there is no such file.")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    node = _read_node(path)
    try:
        facts = timing.SequenceFacts.of(node)
        sequences.check_frames(node)
        override = "" if frame_interval is None else repr(float(frame_interval))
        if frame_times is not None:
            listed = read_frame_times(frame_times) if isinstance(frame_times, str | Path) else frame_times
            override = " ".join(repr(float(time)) for time in listed)
        times, source = timing.frame_times(facts, override)
        kind, why = _modality(modality, facts, node)
        echo = echo_time if echo_time is not None else timing.echo_time(facts)
        if echo is None and kind is Modality.DSC:
            raise _no_echo_time(path, needs_echo_time)
        by_slice, slice_source = _slice_times(slice_times, facts, node)
        sources = {"modality": why, "frame_times": source, "orientation": "IJK to RAS matrix"}
        if by_slice is not None:
            sources["slice_times"] = slice_source
        sources |= timing.remarks(facts)
        loaded = sequences.read_sequence(
            node, modality=kind, frame_times=times, echo_time=echo, sources=sources, slice_times=by_slice
        )
    finally:
        slicer.mrmlScene.RemoveNode(node)
    return dataclasses.replace(loaded, sha256=digest)


def _slice_times(given: Any, facts: timing.SequenceFacts, node: Any) -> tuple[tuple[float, ...] | None, str]:
    """Those given, else those that the node knows.

    A file lists them from the lowest slice to the highest: Slicer may read the slices of a sequence file in the other
    order. A list, as an earlier run wrote it, is in the order of the node's slices.
    """
    if given is None:
        return timing.slice_times(facts)
    if isinstance(given, str | Path):
        return tuple(map(float, read_slice_times(given))), f"--slice-times {Path(given).name}"
    # checks that the first frame holds an image
    sequences.first_frame(node)
    orientation = nearest_ras(sequences.grid_of(node.GetNthDataNode(0)))
    return resolve_slice_times(given, Sidecar(), orientation, name=facts.name)


def _no_echo_time(path: Path, option: str) -> InputError:
    return InputError(f"{path.name}: the echo time is unknown. Give it in seconds with {option} (for example 0.03).")


def _read_node(path: Path) -> Any:
    try:
        node = slicer.util.loadNodeFromFile(str(path), "SequenceFile", {"show": False})
    except RuntimeError as error:
        raise InputError(f"{path.name}: this sequence file cannot be read. Save it again from 3D Slicer.") from error
    if node is None:
        raise InputError(f"{path.name}: this sequence file cannot be read. Save it again from 3D Slicer.")
    return node


def _modality(modality: str, facts: timing.SequenceFacts, node: Any) -> tuple[Modality, str]:
    if modality != "auto":
        return Modality(modality), f"--modality {modality}"
    kind, why = timing.modality(facts, sequences.first_frame(node))
    if kind is None:
        raise InputError(
            f"{facts.name}: whether this is CT perfusion or DSC-MRI cannot be told. Give --modality ctp or "
            "--modality dsc."
        )
    return kind, why
