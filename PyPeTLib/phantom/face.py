"""What hangs below the brain: a skull base with its openings, sinuses, orbits, jaw, spine and neck.

Sizes are those of an adult in head coordinates (see `anatomy`); each seed moves them a little.
"""

from __future__ import annotations

import numpy as np

from PyPeTLib.arrays import Array
from PyPeTLib.phantom.canvas import Canvas, around
from PyPeTLib.phantom.waves import Waves

FORAMEN_Z = -58.0
"""Height in mm of the plane of the foramen magnum, where the inside of the skull ends."""

_LOWEST = -400.0
_SIDES = (1.0, -1.0)

# start, end and radius in mm on the right side: nerves and vessels pass here from the brain to orbit, face and neck
_FORAMINA = (
    ((13.0, 16.0, -22.0), (15.0, 34.0, -36.0), 2.5),
    ((17.0, 18.0, -30.0), (22.0, 32.0, -40.0), 4.0),
    ((22.0, -2.0, -36.0), (24.0, 0.0, -56.0), 3.5),
    ((13.0, -6.0, -30.0), (20.0, -12.0, -58.0), 3.0),
    ((24.0, -32.0, -42.0), (27.0, -28.0, -70.0), 5.0),
)

# centre, radii in mm, bone left towards the brain: air on the right side
_SINUSES = (
    ((8.0, 41.0, -44.0), (6.5, 20.0, 14.0), 1.2),
    ((7.0, 11.0, -40.0), (7.5, 11.0, 9.0), 2.5),
    ((30.0, 44.0, -74.0), (14.0, 16.0, 15.0), 2.0),
    ((8.0, 50.0, -70.0), (5.5, 30.0, 20.0), 2.0),
)


def paint_face(canvas: Canvas, rng: np.random.Generator) -> None:
    """Everything below the inner table, in place of the plain head's even filling."""
    _soft_tissue(canvas, rng)
    _spine(canvas)
    for side in _SIDES:
        # the temple: a muscle as thick as a finger on the thinnest bone of the vault
        temple, reach = (side * 68.0, 12.0, -10.0), (18.0, 30.0, 26.0)
        canvas.ellipsoid("muscle", temple, reach, inside=False, over="bone", plate=rng.uniform(2.0, 3.0))
        _orbit(canvas, side, rng)
        _ear(canvas, side, rng)
        for centre, radii, plate in _SINUSES:
            grown = rng.uniform(0.9, 1.1)
            x, y, z = (radius * grown for radius in radii)
            canvas.ellipsoid("bone", (side * centre[0], *centre[1:]), (x + 1, y + 1, z + 1), inside=False)
            canvas.ellipsoid("air", (side * centre[0], *centre[1:]), (x, y, z), inside=False, plate=plate)
    _frontal_sinus(canvas, rng)
    _jaw(canvas)
    canvas.tube("air", (0.0, 8.0, -62.0), (0.0, 2.0, _LOWEST), 8.0, inside=False)
    for side in _SIDES:
        for start, end, radius in _FORAMINA:
            wide = radius * rng.uniform(0.9, 1.2)
            canvas.tube("muscle", (side * start[0], *start[1:]), (side * end[0], *end[1:]), wide, inside=False)


def open_base(canvas: Canvas, rng: np.random.Generator) -> None:
    """Bone missing over the nose and under one temporal lobe, as after surgery or fractures."""
    side = rng.choice(_SIDES)
    canvas.tube("muscle", (0.0, 44.0, -14.0), (0.0, 44.0, -38.0), 9.0 * rng.uniform(0.9, 1.1), inside=False)
    canvas.tube("muscle", (side * 34.0, 2.0, -30.0), (side * 34.0, 2.0, -56.0), 11.0, inside=False)
    canvas.tube("fat", (side * 26.0, 40.0, -14.0), (side * 26.0, 40.0, -40.0), 8.0, inside=False)


def _soft_tissue(canvas: Canvas, rng: np.random.Generator) -> None:
    """Muscles with fat between them, under fat and skin, down to the neck."""

    def skin(x: Array, y: Array, z: Array) -> Array:
        neck = (np.sqrt((x / 60) ** 2 + ((y + 24) / 64) ** 2) - 1) * 60 + np.maximum(z + 60, 0)
        jaw = (np.sqrt((x / 62) ** 2 + ((y - 26) / 58) ** 2 + ((z + 78) / 60) ** 2) - 1) * 58
        result: Array = np.minimum(neck, jaw)
        return result

    box = ((-100.0, -120.0, _LOWEST), (100.0, 120.0, -20.0))
    canvas.paint("scalp", skin, box, inside=False, over="air")
    canvas.paint("fat", lambda x, y, z: skin(x, y, z) + 2.0, box, inside=False, over="scalp")
    canvas.paint("face", lambda x, y, z: skin(x, y, z) + 7.0, box, inside=False, over="fat")
    planes = Waves(rng, 25, 60, 30)

    def between(_x: Array, _y: Array, _z: Array, values: Array) -> Array:
        result: Array = (np.abs(values) - 0.12) * 9
        return result

    everywhere = ((-120.0, -140.0, _LOWEST), (120.0, 140.0, 60.0))
    canvas.paint("fat", between, everywhere, inside=False, over="face", waves=planes)
    # the plain head's face is full of pockets of air, this one has its sinuses
    canvas.fields["muscle"], canvas.fields["face"] = canvas.fields["face"], np.zeros_like(canvas.fields["face"])


