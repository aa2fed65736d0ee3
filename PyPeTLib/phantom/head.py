"""Heads: CT and DSC perfusion series of a brain whose every value is known.

The seed moves shape, folds, vessels, pose, lesion side and size; noise and motion draw from streams of their own, so
that a head without noise is the same head.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from PyPeTLib.arrays import Curve, Mask, Volume
from PyPeTLib.errors import InputError
from PyPeTLib.execution import Execution, single_threaded_blas
from PyPeTLib.geometry import Grid
from PyPeTLib.phantom.anatomy import Anatomy, HeadShape, coordinates, draw_anatomy
from PyPeTLib.phantom.base import Phantom
from PyPeTLib.phantom.kinetics import RESIDUES, Bolus
from PyPeTLib.phantom.motion import RigidMotion, checked_matrices, moved
from PyPeTLib.phantom.perfusion import Lesion, TissuePerfusion, draw_perfusion
from PyPeTLib.phantom.placement import SLAB_CENTRE_MM, draw_placement
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
from PyPeTLib.series import Acquisition, Modality, PerfusionSeries, check_frame_times

_LEAK_CENTRE = (30.0, -52.0, 16.0)
_LEAK_RADIUS_MM = 14.0
_SIDES = {"right": 1, "left": -1, None: None}


@dataclass(frozen=True, kw_only=True, eq=False)
class HeadOptions:
    """What a head phantom looks like; `make_head` fills in the defaults of the modality.

    Attributes
    ----------
    modality : Modality
    seed : int
    shape : tuple of int
        Voxels along x, y and z.
    spacing : tuple of float
        mm along x, y and z.
    frame_times : array_like
        Seconds, steps may be uneven.
    noise : float or None
        SD in HU (CT, Gaussian) or signal units (DSC, Rician); None for no noise.
    dtype : str
        ``"int16"`` rounds the signal to whole numbers, ``"float32"`` does not.
    echo_time : float or None
        Seconds (DSC).
    bolus : Bolus
        Its ``arrival`` is the time at which contrast reaches the internal carotid artery.
    residue : str
        A name in `RESIDUES`.
    affine : str
        A name in `AFFINE_KINDS`.
    slab : int or None
        Only so many slices, at the level of M1 and the basal ganglia.
    healthy : bool
        No lesion and no occlusion.
    occlusion : bool
        Whether M1 is occluded on the side of the lesion.
    lesion_side : {"left", "right"} or None
        None leaves it to the seed.
    tissue_lag : float
        Seconds added to the delay of all tissue.
    motion : RigidMotion, array_like of shape (t, 4, 4), or None
        Matrices lead from world coordinates (RAS+ mm) of a frame to those of the truth.
    leakage : float
        K2 in 1/s in a region behind the lesion (DSC), see `Leakage`.
    """

    modality: Modality
    seed: int
    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    frame_times: npt.ArrayLike
    noise: float | None
    dtype: str
    echo_time: float | None
    bolus: Bolus = field(default_factory=Bolus)
    residue: str = "exponential"
    affine: str = "ras"
    slab: int | None = None
    healthy: bool = False
    occlusion: bool = True
    lesion_side: str | None = None
    tissue_lag: float = 0.0
    motion: RigidMotion | npt.ArrayLike | None = None
    leakage: float = 0.0

    def __post_init__(self) -> None:
        times = np.asarray(self.frame_times, dtype=np.float64)
        object.__setattr__(self, "frame_times", check_frame_times(times, times.size, name="head"))
        object.__setattr__(self, "residue", RESIDUES.entry(self.residue).name)
        if self.dtype not in ("int16", "float32"):
            raise InputError(f"dtype must be 'int16' or 'float32', found {self.dtype!r}")
        if self.lesion_side not in _SIDES:
            raise InputError(f"lesion_side must be 'left', 'right' or None, found {self.lesion_side!r}")
        if self.noise is not None and not self.noise >= 0:
            raise InputError(f"noise must not be below 0, found {self.noise!r}; None leaves it out")
        if min(self.shape) < 1 or min(self.spacing) <= 0 or len(self.shape) != 3 or len(self.spacing) != 3:
            raise InputError(f"shape and spacing need three numbers above 0, found {self.shape} and {self.spacing}")
        if self.leakage and self.modality is not Modality.DSC:
            raise InputError("leakage is only modelled for DSC")


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

    @property
    def arterial_fraction(self) -> Volume:
        """Share of each voxel that is an artery with flow."""
        return self.fractions["arterial"]

    @property
    def venous_fraction(self) -> Volume:
        """Share of each voxel that is a vein."""
        return self.fractions["venous"]


_PRESETS: Mapping[Modality, Mapping[str, Any]] = {
    Modality.CTP: {
        "shape": (200, 200, 23),
        "spacing": (1.0, 1.0, 5.0),
        "dt": 1.0,
        "n_frames": 45,
        "noise": 6.0,
        "echo_time": None,
    },
    Modality.DSC: {
        "shape": (128, 128, 20),
        "spacing": (1.75, 1.75, 6.0),
        "dt": 1.5,
        "n_frames": 60,
        "noise": 8.0,
        "echo_time": 0.03,
    },
}


def head_options(modality: Modality | str, *, seed: int = 0, **changes: Any) -> HeadOptions:
    """The modality's defaults with changes; see `make_head`."""
    modality = Modality(modality)
    preset = dict(_PRESETS[modality])
    if "shape" in changes and "spacing" not in changes:
        pairs = zip(preset["shape"], preset["spacing"], changes["shape"], strict=True)
        preset["spacing"] = tuple(n * size / wanted for n, size, wanted in pairs)
    if "frame_times" in changes and not {"dt", "n_frames"}.isdisjoint(changes):
        raise InputError("give either frame_times, or dt and n_frames")
    values = {**preset, **changes}
    step, count = values.pop("dt"), values.pop("n_frames")
    values.setdefault("frame_times", step * np.arange(count))
    values.setdefault("dtype", "float32" if values["noise"] is None else "int16")
    return HeadOptions(modality=modality, seed=seed, **values)


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


