"""Tiles: tissue curves of known flow, transit time and delay, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import integrate

from PyPeTLib.arrays import Curve
from PyPeTLib.errors import InputError
from PyPeTLib.phantom.bolus import Bolus, frame_times
from PyPeTLib.phantom.kinetics import Residue, peak_times, responses_on_grid, tissue_curve
from PyPeTLib.series import check_frame_times

TILE_MTT = (3.0, 4.0, 6.0, 8.0, 12.0, 18.0, 24.0)
"""Mean transit times of the tiles in s."""

TILE_CBV = (1.0, 2.0, 3.0, 4.0, 5.0)
"""Blood volumes of the tiles in ml/100g."""

TILE_DELAY = tuple(float(d) for d in range(-2, 7))
"""Arterial delays of the tiles in s."""

Seed = int | np.random.Generator
"""Where random numbers come from."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TilePhantom:
    """Tissue curves with their truth; the tiles run over MTT, CBV and delay, the delay fastest.

    Attributes
    ----------
    curves : ndarray of float64, shape (n, T)
        Contrast in the unit of the arterial input (HU as it stands), with noise if it was asked for.
    aif, vof : ndarray of float64, shape (T,)
        As they are measured in the large vessels, before any dispersion on the way to the tissue.
    times : ndarray of float64, shape (T,)
    cbf, cbv, mtt, delay, ttp : ndarray of float64, shape (n,)
        ml/100g/min, ml/100g and s; ``ttp`` is the time of the curve's peak, not counted from the bolus arrival.
    covered : ndarray of float64, shape (n,)
        Share of each tissue curve's whole area that lies between the first and the last frame.
    aif_covered : float
        The same share of the arterial input; an area CBV reads ``covered / aif_covered`` of the truth.
    shape : tuple
        Numbers of MTT, CBV and delay, for ``array.reshape(tiles.shape)``.
    bolus : Bolus
    residue : str or Residue
    """

    curves: Curve
    aif: Curve
    vof: Curve
    times: Curve
    cbf: Curve
    cbv: Curve
    mtt: Curve
    delay: Curve
    ttp: Curve
    covered: Curve
    aif_covered: float
    shape: tuple[int, int, int]
    bolus: Bolus
    residue: str | Residue


def make_tiles(  # noqa: PLR0913 - what defines the tiles, all by name and with defaults
    residue: str | Residue = "exponential",
    *,
    mtt: Sequence[float] = TILE_MTT,
    cbv: Sequence[float] = TILE_CBV,
    delay: Sequence[float] = TILE_DELAY,
    times: npt.ArrayLike | None = None,
    bolus: Bolus | None = None,
    dispersion: float = 0.0,
    noise: float = 0.0,
    rng: Seed = 0,
) -> TilePhantom:
    """Every combination of transit time, blood volume and delay as one curve, exact but for the noise asked for.

    Parameters
    ----------
    residue : str or Residue
        A name in `RESIDUES`, or a residue of its own.
    mtt, cbv, delay : sequence of float
        s, ml/100g and s.
    times : array_like, shape (T,), optional
        Frame times in s; 45 frames every second by default. See `frame_times`.
    bolus : Bolus, optional
    dispersion : float
        Mean in s of the exponential that disperses the bolus between the artery that is measured and the tissue;
        ``delay`` and ``mtt`` do not count it.
    noise : float
        SD of Gaussian noise on the tissue curves, in the unit of the arterial input.
    rng : int or numpy Generator
        Where the noise comes from.

    Returns
    -------
    TilePhantom
        With n = len(mtt)·len(cbv)·len(delay) curves.
    """
    frames = checked_frames(times)
    bolus = Bolus() if bolus is None else bolus
    grid = np.meshgrid(*(np.asarray(x, dtype=np.float64) for x in (mtt, cbv, delay)), indexing="ij")
    transit, volume, lag = (x.ravel() for x in grid)
    flow = 60 * volume / transit
    if bolus.dispersion and dispersion:
        raise InputError("the artery that is measured is dispersed already; tiles know but one dispersion")
    local = replace(bolus, dispersion=dispersion or bolus.dispersion)
    curves = tissue_curve(local, flow, transit, lag, residue, times=frames)
    if noise:
        curves += np.random.default_rng(rng).normal(0.0, noise, curves.shape)
    return TilePhantom(
        curves=curves,
        aif=bolus.arterial(frames[-1]).at(frames),
        vof=bolus.venous_at(frames),
        times=frames,
        cbf=flow,
        cbv=volume,
        mtt=transit,
        delay=lag,
        ttp=peak_times(local, transit, residue) + lag,
        covered=coverage(local, transit, lag, residue, times=frames),
        aif_covered=aif_coverage(bolus, frames),
        shape=(len(mtt), len(cbv), len(delay)),
        bolus=bolus,
        residue=residue,
    )


def coverage(bolus: Bolus, mtt: npt.ArrayLike, delay: npt.ArrayLike, residue: str | Residue, *, times: Curve) -> Curve:
    """Shares of the areas of tissue curves that lie within the frames, shape (n,).

    Parameters
    ----------
    bolus : Bolus
        What reaches the tissue.
    mtt, delay : array_like
        Seconds, broadcast against each other to shape (n,).
    times : ndarray, shape (T,)
        Frame times in s; only the first and the last one matter.
    """
    mtt, delay = np.broadcast_arrays(np.asarray(mtt, dtype=np.float64), np.asarray(delay, dtype=np.float64))
    transits, which = np.unique(mtt, return_inverse=True)
    end = float(times[-1] - delay.min(initial=0.0))
    fine, curves = responses_on_grid(bolus, transits, end, residue)
    areas = integrate.cumulative_trapezoid(curves, fine, axis=1, initial=0.0)
    covered = np.zeros(mtt.shape)
    for i, transit in enumerate(transits):
        mine = which.reshape(mtt.shape) == i
        last, first = (np.interp(times[k] - delay[mine], fine, areas[i]) for k in (-1, 0))
        covered[mine] = (last - first) / (transit * bolus.area)
    return covered


def aif_coverage(bolus: Bolus, times: Curve) -> float:
    """Share of the area of the arterial input that lies within the frames."""
    fine = bolus.arterial(float(times[-1]))
    areas = integrate.cumulative_trapezoid(fine.values, fine.times, initial=0.0)
    last, first = (np.interp(times[k], fine.times, areas) for k in (-1, 0))
    return float((last - first) / bolus.area)


def checked_frames(times: npt.ArrayLike | None) -> Curve:
    """Frame times as given, or 45 frames every second."""
    frames = frame_times((45, 1.0)) if times is None else np.asarray(times, dtype=np.float64)
    if frames.ndim != 1:
        raise InputError(f"frame times must be a list of seconds, found an array of shape {frames.shape}")
    return check_frame_times(frames, frames.size, name="tiles")
