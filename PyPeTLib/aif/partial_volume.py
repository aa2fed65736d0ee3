"""How much of an artery's voxels is blood, from the areas of vein and artery.

Contrast that enters through the arteries leaves through the veins, so both curves have the same area; tissue in the
artery's voxels lowers its own, and the ratio tells by how much (Fieselmann et al. 2011, doi:10.1155/2011/467563). The
areas of two first passes cannot be compared directly where a scan ends early: the vein comes later and loses more. So
the vein is modelled as the artery, recirculation and all, on its way through the brain: ``VOF = f · AIF ⊗ h``, with a
transport function ``h`` of unit area (a delay and a gamma distribution of transit times). ``f`` is the ratio of the
whole areas, found from what the scan shows of both.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import fft, optimize, special

from PyPeTLib.aif.model import AIFOptions, ArterialInputFunction, VenousOutputFunction
from PyPeTLib.arrays import Curve

FINE_STEP = 0.25
"""Step in s at which the curves are convolved."""
DELAYS = np.arange(0.0, 12.01, 1.0)
TRANSIT_TIMES = np.geomspace(0.5, 12.0, 10)
SHAPES = (1.0, 2.0, 4.0)
"""Transport functions that are tried first; delay and mean transit time in s are then refined."""
LARGEST_TAIL = 0.85
"""A vein that ends above this share of its peak has hardly peaked; its area is unknown."""


def venous_ratio(aif: Curve, vof: Curve, times: Curve) -> float | None:
    """Area of the vein's whole curve over that of the artery's.

    Parameters
    ----------
    aif, vof : ndarray, shape (t,)
        Concentration in the same unit.
    times : ndarray, shape (t,)
        In s; steps may be uneven.

    Returns
    -------
    float or None
        None where either curve hardly reaches its peak before the scan ends.
    """
    if any(curve.max() <= 0 or curve[-2:].mean() > LARGEST_TAIL * curve.max() for curve in (aif, vof)):
        return None
    grid = [a.ravel()[:, None] for a in np.meshgrid(DELAYS, TRANSIT_TIMES, SHAPES, indexing="ij")]
    passages = _passages(aif, times, *grid)
    overlap, power = np.maximum(passages @ vof, 0), (passages**2).sum(axis=1) + 1e-30
    delay, mean, shape = (values[int((overlap**2 / power).argmax())] for values in grid)

    def passage(parameters: Curve) -> Curve:
        passed: Curve = _passages(aif, times, parameters[:1, None], np.exp(parameters[1:, None]), shape[:, None])[0]
        return passed

    def share(passed: Curve) -> float:
        return float(passed @ vof / max(float(passed @ passed), 1e-30))

    def misfit(parameters: Curve) -> Curve:
        passed = passage(parameters)
        return np.asarray((share(passed) * passed - vof) / vof.max(), np.float64)

    limits = ([0.0, np.log(0.1)], [DELAYS[-1] + 1, np.log(30.0)])
    start = np.array([max(float(delay[0]), 0.1), np.log(float(mean[0]))])
    refined = optimize.least_squares(misfit, start, bounds=limits, diff_step=1e-3, max_nfev=30)
    ratio = share(passage(refined.x))
    return ratio if ratio > 0 else None


def _passages(aif: Curve, times: Curve, delay: Curve, mean: Curve, shape: Curve) -> Curve:
    """The artery's curve after transport functions, at the frame times, shape (functions, t).

    ``delay`` [s], ``mean`` [s] and ``shape`` of the gamma distributions have shape (functions, 1).
    """
    size = int(np.ceil((times[-1] - times[0]) / FINE_STEP)) + 1
    clock = FINE_STEP * np.arange(size)
    fine = np.interp(clock, times - times[0], aif)
    # the share of contrast that has passed at the borders between steps: each function keeps its area
    edges = np.concatenate([[0.0], clock + 0.5 * FINE_STEP])
    passed = special.gammainc(shape, np.maximum(edges - delay, 0) * shape / mean)
    length = fft.next_fast_len(2 * size, real=True)
    product = fft.rfft(np.diff(passed, axis=1), length) * fft.rfft(fine, length)
    after = fft.irfft(product, length)[:, :size]
    place = np.minimum((times - times[0]) / FINE_STEP, size - 1.0)
    lower = np.minimum(place.astype(np.intp), size - 2)
    between: Curve = after[:, lower] + (place - lower) * (after[:, lower + 1] - after[:, lower])
    return between


def compared_with_vein(
    aif: ArterialInputFunction, vof: VenousOutputFunction | None, times: Curve, options: AIFOptions
) -> ArterialInputFunction:
    """The AIF with its ratio to the vein, and scaled by it where that is wanted and the ratio is believable.

    A curve that the user gave has no voxels that could be diluted, and is not scaled.
    """
    ratio = None if vof is None else venous_ratio(aif.measured, vof.measured, times)
    wanted = options.partial_volume and aif.mask is not None
    scale = ratio if wanted and ratio is not None and 1 <= ratio <= options.partial_volume_cap else 1.0
    return replace(aif, venous_ratio=ratio, scale=scale)
