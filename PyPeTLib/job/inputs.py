"""What a job reads beside its options, and what of it is kept on record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PyPeTLib.arrays import Mask
from PyPeTLib.config import Given
from PyPeTLib.errors import InputError
from PyPeTLib.io import LoadedSeries, check_curve_covers, in_file_order, read_curve_csv, read_mask
from PyPeTLib.job.model import POPULATION, Job
from PyPeTLib.pipeline import PipelineResult
from PyPeTLib.series import PerfusionSeries
from PyPeTLib.workspace import SMALLEST_LIMIT, Workspace

_FACTS = {
    **{key: key for key in ("frame_interval", "frame_times", "echo_time", "slice_times", "second_echo")},
    "second_echo_time": "second_echo_time",
    "dicom_series": "series",
}
"""Keys of the ``[input]`` table, and the parameters of the reader that they become."""


def workspace_of(job: Job) -> Workspace:
    """Where large arrays live.

    Raises
    ------
    InputError
        If the limit is too small or there is no such folder.
    """
    limit, folder = job.memory_limit, job.scratch
    if limit is not None and not limit * 1e9 >= SMALLEST_LIMIT:
        raise InputError(f"--memory-limit is given in GB and must be {SMALLEST_LIMIT / 1e9:g} or more, found {limit:g}")
    if folder is not None and not folder.is_dir():
        raise InputError(f"--scratch {folder}: there is no such folder. Make it, or leave the option out.")
    return Workspace(None if limit is None else 1e9 * limit, folder)


def loaded_series(job: Job, load: Callable[..., LoadedSeries], workspace: Workspace) -> LoadedSeries:
    """The series, with the facts that were given."""
    facts = {parameter: job.inputs[key] for key, parameter in _FACTS.items() if key in job.inputs}
    return load(job.series, modality=job.inputs.get("modality", "auto"), workspace=workspace, **facts)


def given_by(inputs: Mapping[str, Any], series: PerfusionSeries) -> Given:
    """Masks and curves in place of what a stage would find itself."""

    def mask(key: str) -> Mask | None:
        return read_mask(inputs[key], series) if key in inputs else None

    is_population = str(inputs.get("aif")) == POPULATION
    is_curve = "aif" in inputs and Path(inputs["aif"]).suffix.lower() == ".csv"
    curve = None
    if is_curve:
        curve = read_curve_csv(inputs["aif"])
        check_curve_covers(curve[0], series.frame_times, name=Path(inputs["aif"]).name)
    return Given(
        brain_mask=mask("mask"),
        white_matter=mask("white_matter_mask"),
        aif_mask=None if is_curve or is_population else mask("aif"),
        aif_curve=curve,
        aif_population=is_population,
        vof_mask=mask("vof"),
    )


def inputs_on_record(job: Job, result: PipelineResult) -> dict[str, Any]:
    """The ``[input]`` table that repeats this job: values as they were used, further files by their absolute path.

    The series is told by its name alone: who repeats a run names it anew, and folders are often called after patients.
    """
    series, inputs = result.series, job.inputs
    kept: dict[str, Any] = {"series": series.name, "modality": series.modality.value}
    if "dicom_series" in inputs:
        kept["dicom_series"] = inputs["dicom_series"]
    kept["frame_times"] = [float(time) for time in series.frame_times]
    if series.acquisition.echo_time is not None:
        kept["echo_time"] = float(series.acquisition.echo_time)
    if series.acquisition.slice_times is not None:
        kept["slice_times"] = list(in_file_order(series.acquisition.slice_times, series.orientation))
    if series.second_echo is not None and series.second_echo.acquisition.echo_time is not None:
        kept["second_echo_time"] = float(series.second_echo.acquisition.echo_time)
    for key in ("second_echo", "mask", "aif", "vof", "white_matter_mask"):
        if key in inputs:
            value = str(inputs[key])
            kept[key] = value if key == "aif" and value == POPULATION else str(Path(value).resolve())
    return kept
