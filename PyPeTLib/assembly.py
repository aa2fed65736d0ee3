"""From quantities of voxels to maps on the input's grid, with scale, validity and provenance."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.config import PipelineConfig
from PyPeTLib.contrast import BolusArrival
from PyPeTLib.maps import QUANTITIES, ParameterMap, PerfusionMaps
from PyPeTLib.preprocess.resample import resample_map
from PyPeTLib.quantification import Quantities
from PyPeTLib.series import Modality, PerfusionSeries
from PyPeTLib.version import __version__
from PyPeTLib.workspace import Workspace

DType = TypeVar("DType", bound=np.generic)

SCALED = ("cbf", "cbv", "cbf_sd", "cbv_sd")
"""Maps whose absolute scale DSC leaves open."""

FROM_SCAN_START = ("ttp", "bat")
"""Maps that count from the first frame of the scan."""

MAPS = ("cbf", "cbv", "mtt", "ttp", "tmax")
"""The maps of every pipeline run."""
ON_REQUEST = ("delay", "bat", "peak_height", "psr")
"""Maps that are only written where all are asked for."""


def unravelled(values: npt.NDArray[DType], mask: Mask, workspace: Workspace | None = None) -> npt.NDArray[DType]:
    """A volume with the values of a mask's voxels in their places and 0 elsewhere."""
    if workspace is None:
        volume = np.zeros(mask.shape, values.dtype)
    else:
        volume = workspace.empty(mask.shape, values.dtype)
        volume[...] = 0
    volume[mask] = values
    return volume


def assemble_maps(
    quantities: Quantities | None,
    mask: Mask,
    working: PerfusionSeries,
    series: PerfusionSeries,
    *,
    bolus: BolusArrival,
    config: PipelineConfig,
    white_matter: Mask | None,
    workspace: Workspace | None = None,
) -> PerfusionMaps:
    """The maps of a run on the grid of the input series.

    Without quantities (no bolus, no artery) the maps are all 0 and nowhere valid.

    Parameters
    ----------
    quantities : Quantities or None
        Of the voxels of ``mask``.
    mask : ndarray of bool
        The brain on the working grid.
    working, series : PerfusionSeries
        The series as analysed and as given; they differ in grid after downsampling.
    bolus : BolusArrival
    config : PipelineConfig
    white_matter : ndarray of bool or None
        Normal white matter on the grid of ``series``, to scale DSC maps.
    workspace : Workspace, optional
        Where the maps live.
    """
    workspace = workspace or Workspace()
    options = config.quantification
    calibrated = series.modality is Modality.CTP or white_matter is not None
    provenance: dict[str, str | float | bool] = {
        "software": "PyPeT",
        "version": __version__,
        "method": config.deconvolution.method,
        "density_g_per_ml": options.density,
        "haematocrit_factor": options.haematocrit_factor,
    }
    names = MAPS if quantities is None else _names(quantities, config)
    maps: dict[str, ParameterMap] = {}
    for name in names:
        if quantities is None:
            values, valid = np.zeros(series.grid.shape, np.float32), np.zeros(series.grid.shape, bool)
        else:
            values, valid = _on_grid(quantities.values[name], quantities.valid[name], mask, working, series, workspace)
        # most maps hold values in the same voxels: one mask serves them all
        valid = next((made.valid for made in maps.values() if np.array_equal(made.valid, valid)), valid)
        facts = dict(provenance)
        if name in FROM_SCAN_START:
            # the first frame may have been left out
            np.add(values, np.float32(working.frame_times[0] - series.frame_times[0]), out=values, where=valid)
        if name == "ttp":
            facts |= {"reference": options.ttp_reference, "bolus_arrival_s": bolus.time}
            if options.ttp_reference == "bolus-arrival":
                np.subtract(values, np.float32(bolus.time - series.frame_times[0]), out=values, where=valid)
        maps[name] = ParameterMap(
            quantity=QUANTITIES[name],
            values=values,
            valid=valid,
            affine=series.affine,
            unit=("HU" if series.modality is Modality.CTP else "1/s") if name == "peak_height" else "",
            calibrated=calibrated or name not in SCALED,
            provenance=facts,
        )
    if white_matter is not None:
        maps |= _scaled_to_white_matter(maps, white_matter, options.white_matter_cbf)
    everywhere = np.ones(series.grid.shape, bool)
    for name in set(MAPS) & set(maps):
        everywhere &= maps[name].valid
    return PerfusionMaps(maps=maps, quality_mask=everywhere)


def _names(quantities: Quantities, config: PipelineConfig) -> tuple[str, ...]:
    """The maps of a run: the five, then what the method or a correction adds, then what was asked for."""
    first = [name for name in MAPS if name in quantities.values]
    kept = set(ON_REQUEST if config.quantification.maps == "all" else ())
    # an uncertainty without its value would be of no use, nor lesions without what they are told by
    if "delay_sd" in quantities.values or config.lesions.hypoperfusion_map == "delay":
        kept.add("delay")
    left_out = set(ON_REQUEST) - kept
    return (*first, *(name for name in quantities.values if name not in first and name not in left_out))


def _on_grid(
    values: Volume,
    valid: Mask,
    mask: Mask,
    working: PerfusionSeries,
    series: PerfusionSeries,
    workspace: Workspace,
) -> tuple[Volume, Mask]:
    volume, where = unravelled(values, mask, workspace), unravelled(valid, mask, workspace)
    if working.grid.shape == series.grid.shape:
        return volume, where
    # Weighted by validity, so that the zeros outside the brain do not pull its rim down.
    weight = resample_map(where.astype(np.float32), working.grid, series.grid, order=1)
    finer = resample_map(volume, working.grid, series.grid, order=1)
    inside = weight >= 0.5
    return np.divide(finer, weight, out=np.zeros_like(finer), where=inside), inside


def _scaled_to_white_matter(
    maps: dict[str, ParameterMap], white_matter: Mask, white_matter_cbf: float
) -> dict[str, ParameterMap]:
    """CBF and CBV scaled by one factor, so that MTT stays their ratio."""
    inside = white_matter & maps["cbf"].valid
    mean = float(maps["cbf"].values[inside].mean(dtype=np.float64)) if inside.any() else 0.0
    if mean <= 0:
        return {}
    factor = white_matter_cbf / mean
    scaled = {}
    for name in (name for name in SCALED if name in maps):
        unscaled = maps[name]
        scaled[name] = ParameterMap(
            quantity=unscaled.quantity,
            values=unscaled.values * np.float32(factor),
            valid=unscaled.valid,
            affine=unscaled.affine,
            provenance={**unscaled.provenance, "white_matter_scale": factor},
        )
    return scaled
