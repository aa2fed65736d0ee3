"""Concentration and signal of a head at any time, from its truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import integrate

from PyPeTLib.arrays import Array, Curve, IntArray, Mask, Volume
from PyPeTLib.geometry import Grid
from PyPeTLib.phantom.anatomy import Anatomy, HeadShape
from PyPeTLib.phantom.bolus import FINE_STEP, Bolus
from PyPeTLib.phantom.kinetics import peak_times, responses_on_grid, tissue_curve, tissue_factor
from PyPeTLib.phantom.perfusion import TissuePerfusion
from PyPeTLib.phantom.raster import VesselVolumes
from PyPeTLib.phantom.waves import Waves

HOUNSFIELD: Mapping[str, float] = {
    "air": -1000.0,
    "scalp": 25.0,
    "bone": 1000.0,
    "face": 35.0,
    "csf": 8.0,
    "grey": 36.0,
    "white": 28.0,
    "blood": 42.0,
    "clot": 58.0,
    "fat": -90.0,
    "muscle": 55.0,
    "young bone": 550.0,
    "eye": 12.0,
    "blood clot": 70.0,
    "effusion": 62.0,
    "plastic": 450.0,
    "metal": 6000.0,
}
"""CT numbers before the bolus."""

T2STAR_SIGNAL: Mapping[str, float] = {
    "air": 0.0,
    "scalp": 800.0,
    "bone": 45.0,
    "face": 420.0,
    "csf": 950.0,
    "grey": 560.0,
    "white": 480.0,
    "blood": 520.0,
    "clot": 260.0,
    "fat": 850.0,
    "muscle": 300.0,
    "young bone": 90.0,
    "eye": 1050.0,
    "bright eye": 2800.0,
    "bright fat": 2300.0,
    "blood clot": 130.0,
    "effusion": 760.0,
    "plastic": 20.0,
    "metal": 0.0,
}
"""T2*-weighted signal before the bolus; tissue has 520 on average."""

VESSEL_RELAXIVITY = 0.2
"""Relaxivity of contrast in large vessels relative to tissue (DSC)."""

_NODES = 256


class TissueTable:
    """Responses to the bolus over transit time and time, for the voxels of a head.

    Interpolated linearly over 256 transit times, evenly spread in their logarithm, and over the 0.05 s grid; the error
    stays below 0.1 % of a curve's peak.

    Parameters
    ----------
    bolus : Bolus
    residue : str
    mtt : ndarray, shape (n,)
        Transit times of the voxels in s.
    delay : ndarray, shape (n,)
        Their delays in s.
    end : float
        Latest time in s that will be asked for.
    """

    def __init__(self, bolus: Bolus, residue: str, mtt: Array, delay: Array, end: float) -> None:
        low, high = float(mtt.min()) * 0.999, float(mtt.max()) * 1.001
        nodes = np.geomspace(low, high, _NODES)
        # one point more than the last one used, for the interpolation
        last = end - float(delay.min(initial=0.0)) + 2 * FINE_STEP
        times, values = responses_on_grid(bolus, nodes, last, residue)
        self._values = values.astype(np.float32).ravel()
        self._width = times.size
        place = np.log(mtt.astype(np.float64) / low) / np.log(high / low) * (_NODES - 1)
        row = place.astype(np.intp)
        self._row_share = (place - row).astype(np.float32)
        self._row_start: IntArray = row * self._width
        self._offset = (-delay.astype(np.float64) - times[0]) / FINE_STEP
        self.peaks: Volume = (np.interp(mtt, nodes, peak_times(bolus, nodes, residue)) + delay).astype(np.float32)
        """Time in s at which each voxel's curve peaks."""

    def at(self, time: float) -> Volume:
        """Responses of all voxels at a time in s, shape (n,)."""
        place = np.maximum(self._offset + time / FINE_STEP, 0.0)
        column = place.astype(np.intp)
        share = (place - column).astype(np.float32)
        index = self._row_start + column
        lower = self._between(index, share)
        lower += self._row_share * (self._between(index + self._width, share) - lower)
        return lower

    def _between(self, index: IntArray, share: Volume) -> Volume:
        first = self._values[index]
        first += share * (self._values[index + 1] - first)
        return first


