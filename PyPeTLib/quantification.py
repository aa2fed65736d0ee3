"""From deconvolution to quantities: the one place of physiological constants and units.

With the impulse response ``k`` in 1/s, density rho and haematocrit factor kH::

    CBF  = kH/rho · max k · 6000            ml/100g/min
    CBV  = kH/rho · 100 · ∫C_t / ∫C_a       ml/100g, unclipped, both areas over the same window
    MTT  = 60 · CBV / CBF                   s
    Tmax = lag of max k                     s

(Meier and Zierler 1954, doi:10.1152/jappl.1954.6.12.731; Østergaard et al. 1996, doi:10.1002/mrm.1910360510.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import Curve, Mask, Volume
from PyPeTLib.deconvolution import Estimate
from PyPeTLib.errors import InputError
from PyPeTLib.options import Options, option

SECONDS_PER_MINUTE = 60.0
PER_100_GRAMS = 100.0
NEGLIGIBLE_LOSS = 0.005
"""Share of a curve's area that may lie beyond the window without being mentioned."""


@dataclass(frozen=True, kw_only=True)
class QuantificationOptions(Options):
    """Physiological constants and what is written."""

    density: float = option(1.05, "density of brain tissue, rho", unit="g/ml", minimum=0.5, maximum=2.0)
    haematocrit_factor: float = option(
        0.73,
        "kH = (1 − haematocrit of large vessels)/(1 − haematocrit of small vessels)",
        minimum=0.3,
        maximum=1.5,
    )
    ttp_reference: str = option(
        "scan-start",
        "what the time to peak counts from: the first frame (PyPeT's paper) or the arrival of the bolus (CAPLEX)",
        choices=("scan-start", "bolus-arrival"),
    )
    white_matter_cbf: float = option(
        0.0,
        "DSC: scale CBF and CBV so that normal white matter has this flow; 0 leaves them uncalibrated",
        unit="ml/100g/min",
        minimum=0.0,
        maximum=100.0,
    )
    relative: bool = option(False, "also write the relative maps (x − mean)/mean")

    @property
    def tissue_factor(self) -> float:
        """kH/rho in ml/g."""
        return self.haematocrit_factor / self.density


@dataclass(frozen=True, kw_only=True, eq=False)
class Quantities:
    """Quantities of each voxel, float32 of shape ``(voxels,)``, 0 where ``valid`` is false for them."""

    values: dict[str, Volume]
    valid: dict[str, Mask]
    lost_area: Volume
    """Share of each curve's area that lies beyond the end of the window."""

    @property
    def truncated(self) -> Mask:
        """Curves that lose so much of their area that CBV and MTT are off by more than half a per cent."""
        return np.asarray(self.lost_area > NEGLIGIBLE_LOSS, bool)


def trapezoid_weights(times: Curve) -> Curve:
    """Weights that make a sum over frames the integral over the window by the trapezoidal rule, in s."""
    steps = np.diff(times)
    weights = np.zeros(times.size)
    weights[:-1] += 0.5 * steps
    weights[1:] += 0.5 * steps
    return weights


def quantify(
    curves: Volume, aif: Curve, times: Curve, estimate: Estimate, options: QuantificationOptions
) -> Quantities:
    """CBF, CBV, MTT, Tmax, TTP and delay of each voxel.

    Parameters
    ----------
    curves : ndarray of float32, shape (voxels, t)
        Tissue concentration.
    aif : ndarray, shape (t,)
    times : ndarray, shape (t,)
        Frame times in s.
    estimate : Estimate
        What the deconvolution found.
    options : QuantificationOptions

    Raises
    ------
    InputError
        If the area of the AIF is not positive.
    """
    factor = options.tissue_factor
    weights = trapezoid_weights(times)
    aif_area = float(aif @ weights)
    if not aif_area > 0:
        raise InputError(f"the area under the arterial input function is {aif_area:g}; it must be positive")
    area = curves @ weights.astype(np.float32)
    shows = curves.max(axis=1) > 0
    flow_found = shows & (estimate.peak > 0)

    cbf = np.float32(factor * SECONDS_PER_MINUTE * PER_100_GRAMS) * estimate.peak
    volume = area / np.float32(aif_area) if estimate.volume is None else estimate.volume
    cbv = np.float32(factor * PER_100_GRAMS) * volume
    mtt = np.divide(np.float32(SECONDS_PER_MINUTE) * cbv, cbf, out=np.zeros_like(cbf), where=flow_found)
    values = {"cbf": cbf, "cbv": cbv, "mtt": mtt, "ttp": time_to_peak(curves, times)}
    valid = {"cbf": flow_found, "cbv": shows, "mtt": flow_found & (cbv > 0), "ttp": shows}
    for name, lag in (("tmax", estimate.time_of_peak), ("delay", estimate.delay)):
        if lag is not None:
            values[name] = lag.copy()
            valid[name] = flow_found
    for name, value in values.items():
        value[~valid[name]] = 0
    return Quantities(values=values, valid=valid, lost_area=lost_area(curves, times, area))


def time_to_peak(curves: Volume, times: Curve) -> Volume:
    """Time of each curve's maximum in s from the first frame, refined by a parabola through three frames."""
    last = times.size - 1
    top = curves.argmax(axis=1)
    inner = np.clip(top, 1, last - 1)
    voxels = np.arange(len(curves))
    before, centre, after = (curves[voxels, inner + shift].astype(np.float64) for shift in (-1, 0, 1))
    left, right = times[inner] - times[inner - 1], times[inner + 1] - times[inner]
    rise, fall = (centre - before) / left, (after - centre) / right
    bend = (fall - rise) / (left + right)
    usable = (top == inner) & (bend < 0)
    # the parabola's slope at the middle frame, divided by twice its curvature
    slope = (rise * right + fall * left) / (left + right)
    shift = np.divide(-slope, 2 * bend, out=np.zeros_like(bend), where=usable)
    return np.asarray(times[top] - times[0] + shift, np.float32)


def lost_area(curves: Volume, times: Curve, area: Volume) -> Volume:
    """Share of each curve's whole area that lies beyond the end of the window, 0…1.

    The washout is continued as an exponential fitted to the last sixth of the frames. A tail that does not stand out
    of the noise (three standard errors) counts as gone, one that does not fall as lost altogether.

    Parameters
    ----------
    curves : ndarray, shape (voxels, t)
    times : ndarray, shape (t,)
    area : ndarray, shape (voxels,)
        Area of each curve inside the window.
    """
    n_tail = max(2, times.size // 6)
    n_half = max(1, n_tail // 2)
    late, early = slice(times.size - n_half, times.size), slice(times.size - 2 * n_half, times.size - n_half)
    apart = float(times[late].mean() - times[early].mean())
    end, before = curves[:, late].mean(axis=1), curves[:, early].mean(axis=1)
    bends = np.diff(curves[:, -max(n_tail + 2, 6) :], 2, axis=1)
    error = np.sqrt((bends**2).mean(axis=1) / 6 / n_half)
    stands_out = (end > 3 * error) & (area > 0)
    ratio = np.divide(before, end, out=np.ones_like(end), where=stands_out)
    decay = np.divide(np.log(np.maximum(ratio, 1e-6)), apart, out=np.zeros_like(end), where=stands_out)
    falls = stands_out & (decay > 1e-3)
    beyond = np.divide(end, decay, out=np.zeros_like(end), where=falls)
    share = np.divide(beyond, beyond + area, out=np.zeros_like(end), where=falls)
    return np.where(stands_out & ~falls, np.float32(1), share).astype(np.float32)
