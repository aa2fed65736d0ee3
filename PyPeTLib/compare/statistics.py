"""Statistics of a cohort: intervals, agreement of two measurements, paired tests.

Every function leaves out values that are missing (NaN, None), and where a figure is not defined returns None with a
sentence that says why. Intervals are of 95 %. Distributions, tests and the bootstrap are scipy's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from PyPeTLib.arrays import Curve
from PyPeTLib.compare.metrics import LIMITS
from PyPeTLib.errors import InputError

CONFIDENCE = 0.95
RESAMPLES = 9999
SEED = 20250101
"""Of every bootstrap, so that the same values have the same interval each time."""
FEWEST_FOR_BOOTSTRAP = 3

_MOST_EXACT = 50
"""Pairs up to which the exact distribution of the signed ranks is computed."""
_MOST_TIED = 13
"""Pairs up to which all changes of signs are counted where ranks are tied: 8192."""
_EQUAL = 1e-12
"""Spread relative to the values below which they differ by rounding alone."""
_BATCH = 1000

Values = Sequence[float | None] | Curve


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A figure with its 95 % interval; None where it is not defined, and then the reason."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    note: str = ""

    def within(self, lowest: float, highest: float) -> Estimate:
        """The estimate with an interval that leaves out what the figure cannot be, and a note if it was cut."""
        if self.low is None or self.high is None or (self.low >= lowest and self.high <= highest):
            return self
        ends = " and ".join(
            f"{end:g}" for end, cut in ((lowest, self.low < lowest), (highest, self.high > highest)) if cut
        )
        note = f"The t interval was cut at {ends}, beyond which the figure cannot be."
        return replace(self, low=max(self.low, lowest), high=min(self.high, highest), note=joined(self.note, note))


@dataclass(frozen=True, kw_only=True)
class Description:
    """How values are distributed.

    Attributes
    ----------
    n, missing : int
        Values that count, and those that were left out because they are missing.
    mean, median, sd, minimum, maximum : float or None
        ``sd`` over n − 1.
    interval : Estimate
        The mean with the interval of Student's t distribution.
    bootstrap : Estimate
        The mean with the BCa interval of the bootstrap.
    note : str
        Why figures are missing.
    """

    n: int
    missing: int
    mean: float | None
    median: float | None
    sd: float | None
    minimum: float | None
    maximum: float | None
    interval: Estimate
    bootstrap: Estimate
    note: str


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bias of two measurements and the limits of agreement, each with its interval."""

    bias: Estimate
    lower: Estimate
    upper: Estimate


@dataclass(frozen=True, kw_only=True)
class PairedTests:
    """Two measurements of the same things, held against each other; differences are second − first.

    Attributes
    ----------
    n, missing : int
        Pairs that count, and those of which a value is missing.
    difference : Estimate
        Mean difference with the interval of Student's t distribution.
    median_difference : float or None
    t_p, wilcoxon_p : float or None
        Two-sided, of the paired t test and of Wilcoxon's signed-rank test, without a correction.
    effect_dz : float or None
        Mean difference over the standard deviation of the differences (doi:10.3389/fpsyg.2013.00863).
    rank_biserial : float or None
        Share of favourable minus share of unfavourable ranks (doi:10.2466/11.IT.3.1), −1 to 1.
    note : str
    """

    n: int
    missing: int
    difference: Estimate
    median_difference: float | None
    t_p: float | None
    wilcoxon_p: float | None
    effect_dz: float | None
    rank_biserial: float | None
    note: str


def describe(values: Values) -> Description:
    """Mean, median, spread and intervals of the mean."""
    given = _numbers(values)
    found = given[np.isfinite(given)]
    n = found.size
    interval, bootstrap = t_interval(found), bootstrap_interval(found)
    return Description(
        n=n,
        missing=given.size - n,
        mean=float(found.mean()) if n else None,
        median=float(np.median(found)) if n else None,
        sd=float(found.std(ddof=1)) if n > 1 else None,
        minimum=float(found.min()) if n else None,
        maximum=float(found.max()) if n else None,
        interval=interval,
        bootstrap=bootstrap,
        note=joined(interval.note, bootstrap.note),
    )


def t_interval(values: Values) -> Estimate:
    """The mean with the interval of Student's t distribution."""
    found = _finite(values)
    if found.size < 2:
        return Estimate(value=float(found.mean()) if found.size else None, note=_too_few(found.size))
    mean = float(found.mean())
    if all_equal(found):
        return Estimate(value=mean, note="All values are equal: no interval.")
    low, high = stats.t.interval(CONFIDENCE, found.size - 1, loc=mean, scale=stats.sem(found))
    return Estimate(value=mean, low=float(low), high=float(high))


