"""Voxels scored by peak, arrival and width, after Straka et al. 2010, then clustered.

The published score is kept in kind, a weighted sum of standardised figures. Two known weaknesses of programs that use
it are avoided: arrival is measured between frames, so that it does not tie or jump, and noise before the *arterial*
onset, so that an artery that leads the tissue by seconds is not taken for a noisy one.
"""

from __future__ import annotations

import numpy as np

from PyPeTLib.aif.candidates import Enhancement, connected
from PyPeTLib.aif.cluster_score import enhancement
from PyPeTLib.aif.measuring import brightest, judged, measured_cluster, ranked
from PyPeTLib.aif.model import AIF_RULES, ArterySearch, Cluster
from PyPeTLib.arrays import Curve, IntArray
from PyPeTLib.errors import InputError

ARRIVAL_WEIGHT = 1.0
WIDTH_WEIGHT = 1.0
BEST_SHARES = (0.02, 0.05, 0.10, 0.20)
"""Shares of the enhancing voxels, by score, in which clusters are sought until some have a fitting size."""
ENOUGH_CLUSTERS = 3
MOST_CLUSTERS = 30


@AIF_RULES.register(
    "straka",
    summary="voxels scored by peak minus arrival minus width, each standardised; clusters of the best of them",
    source="Straka et al. 2010, doi:10.1002/jmri.22338; arrival between frames, noise before the arterial onset",
)
def straka(scene: ArterySearch) -> list[Cluster]:
    """Clusters of voxels with high scores, the best first."""
    found, positions = enhancement(scene)
    score = voxel_scores(found)
    pool: list[IntArray] = []
    for share in BEST_SHARES:
        passing = np.flatnonzero(score >= np.quantile(score, 1 - share))
        pool = [
            cluster
            for cluster in connected(passing, positions, scene.grid.shape)
            if cluster.size >= 2
            and scene.options.minimum_volume <= cluster.size * scene.grid.voxel_volume <= scene.options.maximum_volume
        ]
        if len(pool) >= ENOUGH_CLUSTERS:
            break
    if not pool:
        raise InputError("no artery was found: no cluster of voxels with a high score has a fitting size")
    pool.sort(key=lambda cluster: -float(score[cluster].max()))
    scored = []
    for cluster in pool[:MOST_CLUSTERS]:
        core = cluster[brightest(found.features.peak[cluster], scene.grid, scene.options)]
        measured = measured_cluster(scene, found.voxels[core], positions[core])
        scored.append(judged(measured, float(score[core].mean())))
    return ranked(scored, "taken: highest mean score of its brightest voxels")


def voxel_scores(found: Enhancement) -> Curve:
    """Peak minus arrival minus width, each in robust standard deviations over the enhancing voxels."""
    features = found.features
    return (
        _standardised(features.peak)
        - ARRIVAL_WEIGHT * _standardised(features.arrival)
        - WIDTH_WEIGHT * _standardised(features.width)
    )


def _standardised(values: Curve) -> Curve:
    """Distance from the median in units of the spread, as the middle half of the values shows it."""
    low, middle, high = np.percentile(values, (25, 50, 75))
    spread = (high - low) / 1.349
    return np.asarray((values - middle) / spread if spread > 0 else np.zeros_like(values), np.float64)
