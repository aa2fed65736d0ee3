"""Which frames are too bad to be used, and why: damaged, torn by motion, drowned in noise or out of view.

A frame is judged against the reference once it is aligned, against the frames around it, because a bolus changes the
misfit of many frames and damage that of one or two, and against what interpolation alone does in its pose.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy import ndimage

from PyPeTLib.arrays import Array, Curve, Mask, Volume
from PyPeTLib.geometry import Grid
from PyPeTLib.preprocess.interpolation import sample
from PyPeTLib.preprocess.registration import Fit
from PyPeTLib.preprocess.starts import OUTSIDE_MISFIT

FEWEST_INSIDE = 0.3
"""Share of the points that must fall inside a frame for its pose to be trusted."""

LARGEST_MISFIT = 0.4
"""Largest residual of a frame that fits, relative to the spread of the reference at the points: heads in motion
measure 0.05 to 0.25, empty, mirrored or half-empty frames 0.5 and more."""

SLICE_MISFIT = 0.4
"""Misfit of a slice that is damaged; slices of intact frames measure up to 0.35, lost ones 0.5 and more."""

SLICE_RATIO = 2.0
FRAME_RATIO = 1.5
"""How much more a damaged slice or frame misfits than the same in the frames around it."""

EXPECTED_RATIO = 1.1
"""How much more it misfits than the reference interpolated there and back, which is twice and thus rather too much."""

NOISE_RATIO = 3.0
"""How much noisier than those around it a frame is that is no use."""

NEIGHBOURS = 5
"""Frames before and after with which a frame is compared."""


class Fault(StrEnum):
    """What is wrong with a frame."""

    EMPTY = "empty"
    """All its values are the same."""
    OUT_OF_VIEW = "out of view"
    """Less than 30 % of the head lies inside the frame."""
    UNLIKE = "unlike the others"
    """Mirrored, mostly destroyed or of another place."""
    SLICES = "slices damaged"
    """Lost or destroyed in a part of the slices."""
    TORN = "torn or blurred"
    """Fits as a whole, but much worse than the frames around it: the head moved while it was acquired, or streaks."""
    NOISY = "noise"
    """Several times the noise of the frames around it."""


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """What is normal in a modality.

    Attributes
    ----------
    misfit : float
        Misfit of a frame that is no cause for concern.
    bolus : float
        What is added to it for a drop of the mean signal by all of it: a bolus changes MR pictures that much.
    noise : float
        Noise in tissue at the coarse level that is no harm whatever its neighbours have, in the unit of the signal.
    """

    misfit: float
    bolus: float
    noise: float


@dataclass(frozen=True, kw_only=True, eq=False)
class FrameFit:
    """How a frame fits the reference: its fit on the finest level, its noise in tissue, its mean signal."""

    fit: Fit
    noise: float
    brightness: float
    empty: bool
    """Whether all its values are the same."""

    @property
    def cost(self) -> float:
        """Mean misfit of all points, those out of view included."""
        return self.fit.overlap * self.fit.misfit + (1 - self.fit.overlap) * OUTSIDE_MISFIT


@dataclass(frozen=True, eq=False)
class TissuePoints:
    """Places in flat tissue of the reference, where noise is not mistaken for motion.

    Attributes
    ----------
    points : ndarray of float64, shape (3, n)
        World millimetres.
    values : ndarray of float32, shape (n,)
    from_world : ndarray, shape (4, 4)
        World to voxel indices.
    """

    points: Curve
    values: Volume
    from_world: Curve

    def noise(self, volume: Volume, matrix: Curve) -> float:
        """Robust standard deviation of a frame minus the reference, its mean change apart; 0 without points."""
        if not self.values.size:
            return 0.0
        to_voxel = self.from_world @ matrix
        difference = sample(volume, *(to_voxel[:3, :3] @ self.points + to_voxel[:3, 3:]).astype(np.float32))
        difference -= self.values
        return 1.4826 * float(np.median(np.abs(difference - np.median(difference))))


def tissue_points(volume: Volume, grid: Grid, signal: tuple[float, float], most: int = 2000) -> TissuePoints:
    """Choose the flatter half of the places whose signal and that of all their neighbours is that of tissue.

    Parameters
    ----------
    volume : ndarray of float32, shape (z, y, x)
        The reference.
    grid : Grid
        Of shape (x, y, z).
    signal : tuple of float
        Range of the signal of tissue.
    most : int
        Largest number of points.
    """
    size = tuple(3 if n > 2 else 1 for n in volume.shape)
    low, high = ndimage.minimum_filter(volume, size), ndimage.maximum_filter(volume, size)
    chosen = np.flatnonzero((low > signal[0]) & (high < signal[1]))
    if chosen.size:
        span = (high - low).ravel()[chosen]
        chosen = chosen[span <= np.median(span)]
        chosen = chosen[np.linspace(0, chosen.size - 1, min(most, chosen.size)).astype(np.intp)]
    k, j, i = np.unravel_index(chosen, volume.shape)
    world: Curve = grid.affine[:3, :3] @ np.stack([i, j, k]) + grid.affine[:3, 3:]
    return TissuePoints(world, volume.ravel()[chosen], np.asarray(np.linalg.inv(grid.affine), dtype=np.float64))


def find_faults(
    fits: list[FrameFit], spread: float, tolerance: Tolerance, expected: Callable[[Curve], Fit]
) -> tuple[Fault | None, ...]:
    """Judge all frames of a series.

    Parameters
    ----------
    fits : list of FrameFit
        One a frame.
    spread : float
        Spread of the reference at its points.
    tolerance : Tolerance
    expected : callable
        The fit that an intact frame would have in a pose; only asked where it decides.

    Returns
    -------
    tuple of Fault or None
        What is wrong with each frame; None with those that can be used.
    """
    empty = np.array([each.empty for each in fits])
    outside = np.array([each.fit.overlap < FEWEST_INSIDE for each in fits])
    unlike = np.array([each.fit.residual > LARGEST_MISFIT * spread for each in fits])
    known = ~(empty | outside | unlike)
    noise = np.array([each.noise for each in fits])
    torn, broken = _worse_than_expected(fits, known, tolerance, expected)
    # the first that applies names the frame
    findings = (
        (Fault.EMPTY, empty),
        (Fault.OUT_OF_VIEW, outside),
        (Fault.UNLIKE, unlike),
        (Fault.SLICES, broken),
        (Fault.TORN, torn),
        (Fault.NOISY, noise > np.maximum(tolerance.noise, NOISE_RATIO * _around(noise, known))),
    )
    return tuple(next((fault for fault, found in findings if found[frame]), None) for frame in range(len(fits)))


def _worse_than_expected(
    fits: list[FrameFit], known: Mask, tolerance: Tolerance, expected: Callable[[Curve], Fit]
) -> tuple[Mask, Mask]:
    """Which frames fit worse than those around them and than interpolation explains: as a whole, and in a slice."""
    misfit, slices = np.array([each.fit.misfit for each in fits]), np.stack([each.fit.misfits for each in fits])
    brightness = np.array([each.brightness for each in fits])
    usual = float(np.median(brightness))
    drop = np.clip(1 - brightness / usual, 0, 1) if usual > 0 else np.zeros_like(brightness)
    torn: Mask = misfit > np.maximum(tolerance.misfit + tolerance.bolus * drop, FRAME_RATIO * _around(misfit, known))
    worse: Mask = slices > np.maximum(SLICE_MISFIT, SLICE_RATIO * _around(slices, known))
    broken: Mask = np.any(worse, axis=1)
    for frame in np.flatnonzero(known & (torn | broken)):
        intact = expected(fits[frame].fit.matrix)
        torn[frame] &= misfit[frame] > EXPECTED_RATIO * intact.misfit
        broken[frame] = bool((worse[frame] & (slices[frame] > EXPECTED_RATIO * intact.misfits)).any())
    return torn, broken


def _around(values: Array, known: Mask) -> Curve:
    """What is usual around each frame, judged by frames that are known to be good; 0 where there are none.

    The median of its neighbours, or, where values rise and fall as fast as at the peak of a bolus, the second largest
    of the two before and the two after.
    """
    frames = np.arange(len(values))
    usual = np.zeros(values.shape)
    for frame in frames:
        distance = np.abs(frames - frame)
        near = known & (distance <= NEIGHBOURS) & (distance > 0)
        if near.any():
            usual[frame] = np.median(np.nan_to_num(np.asarray(values[near], np.float64)), axis=0)
        next_to = np.nan_to_num(np.asarray(values[near & (distance <= 2)], np.float64))
        if len(next_to) > 1:
            usual[frame] = np.maximum(usual[frame], np.sort(next_to, axis=0)[-2])
    return usual