def _build(options: HeadOptions, execution: Execution) -> HeadPhantom:
    streams = {name: np.random.default_rng((options.seed, i)) for i, name in enumerate(_STREAMS)}
    depth = options.slab or options.shape[2]
    grid_shape = (options.shape[0], options.shape[1], depth)
    height = SLAB_CENTRE_MM if options.slab else 0.0
    placement = draw_placement(grid_shape, options.spacing, options.affine, streams["pose"], height=height)
    shape = HeadShape(streams["shape"])
    anatomy = draw_anatomy(shape, placement.head)
    lesion = Lesion(streams["lesion"], _SIDES[options.lesion_side])
    blocked = options.occlusion and not options.healthy
    tubes = draw_vessels(shape, streams["vessels"], occluded=lesion.side if blocked else 0)
    vessels = rasterise(tubes, placement.head, lesion.artery_delay if blocked else None)
    truth = draw_perfusion(
        anatomy, placement.head, lesion, streams["texture"], healthy=options.healthy, lag=options.tissue_lag
    )
    masks = _masks(anatomy, vessels, truth, placement.head, lesion, leaky=options.leakage != 0)
    is_ct = options.modality is Modality.CTP
    end = float(np.max(options.frame_times))
    renderer = Renderer(
        truth,
        vessels,
        options.bolus,
        options.residue,
        end,
        relaxivity=1.0 if is_ct else VESSEL_RELAXIVITY,
        leakage=Leakage(rate=options.leakage, region=masks["leaky"]) if options.leakage else None,
    )
    start = baseline(anatomy, vessels, shape, placement.head, HOUNSFIELD if is_ct else T2STAR_SIGNAL)
    if not is_ct:
        start *= coil_shading(streams["coil"], placement.head)
    motion = _motion(options, placement.world, streams["motion"])
    data = _frames(options, renderer, start, (placement.world, motion), execution)
    times = np.asarray(options.frame_times)
    series = PerfusionSeries(
        data=data,
        affine=placement.world.affine,
        frame_times=times,
        modality=options.modality,
        acquisition=Acquisition(echo_time=options.echo_time),
        orientation=placement.orientation,
        name=f"head {options.seed} ({options.modality})",
    )
    return HeadPhantom(
        series=series,
        truth={
            "cbf": truth.cbf,
            "cbv": truth.cbv,
            "mtt": truth.mtt,
            "delay": truth.delay,
            "tmax": truth.delay,
            "ttp": renderer.time_to_peak(),
        },
        masks=masks,
        fractions={
            "arterial": vessels.artery,
            "venous": vessels.vein,
            "vessel": vessels.all,
            **{name: anatomy.shares[name] for name in ("grey", "white", "csf")},
        },
        bolus=options.bolus,
        residue=options.residue,
        aif=options.bolus.arterial_at(times),
        vof=options.bolus.venous_at(times),
        motion=motion,
        options=options,
        lesion_side="right" if lesion.side > 0 else "left",
    )


_STREAMS = ("pose", "shape", "lesion", "vessels", "texture", "coil", "motion", "noise")


def _masks(
    anatomy: Anatomy,
    vessels: VesselVolumes,
    truth: TissuePerfusion,
    grid: Grid,
    lesion: Lesion,
    *,
    leaky: bool,
) -> dict[str, Mask]:
    left_over = 1 - vessels.all
    grey, white, csf = (anatomy.shares[name] * left_over for name in ("grey", "white", "csf"))
    parenchyma = grey + white >= 0.5
    tissue = (anatomy.shares["grey"] + anatomy.shares["white"] >= 0.5) & (vessels.all < 0.02)
    core = parenchyma & (truth.core >= 0.5)
    x, y, z = coordinates(grid)
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