@dataclass(frozen=True, kw_only=True, eq=False)
class Leakage:
    """Contrast that leaves the vessels where the blood–brain barrier is open: ``−K2·∫ C̄ dt`` is added to C_t.

    C̄ is the curve of average healthy tissue. K2 above 0 lowers ΔR2* (T1 effect), below 0 raises it (T2* effect).
    Source: Boxerman, Schmainda & Weisskoff 2006, AJNR 27:859.
    """

    rate: float
    region: Mask


class Renderer:
    """Concentration of every voxel over time.

    Parameters
    ----------
    truth : TissuePerfusion
    vessels : VesselVolumes
    bolus : Bolus
    residue : str
    end : float
        Latest time in s that will be asked for.
    relaxivity : float
        Of contrast in vessels relative to tissue: 1 for CT.
    leakage : Leakage, optional
    """

    def __init__(
        self,
        truth: TissuePerfusion,
        vessels: VesselVolumes,
        bolus: Bolus,
        residue: str,
        end: float,
        *,
        relaxivity: float = 1.0,
        leakage: Leakage | None = None,
    ) -> None:
        self.shape = truth.cbf.shape
        perfused = truth.cbf > 0
        self._voxels = np.flatnonzero(perfused)
        self._amplitude = (tissue_factor(truth.cbf[perfused]) * (1 - vessels.all[perfused])).astype(np.float32)
        self._table = TissueTable(bolus, residue, truth.mtt[perfused], truth.delay[perfused], end)
        self._vessels = [
            (curve, np.flatnonzero(share), relaxivity * share[share > 0], arrival[share > 0])
            for curve, share, arrival in (
                (bolus.arterial_at, vessels.artery, vessels.artery_arrival),
                (bolus.venous_at, vessels.vein, vessels.vein_arrival),
            )
        ]
        self._leakage = leakage
        if leakage is not None:
            self._leaked = _leaked_amount(truth, bolus, residue, end, leakage.rate)

    def concentration(self, time: float) -> Volume:
        """Contrast at a time in s: HU for CT, 1/s for MR."""
        result = np.zeros(self.shape, dtype=np.float32)
        flat = result.reshape(-1)
        flat[self._voxels] = self._amplitude * self._table.at(time)
        for curve, voxels, share, arrival in self._vessels:
            flat[voxels] += share * curve(time - arrival).astype(np.float32)
        if self._leakage is not None:
            result[self._leakage.region] -= np.float32(np.interp(time, *self._leaked))
        return result

    def time_to_peak(self) -> Volume:
        """Time in s at which the tissue of each voxel peaks, 0 where nothing is perfused."""
        result = np.zeros(self.shape, dtype=np.float32)
        result.reshape(-1)[self._voxels] = self._table.peaks
        return result


def _leaked_amount(truth: TissuePerfusion, bolus: Bolus, residue: str, end: float, rate: float) -> tuple[Curve, Curve]:
    """Times and K2·∫ C̄ dt, with the curve of mean flow, volume and delay outside the lesion."""
    healthy = (truth.cbf > 0) & (truth.lesion == 0)
    cbf, cbv, delay = (float(x[healthy].mean(dtype=np.float64)) for x in (truth.cbf, truth.cbv, truth.delay))
    times = np.arange(0.0, end + FINE_STEP, FINE_STEP)
    curve = tissue_curve(bolus, cbf, 60 * cbv / cbf, delay, residue, times=times)
    return times, rate * integrate.cumulative_trapezoid(curve, times, initial=0.0)


def baseline(
    anatomy: Anatomy, vessels: VesselVolumes, shape: HeadShape, grid: Grid, levels: Mapping[str, float]
) -> Volume:
    """Signal before the bolus: the mean of the classes in each voxel, with air in the sinuses of the face."""
    blood = vessels.artery + vessels.vein
    values = sum(np.float32(levels[name]) * share for name, share in anatomy.shares.items())
    pockets = np.clip(4.0 * shape.sinuses.on(grid) - 3.0, 0, 1) * anatomy.shares["face"]
    values += np.float32(levels["air"] - levels["face"]) * pockets
    result: Volume = values * (1 - vessels.all)
    result += np.float32(levels["blood"]) * blood + np.float32(levels["clot"]) * vessels.clot
    return result


def coil_shading(rng: np.random.Generator, grid: Grid) -> Volume:
    """Smooth gain of the receive coils around 1."""
    gain: Volume = 1 + 0.04 * np.clip(Waves(rng, 180, 320, 20).on(grid), -2, 2)
    return gain
