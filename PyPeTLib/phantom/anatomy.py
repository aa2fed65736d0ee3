"""The head without vessels: what share of each voxel is air, scalp, bone, CSF, grey or white matter.

Head coordinates are mm with x to the right, y to the front and z up; the origin lies in the middle of the brain. All
structures are level functions in mm, negative inside. They are evaluated on a lattice finer than the voxels and
averaged, so that partial volume follows from the geometry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import Array, Curve, Volume
from PyPeTLib.geometry import Grid
from PyPeTLib.phantom.canvas import Canvas, coordinates
from PyPeTLib.phantom.waves import Waves

CLASSES = ("air", "scalp", "bone", "face", "csf", "grey", "white")
"""Tissue classes; their shares of a voxel add up to 1."""

_FINE_MM = (1.25, 1.25, 2.0)
_FINEST = (2, 2, 3)
_FINEST_REPAINTED = (2, 2, 5)
_SULCUS_HALF_WIDTH = 0.7
_CORTEX_THICKNESS = 3.4

# (x, y, z) of the centre on the right side and the three radii, mm; the left side mirrors it
_DEEP_GREY = (
    ((11.0, -16.0, 0.0), (8.0, 13.0, 8.5)),
    ((25.0, 4.0, -2.0), (5.5, 15.0, 9.0)),
    ((14.0, 19.0, 4.0), (4.5, 8.0, 9.0)),
)
VENTRICLES = (
    ((8.0, 22.0, 7.0), (3.8, 13.0, 6.5)),
    ((11.0, -4.0, 17.0), (5.5, 24.0, 4.5)),
    ((22.0, -36.0, 6.0), (5.5, 11.0, 9.0)),
    ((21.0, -50.0, 0.0), (3.2, 13.0, 4.5)),
    ((32.0, -18.0, -22.0), (2.6, 12.0, 2.6)),
    ((0.0, -8.0, -5.0), (2.0, 14.0, 9.0)),
    ((0.0, -36.0, -40.0), (6.0, 5.0, 7.0)),
    ((0.0, 5.0, -24.0), (12.0, 9.0, 5.5)),
    ((0.0, -29.0, -15.0), (12.0, 3.5, 6.0)),
)


class HeadShape:
    """The seed's own head: size, irregularity, folds."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.half_width, self.half_length, self.height = (
            float(size * rng.uniform(0.97, 1.01)) for size in (66.0, 82.5, 51.0)
        )
        self.bone = float(rng.uniform(5.5, 7.0))
        self.scalp = float(rng.uniform(4.0, 5.5))
        self.rim = float(rng.uniform(2.2, 2.6))
        self.skull_waves = Waves(rng, 90, 160, 20)
        self.bone_waves = Waves(rng, 30, 80, 30)
        self.warps = tuple(Waves(rng, 50, 110, 20) for _ in range(3))
        self.folds = Waves(rng, 22, 32, 120)
        self.fold_depth = Waves(rng, 30, 70, 30)
        self.leaves = Waves(rng, 7, 10, 80)
        self.sinuses = Waves(rng, 22, 40, 30)

    def outside_inner_table(self, points: Curve) -> Curve:
        """Distance in mm from the vault's inner table at points (n, 3), negative inside; the base is left out."""
        x, y, z = points.T
        distance: Curve = np.asarray(self.from_vault(x, y, z, self.skull_waves.at(points)), dtype=np.float64)
        return distance

    def surface(self, directions: Curve, depth: Curve | float) -> Curve:
        """Points (n, 3) that lie ``depth`` mm inside the inner table in the given directions (n, 3)."""
        units = directions / np.linalg.norm(directions, axis=1, keepdims=True)
        distance = np.full(len(units), 60.0)
        for _ in range(12):
            distance -= self.outside_inner_table(units * distance[:, np.newaxis]) + depth
        points: Curve = units * distance[:, np.newaxis]
        return points

    def from_vault(self, x: Array, y: Array, z: Array, waves: Array) -> Array:
        """The same from coordinates and the values of ``skull_waves`` there, in their own precision."""
        along = y / self.half_length
        width = self.half_width * (1.03 - along * (0.08 + 0.07 * along))
        # below the equator the walls run on almost straight down
        height = (z > 0) * (1 / self.height - 1 / (1.9 * self.height)) + 1 / (1.9 * self.height)
        power = 2.3
        terms = np.abs(x / width) ** power + np.abs(along) ** power + np.abs(z * height.astype(z.dtype)) ** power
        scale = np.maximum(terms, 1e-6) ** (1 / power) * (1 + 0.012 * waves)
        result: Array = np.sqrt(x**2 + y**2 + z**2) * (1 - 1 / np.maximum(scale, 1e-3))
        return result


