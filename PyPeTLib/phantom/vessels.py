"""Arteries and veins as tubes in head coordinates: where they run, how wide they are, when contrast reaches them.

The right side is x > 0. Arrival counts in seconds from the arrival in the internal carotid artery for arteries, and
from the venous output for veins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from PyPeTLib.arrays import Curve
from PyPeTLib.phantom.anatomy import HeadShape

CORTICAL_ARTERIES = 60
CORTICAL_VEINS = 96

_SECONDS_PER_MM = 0.01
_STEP_MM = 4.0


class VesselKind(StrEnum):
    """What fills a tube."""

    ARTERY = "artery"
    VEIN = "vein"
    CLOT = "clot"
    """An occluded stretch: blood that no contrast reaches."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Tube:
    """A vessel: points (n, 3) and radii (n,) in mm, and arrival (n,) in s."""

    points: Curve
    radii: Curve
    arrival: Curve
    kind: VesselKind


def draw_vessels(shape: HeadShape, rng: np.random.Generator, *, occluded: int) -> list[Tube]:
    """The tree of arteries and veins of one head.

    Parameters
    ----------
    shape : HeadShape
    rng : numpy Generator
        Always advanced alike, whatever is occluded.
    occluded : int
        Side of the occluded M1 segment: 1 right, −1 left, 0 none.
    """
    tubes = [_tube([(0, -8, -62), (0, -7, -45), (0, -6.5, -27)], (1.8, 1.6))]
    for side in (1, -1):
        tubes += _carotid_tree(shape, rng, side, blocked=side == occluded)
    tubes += _sinuses(shape)
    for side in (1, -1):
        tubes += _cortical_veins(shape, rng, side)
    return tubes


def _carotid_tree(shape: HeadShape, rng: np.random.Generator, side: int, *, blocked: bool) -> list[Tube]:
    """Trunks and cortical branches of one side."""
    sway = rng.normal(0.0, 1.0, 6)
    top = (13.0, 9 + sway[0], -19.0)
    carotid = _tube([(24, 14, -62), (23, 10, -44), (15, 8, -33), (12, 14, -28), top], (2.4, 2.0), side=side)
    start = carotid.arrival[-1]
    bend, end = (25.0, 11 + sway[1], -16.0 + 0.5 * sway[2]), (37.0, 6 + sway[1], -15.0)
    middle = _tube([top, bend, end], (1.6, 1.6), side=side, start=start)
    anterior = _tube(
        [top, (3, 16, -17), (2, 32, -10), (2, 41 + sway[3], 6), (2, 34, 24), (2, 14, 33), (2, -14, 36)],
        (1.3, 0.8),
        side=side,
        start=start,
    )
    posterior = _tube(
        [(0, -6.5, -27), (9, -8, -24), (17, -22, -19), (16, -40, -12), (14, -62 + sway[4], -6)],
        (1.3, 0.8),
        side=side,
        start=0.5 * start,
    )
    trunks = [carotid, anterior, posterior, *(_blocked(middle) if blocked else [middle])]
    gates = np.array([[0.82, 0.5, -0.02], [0.85, 0.2, 0.12], [0.87, -0.22, 0.2], [0.86, -0.4, 0.02], [0.9, 0.1, -0.3]])
    gates = shape.surface(gates * [side, 1, 1], depth=3.0) * [side, 1, 1]
    branches = [
        _tube([end, (39.5, 4 + 5 * gate[1] / 40, -4 + gate[2] / 6), tuple(gate)], (1.2, 0.8), side=side, start=trunk)
        for gate, trunk in zip(gates, [middle.arrival[-1]] * len(gates), strict=True)
    ]
    midline = shape.surface(np.array([[0.03, 0.9, 0.35], [0.03, 0.45, 0.9], [0.03, -0.35, 0.9]]), depth=6.0)
    occipital = shape.surface(np.array([[0.12, -0.95, 0.1]]), depth=6.0)
    roots = [(tuple(branch.points[-1] * [side, 1, 1]), branch.arrival[-1]) for branch in branches]
    roots += [(tuple(point), anterior.arrival[-1]) for point in midline]
    roots += [(tuple(occipital[0]), posterior.arrival[-1])]
    # 30 a side: four from each gate of the middle cerebral artery, the others from the midline and the back
    plan = [*list(range(5)) * 4, 5, 6, 7, 5, 6, 7, 7, 8, 8, 8]
    cortical = [_cortical_artery(shape, rng, side, roots[i]) for i in plan[: CORTICAL_ARTERIES // 2]]
    return [*trunks, *branches, *cortical]


def _tube(
    points: Sequence[Sequence[float]],
    radii: tuple[float, float],
    *,
    side: int = 1,
    start: float = 0.0,
    kind: VesselKind = VesselKind.ARTERY,
) -> Tube:
    """A smooth tube through points of the right side (mirrored for side −1) with radii from first to last."""
    corners = np.asarray(points, dtype=np.float64) * [side, 1, 1]
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))])
    along = np.linspace(0, lengths[-1], max(int(np.ceil(lengths[-1] / _STEP_MM)), 2) + 1)
    path = np.stack([np.interp(along, lengths, corners[:, axis]) for axis in range(3)], axis=1)
    if len(path) > 3:
        path[1:-1] = 0.25 * path[:-2] + 0.5 * path[1:-1] + 0.25 * path[2:]
    return Tube(
        points=path,
        radii=np.linspace(*radii, len(path)),
        arrival=start + _SECONDS_PER_MM * along,
        kind=kind,
    )


