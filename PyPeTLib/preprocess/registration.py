"""Inverse-compositional Gauss-Newton registration of a volume to a template of edge points.

The Jacobian belongs to the template and is computed once; an iteration samples the volume at some ten thousand
points and solves a system of six unknowns (Baker and Matthews 2004, doi:10.1023/B:VISI.0000011205.11775.fd).
Points that do not fit lose their weight: iteratively reweighted least squares with the function of Cauchy, or, where
a bolus changes most of the picture, the stricter one of Geman and McClure (1987, Bull Int Stat Inst 52:5).

Volumes in this module are C-ordered ``(z, y, x)``, the transpose of a contiguous frame, while points and affines
keep the order x, y, z.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from PyPeTLib.arrays import Array, Curve, IntArray, Mask, Volume
from PyPeTLib.geometry import Grid
from PyPeTLib.preprocess.interpolation import inside_volume, sample
from PyPeTLib.preprocess.rigid import HEAD_RADIUS_MM, rigid_matrix

EDGE_SHARE = 0.4
"""Share of the voxels, those with the steepest gradient, among which the points are chosen."""

OUTLIER_SCALES = 3.0
"""A residual of this many robust standard deviations gets half the weight, strictly judged a quarter."""

FEWEST_POINTS = 30
"""With fewer points inside a volume its pose is not worth a step, with fewer in a slice its misfit no figure."""

HALF_MISFIT = 0.5
"""Difference, relative to the spread of the template's values, that counts as half a misfit."""


@dataclass(frozen=True, eq=False)
class Template:
    """Edge points of a reference volume with all that the iterations need.

    Attributes
    ----------
    points : ndarray of float64, shape (3, n)
        World millimetres.
    values : ndarray of float32, shape (n,)
    jacobian : ndarray of float32, shape (6, n)
        Change of the value for a millimetre of each parameter: three translations, three rotations as arcs at
        50 mm.
    centre : ndarray, shape (3,)
        World point about which rotations are counted.
    from_world : ndarray, shape (4, 4)
        World to voxel indices of volumes of this level.
    slices : ndarray of int, shape (n,)
        Slice that each point lies in.
    spread : float
        Standard deviation of the values.
    """

    points: Curve
    values: Volume
    jacobian: Volume
    centre: Curve
    from_world: Curve
    slices: IntArray
    spread: float

    def thinned(self, points: int) -> Template:
        """The same template with at most so many of its points, evenly spread over them."""
        n = self.values.size
        chosen = np.linspace(0, n - 1, min(points, n)).astype(np.intp)
        return replace(
            self,
            points=self.points[:, chosen],
            values=self.values[chosen],
            jacobian=np.ascontiguousarray(self.jacobian[:, chosen]),
            slices=self.slices[chosen],
        )


def make_template(volume: Volume, grid: Grid, *, points: int) -> Template:
    """Choose edge points of a reference volume and differentiate it there.

    Parameters
    ----------
    volume : ndarray of float32, shape (z, y, x)
    grid : Grid
        Of shape (x, y, z).
    points : int
        Largest number of points.

    Returns
    -------
    Template
    """
    slopes = [np.gradient(volume, axis=axis) if volume.shape[axis] > 1 else np.zeros_like(volume) for axis in (2, 1, 0)]
    to_world = np.linalg.inv(grid.affine[:3, :3]).T.astype(np.float32)
    gradient = np.tensordot(to_world, np.stack(slopes), 1)
    steepness = (gradient**2).sum(axis=0)
    rims = tuple(
        slice(rim, -rim) if n > 4 * rim else slice(None) for n, rim in zip(volume.shape, (1, 2, 2), strict=True)
    )
    inner = np.zeros(volume.shape, dtype=bool)
    inner[rims] = True
    chosen = np.flatnonzero(inner)
    chosen = chosen[steepness.ravel()[chosen] >= np.quantile(steepness.ravel()[chosen], 1 - EDGE_SHARE)]
    if chosen.size > points:
        chosen = chosen[np.linspace(0, chosen.size - 1, points).astype(np.intp)]
    k, j, i = np.unravel_index(chosen, volume.shape)
    world: Curve = grid.affine[:3, :3] @ np.stack([i, j, k]) + grid.affine[:3, 3:]
    centre: Curve = world.mean(axis=1)
    direction = gradient.reshape(3, -1)[:, chosen]
    values = volume.ravel()[chosen]
    turning = np.cross((world - centre[:, None]).astype(np.float32), direction, axis=0) / np.float32(HEAD_RADIUS_MM)
    jacobian = np.concatenate([direction, turning]).astype(np.float32)
    from_world = np.asarray(np.linalg.inv(grid.affine), dtype=np.float64)
    return Template(world, values, jacobian, centre, from_world, k.astype(np.intp), float(values.std()))


