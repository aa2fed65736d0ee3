"""From deconvolution to quantities: the one place of physiological constants and units.

With the impulse response ``k`` in 1/s, density rho and haematocrit factor kH::

    CBF  = kH/rho · max k · 6000            ml/100g/min
    CBV  = kH/rho · 100 · ∫C_t / ∫C_a       ml/100g, unclipped, both areas over the same window
    MTT  = 60 · CBV / CBF                   s
    Tmax = lag of max k                     s

(Meier and Zierler 1954, doi:10.1152/jappl.1954.6.12.731; Østergaard et al. 1996, doi:10.1002/mrm.1910360510.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import Curve, IntArray, Mask, Volume
from PyPeTLib.deconvolution import Estimate
from PyPeTLib.errors import InputError
from PyPeTLib.execution import Execution, voxel_slices
from PyPeTLib.options import Options, option
from PyPeTLib.registry import Registry

SECONDS_PER_MINUTE = 60.0
PER_100_GRAMS = 100.0
NEGLIGIBLE_LOSS = 0.005
"""Share of a curve's area that may lie beyond the window without being mentioned."""


@dataclass(frozen=True, kw_only=True)
class QuantificationOptions(Options):
    """Physiological constants and what is written."""

    density: float = option(1.05, "density of brain tissue, rho", unit="g/ml", minimum=0.5, maximum=2.0)
    large_vessel_haematocrit: float = option(
        0.45, "haematocrit of large vessels: kH = (1 − this)/(1 − that of small vessels)", minimum=0.0, maximum=0.8
    )
    small_vessel_haematocrit: float = option(0.25, "haematocrit of small vessels", minimum=0.0, maximum=0.8)
    volume: str = option("method", "how the blood volume is estimated", choices=lambda: VOLUME_RULES)
    ttp_reference: str = option(
        "scan-start",
        "what the time to peak counts from: the first frame (PyPeT's paper) or the arrival of the bolus (CAPLEX)",
        choices=("scan-start", "bolus-arrival"),
    )
    white_matter_cbf: float = option(
        0.0,
        "DSC: scale CBF and CBV so that normal white matter has this flow; 0 leaves them uncalibrated",
        unit="ml/100g/min",
        minimum=0.0,
        maximum=100.0,
    )
    maps: str = option(
        "standard",
        "standard: CBF, CBV, MTT, TTP, Tmax and what the chosen method or correction adds (uncertainties, leakage); "
        "all: also delay, bolus arrival time, peak height and percentage of signal recovery",
        choices=("standard", "all"),
    )
    relative: bool = option(False, "also write the relative maps (x − mean)/mean")

    @property
    def haematocrit_factor(self) -> float:
        """The factor kH: (1 − haematocrit of large vessels)/(1 − haematocrit of small vessels)."""
        return (1 - self.large_vessel_haematocrit) / (1 - self.small_vessel_haematocrit)

    @property
    def tissue_factor(self) -> float:
        """kH/rho in ml/g."""
        return self.haematocrit_factor / self.density


@dataclass(frozen=True, kw_only=True, eq=False)
class Quantities:
    """Quantities of each voxel, float32 of shape ``(voxels,)``, 0 where ``valid`` is false for them."""

    values: dict[str, Volume]
    valid: dict[str, Mask]
    lost_area: Volume
    """Share of each curve's area that lies beyond the end of the window."""

    @property
    def truncated(self) -> Mask:
        """Curves that lose so much of their area that CBV and MTT are off by more than half a per cent."""
        return np.asarray(self.lost_area > NEGLIGIBLE_LOSS, bool)


def trapezoid_weights(times: Curve) -> Curve:
    """Weights that make a sum over frames the integral over the window by the trapezoidal rule, in s."""
    steps = np.diff(times)
    weights = np.zeros(times.size)
    weights[:-1] += 0.5 * steps
    weights[1:] += 0.5 * steps
    return weights


VolumeRule = Callable[[Volume, Curve, Curve, Estimate], Volume]

VOLUME_RULES: Registry[VolumeRule] = Registry("volume rules")
"""A rule takes tissue curves, the AIF, frame times and the estimate, and returns the volume in ml/ml of each voxel
before density and haematocrit are applied."""


@VOLUME_RULES.register(
    "method",
    summary="the area of the modelled response where the method models one, else the ratio of areas",
    source="Mouridsen et al. 2006, doi:10.1016/j.neuroimage.2006.06.015",
)
def volume_of_method(curves: Volume, aif: Curve, times: Curve, estimate: Estimate) -> Volume:
    """The method's own volume, which includes what passes after the end of the scan, or `volume_of_area`."""
    return volume_of_area(curves, aif, times, estimate) if estimate.volume is None else estimate.volume


@VOLUME_RULES.register(
    "area",
    summary="ratio of the areas of tissue curve and AIF over the whole scan",
    source="Meier and Zierler 1954, doi:10.1152/jappl.1954.6.12.731",
)
def volume_of_area(curves: Volume, aif: Curve, times: Curve, estimate: Estimate) -> Volume:  # noqa: ARG001 - a rule
    """``∫C_t/∫C_a`` over all frames."""
    weights = trapezoid_weights(times)
    return np.asarray(curves @ (weights / (aif @ weights)).astype(np.float32), np.float32)