def _spine(canvas: Canvas) -> None:
    """Vertebrae round the spinal canal, which goes on from the foramen magnum."""

    def column(x: Array, y: Array, z: Array) -> Array:
        ring = np.sqrt(x**2 + (y + 33.0) ** 2) - 19.0
        body = (np.sqrt((x / 14.0) ** 2 + ((y + 12.0) / 11.0) ** 2) - 1) * 11.0
        gap = 2.5 - np.abs((z - FORAMEN_Z + 9.0) % 18.0 - 9.0)
        result: Array = np.maximum(np.minimum(ring, body), np.maximum(gap, z - FORAMEN_Z + 8.0))
        return result

    canvas.paint("bone", column, ((-25.0, -60.0, _LOWEST), (25.0, 5.0, FORAMEN_Z)), inside=False)

    def canal(x: Array, y: Array, z: Array) -> Array:
        radius = 10.0 + 5.0 * np.clip((z - FORAMEN_Z + 22.0) / 20.0, 0.0, 1.0)
        result: Array = np.maximum(np.sqrt(x**2 + (y + 33.0) ** 2) - radius, z - FORAMEN_Z - 1.0)
        return result

    canvas.paint("csf", canal, ((-17.0, -50.0, _LOWEST), (17.0, -15.0, FORAMEN_Z + 2.0)), inside=False)
    canvas.tube("muscle", (0.0, -32.0, FORAMEN_Z), (0.0, -33.0, _LOWEST), 6.0, inside=False)


def _orbit(canvas: Canvas, side: float, rng: np.random.Generator) -> None:
    """A cone of fat behind the eye, with nerve and muscles, in walls of thin bone."""
    apex, front = (side * 15.0, 26.0, -37.0), (side * 30.0, 62.0, -41.0)
    way = np.subtract(front, apex)

    def cone(x: Array, y: Array, z: Array) -> Array:
        along = sum((p - a) * w for p, a, w in zip((x, y, z), apex, way, strict=True)) / float(way @ way)
        squares = sum((p - a - along * w) ** 2 for p, a, w in zip((x, y, z), apex, way, strict=True))
        wall = np.maximum(np.sqrt(squares) - 4.0 - 13.0 * np.clip(along, 0.0, 1.0), -40.0 * along)
        lids = y - 79.0 + 0.04 * (np.abs(x) - 30.0) ** 2
        result: Array = np.maximum(wall, lids)
        return result

    low, high = around((side * 24.0, 60.0, -41.0), (28.0, 40.0, 22.0))
    canvas.paint("bone", lambda x, y, z: cone(x, y, z) - 1.5, (low, high - [0.0, 26.0, 0.0]), inside=False)
    canvas.paint("fat", cone, (low, high), inside=False, plate=2.0)
    canvas.tube("muscle", apex, (side * 30.0, 56.0, -41.0), 2.2, inside=False)
    for angle in np.arange(4) * (np.pi / 2):
        at = (side * 30.0 + 11.0 * np.cos(angle), 56.0, -41.0 + 11.0 * np.sin(angle))
        canvas.tube("muscle", apex, at, 1.8, inside=False)
    centre = (side * 31.0, 65.0 + rng.uniform(-2, 2), -41.0)
    canvas.ellipsoid("eye", centre, (12.0, 12.0, 12.0), inside=False, plate=2.0)


def _ear(canvas: Canvas, side: float, rng: np.random.Generator) -> None:
    """Dense petrous bone, and the mastoid: bone full of small bubbles."""
    canvas.tube("bone", (side * 20.0, -6.0, -40.0), (side * 56.0, -26.0, -44.0), 9.0, inside=False)
    canvas.ellipsoid("bone", (side * 55.0, -32.0, -52.0), (11.0, 14.0, 18.0), inside=False)
    cells = Waves(rng, 7, 11, 40)

    def bubbles(x: Array, y: Array, z: Array, values: Array) -> Array:
        mastoid = np.sqrt(((np.abs(x) - 55) / 9) ** 2 + ((y + 32) / 12) ** 2 + ((z + 52) / 16) ** 2) - 1
        result: Array = np.maximum(9 * mastoid, (0.2 - values) * 2.5)
        return result

    box = around((side * 55.0, -32.0, -52.0), (12.0, 14.0, 18.0))
    canvas.paint("air", bubbles, box, inside=False, plate=2.0, waves=cells)
    canvas.tube("air", (side * 40.0, -18.0, -52.0), (side * 95.0, -16.0, -54.0), 3.5, inside=False)


def _frontal_sinus(canvas: Canvas, rng: np.random.Generator) -> None:
    width, height = rng.uniform(9.0, 14.0), rng.uniform(9.0, 15.0)
    for side in _SIDES:
        centre = (side * 11.0, 82.0, -14.0)
        canvas.ellipsoid("bone", centre, (width + 2.5, 10.0, height + 2.5), inside=False)
        canvas.ellipsoid("air", centre, (width, 7.0, height), inside=False, plate=1.8)


def _jaw(canvas: Canvas) -> None:
    """Upper and lower jaw with teeth."""

    def arch(half_width: float, length: float, thickness: float, low: float, high: float, back: float) -> None:
        def level(x: Array, y: Array, z: Array) -> Array:
            ring = np.abs((np.sqrt((x / half_width) ** 2 + ((y - back) / length) ** 2) - 1) * half_width)
            ends = np.maximum(back - y, np.maximum(low - z, z - high))
            result: Array = np.maximum(ring - thickness / 2, ends)
            return result

        canvas.paint("bone", level, ((-70.0, 0.0, low - 2), (70.0, 90.0, high + 2)), inside=False)

    arch(46.0, 62.0, 9.0, -130.0, -104.0, 8.0)
    arch(30.0, 44.0, 10.0, -104.0, -88.0, 30.0)
