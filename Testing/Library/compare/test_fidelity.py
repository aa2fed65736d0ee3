"""Figures of fidelity against hand-made cases, their definitions and scikit-image."""

import math

import numpy as np
import pytest
from skimage.metrics import normalized_root_mse, peak_signal_noise_ratio, structural_similarity

from PyPeTLib.compare.fidelity import FIDELITY, SCOPES, fidelity
from PyPeTLib.errors import InputError

SHAPE = (20, 17, 14)


@pytest.fixture(scope="module")
def images():
    """An estimate, a reference with an empty background, and the brain."""
    random = np.random.default_rng(5)
    place = np.stack(np.meshgrid(*(np.linspace(-1, 1, n) for n in SHAPE), indexing="ij"))
    brain = np.square(place).sum(axis=0) < 0.8
    reference = np.where(brain, 6 + 3 * np.cos(4 * place[0]) + place[1] ** 2, 0).astype(np.float32)
    estimate = np.where(brain, 0.9 * reference + 0.4 + random.normal(0, 0.5, SHAPE), 0).astype(np.float32)
    # an estimate may hold something outside the brain
    estimate[0, 0, :] = 2
    return estimate, reference, brain


def by_definition(estimate, reference, mask, data_range):
    x, y = (volume[mask].astype(float) for volume in (estimate, reference))
    return {
        "psnr": 10 * np.log10(data_range**2 / np.mean((x - y) ** 2)),
        "nmae": np.abs(x - y).sum() / np.abs(y).sum(),
        "nmse": ((x - y) ** 2).sum() / (y**2).sum(),
        "ncc": np.corrcoef(x, y)[0, 1],
    }


def local_ssim(estimate, reference):
    return structural_similarity(
        reference.astype(float), estimate.astype(float), data_range=float(np.ptp(reference)), full=True
    )


def test_a_hand_made_case() -> None:
    reference = np.zeros((2, 2, 2), np.float32)
    estimate = reference.copy()
    reference[0, 0], estimate[0, 0] = (4, 2), (3, 2)
    estimate[1, 1, 1] = 1
    mask = np.zeros((2, 2, 2), bool)
    mask[0, 0] = True
    # errors -1 in the brain and 1 outside; the range is 4
    volume = fidelity(estimate, reference, mask)
    assert volume["psnr"] == pytest.approx(10 * math.log10(16 / (2 / 8)))
    assert volume["nmae"] == pytest.approx(2 / 6)
    assert volume["nmse"] == pytest.approx(2 / 20)
    # sums of products, squares and values: 16, 14 and 6, 20 and 6, of eight
    assert volume["ncc"] == pytest.approx((16 - 36 / 8) / math.sqrt((14 - 36 / 8) * (20 - 36 / 8)))
    brain = fidelity(estimate, reference, mask, scope="mask")
    assert brain["psnr"] == pytest.approx(10 * math.log10(16 / (1 / 2)))
    assert brain["nmae"] == pytest.approx(1 / 6)
    assert brain["nmse"] == pytest.approx(1 / 20)
    assert brain["ncc"] == pytest.approx(1)
    assert list(volume) == list(brain) == list(FIDELITY) == ["psnr", "ssim", "nmae", "nmse", "ncc"]


def test_figures_of_the_volume_are_scikit_images(images) -> None:
    estimate, reference, brain = images
    found = fidelity(estimate, reference, brain)
    x, y = estimate.astype(float), reference.astype(float)
    data_range = float(np.ptp(y))
    assert found["ssim"] == pytest.approx(local_ssim(estimate, reference)[0], abs=1e-9)
    assert found["psnr"] == pytest.approx(peak_signal_noise_ratio(y, x, data_range=data_range), abs=1e-6)
    assert found["nmse"] == pytest.approx(normalized_root_mse(y, x, normalization="euclidean") ** 2)
    expected = by_definition(estimate, reference, np.ones_like(brain), data_range)
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_figures_in_the_brain_are_those_of_its_voxels(images) -> None:
    estimate, reference, brain = images
    found = fidelity(estimate, reference, brain, scope="mask")
    expected = by_definition(estimate, reference, brain, float(np.ptp(reference)))
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    whole = np.zeros_like(brain)
    whole[3:-3, 3:-3, 3:-3] = True
    assert (brain & ~whole).any()
    assert found["ssim"] == pytest.approx(local_ssim(estimate, reference)[1][brain & whole].mean(), abs=1e-9)


def test_a_mask_of_all_voxels_is_the_volume(images) -> None:
    estimate, reference, brain = images
    everywhere = np.ones_like(brain)
    assert fidelity(estimate, reference, everywhere, scope="mask") == fidelity(estimate, reference, brain)


def test_the_background_helps_the_volume_and_not_the_brain(images) -> None:
    estimate, reference, brain = images
    estimate = np.where(brain, estimate, np.float32(0))
    room = [np.pad(volume, 12) for volume in (estimate, reference, brain)]
    tight, wide = (fidelity(*case) for case in ((estimate, reference, brain), room))
    for name in ("psnr", "ssim", "ncc"):
        assert wide[name] > tight[name]
    inside, padded = (fidelity(*case, scope="mask") for case in ((estimate, reference, brain), room))
    for name in set(FIDELITY) - {"ssim"}:
        assert padded[name] == pytest.approx(inside[name])
    # errors outside the brain count in the volume alone
    room[0][0] = 5
    assert fidelity(*room)["nmae"] > wide["nmae"]
    assert fidelity(*room, scope="mask") == padded


