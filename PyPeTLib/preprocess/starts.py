"""Where to start a registration that went astray from where it was: poses near and far, judged at few points.

A Gauss-Newton search only finds what lies within about half the width of the structures it looks at. For frames that
did not fit, a lattice of poses is judged coarsely, and the search begins anew at the best of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from PyPeTLib.arrays import Curve, Volume
from PyPeTLib.preprocess.registration import Template, point_misfits, register
from PyPeTLib.preprocess.rigid import rigid_matrix

SHIFTS_MM = (-14.0, 0.0, 14.0)
TURNS_DEGREES = (-11.0, 0.0, 11.0)
"""Steps of the lattice along and about each axis: half a step beyond its ends are 21 mm and 16 degrees."""

POINTS_JUDGED = 400
POINTS_FITTED = 2000
"""Points used for judging the lattice's poses and for improving the best of them."""

CANDIDATES = 5
"""Best poses of the lattice that are improved."""

OUTSIDE_MISFIT = 0.5
"""Misfit of a point outside the volume: worse than most that fit, better than a wrong place."""


def better_start(template: Template, volume: Volume, known: Sequence[Curve], *, iterations: int) -> Curve:
    """The pose that fits best, of those that a search reaches from known poses and from a lattice of them.

    Parameters
    ----------
    template : Template
        Of the coarsest level.
    volume : ndarray of float32, shape (z, y, x)
        Of the same level.
    known : sequence of ndarray, shape (4, 4)
        Poses that the head had in other frames.
    iterations : int
        Most steps from each of the starts.

    Returns
    -------
    ndarray of float64, shape (4, 4)
    """
    few, more = template.thinned(POINTS_JUDGED), template.thinned(POINTS_FITTED)
    lattice = _lattice(template.centre)
    order = np.argsort([_misfit(few, volume, matrix) for matrix in lattice], kind="stable")
    starts = [*known, *(lattice[index] for index in order[:CANDIDATES])]
    fits = [register(more, volume, start, iterations=iterations, tolerance=0.1) for start in starts]
    return min(fits, key=lambda fit: _misfit(more, volume, fit.matrix)).matrix


def _lattice(centre: Curve) -> list[Curve]:
    shifts = itertools.product(SHIFTS_MM, repeat=3)
    turns = itertools.product(np.radians(TURNS_DEGREES), repeat=3)
    return [
        rigid_matrix(np.array(shift), np.array(turn), centre) for shift, turn in itertools.product(shifts, list(turns))
    ]


def _misfit(template: Template, volume: Volume, matrix: Curve) -> float:
    misfits, inside = point_misfits(template, volume, matrix)
    return float(np.where(inside, misfits, np.float32(OUTSIDE_MISFIT)).mean())