@dataclass(frozen=True, kw_only=True, eq=False)
class Anatomy:
    """Shares of voxels between 0 and 1, float32 volumes.

    Attributes
    ----------
    shares : mapping
        One volume for each name in `CLASSES`, and for each class that conditions have painted.
    intracranial : ndarray
        Share inside the inner table, and above the skull base.
    hull : ndarray
        Share inside the smooth surface of the pia; sulci and ventricles belong to it.
    """

    shares: Mapping[str, Volume]
    intracranial: Volume
    hull: Volume


def draw_anatomy(
    shape: HeadShape, grid: Grid, *, repaint: Callable[[Canvas], None] | None = None, lowest: float | None = None
) -> Anatomy:
    """Shares of the tissue classes.

    Parameters
    ----------
    shape : HeadShape
    grid : Grid
        Its affine leads from voxels to head coordinates.
    repaint : callable, optional
        Paints further structures over the classes.
    lowest : float, optional
        Height in mm at which the inside of the skull ends in the foramen magnum; without it the canal goes on.
    """
    finest = _FINEST if repaint is None else _FINEST_REPAINTED
    factors = tuple(
        int(min(most, np.ceil(size / fine)))
        for size, fine, most in zip(grid.voxel_sizes, _FINE_MM, finest, strict=True)
    )
    fine = _refined(grid, factors)
    edge = float(np.mean(fine.voxel_sizes))
    x, y, z = coordinates(fine)
    vault = shape.from_vault(x, y, z, shape.skull_waves.on(fine))
    above_base = z - _skull_base(x, y)
    inner = np.maximum(vault, -above_base)
    if lowest is not None:
        inner = np.maximum(inner, lowest - z)
    bone_edge = vault - shape.bone * (1 + 0.15 * shape.bone_waves.on(fine))
    inside = _share(inner, edge)
    within_bone = np.maximum(_share(bone_edge, edge), inside)
    within_scalp = np.maximum(_share(bone_edge - shape.scalp, edge), within_bone)
    base_bone = _share(inner - 7.0, edge)
    csf, grey = _brain(shape, fine, (x, y, z), -inner, edge)
    brain = inside * (1 - csf)
    outside = within_bone - inside
    fields = {
        "air": 1 - within_scalp,
        "scalp": within_scalp - within_bone,
        "bone": outside * base_bone,
        "face": outside * (1 - base_bone),
        "csf": inside * csf,
        "grey": brain * grey,
        "white": brain * (1 - grey),
    }
    if repaint is not None:
        repaint(Canvas(grid=fine, fields=fields, inside=inside, under=inner))
    return Anatomy(
        shares={name: _binned(field, factors) for name, field in fields.items()},
        intracranial=_binned(inside, factors),
        hull=_binned(_share(inner + shape.rim, edge), factors),
    )


def _brain(
    shape: HeadShape, grid: Grid, place: tuple[Array, Array, Array], depth: Array, edge: float
) -> tuple[Volume, Volume]:
    """Share of CSF inside the skull, and share of grey matter in what is not CSF."""
    x, y, z = (at + 1.5 * warp.on(grid) for at, warp in zip(place, shape.warps, strict=True))
    x = np.abs(x)
    # the surface that the cortex follows: the pia, the large fissures, and sulci of limited depth
    surface = depth - (shape.rim - _SULCUS_HALF_WIDTH)
    stem = _stem(x, y)
    cerebellum = _cerebellum(x, y, z, stem)
    sheets = _fissures(x, y, z, stem, cerebellum)
    values, slopes = shape.folds.with_slope_on(grid)
    reach = 13.0 + 4.0 * shape.fold_depth.on(grid)
    cerebellar = _share(cerebellum, 4.0)
    sulci = np.abs(values) / np.maximum(slopes, 0.05) + np.maximum(surface - reach, 0)
    leaf_values, leaf_slopes = shape.leaves.with_slope_on(grid)
    leaves = np.abs(leaf_values) / np.maximum(leaf_slopes, 0.1) + 0.4
    folded = sulci + cerebellar * (leaves - sulci)
    cortex = np.minimum(np.minimum(surface, sheets), folded)
    fluid = np.minimum(cortex - _SULCUS_HALF_WIDTH, _ellipsoids(VENTRICLES, x, y, z))
    ribbon = cortex - (_SULCUS_HALF_WIDTH + _CORTEX_THICKNESS)
    grey = np.minimum(ribbon, _ellipsoids(_DEEP_GREY, x, y, z))
    return _share(fluid, edge), _share(grey, edge)


