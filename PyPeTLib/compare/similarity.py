"""The structural similarity index, within slices, since these are often five times as thick as a pixel is wide.

With means, variances and the covariance in a window around each voxel, and a scale R of the values::

    SSIM = (2 mu_x mu_y + C1)(2 s_xy + C2) / ((mu_x² + mu_y² + C1)(s_x² + s_y² + C2)),  C1 = (0.01 R)², C2 = (0.03 R)²

(Wang et al. 2004, doi:10.1109/TIP.2003.819861.)
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from scipy import ndimage

from PyPeTLib.arrays import Mask, Volume

SIGMA = 1.5
"""Of the Gaussian window in pixels."""

RADIUS = 5
"""Of that window: 11 by 11 pixels."""

PAPER_WINDOW = 7
"""Edge of the square window in pixels, all of equal weight."""

_PERCENTILES = (1, 99)

Filter = Callable[[Volume], Volume]


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


def _ssim(
    x: Volume,
    y: Volume,
    window: Filter,
    *,
    data_range: float | np.ndarray[tuple[int], np.dtype[np.float64]],
    means: tuple[float, float] = (0.0, 0.0),
    unbiased: float = 1.0,
) -> Volume:
    """Local SSIM of two maps, of which means may have been taken away."""
    mean_x, mean_y = window(x), window(y)
    variances = window(x * x) - mean_x * mean_x + (window(y * y) - mean_y * mean_y)
    covariance = window(x * y) - mean_x * mean_y
    mean_x += np.float32(means[0])
    mean_y += np.float32(means[1])
    scale = np.asarray(data_range, dtype=np.float32)
    c1, c2 = (np.float32(0.01) * scale) ** 2, (np.float32(0.03) * scale) ** 2
    bias = np.float32(unbiased)
    above = (2 * (mean_x * mean_y) + c1) * (2 * (bias * covariance) + c2)
    below = (mean_x * mean_x + mean_y * mean_y + c1) * (bias * variances + c2)
    local: Volume = above / below
    return local
