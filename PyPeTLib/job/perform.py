"""A job: load, analyse, write; the folder appears whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PyPeTLib.config import PipelineConfig
from PyPeTLib.errors import InputError
from PyPeTLib.io import LoadedSeries, OutputFolder, check_output_folder, load_scan, write_json, write_toml
from PyPeTLib.job.inputs import given_by, inputs_on_record, loaded_series, workspace_of
from PyPeTLib.job.model import Job
from PyPeTLib.job.products import Products
from PyPeTLib.pipeline import PipelineResult, run_pipeline
from PyPeTLib.presets import merged, preset_file, read_preset
from PyPeTLib.report.results import write_results, write_stages
from PyPeTLib.report.summary import summarise
from PyPeTLib.series import Modality


def perform(
    job: Job,
    *,
    progress: Callable[[str, float], None] | None = None,
    tell: Callable[[str], None] | None = None,
    load: Callable[..., LoadedSeries] = load_scan,
    also: Callable[[PipelineResult, LoadedSeries, Path], None] | None = None,
) -> dict[str, Any]:
    """Analyse one scan, write its folder, and return the summary.

    Parameters
    ----------
    job : Job
    progress : callable, optional
        As for `run_pipeline`.
    tell : callable, optional
        Called with sentences about what could not be made, such as figures where matplotlib is missing.
    load : callable, optional
        Called as `PyPeTLib.io.load_scan` is, and returns what it returns.
    also : callable, optional
        Writes more into the folder before it appears; called with the result, the loaded series and the folder.

    Raises
    ------
    InputError
        If anything that was given cannot be used; nothing is written then.
    """
    workspace = workspace_of(job)
    used = _files_used(job)
    check_output_folder(job.out, overwrite=job.overwrite, inputs=used)
    preset = None if job.preset is None else read_preset(job.preset)
    loaded = loaded_series(job, load, workspace)
    given = given_by(job.inputs, loaded.series)
    if preset is not None:
        preset.check(loaded.series.modality)
    config = _config(job, loaded.series.modality, {} if preset is None else preset.changes)
    notes: list[str] = []
    products = Products(job, loaded, notes.append)
    result = run_pipeline(loaded.series, config, progress, given=given, threads=job.threads, workspace=workspace)
    with OutputFolder(job.out, overwrite=job.overwrite, inputs=used) as folder:
        write_results(result, loaded, folder, prefix=job.prefix)
        summary = summarise(result, loaded)
        if job.scan:
            summary["scan"] = dict(job.scan)
        summary |= products.of_maps(result, folder)
        if job.outputs.stages:
            write_stages(result, folder / "stages")
        if also is not None:
            also(result, loaded, folder)
        write_toml(folder / "config.toml", {"input": inputs_on_record(job, result), **result.config.to_mapping()})
        products.report(result, summary, folder)
        if notes:
            summary["notes"] = notes
        if job.digest:
            summary["digest"] = job.digest
        write_json(folder / "summary.json", summary)
    for note in notes:
        if tell is not None:
            tell(note)
    return summary


def _config(job: Job, modality: Modality, preset: Any) -> PipelineConfig:
    try:
        return PipelineConfig.for_modality(modality, merged(preset, job.tables))
    except InputError as error:
        raise InputError(f"{job.options_file}: {error}" if job.options_file else str(error)) from error


def _files_used(job: Job) -> list[Path]:
    """What the job reads, which its results must not replace."""
    files = list(job.files)
    if job.options_file:
        files.append(Path(job.options_file))
    preset = None if job.preset is None else preset_file(job.preset)
    return files if preset is None else [*files, preset]