def _blocked(middle: Tube) -> list[Tube]:
    """The M1 segment with an open stump and, behind it, a clot."""
    stump = max(len(middle.points) // 3, 1)
    kinds = ((slice(None, stump + 1), VesselKind.ARTERY), (slice(stump, None), VesselKind.CLOT))
    return [
        Tube(points=middle.points[part], radii=middle.radii[part], arrival=middle.arrival[part], kind=kind)
        for part, kind in kinds
    ]


def _cortical_artery(
    shape: HeadShape, rng: np.random.Generator, side: int, root: tuple[tuple[float, ...], float]
) -> Tube:
    """A branch that wanders over the cortex from its root, dipping into sulci."""
    steps = int(rng.integers(8, 15))
    point = np.array(root[0])
    direction = point / np.linalg.norm(point)
    heading = rng.standard_normal(3)
    path = []
    depth = 2.5 + np.cumsum(rng.normal(0, 0.6, steps))
    for turn in rng.normal(0, 0.35, (steps, 3)):
        path.append(direction)
        heading += turn
        heading -= (heading @ direction) * direction
        heading /= np.linalg.norm(heading)
        direction = direction + heading * _STEP_MM / 65.0
        # keep to the own side and above the skull base
        direction[0], direction[2] = max(direction[0], 0.04), max(direction[2], -0.3)
        direction /= np.linalg.norm(direction)
    points = shape.surface(np.array(path) * [side, 1, 1], np.clip(depth, 1.5, 6.0))
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    return Tube(
        points=points,
        radii=np.linspace(rng.uniform(0.7, 0.95), rng.uniform(0.4, 0.5), steps),
        arrival=root[1] + _SECONDS_PER_MM * lengths,
        kind=VesselKind.ARTERY,
    )


def _cortical_veins(shape: HeadShape, rng: np.random.Generator, side: int) -> list[Tube]:
    """Veins of one side that run over the cortex up to the superior sagittal sinus."""
    courses, widths, arrivals = zip(*(_drawn_vein(rng) for _ in range(CORTICAL_VEINS // 2)), strict=True)
    # all at once: finding the surface takes a dozen steps, however many points there are
    points = shape.surface(np.concatenate(courses) * [side, 1, 1], depth=2.2).reshape(len(courses), -1, 3)
    return [
        Tube(
            points=path,
            radii=np.linspace(0.5, 1.0, len(path)) * width,
            arrival=np.linspace(first, 0.3 * first, len(path)),
            kind=VesselKind.VEIN,
        )
        for path, width, first in zip(points, widths, arrivals, strict=True)
    ]


def _drawn_vein(rng: np.random.Generator) -> tuple[Curve, float, float]:
    """Directions (14, 3) that a cortical vein of the right side passes, its width, and when it begins to fill."""
    angle = rng.uniform(-0.55, 0.85) * np.pi / 2
    start = np.array([rng.uniform(0.35, 1.1), np.sin(angle + rng.normal(0, 0.25)), np.cos(angle) * rng.uniform(0.2, 1)])
    end = np.array([0.05, np.sin(angle), np.cos(angle)])
    share = np.linspace(0, 1, 14)[:, np.newaxis]
    start /= np.linalg.norm(start)
    sway = np.cumsum(rng.normal(0, 0.03, (14, 3)), axis=0) * (1 - share)
    width = float(rng.uniform(0.8, 1.2))
    # small veins fill before the venous output, which is seen in the sinus
    return start * (1 - share) + end * share + sway, width, float(rng.uniform(-1.5, -0.5))


def _sinuses(shape: HeadShape) -> list[Tube]:
    """Superior sagittal sinus, 9 mm wide; straight, transverse and sigmoid sinuses; internal cerebral veins."""
    angles = np.radians(np.linspace(-65, 98, 48))
    directions = np.stack([np.full(48, 0.005), -np.sin(angles), np.cos(angles)], axis=1)
    radii = np.interp(np.linspace(0, 1, 48), [0, 0.3, 1], [2.0, 4.5, 4.5])
    sagittal = Tube(
        points=shape.surface(directions, radii),
        radii=radii,
        arrival=np.linspace(-0.6, 0.4, 48),
        kind=VesselKind.VEIN,
    )
    torcula = sagittal.points[-1]
    galen = (0.0, -33.0, -4.0)
    tubes = [
        sagittal,
        _tube([galen, (0, -55, -5), tuple(torcula)], (2.2, 2.8), start=-0.3, kind=VesselKind.VEIN),
    ]
    for side in (1, -1):
        around = shape.surface(np.array([[0.35, -0.9, -0.2], [0.72, -0.62, -0.25]]) * [side, 1, 1], depth=3.5)
        lateral = [torcula, *around, np.array([side * 44.0, -28.0, -36.0]), np.array([side * 30.0, -24.0, -48.0])]
        tubes.append(_tube([tuple(p) for p in lateral], (3.8, 3.2), start=0.3, kind=VesselKind.VEIN))
        inner = [(3, 16, 6), (4, 0, 6), (3, -20, 4), galen]
        tubes.append(_tube(inner, (0.8, 1.2), side=side, start=-1.0, kind=VesselKind.VEIN))
    return tubes
