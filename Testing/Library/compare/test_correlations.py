"""Correlations against published cases, scipy, and where they are not defined."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from PyPeTLib.compare.correlations import BCA, PERCENTILE, correlate
from PyPeTLib.errors import InputError

# lightness and panel score of nine lots of tuna: Hollander & Wolfe 1973, p. 187, the example of R's cor.test
LIGHTNESS = [44.4, 45.9, 41.9, 53.3, 44.7, 44.1, 50.7, 45.2, 60.1]
PANEL = [2.6, 3.1, 2.5, 5.0, 3.6, 4.0, 5.2, 2.8, 3.8]

# LSAT and GPA of fifteen law schools: Efron 1979, doi:10.1214/aos/1176344552
LSAT = [576, 635, 558, 578, 666, 580, 555, 661, 651, 605, 653, 575, 545, 572, 594]
GPA = [3.39, 3.30, 2.81, 3.03, 3.44, 3.07, 3.00, 3.43, 3.36, 3.13, 3.12, 2.74, 2.76, 2.88, 2.96]


def ends(coefficient):
    return coefficient.estimate.low, coefficient.estimate.high


def test_tuna() -> None:
    found = correlate(LIGHTNESS, PANEL)
    assert found.spearman.estimate.value == pytest.approx(0.6)
    assert found.spearman.p == pytest.approx(0.0968, abs=5e-5)
    assert found.pearson.estimate.value == pytest.approx(0.5712, abs=5e-5)
    assert found.pearson.p == pytest.approx(0.1082, abs=5e-5)
    assert (found.n, found.missing, found.note) == (9, 0, "")


def test_law_schools() -> None:
    found = correlate(LSAT, GPA)
    assert found.pearson.estimate.value == pytest.approx(0.776, abs=5e-4)
    assert (found.pearson.interval, found.spearman.interval) == (BCA, BCA)
    for made, of in ((found.pearson, stats.pearsonr), (found.spearman, stats.spearmanr)):
        assert made.p == pytest.approx(of(LSAT, GPA)[1])
        assert made.estimate.value == pytest.approx(of(LSAT, GPA)[0])
    # as far apart as two runs of scipy's own are
    theirs = stats.bootstrap(
        (LSAT, GPA), vectorised_pearson, paired=True, vectorized=True, n_resamples=9999, method="BCa", random_state=3
    ).confidence_interval
    assert ends(found.pearson) == pytest.approx((theirs.low, theirs.high), abs=0.03)


def vectorised_pearson(x, y, axis=-1):
    x, y = (side - side.mean(axis=axis, keepdims=True) for side in (x, y))
    return (x * y).sum(axis=axis) / np.sqrt((x * x).sum(axis=axis) * (y * y).sum(axis=axis))


def test_intervals_of_tied_scores_are_scipys() -> None:
    random = np.random.default_rng(4)
    figure = random.normal(0, 1, 24)
    score = np.clip(np.round(2 + figure + random.normal(0, 1, 24)), 0, 6)
    found = correlate(figure, score)
    expected = stats.spearmanr(figure, score)
    assert (found.spearman.estimate.value, found.spearman.p) == pytest.approx((expected[0], expected[1]))

    def spearman(x, y, axis=-1):
        return vectorised_pearson(*(np.apply_along_axis(stats.rankdata, axis, side) for side in (x, y)), axis=axis)

    theirs = stats.bootstrap(
        (figure, score), spearman, paired=True, vectorized=True, n_resamples=2000, method="BCa", random_state=3
    ).confidence_interval
    assert ends(found.spearman) == pytest.approx((theirs.low, theirs.high), abs=0.04)


def test_p_of_few_ranks_counts_all_orders() -> None:
    x, y = [1, 2, 3, 4, 5, 6], [0, 0, 1, 1, 3, 1]
    ranks = stats.rankdata(y)
    apart = abs(np.dot(x, ranks) - 6 * 3.5**2)
    orders = [abs(np.dot(x, order) - 6 * 3.5**2) for order in itertools.permutations(ranks)]
    assert correlate(x, y).spearman.p == pytest.approx(np.mean(np.array(orders) >= apart - 1e-9))


def test_same_pairs_in_any_order_and_unit_are_the_same() -> None:
    found = correlate(LSAT, GPA)
    order = np.random.default_rng(0).permutation(15)
    assert correlate(np.array(LSAT)[order], np.array(GPA)[order]) == found
    scaled = correlate(np.array(LSAT) * 1e-6 + 5, GPA)
    assert ends(scaled.pearson) == pytest.approx(ends(found.pearson), rel=1e-6)
    # ranks see no more than the order
    assert ends(correlate(np.exp(np.array(LSAT) / 50), GPA).spearman) == ends(found.spearman)
    turned = correlate(LSAT, -np.array(GPA)).pearson
    assert turned.estimate.value == pytest.approx(-found.pearson.estimate.value)
    assert turned.p == pytest.approx(found.pearson.p)


def test_missing_values_are_left_out_by_pairs() -> None:
    found = correlate([*LSAT, 600, math.nan, None], [*GPA, None, 3.0, math.nan])
    assert (found.n, found.missing) == (15, 3)
    assert found.pearson == correlate(LSAT, GPA).pearson
    with pytest.raises(InputError, match="of one number"):
        correlate([1, 2], [1, 2, 3])


@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        ([], [], "No pair: no correlation"),
        ([1, 2], [2, 1], "2 pairs: no correlation"),
        ([1, 2, 3, 4, 5, 6], [3, 3, 3, 3, 3, 3], "values of one side are equal"),
        ([0.3, 0.1 + 0.2, 0.3], [1, 2, 3], "values of one side are equal"),
    ],
)
def test_where_there_is_no_correlation_there_is_a_reason(x, y, reason) -> None:
    found = correlate(x, y)
    for made in (found.spearman, found.pearson):
        assert (made.estimate.value, made.estimate.low, made.p, made.interval) == (None, None, None, "")
    assert reason in found.note


def test_where_there_is_no_interval_there_is_a_reason() -> None:
    few = correlate([1, 2, 3, 4], [1, 2, 4, 3])
    assert few.spearman.estimate.value == pytest.approx(0.8)
    assert (ends(few.spearman), few.note) == ((None, None), "4 pairs: no bootstrap.")
    line = correlate(range(8), range(0, 16, 2))
    assert (line.pearson.estimate.value, ends(line.pearson)) == (pytest.approx(1), (None, None))
    assert "on one line" in line.note
    # ranks on a line, values not
    curve = correlate(range(8), np.square(range(8)))
    assert ends(curve.spearman) == (None, None)
    assert ends(curve.pearson)[0] > 0.8
    assert curve.note == "rho: All pairs lie on one line: no interval."
    # without the one patient who differs there is one value alone, in a third of the resamples
    alone = correlate(range(8), [0, 0, 0, 0, 0, 0, 0, 3])
    assert alone.pearson.estimate.value is not None
    assert ends(alone.pearson) == (None, None)
    assert "hold one value alone" in alone.note


def test_few_resamples_of_one_value_are_left_out_and_told() -> None:
    found = correlate(range(8), [0, 0, 0, 0, 2, 1, 0, 3])
    assert found.pearson.interval == BCA
    assert all(-1 <= end <= 1 for end in (*ends(found.pearson), *ends(found.spearman)))
    assert "of 9999 resamples have no correlation and were left out" in found.note


def test_without_bca_the_interval_is_the_percentile_one_and_says_so() -> None:
    # mirrored at the origin and at the diagonal: leaving out any one of these pairs gives the same correlation
    x, y = [3, -3, 1, -1] * 3, [1, -1, 3, -3] * 3
    found = correlate(x, y)
    assert (found.pearson.interval, found.spearman.interval) == (PERCENTILE, PERCENTILE)
    assert found.note == "Percentile interval, since BCa is not defined."
    random = np.random.default_rng(1)
    places = random.integers(0, 12, (4000, 12))
    made = vectorised_pearson(np.array(x)[places], np.array(y)[places])
    assert ends(found.pearson) == pytest.approx(np.quantile(made, (0.025, 0.975)), abs=0.03)


def test_intervals_hold_a_true_correlation() -> None:
    """Of 40 samples of 20 pairs with a correlation of 0.6, at least 34 have an interval that holds it."""
    random = np.random.default_rng(8)
    held = 0
    for _ in range(40):
        x = random.normal(0, 1, 20)
        y = 0.6 * x + 0.8 * random.normal(0, 1, 20)
        low, high = ends(correlate(x, y).pearson)
        held += low <= 0.6 <= high
    assert held >= 34
