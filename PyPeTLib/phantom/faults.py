"""Faults of real series, done to head phantoms whose truth stays known: what flags and refusals are tested with.

A fault changes how the head is drawn, what became of it as a series, what the user gives with it, or the options of
the run. Every one has a level in a unit of its own, and levels from harmless to hopeless to draw from.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.config import Given, PipelineConfig
from PyPeTLib.execution import Execution
from PyPeTLib.phantom.bolus import Bolus
from PyPeTLib.phantom.fault_steps import (
    Degradation,
    at_times,
    cropped,
    in_each_frame,
    in_series,
    in_some_frames,
    of_frames,
    rendered,
    some_voxels,
)
from PyPeTLib.phantom.head import HeadPhantom, make_head
from PyPeTLib.phantom.motion import RigidMotion
from PyPeTLib.registry import Registry
from PyPeTLib.series import Acquisition, Modality, PerfusionSeries

BLANK = {Modality.CTP: -1000.0, Modality.DSC: 0.0}
"""What an empty frame holds."""
DSC_NOISE_PER_HU = 8 / 6
"""The noise of both presets over each other, so that one level means the same trouble."""
TISSUE_SIGNAL = 520.0
"""Signal of DSC's tissue before the bolus."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Fault:
    """A family of degradations by their level.

    ``levels`` are those to draw from, ``unit`` is what stands behind them.
    """

    make: Callable[[float, Modality], Degradation]
    levels: tuple[float, ...]
    unit: str


FAULTS: Registry[Fault] = Registry("faults")


def fault(
    name: str, summary: str, *levels: float, unit: str = ""
) -> Callable[[Callable[[float, Modality], Degradation]], Callable[[float, Modality], Degradation]]:
    """Decorator that registers a function from level and modality to a `Degradation`."""

    def add(make: Callable[[float, Modality], Degradation]) -> Callable[[float, Modality], Degradation]:
        FAULTS.register(name, summary=summary)(Fault(make=make, levels=levels, unit=unit))
        return make

    return add


@dataclass(frozen=True, kw_only=True, eq=False)
class DegradedHead:
    """A head after its faults, ready for a run; ``head.series`` is what the run gets, ``head.truth`` still holds."""

    head: HeadPhantom
    given: Given
    config: PipelineConfig

    @property
    def series(self) -> PerfusionSeries:
        """The faulty series."""
        return self.head.series


def make_degraded(
    modality: Modality | str,
    faults: Mapping[str, float],
    *,
    seed: int = 0,
    execution: Execution | None = None,
    **changes: Any,
) -> DegradedHead:
    """A head with faults, by their names and levels.

    Parameters
    ----------
    modality : Modality or str
        As it is acquired; the series may say something else.
    faults : mapping
        Names in `FAULTS` and the level of each; they are done in this order.
    seed : int
        Which head, and what the faults draw.
    execution : Execution, optional
    **changes
        Options of `make_head`, which win over those of the faults.

    Raises
    ------
    InputError
        If the faults leave no series at all, such as one with too few frames.
    """
    modality = Modality(modality)
    options: dict[str, Any] = {}
    bolus: dict[str, float] = {}
    for one in _degradations(modality, faults):
        options |= {name: value for name, value in one.head.items() if name != "bolus"}
        bolus |= one.head.get("bolus", {})
    head = make_head(modality, seed=seed, execution=execution, **{"bolus": Bolus(**bolus), **options, **changes})
    return degrade(head, faults, seed=seed)


def degrade(head: HeadPhantom, faults: Mapping[str, float], *, seed: int = 0) -> DegradedHead:
    """A head that is there already, with what faults do to a series; what they do to the drawing is left out."""
    rng = np.random.default_rng((seed, 1))
    masks: dict[str, Mask] = {}
    config: dict[str, dict[str, Any]] = {}
    done = _degradations(head.series.modality, faults)
    for one in done:
        head = head if one.step is None else one.step(head, rng)
    for one in done:
        masks |= {} if one.masks is None else {name: mask for name, mask in one.masks(head).items() if mask.any()}
        for group, table in one.config.items():
            config.setdefault(group, {}).update(table)
    return DegradedHead(
        head=head,
        given=Given(brain_mask=masks.get("brain_mask"), aif_mask=masks.get("aif_mask")),
        config=PipelineConfig.for_modality(head.series.modality, config),
    )


def _degradations(modality: Modality, faults: Mapping[str, float]) -> list[Degradation]:
    return [FAULTS[name].make(level, modality) for name, level in faults.items()]


def draw_faults(rng: np.random.Generator, most: int = 3) -> dict[str, float]:
    """One to ``most`` different faults with a level each."""
    names = rng.choice(list(FAULTS), size=int(rng.integers(1, most + 1)), replace=False)
    return {str(name): float(rng.choice(FAULTS[str(name)].levels)) for name in names}


