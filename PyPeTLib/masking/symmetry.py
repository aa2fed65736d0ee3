"""Which place of the brain lies opposite which: the image registered onto its own mirror image.

The outline of the mask tells roughly how a head lies (`midline`); fissures, ventricles and basal ganglia tell it
better. So the plane is refined until the image and its reflection differ least: Gauss-Newton steps of three
parameters, two angles and a distance, on edge points whose opposite place shows something else counting little. That is
what a lesion, a bleeding or a clip of one side does. The idea of finding the plane by such a comparison is that of
Ardekani et al. 1997 (doi:10.1109/42.650883) and Prima et al. 2002 (doi:10.1109/42.993131).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from PyPeTLib.arrays import Curve, Mask, Volume
from PyPeTLib.geometry import Grid
from PyPeTLib.masking.midline import MidsagittalPlane, midsagittal_plane, plane_axes
from PyPeTLib.preprocess.interpolation import inside_volume, lattice_places, sample
from PyPeTLib.preprocess.pyramid import Level, block_mean, pyramid, pyramid_levels
from PyPeTLib.preprocess.rigid import HEAD_RADIUS_MM
from PyPeTLib.series import Modality

CT_WINDOW = (0.0, 60.0)
"""HU that tell CSF, grey and white matter apart; the skull is set to the upper one."""

MR_CEILING = 2.3
"""MR signal, relative to the brain's median, above which all is alike; outside the brain there is none."""

EDGE_SHARE = 0.4
"""Share of the brain's voxels, those with the steepest gradient, that are compared."""

MOST_POINTS = 15_000
FEWEST_POINTS = 30

OUTLIER_SCALES = 3.0
"""A difference of this many robust standard deviations gets half the weight."""

STEPS = 12
SMALLEST_STEP_MM = 0.005

FARTHEST_MM = 15.0
FARTHEST_DEGREES = 15.0
"""A plane that ends up farther from that of the outline has lost its way."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Mirror:
    """Reflection of a grid at the midsagittal plane of the brain that it shows.

    Attributes
    ----------
    plane : MidsagittalPlane
    grid : Grid
    """

    plane: MidsagittalPlane
    grid: Grid

    @cached_property
    def matrix(self) -> Curve:
        """The reflection of RAS+ millimetres, shape (4, 4)."""
        matrix = np.eye(4)
        matrix[:3, :3] -= 2 * np.outer(self.plane.normal, self.plane.normal)
        matrix[:3, 3] = 2 * self.plane.offset * self.plane.normal
        return matrix

    def side(self) -> Curve:
        """Signed distance in mm of every voxel from the plane, positive on the patient's right, shape (x, y, z)."""
        return self.plane.distance(self.grid)

    def mirrored(self, volume: Volume, valid: Mask | None = None) -> Volume:
        """At each voxel, the value of the place opposite it, interpolated linearly; 0 where there is none.

        Parameters
        ----------
        volume : ndarray, shape (x, y, z)
        valid : ndarray of bool, shape (x, y, z), optional
            Voxels whose values count. Between them and others, only they are averaged; a place of which less than
            half is valid has no value.

        Returns
        -------
        ndarray of float32, shape (x, y, z)
        """
        if valid is None:
            return self._sampled(np.asarray(volume, np.float32))
        weight = self._sampled(valid.astype(np.float32))
        total = self._sampled(np.where(valid, volume, 0).astype(np.float32, copy=False))
        return np.divide(total, weight, out=np.zeros_like(total), where=weight >= 0.5)

    def partner(self, mask: Mask) -> Mask:
        """The voxels opposite those of a mask, shape (x, y, z)."""
        opposite: Mask = self._sampled(mask.astype(np.float32)) >= 0.5
        return opposite

    def _sampled(self, volume: Volume) -> Volume:
        source = np.ascontiguousarray(volume.T)
        transform = np.linalg.inv(self.grid.affine) @ self.matrix @ self.grid.affine
        target = np.zeros_like(source)
        for k in range(source.shape[0]):
            places = np.broadcast_arrays(*lattice_places(transform, self.grid.shape, slice(k, k + 1)))
            target[k] = np.where(inside_volume(source.shape, *places), sample(source, *places), 0)[0]
        return target.T


def find_mirror(mean: Volume, mask: Mask, grid: Grid, modality: Modality, *, also_upright: bool = False) -> Mirror:
    """The reflection under which a brain looks most like itself.

    Parameters
    ----------
    mean : ndarray of float32, shape (x, y, z)
        Mean of the frames before the bolus: HU, or any scale for MR.
    mask : ndarray of bool, shape (x, y, z)
        The brain; not empty. The grid's first axis runs nearest to the patient's right.
    grid : Grid
    modality : Modality
    also_upright : bool
        Search from the middle of the slices too, not only from the plane of the outline, which a nearly round brain
        does not determine; of both, the one is taken under which the image differs less.
    """
    picture = _picture(mean, mask, modality)
    levels = pyramid_levels(grid)
    volumes, shares = pyramid(picture, levels, (-np.inf, np.inf)), [np.ascontiguousarray(mask.T, np.float32)]
    for level in levels:
        shares.append(block_mean(shares[-1], level.factors))
    stack = list(zip(levels, volumes, shares[1:], strict=True))
    starts = [midsagittal_plane(mask, grid)]
    if also_upright:
        normal = np.cross(grid.affine[:3, 1], grid.affine[:3, 2])
        normal /= np.linalg.norm(normal)
        starts.append(MidsagittalPlane(normal=normal, offset=float(normal @ _middle(mask, grid))))
    found = [Mirror(plane=_searched(start, stack, mask, grid), grid=grid) for start in starts]
    if len(found) == 1:
        return found[0]
    return min(found, key=lambda mirror: float(np.abs(mirror.mirrored(picture) - picture)[mask].mean(dtype=np.float64)))


