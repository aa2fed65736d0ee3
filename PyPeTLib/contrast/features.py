"""What tells an artery's curve from others: how high, how early, how narrow and how smooth it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import Array, Curve, IntArray, Mask, Volume


@dataclass(frozen=True, kw_only=True, eq=False)
class CurveFeatures:
    """Features of curves, arrays of shape ``(curves,)``.

    Attributes
    ----------
    peak : ndarray
        Height of the maximum.
    arrival : ndarray
        Time in s at which the upslope passes half the peak, between frames.
    width : ndarray
        Time in s from there until the curve has fallen to half the peak.
    time_of_peak : ndarray
        In s.
    """

    peak: Curve
    arrival: Curve
    width: Curve
    time_of_peak: Curve

    def part(self, chosen: Mask) -> CurveFeatures:
        """The features of some of the curves."""
        return CurveFeatures(
            peak=self.peak[chosen],
            arrival=self.arrival[chosen],
            width=self.width[chosen],
            time_of_peak=self.time_of_peak[chosen],
        )


def curve_areas(curves: Array, times: Curve) -> Curve:
    """Area under each curve of shape (voxels, t) by the trapezoidal rule, in its unit times s."""
    return np.asarray((np.diff(times) * (curves[:, 1:] + curves[:, :-1]) / 2).sum(axis=1), np.float64)


def smooth_in_time(curves: Volume) -> Volume:
    """Curves weighted 1:2:1 over neighbouring frames; the ends repeat."""
    padded = np.pad(curves, ((0, 0), (1, 1)), mode="edge")
    smoothed: Volume = 0.25 * padded[:, :-2] + 0.5 * padded[:, 1:-1] + 0.25 * padded[:, 2:]
    return smoothed


def curve_features(curves: Volume, times: Curve) -> CurveFeatures:
    """Measure curves of shape ``(curves, t)``, which should be free of strong noise."""
    n, length = curves.shape
    index = np.arange(length)
    voxels = np.arange(n)
    top = curves.argmax(axis=1)
    peak = curves[voxels, top].astype(np.float64)
    below = curves < 0.5 * peak[:, None]
    before = below & (index < top[:, None])
    foot = np.where(before.any(axis=1), length - 1 - before[:, ::-1].argmax(axis=1), 0)
    after = below & (index > top[:, None])
    fall = np.where(after.any(axis=1), after.argmax(axis=1), length - 1)
    arrival = _half_time(curves, times, peak, foot, np.minimum(foot + 1, length - 1))
    end = _half_time(curves, times, peak, fall, np.maximum(fall - 1, 0))
    return CurveFeatures(peak=peak, arrival=arrival, width=end - arrival, time_of_peak=times[top])


def _half_time(curves: Volume, times: Curve, peak: Curve, low: IntArray, high: IntArray) -> Curve:
    """Time between two neighbouring frames at which a curve passes half its peak."""
    voxels = np.arange(len(curves))
    under, over = curves[voxels, low].astype(np.float64), curves[voxels, high].astype(np.float64)
    part = np.divide(0.5 * peak - under, over - under, out=np.zeros_like(peak), where=over > under)
    passed: Curve = times[low] + np.clip(part, 0, 1) * (times[high] - times[low])
    return passed


def roughness(curve: Curve) -> float:
    """Summed modulus of the second differences over that of a smooth single pass (four times the peak).

    About 1 or less for a clean bolus sampled densely; noise and double peaks raise it.
    """
    peak = float(curve.max())
    return float(np.abs(np.diff(curve, 2)).sum() / (4 * peak)) if peak > 0 else float("inf")
