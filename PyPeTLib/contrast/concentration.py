"""Concentration curves from signal curves."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.contrast.bolus import BolusArrival
from PyPeTLib.execution import Execution, voxel_slices
from PyPeTLib.series import Modality

SIGNAL_FLOOR = 0.01
"""MR signal below this share of the baseline is taken for that share: its logarithm would be noise or infinite."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Concentration:
    """Concentration curves of the voxels of a mask.

    Attributes
    ----------
    curves : ndarray of float32, shape (voxels, t)
        HU above the baseline (CT) or ΔR2* in 1/s (DSC, CAPLEX Q.EL1.009).
    baseline : ndarray of float32, shape (voxels,)
        Mean signal before the bolus.
    usable : ndarray of bool, shape (voxels,)
        False where the baseline of an MR signal is not positive; the curve is 0 there.
    n_floored : int
        MR samples that were so low that they were raised to `SIGNAL_FLOOR`.
    noise : float
        Standard deviation of one sample before temporal components were dropped, in the unit of the curves; 0 where
        nothing was dropped and the curves themselves show it.
    """

    curves: Volume
    baseline: Volume
    usable: Mask
    n_floored: int = 0
    noise: float = 0.0

    def of(self, voxels: Mask) -> Concentration:
        """That of some of the voxels."""
        return replace(self, curves=self.curves[voxels], baseline=self.baseline[voxels], usable=self.usable[voxels])


def baseline_signal(signal: Volume, bolus: BolusArrival) -> Volume:
    """Mean signal S0 of each voxel over the baseline frames, shape (voxels,)."""
    mean: Volume = signal[:, bolus.baseline].mean(axis=1, dtype=np.float32)
    return mean


def concentration(
    signal: Volume,
    bolus: BolusArrival,
    modality: Modality,
    *,
    echo_time: float | None = None,
    execution: Execution | None = None,
    out: Volume | None = None,
) -> Concentration:
    """Concentration: ``S − S0`` for CT, ``−ln(S/S0)/TE`` for DSC.

    Frames before the steady state hold no contrast and are set to 0.

    Parameters
    ----------
    signal : ndarray of float32, shape (voxels, t)
    bolus : BolusArrival
        Says which frames are the baseline.
    modality : Modality
    echo_time : float, optional
        In s; needed for DSC.
    execution : Execution, optional
    out : ndarray of float32, shape (voxels, t), optional
        Where the curves are written to, such as ``signal`` itself.
    """
    execution = execution or Execution()
    baseline = baseline_signal(signal, bolus)
    curves = execution.workspace.like(signal) if out is None else out
    if modality is Modality.CTP:
        np.subtract(signal, baseline[:, None], out=curves)
        return Concentration(curves=curves, baseline=baseline, usable=np.ones(len(signal), bool))
    if echo_time is None:
        raise ValueError("DSC needs an echo time")
    usable = baseline > 0
    safe = np.where(usable, baseline, 1).astype(np.float32)
    scale = np.float32(-1 / echo_time)

    def convert(piece: slice) -> int:
        part = curves[piece]
        np.divide(signal[piece], safe[piece, None], out=part)
        floored = int(np.count_nonzero((part < SIGNAL_FLOOR)[usable[piece]]))
        np.maximum(part, np.float32(SIGNAL_FLOOR), out=part)
        np.log(part, out=part)
        part *= scale
        part[~usable[piece]] = 0
        return floored

    n_floored = sum(execution.map(convert, voxel_slices(len(signal))))
    curves[:, : bolus.unsteady_frames] = 0
    return Concentration(curves=curves, baseline=baseline, usable=usable, n_floored=n_floored)


def between_echoes(first: Concentration, second: Concentration, first_time: float, second_time: float) -> Concentration:
    """ΔR2* from two echoes of one excitation: ``ln[(S1/S2)(t) / (S1/S2)_0] / (TE2 − TE1)``, free of T1.

    Contrast that leaks into tissue shortens T1 and brightens both echoes alike, so it cancels in their ratio. What
    its T2* does remains.

    Parameters
    ----------
    first, second : Concentration
        Of the same voxels in each echo, each by its own echo time.
    first_time, second_time : float
        Echo times in s, the second one longer.

    Returns
    -------
    Concentration
        In 1/s; its ``baseline`` is that of the first echo, samples raised to the floor are those of both.

    Notes
    -----
    Source: Vonken et al. 2000, Magn Reson Med 43:820.
    """
    # −ln(S/S0) of each echo is its concentration times its echo time
    span = second_time - first_time
    curves = np.float32(second_time / span) * second.curves
    curves -= np.float32(first_time / span) * first.curves
    usable = first.usable & second.usable
    curves[~usable] = 0
    return Concentration(
        curves=curves, baseline=first.baseline, usable=usable, n_floored=first.n_floored + second.n_floored
    )
