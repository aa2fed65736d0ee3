"""The bolus: arterial input and venous output in closed form, and as curves on a fine grid.

The first pass is a gamma variate, the second one and all that is dispersed are convolutions of it with exponentials,
which are incomplete gamma functions.

Sources: Thompson et al. 1964 (10.1161/01.RES.14.6.502) for the gamma variate; Calamante et al. 2000, Magn Reson Med
44:466, for an exponential that disperses the bolus between artery and tissue.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import special

from PyPeTLib.arrays import Curve
from PyPeTLib.errors import InputError

FINE_STEP = 0.05
"""Spacing in s of the grid on which an arterial input is known."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FineCurve:
    """A curve that is 0 up to ``start`` and linear between values ``step`` seconds apart.

    ``values`` is float64 of shape (n,) and begins with 0.
    """

    start: float
    values: Curve
    step: float = FINE_STEP

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=np.float64)
        if values.ndim != 1 or values.size < 3 or not np.isfinite(values).all() or values[0] != 0:
            raise InputError("a fine curve needs at least 3 finite values, the first of them 0 (subtract the baseline)")
        if not self.step > 0:
            raise InputError(f"the step of a fine curve must be above 0 s, found {self.step!r}")
        values.setflags(write=False)
        object.__setattr__(self, "values", values)

    @property
    def end(self) -> float:
        """Time of the last value in s."""
        return self.start + self.step * (self.values.size - 1)

    @property
    def times(self) -> Curve:
        """Times of the values in s, shape (n,)."""
        return self.start + self.step * np.arange(self.values.size, dtype=np.float64)

    def at(self, times: npt.ArrayLike) -> Curve:
        """Values at times in s, of any shape; 0 before the start."""
        times = np.asarray(times, dtype=np.float64)
        self.check_reach(times)
        found: Curve = np.interp(times, self.times, self.values, left=0.0)
        return found

    def check_reach(self, times: Curve) -> None:
        """Refuse times at which the curve is unknown."""
        if times.size and times.max() > self.end + 1e-6:
            raise InputError(f"the curve is known up to {self.end:g} s, but its value at {times.max():g} s is needed")

    def scaled(self, factor: float) -> FineCurve:
        """The curve times a factor."""
        return replace(self, values=self.values * factor)