def bootstrap_interval(values: Values) -> Estimate:
    """The mean with the bias-corrected and accelerated interval of the bootstrap (doi:10.1080/01621459.1987.10478410).

    The same values give the same interval each time. With fewer than three values there is none.
    """
    found = _finite(values)
    if found.size < FEWEST_FOR_BOOTSTRAP:
        note = _too_few(found.size) or f"{found.size} values: no bootstrap."
        return Estimate(value=float(found.mean()) if found.size else None, note=note)
    mean = float(found.mean())
    if all_equal(found):
        return Estimate(value=mean, note="All values are equal: no interval.")
    made = stats.bootstrap(
        (found,),
        np.mean,
        n_resamples=RESAMPLES,
        batch=_BATCH,
        confidence_level=CONFIDENCE,
        method="BCa",
        random_state=np.random.default_rng(SEED),
    ).confidence_interval
    low, high = float(made.low), float(made.high)
    if not math.isfinite(low + high):
        return Estimate(value=mean, note="The bootstrap gave no interval.")
    return Estimate(value=mean, low=low, high=high)


def intraclass_correlation(first: Values, second: Values, *others: Values) -> Estimate:
    """Agreement of single measurements, two-way random effects: ICC(2,1), which is ICC(A,1).

    Shrout & Fleiss 1979 (doi:10.1037/0033-2909.86.2.420) for the figure; McGraw & Wong 1996
    (doi:10.1037/1082-989X.1.1.30), table 7, for its interval.

    Parameters
    ----------
    first, second, *others : sequence of float
        One measurement each of the same subjects; subjects of which one is missing are left out.
    """
    table = together(first, second, *others)
    n, k = table.shape
    if n < 2:
        return Estimate(note=_too_few(n, "subject"))
    if all_equal(table.ravel()):
        return Estimate(note="All values are equal: no ICC.")
    apart = table - table.mean()
    of_rows, of_columns = apart.mean(axis=1), apart.mean(axis=0)
    rest = apart - of_rows[:, None] - of_columns
    rows = k * float(np.square(of_rows).sum()) / (n - 1)
    columns = n * float(np.square(of_columns).sum()) / (k - 1)
    error = float(np.square(rest).sum()) / ((n - 1) * (k - 1))
    below = rows + (k - 1) * error + k / n * (columns - error)
    if not below > 0:
        return Estimate(note="The measurements do not vary: no ICC.")
    icc = (rows - error) / below
    if 1 - icc < _EQUAL:
        return Estimate(value=1.0, note="All measurements of a subject are equal: no interval.")
    a = k * icc / (n * (1 - icc))
    b = 1 + k * icc * (n - 1) / (n * (1 - icc))
    spread = (a * columns) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1))
    freedom = (a * columns + b * error) ** 2 / spread if spread > 0 else 0.0
    if not freedom > 0:
        return Estimate(value=icc, note="Its interval is not defined.")
    tail = 1 - (1 - CONFIDENCE) / 2
    f_low, f_high = float(stats.f.ppf(tail, n - 1, freedom)), float(stats.f.ppf(tail, freedom, n - 1))
    common = k * columns + (k * n - k - n) * error
    low = n * (rows - f_low * error) / (f_low * common + n * rows)
    high = n * (f_high * rows - error) / (common + n * f_high * rows)
    return Estimate(value=icc, low=low, high=high)


def limits_of_agreement(first: Values, second: Values) -> Limits:
    """Bias (first − second) and 95 % limits of agreement, each with its 95 % interval.

    Bland & Altman 1986 (doi:10.1016/S0140-6736(86)90837-8); the intervals are those of Bland & Altman 1999
    (doi:10.1177/096228029900800204), the variance of a limit being s² (1/n + 1.96²/(2 (n − 1))).
    """
    table = together(first, second)
    apart = table[:, 0] - table[:, 1]
    n = apart.size
    bias = t_interval(apart)
    if n < 2 or bias.low is None:
        at = Estimate(value=bias.value if n > 1 else None, note=bias.note)
        return Limits(bias=bias, lower=at, upper=at)
    spread, middle = float(apart.std(ddof=1)), float(apart.mean())
    half = float(stats.t.ppf(1 - (1 - CONFIDENCE) / 2, n - 1)) * spread * math.sqrt(1 / n + LIMITS**2 / (2 * (n - 1)))

    def limit(place: float) -> Estimate:
        return Estimate(value=place, low=place - half, high=place + half)

    return Limits(bias=bias, lower=limit(middle - LIMITS * spread), upper=limit(middle + LIMITS * spread))


