"""Maps from concentration curves that you already have, without files or the rest of the pipeline."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from PyPeTLib.arrays import Curve, Mask
from PyPeTLib.assembly import unravelled
from PyPeTLib.deconvolution import DeconvolutionOptions, deconvolve
from PyPeTLib.errors import InputError
from PyPeTLib.execution import Execution
from PyPeTLib.maps import QUANTITIES, ParameterMap, PerfusionMaps
from PyPeTLib.quantification import (
    PER_100_GRAMS,
    SECONDS_PER_MINUTE,
    QuantificationOptions,
    quantify,
    trapezoid_weights,
)
from PyPeTLib.series import check_frame_times
from PyPeTLib.version import __version__

Numbers = npt.ArrayLike


def compute_perfusion_maps(
    concentration: Numbers,
    aif: Numbers,
    time: Numbers,
    mask: npt.ArrayLike | None = None,
    *,
    method: str = "osvd",
    quantification: QuantificationOptions | None = None,
    affine: Curve | None = None,
    threads: int | None = None,
    **options: Any,
) -> PerfusionMaps:
    """CBF, CBV, MTT, TTP, Tmax and delay from concentration curves.

    Parameters
    ----------
    concentration : array_like, shape (..., t)
        Tissue concentration: HU above baseline, ΔR2* in 1/s, or any unit that the AIF shares.
    aif : array_like, shape (t,)
        Arterial concentration in the same unit.
    time : array_like, shape (t,)
        Frame times in s, strictly increasing; steps may be uneven.
    mask : array_like of bool, shape (...), optional
        Where to compute; everywhere by default.
    method : str
        Name or alias of a deconvolution method (``pypet methods`` lists them). ``"peak-height"`` estimates the flow
        from the height of the curve without deconvolution and gives no Tmax.
    quantification : QuantificationOptions, optional
        Density, haematocrits and what is written. ``QuantificationOptions(density=1, large_vessel_haematocrit=0,
        small_vessel_haematocrit=0)`` gives values per 100 ml of whole blood.
    affine : ndarray, shape (4, 4), optional
        Carried into the maps.
    threads : int, optional
    **options
        Further options of `DeconvolutionOptions`, such as ``svd_threshold=0.1``.

    Returns
    -------
    PerfusionMaps
        Its ``quality_mask`` is true where all maps hold a value and the bolus has passed before the curve ends.

    Raises
    ------
    InputError
        If shapes do not fit, values are not finite, or the AIF holds no contrast.

    Examples
    --------
    >>> import numpy as np
    >>> time = np.arange(60.0)
    >>> aif = np.exp(-0.5 * ((time - 15) / 3) ** 2)
    >>> maps = compute_perfusion_maps(0.02 * aif[None], aif, time)
    >>> maps.cbv.values.round(2)
    array([1.39], dtype=float32)
    """
    curves, where = _checked(concentration, aif, time, mask)
    times = np.asarray(time, np.float64)
    arterial = np.asarray(aif, np.float64)
    quantification = quantification or QuantificationOptions()
    deconvolution = DeconvolutionOptions.from_mapping({"method": method, **options})
    # a single row or slice is a volume, too
    volume = where.reshape((*where.shape, 1, 1, 1)[:3]) if where.ndim <= 3 else None
    execution = Execution.of(threads)
    estimate = deconvolve(curves, arterial, times, deconvolution, execution, mask=volume)
    found = quantify(curves, arterial, times, estimate, quantification, execution=execution)
    maps = {
        name: ParameterMap(
            quantity=QUANTITIES[name],
            values=unravelled(values, where),
            valid=unravelled(found.valid[name], where),
            affine=np.eye(4) if affine is None else affine,
            provenance={
                "software": "PyPeT",
                "version": __version__,
                "method": deconvolution.method,
                "density_g_per_ml": quantification.density,
                "haematocrit_factor": quantification.haematocrit_factor,
            },
        )
        for name, values in found.values.items()
    }
    quality = np.logical_and.reduce([m.valid for m in maps.values()]) & ~unravelled(found.truncated, where)
    return PerfusionMaps(maps=maps, quality_mask=quality)


def compute_cbv(
    concentration: Numbers,
    aif: Numbers,
    time: Numbers,
    quantification: QuantificationOptions | None = None,
) -> npt.NDArray[np.float32]:
    """Blood volume in ml/100g from the ratio of areas: ``kH/rho · 100 · ∫C_t / ∫C_a``.

    Parameters
    ----------
    concentration : array_like, shape (..., t)
    aif : array_like, shape (t,)
    time : array_like, shape (t,)
        In s.
    quantification : QuantificationOptions, optional

    Returns
    -------
    ndarray of float32, shape (...)
        Not clipped: noise around 0 gives values on both sides.
    """
    curves, where = _checked(concentration, aif, time, None)
    weights = trapezoid_weights(np.asarray(time, np.float64))
    area = float(np.asarray(aif, np.float64) @ weights)
    if not area > 0:
        raise InputError(f"the area under the AIF is {area:g}; it must be positive")
    factor = (quantification or QuantificationOptions()).tissue_factor
    volume = curves @ (weights * factor * PER_100_GRAMS / area).astype(np.float32)
    return unravelled(volume.astype(np.float32, copy=False), where)


def compute_mtt(cbv: Numbers, cbf: Numbers) -> npt.NDArray[np.float32]:
    """Mean transit time in s by the central volume theorem: ``60 · CBV / CBF``; 0 where there is no flow.

    Parameters
    ----------
    cbv : array_like
        In ml/100g.
    cbf : array_like
        In ml/100g/min.
    """
    volume, flow = np.broadcast_arrays(np.asarray(cbv, np.float32), np.asarray(cbf, np.float32))
    time: npt.NDArray[np.float32] = np.divide(
        np.float32(SECONDS_PER_MINUTE) * volume, flow, out=np.zeros(flow.shape, np.float32), where=flow > 0
    )
    return time


def _checked(
    concentration: Numbers, aif: Numbers, time: Numbers, mask: npt.ArrayLike | None
) -> tuple[npt.NDArray[np.float32], Mask]:
    """Curves ``(voxels, t)`` of the mask, and the mask."""
    values = np.asarray(concentration, np.float32)
    if values.ndim < 1:
        raise InputError("concentration needs a time axis (the last one)")
    check_frame_times(time, values.shape[-1], name="time")
    if np.shape(aif) != (values.shape[-1],):
        raise InputError(f"the AIF has shape {np.shape(aif)}, the curves have {values.shape[-1]} frames")
    where = np.ones(values.shape[:-1], bool) if mask is None else np.asarray(mask, bool)
    if where.shape != values.shape[:-1]:
        raise InputError(f"the mask has shape {where.shape}, the curves {values.shape[:-1]}")
    if not where.any():
        raise InputError("the mask is empty: it marks no voxel")
    curves = values[where]
    if not np.isfinite(curves).all():
        raise InputError("concentration holds NaN or infinite values; replace them or leave them out by the mask")
    return curves, where