@pytest.mark.parametrize("scope", SCOPES)
def test_equal_images_are_perfect(images, scope) -> None:
    _, reference, brain = images
    found = fidelity(reference, reference, brain, scope=scope)
    assert found == {"psnr": math.inf, "ssim": 1.0, "nmae": 0.0, "nmse": 0.0, "ncc": 1.0}


@pytest.mark.parametrize("scope", SCOPES)
def test_the_unit_and_the_direction_of_axes_do_not_matter(images, scope) -> None:
    estimate, reference, brain = images
    found = fidelity(estimate, reference, brain, scope=scope)
    for factor in (1e-12, 1e9):
        scaled = [(volume * np.float32(factor)).astype(np.float32) for volume in (estimate, reference)]
        assert fidelity(*scaled, brain, scope=scope) == pytest.approx(found, rel=1e-5)
    turned = [volume.transpose(2, 0, 1)[::-1] for volume in images]
    assert fidelity(*turned, scope=scope) == pytest.approx(found, rel=1e-9)


@pytest.mark.parametrize("scope", SCOPES)
def test_more_noise_is_worse_on_every_figure(images, scope) -> None:
    _, reference, brain = images
    noise = np.where(brain, np.random.default_rng(1).normal(0, 1, SHAPE), 0).astype(np.float32)
    better, worse = (fidelity(reference + size * noise, reference, brain, scope=scope) for size in (0.3, 0.6))
    for name, metric in FIDELITY.items():
        assert (better[name] > worse[name]) == (metric.better == "higher"), name
        assert all(metric.bounds[0] <= found[name] <= metric.bounds[1] for found in (better, worse))


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float64])
def test_other_numbers_do_not_overflow(images, dtype) -> None:
    estimate, reference, brain = ((volume * 20).astype(dtype) for volume in images)
    brain = brain > 0
    as_float = fidelity(estimate.astype(np.float32), reference.astype(np.float32), brain)
    assert fidelity(estimate, reference, brain) == pytest.approx(as_float, rel=1e-6)


def test_ssim_takes_cubes_that_lie_in_the_volume(images) -> None:
    estimate, reference, brain = images
    thin = fidelity(estimate[:, :, 4:10], reference[:, :, 4:10], brain[:, :, 4:10])
    assert math.isnan(thin["ssim"])
    assert all(math.isfinite(value) for name, value in thin.items() if name != "ssim")
    assert math.isfinite(fidelity(estimate[:, :, 4:11], reference[:, :, 4:11], brain[:, :, 4:11])["ssim"])
    rim = np.zeros_like(brain)
    rim[2] = True
    assert math.isnan(fidelity(estimate, reference, rim, scope="mask")["ssim"])


def test_figures_that_are_not_defined_in_a_mask_are_nan(images) -> None:
    estimate, reference, brain = images
    outside = np.zeros_like(brain)
    outside[0, 0, :3] = True
    found = fidelity(estimate, reference, outside, scope="mask")
    assert math.isnan(found["nmae"])
    assert math.isnan(found["nmse"])
    assert math.isnan(found["ncc"])
    assert math.isfinite(found["psnr"])


def test_a_constant_estimate_has_no_correlation(images) -> None:
    _, reference, brain = images
    found = fidelity(np.full_like(reference, 3), reference, brain)
    assert math.isnan(found["ncc"])
    assert math.isfinite(found["ssim"])


def test_what_cannot_be_compared_is_refused(images) -> None:
    estimate, reference, brain = images
    cases = {
        "one shape": (estimate[1:], reference, brain),
        "found .20, 17, 14., .20, 17, 14., .20, 17.": (estimate, reference, brain[..., 0]),
        "found float64": (estimate, reference, brain.astype(float)),
        "mask of the brain is empty": (estimate, reference, np.zeros_like(brain)),
        "value 2 in every voxel": (estimate, np.full_like(reference, 2), brain),
    }
    for message, case in cases.items():
        with pytest.raises(InputError, match=message):
            fidelity(*case)
    with pytest.raises(InputError, match=r"one shape.*\(20, 17\)"):
        fidelity(estimate[..., 0], reference[..., 0], brain[..., 0])
    for at, name in enumerate(("estimate", "reference")):
        for value in (np.nan, np.inf):
            broken = [estimate.copy(), reference.copy()]
            # also where the mask does not reach
            broken[at][0, 0, :2] = value
            with pytest.raises(InputError, match=f"the {name} holds 2 voxels"):
                fidelity(*broken, brain, scope="mask")
    with pytest.raises(InputError, match=r"'brain' is not among the scopes.*volume, mask"):
        fidelity(estimate, reference, brain, scope="brain")


def test_values_are_written_for_people() -> None:
    psnr, nmae = FIDELITY["psnr"], FIDELITY["nmae"]
    assert (psnr.heading, nmae.heading) == ("PSNR [dB] ↑", "NMAE ↓")
    assert [psnr.text(value) for value in (28.949, math.inf, -math.inf)] == ["28.95", "∞", "−∞"]
    assert [nmae.text(value) for value in (0.15551, 12345.6, math.nan, None)] == ["0.1555", "1.235e+04", "–", "–"]