@VOLUME_RULES.register(
    "bolus-window",
    summary="ratio of the areas from the arrival in the artery to the end of the first pass through the tissue",
    source="Meier and Zierler 1954, doi:10.1152/jappl.1954.6.12.731",
)
def volume_of_window(curves: Volume, aif: Curve, times: Curve, estimate: Estimate) -> Volume:
    """``∫C_t/∫C_a`` over one window for all voxels, which leaves the noise of the other frames out.

    It begins where the AIF rises for good above a twentieth of its peak and ends where the mean tissue curve has
    fallen to a tenth of its peak or is lowest after it.
    """
    mean = curves.mean(axis=0, dtype=np.float64)
    quiet = np.flatnonzero(aif[: int(aif.argmax())] <= 0.05 * aif.max())
    first = int(quiet[-1]) if quiet.size else 0
    top = max(int(mean.argmax()), int(aif.argmax()))
    low = np.flatnonzero(mean[top:] <= 0.1 * mean[top])
    last = top + (int(low[0]) if low.size else int(mean[top:].argmin()))
    window = slice(first, max(last, first + 2) + 1)
    return volume_of_area(curves[:, window], aif[window], times[window], estimate)


@dataclass(frozen=True, kw_only=True, eq=False)
class CurveMeasures:
    """What curves tell by themselves, whatever the artery; float32, shape ``(voxels,)``.

    Attributes
    ----------
    highest : ndarray
        Largest value.
    ttp : ndarray
        Time of the maximum in s from the first frame.
    lost_area : ndarray
        See `lost_area`.
    bat : ndarray or None
        See `arrival_time`; None where it was not asked for.
    """

    highest: Volume
    ttp: Volume
    lost_area: Volume
    bat: Volume | None = None

    @classmethod
    def of(cls, curves: Volume, times: Curve, execution: Execution, *, arrival: bool) -> CurveMeasures:
        """Those of curves of shape (voxels, t), piece by piece; ``arrival`` asks for that of the bolus."""
        weights = trapezoid_weights(times).astype(np.float32)
        measures: dict[str, Callable[[Volume], Volume]] = {
            "highest": lambda part: part.max(axis=1),
            "ttp": lambda part: time_to_peak(part, times),
            "lost_area": lambda part: lost_area(part, times, part @ weights),
        }
        if arrival:
            measures["bat"] = lambda part: arrival_time(part, times)
        found = {name: np.empty(len(curves), np.float32) for name in measures}

        def work(piece: slice) -> None:
            for name, measure in measures.items():
                found[name][piece] = measure(curves[piece])

        execution.map(work, voxel_slices(len(curves)))
        return cls(**found)

    def some(self, voxels: IntArray) -> CurveMeasures:
        """Those of some of the curves."""
        return CurveMeasures(
            highest=self.highest[voxels],
            ttp=self.ttp[voxels],
            lost_area=self.lost_area[voxels],
            bat=None if self.bat is None else self.bat[voxels],
        )


def quantify(
    curves: Volume,
    aif: Curve,
    times: Curve,
    estimate: Estimate,
    options: QuantificationOptions,
    *,
    offsets: Volume | None = None,
    measures: CurveMeasures | None = None,
    execution: Execution | None = None,
) -> Quantities:
    """CBF, CBV, MTT, Tmax, TTP, delay and what else the method found, of each voxel.

    Parameters
    ----------
    curves : ndarray of float32, shape (voxels, t)
        Tissue concentration.
    aif : ndarray, shape (t,)
    times : ndarray, shape (t,)
        Frame times in s.
    estimate : Estimate
        What the deconvolution found.
    options : QuantificationOptions
    offsets : ndarray, shape (voxels,), optional
        Time in s by which each voxel was sampled later than ``times``.
    measures : CurveMeasures, optional
        Of these curves, where they were measured before.
    execution : Execution, optional

    Raises
    ------
    InputError
        If the area of the AIF is not positive.
    """
    factor = options.tissue_factor
    to_flow = np.float32(factor * SECONDS_PER_MINUTE * PER_100_GRAMS)
    to_volume = np.float32(factor * PER_100_GRAMS)
    weights = trapezoid_weights(times)
    aif_area = float(aif @ weights)
    if not aif_area > 0:
        raise InputError(
            f"the area under the arterial input function is {aif_area:g}; it must be positive. Its signal ends below "
            "where it began: give another artery (--aif), or leave out frames that are damaged or hold contrast at the "
            "start."
        )
    of_curves = measures or CurveMeasures.of(curves, times, execution or Execution(), arrival=options.maps == "all")
    shows = of_curves.highest > 0
    flow_found = shows & (estimate.peak > 0)

    cbf = to_flow * estimate.peak
    cbv = to_volume * VOLUME_RULES[options.volume](curves, aif, times, estimate)
    mtt = np.divide(np.float32(SECONDS_PER_MINUTE) * cbv, cbf, out=np.zeros_like(cbf), where=flow_found)
    values = {"cbf": cbf, "cbv": cbv, "mtt": mtt, "ttp": of_curves.ttp.copy()}
    valid = {"cbf": flow_found, "cbv": shows, "mtt": flow_found & (cbv > 0), "ttp": shows}
    if options.maps == "all" and of_curves.bat is not None:
        values["bat"], valid["bat"] = of_curves.bat.copy(), shows
    if offsets is not None:
        for name in ("ttp", "bat"):
            if name in values:
                values[name] += offsets
    for name, found, scale in (
        ("tmax", estimate.time_of_peak, None),
        ("delay", estimate.delay, None),
        ("shape", estimate.shape, None),
        ("cbf_sd", estimate.peak_sd, to_flow),
        ("cbv_sd", estimate.volume_sd, to_volume),
        ("mtt_sd", estimate.transit_time_sd, None),
        ("delay_sd", estimate.delay_sd, None),
    ):
        if found is not None:
            values[name] = found.copy() if scale is None else scale * found
            valid[name] = flow_found
    for name, value in values.items():
        value[~valid[name]] = 0
    return Quantities(values=values, valid=valid, lost_area=of_curves.lost_area)