def _searched(
    start: MidsagittalPlane, stack: list[tuple[Level, Volume, Volume]], mask: Mask, grid: Grid
) -> MidsagittalPlane:
    """The plane refined from coarse to fine, or the start itself where that lost its way."""
    plane = start
    for level, volume, share in reversed(stack):
        inside = share > 0
        if np.count_nonzero(inside) * EDGE_SHARE >= FEWEST_POINTS:
            plane = _refined(plane, _edge_points(volume, inside, level), volume, level)
    angle = np.degrees(np.arccos(np.clip(plane.normal @ start.normal, -1, 1)))
    middle = _middle(mask, grid)
    moved = (plane.normal @ middle - plane.offset) - (start.normal @ middle - start.offset)
    lost = angle > FARTHEST_DEGREES or abs(moved) > FARTHEST_MM
    return start if lost else plane


def _middle(mask: Mask, grid: Grid) -> Curve:
    """Centre of mass in RAS+ mm, without a list of all voxels."""
    counts = [mask.sum(axis=tuple(other for other in range(3) if other != axis)) for axis in range(3)]
    place = [float(count @ np.arange(count.size)) / float(count.sum()) for count in counts]
    middle: Curve = grid.affine[:3, :3] @ place + grid.affine[:3, 3]
    return middle


def _picture(mean: Volume, mask: Mask, modality: Modality) -> Volume:
    """The brain alone, in a window in which its own structures and its outline weigh about alike."""
    if modality is Modality.CTP:
        low, high = CT_WINDOW
        return np.where(mask, np.clip(mean, low, high), np.float32(high)).astype(np.float32, copy=False)
    level = float(np.median(mean[mask]))
    scaled = np.clip(mean / np.float32(level if level > 0 else 1), 0, MR_CEILING)
    return np.where(mask, scaled, np.float32(0)).astype(np.float32, copy=False)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Points:
    """Edge points: world millimetres and gradients of shape (3, n), values of shape (n,)."""

    places: Curve
    values: Volume
    gradient: Volume


def _edge_points(volume: Volume, inside: Mask, level: Level) -> _Points:
    """The steepest places of a volume ``(z, y, x)`` inside the brain."""
    slopes = [np.gradient(volume, axis=axis) if volume.shape[axis] > 1 else np.zeros_like(volume) for axis in (2, 1, 0)]
    to_world = np.linalg.inv(level.grid.affine[:3, :3]).T.astype(np.float32)
    chosen = np.flatnonzero(inside)
    gradient = to_world @ np.stack([slope.ravel()[chosen] for slope in slopes])
    steepness = (gradient**2).sum(axis=0)
    steep = np.flatnonzero(steepness >= np.quantile(steepness, 1 - EDGE_SHARE))
    steep = steep[:: max(1, -(-steep.size // MOST_POINTS))]
    chosen = chosen[steep]
    k, j, i = np.unravel_index(chosen, volume.shape)
    places = level.grid.affine[:3, :3] @ np.stack([i, j, k]) + level.grid.affine[:3, 3:]
    return _Points(places=places, values=volume.ravel()[chosen], gradient=gradient[:, steep])


def _refined(plane: MidsagittalPlane, points: _Points, volume: Volume, level: Level) -> MidsagittalPlane:
    """The plane after Gauss-Newton steps with weights of Cauchy.

    At the solution the gradient of the image at the opposite place is the mirror image of the gradient at the place
    itself, so only values are sampled.
    """
    from_world = np.linalg.inv(level.grid.affine)
    centre = points.places.mean(axis=1)
    at = points.places - centre[:, None]
    normal, distance = plane.normal, float(plane.offset - plane.normal @ centre)
    floor = 1e-4 * float(points.values.std()) + float(np.finfo(np.float32).tiny)
    for _ in range(STEPS):
        height = normal @ at - distance
        opposite = points.places - 2 * height * normal[:, None]
        voxels = (from_world[:3, :3] @ opposite + from_world[:3, 3:]).astype(np.float32)
        inside = inside_volume(volume.shape, *voxels)
        if np.count_nonzero(inside) < FEWEST_POINTS:
            break
        difference = sample(volume, *voxels) - points.values
        scale = max(1.4826 * float(np.median(np.abs(difference[inside]))), floor)
        weights = inside / (1 + (difference / (OUTLIER_SCALES * scale)) ** 2)
        axes = plane_axes(normal)
        across, *along = axes @ points.gradient
        turning = [
            (place * across - height * slope) / HEAD_RADIUS_MM
            for place, slope in zip(axes[1:] @ at, along, strict=True)
        ]
        jacobian = 2 * np.stack([-across, *turning])
        weighted = jacobian * weights
        products = weighted @ jacobian.T
        # directions that the image does not determine stay still
        products += np.diag(1e-4 * np.diag(products) + 1e-9 * np.trace(products) + 1e-30)
        step = -np.linalg.solve(products, weighted @ difference)
        distance += float(step[0])
        normal = normal + step[1:] @ axes[1:] / HEAD_RADIUS_MM
        normal = normal / np.linalg.norm(normal)
        if np.abs(step).max() < SMALLEST_STEP_MM:
            break
    return MidsagittalPlane(normal=normal, offset=float(distance + normal @ centre))
