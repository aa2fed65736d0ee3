"""Telling the inside of a leaky box from its outside: who looks out, and which front arrives through the wider door.

Foramina, orbits, fractures and thin bone let any simple flood out of the skull. Here two fronts compete, one from deep
inside and one from outside. A place belongs to the front that reaches it by the path with the wider bottleneck, so they
meet in the narrowest part of every opening (the watershed of the distance to the wall: Beucher & Lantuéjoul 1979;
Meyer 1994, doi:10.1016/0165-1684(94)90060-4).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from PyPeTLib.arrays import Mask, Volume

_DIRECTIONS = 16
_NARROWEST_STEPS = (6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0)


def enclosure(wall: Mask, sizes: Sequence[float]) -> Volume:
    """Share of 16 directions within the slice in which a wall, or the edge of the image, stops the view.

    Parameters
    ----------
    wall : ndarray of bool, shape (x, y, z)
    sizes : sequence of float
        Voxel edges in mm.

    Returns
    -------
    ndarray of float32, shape (x, y, z)
    """
    step = max(sizes[:2])
    length = max(wall.shape[:2])
    count = np.zeros(wall.shape, dtype=np.uint8)
    for angle in np.arange(_DIRECTIONS) * (2 * np.pi / _DIRECTIONS):
        seen = wall.copy()
        reach = 1
        while reach < 2 * length:
            dx = round(np.cos(angle) * step * reach / sizes[0])
            dy = round(np.sin(angle) * step * reach / sizes[1])
            if abs(dx) < wall.shape[0] and abs(dy) < wall.shape[1]:
                _merge_shifted(seen, dx, dy)
            reach *= 2
        count += seen
    return count.astype(np.float32) / np.float32(_DIRECTIONS)


def _merge_shifted(seen: Mask, dx: int, dy: int) -> None:
    """``seen(x, y) |= seen(x + dx, y + dy)`` where both lie in the image."""
    target, source = [], []
    for d, n in zip((dx, dy), seen.shape, strict=False):
        target.append(slice(max(0, -d), n - max(0, d)))
        source.append(slice(max(0, d), n - max(0, -d)))
    seen[tuple(target)] |= seen[tuple(source)].copy()


def sees(wall: Mask, places: np.ndarray, target: np.ndarray) -> Mask:
    """Which places (n, 3), in voxel indices, see a target (3,) without a wall between.

    Parameters
    ----------
    wall : ndarray of bool, shape (x, y, z)
    places : ndarray, shape (n, 3)
    target : ndarray, shape (3,)

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    visible = np.ones(len(places), dtype=bool)
    for share in np.linspace(0, 1, 2 * max(wall.shape) + 1):
        at = np.rint(places + share * (target - places)).astype(np.intp)
        visible &= ~wall[at[:, 0], at[:, 1], at[:, 2]]
    return visible


def competing_fronts(
    inside: Mask, outside: Mask, clearance: Volume, *, for_inside: Mask, for_outside: Mask, stray: float
) -> tuple[Mask, Mask]:
    """Grow both markers through ever narrower passages until they meet.

    Parameters
    ----------
    inside, outside : ndarray of bool, shape (x, y, z)
        Markers, disjoint.
    clearance : ndarray of float32
        Distance to the wall in mm.
    for_inside, for_outside : ndarray of bool
        Where each front may go.
    stray : float
        Rooms wider than this (half-width in mm) that the inside has not reached through passages as wide are other
        rooms: orbits, face, scalp.

    Returns
    -------
    inside, outside : ndarray of bool
        Disjoint; rooms that neither reaches belong to none.
    """
    inside, outside = inside & for_inside, outside & ~inside
    for level in _levels(float(clearance[for_inside].max(initial=0.0)), stray):
        wide = clearance > level
        here, there = wide & for_inside, wide & for_outside
        while True:
            free = ~(inside | outside)
            new_inside = _grown(inside) & here & free
            new_outside = _grown(outside) & there & free & ~new_inside
            if not (new_inside.any() or new_outside.any()):
                break
            inside |= new_inside
            outside |= new_outside
        if level <= stray:
            outside |= there & ~inside
    return inside, outside


def _levels(widest: float, stray: float) -> list[float]:
    """Half-widths of passages in mm from wide to narrow, in steps of a quarter, then of 1 mm."""
    levels = []
    level = widest
    while level > max(stray, 1.0):
        levels.append(level)
        level *= 0.8
    return [*levels, *(narrow for narrow in _NARROWEST_STEPS if narrow <= stray)]


def _grown(mask: Mask) -> Mask:
    """A mask and the voxels that touch it by a face."""
    grown = mask.copy()
    for axis in range(mask.ndim):
        lower = tuple(slice(None, -1) if a == axis else slice(None) for a in range(mask.ndim))
        upper = tuple(slice(1, None) if a == axis else slice(None) for a in range(mask.ndim))
        grown[lower] |= mask[upper]
        grown[upper] |= mask[lower]
    return grown
