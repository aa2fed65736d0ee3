"""Correlation of a figure with a score: Spearman's rho and Pearson's r with bootstrap intervals of 95 %.

Pairs are resampled. The interval is the bias-corrected and accelerated one (BCa; Efron 1987,
doi:10.1080/01621459.1987.10478410), or the percentile one where that is not defined. Scores such as the mRS have few
levels, so that some resamples hold one level alone and have no correlation: these are left out and told, and where
they are many there is no interval.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from PyPeTLib.arrays import Curve
from PyPeTLib.compare.statistics import (
    CONFIDENCE,
    RESAMPLES,
    SEED,
    Estimate,
    Values,
    all_equal,
    counted,
    joined,
    together,
)

FEWEST_PAIRS = 5
"""Pairs that an interval takes: of fewer, many resamples hold but two different pairs, which always lie on a line."""

BCA, PERCENTILE = "BCa", "percentile"

_MOST_EXACT = 9
"""Pairs up to which all orders are counted for the p-value of rho: 362 880."""
_MOST_UNDEFINED = 0.05
"""Share of resamples without a correlation beyond which the others tell too little."""
_EQUAL = 1e-12
_BATCH = 1000

Coefficients = Callable[[Curve, Curve], Curve]
"""From samples as rows, shape (samples, n) twice, to their coefficients; NaN where a side is constant."""


@dataclass(frozen=True, kw_only=True)
class Coefficient:
    """A coefficient of correlation.

    Attributes
    ----------
    estimate : Estimate
        With the bootstrap interval.
    interval : str
        ``"BCa"``, ``"percentile"``, or "" where there is none.
    p : float or None
        Two-sided, against no correlation.
    """

    estimate: Estimate
    interval: str = ""
    p: float | None = None


@dataclass(frozen=True, kw_only=True)
class Correlation:
    """Two measurements of the same things.

    Attributes
    ----------
    n, missing : int
        Pairs that count, and those of which a value is missing.
    spearman, pearson : Coefficient
    note : str
        What is not defined and why.
    """

    n: int
    missing: int
    spearman: Coefficient
    pearson: Coefficient
    note: str


def correlate(first: Values, second: Values) -> Correlation:
    """Spearman's rho, of mean ranks where values are tied, and Pearson's r, with bootstrap intervals and p-values.

    The p-value of rho counts all orders of up to 9 pairs, ties as they are; beyond, and for r, it is that of Student's
    t distribution. The same pairs in any order give the same intervals each time.

    Parameters
    ----------
    first, second : sequence of float or None
        Of the same things in the same order; pairs of which one is missing (NaN, None) are left out.

    Raises
    ------
    InputError
        If they are not of one number.
    """
    table = together(first, second)
    n, missing = len(table), len(first) - len(table)
    note = ""
    if n < 3:
        note = f"{counted(n, 'pair')}: no correlation."
    elif any(all_equal(column) for column in table.T):
        note = "All values of one side are equal: no correlation."
    if note:
        none = Coefficient(estimate=Estimate(note=note))
        return Correlation(n=n, missing=missing, spearman=none, pearson=none, note=note)
    # so that the order of the things does not matter
    x, y = table[np.lexsort(table.T)].T
    rho = _with_interval(x, y, _spearman, _p_of_rho(x, y))
    r = _with_interval(x, y, _pearson, float(stats.pearsonr(x, y).pvalue))
    same = rho.estimate.note == r.estimate.note
    notes = [f"{name}: {made.estimate.note}" for name, made in (("rho", rho), ("r", r)) if made.estimate.note]
    return Correlation(
        n=n, missing=missing, spearman=rho, pearson=r, note=rho.estimate.note if same else joined(*notes)
    )


def _with_interval(x: Curve, y: Curve, of: Coefficients, p: float) -> Coefficient:
    n = x.size
    value = float(of(x[None], y[None])[0])
    if n < FEWEST_PAIRS:
        return Coefficient(estimate=Estimate(value=value, note=f"{n} pairs: no bootstrap."), p=p)
    if 1 - abs(value) < _EQUAL:
        return Coefficient(estimate=Estimate(value=value, note="All pairs lie on one line: no interval."), p=p)
    random = np.random.default_rng(SEED)
    places = random.integers(0, n, (RESAMPLES, n))
    made = np.concatenate([of(x[part], y[part]) for part in np.array_split(places, RESAMPLES // _BATCH)])
    found = made[np.isfinite(made)]
    undefined = RESAMPLES - found.size
    note = f"{undefined} of {RESAMPLES} resamples have no correlation and were left out." if undefined else ""
    if undefined > _MOST_UNDEFINED * RESAMPLES:
        note = f"{undefined} of {RESAMPLES} resamples hold one value alone on a side: no interval."
        return Coefficient(estimate=Estimate(value=value, note=note), p=p)
    shares = _bca_shares(value, found, of(*(_without_each(side) for side in (x, y))))
    interval = PERCENTILE if shares is None else BCA
    if shares is None:
        tail = (1 - CONFIDENCE) / 2
        shares = tail, 1 - tail
        note = joined("Percentile interval, since BCa is not defined.", note)
    low, high = np.quantile(found, shares)
    return Coefficient(
        estimate=Estimate(value=value, low=float(low), high=float(high), note=note), interval=interval, p=p
    )


def _bca_shares(value: float, resampled: Curve, without_each: Curve) -> tuple[float, float] | None:
    """Which shares of the resampled coefficients are the ends of the BCa interval; None where that is not defined."""
    below = (np.count_nonzero(resampled < value) + np.count_nonzero(resampled <= value)) / (2 * resampled.size)
    # not so either where they are not finite, since leaving out one pair leaves one value alone
    differ = np.ptp(without_each) > _EQUAL
    if not 0 < below < 1 or not differ:
        return None
    bias = float(special.ndtri(below))
    apart = without_each.mean() - without_each
    acceleration = float((apart**3).sum()) / (6 * float(np.square(apart).sum()) ** 1.5)
    tail = (1 - CONFIDENCE) / 2
    ends = []
    for share in (tail, 1 - tail):
        moved = bias + float(special.ndtri(share))
        stretch = 1 - acceleration * moved
        if stretch <= 0:
            return None
        ends.append(float(special.ndtr(bias + moved / stretch)))
    return ends[0], ends[1]


def _without_each(values: Curve) -> Curve:
    """As many samples as values, each without one of them, shape (n, n − 1)."""
    n = values.size
    left: Curve = np.broadcast_to(values, (n, n))[~np.eye(n, dtype=bool)].reshape(n, n - 1)
    return left


def _pearson(x: Curve, y: Curve) -> Curve:
    # a sample of one value alone may differ from its mean by rounding
    constant = (np.ptp(x, axis=1) == 0) | (np.ptp(y, axis=1) == 0)
    x, y = (side - side.mean(axis=1, keepdims=True) for side in (x, y))
    below = np.sqrt(np.square(x).sum(axis=1) * np.square(y).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.where(constant, math.nan, (x * y).sum(axis=1) / below)
    made: Curve = np.clip(found, -1, 1)
    return made


def _spearman(x: Curve, y: Curve) -> Curve:
    return _pearson(_ranks(x), _ranks(y))


def _ranks(samples: Curve) -> Curve:
    """Mean ranks within each sample, from how often each level occurs in it."""
    levels, flat = np.unique(samples, return_inverse=True)
    level = flat.reshape(samples.shape)
    count, rows = levels.size, len(samples)
    places = level + count * np.arange(rows)[:, None]
    often = np.bincount(places.ravel(), minlength=rows * count).reshape(rows, count)
    ranks = np.cumsum(often, axis=1) - (often - 1) / 2
    return np.take_along_axis(ranks, level, axis=1)


def _p_of_rho(x: Curve, y: Curve) -> float:
    n = x.size
    if n > _MOST_EXACT:
        return float(stats.spearmanr(x, y).pvalue)
    ranks_x, ranks_y = (stats.rankdata(side) - (n + 1) / 2 for side in (x, y))
    # multiples of 1/4, so that sums are exact
    found = abs(float(ranks_x @ ranks_y))
    return float(np.mean(np.abs(ranks_y[_orders(n)] @ ranks_x) >= found))


@cache
def _orders(n: int) -> npt.NDArray[np.int8]:
    """All orders of n things, shape (n!, n)."""
    made = np.fromiter(itertools.chain.from_iterable(itertools.permutations(range(n))), np.int8)
    return made.reshape(-1, n)
