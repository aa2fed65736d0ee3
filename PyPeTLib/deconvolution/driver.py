"""A deconvolution method applied to all voxels, piece by piece."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, cast

import numpy as np

from PyPeTLib.arrays import Curve, Mask, Volume
from PyPeTLib.blas import single_threaded_blas
from PyPeTLib.deconvolution.methods import METHODS, DeconvolutionOptions, Estimate, Problem, Solver, SpatialSolver
from PyPeTLib.errors import InputError
from PyPeTLib.execution import Execution, voxel_slices

CURVES_FOR_NOISE = 4_000
"""So many curves, spread evenly, are enough to measure the noise and the size of all."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Deconvolution:
    """A method with one AIF and what it needs to know of all curves: `solver` prepares it.

    Attributes
    ----------
    aif, times : ndarray of float64, shape (t,)
    options : DeconvolutionOptions
    noise : float
        Standard deviation of one sample of the curves.
    signal : float
        Root mean square of the curves.
    """

    aif: Curve
    times: Curve
    options: DeconvolutionOptions
    noise: float
    signal: float

    @classmethod
    def of(cls, curves: Volume, aif: Curve, times: Curve, options: DeconvolutionOptions) -> Self:
        """That of tissue curves, shape (voxels, t), whose noise and size are measured.

        Raises
        ------
        InputError
            If the AIF holds no contrast.
        """
        aif, times = np.asarray(aif, np.float64), np.asarray(times, np.float64)
        if not np.isfinite(aif).all() or aif.max() <= 0:
            raise InputError("the arterial input function holds no contrast: its highest value is not positive")
        return cls(
            aif=aif,
            times=times,
            options=options,
            noise=options.noise or noise_level(curves),
            signal=signal_level(curves),
        )

    @property
    def traits(self) -> frozenset[str]:
        """What the method promises; see `METHODS`."""
        return METHODS.entry(self.options.method).traits

    def problem(self, offset: float = 0.0) -> Problem:
        """The problem of tissue that was sampled later than the AIF by an offset in s."""
        return Problem(
            aif=self.aif,
            times=self.times,
            options=self.options,
            noise=self.noise,
            signal=self.signal,
            offset=offset,
        )

    def solver(self, offset: float = 0.0) -> Solver:
        """The method, prepared for tissue that was sampled later than the AIF by an offset in s."""
        with single_threaded_blas():
            return METHODS[self.options.method](self.problem(offset))


def deconvolve(
    curves: Volume,
    aif: Curve,
    times: Curve,
    options: DeconvolutionOptions,
    execution: Execution | None = None,
    *,
    offsets: Volume | None = None,
    mask: Mask | None = None,
) -> Estimate:
    """Deconvolve tissue curves with an arterial input function.

    Parameters
    ----------
    curves : ndarray of float32, shape (voxels, t)
        Tissue concentration.
    aif : ndarray, shape (t,)
        Arterial concentration in the same unit; its area must be positive.
    times : ndarray, shape (t,)
        Frame times in s, at which the AIF was sampled.
    options : DeconvolutionOptions
    execution : Execution, optional
    offsets : ndarray, shape (voxels,), optional
        Time in s by which each voxel was sampled later than ``times``: slice timing, table positions. There is one
        operator for each distinct offset.
    mask : ndarray of bool, shape (x, y, z), optional
        Where the voxels lie, in the order of boolean indexing; methods with the trait ``spatial`` need it.

    Returns
    -------
    Estimate
        One value a voxel; impulse responses themselves are not kept.

    Raises
    ------
    InputError
        If the AIF holds no contrast, or a spatial method gets no mask.
    """
    execution = execution or Execution()
    method = Deconvolution.of(curves, aif, times, options)
    if "spatial" not in method.traits:
        mask = None
    elif mask is None:
        raise InputError(f"{options.method} compares neighbours: it needs the mask in which the voxels lie")
    elif int(np.count_nonzero(mask)) != len(curves):
        raise InputError(f"the mask marks {np.count_nonzero(mask)} voxels, but there are {len(curves)} curves")
    if offsets is None:
        return _solved(method.solver(), curves, mask, execution)
    whole = Estimate.empty(_of_none(method.solver(), curves), len(curves))
    for offset in np.unique(offsets):
        chosen = offsets == offset
        part = None if mask is None else _part_of(mask, chosen)
        whole.fill(np.flatnonzero(chosen), _solved(method.solver(float(offset)), curves[chosen], part, execution))
    return whole


def _solved(solve: Solver, curves: Volume, mask: Mask | None, execution: Execution) -> Estimate:
    """The estimates of curves that share one solver; a mask is given to solvers that look at neighbours."""
    if mask is not None and len(curves):
        return cast("SpatialSolver", solve).whole(curves, mask, execution)
    pieces = voxel_slices(len(curves))
    if not pieces:
        return Estimate.empty(_of_none(solve, curves), 0)

    def work(piece: slice) -> tuple[slice, Estimate]:
        return piece, solve(np.ascontiguousarray(curves[piece]))

    results = execution.map(work, pieces)
    whole = Estimate.empty(results[0][1], len(curves))
    for piece, estimate in results:
        whole.fill(piece, estimate)
    return whole


def _part_of(mask: Mask, chosen: Mask) -> Mask:
    """The voxels of a mask that are chosen among them."""
    part = np.zeros_like(mask)
    part[mask] = chosen
    return part


def _of_none(solve: Solver, curves: Volume) -> Estimate:
    """What the solver makes of a curve without contrast: tells which quantities it gives."""
    return solve(np.zeros((1, curves.shape[1]), np.float32))


def noise_level(curves: Volume) -> float:
    """Standard deviation of one sample of the curves, from the median modulus of their second differences.

    What the bolus bends adds to it where frames are far apart, so the quieter part of the frames is looked at: those
    whose second differences, over all curves, lie below their median.
    """
    some = _some(curves)
    if some.shape[0] == 0 or some.shape[1] < 3:
        return 0.0
    bends = np.abs(np.diff(some, 2, axis=1))
    by_frame = np.median(bends, axis=0)
    quiet = bends[:, by_frame <= np.median(by_frame)]
    return float(np.median(quiet) / 0.6745 / np.sqrt(6))


def signal_level(curves: Volume) -> float:
    """Root mean square of the curves."""
    some = _some(curves)
    return float(np.sqrt(np.mean(np.square(some, dtype=np.float64)))) if some.size else 0.0


def _some(curves: Volume) -> Volume:
    return curves[:: max(1, len(curves) // CURVES_FOR_NOISE)]
