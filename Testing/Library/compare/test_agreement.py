"""Bland-Altman plot and joint histogram against numpy."""

import numpy as np
import pytest

from PyPeTLib.compare import MapImage, bland_altman, compare_maps, joint_histogram


@pytest.fixture(scope="module")
def comparison():
    random = np.random.default_rng(5)
    truth = random.gamma(4, 10, (40, 40, 8)).astype(np.float32)
    noisy = (truth * 1.1 - 2 + random.normal(0, 4, truth.shape)).astype(np.float32)
    images = [MapImage(values=v, affine=np.diag([2.0, 2, 5, 1])) for v in (noisy, truth)]
    return compare_maps("cbf", *images), noisy.ravel(), truth.ravel()


@pytest.mark.parametrize("points", [500, 10**6])
def test_bland_altman(comparison, points) -> None:
    found, noisy, truth = comparison
    plot = bland_altman(found, points=points)
    again = bland_altman(found, points=points)
    assert plot.means.size == plot.differences.size == min(points, truth.size)
    assert np.array_equal(plot.means, again.means)
    assert plot.voxels == truth.size
    apart = noisy - truth
    assert np.isin(plot.differences, apart).all()
    assert plot.bias == pytest.approx(apart.mean(), rel=1e-4)
    assert plot.upper - plot.bias == pytest.approx(1.96 * apart.std(ddof=1), rel=1e-4)
    assert (plot.lower, plot.upper) == pytest.approx(
        (found.metrics["limit_lower"], found.metrics["limit_upper"]), rel=1e-5
    )
    # few points stand for all
    assert np.median(plot.means) == pytest.approx(np.median((noisy + truth) / 2), rel=0.08)


def test_joint_histogram(comparison) -> None:
    found, noisy, truth = comparison
    histogram = joint_histogram(found, bins=40)
    inside = [np.clip(v, histogram.edges[0] + 1e-3, histogram.edges[-1] - 1e-3) for v in (noisy, truth)]
    expected, _, _ = np.histogram2d(*inside, bins=[histogram.edges] * 2)
    assert histogram.counts.sum() == truth.size
    # values on an edge may fall to either side in float32
    assert np.abs(histogram.counts - expected).sum() <= 10
    ends = np.percentile(np.concatenate([noisy, truth]), (0.1, 99.9))
    assert (histogram.edges[0], histogram.edges[-1]) == pytest.approx(tuple(ends), rel=1e-5)


def test_identical_maps_lie_on_the_diagonal(comparison) -> None:
    _, noisy, _ = comparison
    image = MapImage(values=noisy.reshape(40, 40, 8), affine=np.eye(4))
    found = compare_maps("cbf", image, image)
    counts = joint_histogram(found).counts
    assert np.trace(counts) == counts.sum()
    plot = bland_altman(found)
    assert (plot.bias, plot.lower, plot.upper) == (0, 0, 0)
    constant = MapImage(values=np.full((4, 4, 4), 7.0), affine=np.eye(4), valid=np.ones((4, 4, 4), bool))
    assert joint_histogram(compare_maps("cbf", constant, constant)).counts.sum() == 64
