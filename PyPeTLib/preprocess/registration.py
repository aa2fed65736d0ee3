"""Inverse-compositional Gauss-Newton registration of a volume to a template of edge points.

The Jacobian belongs to the template and is computed once; an iteration samples the volume at some ten thousand
points and solves a system of six unknowns (Baker and Matthews 2004, doi:10.1023/B:VISI.0000011205.11775.fd).
Points that do not fit lose their weight: iteratively reweighted least squares with the function of Cauchy, or, where
a bolus changes most of the picture, the stricter one of Geman and McClure (1987, Bull Int Stat Inst 52:5).

Volumes in this module are C-ordered ``(z, y, x)``, the transpose of a contiguous frame, while points and affines
keep the order x, y, z.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import Array, Curve, Mask, Volume
from PyPeTLib.geometry import Grid
from PyPeTLib.preprocess.interpolation import inside_volume, sample
from PyPeTLib.preprocess.rigid import HEAD_RADIUS_MM, rigid_matrix

WORKING_SPACING_MM = (2.0, 4.0)
"""Voxel size that the levels of the pyramid aim at, the finest first."""

EDGE_SHARE = 0.4
"""Share of the voxels, those with the steepest gradient, among which the points are chosen."""

OUTLIER_SCALES = 3.0
"""A residual of this many robust standard deviations gets half the weight, strictly judged a quarter."""

FEWEST_POINTS = 30
"""With fewer points inside a volume its pose is not worth a step."""

CONTRAST_WIDTH = 5
"""In-plane width in voxels of the surroundings that define local contrast."""

CONTRAST_FLOOR = 0.1
"""Share of the tissue's signal that is added to the local spread, so that noise in air is no contrast."""


IN_PLANE_KERNEL = 1 / 4
"""Weight of each in-plane neighbour in the smoothing before registration: 1-2-1."""

SLICE_KERNEL = 1 / 6
"""Weight of each neighbouring slice: 1-4-1. Without it, linear interpolation between thick slices reads as pitch."""


@dataclass(frozen=True)
class Level:
    """One resolution of the pyramid: blocks of voxels of the level below, and where their centres lie."""

    factors: tuple[int, int, int]
    grid: Grid


def pyramid_levels(grid: Grid) -> tuple[Level, ...]:
    """Levels from fine to coarse; axes whose voxels are larger than a level's aim stay as they are.

    Parameters
    ----------
    grid : Grid
        Grid of a frame.

    Returns
    -------
    tuple of Level
    """
    levels = []
    for spacing in WORKING_SPACING_MM:
        wanted = [round(spacing / size) for size in grid.voxel_sizes]
        x, y, z = (max(1, min(factor, n // 8)) for factor, n in zip(wanted, grid.shape, strict=True))
        levels.append(Level((x, y, z), block_grid(grid, (x, y, z))))
        grid = levels[-1].grid
    return tuple(levels)


def block_grid(grid: Grid, factors: tuple[int, int, int]) -> Grid:
    """Grid of the blocks of ``factors`` voxels: an incomplete block at the end is left out."""
    x, y, z = (n // factor for n, factor in zip(grid.shape, factors, strict=True))
    to_voxel = np.diag([*factors, 1.0])
    to_voxel[:3, 3] = (np.array(factors) - 1) / 2
    return Grid((x, y, z), grid.affine @ to_voxel)


def block_mean(volume: Volume, factors: tuple[int, int, int]) -> Volume:
    """Mean over blocks of ``factors`` (x, y, z) voxels of a volume ``(z, y, x)``."""
    for axis, factor in ((0, factors[2]), (1, factors[1]), (2, factors[0])):
        if factor > 1:
            whole = volume.shape[axis] // factor * factor
            steps = [[slice(None)] * axis + [slice(start, whole, factor)] for start in range(factor)]
            total = volume[tuple(steps[0])].copy()
            for step in steps[1:]:
                total += volume[tuple(step)]
            volume = total
            volume *= np.float32(1 / factor)
    return volume


def pyramid(frame: Volume, levels: tuple[Level, ...], window: tuple[float, float] | None) -> list[Volume]:
    """Block means of a frame for each level, lightly smoothed against aliasing.

    Parameters
    ----------
    frame : ndarray of float32, shape (x, y, z)
    levels : tuple of Level
    window : tuple of float, optional
        Values are clipped to this range. Without it, as for a signal without an absolute scale, the finest level
        becomes local contrast; the others, which must catch large movements, keep the signal.

    Returns
    -------
    list of ndarray of float32, shape (z, y, x)
    """
    volume = np.ascontiguousarray(frame.T)
    if window is not None:
        volume = np.clip(volume, np.float32(window[0]), np.float32(window[1]))
    volumes = [_smooth(block_mean(volume, levels[0].factors))]
    for level in levels[1:]:
        volumes.append(block_mean(volumes[-1], level.factors))
    if window is None:
        tissue = volumes[0][volumes[0] >= volumes[0].mean()].mean()
        volumes = [each / np.float32(tissue if tissue > 0 else 1) for each in volumes]
        volumes[0] = local_contrast(volumes[0])
    return volumes


def local_contrast(volume: Volume) -> Volume:
    """Distance from the local mean in local standard deviations: blind to local gain and offset.

    A bolus that takes half of the signal of a region leaves its edges where and as strong as they were.

    Parameters
    ----------
    volume : ndarray of float32, shape (z, y, x)
        Relative to the signal of tissue.

    Returns
    -------
    ndarray of float32, shape (z, y, x)
    """
    mean = _local_mean(volume)
    spread: Volume = np.sqrt(np.maximum(_local_mean(volume * volume) - mean * mean, 0))
    contrast: Volume = (volume - mean) / (spread + np.float32(CONTRAST_FLOOR))
    return contrast


def _local_mean(volume: Volume) -> Volume:
    half = CONTRAST_WIDTH // 2
    for axis in (1, 2):
        padding = [(half, half) if other == axis else (0, 0) for other in range(3)]
        padded = np.moveaxis(np.pad(volume, padding, mode="edge"), axis, 0)
        n = volume.shape[axis]
        total = padded[:n].copy()
        for shift in range(1, CONTRAST_WIDTH):
            total += padded[shift : shift + n]
        total *= np.float32(1 / CONTRAST_WIDTH)
        volume = np.ascontiguousarray(np.moveaxis(total, 0, axis))
    return volume


def _smooth(volume: Volume) -> Volume:
    for axis, side in ((2, IN_PLANE_KERNEL), (1, IN_PLANE_KERNEL), (0, SLICE_KERNEL)):
        if volume.shape[axis] < 3:
            continue
        view = np.moveaxis(volume, axis, 0)
        result = np.empty_like(volume)
        target = np.moveaxis(result, axis, 0)
        np.multiply(view, np.float32(1 - 2 * side), out=target)
        target[:-1] += np.float32(side) * view[1:]
        target[1:] += np.float32(side) * view[:-1]
        target[0] += np.float32(side) * view[0]
        target[-1] += np.float32(side) * view[-1]
        volume = result
    return volume


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
    """

    points: Curve
    values: Volume
    jacobian: Volume
    centre: Curve
    from_world: Curve


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
    return Template(world, values, jacobian, centre, from_world)


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
    """

    matrix: Curve
    residual: float
    overlap: float


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
    floor = 1e-4 * float(template.values.std()) + float(np.finfo(np.float32).tiny)
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
    return Fit(matrix, residual, float(inside.mean()))


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
