"""The lesions of a run."""

from __future__ import annotations

from dataclasses import replace

from PyPeTLib.deconvolution import METHODS
from PyPeTLib.errors import InputError
from PyPeTLib.lesion_options import LesionOptions
from PyPeTLib.lesions.model import Lesions
from PyPeTLib.lesions.thresholds import lesions_of, unfit_maps
from PyPeTLib.pipeline import PipelineResult


def find_lesions(result: PipelineResult, options: LesionOptions | None = None) -> Lesions:
    """Core and hypoperfused tissue of a run, on the grid of its input series.

    Vessels and CSF are left out. With thresholds of relative flow, maps without an absolute scale will do.

    Parameters
    ----------
    result : PipelineResult
    options : LesionOptions, optional
        By default those of the run.

    Returns
    -------
    Lesions

    Raises
    ------
    InputError
        Where the maps cannot be held against these thresholds; see `why_no_lesions`.
    """
    options = options or result.config.lesions
    reason = why_no_lesions(result, options)
    if reason:
        raise InputError(reason)
    return lesions_of(
        result.maps,
        result.on_input_grid(result.tissue.parenchyma),
        result.normal_tissue,
        result.series.grid,
        options,
        mirror=replace(result.mirror, grid=result.series.grid),
        density=result.config.quantification.density,
    )


def why_no_lesions(result: PipelineResult, options: LesionOptions | None = None) -> str:
    """Why the maps of a run cannot be held against thresholds; empty where they can."""
    method = result.config.deconvolution.method
    if "lesions" not in METHODS.entry(method).traits:
        able = ", ".join(METHODS.with_trait("lesions"))
        return f"Tmax of the method {method} may not be held against thresholds. Choose one of: {able}."
    if not result.maps.quality_mask.any():
        return "The maps hold no values, so there is nothing to find lesions in."
    return unfit_maps(result.maps, options or result.config.lesions)
