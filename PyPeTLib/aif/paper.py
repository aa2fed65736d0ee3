"""The rule of PyPeT's paper: volume times peak over the error of the gamma-variate fit.

Kept for comparison. What it gets wrong: the volume in the score prefers large patches to arteries, which are small; a
large area under the curve is a vein's mark more than an artery's; times to the peak come in whole frames, so that many
voxels tie; and the whole cluster makes the curve, its diluted rim included. Unlike in the published program, clusters
are not dilated, and volumes are in mm³, not in voxels.
"""

from __future__ import annotations

import numpy as np

from PyPeTLib.aif.candidates import NOISIEST_BASELINE, connected
from PyPeTLib.aif.measuring import judged, measured_cluster, ranked
from PyPeTLib.aif.model import AIF_RULES, ArterySearch, Cluster
from PyPeTLib.arrays import IntArray
from PyPeTLib.contrast.features import curve_areas
from PyPeTLib.errors import InputError

PERCENTILES = ((5.0, 95.0), (10.0, 90.0), (15.0, 85.0), (20.0, 80.0), (25.0, 75.0))
"""Steps of the search: highest percentile of the time to the peak, lowest of the area under the curve.

The paper gives the principle; these figures are this project's.
"""
MOST_CLUSTERS = 30


@AIF_RULES.register(
    "paper",
    summary="PyPeT's paper, for comparison: volume × peak / error of the gamma fit; prefers large patches",
    source="Borghouts and Su 2025, doi:10.48550/arXiv.2511.13310",
)
def paper(scene: ArterySearch) -> list[Cluster]:
    """Clusters of early voxels with a large area, best score first."""
    inside = np.flatnonzero(scene.search[scene.mask])
    curves = scene.curves[inside]
    if inside.size < 3 or curves.max() <= 0:
        raise InputError("no artery was found: nothing takes up contrast where arteries are sought")
    positions = np.argwhere(scene.mask)[inside]
    area = curve_areas(curves, scene.times)
    peak_times = scene.times[curves.argmax(axis=1)]
    for early, large in PERCENTILES:
        passing = (peak_times <= np.percentile(peak_times, early)) & (area >= np.percentile(area, large))
        scored = _scored(scene, inside, positions, np.flatnonzero(passing))
        if any(np.isfinite(cluster.candidate.score) for cluster in scored):
            return ranked(scored, "taken: highest volume × peak / error")
    raise InputError("no artery was found: no cluster has a fitting size and the shape of a bolus")


def _scored(scene: ArterySearch, inside: IntArray, positions: IntArray, passing: IntArray) -> list[Cluster]:
    """The largest connected clusters with their scores; −∞ for those that are excluded."""
    voxel_volume, options = scene.grid.voxel_volume, scene.options
    pool = [
        c for c in connected(passing, positions, scene.grid.shape) if c.size * voxel_volume >= options.minimum_volume
    ]
    pool.sort(key=lambda cluster: -cluster.size)
    scored = []
    for members in pool[:MOST_CLUSTERS]:
        cluster = measured_cluster(scene, inside[members], positions[members])
        facts = cluster.candidate
        if facts.volume > options.maximum_volume:
            verdict = f"lost: {facts.volume:.0f} mm3 is more than the limit of {options.maximum_volume:.0f} mm3"
            scored.append(judged(cluster, -np.inf, verdict))
        elif cluster.fit is None:
            scored.append(judged(cluster, -np.inf, "lost: no gamma variate fits it"))
        elif facts.quality.contrast_to_noise * NOISIEST_BASELINE < 1 and facts.quality.contrast_to_noise > 0:
            scored.append(judged(cluster, -np.inf, "lost: its curve is too noisy"))
        else:
            error = float(np.sqrt(np.mean((cluster.fit(scene.times) - cluster.curve) ** 2)))
            scored.append(judged(cluster, facts.volume * facts.peak / max(error, 1e-6 * facts.peak)))
    return scored
