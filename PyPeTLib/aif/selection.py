"""The arterial input function found in the data: clusters scored, the best one taken."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from PyPeTLib.aif.candidates import RELAXATION, Enhancement, clusters, enhancing_voxels
from PyPeTLib.aif.gamma_variate import GammaVariate, fit_gamma_variate
from PyPeTLib.aif.model import AIFOptions, ArterialInputFunction, Candidate
from PyPeTLib.arrays import Curve, IntArray, Mask, Volume
from PyPeTLib.contrast import BolusArrival
from PyPeTLib.contrast.features import curve_features, roughness, smooth_in_time
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid

ENOUGH_CLUSTERS = 3
"""The search stops relaxing once this many clusters of the right size were found."""
FAINTEST = 0.7
"""Voxels with a lower share of the highest peak are diluted too much to make a curve."""
MOST_CLUSTERS = 30
"""At most this many clusters, the strongest ones, are measured closely."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Cluster:
    voxels: IntArray
    curve: Curve
    fit: GammaVariate | None
    candidate: Candidate


def select_aif(
    curves: Volume, mask: Mask, search: Mask, grid: Grid, times: Curve, bolus: BolusArrival, options: AIFOptions
) -> ArterialInputFunction:
    """Find the arterial input function in concentration curves that were not smoothed in space.

    Parameters
    ----------
    curves : ndarray of float32, shape (voxels, t)
        Concentration of the voxels of ``mask``.
    mask, search : ndarray of bool, shape (x, y, z)
        The brain, and the part of it where arteries are sought.
    grid : Grid
    times : ndarray, shape (t,)
    bolus : BolusArrival
    options : AIFOptions

    Raises
    ------
    InputError
        If no voxel looks like an artery.
    """
    found = enhancing_voxels(curves, search[mask], times, bolus.baseline, options)
    if found is None:
        raise InputError("no artery was found: no voxel's contrast stands far enough out of the noise")
    positions = np.argwhere(mask)[found.voxels]
    pool, losers = _gather(found, positions, grid, options)
    if not pool:
        raise InputError("no artery was found: no cluster of early and strongly enhancing voxels has a fitting size")
    measured = [_measure(found, curves, cluster, positions, grid, times, options) for cluster in pool]
    scored = _score(measured)
    best = max(scored, key=lambda cluster: cluster.candidate.score)
    ranked = sorted((c for c in scored if c is not best), key=lambda c: -c.candidate.score)
    chosen = np.zeros(grid.shape, bool)
    chosen[tuple(np.argwhere(mask)[best.voxels].T)] = True
    return ArterialInputFunction(
        measured=best.curve,
        fit=best.fit,
        mask=chosen,
        source="automatic",
        candidates=(
            replace(best.candidate, verdict="taken: highest score"),
            *(replace(c.candidate, verdict=_why_lost(c.candidate, best.candidate)) for c in ranked),
            *losers,
        ),
        baseline_noise=float(best.curve[bolus.baseline].std()),
    )


def _gather(
    found: Enhancement, positions: IntArray, grid: Grid, options: AIFOptions
) -> tuple[list[IntArray], list[Candidate]]:
    """Clusters of the first step of the relaxation that gives enough of them, and those of a wrong size."""
    pool: list[IntArray] = []
    losers: list[Candidate] = []
    for step in RELAXATION:
        pool, losers = [], []
        for cluster in clusters(found, positions, grid.shape, step):
            volume = cluster.size * grid.voxel_volume
            if volume < options.minimum_volume or cluster.size < 2:
                continue
            if volume > options.maximum_volume:
                losers.append(_wrong_size(found, cluster, positions, grid, options))
            else:
                pool.append(cluster)
        if len(pool) >= ENOUGH_CLUSTERS:
            break
    pool.sort(key=lambda cluster: -float(found.features.peak[cluster].max()))
    return pool[:MOST_CLUSTERS], losers


