"""Statistics of cohorts against published cases, against scipy, and where they are not defined."""

import math

import numpy as np
import pytest
from scipy import stats

from PyPeTLib.compare.overlap import overlap
from PyPeTLib.compare.statistics import (
    RESAMPLES,
    bootstrap_interval,
    correlation,
    describe,
    holm,
    intraclass_correlation,
    limits_of_agreement,
    paired_tests,
    t_interval,
)
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid

# four judges of six targets: Shrout & Fleiss 1979, table 2
JUDGES = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float)


@pytest.fixture
def pairs():
    random = np.random.default_rng(7)
    first = random.gamma(3, 10, 17)
    return first, first + random.normal(2, 4, 17)


def test_icc_of_shrout_and_fleiss() -> None:
    found = intraclass_correlation(*JUDGES.T)
    assert found.value == pytest.approx(0.29, abs=0.005)
    # the published F ratios and mean squares lead to this interval
    assert (found.low, found.high) == pytest.approx((0.019, 0.761), abs=0.001)


def test_icc_is_of_absolute_agreement(pairs) -> None:
    first, _ = pairs
    equal, apart = intraclass_correlation(first, first), intraclass_correlation(first, first + 30)
    assert (equal.value, equal.low) == (1.0, None)
    assert apart.value < 0.7
    assert apart.low < apart.value < apart.high
    # with two measurements: twice the covariance over what Lin's concordance has below, up to n/(n − 1)
    x, y = pairs
    mean_squares = np.var(x, ddof=1) + np.var(y, ddof=1) + (np.mean(x) - np.mean(y)) ** 2
    covered = 2 * np.cov(x, y)[0, 1] / (mean_squares - np.var(x - y, ddof=1) / x.size)
    assert intraclass_correlation(x, y).value == pytest.approx(covered)


def test_intervals_cover_a_true_icc() -> None:
    """Of 300 samples of a population with an ICC of 0.8, about 95 % of the intervals hold it."""
    random = np.random.default_rng(3)
    held = 0
    for _ in range(300):
        true = random.normal(0, 2, 20)
        found = intraclass_correlation(*(true + random.normal(0, 1, 20) for _ in range(2)))
        held += found.low <= 0.8 <= found.high
    assert 0.91 < held / 300 < 0.985


def test_intervals_are_scipys(pairs) -> None:
    values = pairs[0]
    found = describe([*values, math.nan, None])
    assert (found.n, found.missing) == (17, 2)
    expected = stats.t.interval(0.95, 16, loc=values.mean(), scale=stats.sem(values))
    assert (found.interval.low, found.interval.high) == pytest.approx(expected)
    boot = stats.bootstrap((values,), np.mean, n_resamples=RESAMPLES, method="BCa", random_state=1).confidence_interval
    assert (found.bootstrap.low, found.bootstrap.high) == pytest.approx((boot.low, boot.high), rel=0.02)
    assert describe(values).bootstrap == bootstrap_interval(values)
    assert (found.mean, found.median, found.sd) == pytest.approx((values.mean(), np.median(values), values.std(ddof=1)))


def test_paired_tests_are_scipys(pairs) -> None:
    first, second = pairs
    found = paired_tests([*first, 3.0], [*second, math.nan])
    assert (found.n, found.missing) == (17, 1)
    assert found.t_p == pytest.approx(stats.ttest_rel(second, first).pvalue)
    assert found.wilcoxon_p == pytest.approx(stats.wilcoxon(second, first, method="exact").pvalue)
    difference = second - first
    assert found.effect_dz == pytest.approx(difference.mean() / difference.std(ddof=1))
    assert found.difference.value == pytest.approx(difference.mean())
    turned = paired_tests(second, first)
    assert turned.rank_biserial == -found.rank_biserial
    assert turned.wilcoxon_p == pytest.approx(found.wilcoxon_p)
    many = np.arange(60) * 0.1 - 1
    assert paired_tests(np.zeros(60), many).wilcoxon_p == pytest.approx(stats.wilcoxon(many, method="approx").pvalue)


