"""Arteries by cluster analysis, after Mouridsen et al. 2006.

Curves with a small area and rough ones are dropped, the others scaled to unit area and parted by k-means; the cluster
whose mean curve has the lowest first moment is parted once more, and the one with the lowest first moment among its
parts holds the arteries. What differs from the paper: only the frames of the first pass are looked at, because the
moment of a whole curve depends on noise and recirculation; roughness is measured outside of it, because of all curves
of unit area that of an undiluted artery is bent most; the clustering starts from groups of equal size by first moment
and not from random curves, so that it always ends the same; and the brightest voxels of the last cluster make the
curve, because over a whole head its other voxels are diluted by tissue.
"""

from __future__ import annotations

import numpy as np
import scipy  # its parts are imported when they are first used

from PyPeTLib.aif.measuring import brightest, judged, measured_cluster, ranked
from PyPeTLib.aif.model import AIF_RULES, ArterySearch, Cluster
from PyPeTLib.arrays import Curve, IntArray, Volume
from PyPeTLib.contrast.features import curve_areas, smooth_in_time
from PyPeTLib.errors import InputError

SMALL_AREA = 0.90
"""Share of the curves, those with the smallest areas, that are dropped first (Mouridsen et al. 2006)."""
ROUGH = 0.25
"""Share of the remaining curves, the roughest, that are dropped then."""
LOW = 0.25
"""The first pass through the brain ends where its mean curve falls below this share of its peak."""
FEWEST_OUTSIDE = 4
CLUSTERS = 5
ITERATIONS = 40


@AIF_RULES.register(
    "mouridsen",
    summary="k-means in two passes on curves of unit area; the cluster with the lowest first moment",
    source="Mouridsen et al. 2006, doi:10.1002/mrm.20759",
)
def mouridsen(scene: ArterySearch) -> list[Cluster]:
    """The brightest voxels of each cluster of the second pass, earliest first moment first, then those of the first."""
    inside = np.flatnonzero(scene.search[scene.mask])
    window = _first_pass(scene)
    times, curves = scene.times[window], scene.curves[inside][:, window]
    area = curve_areas(curves, times)
    if inside.size < 3 or area.max() <= 0:
        raise InputError("no artery was found: nothing takes up contrast where arteries are sought")
    kept = np.flatnonzero((area > 0) & (area >= np.quantile(area, SMALL_AREA)))
    unit = np.asarray(curves[kept] / area[kept, None], np.float32)
    rough = _roughness(scene, inside[kept]) / area[kept]
    smooth = rough <= np.quantile(rough, 1 - ROUGH)
    kept, unit = kept[smooth], unit[smooth]
    if kept.size < 3:
        raise InputError("no artery was found: hardly any curve is large and smooth enough")
    first = _parted(unit, times)
    second = [first[0][part] for part in _parted(unit[first[0]], times)]
    positions = np.argwhere(scene.mask)[inside]
    found = []
    for members, verdict in [*((m, "") for m in second), *((m, "lost: left out in the first pass") for m in first[1:])]:
        voxels = kept[members]
        core = voxels[brightest(smooth_in_time(curves[voxels]).max(axis=1), scene.grid, scene.options)]
        cluster = measured_cluster(scene, inside[core], positions[core], verdict=verdict)
        moment = float(first_moments(unit[members].mean(axis=0, keepdims=True), times)[0])
        found.append(judged(cluster, -moment))
    return ranked(found, "taken: lowest first moment")


def _first_pass(scene: ArterySearch) -> slice:
    """Frames from the end of the baseline until the brain's mean curve has fallen low."""
    tracked = scene.bolus.tracked
    top = int(tracked.argmax())
    low = np.flatnonzero(tracked[top:] < LOW * tracked[top])
    end = top + int(low[0]) + 1 if low.size else tracked.size
    return slice(max(0, scene.bolus.baseline.stop - 1), end)


def _roughness(scene: ArterySearch, voxels: IntArray) -> Curve:
    """Root of the summed squares of the second differences outside the first pass; of all where it leaves too few."""
    window = _first_pass(scene)
    outside = np.ones(scene.times.size - 2, bool)
    outside[max(0, window.start - 2) : window.stop] = False
    if np.count_nonzero(outside) < FEWEST_OUTSIDE:
        outside[:] = True
    bends = np.diff(scene.curves[voxels], 2, axis=1)[:, outside]
    return np.asarray(np.sqrt((bends**2).sum(axis=1)), np.float64)


def first_moments(curves: Volume, times: Curve) -> Curve:
    """Mean time of each curve in s, weighted by its height."""
    area = curve_areas(curves, times)
    return curve_areas(curves * times, times) / area


def _parted(unit: Volume, times: Curve) -> list[IntArray]:
    """Clusters of curves of unit area, the one with the lowest first moment first."""
    by_moment = np.argsort(first_moments(unit, times), kind="stable")
    for count in range(min(CLUSTERS, len(unit)), 1, -1):
        start = np.stack([unit[group].mean(axis=0) for group in np.array_split(by_moment, count)])
        try:
            means, labels = scipy.cluster.vq.kmeans2(unit, start, iter=ITERATIONS, minit="matrix", missing="raise")
        except scipy.cluster.vq.ClusterError:
            # the curves have fewer shapes than that
            continue
        order = np.argsort(first_moments(means, times), kind="stable")
        return [np.flatnonzero(labels == label) for label in order]
    return [by_moment]
