"""Figures of agreement between a generated map and a reference, over the voxels where both hold values.

Identical maps have an NCC, correlation, concordance and SSIM of exactly 1 and errors of exactly 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from PyPeTLib.arrays import Curve, Mask, Volume
from PyPeTLib.compare.similarity import brain_data_range, brain_ssim, paper_ssim
from PyPeTLib.registry import Registry

LIMITS = 1.96
"""Standard deviations from the bias to the limits of agreement: 95 % of a normal distribution."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Paired:
    """Two maps on one grid in RAS+ order, and the voxels where both hold values.

    Attributes
    ----------
    generated, reference : ndarray of float32, shape (x, y, z)
    mask : ndarray of bool
        Not empty.
    equal_means : bool
        Whether both have one mean by definition, as relative values do, so that their bias is 0 but for rounding.
    """

    generated: Volume
    reference: Volume
    mask: Mask
    equal_means: bool = False

    @cached_property
    def x(self) -> Curve:
        """Values of the generated map."""
        return self.generated[self.mask].astype(np.float64)

    @cached_property
    def y(self) -> Curve:
        """Values of the reference."""
        return self.reference[self.mask].astype(np.float64)

    @cached_property
    def differences(self) -> Curve:
        """Generated − reference."""
        return self.x - self.y

    @cached_property
    def means(self) -> tuple[float, float]:
        """Of both maps."""
        return float(self.x.mean()), float(self.y.mean())

    @cached_property
    def moments(self) -> tuple[float, float, float]:
        """Variances of both maps and their covariance, over n."""
        x, y = self.x - self.means[0], self.y - self.means[1]
        # sums in pairs, which unlike a product of vectors come out the same for equal maps on any number of threads
        return float((x * x).mean()), float((y * y).mean()), float((x * y).mean())

    @cached_property
    def data_range(self) -> float:
        """The scale of the SSIM in the brain."""
        return brain_data_range(self.generated, self.reference, self.mask)


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A figure of agreement.

    Attributes
    ----------
    title : str
        As tables name it.
    power : int
        Of the maps' unit in the figure's unit: 0 for a plain number, 1, or 2 for the square.
    compute : callable
        From `Paired` to the figure; NaN where it is not defined.
    bounds : pair of float
        The lowest and the highest value that the figure can have.
    """

    title: str
    power: int
    compute: Callable[[Paired], float]
    bounds: tuple[float, float]

    def unit(self, unit: str) -> str:
        """The figure's unit for maps in this unit."""
        if self.power == 0 or unit in ("", "1"):
            return "1" if self.power == 0 else unit
        return unit if self.power == 1 else f"({unit})²"


METRICS: Registry[Metric] = Registry("figures of agreement")

_PAPER = "Borghouts & Su 2025, doi:10.48550/arXiv.2511.13310"
_WANG = "Wang et al. 2004, doi:10.1109/TIP.2003.819861"
_BLAND = "Bland & Altman 1986, doi:10.1016/S0140-6736(86)90837-8"

Figure = Callable[[Paired], float]


_COEFFICIENT = (-1.0, 1.0)
_ERROR = (0.0, math.inf)
_ANY = (-math.inf, math.inf)


def _metric(
    name: str,
    title: str,
    summary: str,
    *,
    power: int = 0,
    source: str = "",
    bounds: tuple[float, float] = _COEFFICIENT,
) -> Callable[[Figure], Figure]:
    def add(compute: Figure) -> Figure:
        made = Metric(title=title, power=power, compute=compute, bounds=bounds)
        METRICS.register(name, summary=summary, source=source)(made)
        return compute

    return add


@_metric("pearson", "Pearson r", "linear correlation, whatever the scale and offset")
@_metric("ncc", "NCC", "normalised cross-correlation, means taken away: the same figure as Pearson's r", source=_PAPER)
def pearson(paired: Paired) -> float:
    """Correlation of the values; NaN if a map is constant, unless both are equal."""
    of_x, of_y, of_both = paired.moments
    if of_x == 0 or of_y == 0:
        return _if_equal(paired)
    return min(1.0, max(-1.0, of_both / math.sqrt(of_x * of_y)))


@_metric(
    "concordance",
    "Lin's concordance",
    "correlation that scale and offset lower",
    source="Lin 1989, doi:10.2307/2532051",
)
def concordance(paired: Paired) -> float:
    """Lin's coefficient with variances over n; NaN if both maps are constant and differ not in one value."""
    of_x, of_y, of_both = paired.moments
    apart = paired.means[0] - paired.means[1]
    below = of_x + of_y + apart * apart
    return 2 * of_both / below if below > 0 else _if_equal(paired)


@_metric(
    "ssim_brain",
    "SSIM in the brain",
    "local SSIM with a Gaussian window within slices, mean over brain voxels only",
    source=_WANG,
)
def ssim_in_the_brain(paired: Paired) -> float:
    """See `brain_ssim`."""
    return brain_ssim(paired.generated, paired.reference, paired.mask, paired.data_range)


@_metric(
    "ssim_with_background",
    "SSIM with background (paper)",
    "SSIM of whole slices with the zeros around the brain, as in the paper: higher, and not comparable",
    source=_PAPER,
)
def ssim_with_background(paired: Paired) -> float:
    """See `paper_ssim`."""
    return paper_ssim(paired.generated, paired.reference, paired.mask)


@_metric("mae", "MAE", "mean of the differences without their sign", power=1, bounds=_ERROR)
def mean_absolute_error(paired: Paired) -> float:
    """Mean absolute difference."""
    return float(np.abs(paired.differences).mean())


@_metric("mse", "MSE", "mean of the squared differences", power=2, bounds=_ERROR)
def mean_squared_error(paired: Paired) -> float:
    """Mean squared difference."""
    return float(np.square(paired.differences).mean())


@_metric("rmse", "RMSE", "root of the mean of the squared differences", power=1, bounds=_ERROR)
def root_mean_squared_error(paired: Paired) -> float:
    """Root of the mean squared difference."""
    return math.sqrt(mean_squared_error(paired))


@_metric("bias", "Bias", "mean of generated − reference", power=1, source=_BLAND, bounds=_ANY)
def bias(paired: Paired) -> float:
    """Mean difference; exactly 0 between relative values, whose means are equal by definition."""
    return 0.0 if paired.equal_means else float(paired.differences.mean())


@_metric(
    "limit_lower", "Lower limit of agreement", "bias − 1.96 SD of the differences", power=1, source=_BLAND, bounds=_ANY
)
def lower_limit(paired: Paired) -> float:
    """Lower 95 % limit of agreement."""
    return bias(paired) - LIMITS * _spread(paired)


@_metric(
    "limit_upper", "Upper limit of agreement", "bias + 1.96 SD of the differences", power=1, source=_BLAND, bounds=_ANY
)
def upper_limit(paired: Paired) -> float:
    """Upper 95 % limit of agreement."""
    return bias(paired) + LIMITS * _spread(paired)


def all_metrics(paired: Paired) -> dict[str, float]:
    """Every registered figure by its name."""
    return {name: metric.compute(paired) for name, metric in METRICS.items()}


def _spread(paired: Paired) -> float:
    """Standard deviation of the differences over n − 1."""
    return float(paired.differences.std(ddof=1)) if paired.differences.size > 1 else float("nan")


def _if_equal(paired: Paired) -> float:
    return 1.0 if np.array_equal(paired.x, paired.y) else float("nan")
