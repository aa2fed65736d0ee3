"""Flow, volume and delay of the head's tissue: normal perfusion, core and penumbra."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import Array, Curve, Mask, Volume
from PyPeTLib.geometry import Grid
from PyPeTLib.phantom.anatomy import Anatomy
from PyPeTLib.phantom.canvas import coordinates
from PyPeTLib.phantom.waves import Waves

GREY_CBF, WHITE_CBF = 52.0, 26.0
"""ml/100g/min."""

GREY_CBV, WHITE_CBV = 3.8, 2.2
"""ml/100g."""

CORE_CBF, CORE_CBV, CORE_DELAY = 0.2, 0.35, 8.5
"""Relative flow and volume, and delay in s, of the infarct core."""

PENUMBRA_CBF, PENUMBRA_CBV, PENUMBRA_DELAY = 0.5, 1.1, (4.0, 8.0)
"""Relative flow and volume of the penumbra, and its delay in s from the rim to the core."""

_CIRCLE_OF_WILLIS = (0.0, 5.0, -20.0)
_SOFT_EDGE_MM = 2.0
_LEAST_SHARE = 0.02


class Lesion:
    """Core and penumbra in the territory of one middle cerebral artery.

    Parameters
    ----------
    rng : numpy Generator
        Side, place, size and outline.
    side : int, optional
        1 right, −1 left; drawn by default.
    """

    def __init__(self, rng: np.random.Generator, side: int | None = None) -> None:
        drawn = 1 if rng.random() < 0.5 else -1
        self.side = drawn if side is None else side
        self.core_centre = np.array([39.0, -2.0, 9.0]) + rng.uniform(-1, 1, 3) * [2.0, 6.0, 4.0]
        self.core_radii = np.array([16.5, 21.0, 17.0]) * rng.uniform(0.88, 1.12, 3)
        self.rim_centre = self.core_centre + rng.uniform(-1, 1, 3) * [2.0, 4.0, 3.0] + [5.0, 0.0, 0.0]
        self.rim_radii = self.core_radii * rng.uniform(1.62, 1.85, 3)
        self.outline = Waves(rng, 40, 80, 40)

    def levels(self, place: tuple[Array, Array, Array], outline: Array) -> tuple[Array, Array]:
        """Relative distances from the centres of the core and of the whole lesion, 1 at their edges.

        Parameters
        ----------
        place : three ndarrays
            Head coordinates in mm.
        outline : ndarray
            Values of ``outline`` there.
        """
        x, y, z = place
        mirrored = (self.side * x, y, z)
        core = _relative_distance(mirrored, self.core_centre, self.core_radii) * (1 + 0.12 * outline)
        rim = _relative_distance(mirrored, self.rim_centre, self.rim_radii) * (1 + 0.12 * outline)
        # the lesion stops at the midline, and the core lies inside it
        rim = np.maximum(rim, 1 - (self.side * x - 6.0) / 8.0)
        return np.maximum(core, rim), rim

    def delay(self, core: Array, rim: Array) -> Array:
        """Arterial delay in s where the lesion is full, from its levels."""
        depth, distance = np.maximum(1 - rim, 0), np.maximum(core - 1, 0)
        toward_core = depth / np.maximum(depth + distance, 1e-6)
        first, last = PENUMBRA_DELAY
        result: Array = first + (last - first) * toward_core
        return result

    def artery_delay(self, points: Curve) -> Curve:
        """By how many s contrast arrives later in arteries at points (n, 3) that are reached by collaterals only."""
        x, y, z = points.T
        core, rim = self.levels((x, y, z), self.outline.at(points))
        behind: Curve = np.where(rim < 1, 0.85 * self.delay(core, rim), 0.0)
        return behind


@dataclass(frozen=True, kw_only=True, eq=False)
class TissuePerfusion:
    """Truth of the tissue, float32 volumes that are 0 where nothing is perfused.

    ``core`` and ``lesion`` are weights between 0 and 1; the penumbra is the lesion without the core.
    """

    cbf: Volume
    cbv: Volume
    mtt: Volume
    delay: Volume
    core: Volume
    lesion: Volume


def draw_perfusion(
    anatomy: Anatomy,
    grid: Grid,
    lesion: Lesion,
    rng: np.random.Generator,
    *,
    healthy: bool,
    lag: float,
) -> TissuePerfusion:
    """Perfusion of every voxel's tissue.

    Parameters
    ----------
    anatomy : Anatomy
    grid : Grid
        Its affine leads from voxels to head coordinates.
    lesion : Lesion
    rng : numpy Generator
        Textures.
    healthy : bool
        Leave the lesion out.
    lag : float
        Seconds added to all delays.
    """
    place = coordinates(grid)
    flow, volume, arrival = (Waves(rng, *lengths, 60).on(grid) for lengths in ((10, 35), (10, 35), (25, 60)))
    grey, white = anatomy.shares["grey"], anatomy.shares["white"]
    perfused = grey + white >= _LEAST_SHARE
    cbf: Array = (GREY_CBF * grey + WHITE_CBF * white) * (1 + 0.08 * np.clip(flow, -2.5, 2.5))
    # volume follows flow in part, as it does in the brain
    cbv: Array = (GREY_CBV * grey + WHITE_CBV * white) * (1 + 0.06 * np.clip(0.6 * flow + 0.8 * volume, -2.5, 2.5))
    delay = _normal_delay(place) + 0.15 * np.clip(arrival, -2, 2)
    core, rim = np.zeros_like(grey), np.zeros_like(grey)
    if not healthy:
        core_level, rim_level = lesion.levels(place, lesion.outline.on(grid))
        core = _weight(core_level, float(lesion.core_radii.mean()))
        rim = np.maximum(_weight(rim_level, float(lesion.rim_radii.mean())), core)
        cbf *= _mixed(1, PENUMBRA_CBF, CORE_CBF, rim, core)
        cbv *= _mixed(1, PENUMBRA_CBV, CORE_CBV, rim, core)
        delay = _mixed(delay, lesion.delay(core_level, rim_level), CORE_DELAY, rim, core)
    return TissuePerfusion(
        cbf=_only(perfused, cbf),
        cbv=_only(perfused, cbv),
        mtt=_only(perfused, 60 * cbv / np.maximum(cbf, 1e-6)),
        delay=_only(perfused, delay + lag),
        core=core,
        lesion=rim,
    )


def _relative_distance(place: tuple[Array, Array, Array], centre: Curve, radii: Curve) -> Array:
    """Distance from the centre of an ellipsoid, 1 on its surface."""
    squares = sum(((p - float(c)) / float(r)) ** 2 for p, c, r in zip(place, centre, radii, strict=True))
    distance: Array = np.sqrt(squares)
    return distance


def _only(where: Mask, values: Array) -> Volume:
    kept: Volume = np.where(where, values, 0).astype(np.float32, copy=False)
    return kept


def _normal_delay(place: tuple[Array, Array, Array]) -> Array:
    """Delay in s that grows with the way from the circle of Willis."""
    distance: Array = np.sqrt(sum((p - c) ** 2 for p, c in zip(place, _CIRCLE_OF_WILLIS, strict=True)))
    return 0.3 + 0.012 * distance


def _weight(level: Array, radius: float) -> Volume:
    """1 inside, 0 outside, over a soft edge."""
    weight: Volume = np.clip(0.5 + (1 - level) * radius / _SOFT_EDGE_MM, 0, 1).astype(np.float32, copy=False)
    return weight


def _mixed(normal: Array | float, penumbra: Array | float, core: float, rim: Volume, inner: Volume) -> Array:
    result: Array = normal * (1 - rim) + penumbra * (rim - inner) + core * inner
    return result
