"""What may be different about a head: its base and face, disease, implants, and artefacts of the scanner.

Each condition is one registered value with up to two hooks: what it paints into the anatomy, and what it does to the
signal. The truth follows the anatomy, and the space inside the inner table stays what it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import Array, Volume
from PyPeTLib.geometry import Grid
from PyPeTLib.phantom.anatomy import VENTRICLES, HeadShape
from PyPeTLib.phantom.canvas import Canvas, around, coordinates
from PyPeTLib.phantom.face import FORAMEN_Z, open_base, paint_face
from PyPeTLib.phantom.waves import Waves
from PyPeTLib.registry import Registry
from PyPeTLib.series import Modality

Paint = Callable[[Canvas, HeadShape, np.random.Generator], None]

Alter = Callable[[Volume, Grid, Modality, np.random.Generator], Volume]
"""From the signal before the bolus, its grid in head coordinates and the modality to the signal as it is measured."""

_CLIP = (23.0, 6.0, -19.0)
_SHUNT_DIRECTION = (0.72, -0.45, 0.55)
_VOID_MM = 11.0
_STREAKS = 22
_STREAK_HU = 260.0
_SHADING = 0.4

# centre on the right side, and reach in mm, of the loss of signal over air in frontal, sphenoid and petrous bone
_LOSSES = (((0.0, 52.0, -24.0), 17.0), ((0.0, 16.0, -24.0), 13.0), ((48.0, -16.0, -31.0), 13.0))


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What a condition does; None where it does nothing.

    Attributes
    ----------
    paint : callable or None
        Repaints the anatomy.
    alter : callable or None
        Alters the signal before the bolus, in which vessels are drawn already.
    lowest : float or None
        Height in mm at which the inside of the skull ends in the foramen magnum.
    """

    paint: Paint | None = None
    alter: Alter | None = None
    lowest: float | None = None


CONDITIONS: Registry[Condition] = Registry("conditions of heads")
"""Conditions by name, in the order in which they are painted."""


def _face(canvas: Canvas, _: HeadShape, rng: np.random.Generator) -> None:
    paint_face(canvas, rng)


def _open_base(canvas: Canvas, _: HeadShape, rng: np.random.Generator) -> None:
    open_base(canvas, rng)


def _wide_ventricles(canvas: Canvas, _: HeadShape, rng: np.random.Generator) -> None:
    wide = rng.uniform(1.8, 2.2)
    for (x, y, z), radii in VENTRICLES[:5]:
        for side in (1.0, -1.0):
            a, b, c = (radius * wide ** (1.0, 0.35, 1.0)[axis] for axis, radius in enumerate(radii))
            canvas.ellipsoid("csf", (side * (x + 0.25 * a), y, z), (a, b, c), inside=True)


def _haemorrhage(canvas: Canvas, shape: HeadShape, rng: np.random.Generator) -> None:
    """A large bleeding in the basal ganglia that broke into the ventricle, and one under the dura of a whole side."""
    side = rng.choice((1.0, -1.0))
    radii = tuple(rng.uniform(0.9, 1.1) * r for r in (15.0, 23.0, 17.0))
    canvas.ellipsoid("blood clot", (side * 28.0, -2.0, 4.0), (radii[0], radii[1], radii[2]), inside=True)
    canvas.ellipsoid("blood clot", (side * 11.0, -4.0, 17.0), (6.0, 22.0, 5.0), inside=True)
    thickness = rng.uniform(8.0, 11.0)

    def under_dura(x: Array, y: Array, z: Array, waves: Array) -> Array:
        depth = -shape.from_vault(x, y, z, waves)
        # a crescent, thickest in the middle of the side
        away = np.sqrt((y / 65.0) ** 2 + ((z - 12.0) / 38.0) ** 2)
        result: Array = np.maximum(depth - thickness * (1 - away**2), 5.0 - side * x)
        return result

    box = ((-80.0, -70.0, -30.0), (80.0, 70.0, 55.0))
    canvas.paint("effusion", under_dura, box, inside=True, waves=shape.skull_waves)


def _child(canvas: Canvas, shape: HeadShape, rng: np.random.Generator) -> None:
    """Bone half as thick and dense, and an open fontanelle."""
    whole = around((0.0, 0.0, 0.0), (120.0, 140.0, 100.0))
    thin = rng.uniform(3.5, 4.5)
    outer = ((-120.0, -140.0, -15.0), (120.0, 140.0, 100.0))
    canvas.paint(
        "scalp",
        lambda x, y, z, waves: thin - shape.from_vault(x, y, z, waves),
        outer,
        over="bone",
        waves=shape.skull_waves,
    )
    canvas.paint("young bone", lambda x, y, z: 0 * (x + y + z) - 1e3, whole, over="bone")
    top = shape.surface(np.array([[0.0, 0.35, 0.94]]), 0.0)[0]
    canvas.ellipsoid("scalp", tuple(top), (15.0, 18.0, 12.0), over="young bone")


def _shunt(canvas: Canvas, shape: HeadShape, rng: np.random.Generator) -> None:
    """A catheter through a burr hole into the ventricle, with a reservoir under the scalp."""
    side = rng.choice((1.0, -1.0))
    way = np.array([side * _SHUNT_DIRECTION[0], *_SHUNT_DIRECTION[1:]])
    way /= np.linalg.norm(way)
    table = shape.surface(way[np.newaxis], 0.0)[0]
    outer, tip = table + 10.0 * way, np.array([side * 12.0, -6.0, 17.0])

    def at(place: np.ndarray) -> tuple[float, float, float]:
        return float(place[0]), float(place[1]), float(place[2])

    canvas.tube("scalp", at(table - 2.0 * way), at(table + 6.0 * way), 6.0, inside=False)
    canvas.tube("plastic", at(outer), at(tip), 1.6)
    canvas.ellipsoid("metal", at(outer), (6.0, 6.0, 4.0), inside=False)


