"""Whether a reference of another head is told from one of the same, and what is said then."""

import dataclasses
import math

import numpy as np
import pytest
from scipy import ndimage

from PyPeTLib.compare import CompareOptions, MapImage, compare_maps
from PyPeTLib.compare.same_head import Likeness
from PyPeTLib.errors import InputError

pytestmark = pytest.mark.accuracy

MODALITIES = ("ctp", "dsc")
QUANTITIES = ("cbf", "cbv", "mtt", "tmax", "ttp")
OTHERS = (("ctp", 1, 1.0), ("ctp", 2, 0.88), ("dsc", 1, 1.0))


def moved(image, shift):
    affine = image.affine.copy()
    affine[:3, 3] += shift
    return dataclasses.replace(image, affine=affine)


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("modality", MODALITIES)
def test_the_same_head_passes(heads, modality, quantity) -> None:
    case = heads(modality, 0)
    truth = case.reference(quantity)
    found = compare_maps(quantity, case.found[quantity], truth)
    assert found.coverage.outline > 0.9
    assert not any("do not seem" in note for note in found.notes)
    few = np.zeros(truth.values.shape, bool)
    few[..., 4:8] = True
    for reference in (
        moved(truth, (2, -2, 2)),  # a patient who moved a little between two series
        dataclasses.replace(truth, valid=few & case.brain),  # an analysis of fewer slices
        MapImage(values=truth.values[..., 4:8], affine=moved(truth, truth.affine[:3, 2] * 4).affine),
        dataclasses.replace(truth, values=ndimage.gaussian_filter(truth.values, (2, 2, 0)), valid=case.brain),
        # a mask much smaller than the brain
        dataclasses.replace(truth, valid=ndimage.binary_erosion(case.brain, np.ones((9, 9, 1)))),
    ):
        compare_maps(quantity, case.found[quantity], reference)


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize(("modality", "seed", "size"), OTHERS)
def test_another_head_is_refused(heads, modality, seed, size, quantity) -> None:
    reference = heads(modality, seed, size).reference(quantity)
    generated = heads(modality, 0).found[quantity]
    with pytest.raises(InputError, match="do not seem to show one head at one place") as raised:
        compare_maps(quantity, generated, reference)
    assert all(word in str(raised.value) for word in ("Dice", "mm apart", "sizes", "displaced", "allow_mismatch"))
    forced = compare_maps(quantity, generated, reference, options=CompareOptions(allow_mismatch=True))
    assert any("do not seem to show one head" in note for note in forced.notes)


@pytest.mark.parametrize("shift", [(15, 0, 0), (0, -20, 0), (0, 0, 30)], ids=str)
def test_a_head_at_another_place_is_refused(heads, shift) -> None:
    case = heads("ctp", 0)
    with pytest.raises(InputError, match="one head at one place"):
        compare_maps("cbf", case.found["cbf"], moved(case.reference("cbf"), shift))


def test_a_mirrored_head_is_refused(heads) -> None:
    # what a file whose left and right were exchanged looks like
    case = heads("ctp", 0)
    truth = case.reference("cbf")
    with pytest.raises(InputError, match="one head at one place"):
        compare_maps("cbf", case.found["cbf"], dataclasses.replace(truth, values=truth.values[::-1]))


def test_maps_without_detail_are_judged_by_their_outlines(heads) -> None:
    case = heads("ctp", 0)
    flat = [np.where(case.brain, value, 0).astype(np.float32) for value in (40, 45)]
    ours, theirs = (MapImage(values=values, affine=case.affine) for values in flat)
    found = compare_maps("cbf", ours, theirs)
    assert np.isnan(found.coverage.detail)
    assert found.metrics["bias"] == -5
    assert np.isnan(found.metrics["pearson"])
    small = case.brain & (np.arange(case.brain.shape[0]) < case.brain.shape[0] // 2)[:, None, None]
    with pytest.raises(InputError, match=r"sizes have a ratio of .*; detail could not be judged"):
        compare_maps("cbf", ours, MapImage(values=np.where(small, 45, 0), affine=case.affine))


@pytest.mark.parametrize(
    ("likeness", "same", "doubtful"),
    [
        ({"detail": 0.6, "displaced": 0.1}, True, False),
        ({"detail": 0.4, "displaced": 0.07}, True, True),
        ({"detail": 0.4, "displaced": 0.2}, False, False),
        ({"detail": 0.2, "displaced": 0.05, "time": True}, True, False),
        ({"detail": 0.1, "displaced": 0.05, "time": True}, True, True),
        ({"detail": 0.1, "displaced": 0.08, "time": True}, False, False),
        ({"dice": 0.6, "centres": 12.0, "detail": 0.6, "displaced": 0.1}, True, False),
        ({"dice": 0.6, "centres": 12.0}, False, False),
        ({"dice": 0.6, "sizes": 1.5}, False, False),
        ({"dice": 0.6}, True, False),
        ({"dice": math.nan, "centres": math.nan, "sizes": math.nan}, True, False),
    ],
    ids=str,
)
def test_detail_decides_before_outlines(likeness, same, doubtful) -> None:
    usual = {"dice": 0.95, "centres": 1.0, "sizes": 1.0, "detail": math.nan, "displaced": math.nan, "time": False}
    found = Likeness(**{**usual, **likeness})
    assert (found.same, found.doubtful) == (same, doubtful)


def test_a_reference_of_one_slice(heads) -> None:
    case = heads("ctp", 0)
    truth = case.reference("cbf")
    between = moved(truth, truth.affine[:3, 2] * 5.3).affine
    reference = MapImage(values=truth.values[..., 5:6], affine=between)
    with pytest.raises(InputError, match="take the nearest voxel"):
        compare_maps("cbf", case.found["cbf"], reference)
    found = compare_maps("cbf", case.found["cbf"], reference, options=CompareOptions(interpolation="nearest"))
    assert np.flatnonzero(found.mask.any(axis=(0, 1))).tolist() == [5]


def test_maps_of_a_few_voxels_can_be_compared() -> None:
    values = np.random.default_rng(0).uniform(20, 60, (2, 6, 5, 4))
    ours, theirs = (MapImage(values=v, affine=np.diag([2.0, 2, 5, 1])) for v in values)
    found = compare_maps("cbf", ours, theirs)
    assert found.coverage.voxels == 120
    assert found.metrics["mae"] == pytest.approx(np.abs(values[0] - values[1]).mean(), rel=1e-5)
    assert np.isnan(found.metrics["ssim_with_background"])


def test_smooth_maps_that_agree_pass() -> None:
    # they fit nearly as well when displaced
    x, y, _ = np.meshgrid(*(np.arange(n) for n in (80, 90, 8)), indexing="ij")
    field = (40 + 0.2 * x + 0.1 * y).astype(np.float32)
    images = [MapImage(values=v, affine=np.diag([2.0, 2, 6, 1])) for v in (field, 1.1 * field + 1)]
    assert compare_maps("cbf", *images).metrics["pearson"] == pytest.approx(1, abs=1e-5)