def _fissures(x: Array, y: Array, z: Array, stem: Array, cerebellum: Array) -> Array:
    """Distance in mm from fissures, tentorium and the cistern round the brain stem; x counts from the midline."""
    callosum = _ellipsoid((0.0, -3.0, 0.0), (30.0, 42.0, 26.0), x, y, z)
    below = z + 14.0
    between = np.maximum(np.maximum(x - 0.3, -callosum), np.maximum(-cerebellum, -np.maximum(stem, below)))
    rise = -7.0 - 0.3 * y
    sylvian = np.maximum(np.maximum(np.abs(z - rise) - 0.6, 35.0 - x), np.maximum(y - 24.0, -34.0 - y))
    insula = np.maximum(np.maximum(np.abs(x - 37.0) - 0.4, np.abs(z - rise) - 11.0), np.abs(y - 1.0) - 20.0)
    tentorium = np.maximum(np.abs(cerebellum) - 0.3, 10.0 - x)
    cistern = np.maximum(np.abs(stem) - 0.8, below)
    nearest: Array = np.minimum(np.minimum(np.minimum(between, sylvian), np.minimum(insula, tentorium)), cistern)
    return nearest


def _cerebellum(x: Array, y: Array, z: Array, stem: Array) -> Array:
    """Level function of the space below the tentorium and behind the brain stem."""
    level: Array = np.maximum(np.maximum(z + 11.0 + 0.28 * x, y + 20.0 - 0.25 * x), -stem)
    return level


def _stem(x: Array, y: Array) -> Array:
    """Level function of the brain stem, an upright column."""
    squares = (x / 13.0) ** 2 + ((y + 19.0) / 10.5) ** 2
    level: Array = (np.sqrt(squares) - 1) * 11.0
    return level


def _skull_base(x: Array, y: Array) -> Array:
    """Height z of the floor of the skull in mm; far below the volume inside the foramen magnum."""
    x = np.abs(x)
    from_foramen = np.sqrt(x**2 + (y + 33.0) ** 2)
    posterior = np.minimum(-57.0 + 0.018 * np.maximum(from_foramen - 15.0, 0) ** 2, -35.0)
    middle = -25.0 - 15.0 * _step(x - 17.0, 4.0)
    orbit_roof = -22.0 - 5.0 * np.exp(-((x / 8.0) ** 2)) + 4.0 * np.exp(-(((x - 28.0) / 13.0) ** 2))
    front = _step(y - 26.0 + 0.02 * (x - 34.0) ** 2, 4.0)
    behind = _step(y + 16.0 + 0.3 * (x - 30.0), 4.0)
    ridge = 11.0 * np.exp(-(((y + 16.0 + 0.3 * (x - 30.0)) / 5.0) ** 2)) * _step(x - 18.0, 3.0)
    floor: Array = (1 - behind) * posterior + behind * ((1 - front) * middle + front * orbit_roof) + ridge
    floor[from_foramen < 15.0] = -200.0
    return floor


def _ellipsoids(
    bodies: tuple[tuple[tuple[float, float, float], tuple[float, float, float]], ...], x: Array, y: Array, z: Array
) -> Array:
    level = _ellipsoid(*bodies[0], x, y, z)
    for centre, radii in bodies[1:]:
        np.minimum(level, _ellipsoid(centre, radii, x, y, z), out=level)
    return level


def _ellipsoid(
    centre: tuple[float, float, float], radii: tuple[float, float, float], x: Array, y: Array, z: Array
) -> Array:
    """Level function of an ellipsoid, in mm near its surface along the shortest radius."""
    squares = ((x - centre[0]) / radii[0]) ** 2
    squares += ((y - centre[1]) / radii[1]) ** 2
    squares += ((z - centre[2]) / radii[2]) ** 2
    level: Array = (np.sqrt(squares, out=squares) - 1) * min(radii)
    return level


def _step(x: Array, width: float) -> Array:
    """A smooth step from 0 to 1 around x = 0."""
    step: Array = 0.5 + 0.5 * np.tanh(x / width)
    return step


def _share(level: Array, edge: float) -> Volume:
    """Share of a voxel of this edge (mm) that lies where the level function is negative."""
    share: Volume = np.clip(0.5 - level / edge, 0.0, 1.0).astype(np.float32, copy=False)
    return share


def _refined(grid: Grid, factors: tuple[int, ...]) -> Grid:
    """The grid with each voxel cut into ``factors`` pieces along its axes."""
    scale = np.eye(4)
    for axis, factor in enumerate(factors):
        scale[axis, axis] = 1 / factor
        scale[axis, 3] = (1 - factor) / (2 * factor)
    x, y, z = (n * factor for n, factor in zip(grid.shape, factors, strict=True))
    return Grid((x, y, z), grid.affine @ scale)


def _binned(field: Volume, factors: tuple[int, ...]) -> Volume:
    """Mean over the pieces of each voxel."""
    x, y, z = (n // factor for n, factor in zip(field.shape, factors, strict=True))
    parts = field.reshape(x, factors[0], y, factors[1], z, factors[2])
    mean: Volume = parts.mean(axis=(1, 3, 5), dtype=np.float32)
    return mean
