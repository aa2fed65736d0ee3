"""What every figure must keep to, whatever the maps."""

import math

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from PyPeTLib.compare.metrics import METRICS, Paired
from PyPeTLib.compare.similarity import brain_ssim, paper_ssim

SHAPE = (24, 30, 3)
PERFECT = {"ncc", "pearson", "concordance", "ssim_brain", "ssim_with_background"}


@pytest.fixture
def maps():
    random = np.random.default_rng(1)
    x, y = random.gamma(3, 10, (2, *SHAPE)).astype(np.float32)
    mask = np.zeros(SHAPE, bool)
    mask[3:20, 4:25] = True
    return x, (0.6 * x + 0.4 * y).astype(np.float32), mask


def figures(x, y, mask):
    paired = Paired(generated=x, reference=y, mask=mask)
    return {name: metric.compute(paired) for name, metric in METRICS.items()}


def test_entries_tell_what_they_are() -> None:
    for entry in METRICS.entries():
        assert entry.summary
        assert entry.item.title
        assert entry.item.unit("s") == {0: "1", 1: "s", 2: "(s)²"}[entry.item.power]
    assert "paper" in METRICS["ssim_with_background"].title
    assert METRICS["ssim_brain"].title != METRICS["ssim_with_background"].title


def test_equal_values_outside_the_mask_change_nothing_but_the_papers(maps) -> None:
    x, y, mask = maps
    before = figures(x, y, mask)
    after = figures(np.where(mask, x, 999).astype(np.float32), np.where(mask, y, -5).astype(np.float32), mask)
    assert before == after


def test_exchanged_maps_turn_only_the_signed_figures(maps) -> None:
    x, y, mask = maps
    one, other = figures(x, y, mask), figures(y, x, mask)
    for name in set(METRICS) - {"bias", "limit_lower", "limit_upper"}:
        assert one[name] == pytest.approx(other[name], rel=1e-5)
    assert one["bias"] == -other["bias"]
    assert one["limit_lower"] == pytest.approx(-other["limit_upper"])


@pytest.mark.parametrize(("scale", "offset"), [(2.5, 0), (1, 40), (0.1, -3)])
def test_correlation_ignores_scale_and_offset_and_concordance_does_not(maps, scale, offset) -> None:
    x, y, mask = maps
    plain, changed = figures(x, y, mask), figures(x, (scale * y + offset).astype(np.float32), mask)
    assert changed["pearson"] == pytest.approx(plain["pearson"], rel=1e-5)
    assert changed["ncc"] == changed["pearson"]
    assert changed["concordance"] < plain["concordance"] - 0.05


def test_constant_maps_have_figures_where_they_are_defined(maps) -> None:
    _, _, mask = maps
    one, other = np.full(SHAPE, 4, np.float32), np.full(SHAPE, 6, np.float32)
    same, apart = figures(one, one, mask), figures(one, other, mask)
    assert {name for name, value in same.items() if value == 1} == PERFECT
    assert apart["bias"] == apart["limit_lower"] == apart["limit_upper"] == -2
    assert math.isnan(apart["pearson"])
    assert apart["concordance"] == 0
    assert apart["mse"] == 4


def test_one_voxel(maps) -> None:
    x, y, _ = maps
    mask = np.zeros(SHAPE, bool)
    mask[5, 6, 1] = True
    found = figures(x, y, mask)
    assert found["bias"] == float(x[5, 6, 1]) - float(y[5, 6, 1])
    assert math.isnan(found["limit_upper"])


def test_the_window_is_that_of_other_programs_at_the_rim_of_the_volume(maps) -> None:
    x, y, _ = maps
    everything = np.ones(SHAPE, bool)
    expected = [
        structural_similarity(
            x[..., k], y[..., k], data_range=60, full=True, gaussian_weights=True, use_sample_covariance=False
        )[1].mean()
        for k in range(SHAPE[2])
    ]
    assert brain_ssim(x, y, everything, 60) == pytest.approx(np.mean(expected), rel=1e-5)


def test_slices_without_values_do_not_count_in_the_papers_ssim(maps) -> None:
    x, y, mask = maps
    fewer = mask.copy()
    fewer[..., 1] = False
    kept = [0, 2]
    assert paper_ssim(x, y, fewer) == pytest.approx(paper_ssim(x[..., kept], y[..., kept], mask[..., kept]), rel=1e-6)
    assert math.isnan(paper_ssim(x, y, np.zeros(SHAPE, bool)))
