"""When the bolus arrives and which frames are free of contrast."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import Curve, Volume
from PyPeTLib.contrast.features import curve_features, smooth_in_time
from PyPeTLib.contrast.leakage import LEAKAGE_CORRECTIONS
from PyPeTLib.contrast.relaxivity import ARTERIAL_RELAXIVITIES
from PyPeTLib.options import Options, option
from PyPeTLib.registry import Registry
from PyPeTLib.series import Modality

MINIMUM_BASELINE = 1
NOISE_FACTOR = 4.0
"""A rise counts when it exceeds this many standard deviations of what is compared."""
QUIET_WINDOWS = 3
"""So many windows without a rise part the bolus from what went before it."""


@dataclass(frozen=True, kw_only=True)
class ContrastOptions(Options):
    """Options of the bolus arrival, the baseline and what makes concentration of signal."""

    bolus_rule: str = option("sliding-window", "how the arrival of the bolus is found", choices=lambda: BOLUS_RULES)
    rise: float = option(
        0.05,
        "sliding-window: change between neighbouring windows of three frames that marks the arrival, as a share of "
        "the bolus' height; contrast-sum: increase over the baseline that marks it",
        minimum=0.001,
        maximum=0.5,
    )
    contrast_threshold: float = option(
        150.0, "contrast-sum: voxels above this value count as contrast", unit="HU", minimum=-1000, maximum=3000
    )
    leakage: str = option(
        "none",
        "DSC: how contrast that leaks through an open blood-brain barrier is taken out of the curves",
        choices=lambda: LEAKAGE_CORRECTIONS,
    )
    arterial_relaxivity: str = option(
        "linear",
        "DSC: how the relaxation rate of arterial blood depends on the concentration of contrast",
        choices=lambda: ARTERIAL_RELAXIVITIES,
    )
    tissue_relaxivity: float = option(
        44.0,
        "quadratic arterial relaxivity: ΔR2* of tissue for each unit of concentration",
        unit="1/(s·mM)",
        minimum=1.0,
        maximum=500.0,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class BolusArrival:
    """Arrival of the bolus in the brain as a whole, and the baseline before it.

    Attributes
    ----------
    found : bool
        False where no rise stands out of the noise; then the baseline is the first tenth of the series and the
        arrival the first frame after it.
    frame : int
        First frame of the arrival.
    time : float
        Arrival in s on the clock of the frame times, between frames.
    baseline : slice
        Frames free of contrast: before the arterial onset, after the approach to steady state.
    unsteady_frames : int
        Leading MR frames left out because their signal was not yet steady.
    tracked : ndarray of float64, shape (t,)
        The curve that the rule looked at, relative to its baseline (positive for contrast).
    rule : str
    """

    found: bool
    frame: int
    time: float
    baseline: slice
    unsteady_frames: int
    tracked: Curve
    rule: str


BolusRule = Callable[[Volume, Modality, ContrastOptions], tuple[Curve, "int | None"]]

BOLUS_RULES: Registry[BolusRule] = Registry("bolus rules")
"""A rule takes signal curves ``(voxels, t)`` and returns the curve it tracks and the arrival's frame, if any."""


@BOLUS_RULES.register(
    "sliding-window",
    summary="the mean signal changes between neighbouring windows of three frames, relative to the bolus' height",
    source="Borghouts and Su 2025, doi:10.48550/arXiv.2511.13310, made independent of the signal's scale",
)
def sliding_window(signal: Volume, modality: Modality, options: ContrastOptions) -> tuple[Curve, int | None]:
    """First window of three frames whose mean exceeds that of the three before it.

    The published rule compares the change with the first frame's value, which means nothing for Hounsfield
    units; here it is compared with the height of the bolus, and must stand out of the noise.
    """
    tracked = contrast_sign(modality) * signal.mean(axis=0, dtype=np.float64)
    windows = np.convolve(tracked, np.full(3, 1 / 3), mode="valid")
    noise = _noise(tracked)
    height = float(windows.max() - windows[: windows.argmax() + 1].min())
    changes = windows[3:] - windows[:-3]
    if height <= NOISE_FACTOR * noise:
        return tracked, None
    enough = max(options.rise * height, NOISE_FACTOR * noise * np.sqrt(2 / 3))
    rising = changes > enough
    # The rise that leads up to the peak is the bolus'; an earlier one, after a quiet time, is motion or noise.
    peak = int(windows.argmax())
    before_peak = np.flatnonzero(rising[: max(1, peak)])
    if not before_peak.size:
        return tracked, None
    first = int(before_peak[-1])
    while first > 0 and rising[max(0, first - QUIET_WINDOWS) : first].any():
        first -= 1
    return tracked, first + 3


