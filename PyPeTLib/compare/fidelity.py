"""How well an estimated image, such as a synthesised PET, reproduces the real one: PSNR, SSIM, NMAE, NMSE, NCC.

With x the estimate, y the reference, V the voxels of the scope and n their number::

    R    = max y − min y                           over the whole volume of the reference, in either scope
    MSE  = Σ_V (x − y)² / n
    PSNR = 10 log10(R² / MSE)                      dB; infinite where the images are equal
    NMAE = Σ_V |x − y| / Σ_V |y|
    NMSE = Σ_V (x − y)² / Σ_V y²
    NCC  = Σ_V (x − x̄)(y − ȳ) / √(Σ_V (x − x̄)² Σ_V (y − ȳ)²)          x̄, ȳ: means over V
    SSIM = mean over V' of (2 m_x m_y + C1)(2 s_xy + C2) / ((m_x² + m_y² + C1)(s_x² + s_y² + C2)),
           C1 = (0.01 R)², C2 = (0.03 R)²

m, s² and s_xy are means, variances and the covariance over n − 1 of the 343 voxels in a cube of 7 by 7 by 7 around a
voxel, all of equal weight; V' are the voxels of V whose cube lies in the volume as a whole, those at least three away
from its faces. SSIM: Wang et al. 2004, doi:10.1109/TIP.2003.819861, whose window is a Gaussian one; this one is the
default of scikit-image's ``structural_similarity``, which most work on image synthesis reports.

There are two scopes, whose figures must not be held against each other:

* ``volume``: V is every voxel, with the empty background around the brain, and the estimate as it is there. What both
  images leave empty is alike by itself, so PSNR, SSIM and NCC grow with the margin around the head. Studies of image
  synthesis mostly report this scope.
* ``mask``: V is the mask's voxels. R and the cubes of the SSIM still see the whole volume.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.compare.metrics import Paired, mean_squared_error, pearson
from PyPeTLib.compare.similarity import cubic_ssim
from PyPeTLib.errors import InputError, UnknownNameError
from PyPeTLib.registry import Registry

SCOPES: Mapping[str, str] = MappingProxyType(
    {"volume": "whole volume, background included", "mask": "in the brain only"}
)
"""Over which voxels figures are computed, and how tables call it."""

SCOPE_NOTE = (
    "Scope “volume”: over all voxels, with the empty background around the brain; what both images leave empty is "
    "alike by itself, so that PSNR, SSIM and NCC grow with the margin around the head. Scope “mask”: in the brain "
    "only. Figures of the two must not be held against each other."
)
HIGHER, LOWER = "higher", "lower"

_WANG = "Wang et al. 2004, doi:10.1109/TIP.2003.819861"


@dataclass(frozen=True, kw_only=True)
class FidelityMetric:
    """A figure of how well an estimate reproduces a reference.

    Attributes
    ----------
    title : str
        As tables name it.
    unit : str
        "" for a plain number; no figure has the images' unit.
    better : str
        ``"higher"`` or ``"lower"``.
    bounds : pair of float
        The lowest and the highest value that the figure can have.
    compute : callable
        From `Paired` (``generated`` is the estimate, and the mask the scope's voxels) to the figure; NaN where it is
        not defined.
    """

    title: str
    unit: str
    better: str
    bounds: tuple[float, float]
    compute: Callable[[Paired], float]

    @property
    def heading(self) -> str:
        """Title with unit, and an arrow towards the better end."""
        unit = f" [{self.unit}]" if self.unit else ""
        return f"{self.title}{unit} {'↑' if self.better == HIGHER else '↓'}"

    def text(self, value: float | None) -> str:
        """A value for people, without its unit: a dash where there is none."""
        if value is None or math.isnan(value):
            return "–"
        if math.isinf(value):
            return "∞" if value > 0 else "−∞"
        if abs(value) >= 1e4:
            return f"{value:.3e}"
        return f"{value:.2f}" if self.unit else f"{value:.4f}"


FIDELITY: Registry[FidelityMetric] = Registry("figures of fidelity")

Figure = Callable[[Paired], float]

_COEFFICIENT = (-1.0, 1.0)
_ERROR = (0.0, math.inf)


def _metric(
    name: str,
    title: str,
    summary: str,
    *,
    better: str,
    bounds: tuple[float, float],
    unit: str = "",
    source: str = "",
) -> Callable[[Figure], Figure]:
    def add(compute: Figure) -> Figure:
        made = FidelityMetric(title=title, unit=unit, better=better, bounds=bounds, compute=compute)
        FIDELITY.register(name, summary=summary, source=source)(made)
        return compute

    return add


@_metric(
    "psnr",
    "PSNR",
    "peak signal-to-noise ratio: the reference's range over the root mean squared error, in dB",
    better=HIGHER,
    bounds=(-math.inf, math.inf),
    unit="dB",
)
def peak_signal_to_noise(paired: Paired) -> float:
    """10 log10(R² / MSE); infinite where the images are equal."""
    error = mean_squared_error(paired)
    # logarithms apart: squares of tiny numbers would vanish
    return 20 * math.log10(reference_range(paired)) - 10 * math.log10(error) if error > 0 else math.inf


@_metric(
    "ssim",
    "SSIM",
    "structural similarity in cubes of 7 by 7 by 7 voxels",
    better=HIGHER,
    bounds=_COEFFICIENT,
    source=_WANG,
)
def structural_similarity(paired: Paired) -> float:
    """Mean of the local SSIM; NaN where no voxel of the scope has a whole cube around it. See `cubic_ssim`."""
    return cubic_ssim(paired.generated, paired.reference, paired.mask, reference_range(paired))


@_metric("nmae", "NMAE", "sum of the errors without their sign over that of the reference", better=LOWER, bounds=_ERROR)
def normalised_absolute_error(paired: Paired) -> float:
    """Σ|x − y| / Σ|y|; NaN where the reference is 0 throughout."""
    below = float(np.abs(paired.y).sum())
    return float(np.abs(paired.differences).sum()) / below if below > 0 else math.nan


@_metric("nmse", "NMSE", "sum of the squared errors over that of the squared reference", better=LOWER, bounds=_ERROR)
def normalised_squared_error(paired: Paired) -> float:
    """Σ(x − y)² / Σy²; NaN where the reference is 0 throughout."""
    below = float(np.square(paired.y).sum())
    return float(np.square(paired.differences).sum()) / below if below > 0 else math.nan


@_metric(
    "ncc",
    "NCC",
    "normalised cross-correlation, means taken away: Pearson's r",
    better=HIGHER,
    bounds=_COEFFICIENT,
)
def cross_correlation(paired: Paired) -> float:
    """Pearson's r of the values; NaN where either image is constant, unless both are equal."""
    return pearson(paired)


def reference_range(paired: Paired) -> float:
    """The scale R: from the lowest to the highest value of the reference in the whole volume, whatever the mask."""
    return float(paired.reference.max()) - float(paired.reference.min())


def fidelity(estimate: Volume, reference: Volume, mask: Mask, *, scope: str = "volume") -> dict[str, float]:
    """Every figure of `FIDELITY` of an estimated image against the real one.

    Parameters
    ----------
    estimate, reference : ndarray of float32, shape (x, y, z)
        On one grid, in one unit. Nothing is scaled, cut or zeroed.
    mask : ndarray of bool
        The brain. Of no influence in the scope ``volume``.
    scope : str
        ``"volume"`` or ``"mask"``: see the module, which holds the formulas.

    Returns
    -------
    dict of str to float
        By name, in the order of `FIDELITY`. The PSNR of equal images is infinite. The SSIM is NaN in volumes of fewer
        than 7 voxels along an axis, and where every voxel of the mask is within three of a face; NCC, NMAE and NMSE are
        NaN in masks where the reference is constant or 0.

    Raises
    ------
    InputError
        If the shapes differ or are not of three axes, the mask is not bool or empty, a voxel of either image is not
        finite, the reference is constant, or the scope is unknown.
    """
    if scope not in SCOPES:
        raise UnknownNameError(f"{scope!r} is not among the scopes of figures of fidelity: {', '.join(SCOPES)}.")
    _check(estimate, reference, mask)
    voxels = mask if scope == "mask" else np.ones_like(mask)
    paired = Paired(generated=estimate, reference=reference, mask=voxels)
    return {name: metric.compute(paired) for name, metric in FIDELITY.items()}


def _check(estimate: Volume, reference: Volume, mask: Mask) -> None:
    shapes = (estimate.shape, reference.shape, mask.shape)
    if len(set(shapes)) > 1 or len(reference.shape) != 3:
        raise InputError(
            f"estimate, reference and mask are volumes of one shape, found {', '.join(map(str, shapes))}. Resample "
            "them to one grid first."
        )
    if mask.dtype != np.bool_:
        raise InputError(f"a mask holds true and false, found {mask.dtype}. Give mask > 0.")
    if not mask.any():
        raise InputError("the mask of the brain is empty, so that nothing can be compared. Give one that holds voxels.")
    for name, volume in (("estimate", estimate), ("reference", reference)):
        lost = int(volume.size - np.count_nonzero(np.isfinite(volume)))
        if lost:
            raise InputError(
                f"the {name} holds {lost} voxels that are NaN or infinite, so that its figures are not defined. Set "
                "them to what stands for no signal, mostly 0."
            )
    if reference.max() == reference.min():
        raise InputError(
            f"the reference has the value {float(reference.flat[0]):g} in every voxel: it is no image. Check its file."
        )
