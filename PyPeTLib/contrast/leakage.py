"""Contrast that leaks out of the vessels, told from contrast that passes through them, and taken away.

Where the blood–brain barrier is open, a voxel's curve is a share of the curve of healthy brain and what has leaked::

    ΔR2*(t) = K1·Ā(t) − K2·∫ Ā(τ)·exp(−kep·(t − τ)) dτ

with Ā the mean curve of brain that does not leak [1/s], K1 without unit, K2 in 1/s (above 0 where leaked contrast
shortens T1 and brightens the signal, below 0 where it shortens T2*) and kep in 1/s, the rate at which it returns into
the vessels: 0 in the model of Boxerman et al., fitted in that of Leu et al. The second term is taken away.

A voxel whose blood comes a little later or spends more time than that of the mean brain has another shape, and the
published fit takes the difference for leakage. Here the first and second derivative of Ā, which shift and widen it,
are fitted along; they hold no area and are not taken away. Tissue with a much longer transit, as in a stroke, is still
taken for leaky: the correction is meant for tumours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import Curve, Mask, Volume
from PyPeTLib.errors import InputError
from PyPeTLib.execution import Execution, voxel_slices
from PyPeTLib.preprocess.denoising import vessel_like
from PyPeTLib.registry import Registry

LEAKAGE_CORRECTIONS: Registry[tuple[float, ...]] = Registry("leakage corrections")
"""Each is the rates kep in 1/s that its model tries, ascending; none at all: no correction."""

LEAKAGE_CORRECTIONS.register("none", summary="leakage is left as it is")(())
LEAKAGE_CORRECTIONS.register(
    "bsw",
    summary="leaked contrast stays in the tissue (Boxerman, Schmainda, Weisskoff)",
    source="Boxerman et al. 2006, AJNR Am J Neuroradiol 27:859",
)((0.0,))
LEAKAGE_CORRECTIONS.register(
    "bidirectional",
    summary="leaked contrast returns into the vessels at a rate fitted to each voxel",
    source="Leu et al. 2016, doi:10.3174/ajnr.A4759",
)((0.0, *map(float, np.geomspace(0.001, 0.05, 33))))

VESSEL_RATIO = 3.5
"""Voxels that take up more than this many times the median contrast are vessels."""
SMALLEST_UPTAKE = 0.25
"""Voxels with less than this share of the median uptake, such as CSF, have a tail of mere noise."""
FEWEST_REFERENCE = 50
FEWEST_FRAMES = 10
"""Frames with contrast below which passage and leakage cannot be told apart."""
PARSIMONY = 2.0
"""A rate kep counts as more than 0 if it lowers Akaike's criterion by more than this, the price of one parameter."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LeakageFit:
    """What a leakage correction found.

    Attributes
    ----------
    curves : ndarray of float32, shape (voxels, t)
        ΔR2* in 1/s without what has leaked.
    k1, k2, kep : ndarray of float32, shape (voxels,)
        K1 without unit, K2 and kep in 1/s; kep is 0 where the data show no return.
    reference : ndarray of float64, shape (t,)
        Ā in 1/s.
    """

    curves: Volume
    k1: Volume
    k2: Volume
    kep: Volume
    reference: Curve