def _metal(canvas: Canvas, shape: HeadShape, _: np.random.Generator) -> None:
    """A coil at the bend of the carotid, and a bone flap with burr holes and clips over it."""
    canvas.ellipsoid("metal", _CLIP, (5.0, 5.0, 5.0), inside=True)
    for direction in ((0.9, 0.5, 0.15), (0.95, -0.2, 0.35), (0.7, 0.75, 0.3)):
        way = np.asarray(direction) / np.linalg.norm(direction)
        table = shape.surface(way[np.newaxis], 0.0)[0]
        start, end = (table + mm * way for mm in (-2.0, 9.0))
        canvas.tube("scalp", tuple(start), tuple(end), 6.5, inside=False)
        canvas.ellipsoid("metal", tuple(table + 8.0 * way), (3.0, 3.0, 2.0), inside=False)


def _around_metal(signal: Volume, grid: Grid, modality: Modality, rng: np.random.Generator) -> Volume:
    """Streaks across the slices (CT), or no signal around (MR)."""
    if modality is Modality.DSC:
        return signal * _loss(grid, _CLIP, _VOID_MM)
    result = signal.copy()
    metal = signal > 2500.0
    x, y, _ = (np.linalg.norm(grid.affine[:3, axis]) for axis in range(3))
    i, j = (np.arange(n) * size for n, size in zip(signal.shape, (x, y), strict=False))
    for z in np.flatnonzero(metal.any(axis=(0, 1))):
        places = np.argwhere(metal[:, :, z]) * [x, y]
        centre = places.mean(axis=0)
        across, up = (i - centre[0])[:, np.newaxis], (j - centre[1])[np.newaxis]
        reach = np.hypot(across, up)
        for angle, height in zip(
            rng.uniform(0, np.pi, _STREAKS), _STREAK_HU * rng.standard_normal(_STREAKS), strict=True
        ):
            off = across * np.sin(angle) - up * np.cos(angle)
            fan = 1.5 + 0.02 * reach
            result[:, :, z] += height * np.exp(-((off / fan) ** 2)) / (1 + reach / 25)
    clipped: Volume = np.clip(result, -1000.0, None)
    return clipped


def _bright_eyes(canvas: Canvas, shape: HeadShape, rng: np.random.Generator) -> None:  # noqa: ARG001 - one signature for all
    """Vitreous and fat of the orbits, as without suppression of either."""
    for side in (1.0, -1.0):
        for name in ("eye", "fat"):
            canvas.ellipsoid(f"bright {name}", (side * 28.0, 52.0, -41.0), (26.0, 36.0, 24.0), over=name)


def _shading(signal: Volume, grid: Grid, modality: Modality, rng: np.random.Generator) -> Volume:  # noqa: ARG001 - one signature for all
    """Gain of the receive coils that runs from 60 to 140 % over the head."""
    gain = Waves(rng, 220, 380, 6).on(grid)
    head = gain[signal > 0.2 * float(np.percentile(signal, 95))]
    low, high = (float(v) for v in np.percentile(head, (1, 99)))
    shaded: Volume = signal * (1 + _SHADING * np.clip((2 * gain - low - high) / (high - low), -1, 1))
    return shaded


def _signal_loss(signal: Volume, grid: Grid, modality: Modality, rng: np.random.Generator) -> Volume:  # noqa: ARG001 - one signature for all
    """Dephasing over the air of sinuses and mastoids."""
    for (x, y, z), reach in _LOSSES:
        grown = reach * rng.uniform(0.85, 1.15)
        for side in {1.0, -1.0} if x else {1.0}:
            signal = signal * _loss(grid, (side * x, y, z), grown)
    return signal


def _loss(grid: Grid, centre: tuple[float, float, float], reach: float) -> Volume:
    """Factor that is near 0 about a place and 0.5 at its reach in mm."""
    squares = sum((p - c) ** 2 for p, c in zip(coordinates(grid), centre, strict=True)) / reach**2
    factor: Volume = (1 - np.float32(0.97) * np.exp2(-(squares**2))).astype(np.float32)
    return factor


CONDITIONS.register("face", summary="skull base with openings, sinuses, orbits, jaw, spine and neck")(
    Condition(paint=_face, lowest=FORAMEN_Z)
)
CONDITIONS.register("open-base", summary="bone missing over nose and orbit and under a temporal lobe")(
    Condition(paint=_open_base)
)
CONDITIONS.register("wide-ventricles", summary="lateral and third ventricles twice as wide")(
    Condition(paint=_wide_ventricles)
)
CONDITIONS.register("haemorrhage", summary="a large bleeding in the brain and one under the dura")(
    Condition(paint=_haemorrhage)
)
CONDITIONS.register("child", summary="thin bone of half the density with an open fontanelle")(Condition(paint=_child))
CONDITIONS.register("shunt", summary="catheter through a burr hole into a ventricle, with a reservoir")(
    Condition(paint=_shunt)
)
CONDITIONS.register("metal", summary="a coil at the base and a bone flap with clips: streaks (CT) or no signal (MR)")(
    Condition(paint=_metal, alter=_around_metal)
)
CONDITIONS.register("bright-eyes", summary="eyes and orbits five times as bright as brain (MR)", traits=("dsc",))(
    Condition(paint=_bright_eyes)
)
CONDITIONS.register("shading", summary="gain of the coils from 60 to 140 % over the head (MR)", traits=("dsc",))(
    Condition(alter=_shading)
)
CONDITIONS.register("signal-loss", summary="no signal over the sinuses and mastoids (MR)", traits=("dsc",))(
    Condition(alter=_signal_loss)
)