def arrival_time(curves: Volume, times: Curve) -> Volume:
    """Bolus arrival time of each curve in s from the first frame.

    The straight line through the upslope at 20 % and 50 % of the peak, followed down to zero: noise and a slow foot
    move it less than they move the first frame above a threshold.
    """
    n_voxels, n_frames = curves.shape
    top = curves.argmax(axis=1)
    peak = curves[np.arange(n_voxels), top]
    crossings = []
    for share in (0.2, 0.5):
        level = np.float32(share) * peak
        below = curves < level[:, None]
        below &= np.arange(n_frames) < top[:, None]
        last = n_frames - 1 - below[:, ::-1].argmax(axis=1)
        rises = below.any(axis=1)
        last = np.where(rises, np.minimum(last, n_frames - 2), 0)
        low, high = curves[np.arange(n_voxels), last], curves[np.arange(n_voxels), last + 1]
        part = np.divide(level - low, high - low, out=np.zeros_like(level), where=rises & (high > low))
        crossings.append(times[last] + part * (times[last + 1] - times[last]))
    early, late = crossings
    return np.asarray(np.maximum(early - (late - early) * (0.2 / 0.3), times[0]) - times[0], np.float32)


def time_to_peak(curves: Volume, times: Curve) -> Volume:
    """Time of each curve's maximum in s from the first frame, refined by a parabola through three frames."""
    last = times.size - 1
    top = curves.argmax(axis=1)
    inner = np.clip(top, 1, last - 1)
    voxels = np.arange(len(curves))
    before, centre, after = (curves[voxels, inner + shift].astype(np.float64) for shift in (-1, 0, 1))
    left, right = times[inner] - times[inner - 1], times[inner + 1] - times[inner]
    rise, fall = (centre - before) / left, (after - centre) / right
    bend = (fall - rise) / (left + right)
    usable = (top == inner) & (bend < 0)
    # the parabola's slope at the middle frame, divided by twice its curvature
    slope = (rise * right + fall * left) / (left + right)
    shift = np.divide(-slope, 2 * bend, out=np.zeros_like(bend), where=usable)
    return np.asarray(times[top] - times[0] + shift, np.float32)


def lost_area(curves: Volume, times: Curve, area: Volume) -> Volume:
    """Share of each curve's whole area that lies beyond the end of the window, 0…1.

    The washout is continued as an exponential fitted to the last sixth of the frames. A tail that does not stand out
    of the noise (three standard errors) counts as gone, one that does not fall as lost altogether.

    Parameters
    ----------
    curves : ndarray, shape (voxels, t)
    times : ndarray, shape (t,)
    area : ndarray, shape (voxels,)
        Area of each curve inside the window.
    """
    n_tail = max(2, times.size // 6)
    n_half = max(1, n_tail // 2)
    late, early = slice(times.size - n_half, times.size), slice(times.size - 2 * n_half, times.size - n_half)
    apart = float(times[late].mean() - times[early].mean())
    end, before = curves[:, late].mean(axis=1), curves[:, early].mean(axis=1)
    bends = np.diff(curves[:, -max(n_tail + 2, 6) :], 2, axis=1)
    error = np.sqrt((bends**2).mean(axis=1) / 6 / n_half)
    stands_out = (end > 3 * error) & (area > 0)
    ratio = np.divide(before, end, out=np.ones_like(end), where=stands_out)
    decay = np.divide(np.log(np.maximum(ratio, 1e-6)), apart, out=np.zeros_like(end), where=stands_out)
    falls = stands_out & (decay > 1e-3)
    beyond = np.divide(end, decay, out=np.zeros_like(end), where=falls)
    share = np.divide(beyond, beyond + area, out=np.zeros_like(end), where=falls)
    return np.where(stands_out & ~falls, np.float32(1), share).astype(np.float32)
