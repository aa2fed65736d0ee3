"""Clusters measured: their brightest part, its curve, and the facts by which rules choose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from PyPeTLib.aif.curve_quality import curve_quality
from PyPeTLib.aif.gamma_variate import fit_gamma_variate
from PyPeTLib.aif.model import AIFOptions, ArterySearch, Candidate, Cluster
from PyPeTLib.arrays import Curve, IntArray
from PyPeTLib.contrast.features import roughness
from PyPeTLib.geometry import Grid

FAINTEST = 0.7
"""Voxels with a lower share of the highest peak are diluted too much to make a curve."""


def brightest(peak: Curve, grid: Grid, options: AIFOptions) -> IntArray:
    """Positions of the voxels that make the curve of an artery: the highest peaks, up to the target volume."""
    count = max(2, round(options.target_volume / grid.voxel_volume))
    highest = np.argsort(-peak, kind="stable")[:count]
    bright: IntArray = highest[peak[highest] >= FAINTEST * peak[highest[0]]]
    return bright


def measured_cluster(scene: ArterySearch, voxels: IntArray, positions: IntArray, *, verdict: str = "") -> Cluster:
    """Mean curve of voxels and the facts about it; the score is left at 0.

    Parameters
    ----------
    scene : ArterySearch
    voxels : ndarray of int, shape (n,)
        Positions in the list of the mask's voxels.
    positions : ndarray of int, shape (n, 3)
        Their voxel indices in the volume.
    verdict : str
    """
    voxels = np.sort(voxels)
    curve = scene.curves[voxels].mean(axis=0, dtype=np.float64)
    fit = fit_gamma_variate(curve, scene.times)
    quality = curve_quality(
        curve,
        scene.times,
        noise=float(curve[scene.bolus.baseline].std()),
        tissue=scene.bolus.tracked,
        fit_r_squared=fit.r_squared if fit is not None else 0.0,
    )
    candidate = Candidate(
        centre=centre(positions, scene.grid),
        volume=float(voxels.size * scene.grid.voxel_volume),
        quality=quality,
        roughness=roughness(curve),
        score=0.0,
        verdict=verdict,
    )
    return Cluster(voxels=voxels, curve=curve, fit=fit, candidate=candidate)


def centre(positions: IntArray, grid: Grid) -> tuple[float, float, float]:
    """Mean place of voxels in RAS+ mm."""
    x, y, z = (grid.affine @ [*positions.mean(axis=0), 1.0])[:3]
    return float(x), float(y), float(z)


def judged(cluster: Cluster, score: float, verdict: str | None = None) -> Cluster:
    """The cluster with a score, and with a verdict if one is given."""
    words = cluster.candidate.verdict if verdict is None else verdict
    return replace(cluster, candidate=replace(cluster.candidate, score=float(score), verdict=words))


def ranked(scored: list[Cluster], taken: str) -> list[Cluster]:
    """Clusters by falling score; the first one's verdict is as given, the others' say in what they fall behind it."""
    ordered = sorted(scored, key=lambda cluster: -cluster.candidate.score)
    best = ordered[0].candidate
    others = [judged(c, c.candidate.score, c.candidate.verdict or why_lost(c.candidate, best)) for c in ordered[1:]]
    return [judged(ordered[0], best.score, taken), *others]


def why_lost(candidate: Candidate, best: Candidate) -> str:
    """In what a candidate falls behind the one that was taken."""
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
