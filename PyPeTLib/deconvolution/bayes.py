"""Bayesian estimates of flow, volume, transit time and delay by summing over a dictionary.

The likelihood of a curve ``c`` of noise σ under an atom of unit norm ``u`` is, with the best height ``s = c·u``,
``exp(s²/2σ²)`` up to a constant; heights are as likely anywhere above 0 (Mouridsen et al. 2006,
doi:10.1016/j.neuroimage.2006.06.015; Boutelier et al. 2012, doi:10.1109/TMI.2012.2189890). The delay is summed over in
closed form (Laplace's method on the parabola through three delays), transit times and shapes one by one; what comes
out are posterior means and standard deviations. Two families are held equally likely: gamma-distributed transit times
and equal ones (`transit`), because a box fitted to exponential tissue reads its flow a third too low, and the other
way round twice too high.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import IntArray, Volume
from PyPeTLib.deconvolution.dictionary import LAG_STEP, REACH, Dictionary
from PyPeTLib.deconvolution.methods import METHODS, Estimate, Problem, Solver
from PyPeTLib.execution import voxel_slices

VOXELS_AT_ONCE = 128
"""Voxels whose scores fit into a core's cache."""
FITTED = 5
"""Parameters that a curve determines: height, delay, transit time, shape and baseline."""
LEAST_NOISE = 0.1
"""Noise is never taken for less than this share of a curve's root mean square.

Clinical curves have more. With less, a curve that lies between the atoms would be given to one of them alone, and its
flow would jump with delay and sampling.
"""
FLAT_VARIANCE = (2 * REACH * LAG_STEP) ** 2 / 12
"""Variance in s² of a delay of which nothing is known but that it lies within reach."""
LEAST_SPREAD = 0.02
"""Squared coefficient of variation below which transit times count as equal: shapes are reported up to 50."""


