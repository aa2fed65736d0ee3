"""What faults do: to how a head is drawn, to its series frame by frame, to its field of view."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from PyPeTLib.arrays import Curve, IntArray, Mask, Volume
from PyPeTLib.phantom.head import HeadPhantom
from PyPeTLib.series import MINIMUM_FRAMES, PerfusionSeries

Step = Callable[[HeadPhantom, np.random.Generator], HeadPhantom]


@dataclass(frozen=True, kw_only=True, eq=False)
class Degradation:
    """What a fault of one level does.

    Attributes
    ----------
    head : mapping
        Changes to the options of `make_head`; ``bolus`` is a mapping of the attributes of `Bolus`.
    step : callable, optional
        Makes of the head one with another series, and with the truth cropped alike.
    masks : callable, optional
        Masks that the user gives, by the names that `Given` has for them.
    config : mapping
        Changes to the options of the run.
    """

    head: Mapping[str, Any] = field(default_factory=dict)
    step: Step | None = None
    masks: Callable[[HeadPhantom], Mapping[str, Mask]] | None = None
    config: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def in_series(change: Callable[[PerfusionSeries, np.random.Generator], PerfusionSeries]) -> Degradation:
    """A change of the series alone."""
    return Degradation(step=lambda head, rng: dataclasses.replace(head, series=change(head.series, rng)))


def in_each_frame(change: Callable[[Volume, np.random.Generator], Volume]) -> Degradation:
    """The same change in every frame."""
    return in_series(lambda series, rng: rendered(series, lambda k: change(series.frame(k), rng)))


def in_some_frames(count: int, change: Callable[[Volume, np.random.Generator], Volume]) -> Degradation:
    """A change in some frames at random places."""

    def changed(series: PerfusionSeries, rng: np.random.Generator) -> PerfusionSeries:
        chosen = set(rng.permutation(series.n_frames)[:count].tolist())
        return rendered(series, lambda k: change(series.frame(k), rng) if k in chosen else series.frame(k))

    return in_series(changed)


def at_times(keep: Callable[[Curve], Mask]) -> Degradation:
    """Keeps the frames whose times are chosen, or the first few where these make no series."""

    def kept(series: PerfusionSeries, _: np.random.Generator) -> PerfusionSeries:
        chosen = np.flatnonzero(keep(series.frame_times))
        if chosen.size < MINIMUM_FRAMES:
            chosen = np.arange(MINIMUM_FRAMES)
        return of_frames(series, chosen, times=series.frame_times[chosen])

    return in_series(kept)


def of_frames(series: PerfusionSeries, frames: IntArray, *, times: Curve) -> PerfusionSeries:
    """Some frames of a series, at times that may be others than theirs."""
    return rendered(series, lambda k: series.frame(int(frames[k])), times=times)


def rendered(series: PerfusionSeries, frame: Callable[[int], Volume], *, times: Curve | None = None) -> PerfusionSeries:
    """The series with other frames, and perhaps other times."""
    times = series.frame_times if times is None else times
    data = np.empty((*series.grid.shape, len(times)), np.float32, order="F")
    for k in range(len(times)):
        data[..., k] = frame(k)
    return dataclasses.replace(series, data=data, frame_times=times)


def cropped(head: HeadPhantom, axis: int, part: slice) -> HeadPhantom:
    """A part of the head along one axis, with its truth."""
    where = (*(slice(None),) * axis, part)
    series = head.series
    first = np.zeros(3)
    first[axis] = part.start or 0
    affine = series.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ first
    frames = np.stack([series.frame(k)[where] for k in range(series.n_frames)], axis=3)
    kept = PerfusionSeries(
        data=np.asfortranarray(frames),
        affine=affine,
        frame_times=series.frame_times,
        modality=series.modality,
        acquisition=series.acquisition,
        name=series.name,
    )
    return dataclasses.replace(
        head,
        series=kept,
        truth={name: volume[where] for name, volume in head.truth.items()},
        masks={name: mask[where] for name, mask in head.masks.items()},
        fractions={name: volume[where] for name, volume in head.fractions.items()},
    )


def some_voxels(mask: Mask, count: int) -> Mask:
    """Some voxels of a mask from its middle on."""
    chosen = np.zeros_like(mask)
    places = np.flatnonzero(mask)
    chosen.ravel()[places[len(places) // 2 :][:count]] = True
    return chosen