@dataclass(frozen=True, eq=False)
class Fit:
    """Outcome of a registration.

    Attributes
    ----------
    matrix : ndarray, shape (4, 4)
        Maps the template's world points to those of the volume.
    residual : float
        Robust standard deviation of volume minus template at the points, in units of the signal.
    overlap : float
        Share of the points that fall inside the volume.
    misfits : ndarray of float64, shape (slices,)
        Mean misfit of the points of each slice of the template that fall inside the volume, 0 to 1: unlike the
        residual it also counts the points that fit worst. NaN for slices with few points or less than half of them
        inside.
    misfit : float
        The same over all points; 1 with too few points.
    """

    matrix: Curve
    residual: float
    overlap: float
    misfits: Curve
    misfit: float


def register(
    template: Template,
    volume: Volume,
    start: Curve,
    *,
    iterations: int,
    tolerance: float,
    scale_limit: float | None = None,
) -> Fit:
    """Rigid transform that brings a volume onto a template.

    Parameters
    ----------
    template : Template
    volume : ndarray of float32, shape (z, y, x)
        Of the same level as the template.
    start : ndarray, shape (4, 4)
        Matrix to start from.
    iterations : int
        Most steps to take.
    tolerance : float
        Millimetres: steps smaller than this end the search.
    scale_limit : float, optional
        Standard deviation of points that are known to fit: with it, points are judged strictly, by this scale even
        where most of them fit worse.

    Returns
    -------
    Fit
    """
    matrix = np.array(start, dtype=np.float64)
    # noise-free data that fit perfectly must not divide by 0
    floor = 1e-4 * template.spread + float(np.finfo(np.float32).tiny)
    difference, inside = _difference(template, volume, matrix)
    for _ in range(iterations):
        if np.count_nonzero(inside) < FEWEST_POINTS:
            break
        scale = _robust_scale(difference[inside])
        if scale_limit is not None:
            scale = min(scale, scale_limit)
        weights = inside / (1 + (difference / np.float32(OUTLIER_SCALES * max(scale, floor))) ** 2)
        if scale_limit is not None:
            weights *= weights
        step = _solve(template.jacobian, weights.astype(np.float32), difference)
        update = rigid_matrix(step[:3], step[3:] / HEAD_RADIUS_MM, template.centre)
        matrix = matrix @ np.linalg.inv(update)
        difference, inside = _difference(template, volume, matrix)
        if np.abs(step).max() < tolerance:
            break
    residual = _robust_scale(difference[inside]) if inside.any() else np.inf
    return Fit(matrix, residual, float(inside.mean()), *_slice_misfits(template, difference, inside))


def point_misfits(template: Template, volume: Volume, matrix: Curve) -> tuple[Volume, Mask]:
    """How badly each point fits in a pose, 0 to 1, and which points lie inside the volume.

    Parameters
    ----------
    template : Template
    volume : ndarray of float32, shape (z, y, x)
    matrix : ndarray, shape (4, 4)

    Returns
    -------
    misfits : ndarray of float32, shape (n,)
    inside : ndarray of bool, shape (n,)
    """
    difference, inside = _difference(template, volume, matrix)
    return _misfits(template, difference), inside


def _misfits(template: Template, difference: Volume) -> Volume:
    square = (difference / np.float32(HALF_MISFIT * template.spread + float(np.finfo(np.float32).tiny))) ** 2
    misfits: Volume = square / (1 + square)
    return misfits


def _slice_misfits(template: Template, difference: Volume, inside: Mask) -> tuple[Curve, float]:
    misfits, slices = _misfits(template, difference)[inside], template.slices[inside]
    n_slices = int(template.slices.max()) + 1
    counts = np.bincount(slices, minlength=n_slices)
    enough = np.maximum(FEWEST_POINTS, 0.5 * np.bincount(template.slices, minlength=n_slices))
    sums = np.bincount(slices, weights=misfits, minlength=n_slices)
    each = np.where(counts >= enough, sums / np.maximum(counts, 1), np.nan)
    return each, float(misfits.mean()) if misfits.size >= FEWEST_POINTS else 1.0


def _difference(template: Template, volume: Volume, matrix: Curve) -> tuple[Volume, Mask]:
    """Volume minus template at the moved points, and which of these lie inside the volume."""
    to_voxel = template.from_world @ matrix
    places = (to_voxel[:3, :3] @ template.points + to_voxel[:3, 3:]).astype(np.float32)
    inside = inside_volume(volume.shape, *places)
    difference = sample(volume, *places)
    difference -= template.values
    return difference, inside


def _robust_scale(difference: Array) -> float:
    """Standard deviation from the median absolute value."""
    return 1.4826 * float(np.median(np.abs(difference)))


def _solve(jacobian: Volume, weights: Volume, difference: Volume) -> Curve:
    """Weighted least squares step; directions that the data do not determine stay still."""
    weighted = jacobian * weights
    normal = (weighted @ jacobian.T).astype(np.float64)
    size = np.sqrt(np.maximum(np.diag(normal), 1e-12 * np.trace(normal) + 1e-30))
    normal = normal / np.outer(size, size) + 1e-4 * np.eye(len(size))
    step: Curve = np.linalg.solve(normal, (weighted @ difference).astype(np.float64) / size) / size
    return step
