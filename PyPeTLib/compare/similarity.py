"""The structural similarity index, within slices or in cubes.

Slices of perfusion maps are often five times as thick as a pixel is wide: windows lie within them. Volumes with voxels
that are about as long as wide have cubic windows.

With means, variances and the covariance in a window around each voxel, and a scale R of the values::

    SSIM = (2 mu_x mu_y + C1)(2 s_xy + C2) / ((mu_x² + mu_y² + C1)(s_x² + s_y² + C2)),  C1 = (0.01 R)², C2 = (0.03 R)²

(Wang et al. 2004, doi:10.1109/TIP.2003.819861.)
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from scipy import ndimage

from PyPeTLib.arrays import Array, Curve, Mask, Volume

SIGMA = 1.5
"""Of the Gaussian window in pixels."""

RADIUS = 5
"""Of that window: 11 by 11 pixels."""

PAPER_WINDOW = 7
"""Edge of the square window in pixels, all of equal weight."""

CUBE = 7
"""Edge of the cubic window in voxels, all of equal weight."""

_PERCENTILES = (1, 99)

Filter = Callable[[Array], Array]


def brain_data_range(generated: Volume, reference: Volume, mask: Mask) -> float:
    """From the lower of both maps' first percentiles to the higher of their 99th, over the mask's voxels."""
    ends = np.percentile(np.stack([generated[mask], reference[mask]]), _PERCENTILES, axis=1)
    return float(ends[1].max() - ends[0].min())


def brain_ssim(generated: Volume, reference: Volume, mask: Mask, data_range: float) -> float:
    """Mean over the mask's voxels of the local SSIM with the Gaussian window of Wang et al.

    Outside the mask each map goes on at its own mean, so that windows at the rim see no edge that both share, and what
    surrounds the brain does not count.

    Parameters
    ----------
    generated, reference : ndarray of float32, shape (x, y, z)
        In RAS+ order: slices lie along the third axis.
    mask : ndarray of bool
        Not empty.
    data_range : float
        The scale R. Where it is 0, equal maps have an SSIM of 1, and others none (NaN).

    Returns
    -------
    float
    """
    if data_range <= 0:
        return 1.0 if np.array_equal(generated[mask], reference[mask]) else float("nan")
    # everything beyond the windows of the mask's voxels is constant
    within = tuple(
        slice(max(0, found[0] - margin), found[-1] + 1 + margin)
        for axis, margin in enumerate((RADIUS, RADIUS, 0))
        for found in (np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis}))),)
    )
    inner = mask[within]
    means = [float(volume[mask].mean(dtype=np.float64)) for volume in (generated, reference)]
    # windows see deviations from the mean: squares of small numbers cancel less
    x, y = (
        np.where(inner, volume[within] - np.float32(mean), np.float32(0))
        for volume, mean in zip((generated, reference), means, strict=True)
    )
    window = partial(ndimage.gaussian_filter, sigma=(SIGMA, SIGMA, 0), truncate=RADIUS / SIGMA, mode="reflect")
    local = _ssim(x, y, window, data_range=data_range, means=(means[0], means[1]))
    return float(local[inner].mean(dtype=np.float64))


def paper_ssim(generated: Volume, reference: Volume, mask: Mask) -> float:
    """SSIM as the comparison of Borghouts & Su (doi:10.48550/arXiv.2511.13310) computes it: with the background.

    Both maps are 0 outside the mask; windows of 7 by 7 equal weights, unbiased variances; per slice the scale is the
    range from the lower first to the higher 99th percentile of all its pixels, and the mean is taken over all pixels
    whose window lies in the slice. Slices without a range do not count. The background that both maps share is alike
    by itself, so the figure grows with the size of the picture around the brain.

    Parameters
    ----------
    generated, reference : ndarray of float32, shape (x, y, z)
        In RAS+ order.
    mask : ndarray of bool

    Returns
    -------
    float
        NaN if no slice counts, or if slices are smaller than a window.
    """
    if min(mask.shape[:2]) < PAPER_WINDOW:
        return float("nan")
    x, y = (np.where(mask, volume, np.float32(0)) for volume in (generated, reference))
    flat = np.stack([volume.reshape(-1, volume.shape[2]) for volume in (x, y)])
    low, high = np.percentile(flat, _PERCENTILES, axis=1)
    ranges = high.max(axis=0) - low.min(axis=0)
    counts = ranges > 0
    if not counts.any():
        return float("nan")
    window = partial(ndimage.uniform_filter, size=(PAPER_WINDOW, PAPER_WINDOW, 1))
    pixels = PAPER_WINDOW**2
    local = _ssim(x[..., counts], y[..., counts], window, data_range=ranges[counts], unbiased=pixels / (pixels - 1))
    margin = slice(PAPER_WINDOW // 2, -(PAPER_WINDOW // 2))
    return float(local[margin, margin].mean(dtype=np.float64))


def cubic_ssim(estimate: Array, reference: Array, mask: Mask, data_range: float) -> float:
    """Mean over the mask's voxels of the local SSIM in cubes of 7 by 7 by 7 voxels of equal weight.

    Variances and covariance are those of samples (over n − 1). Voxels whose cube does not lie in the volume as a whole
    do not count, so that nothing has to be invented beyond its faces; cubes at the mask's rim see what lies outside the
    mask. With a mask of all voxels this is what scikit-image's ``structural_similarity`` returns by default.

    Parameters
    ----------
    estimate, reference : ndarray, shape (x, y, z)
        Computed in float64.
    mask : ndarray of bool
    data_range : float
        The scale R, more than 0.

    Returns
    -------
    float
        NaN if no voxel counts, as in volumes that are thinner than a cube.
    """
    margin = CUBE // 2
    inner = np.zeros_like(mask)
    counts = tuple(slice(margin, max(margin, length - margin)) for length in mask.shape)
    inner[counts] = mask[counts]
    if not inner.any():
        return float("nan")
    # nothing beyond the cubes of the voxels that count has a part in the figure
    within = tuple(
        slice(found[0] - margin, found[-1] + 1 + margin)
        for axis in range(3)
        for found in (np.flatnonzero(inner.any(axis=tuple({0, 1, 2} - {axis}))),)
    )
    x, y = (volume[within].astype(np.float64) for volume in (estimate, reference))
    voxels = CUBE**3
    window = partial(ndimage.uniform_filter, size=CUBE)
    local = _ssim(x, y, window, data_range=data_range, unbiased=voxels / (voxels - 1))
    return float(local[inner[within]].mean(dtype=np.float64))


def _ssim(
    x: Array,
    y: Array,
    window: Filter,
    *,
    data_range: float | Curve,
    means: tuple[float, float] = (0.0, 0.0),
    unbiased: float = 1.0,
) -> Array:
    """Local SSIM of two maps in their precision, of which means may have been taken away."""
    number = x.dtype.type
    mean_x, mean_y = window(x), window(y)
    variances = window(x * x) - mean_x * mean_x + (window(y * y) - mean_y * mean_y)
    covariance = window(x * y) - mean_x * mean_y
    mean_x += number(means[0])
    mean_y += number(means[1])
    scale = np.asarray(data_range, dtype=x.dtype)
    c1, c2 = (number(0.01) * scale) ** 2, (number(0.03) * scale) ** 2
    bias = number(unbiased)
    above = (2 * (mean_x * mean_y) + c1) * (2 * (bias * covariance) + c2)
    below = (mean_x * mean_x + mean_y * mean_y + c1) * (bias * variances + c2)
    local: Array = above / below
    return local