@METHODS.register(
    "gamma-bayes",
    summary="posterior means and uncertainties over gamma-distributed and equal transit times; insensitive to delay",
    source="Mouridsen et al. 2006, doi:10.1016/j.neuroimage.2006.06.015; Boutelier et al. 2012, "
    "doi:10.1109/TMI.2012.2189890",
    traits=("delay-insensitive", "transit-times", "volume", "posterior", "pooled-noise", "lesions"),
)
def gamma_bayes(problem: Problem) -> Solver:
    """Each voxel by itself."""
    return BayesSolver(problem)


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a neighbourhood says about delay and residue: the mean of its curves' products, and how much it counts.

    Attributes
    ----------
    products : ndarray of float32, shape (voxels, pairs)
        Mean of ``c_p·c_q`` over the neighbourhood for each pair of components p ≤ q, doubled where they differ.
    pairs : ndarray of float32, shape (lags, residues, pairs)
        The same products of the atoms, not doubled: the scalar product with them is the mean square of a score.
    count : ndarray of float32, shape (voxels,)
        How many independent curves the neighbourhood is worth.
    """

    products: Volume
    pairs: Volume
    count: Volume


class BayesSolver:
    """The posterior of each curve over one dictionary.

    ``noise`` is the standard deviation of one sample, in the unit of the curves.
    """

    def __init__(self, problem: Problem) -> None:
        self.dictionary = Dictionary(problem)
        self.noise = np.float32(problem.noise)
        self._frames = problem.times.size
        residues = self.dictionary.residues
        self._transit = residues.transit.astype(np.float32)
        self._spread = residues.spread.astype(np.float32)
        self._tmax_shift = _tmax_shift(problem, self.dictionary)

    def __call__(self, curves: Volume) -> Estimate:
        """Posterior means and standard deviations for curves of shape (voxels, t)."""
        reduced = self.dictionary.reduced(curves)
        return self.estimate(reduced, energy_of(curves), self.dictionary.nearest_lags(reduced))

    def estimate(self, reduced: Volume, energy: Volume, near: IntArray, evidence: Evidence | None = None) -> Estimate:
        """Estimates of curves in temporal components.

        Parameters
        ----------
        reduced : ndarray of float32, shape (voxels, components)
        energy : ndarray of float32, shape (voxels,)
            Of each whole curve (`energy_of`).
        near : ndarray of int, shape (voxels,)
            Place of the delay around which to look.
        evidence : Evidence, optional
            What neighbourhoods say about delay and residue; else each voxel speaks for itself.
        """
        order = np.argsort(near, kind="stable")
        bounds = np.flatnonzero(np.diff(near[order])) + 1
        parts = [group[part] for group in np.split(order, bounds) for part in voxel_slices(group.size, VOXELS_AT_ONCE)]
        found = [self._posterior(voxels, reduced, energy, int(near[voxels[0]]), evidence) for voxels in parts]
        whole = Estimate.empty(found[0], len(reduced))
        for voxels, piece in zip(parts, found, strict=True):
            whole.fill(voxels, piece)
        return whole

    def _posterior(
        self, voxels: IntArray, reduced: Volume, energy: Volume, around: int, evidence: Evidence | None
    ) -> Estimate:
        """Estimates of voxels whose delays lie near the same place."""
        window = slice(around - REACH, around + REACH + 1)
        scores = self._against(self.dictionary.units[window], reduced[voxels])
        support = scores
        if evidence is not None:
            # the root keeps it on the scale of a score, whose square is the evidence
            support = np.sqrt(np.maximum(self._against(evidence.pairs[window], evidence.products[voxels]), 0))
        near = _Nearby(support)
        before, at, after = near.of(scores)
        variance = self._variance(energy[voxels], at.max(axis=1))
        weight = 0.5 / variance if evidence is None else 0.5 * evidence.count[voxels] / variance
        low, mid, high = (
            np.square(np.maximum(value, 0)) * weight[:, None]
            for value in ((before, at, after) if support is scores else near.of(support))
        )
        # no curve tells the delay worse than knowing nothing of it within reach
        bend = np.minimum(low - 2 * mid + high, np.float32(-(LAG_STEP**2) / FLAT_VARIANCE))
        slope = low - high
        shift = np.maximum(np.minimum(0.5 * slope / bend, 1), -1)
        # over so short a distance the prior does not bend the parabola
        log_weights = mid + near.shared(self.dictionary.log_prior[window])
        log_weights -= 0.25 * slope * shift + 0.5 * np.log(-bend)
        log_weights -= log_weights.max(axis=1, keepdims=True)
        weights = np.exp(log_weights)
        weights /= weights.sum(axis=1, keepdims=True)

        score = at + 0.5 * shift * (after - before) + 0.5 * shift**2 * (before - 2 * at + after)
        norms = self.dictionary.norms[window]
        norm = near.shared(norms) + shift * near.shared(np.gradient(norms, axis=0))
        flow = np.maximum(score, 0) / norm
        first = np.float32(self.dictionary.lags[window.start])
        lag = first + np.float32(LAG_STEP) * (near.place.astype(np.float32) + shift)
        return self._moments(weights, flow, lag, variance[:, None] / norm**2, LAG_STEP**2 / -bend)

    def _moments(
        self, weights: Volume, flow: Volume, lag: Volume, flow_variance: Volume, lag_variance: Volume
    ) -> Estimate:
        """Means and standard deviations; all arrays of shape (voxels, residues)."""
        transit = self._transit

        def mean(values: Volume) -> Volume:
            return np.asarray(np.einsum("vr,vr->v", weights, values), np.float32)

        def deviation(values: Volume, middle: Volume, within: Volume | float = 0.0) -> Volume:
            return np.sqrt(mean((values - middle[:, None]) ** 2 + within))

        volumes = flow * transit
        flow_mean, volume_mean, lag_mean = mean(flow), mean(volumes), mean(lag)
        transit_mean = weights @ transit
        shown = flow_mean > 0
        spread = np.maximum(weights @ self._spread, LEAST_SPREAD)
        return Estimate(
            peak=flow_mean,
            time_of_peak=lag_mean + weights @ self._tmax_shift,
            delay=lag_mean,
            volume=volume_mean,
            shape=np.where(shown, 1 / spread, 0).astype(np.float32),
            peak_sd=deviation(flow, flow_mean, flow_variance),
            volume_sd=deviation(volumes, volume_mean, flow_variance * transit**2),
            transit_time_sd=np.sqrt(np.maximum(weights @ transit**2 - transit_mean**2, 0)),
            delay_sd=deviation(lag, lag_mean, lag_variance),
        )

    def _variance(self, energy: Volume, best: Volume) -> Volume:
        """Variance of one sample: that of the noise, or what the best atom leaves where this is more."""
        left = np.maximum(energy - best**2, 0) / max(1, self._frames - FITTED)
        least = np.float32(LEAST_NOISE**2 / self._frames) * energy
        variance: Volume = np.maximum(np.maximum(self.noise**2, left), np.maximum(least, np.float32(1e-30)))
        return variance

    @staticmethod
    def _against(atoms: Volume, features: Volume) -> Volume:
        """Products of features ``(voxels, n)`` with atoms ``(lags, residues, n)``, shape (voxels, lags, residues)."""
        lags, residues, n = atoms.shape
        products: Volume = (features @ atoms.reshape(-1, n).T).reshape(-1, lags, residues)
        return products


def energy_of(curves: Volume) -> Volume:
    """Sum of squares of each curve about its mean over the frames, shape (voxels,)."""
    total = np.einsum("vt,vt->v", curves, curves) - curves.shape[1] * curves.mean(axis=1) ** 2
    return np.asarray(np.maximum(total, 0), np.float32)


class _Nearby:
    """The best delay of each voxel and residue, never the first or the last one, and its neighbours.

    ``place`` holds the places, shape (voxels, residues).
    """

    def __init__(self, support: Volume) -> None:
        voxels, lags, residues = support.shape
        best = support[:, 1].copy()
        place = np.ones(best.shape, np.uint8)
        for lag in range(2, lags - 1):
            # later places are higher numbers, so the highest one that was better when it came is the best
            np.maximum(place, (support[:, lag] > best) * np.uint8(lag), out=place)
            np.maximum(best, support[:, lag], out=best)
        self.place: IntArray = place.astype(np.intp)
        self._residues = residues
        self._shared = self.place * residues + np.arange(residues)
        self._own = self._shared + np.arange(voxels)[:, None] * (lags * residues)

    def of(self, values: Volume) -> tuple[Volume, Volume, Volume]:
        """Values ``(voxels, lags, residues)`` before, at and after the best delay, each (voxels, residues)."""
        before, at, after = (values.take(self._own + step * self._residues) for step in (-1, 0, 1))
        return before, at, after

    def shared(self, values: Volume) -> Volume:
        """Values ``(lags, residues)`` that all voxels share, at the best delay."""
        return np.asarray(values.take(self._shared), np.float32)


def _tmax_shift(problem: Problem, dictionary: Dictionary) -> Volume:
    """For each residue how much later than the delay ``bsvd`` reads Tmax, in s.

    A modelled response is highest where it begins. Thresholds of Tmax are made for the smoothed responses of the
    singular value methods, so Tmax is what these would read from the modelled curve.
    """
    read = METHODS["bsvd"](problem)(dictionary.undelayed).time_of_peak
    assert read is not None  # noqa: S101 - bsvd has a Tmax
    return read
