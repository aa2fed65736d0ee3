"""The lesions of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from PyPeTLib.deconvolution import METHODS
from PyPeTLib.errors import InputError
from PyPeTLib.lesion_options import LesionOptions
from PyPeTLib.lesions.model import Lesions
from PyPeTLib.lesions.thresholds import lesions_of, unfit_maps
from PyPeTLib.pipeline import PipelineResult
from PyPeTLib.quality import Flag
from PyPeTLib.quality.motion import LEFT_OUT
from PyPeTLib.quality.signal import CUT_BRAIN, FEW_SLICES, NO_BASELINE_SIGNAL, SLAB

NOT_WHOLE: Mapping[str, str] = {
    SLAB.code: "only {:.0f} mm of the brain are in view",
    FEW_SLICES.code: "only {:.0f} slice(s) hold brain",
    CUT_BRAIN.code: "{:.0f} % of the brain mask touch a side of the field of view",
    LEFT_OUT.code: "{:.0f} % of the brain mask are left out",
    NO_BASELINE_SIGNAL.code: "{:.0f} % of the brain mask have no signal before the bolus",
}
"""Codes of the flags that tell of brain that was not seen, and what they say of it."""

FEWEST_WITHOUT_SIGNAL = LEFT_OUT.most
"""Per cent of the brain mask without MR signal that matter: any at all are flagged."""


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
    found = lesions_of(
        result.maps,
        result.on_input_grid(result.tissue.parenchyma),
        result.normal_tissue,
        result.series.grid,
        options,
        mirror=replace(result.mirror, grid=result.series.grid),
        density=result.config.quantification.density,
    )
    return replace(found, incomplete=why_incomplete(result.flags))


def why_incomplete(flags: Iterable[Flag]) -> str:
    """Why a run does not show the whole brain, as a clause; empty where it does.

    Parameters
    ----------
    flags : iterable of Flag
        Of the run.
    """
    return " and ".join(
        NOT_WHOLE[flag.code].format(flag.value)
        for flag in flags
        if flag.code in NOT_WHOLE and not (flag.code == NO_BASELINE_SIGNAL.code and flag.value <= FEWEST_WITHOUT_SIGNAL)
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
