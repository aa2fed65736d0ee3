"""A box-shaped residue fitted to each curve: flow, transit time and delay at once.

Bennink et al. 2016, doi:10.1117/1.JMI.3.2.026003, fit the same model by nonlinear regression. Here the
amplitude is eliminated first (variable projection): for given transit time and delay it is a scalar product,
so the best pair is the largest entry of one matrix product with a dictionary, refined between its grid points.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import CubicSpline

from PyPeTLib.arrays import Curve, Volume
from PyPeTLib.deconvolution.methods import METHODS, Estimate, Problem, Solver

TRANSIT_TIMES = np.geomspace(1.0, 40.0, 38)
"""Transit times of the dictionary in s: each 10 % longer than the one before."""
DELAY_STEP = 0.5
FINE_STEP = 0.02
"""Step in s of the table of the AIF's running area."""


@METHODS.register(
    "box-nlr",
    summary="box-shaped residue by nonlinear regression: flow, volume, transit time and delay; insensitive to delay",
    source="Bennink et al. 2016, doi:10.1117/1.JMI.3.2.026003",
    aliases=("boxNLR",),
    traits=("delay-insensitive", "volume"),
)
def box_nlr(problem: Problem) -> Solver:
    """Least-squares box residue for each curve."""
    return BoxSolver(problem)


class BoxSolver:
    """The dictionary of box-shaped responses for one AIF."""

    def __init__(self, problem: Problem) -> None:
        self._times = problem.times
        options = problem.options
        self._delays = np.arange(options.earliest_lag, min(options.latest_lag, 20.0) + 1e-9, DELAY_STEP)
        start = problem.times[0]
        fine = np.arange(start, problem.times[-1] + FINE_STEP, FINE_STEP)
        # A spline, because straight lines would cut the top off an AIF sampled every 2 s.
        height = CubicSpline(problem.times, problem.aif)(np.minimum(fine, problem.times[-1]))
        self._start = start
        self._area = np.concatenate([[0.0], np.cumsum(0.5 * (height[1:] + height[:-1]) * FINE_STEP)])
        transit, delay = np.meshgrid(TRANSIT_TIMES, self._delays, indexing="ij")
        atoms = self._atoms(transit.ravel(), delay.ravel())
        norms = np.linalg.norm(atoms, axis=1)
        # An atom that lies outside the window cannot be told from nothing.
        self._seen = norms > 0.05 * norms.max()
        self._unit_atoms = (atoms / np.maximum(norms, 1e-30)[:, None] * self._seen[:, None]).astype(np.float32)

    def _atoms(self, transit: Curve, delay: Curve) -> Curve:
        """Tissue curves of boxes of height 1, shape (boxes, t): the AIF's area between two times."""
        first = self._times - delay[:, None]
        curves: Curve = self._area_until(first) - self._area_until(first - transit[:, None])
        return curves

    def _area_until(self, times: Curve) -> Curve:
        place = np.clip((times - self._start) / FINE_STEP, 0, self._area.size - 1.001)
        below = place.astype(np.intp)
        part = place - below
        area: Curve = self._area[below] * (1 - part) + self._area[below + 1] * part
        return area

    def __call__(self, curves: Volume) -> Estimate:
        """Flow, delay and volume of the best box of each curve."""
        scores = curves @ self._unit_atoms.T
        best = scores.argmax(axis=1)
        row, column = np.divmod(best, self._delays.size)
        grid = scores.reshape(len(curves), TRANSIT_TIMES.size, self._delays.size)
        voxels = np.arange(len(curves))
        row_shift = _vertex(grid, voxels, row, column, axis=1)
        column_shift = _vertex(grid, voxels, row, column, axis=2)
        transit = TRANSIT_TIMES[0] * (TRANSIT_TIMES[1] / TRANSIT_TIMES[0]) ** (row + row_shift)
        delay = self._delays[0] + DELAY_STEP * (column + column_shift)
        atoms = self._atoms(transit, delay)
        norm = np.einsum("vt,vt->v", atoms, atoms)
        flow = np.einsum("vt,vt->v", curves, atoms) / np.maximum(norm, 1e-30)
        flow = np.where(scores[voxels, best] > 0, np.maximum(flow, 0), 0)
        return Estimate(
            peak=flow.astype(np.float32),
            time_of_peak=(delay + 0.5 * transit).astype(np.float32),
            delay=delay.astype(np.float32),
            volume=(flow * transit).astype(np.float32),
        )


def _vertex(grid: Volume, voxels: np.ndarray, row: np.ndarray, column: np.ndarray, *, axis: int) -> Curve:
    """Place of the maximum between grid points along one axis, in steps from the best point: −½…½."""
    size = grid.shape[axis]
    at = row if axis == 1 else column
    inner = (at > 0) & (at < size - 1)
    place = np.clip(at, 1, size - 2)
    if axis == 1:
        before, centre, after = (grid[voxels, place + step, column].astype(np.float64) for step in (-1, 0, 1))
    else:
        before, centre, after = (grid[voxels, row, place + step].astype(np.float64) for step in (-1, 0, 1))
    bend = before - 2 * centre + after
    usable = inner & (bend < 0)
    shift = np.divide(0.5 * (before - after), bend, out=np.zeros_like(bend), where=usable)
    return np.asarray(np.clip(shift, -0.5, 0.5), np.float64)