@dataclass(frozen=True, kw_only=True)
class Bolus:
    """Gamma-variate bolus with a dispersed second pass, in the arteries and in the veins.

    The first pass is ``peak · (s/(αβ))^α · exp(α − s/β)`` with s = t − arrival; the second one has ``second_share`` of
    its area, comes ``second_lag`` later and is dispersed by a unit-area exponential. The venous output is the
    arterial input, later and once more dispersed, of the same area.

    Attributes
    ----------
    arrival, beta, second_lag, second_dispersion, venous_lag, venous_dispersion : float
        Seconds. The dispersions of veins and second pass differ and are longer than ``beta``.
    dispersion : float
        Mean in s of a unit-area exponential with which the arterial input is convolved: that of an artery further on.
        Below ``second_dispersion``; the veins do not know it.
    alpha, second_share : float
        No unit.
    peak : float
        HU for CT, 1/s for MR.
    """

    arrival: float = 8.0
    alpha: float = 3.0
    beta: float = 1.5
    peak: float = 300.0
    second_share: float = 0.15
    second_lag: float = 14.0
    second_dispersion: float = 8.0
    venous_lag: float = 4.0
    venous_dispersion: float = 2.5
    dispersion: float = 0.0

    def __post_init__(self) -> None:
        if not (self.alpha > 0 and self.beta > 0 and self.peak > 0 and self.second_share >= 0):
            raise InputError(f"alpha, beta and peak must be above 0, and the second pass not below it: {self}")
        if not self.beta < self.venous_dispersion < self.second_dispersion:
            raise InputError(
                f"the dispersion of the veins must lie between beta and that of the second pass, found beta "
                f"{self.beta:g}, veins {self.venous_dispersion:g}, second pass {self.second_dispersion:g} s"
            )
        if not 0 <= self.dispersion < self.second_dispersion:
            raise InputError(
                f"the dispersion of an artery must lie between 0 and that of the second pass, found "
                f"{self.dispersion:g} and {self.second_dispersion:g} s"
            )

    @classmethod
    def with_area(cls, area: float, **shape: float) -> Bolus:
        """The bolus whose whole area, both passes and to infinity, is ``area`` (HU·s, or no unit for MR)."""
        unit = cls(**{**shape, "peak": 1.0})
        return replace(unit, peak=area / unit.area)

    @property
    def area(self) -> float:
        """∫ C_a dt over all time, both passes."""
        shape = math.exp(self.alpha) * self.beta * math.gamma(self.alpha + 1) * math.pow(self.alpha, -self.alpha)
        return self.peak * shape * (1 + self.second_share)

    @property
    def peak_time(self) -> float:
        """Time in s of the arterial peak."""
        return self.arrival + self.alpha * self.beta

    def arterial_at(self, times: npt.ArrayLike) -> Curve:
        """C_a at times in s, of any shape."""
        s = np.asarray(times, dtype=np.float64) - self.arrival
        if self.dispersion:
            return self._both_dispersed(s, self.dispersion)
        first = self._passage(s)
        return first + self.second_share * self._dispersed(s - self.second_lag, self.second_dispersion)

    def venous_at(self, times: npt.ArrayLike) -> Curve:
        """Venous output at times in s, of any shape; its area is that of the arterial input."""
        s = np.asarray(times, dtype=np.float64) - self.arrival - self.venous_lag
        return self._both_dispersed(s, self.venous_dispersion)

    def arterial(self, end: float) -> FineCurve:
        """The arterial input on the fine grid from the bolus (or time 0) to at least ``end`` s."""
        return self._on_grid(self.arterial_at, end)

    def venous(self, end: float) -> FineCurve:
        """The venous output on the fine grid, like `arterial`."""
        return self._on_grid(self.venous_at, end)

    def _on_grid(self, curve: Callable[[Curve], Curve], end: float) -> FineCurve:
        first = math.floor(min(0.0, self.arrival) / FINE_STEP - 1e-9)
        last = max(math.ceil(end / FINE_STEP), first + 2)
        return FineCurve(
            start=first * FINE_STEP, values=curve(FINE_STEP * np.arange(first, last + 1, dtype=np.float64))
        )

    def _passage(self, s: Curve) -> Curve:
        s = np.maximum(s, 0.0)
        return self.peak * (s / (self.alpha * self.beta)) ** self.alpha * np.exp(self.alpha - s / self.beta)

    def _both_dispersed(self, s: Curve, fast: float) -> Curve:
        """Both passes convolved with a unit-area exponential."""
        late, slow = s - self.second_lag, self.second_dispersion
        # two unit-area exponentials in a row are a difference of the two
        twice = (slow * self._dispersed(late, slow) - fast * self._dispersed(late, fast)) / (slow - fast)
        return self._dispersed(s, fast) + self.second_share * twice

    def _dispersed(self, s: Curve, dispersion: float) -> Curve:
        """First pass convolved with a unit-area exponential, which is an incomplete gamma function."""
        s = np.maximum(s, 0.0)
        rate = 1 / self.beta - 1 / dispersion
        if rate <= 0:
            # the exponential is the faster one: the same function, written as Kummer's
            kummer = special.hyp1f1(1.0, self.alpha + 2, rate * s)
            shared: Curve = self._passage(s) * s / dispersion * kummer / (self.alpha + 1)
            return shared
        amplitude = self.peak * math.exp(self.alpha) * (self.alpha * self.beta) ** -self.alpha / dispersion
        amplitude *= math.gamma(self.alpha + 1) / rate ** (self.alpha + 1)
        result: Curve = amplitude * np.exp(-s / dispersion) * special.gammainc(self.alpha + 1, rate * s)
        return result


def frame_times(*blocks: tuple[int, float]) -> Curve:
    """Times in s of frames in blocks of (number, interval), the first at 0.

    ``frame_times((30, 1.0), (15, 3.0))`` is 0, 1 … 29, 32, 35 … 74.
    """
    steps = np.concatenate([np.full(count, float(step)) for count, step in blocks])
    return np.concatenate([[0.0], np.cumsum(steps[1:])])
