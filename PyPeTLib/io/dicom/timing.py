"""When slices and frames were acquired, from the clocks of their images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import Curve
from PyPeTLib.io.dicom.clocks import CLOCKS, DAY, Clock
from PyPeTLib.io.dicom.image import Image
from PyPeTLib.io.dicom.problems import GIVE_TIMES, SeriesError

SAME = 4
"""Decimals of a second to which two times are one."""

_STEADY = 0.1
"""How much slices may stray from their time within the frame, as a share of the shortest frame interval."""

_ALIKE = 0.02
"""How much two clocks may drift apart, as a share of the time that passed."""

_NO_OFFSET = 1e-3
"""Seconds below which slices are of one time."""

_WORDS = {
    "FrameAcquisitionDateTime": "FrameAcquisitionDateTime of each image",
    "FrameReferenceDateTime": "FrameReferenceDateTime of each image",
    "AcquisitionDateTime": "AcquisitionDateTime of each image",
    "AcquisitionTime": "AcquisitionTime of each image",
    "TemporalPositionTimeOffset": "TemporalPositionTimeOffset of each image",
    "TriggerTime": "TriggerTime of each image (ms from the start)",
    "NominalCardiacTriggerDelayTime": "NominalCardiacTriggerDelayTime of each image (ms from the start)",
    "DynamicScanBeginTime": "DynamicScanBeginTime of each image (Philips)",
    "ContentTime": "ContentTime of each image, when it was made: no time of its acquisition is given",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Timing:
    """Times of frames and slices.

    Attributes
    ----------
    frames : ndarray of float64, shape (t,)
        Seconds from the first frame on.
    slices : ndarray of float64, shape (z,), or None
        Seconds from the time of the frame on, in the order of the stack; None where all are one.
    source : str
        Where they came from, in words.
    """

    frames: Curve
    slices: Curve | None
    source: str


def clock_values(images: Sequence[Image], clock: Clock) -> dict[int, float] | None:
    """What a clock says of each image, by `id`, rolled over at midnight; None if an image lacks it."""
    values = [image.clocks.get(clock.name) for image in images]
    if any(value is None for value in values):
        return None
    seconds = np.array(values, np.float64)
    if clock.is_of_day and DAY / 2 < np.ptp(seconds) < DAY:
        seconds[seconds < seconds.min() + DAY / 2] += DAY
    return {id(image): round(float(value), 6) for image, value in zip(images, seconds, strict=True)}


def clock_timing(ordered: Sequence[Sequence[Image]], values: Mapping[int, float], clock: Clock) -> Timing:
    """Times of frames and slices from one clock.

    Parameters
    ----------
    ordered : sequence of sequence of Image
        By slice and frame.
    values : mapping of int to float
        Of `clock_values`.
    clock : Clock

    Raises
    ------
    SeriesError
        If the slices of a frame do not keep their times from frame to frame, or go backward.
    """
    times = np.array([[values[id(image)] for image in line] for line in ordered])
    backward = np.argwhere(np.diff(times, axis=1) <= 0)
    if backward.size:
        z, t = backward[0]
        raise SeriesError(
            f"{clock.name} contradicts the order of the frames: {ordered[z][t + 1].name} is not later than "
            f"{ordered[z][t].name}, the frame before. {GIVE_TIMES}",
            "times contradict the order of the frames",
        )
    offsets = times - times[:1]
    usual = np.median(offsets, axis=1)
    stray = float(np.abs(offsets - usual[:, None]).max())
    intervals = np.diff(times, axis=1)
    if stray > max(_STEADY * float(intervals.min()), _NO_OFFSET):
        z, t = divmod(int(np.argmax(np.abs(offsets - usual[:, None]))), offsets.shape[1])
        raise SeriesError(
            f"{clock.name} is contradictory: the slices of a frame do not keep their times relative to one another "
            f"from frame to frame, but stray by up to {stray:.3g} s ({ordered[z][t].name}, frame {t + 1}). Slices that "
            f"are sampled at their own times must keep them. {GIVE_TIMES}",
            "times of slices stray",
        )
    usual = usual - usual.min()
    if float(usual.max()) > float(intervals.max()) + _NO_OFFSET:
        raise SeriesError(
            f"the slices of a frame are acquired up to {usual.max():.3g} s apart, which is longer than the longest "
            f"frame interval, {intervals.max():.3g} s ({clock.name}): these are several scans one after the other, not "
            "one series. Export them as series of their own.",
            "scans one after the other",
        )
    frames = times[int(np.argmin(usual))] if stray == 0 else np.median(times - usual[:, None], axis=0)
    slices = np.round(usual, 6) if usual.max() > _NO_OFFSET else None
    source = _WORDS[clock.name]
    if _whole(values) and np.unique(np.round(np.diff(frames), SAME)).size > 1:
        source += "; in whole seconds, so that each may be up to 1 s too early"
    return Timing(frames=np.round(frames - frames[0], 6), slices=slices, source=source)


def check_agreement(
    ordered: Sequence[Sequence[Image]], timing: Timing, used: Clock, clocks: Mapping[str, Mapping[int, float]]
) -> Timing:
    """Compare with the other clocks of acquisition; a finer one that agrees with whole seconds takes their place.

    Raises
    ------
    SeriesError
        If another clock says something else.
    """
    coarse = _whole(clocks[used.name])
    for clock in CLOCKS:
        if clock.name not in clocks or clock is used or not clock.is_acquisition:
            continue
        try:
            other = clock_timing(ordered, clocks[clock.name], clock)
        except SeriesError:
            # a delay within the frame, for instance, which repeats: no clock of the frames
            continue
        resolution = float(coarse) + float(_whole(clocks[clock.name]))
        allowed = np.maximum(_STEADY * np.diff(timing.frames).min(), _ALIKE * timing.frames) + resolution
        if (np.abs(other.frames - timing.frames) > allowed).any():
            raise SeriesError(
                f"the files contradict themselves: by {used.name} the last frame is {timing.frames[-1]:g} s after the "
                f"first, by {clock.name} {other.frames[-1]:g} s. {GIVE_TIMES}",
                "clocks contradict each other",
            )
        if coarse and not _whole(clocks[clock.name]):
            return other
    return timing


def repetition_timing(ordered: Sequence[Sequence[Image]]) -> Timing | None:
    """Even times from RepetitionTime, where that is the time of a volume; None elsewhere.

    A two-dimensional echo-planar series without segments takes one repetition for a volume. It is taken only from a
    series that says how many temporal positions it has, and whose AcquisitionDuration, if given, agrees.
    """
    n_frames = len(ordered[0])
    headers = {image.header for line in ordered for image in line}
    repetitions = {header.repetition_time for header in headers}
    repetition = next(iter(repetitions)) if len(repetitions) == 1 else None
    if repetition is None or repetition <= 0:
        return None
    for header in headers:
        if not header.is_epi or header.is_3d or header.n_temporal != n_frames:
            return None
        duration = header.acquisition_duration
        if duration is not None and abs(duration - n_frames * repetition) > 0.1 * duration:
            return None
    return Timing(
        frames=np.arange(n_frames, dtype=np.float64) * repetition,
        slices=None,
        source=f"RepetitionTime {repetition:g} s for each of {n_frames} temporal positions of an echo-planar series: "
        "no image holds the time of its frame",
    )


def _whole(values: Mapping[int, float]) -> bool:
    return all(float(value).is_integer() for value in values.values())
