"""The default rule: clusters of early and strongly enhancing voxels, scored by height, arrival, width and shape."""

from __future__ import annotations

import numpy as np

from PyPeTLib.aif.candidates import RELAXATION, Enhancement, clusters, enhancing_voxels
from PyPeTLib.aif.measuring import brightest, judged, measured_cluster, ranked
from PyPeTLib.aif.model import AIF_RULES, ArterySearch, Cluster
from PyPeTLib.arrays import IntArray
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import places_of

ENOUGH_CLUSTERS = 3
"""The search stops relaxing once this many clusters of the right size were found."""
MOST_CLUSTERS = 30
"""At most this many clusters, the strongest ones, are measured closely."""


@AIF_RULES.register(
    "cluster-score",
    summary="early, high clusters by relaxed thresholds; scored by peak, arrival, width, roughness and gamma fit",
    source="thresholds after Borghouts and Su 2025, doi:10.48550/arXiv.2511.13310; the score is this project's",
)
def cluster_score(scene: ArterySearch) -> list[Cluster]:
    """Clusters of the first step of the relaxation that gives enough of them, best score first."""
    found, positions = enhancement(scene)
    pool, losers = _gather(scene, found, positions)
    if not pool:
        raise InputError("no artery was found: no cluster of early and strongly enhancing voxels has a fitting size")
    measured = []
    for cluster in pool:
        # the rim of a cluster is diluted by partial volume
        core = cluster[brightest(found.features.peak[cluster], scene.grid, scene.options)]
        measured.append(measured_cluster(scene, found.voxels[core], positions[core]))
    return ranked(_scored(measured), "taken: highest score") + losers


def enhancement(scene: ArterySearch) -> tuple[Enhancement, IntArray]:
    """The strongly enhancing voxels and their indices in the volume, shape (n, 3).

    Raises
    ------
    InputError
        If hardly any voxel's contrast stands out of the noise.
    """
    found = enhancing_voxels(scene.curves, scene.search[scene.mask], scene.times, scene.bolus.baseline, scene.options)
    if found is None:
        raise InputError("no artery was found: no voxel's contrast stands far enough out of the noise")
    return found, places_of(scene.mask, found.voxels)


def _gather(scene: ArterySearch, found: Enhancement, positions: IntArray) -> tuple[list[IntArray], list[Cluster]]:
    """Clusters of the first step that gives enough of them, and those that are too large."""
    options, voxel_volume = scene.options, scene.grid.voxel_volume
    pool: list[IntArray] = []
    too_large: list[IntArray] = []
    for step in RELAXATION:
        some = [c for c in clusters(found, positions, scene.grid.shape, step) if c.size >= 2]
        some = [c for c in some if c.size * voxel_volume >= options.minimum_volume]
        pool = [c for c in some if c.size * voxel_volume <= options.maximum_volume]
        too_large = [c for c in some if c.size * voxel_volume > options.maximum_volume]
        if len(pool) >= ENOUGH_CLUSTERS:
            break
    pool.sort(key=lambda cluster: -float(found.features.peak[cluster].max()))
    losers = []
    for cluster in too_large:
        verdict = (
            f"lost: {cluster.size * voxel_volume:.0f} mm3 is more than the limit of {options.maximum_volume:.0f} mm3"
        )
        losers.append(judged(measured_cluster(scene, found.voxels[cluster], positions[cluster]), -np.inf, verdict))
    return pool[:MOST_CLUSTERS], losers


def _scored(measured: list[Cluster]) -> list[Cluster]:
    """Scores from 0 (worst) to about 1: high, early, narrow, smooth, and shaped like one pass of a bolus."""
    candidates = [cluster.candidate for cluster in measured]
    narrowest = min(c.width for c in candidates)
    highest = max(c.peak for c in candidates)
    earliest = min(c.arrival for c in candidates)
    return [
        judged(
            cluster,
            c.peak / highest
            - 0.15 * (c.arrival - earliest)
            - 0.10 * (c.width - narrowest)
            - 0.5 * max(0.0, c.roughness - 1.0)
            - 2.0 * max(0.0, 0.95 - c.fit_r_squared),
        )
        for cluster, c in zip(measured, candidates, strict=True)
    ]