def described_faults(faults: Mapping[str, float]) -> str:
    """Names and levels as words."""
    return ", ".join(f"{name} {level:g}{_spaced(FAULTS[name].unit)}" for name, level in faults.items())


def _spaced(unit: str) -> str:
    return f" {unit}" if unit else ""


@fault("noise", "more noise than usual", 2, 10, 16, 22, 30, unit="HU")
def _noise(level: float, modality: Modality) -> Degradation:
    return Degradation(head={"noise": level * (1 if modality is Modality.CTP else DSC_NOISE_PER_HU)})


@fault("truncation", "the scan ends early", 14, 18, 22, 28, unit="s")
def _truncation(level: float, modality: Modality) -> Degradation:  # noqa: ARG001 - one signature for all faults
    return at_times(lambda times: times <= level)


@fault("late-start", "the scan starts late", 6, 9, 11, 13, 16, unit="s")
def _late_start(level: float, modality: Modality) -> Degradation:  # noqa: ARG001
    return at_times(lambda times: times >= level)


@fault("gap", "frames are missing from the first pass on, and their times are known", 2, 3, 5, 8, unit="s")
def _gap(level: float, modality: Modality) -> Degradation:  # noqa: ARG001
    return at_times(lambda times: (times <= Bolus().arrival + 2) | (times > Bolus().arrival + 2 + level))


@fault("lost-frames", "single frames are missing without a trace in the times", 1, 3, 6, unit="frames")
def _lost_frames(level: float, modality: Modality) -> Degradation:  # noqa: ARG001
    def without(series: PerfusionSeries, rng: np.random.Generator) -> PerfusionSeries:
        kept = np.sort(rng.permutation(series.n_frames)[int(level) :])
        return of_frames(series, kept, times=series.frame_times[: kept.size])

    return in_series(without)


@fault("frame-interval", "frames far from each other, or close", 0.5, 2, 3, 4, unit="s")
def _frame_interval(level: float, modality: Modality) -> Degradation:
    end = 44 if modality is Modality.CTP else 88
    return Degradation(head={"dt": level, "n_frames": int(end / level) + 1})


@fault("wrong-interval", "the frame interval given is so many times the true one", 0.1, 0.5, 2, 10)
def _wrong_interval(level: float, modality: Modality) -> Degradation:  # noqa: ARG001
    return in_series(lambda series, _: dataclasses.replace(series, frame_times=level * series.frame_times))


@fault("blank-frames", "frames that hold nothing", 1, 2, 4, unit="frames")
def _blank_frames(level: float, modality: Modality) -> Degradation:
    def blank(frame: Volume, rng: np.random.Generator) -> Volume:  # noqa: ARG001
        return np.full_like(frame, BLANK[modality])

    return in_some_frames(int(level), blank)


@fault("low-dose", "frames with much noise", 1, 3, 6, unit="frames")
def _low_dose(level: float, modality: Modality) -> Degradation:
    sd = np.float32(120.0 if modality is Modality.CTP else 160.0)

    def noisy(frame: Volume, rng: np.random.Generator) -> Volume:
        loud = frame + sd * rng.standard_normal(frame.shape, dtype=np.float32)
        return loud if modality is Modality.CTP else np.abs(loud)

    return in_some_frames(int(level), noisy)


@fault("clipping", "values above so much of tissue's are cut off; a mask is given", 80, 120, 220, unit="HU")
def _clipping(level: float, modality: Modality) -> Degradation:
    top = level if modality is Modality.CTP else TISSUE_SIGNAL * (0.75 + level / 400)
    clipped = in_each_frame(lambda frame, _: np.minimum(frame, np.float32(top)))
    # without bone no mask of a CT is found, so that the user helps
    return dataclasses.replace(clipped, masks=lambda head: {"brain_mask": head.masks["intracranial"]})


@fault("offset", "a number was added to all values", -1024, 50, 1024)
def _offset(level: float, modality: Modality) -> Degradation:  # noqa: ARG001
    return in_each_frame(lambda frame, _: frame + np.float32(level))


@fault("scale", "all values were multiplied", 0.1, 0.5, 2, 10)
def _scale(level: float, modality: Modality) -> Degradation:  # noqa: ARG001
    return in_each_frame(lambda frame, _: frame * np.float32(level))


@fault("motion", "the head moves, and the motion is corrected", 3, 8, 20, unit="mm")
def _motion(level: float, modality: Modality) -> Degradation:  # noqa: ARG001
    motion = RigidMotion(drift_mm=level / 3, drift_degrees=level / 3, jump_mm=level, jump_degrees=level, jumps=3)
    return Degradation(head={"motion": motion})