def non_leaking(curves: Volume, start: int) -> Mask:
    """Voxels that stand for brain with an intact barrier, shape (voxels,).

    Blood recirculates, so a healthy curve does not end at 0 but at a share of its uptake that is the same all over
    the brain. Of the voxels that are neither vessel nor CSF, the half is taken whose tail comes nearest to that share.

    Parameters
    ----------
    curves : ndarray of float32, shape (voxels, t)
        ΔR2* in 1/s.
    start : int
        Frame in which the bolus arrives.

    Raises
    ------
    InputError
        If too few voxels show the bolus.
    """
    uptake = curves @ np.maximum(curves.mean(axis=0, dtype=np.float64), 0).astype(np.float32)
    tissue = ~vessel_like(curves, VESSEL_RATIO) & (uptake > max(SMALLEST_UPTAKE * float(np.median(uptake)), 0.0))
    if np.count_nonzero(tissue) < FEWEST_REFERENCE:
        raise InputError(
            f"leakage cannot be corrected: only {np.count_nonzero(tissue)} voxels show how contrast passes where it "
            "does not leak. Set the option contrast.leakage to none."
        )
    n_tail = max(3, (curves.shape[1] - start) // 5)
    tail = np.divide(curves[:, -n_tail:].mean(axis=1), uptake, out=np.zeros_like(uptake), where=tissue)
    apart = np.abs(tail - np.median(tail[tissue]))
    return np.asarray(tissue & (apart <= np.median(apart[tissue])), bool)


def leaked_kernels(reference: Curve, times: Curve, start: int, rates: Curve) -> Curve:
    """``∫ Ā(τ)·exp(−kep·(t − τ)) dτ`` at each frame, exact for a curve that is linear between frames.

    Parameters
    ----------
    reference : ndarray, shape (t,)
        Ā.
    times : ndarray, shape (t,)
        In s.
    start : int
        Frame in which the bolus arrives; the integral begins one frame earlier.
    rates : ndarray, shape (k,)
        kep in 1/s.

    Returns
    -------
    ndarray of float64, shape (k, t)
        In the unit of Ā times s; 0 before ``start``.
    """
    kernels = np.zeros((rates.size, times.size))
    safe = np.where(rates > 0, rates, 1.0)
    for frame in range(max(start, 1), times.size):
        step = times[frame] - times[frame - 1]
        before, after = reference[frame - 1], reference[frame]
        # ∫ exp(−k u) du and ∫ (u/step)·exp(−k u) du over the step, u counted back from its end
        whole = np.where(rates > 0, -np.expm1(-safe * step) / safe, step)
        older = np.where(rates > 0, (whole / step - np.exp(-safe * step)) / safe, step / 2)
        kernels[:, frame] = kernels[:, frame - 1] * np.exp(-rates * step) + before * older + after * (whole - older)
    return kernels


def correct_leakage(
    curves: Volume, times: Curve, start: int, correction: str, execution: Execution | None = None
) -> LeakageFit | None:
    """Fit the leakage model to every voxel from the arrival of the bolus on, and take the leaked contrast away.

    Parameters
    ----------
    curves : ndarray of float32, shape (voxels, t)
        ΔR2* in 1/s.
    times : ndarray, shape (t,)
        Frame times in s; steps may be uneven.
    start : int
        First frame with contrast.
    correction : str
        Name in `LEAKAGE_CORRECTIONS`.
    execution : Execution, optional

    Returns
    -------
    LeakageFit or None
        None for ``"none"``.

    Raises
    ------
    InputError
        If too few voxels show how contrast passes where it does not leak, or too few frames follow the bolus.
    """
    rates = np.asarray(LEAKAGE_CORRECTIONS[correction])
    if not rates.size:
        return None
    if times.size - start < FEWEST_FRAMES:
        raise InputError(
            f"leakage cannot be corrected: only {times.size - start} frames follow the arrival of the bolus, and "
            f"{FEWEST_FRAMES} are needed. Set the option contrast.leakage to none."
        )
    reference = curves[non_leaking(curves, start)].mean(axis=0, dtype=np.float64)
    model = _Model.of(reference, times, start, rates)
    corrected = np.empty_like(curves)
    parameters = np.zeros((3, len(curves)), np.float32)

    def fit(piece: slice) -> None:
        corrected[piece], parameters[:, piece] = model.fit(curves[piece])

    (execution or Execution()).map(fit, voxel_slices(len(curves)))
    k1, k2, kep = parameters
    return LeakageFit(curves=corrected, k1=k1, k2=k2, kep=kep, reference=reference)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Model:
    """The regressors of a fit, and what of the leaked kernels no passage of blood can explain."""

    start: int
    rates: Volume
    kernels: Volume
    """Shape (k, t)."""
    unexplained: Volume
    """Shape (k, t − start): the part of each kernel at right angles to every passage of blood."""
    passage: Volume
    """Shape (p, t − start): orthonormal."""
    to_share: Volume
    """Shape (t − start,): a curve's share of Ā is its product with this."""

    @classmethod
    def of(cls, reference: Curve, times: Curve, start: int, rates: Curve) -> _Model:
        kernels = leaked_kernels(reference, times, start, rates)
        slope = np.gradient(reference, times)
        passage = np.stack([reference, slope, np.gradient(slope, times)])[:, start:]
        basis = np.linalg.qr(passage.T)[0].T
        fitted = kernels[:, start:]
        return cls(
            start=start,
            rates=rates.astype(np.float32),
            kernels=kernels.astype(np.float32),
            unexplained=(fitted - (fitted @ basis.T) @ basis).astype(np.float32),
            passage=basis.astype(np.float32),
            to_share=np.linalg.pinv(passage.T)[0].astype(np.float32),
        )

    def fit(self, curves: Volume) -> tuple[Volume, Volume]:
        """Corrected curves, and K1, K2 and kep of each as an array of shape (3, voxels)."""
        fitted = curves[:, self.start :]
        place = self._best_rate(fitted)
        below = place.astype(np.intp)
        above = np.minimum(below + 1, self.rates.size - 1)
        part = (place - below).astype(np.float32)[:, None]
        unexplained = self.unexplained[below] * (1 - part) + self.unexplained[above] * part
        kernels = self.kernels[below] * (1 - part) + self.kernels[above] * part
        k2 = -np.einsum("vt,vt->v", fitted, unexplained) / np.einsum("vt,vt->v", unexplained, unexplained)
        corrected = curves + k2[:, None] * kernels
        kep = self.rates[below] * (1 - part[:, 0]) + self.rates[above] * part[:, 0]
        return corrected, np.stack([corrected[:, self.start :] @ self.to_share, k2, kep])

    def _best_rate(self, fitted: Volume) -> Curve:
        """Place of each voxel's rate among the rates tried, between them by a parabola, shape (voxels,)."""
        explained = (fitted @ (self.unexplained / np.linalg.norm(self.unexplained, axis=1, keepdims=True)).T) ** 2
        best = explained.argmax(axis=1)
        voxels = np.arange(len(fitted))
        square = (fitted**2).sum(axis=1)
        alone, rounding = square - ((fitted @ self.passage.T) ** 2).sum(axis=1), 1e-6 * square + np.float32(1e-30)
        stays, returns = (np.maximum(alone - explained[voxels, choice], rounding) for choice in (0, best))
        worthwhile = fitted.shape[1] * np.log(stays / returns) > PARSIMONY
        # the rates are evenly spaced in their logarithm from the second on, 0 being the first
        inner = np.clip(best, 2, max(self.rates.size - 2, 0))
        bends = worthwhile & (inner == best)
        if not bends.any():
            return np.where(worthwhile, best, 0).astype(np.float64)
        before, centre, after = (explained[voxels, inner + shift].astype(np.float64) for shift in (-1, 0, 1))
        bend = before - 2 * centre + after
        shift = np.divide(0.5 * (before - after), bend, out=np.zeros_like(bend), where=bends & (bend < 0))
        return np.where(worthwhile, best + np.clip(shift, -0.5, 0.5), 0.0)
