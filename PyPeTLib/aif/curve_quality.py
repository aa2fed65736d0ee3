"""How good the curve of a vessel is: figures that tell an artery from a vein, and a whole bolus from a part of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from PyPeTLib.arrays import Curve
from PyPeTLib.contrast.features import curve_features, smooth_in_time

END_FRAMES = 3
"""The mean of so many last frames tells how much contrast the end of the scan cuts off."""


@dataclass(frozen=True, kw_only=True)
class CurveQuality:
    """Figures of a vessel's curve.

    Attributes
    ----------
    peak : float
        Height of the curve, smoothed 1:2:1 in time, in its own unit.
    time_of_peak : float
        In s.
    arrival : float
        Time in s at which the upslope passes half the peak, between frames.
    width : float
        Full width at half maximum in s; up to the end of the scan where the curve does not fall that far.
    contrast_to_noise : float
        Peak over the standard deviation before the bolus; 0 where that is unknown.
    before_tissue_arrival, before_tissue_peak : float
        Time in s by which arrival and peak precede those of the brain's mean curve; 0 where that is unknown.
    tail : float
        Height at the end of the scan as a share of the peak.
    fit_r_squared : float
        Share of the first pass that a gamma variate explains; 0 without a fit.
    """

    peak: float
    time_of_peak: float
    arrival: float
    width: float
    contrast_to_noise: float
    before_tissue_arrival: float
    before_tissue_peak: float
    tail: float
    fit_r_squared: float

    def as_mapping(self) -> dict[str, float]:
        """Names with units, and values, for tables."""
        seconds = ("time_of_peak", "arrival", "width", "before_tissue_arrival", "before_tissue_peak")
        return {f"{name}_s" if name in seconds else name: value for name, value in asdict(self).items()}


def curve_quality(
    curve: Curve,
    times: Curve,
    *,
    noise: float = 0.0,
    tissue: Curve | None = None,
    fit_r_squared: float = 0.0,
) -> CurveQuality:
    """Measure a curve.

    Parameters
    ----------
    curve : ndarray, shape (t,)
        Concentration; its highest value is positive.
    times : ndarray, shape (t,)
        In s.
    noise : float
        Standard deviation of the curve before the bolus; 0 where it is not known.
    tissue : ndarray, shape (t,), optional
        Mean curve of the brain.
    fit_r_squared : float
        Of a gamma variate fitted to the curve.
    """
    both = np.stack([curve, curve if tissue is None else tissue]).astype(np.float32)
    features = curve_features(smooth_in_time(both), times)
    peak = float(features.peak[0])
    return CurveQuality(
        peak=peak,
        time_of_peak=float(features.time_of_peak[0]),
        arrival=float(features.arrival[0]),
        width=float(features.width[0]),
        contrast_to_noise=float(curve.max()) / noise if noise > 0 else 0.0,
        before_tissue_arrival=float(features.arrival[1] - features.arrival[0]),
        before_tissue_peak=float(features.time_of_peak[1] - features.time_of_peak[0]),
        tail=float(curve[-END_FRAMES:].mean()) / peak if peak > 0 else 1.0,
        fit_r_squared=fit_r_squared,
    )