@fault("uncorrected-motion", "the head moves, and the correction is off", 1, 3, 8, unit="mm")
def _uncorrected_motion(level: float, modality: Modality) -> Degradation:
    return dataclasses.replace(_motion(level, modality), config={"motion": {"correct": False}})


@fault("weak-bolus", "little contrast arrives", 0.05, 0.1, 0.2, 0.4)
def _weak_bolus(level: float, modality: Modality) -> Degradation:  # noqa: ARG001
    return Degradation(head={"bolus": {"peak": level * Bolus().peak}})


@fault("dispersion", "a slow bolus: poor injection or a weak heart", 2, 4, 7, unit="s")
def _dispersion(level: float, modality: Modality) -> Degradation:  # noqa: ARG001
    return Degradation(head={"bolus": {"dispersion": level}})


@fault("slab", "few slices", 1, 2, 3, unit="slices")
def _slab(level: float, modality: Modality) -> Degradation:  # noqa: ARG001
    return Degradation(head={"slab": int(level)})


@fault("swapped-modality", "CT is taken for DSC, or the other way round", 1)
def _swapped_modality(level: float, modality: Modality) -> Degradation:  # noqa: ARG001
    other = Modality.DSC if modality is Modality.CTP else Modality.CTP

    def swapped(series: PerfusionSeries, _: np.random.Generator) -> PerfusionSeries:
        echo_time = 0.03 if other is Modality.DSC else None
        return dataclasses.replace(series, modality=other, acquisition=Acquisition(echo_time=echo_time))

    return in_series(swapped)


@fault("inverted", "the values are negative: contrast turns the other way", 1)
def _inverted(level: float, modality: Modality) -> Degradation:  # noqa: ARG001
    lift = np.float32(0.0 if modality is Modality.CTP else 2 * TISSUE_SIGNAL)
    return in_each_frame(lambda frame, _: lift - frame)


@fault("upper-slices", "the field of view begins above the great arteries; share of the slices that is left", 0.5, 0.3)
def _upper_slices(level: float, modality: Modality) -> Degradation:  # noqa: ARG001
    return Degradation(step=lambda head, _: cropped(head, 2, slice(int((1 - level) * head.series.grid.shape[2]), None)))


@fault("cropped-side", "a part of the head lies outside the field of view; share that is left", 0.7, 0.5)
def _cropped_side(level: float, modality: Modality) -> Degradation:  # noqa: ARG001
    return Degradation(step=lambda head, _: cropped(head, 0, slice(0, int(level * head.series.grid.shape[0]))))


@fault("vein-as-artery", "the user marks a vein as the artery", 1)
def _vein_as_artery(level: float, modality: Modality) -> Degradation:  # noqa: ARG001
    return Degradation(
        masks=lambda head: {"aif_mask": head.venous_fraction >= np.quantile(head.venous_fraction, 0.9995)}
    )


@fault("tissue-as-artery", "the user marks tissue as the artery", 1)
def _tissue_as_artery(level: float, modality: Modality) -> Degradation:  # noqa: ARG001
    return Degradation(
        masks=lambda head: {"aif_mask": some_voxels(head.masks["grey"] & head.masks["healthy_side"], 20)}
    )


@fault("streaks", "streaks that flicker from frame to frame", 10, 40, 100, unit="HU")
def _streaks(level: float, modality: Modality) -> Degradation:
    height = level * (1 if modality is Modality.CTP else DSC_NOISE_PER_HU)

    def streaked(frame: Volume, rng: np.random.Generator) -> Volume:
        x, y = np.meshgrid(*(np.linspace(-1, 1, n) for n in frame.shape[:2]), indexing="ij")
        angle = np.arctan2(y - 0.3, x + 0.2)
        rays = np.cos(8 * angle + rng.uniform(0, 2 * np.pi)) ** 15
        return frame + np.float32(height * rng.uniform(-1, 1)) * rays[..., np.newaxis].astype(np.float32)

    return in_each_frame(streaked)


@fault("drift", "the signal rises steadily, at the end by so much", 1, 5, 20, unit="HU")
def _drift(level: float, modality: Modality) -> Degradation:
    def drifted(series: PerfusionSeries, _: np.random.Generator) -> PerfusionSeries:
        progress = np.linspace(0, 1, series.n_frames, dtype=np.float32)
        if modality is Modality.CTP:
            return rendered(series, lambda k: series.frame(k) + np.float32(level) * progress[k])
        return rendered(series, lambda k: series.frame(k) * (1 + np.float32(level / 60) * progress[k]))

    return in_series(drifted)
