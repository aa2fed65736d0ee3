"""Heads: CT and DSC perfusion series of a brain whose every value is known.

The seed moves shape, folds, vessels, pose, lesion side and size; noise and motion draw from streams of their own, so
that a head without noise is the same head.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from PyPeTLib.arrays import Curve, Mask, Volume
from PyPeTLib.blas import single_threaded_blas
from PyPeTLib.execution import Execution
from PyPeTLib.geometry import Grid
from PyPeTLib.phantom.anatomy import Anatomy, HeadShape, draw_anatomy
from PyPeTLib.phantom.base import Phantom
from PyPeTLib.phantom.canvas import Canvas, coordinates
from PyPeTLib.phantom.conditions import CONDITIONS
from PyPeTLib.phantom.head_options import SIDES, HeadOptions, head_options
from PyPeTLib.phantom.motion import RigidMotion, checked_matrices, moved
from PyPeTLib.phantom.perfusion import Lesion, TissuePerfusion, draw_perfusion
from PyPeTLib.phantom.placement import SLAB_CENTRE_MM, Placement, draw_placement
from PyPeTLib.phantom.raster import VesselVolumes, rasterise
from PyPeTLib.phantom.render import (
    HOUNSFIELD,
    T2STAR_SIGNAL,
    VESSEL_RELAXIVITY,
    Leakage,
    Renderer,
    baseline,
    coil_shading,
)
from PyPeTLib.phantom.vessels import draw_vessels
from PyPeTLib.series import Acquisition, Modality, PerfusionSeries

_LEAK_CENTRE = (30.0, -52.0, 16.0)
_LEAK_RADIUS_MM = 14.0
_CEILING_HU = 3071.0
"""What scanners with 12 bits a voxel cannot exceed."""

_STREAMS = ("pose", "shape", "lesion", "vessels", "texture", "coil", "motion", "noise", "conditions")


@dataclass(frozen=True, kw_only=True, eq=False)
class HeadPhantom(Phantom):
    """A head with its truth.

    ``masks`` are ``brain`` (inside the pia's smooth surface), ``intracranial`` (inside the inner table, CSF counts),
    ``tissue`` (grey and white matter with less than 2 % vessels), ``grey``, ``white`` and ``csf`` (at least half a
    voxel), ``core`` and ``penumbra`` (grey and white matter), ``healthy_side`` (tissue of the other hemisphere) and
    ``leaky``. ``fractions`` are ``arterial`` (clots do not count), ``venous``, ``vessel`` (clots count), ``grey``,
    ``white`` and ``csf``.
    """

    options: HeadOptions
    lesion_side: str
    to_head: Curve
    """From RAS+ mm of the series to mm of the head, whose halves meet at x = 0; shape (4, 4)."""

    @property
    def arterial_fraction(self) -> Volume:
        """Share of each voxel that is an artery with flow."""
        return self.fractions["arterial"]

    @property
    def venous_fraction(self) -> Volume:
        """Share of each voxel that is a vein."""
        return self.fractions["venous"]


def make_head(
    modality: Modality | str, *, seed: int = 0, execution: Execution | None = None, **changes: Any
) -> HeadPhantom:
    """A head as a CT or DSC perfusion series, with its truth.

    Parameters
    ----------
    modality : Modality or str
        ``"ctp"``: 200×200×23 voxels of 1×1×5 mm, 45 frames every second, noise 6 HU. ``"dsc"``: 128×128×20 voxels of
        1.75×1.75×6 mm, 60 frames every 1.5 s, echo time 30 ms, Rician noise 8 at a tissue signal of 520.
    seed : int
        Which head.
    execution : Execution, optional
        Threads, for frames with motion.
    **changes
        The attributes of `HeadOptions`, and ``dt`` [s] and ``n_frames`` in place of ``frame_times``. With ``shape``
        alone the field of view stays and the voxels grow. Without ``dtype``, series with noise are whole numbers.

    Returns
    -------
    HeadPhantom
    """
    options = head_options(modality, seed=seed, **changes)
    with single_threaded_blas():
        return _build(options, execution or Execution())


@dataclass(frozen=True, kw_only=True, eq=False)
class _Scene:
    """Everything about a head that does not change over time."""

    placement: Placement
    shape: HeadShape
    anatomy: Anatomy
    lesion: Lesion
    vessels: VesselVolumes
    truth: TissuePerfusion


def _build(options: HeadOptions, execution: Execution) -> HeadPhantom:
    streams = {name: np.random.default_rng((options.seed, i)) for i, name in enumerate(_STREAMS)}
    scene = _drawn_scene(options, streams)
    masks = _masks(scene, leaky=options.leakage != 0)
    renderer = _renderer(options, scene, masks["leaky"])
    motion = _motion(options, scene.placement.world, streams["motion"])
    start = _baseline(options, scene, streams["coil"])
    for name in options.conditions:
        alter = CONDITIONS[name].alter
        if alter is not None:
            start = alter(start, scene.placement.head, options.modality, streams["conditions"])
    times = np.asarray(options.frame_times)
    series = PerfusionSeries(
        data=_frames(options, renderer, start, (scene.placement.world, motion), execution),
        affine=scene.placement.world.affine,
        frame_times=times,
        modality=options.modality,
        acquisition=Acquisition(echo_time=options.echo_time),
        orientation=scene.placement.orientation,
        name=f"head {options.seed} ({options.modality})",
    )
    truth = {name: getattr(scene.truth, name) for name in ("cbf", "cbv", "mtt", "delay")}
    vessels = scene.vessels
    return HeadPhantom(
        series=series,
        truth={**truth, "tmax": scene.truth.delay, "ttp": renderer.time_to_peak()},
        masks=masks,
        fractions={
            "arterial": vessels.artery,
            "venous": vessels.vein,
            "vessel": vessels.all,
            **{name: scene.anatomy.shares[name] for name in ("grey", "white", "csf")},
        },
        bolus=options.bolus,
        residue=options.residue,
        aif=options.bolus.arterial_at(times),
        vof=options.bolus.venous_at(times),
        motion=motion,
        options=options,
        lesion_side="right" if scene.lesion.side > 0 else "left",
        to_head=scene.placement.head.affine @ np.linalg.inv(scene.placement.world.affine),
    )


def _drawn_scene(options: HeadOptions, streams: Mapping[str, np.random.Generator]) -> _Scene:
    grid_shape = (*options.shape[:2], options.slab or options.shape[2])
    height = SLAB_CENTRE_MM if options.slab else 0.0
    if options.height is not None:
        height = options.height
    placement = draw_placement(
        grid_shape, options.spacing, options.affine, streams["pose"], height=height, size=options.size
    )
    shape = HeadShape(streams["shape"])
    anatomy = _drawn_anatomy(options, shape, placement.head, streams["conditions"])
    lesion = Lesion(streams["lesion"], SIDES[options.lesion_side])
    blocked = options.occlusion and not options.healthy
    tubes = draw_vessels(shape, streams["vessels"], occluded=lesion.side if blocked else 0)
    vessels = rasterise(tubes, placement.head, lesion.artery_delay if blocked else None)
    truth = draw_perfusion(
        anatomy, placement.head, lesion, streams["texture"], healthy=options.healthy, lag=options.tissue_lag
    )
    return _Scene(placement=placement, shape=shape, anatomy=anatomy, lesion=lesion, vessels=vessels, truth=truth)


def _drawn_anatomy(options: HeadOptions, shape: HeadShape, grid: Grid, rng: np.random.Generator) -> Anatomy:
    chosen = [CONDITIONS[name] for name in options.conditions]

    def repaint(canvas: Canvas) -> None:
        for condition in chosen:
            if condition.paint is not None:
                condition.paint(canvas, shape, rng)

    lowest = max((c.lowest for c in chosen if c.lowest is not None), default=None)
    return draw_anatomy(shape, grid, repaint=repaint if chosen else None, lowest=lowest)


def _renderer(options: HeadOptions, scene: _Scene, leaky: Mask) -> Renderer:
    return Renderer(
        scene.truth,
        scene.vessels,
        options.bolus,
        options.residue,
        float(np.max(options.frame_times)),
        relaxivity=1.0 if options.modality is Modality.CTP else VESSEL_RELAXIVITY,
        leakage=Leakage(rate=options.leakage, region=leaky) if options.leakage else None,
    )


def _baseline(options: HeadOptions, scene: _Scene, rng: np.random.Generator) -> Volume:
    grid = scene.placement.head
    if options.modality is Modality.CTP:
        return baseline(scene.anatomy, scene.vessels, scene.shape, grid, HOUNSFIELD)
    signal: Volume = baseline(scene.anatomy, scene.vessels, scene.shape, grid, T2STAR_SIGNAL)
    return signal * coil_shading(rng, grid)


def _masks(scene: _Scene, *, leaky: bool) -> dict[str, Mask]:
    anatomy, vessels, truth, lesion = scene.anatomy, scene.vessels, scene.truth, scene.lesion
    left_over = 1 - vessels.all
    grey, white, csf = (anatomy.shares[name] * left_over for name in ("grey", "white", "csf"))
    parenchyma = grey + white >= 0.5
    tissue = (anatomy.shares["grey"] + anatomy.shares["white"] >= 0.5) & (vessels.all < 0.02)
    core = parenchyma & (truth.core >= 0.5)
    x, y, z = coordinates(scene.placement.head)
    distance = np.sqrt(sum((p - c) ** 2 for p, c in zip((lesion.side * x, y, z), _LEAK_CENTRE, strict=True)))
    return {
        "brain": anatomy.hull >= 0.5,
        "intracranial": anatomy.intracranial >= 0.5,
        "tissue": tissue,
        "grey": grey >= 0.5,
        "white": white >= 0.5,
        "csf": csf >= 0.5,
        "core": core,
        "penumbra": parenchyma & (truth.lesion >= 0.5) & ~core,
        "healthy_side": tissue & (lesion.side * x < 0),
        "leaky": parenchyma & (distance < _LEAK_RADIUS_MM) & leaky,
    }


def _motion(options: HeadOptions, grid: Grid, rng: np.random.Generator) -> Curve | None:
    if options.motion is None:
        return None
    n_frames = np.size(options.frame_times)
    if isinstance(options.motion, RigidMotion):
        centre = grid.affine[:3] @ [*((n - 1) / 2 for n in grid.shape), 1.0]
        return options.motion.matrices(n_frames, centre, rng)
    return checked_matrices(options.motion, n_frames)


def _frames(
    options: HeadOptions,
    renderer: Renderer,
    start: Volume,
    moving: tuple[Grid, Curve | None],
    execution: Execution,
) -> Volume:
    """All frames with motion, noise and rounding, shape (x, y, z, t), each frame contiguous."""
    times = np.asarray(options.frame_times)
    grid, motion = moving
    data = np.empty((*start.shape, times.size), dtype=np.float32, order="F")

    def draw(k: int) -> None:
        contrast = renderer.concentration(float(times[k]))
        if options.modality is Modality.CTP:
            frame = start + contrast
        else:
            frame = start * np.exp(-np.float32(options.echo_time) * contrast)
        if motion is not None and not np.array_equal(motion[k], np.eye(4)):
            frame = moved(frame, grid, motion[k])
        if options.noise:
            rng = np.random.default_rng((options.seed, _STREAMS.index("noise"), k))
            frame = _noisy(frame, options.noise, rng, rician=options.modality is Modality.DSC)
        if options.modality is Modality.CTP:
            np.minimum(frame, _CEILING_HU, out=frame)
        if options.dtype == "int16":
            np.clip(np.rint(frame, out=frame), -32768, 32767, out=frame)
        data[..., k] = frame

    execution.map(draw, range(times.size))
    return data


def _noisy(frame: Volume, sd: float, rng: np.random.Generator, *, rician: bool) -> Volume:
    scale = np.float32(sd)
    frame = frame + scale * rng.standard_normal(frame.shape, dtype=np.float32)
    if rician:
        frame = np.hypot(frame, scale * rng.standard_normal(frame.shape, dtype=np.float32))
    return frame
