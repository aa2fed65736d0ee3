"""A box-shaped residue fitted to each curve: flow, transit time and delay at once.

Bennink et al. 2016, doi:10.1117/1.JMI.3.2.026003, fit the same model by nonlinear regression. Here the
amplitude is eliminated first (variable projection): for given transit time and delay it is a scalar product,
so the best pair is the largest entry of one matrix product with a dictionary; a few Gauss-Newton steps lead from
its grid point to the optimum.
"""

from __future__ import annotations

import numpy as np

from PyPeTLib.arrays import Array, Curve, Volume
from PyPeTLib.deconvolution.arterial_curve import ArterialCurve
from PyPeTLib.deconvolution.methods import METHODS, Estimate, Problem, Solver
from PyPeTLib.execution import voxel_slices

TRANSIT_TIMES = np.geomspace(1.0, 40.0, 38)
"""Transit times of the dictionary in s: each 10 % longer than the one before."""
DELAY_STEP = 0.5
VOXELS_AT_ONCE = 1024
REFINEMENTS = 5
DAMPING = 1e-4


@METHODS.register(
    "box-nlr",
    summary="box-shaped residue by nonlinear regression: flow, volume, transit time and delay; insensitive to delay",
    source="Bennink et al. 2016, doi:10.1117/1.JMI.3.2.026003",
    aliases=("boxNLR",),
    traits=("delay-insensitive", "transit-times", "volume"),
)
def box_nlr(problem: Problem) -> Solver:
    """Least-squares box residue for each curve."""
    return BoxSolver(problem)


class BoxSolver:
    """The dictionary of box-shaped responses for one AIF."""

    def __init__(self, problem: Problem) -> None:
        self._times = problem.tissue_times
        # a frame counts by the time that it stands for, so that tissue that is no box reads alike however it is sampled
        duration = np.gradient(problem.times)
        self._root_weights = np.sqrt(duration / duration.mean()).astype(np.float32)
        options = problem.options
        self._delays = np.arange(options.earliest_lag, options.latest_lag + 1e-9, DELAY_STEP)
        self._arterial = ArterialCurve(problem.aif, problem.times)
        transit, delay = np.meshgrid(TRANSIT_TIMES, self._delays, indexing="ij")
        atoms = self._atoms(transit.ravel(), delay.ravel())
        norms = np.linalg.norm(atoms, axis=1)
        # An atom that lies outside the window cannot be told from nothing.
        self._seen = norms > 0.05 * norms.max()
        self._unit_atoms = (atoms / np.maximum(norms, 1e-30)[:, None] * self._seen[:, None]).astype(np.float32)

    def _atoms(self, transit: Curve, delay: Curve) -> Array:
        """Smoothed tissue curves of boxes of height 1, shape (boxes, t): the AIF's area between two times."""
        first = self._times - delay[:, None]
        return self._smoothed(self._arterial.area_until(first) - self._arterial.area_until(first - transit[:, None]))

    def _smoothed(self, curves: Array) -> Array:
        """Curves weighted 1:2:1 over neighbouring frames, as Bennink weights curve and AIF; the ends repeat.

        What happens between two frames is not measured; the weights keep the fit from leaning on it.
        """
        padded = np.pad(curves, ((0, 0), (1, 1)), mode="edge")
        smoothed = 0.25 * padded[:, :-2] + 0.5 * padded[:, 1:-1] + 0.25 * padded[:, 2:]
        return np.asarray(smoothed * self._root_weights, curves.dtype)

    def __call__(self, curves: Volume) -> Estimate:
        """Flow, delay and volume of the best box of each curve."""
        # the scores of a whole piece would not fit into a core's cache
        parts = [self._fitted(self._smoothed(curves[part])) for part in voxel_slices(len(curves), VOXELS_AT_ONCE)]
        flow, transit, delay = (np.concatenate(values) for values in zip(*parts, strict=True))
        return Estimate(
            peak=flow.astype(np.float32),
            time_of_peak=(delay + 0.5 * transit).astype(np.float32),
            delay=delay.astype(np.float32),
            volume=(flow * transit).astype(np.float32),
        )

    def _fitted(self, curves: Array) -> tuple[Curve, Curve, Curve]:
        """Flow, transit time and delay: the best atom, then Gauss-Newton steps that never make the fit worse."""
        scores = curves @ self._unit_atoms.T
        best = scores.argmax(axis=1)
        row, column = np.divmod(best, self._delays.size)
        transit, delay = TRANSIT_TIMES[row], self._delays[column]
        flow, fit = self._projected(curves, transit, delay)
        stride = np.ones(len(curves))
        for _ in range(REFINEMENTS):
            longer, later = self._step(curves, flow, transit, delay, stride)
            new_flow, new_fit = self._projected(curves, longer, later)
            better = new_fit > fit
            stride = np.where(better, 1.0, 0.3 * stride)
            transit, delay = np.where(better, longer, transit), np.where(better, later, delay)
            flow, fit = np.where(better, new_flow, flow), np.where(better, new_fit, fit)
        found = (scores[np.arange(len(curves)), best] > 0) & (flow > 0)
        return np.where(found, flow, 0), transit, delay

    def _projected(self, curves: Array, transit: Curve, delay: Curve) -> tuple[Curve, Curve]:
        """Best flow for given boxes, and the part of the curve's square that it explains."""
        atoms = self._atoms(transit, delay)
        norm = np.maximum(np.einsum("vt,vt->v", atoms, atoms), 1e-30)
        product = np.einsum("vt,vt->v", curves, atoms)
        return product / norm, product * np.abs(product) / norm

    def _step(self, curves: Array, flow: Curve, transit: Curve, delay: Curve, stride: Curve) -> tuple[Curve, Curve]:
        """One Gauss-Newton step in transit time and delay, shortened to a share of its length."""
        first = self._times - delay[:, None]
        last = first - transit[:, None]
        start, end = self._smoothed(self._arterial.height_at(first)), self._smoothed(self._arterial.height_at(last))
        atoms = self._atoms(transit, delay)
        slopes = np.stack([atoms, flow[:, None] * end, flow[:, None] * (end - start)], axis=2)
        normal = np.einsum("vti,vtj->vij", slopes, slopes)
        diagonal = np.arange(3)
        normal[:, diagonal, diagonal] = normal[:, diagonal, diagonal] * (1 + DAMPING) + 1e-20
        right = np.einsum("vti,vt->vi", slopes, curves - flow[:, None] * atoms)
        step = np.linalg.solve(normal, right[..., None])[..., 0] * stride[:, None]
        longer = np.clip(transit + np.clip(step[:, 1], -0.15 * transit, 0.15 * transit), 0.5, 60.0)
        return longer, delay + np.clip(step[:, 2], -DELAY_STEP, DELAY_STEP)
