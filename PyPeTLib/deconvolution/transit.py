"""Tissue curves of gamma-distributed and of equal transit times: the atoms of the Bayesian methods.

Gamma-distributed transit times of shape k and mean m have the residue ``R(t) = Q(k, k·t/m)`` (regularised upper
incomplete gamma function; Mouridsen et al. 2006, doi:10.1016/j.neuroimage.2006.06.015): k = 1 is exponential, and the
squared coefficient of variation of the transit times is 1/k. Where all transit times are equal the residue is a box.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import fft, special

from PyPeTLib.arrays import Array, Curve
from PyPeTLib.deconvolution.arterial_curve import FINE_STEP, ArterialCurve
from PyPeTLib.deconvolution.expected import TYPICAL_TRANSIT_TIME

TRANSIT_TIMES = np.geomspace(1.5, 40.0, 20)
"""Mean transit times in s."""
SHAPES = np.append(2.0 ** (np.arange(9) / 3), np.inf)
"""Shapes of the distribution: from exponential (1) to 6.3, and the box (infinite)."""
TRANSIT_SPREAD = 1.7
"""Prior of the mean transit time: log-normal about the typical one with this factor as its standard deviation.

Healthy grey and white matter have 4 to 5 s, tissue at risk 8 to 15 s.
"""
ALL_GONE = 20.0
"""Time in transit times after which nothing is left of any residue."""
PLACES = np.linspace(0, ALL_GONE, 8001)
"""Times in transit times at which the integrals of residues are tabulated."""
BOX_SHARE = 0.5
"""Prior probability of equal transit times; the rest goes to the gamma family, evenly in the squared coefficient of
variation 1/k."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Residues:
    """The residues of the dictionary, one for each pair of transit time and shape; arrays of shape (residues,).

    Attributes
    ----------
    transit : ndarray
        Mean transit times in s.
    spread : ndarray
        Squared coefficients of variation of the transit times: 1/k, 0 for the box.
    log_prior : ndarray
    """

    transit: Curve
    spread: Curve
    log_prior: Curve

    @classmethod
    def all(cls) -> Residues:
        """Every transit time with every shape."""
        transit, shape = (grid.ravel() for grid in np.meshgrid(TRANSIT_TIMES, SHAPES, indexing="ij"))
        spread = 1 / shape
        is_box = spread == 0
        # evenly in 1/k: on a geometric grid of k, as 1/k
        among_gamma = np.where(is_box, 0, spread) / (1 / SHAPES).sum()
        family = np.where(is_box, BOX_SHARE, (1 - BOX_SHARE) * among_gamma)
        distance = np.log(transit / TYPICAL_TRANSIT_TIME) / np.log(TRANSIT_SPREAD)
        return cls(transit=transit, spread=spread, log_prior=np.log(family) - 0.5 * distance**2)


def residue_area(times: Curve, transit: float, spread: float) -> Curve:
    """Integral of a residue from 0 to given times, in s."""
    place = np.clip(times / transit, 0, ALL_GONE)
    if spread == 0:
        return np.asarray(transit * np.minimum(place, 1), np.float64)
    return np.asarray(transit * np.interp(place, PLACES, _unit_area(1 / spread)), np.float64)


def residue_height(times: Curve, transit: float, spread: float) -> Curve:
    """A residue at given times: 1 from 0 on, falling to 0; 0 before."""
    place = np.clip(times / transit, 0, ALL_GONE)
    if spread == 0:
        return np.asarray((times >= 0) & (place < 1), np.float64)
    return np.asarray(special.gammaincc(1 / spread, place / spread) * (times >= 0), np.float64)


@lru_cache(maxsize=64)
def _unit_area(shape: float) -> Curve:
    """Integral of the residue of transit time 1 from 0 to `PLACES`."""
    area = PLACES * special.gammaincc(shape, shape * PLACES) + special.gammainc(shape + 1, shape * PLACES)
    return np.asarray(area, np.float64)


def tissue_atoms(arterial: ArterialCurve, residues: Residues, lags: Curve, times: Curve) -> Array:
    """Tissue curves of unit impulse height for every lag and residue.

    Parameters
    ----------
    arterial : ArterialCurve
    residues : Residues
    lags : ndarray, shape (lags,)
        Arterial delays in s.
    times : ndarray, shape (t,)
        When the tissue is sampled, in s.

    Returns
    -------
    ndarray of float64, shape (lags, residues, t)
    """
    # tissue ahead of its input shows what comes after the input's last sample: that stays as it was
    beyond = max(0, int(np.ceil((times[-1] - lags.min() - arterial.start) / FINE_STEP)) + 2 - arterial.height.size)
    height = np.append(arterial.height, np.full(beyond, arterial.height[-1]))
    size = height.size
    length = fft.next_fast_len(2 * size, real=True)
    spectrum = fft.rfft(height, length)
    edges = np.asarray(FINE_STEP * np.arange(size + 1), np.float64)
    since = times[None, :] - lags[:, None] - arterial.start
    # the mean of the residue over a cell of the grid stands half a cell late
    place = since / FINE_STEP - 0.5
    below = np.clip(np.floor(place).astype(np.intp), 0, size - 2)
    part = np.clip(place - below, 0, 1)
    begun = place > 0
    atoms = np.empty((lags.size, residues.transit.size, times.size))
    for i, (transit, spread) in enumerate(zip(residues.transit, residues.spread, strict=True)):
        cells = np.diff(residue_area(edges, transit, spread))
        curve = fft.irfft(fft.rfft(cells, length) * spectrum, length)[:size]
        atoms[:, i] = (curve[below] * (1 - part) + curve[below + 1] * part) * begun
    return atoms