def _centre(positions: IntArray, grid: Grid) -> tuple[float, float, float]:
    x, y, z = (grid.affine @ [*positions.mean(axis=0), 1.0])[:3]
    return float(x), float(y), float(z)


def _wrong_size(
    found: Enhancement, cluster: IntArray, positions: IntArray, grid: Grid, options: AIFOptions
) -> Candidate:
    volume = cluster.size * grid.voxel_volume
    return Candidate(
        centre=_centre(positions[cluster], grid),
        volume=volume,
        peak=float(found.features.peak[cluster].max()),
        arrival=float(np.median(found.features.arrival[cluster])),
        width=float(np.median(found.features.width[cluster])),
        roughness=0.0,
        fit_r_squared=0.0,
        score=-np.inf,
        verdict=f"lost: {volume:.0f} mm3 is more than the limit of {options.maximum_volume:.0f} mm3",
    )


def _measure(
    found: Enhancement,
    curves: Volume,
    cluster: IntArray,
    positions: IntArray,
    grid: Grid,
    times: Curve,
    options: AIFOptions,
) -> _Cluster:
    """The cluster's brightest part and its mean curve: its rim is diluted by partial volume."""
    core = cluster[brightest(found.features.peak[cluster], grid, options)]
    voxels = found.voxels[core]
    curve = curves[voxels].mean(axis=0, dtype=np.float64)
    smooth = smooth_in_time(curve[None].astype(np.float32))
    features = curve_features(smooth, times)
    fit = fit_gamma_variate(curve, times)
    return _Cluster(
        voxels=np.sort(voxels),
        curve=curve,
        fit=fit,
        candidate=Candidate(
            centre=_centre(positions[core], grid),
            volume=float(core.size * grid.voxel_volume),
            peak=float(features.peak[0]),
            arrival=float(features.arrival[0]),
            width=float(features.width[0]),
            roughness=roughness(curve),
            fit_r_squared=fit.r_squared if fit is not None else 0.0,
            score=0.0,
            verdict="",
        ),
    )


def brightest(peak: Curve, grid: Grid, options: AIFOptions) -> IntArray:
    """Positions of the voxels that make the curve of an artery: the highest peaks, up to the target volume."""
    count = max(2, round(options.target_volume / grid.voxel_volume))
    highest = np.argsort(-peak, kind="stable")[:count]
    bright: IntArray = highest[peak[highest] >= FAINTEST * peak[highest[0]]]
    return bright


def _score(measured: list[_Cluster]) -> list[_Cluster]:
    """Scores from 0 (worst) to about 1: high, early, narrow, smooth, and shaped like one pass of a bolus."""
    narrowest = min(c.candidate.width for c in measured)
    highest = max(c.candidate.peak for c in measured)
    earliest = min(c.candidate.arrival for c in measured)
    scored = []
    for cluster in measured:
        c = cluster.candidate
        score = (
            c.peak / highest
            - 0.15 * (c.arrival - earliest)
            - 0.10 * (c.width - narrowest)
            - 0.5 * max(0.0, c.roughness - 1.0)
            - 2.0 * max(0.0, 0.95 - c.fit_r_squared)
        )
        scored.append(replace(cluster, candidate=replace(c, score=float(score))))
    return scored


def _why_lost(candidate: Candidate, best: Candidate) -> str:
    reasons = []
    if candidate.peak < 0.9 * best.peak:
        reasons.append(f"its peak is {candidate.peak / best.peak:.0%} of the best one's")
    if candidate.arrival > best.arrival + 0.3:
        reasons.append(f"it arrives {candidate.arrival - best.arrival:.1f} s later")
    if candidate.width > best.width + 0.5:
        reasons.append(f"it is {candidate.width - best.width:.1f} s wider")
    if candidate.roughness > best.roughness + 0.2:
        reasons.append("it is rougher")
    if candidate.fit_r_squared < min(0.95, best.fit_r_squared - 0.02):
        reasons.append(f"a gamma variate explains {candidate.fit_r_squared:.0%} of it")
    return "lost: " + ("; ".join(reasons) if reasons else "its score is lower")