def test_tied_ranks_of_few_pairs_are_exact() -> None:
    # of the 2^4 equally likely signs of four equal differences, two are as far from 0 as all of one sign
    assert paired_tests(np.zeros(4), np.ones(4) * [1, 1, 1, 1.0]).wilcoxon_p == pytest.approx(2 / 16)
    found = paired_tests(np.zeros(5), np.array([1.0, 1.0, 2.0, -1.0, 0.0]))
    # ranks 2, 2, 4 against 2: sums of +-2 +-2 +-4 +-2 that reach 6, of 16: 10 once, 6 three times, both sides
    assert found.wilcoxon_p == pytest.approx(8 / 16)
    assert found.rank_biserial == pytest.approx(0.6)


def test_holm_by_hand() -> None:
    # sorted 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1, none below the one before
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert holm([0.5, None, 0.6]) == (1.0, None, 1.0)
    assert holm([None]) == (None,)
    assert holm([]) == ()


def test_limits_of_agreement_by_hand() -> None:
    found = limits_of_agreement([1, 2, 3, 6.0], [0, 2, 4, 3.0])
    # differences 1, 0, -1, 3: mean 0.75, sum of squares about it 8.75
    spread = math.sqrt(8.75 / 3)
    assert found.bias.value == 0.75
    assert (found.lower.value, found.upper.value) == pytest.approx((0.75 - 1.96 * spread, 0.75 + 1.96 * spread))
    half = stats.t.ppf(0.975, 3) * spread * math.sqrt(1 / 4 + 1.96**2 / 6)
    assert found.upper.high - found.upper.value == pytest.approx(half)
    assert found.lower.value - found.lower.low == pytest.approx(half)


def test_correlation_is_scipys(pairs) -> None:
    found, expected = correlation(*pairs), stats.pearsonr(*pairs)
    assert found.value == pytest.approx(expected.statistic)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval()))
    assert correlation([1, 2, 3, 4], [2, 4, 6, 8]).value == pytest.approx(1)
    assert correlation([1, 2, 3, 4], [2, 4, 6, 8]).low is None


@pytest.mark.parametrize(
    "values", [[], [2.0], [math.nan], [math.nan, None, 1.0], [3.0, 3.0, 3.0], [0.0, 0.0], [0.1 + 0.2, 0.3, 0.3]]
)
def test_where_there_is_no_interval_there_is_a_reason(values) -> None:
    found = describe(values)
    assert (found.interval.low, found.bootstrap.low) == (None, None)
    assert found.note
    tests = paired_tests(values, [0.0] * len(values))
    assert (tests.t_p, tests.effect_dz, tests.difference.low) == (None, None, None)
    assert tests.note
    limits = limits_of_agreement(values, [0.0] * len(values))
    assert (limits.upper.low, limits.lower.low) == (None, None)
    assert correlation(values, values).value is None
    assert intraclass_correlation(values, values).note


def test_two_values_have_an_interval_of_t_alone() -> None:
    found = describe([1.0, 2.0])
    assert found.interval.low is not None
    assert found.bootstrap.low is None
    assert "bootstrap" in found.note
    assert paired_tests([1.0, 2.0], [2.0, 4.0]).wilcoxon_p == pytest.approx(0.5)
    assert t_interval([1.0, 2.0]).low == pytest.approx(1.5 - stats.t.ppf(0.975, 1) * 0.5)


def test_equal_differences_have_no_t_but_ranks() -> None:
    found = paired_tests([1.0, 2.0, 3.0], [2.0, 3.0, 4.0])
    assert (found.t_p, found.effect_dz) == (None, None)
    assert found.wilcoxon_p == pytest.approx(0.25)
    assert "differences are equal" in found.note


def test_measurements_of_unlike_number_are_refused() -> None:
    with pytest.raises(InputError, match="of one number"):
        intraclass_correlation([1, 2], [1, 2, 3])


def test_overlap_by_hand() -> None:
    grid = Grid((4, 1, 1), np.diag([10.0, 10.0, 10.0, 1.0]))
    one, other = (np.array(mask, bool).reshape(4, 1, 1) for mask in ([1, 1, 1, 0], [0, 0, 1, 0]))
    assert overlap(one, other, grid).facts() == pytest.approx({"generated_ml": 3, "reference_ml": 1, "dice": 0.5})
    assert overlap(one & False, other & False, grid).dice is None
    assert overlap(one & False, other, grid).dice == 0
    with pytest.raises(InputError, match="shapes"):
        overlap(one, other, Grid((4, 1, 2), np.eye(4)))