@BOLUS_RULES.register(
    "contrast-sum",
    summary="the sum over voxels above a HU threshold rises by a share of its baseline (CT)",
    source="Borghouts and Su 2025, CTP processing toolbox, technical report",
)
def contrast_sum(signal: Volume, modality: Modality, options: ContrastOptions) -> tuple[Curve, int | None]:
    """First frame whose sum over bright voxels exceeds the first frames' by the given share.

    MR signal has no Hounsfield units: there the threshold is ignored and the summed signal drop is tracked.
    """
    if modality is Modality.CTP:
        tracked = np.where(signal > options.contrast_threshold, signal, 0).sum(axis=0, dtype=np.float64)
    else:
        first = signal[:, :3].mean(axis=1, keepdims=True)
        tracked = first.sum(dtype=np.float64) + np.clip(first - signal, 0, None).sum(axis=0, dtype=np.float64)
    start = float(np.median(tracked[:3]))
    noise = _noise(tracked)
    rising = np.flatnonzero(tracked - start > max(options.rise * abs(start), NOISE_FACTOR * noise))
    return tracked, int(rising[0]) if rising.size else None


def contrast_sign(modality: Modality) -> float:
    """+1 where contrast raises the signal, −1 where it lowers it."""
    return 1.0 if modality is Modality.CTP else -1.0


def find_bolus(signal: Volume, times: Curve, modality: Modality, options: ContrastOptions) -> BolusArrival:
    """Bolus arrival and baseline frames from the signal curves of the brain.

    The baseline ends before the *arteries* enhance, which they do earlier than the brain on average: the
    voxels with the strongest contrast are followed back from their peak to the frame before their rise.

    Parameters
    ----------
    signal : ndarray of float32, shape (voxels, t)
    times : ndarray, shape (t,)
        Frame times in s.
    modality : Modality
    options : ContrastOptions
    """
    unsteady = _unsteady_frames(signal, modality)
    steady = signal[:, unsteady:]
    tracked, frame = BOLUS_RULES[options.bolus_rule](steady, modality, options)
    found = frame is not None
    if frame is None:
        frame = max(MINIMUM_BASELINE, steady.shape[1] // 10)
    end = min(frame, _arterial_onset(steady, modality, frame)) if found else frame
    end = max(MINIMUM_BASELINE, end)
    baseline = slice(unsteady, unsteady + end)
    tracked = np.concatenate([np.full(unsteady, np.nan), tracked])
    tracked -= tracked[baseline].mean()
    tracked[:unsteady] = 0.0
    frame += unsteady
    return BolusArrival(
        found=found,
        frame=frame,
        time=_crossing(tracked, times, frame, options.rise) if found else float(times[min(frame, times.size - 1)]),
        baseline=baseline,
        unsteady_frames=unsteady,
        tracked=tracked,
        rule=options.bolus_rule,
    )


def _noise(curve: Curve) -> float:
    """Standard deviation of frame-to-frame noise, from the median modulus of the second differences."""
    return float(np.median(np.abs(np.diff(curve, 2))) / 0.6745 / np.sqrt(6))


def _unsteady_frames(signal: Volume, modality: Modality) -> int:
    """Leading MR frames that are brighter than the level frames behind them (magnetisation not yet steady)."""
    if modality is not Modality.DSC:
        return 0
    mean = signal[:, :6].mean(axis=0, dtype=np.float64)
    noise = _noise(signal.mean(axis=0, dtype=np.float64)) if signal.shape[1] > 4 else 0.0
    for count in (3, 2, 1):
        behind = mean[count : count + 3]
        excess = mean[:count] - np.median(behind)
        stands_out = excess > max(0.01 * abs(np.median(behind)), NOISE_FACTOR * noise)
        if stands_out.all() and np.ptp(behind) < 0.5 * excess[0]:
            return count
    return 0


def _arterial_onset(signal: Volume, modality: Modality, frame: int) -> int:
    """Frame in which the earliest of the strongly enhancing voxels begin to rise; no later than ``frame``.

    Most of the strongest voxels are veins, so only the earliest few of them are followed.
    """
    reach = min(signal.shape[1], frame + 1 + signal.shape[1] // 4)
    sign = np.float32(contrast_sign(modality))
    start = np.median(signal[:, : max(1, min(3, frame))], axis=1)
    height = (sign * signal[:, :reach]).max(axis=1) - sign * start
    n_top = min(height.size, max(20, height.size // 100))
    top = np.argpartition(height, -n_top)[-n_top:]
    curves = sign * (signal[top, :reach] - start[top, None])
    arrival = curve_features(smooth_in_time(curves), np.arange(reach, dtype=np.float64)).arrival
    early = curves[arrival <= np.quantile(arrival, 0.01) + 0.5].mean(axis=0, dtype=np.float64)
    enough = max(0.02 * float(early.max()), NOISE_FACTOR * _noise(early))
    # the last frame that is still level, seen from the peak, so that one noisy frame does not end the baseline
    level = np.flatnonzero(early[: int(early.argmax())] <= enough)
    return int(level[-1]) + 1 if level.size else 1


def _crossing(tracked: Curve, times: Curve, frame: int, share: float) -> float:
    """Time at which the tracked curve crosses a share of its peak on the way up, near the arrival's frame."""
    level = share * float(tracked[frame:].max())
    above = np.flatnonzero(tracked[frame:] >= level)
    if not above.size:
        return float(times[frame])
    upper = frame + int(above[0])
    if upper == 0 or tracked[upper - 1] >= level:
        return float(times[upper])
    rise = tracked[upper] - tracked[upper - 1]
    part = (level - tracked[upper - 1]) / rise
    return float(times[upper - 1] + part * (times[upper] - times[upper - 1]))