def correlation(first: Values, second: Values) -> Estimate:
    """Pearson's r with the interval of Fisher's transform, which takes four pairs."""
    table = together(first, second)
    n = len(table)
    if n < 3:
        return Estimate(note=f"{counted(n, 'pair')}: no correlation.")
    if any(all_equal(column) for column in table.T):
        return Estimate(note="All values of one side are equal: no correlation.")
    found = stats.pearsonr(table[:, 0], table[:, 1])
    r = float(found.statistic)
    if n < 4 or 1 - abs(r) < _EQUAL:
        return Estimate(value=r, note="No interval: too few pairs, or all on one line.")
    low, high = found.confidence_interval(confidence_level=CONFIDENCE)
    return Estimate(value=r, low=float(low), high=float(high))


def paired_tests(first: Values, second: Values) -> PairedTests:
    """The paired t test and Wilcoxon's signed-rank test of second − first, with their effect sizes.

    Pairs of equal values are left out of the signed ranks, as Wilcoxon did. Their distribution is exact up to 50
    pairs, and up to 13 where ranks are tied; beyond, it is the normal one.
    """
    given = len(_numbers(first))
    table = together(first, second)
    apart = table[:, 1] - table[:, 0]
    n = apart.size
    difference = t_interval(apart)
    spread = difference.low is not None
    wilcoxon, biserial, note = _signed_ranks(apart)
    return PairedTests(
        n=n,
        missing=given - n,
        difference=difference,
        median_difference=float(np.median(apart)) if n else None,
        t_p=float(stats.ttest_rel(table[:, 1], table[:, 0]).pvalue) if spread else None,
        wilcoxon_p=wilcoxon,
        effect_dz=float(apart.mean() / apart.std(ddof=1)) if spread else None,
        rank_biserial=biserial,
        note=joined(difference.note.replace("values", "differences") if n > 1 else difference.note, note),
    )


def holm(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """p-values of a family of tests after Holm's correction (Holm 1979, jstor.org/stable/4615733).

    The i-th smallest of m is multiplied with m − i + 1; none becomes smaller than the one before it, none more than 1.
    Tests without a p-value are no members of the family.
    """
    order = sorted((i for i, p in enumerate(p_values) if p is not None), key=lambda i: (p_values[i] or 0.0, i))
    adjusted: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * (p_values[place] or 0.0)))
        adjusted[place] = highest
    return tuple(adjusted)


def together(*measurements: Values) -> Curve:
    """Measurements as columns, without the rows of which one is missing, shape (n, k)."""
    columns = [_numbers(values) for values in measurements]
    if len({column.size for column in columns}) > 1:
        raise InputError(f"measurements of the same things are of one number, found {[c.size for c in columns]}")
    table = np.stack(columns, axis=1)
    kept: Curve = table[np.isfinite(table).all(axis=1)]
    return kept


def all_equal(values: Curve) -> bool:
    """Whether values differ by rounding alone."""
    return bool(np.ptp(values) <= _EQUAL * np.abs(values).max())


def counted(n: int, what: str) -> str:
    """A number of things in words."""
    return f"No {what}" if n == 0 else f"{n} {what}{'' if n == 1 else 's'}"


def joined(*notes: str) -> str:
    """Notes as one, each once."""
    return " ".join(dict.fromkeys(note for note in notes if note))


def _signed_ranks(apart: Curve) -> tuple[float | None, float | None, str]:
    """p-value and effect size of Wilcoxon's test of differences, and why there is none."""
    moved = apart[apart != 0]
    n = moved.size
    if n == 0:
        return None, None, "All differences are 0." if apart.size > 1 else ""
    ranks = stats.rankdata(np.abs(moved)) * np.sign(moved)
    biserial = float(ranks.sum() / np.abs(ranks).sum())
    if apart.size < 2:
        return None, None, ""
    tied = np.unique(np.abs(moved)).size < n
    if tied and n <= _MOST_TIED:
        found = stats.permutation_test(
            (ranks,), _sum, permutation_type="samples", vectorized=True, n_resamples=np.inf, alternative="two-sided"
        )
        return float(found.pvalue), biserial, ""
    method = "approx" if tied or n > _MOST_EXACT else "exact"
    return float(stats.wilcoxon(moved, method=method).pvalue), biserial, ""


def _sum(values: Curve, axis: int) -> Curve:
    total: Curve = np.sum(values, axis=axis)
    return total


def _numbers(values: Values) -> Curve:
    return np.array([math.nan if value is None else float(value) for value in values], dtype=np.float64)


def _finite(values: Values) -> Curve:
    found = _numbers(values)
    return found[np.isfinite(found)]


def _too_few(n: int, what: str = "value") -> str:
    return f"{counted(n, what)}: no interval." if n < 2 else ""
