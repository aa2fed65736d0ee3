"""The arterial input function found in the data by one of the rules."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from PyPeTLib.aif.candidates import enhancing_voxels
from PyPeTLib.aif.model import AIF_RULES, AIFOptions, ArterialInputFunction, ArterySearch
from PyPeTLib.arrays import Curve, Mask, Volume
from PyPeTLib.contrast import BolusArrival
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid, places_of


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
        ``options.rule`` names one of `AIF_RULES`.

    Raises
    ------
    InputError
        If no voxel looks like an artery.
    """
    scene = ArterySearch(curves=curves, mask=mask, search=search, grid=grid, times=times, bolus=bolus, options=options)
    clusters = AIF_RULES[options.rule](scene)
    best = clusters[0]
    chosen = np.zeros(grid.shape, bool)
    chosen[tuple(places_of(mask, best.voxels).T)] = True
    return ArterialInputFunction(
        measured=best.curve,
        fit=best.fit,
        mask=chosen,
        source="automatic",
        candidates=tuple(
            replace(cluster.candidate, places=places_of(mask, cluster.voxels), curve=cluster.curve)
            for cluster in clusters
        ),
        baseline_noise=float(best.curve[bolus.baseline].std()),
    )


def earliest_arrival(
    curves: Volume, mask: Mask, search: Mask, times: Curve, bolus: BolusArrival, options: AIFOptions
) -> float:
    """Time in s at which the earliest of the strongly enhancing voxels pass half their peak; see `select_aif`.

    Raises
    ------
    InputError
        If hardly any voxel's contrast stands out of the noise.
    """
    found = enhancing_voxels(curves, search[mask], times, bolus.baseline, options)
    if found is None:
        raise InputError("nothing in the brain takes up enough contrast")
    return found.earliest
