"""What every filter against noise promises, and what each is by definition."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from PyPeTLib.errors import InputError, UnknownNameError
from PyPeTLib.execution import Execution
from PyPeTLib.preprocess.denoising import DENOISERS, DenoisingOptions, Surroundings, vessel_like
from PyPeTLib.preprocess.denoising.gaussian import noise_left, smooth_inside

SIZES = (1.0, 1.0, 5.0)
FRAMES = 24
BOLUS = np.exp(-0.5 * ((np.arange(FRAMES) - 9) / 3) ** 2)
LATER = np.exp(-0.5 * ((np.arange(FRAMES) - 15) / 4) ** 2)
EVERY = tuple(DENOISERS)
FILTERS = tuple(name for name in EVERY if name != "none")


def ball(shape=(24, 22, 6)):
    x, y, z = np.indices(shape)
    return (x - 12) ** 2 + (y - 11) ** 2 + (3 * (z - 3)) ** 2 < 10**2


def around(mask, *, noise=1.0, sizes=SIZES, tissue=None):
    everywhere = np.ones(int(mask.sum()), bool)
    tissue = everywhere if tissue is None else tissue
    return Surroundings(mask=mask, voxel_sizes=sizes, tissue=tissue, learnt=everywhere, noise=noise)


def filtered(name, signal, surroundings, threads=1, **options):
    options = DenoisingOptions(method=name, **{"sigma": 2.0, **options})
    return DENOISERS[name](signal, surroundings, options, Execution(threads))


def brain_curves(mask, noise=0.0, seed=0):
    """Curves that are mixtures of two shapes in patches, around a baseline of 40."""
    x = np.argwhere(mask)[:, 0]
    early = np.where(x < 12, 20.0, 8.0)
    curves = 40 + early[:, None] * BOLUS + np.where(x < 12, 0.0, 6.0)[:, None] * LATER
    return (curves + np.random.default_rng(seed).normal(0, noise, curves.shape)).astype(np.float32)


@pytest.mark.parametrize("name", EVERY)
def test_a_constant_brain_stays_constant_up_to_its_rim(name):
    mask = ball()
    signal = np.full((mask.sum(), FRAMES), 37.0, np.float32)
    np.testing.assert_allclose(filtered(name, signal, around(mask), sigma=3.0).signal, 37.0, rtol=1e-5)


@pytest.mark.parametrize("name", EVERY)
def test_vessels_neither_leak_nor_change(name):
    mask = ball()
    places = np.argwhere(mask)
    vessel = (places[:, 0] == 12) & (places[:, 1] == 11)
    signal = np.where(vessel[:, None], 300 * BOLUS, 40 + 10 * BOLUS).astype(np.float32)
    found = filtered(name, signal, around(mask, tissue=~vessel), tolerance=100.0).signal
    np.testing.assert_allclose(found[~vessel], signal[~vessel], rtol=1e-4)
    np.testing.assert_array_equal(found[vessel], signal[vessel])


@pytest.mark.parametrize("name", EVERY)
def test_the_number_of_threads_does_not_matter_and_the_input_stays(name):
    mask = np.ones((70, 30, 5), bool)
    mask[::7, :, 2] = False
    signal = brain_curves(mask, noise=2.0)
    before = signal.copy()
    one, three = (filtered(name, signal, around(mask, noise=2.0), threads).signal for threads in (1, 3))
    assert np.asarray(one).tobytes() == np.asarray(three).tobytes()
    np.testing.assert_array_equal(signal, before)
    assert one.dtype == np.float32


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize(
    "mask",
    [ball()[:, :, 3:4], np.ones((1, 1, 1), bool), np.eye(4, dtype=bool)[:, :, None], np.ones((3, 1, 2), bool)],
    ids=["one slice", "one voxel", "a diagonal", "a few"],
)
def test_flat_and_tiny_brains_give_finite_curves(name, mask):
    signal = brain_curves(mask, noise=1.0)
    found = filtered(name, signal, around(mask)).signal
    assert found.shape == signal.shape
    assert np.isfinite(found).all()
    assert found.min() >= signal.min() - 3
    assert found.max() <= signal.max() + 3


@pytest.mark.parametrize("name", EVERY)
def test_without_tissue_all_stays_as_it_is(name):
    mask = ball()
    signal = brain_curves(mask, noise=1.0)
    found = filtered(name, signal, around(mask, tissue=np.zeros(len(signal), bool))).signal
    np.testing.assert_array_equal(found, signal)


@pytest.mark.parametrize("name", EVERY)
def test_no_neighbours_no_components_and_no_steps_change_nothing(name):
    mask = ball()
    signal = brain_curves(mask, noise=1.0)
    found = filtered(name, signal, around(mask), sigma=0.0, rank=0, iterations=0)
    np.testing.assert_allclose(found.signal, signal, rtol=1e-6)
    assert found.noise_left == 0.0


@pytest.mark.parametrize("name", FILTERS)
def test_noise_falls_and_regions_keep_their_mean(name):
    mask, truth = ball(), brain_curves(ball())
    signal = brain_curves(mask, noise=2.0)
    found = filtered(name, signal, around(mask, noise=2.0)).signal
    places = np.argwhere(mask)
    error = found - truth
    # far from the edge between the two halves, and from the rim
    inner = (np.abs(places[:, 0] - 11.5) > 3.5) & (np.linalg.norm((places - (12, 11, 3)) * (1, 1, 3), axis=1) < 8)
    assert error[inner].std() < 0.75 * 2.0
    assert abs(error[inner].mean()) < 0.05


@pytest.mark.parametrize("name", ["tips", "similarity"])
def test_edges_between_unlike_curves_stay(name):
    mask, truth = ball(), brain_curves(ball())
    signal = brain_curves(mask, noise=1.0)
    surroundings = around(mask, noise=1.0)
    beside = np.abs(np.argwhere(mask)[:, 0] - 11.5) < 1
    blurred = np.abs((filtered("gaussian", signal, surroundings).signal - truth)[beside]).mean()
    kept = np.abs((filtered(name, signal, surroundings).signal - truth)[beside]).mean()
    assert kept < 0.4 * blurred


@pytest.mark.parametrize("name", ["low-rank", "similarity"])
def test_the_noise_that_is_said_to_be_left_is_there(name):
    mask = np.ones((40, 40, 9), bool)
    rng = np.random.default_rng(4)
    curves = 40 + 10 * BOLUS
    signal = (curves + rng.normal(0, 2, (mask.sum(), FRAMES))).astype(np.float32)
    found = filtered(name, signal, around(mask, noise=2.0), sigma=2.5, rank=3)
    # 4 of 24 components hold that much noise each
    inner = np.zeros_like(mask)
    inner[8:-8, 8:-8, 2:-2] = True
    spread = (found.signal - curves)[inner.ravel()].std() / np.sqrt(4 / FRAMES)
    assert found.noise_left < 0.35
    assert spread / 2.0 == pytest.approx(found.noise_left, rel=0.15)


def test_curves_without_noise_pass_the_similarity_filter():
    mask = ball()
    signal = brain_curves(mask)
    found = filtered("similarity", signal, around(mask, noise=0.0)).signal
    np.testing.assert_allclose(found, signal, atol=1e-3)


def test_the_gaussian_is_what_it_says():
    mask = ball((13, 12, 4))
    rng = np.random.default_rng(0)
    support = rng.random(int(mask.sum())) > 0.2
    signal = rng.normal(40, 6, (len(support), 3)).astype(np.float32)
    places = np.argwhere(mask) * SIZES
    # the kernel is a product along the axes, each cut off after three standard deviations, to the nearest voxel
    sigma = 2.0
    apart = places[:, None] - places
    reach = [SIZES[k] * int(3 * sigma / SIZES[k] + 0.5) for k in range(3)]
    weights = np.exp(-0.5 * np.square(apart / sigma).sum(axis=2)) * (np.abs(apart) <= reach).all(axis=2) * support
    expected = np.where(support[:, None], weights @ signal / weights.sum(axis=1, keepdims=True), signal)
    np.testing.assert_allclose(smooth_inside(signal, mask, support, sigma, SIZES), expected, rtol=1e-5)


def test_the_gaussian_leaves_the_noise_that_theory_says():
    assert noise_left(2.0, (1.0, 1.0, 20.0)) == pytest.approx(1 / np.sqrt(4 * np.pi) / 2, rel=0.02)
    assert noise_left(0.0, SIZES) == 1.0


def test_smoothed_components_are_the_components_of_smoothed_curves():
    mask = ball()
    signal = brain_curves(mask, noise=2.0)
    surroundings = around(mask)
    whole = filtered("low-rank", signal, surroundings, rank=4).signal
    parts = filtered("low-rank", signal, surroundings, rank=4, sigma=0.0).signal
    np.testing.assert_allclose(whole, filtered("gaussian", parts, surroundings).signal, atol=1e-3)


def test_tips_is_what_it_says():
    mask = ball((11, 10, 3))
    signal = brain_curves(mask, noise=1.5)
    places = np.argwhere(mask) * SIZES
    sigma, tolerance, noise = 2.0, 4.0, 1.5
    apart = places[:, None] - places
    near = (np.abs(apart) <= 2 * sigma).all(axis=2)
    different = np.square(signal[:, None] - signal).mean(axis=2)
    width = 2 * noise**2 * (1 + tolerance * np.sqrt(2 / FRAMES))
    weights = near * np.exp(-0.5 * np.square(apart).sum(axis=2) / sigma**2 - 0.5 * (different / width) ** 2)
    expected = weights @ signal / weights.sum(axis=1, keepdims=True)
    found = filtered("tips", signal, around(mask, noise=noise), sigma=sigma, tolerance=tolerance).signal
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_sigma_is_in_millimetres_along_each_axis():
    mask = np.ones((41, 41, 9), bool)
    signal = np.zeros((mask.size, 1), np.float32)
    signal[np.ravel_multi_index((20, 20, 4), mask.shape)] = 1.0
    blurred = smooth_inside(signal, mask, np.ones(mask.size, bool), 2.0, (1.0, 0.5, 1.0)).reshape(mask.shape)
    for axis, size in ((0, 1.0), (1, 0.5), (2, 1.0)):
        profile = blurred.sum(axis=tuple(a for a in range(3) if a != axis))
        place = (np.arange(profile.size) - profile.size // 2) * size
        spread = np.sqrt((profile * place**2).sum() / profile.sum())
        # the kernel ends at three standard deviations, and the volume after four voxels along z
        assert spread == pytest.approx(2.0, rel=0.05 if axis < 2 else 0.2)


def test_curvature_flow_without_simpleitk_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    mask = ball()
    with pytest.raises(InputError, match=r"needs SimpleITK.*pip install SimpleITK.*gaussian"):
        filtered("curvature-flow", brain_curves(mask), around(mask))


def test_an_unknown_filter_is_refused_with_those_there_are():
    with pytest.raises(UnknownNameError, match=r"'gausian' is not among the filters.*similarity.*mean 'gaussian'"):
        DenoisingOptions(method="gausian")


def test_vessels_take_up_more_than_tissue():
    shape = np.exp(-0.5 * ((np.arange(40) - 15) / 4) ** 2)
    rng = np.random.default_rng(1)
    uptake = np.concatenate([rng.uniform(0.5, 1.8, 500), [6.0, 10.0]])
    curves = (10 * uptake[:, None] * shape + rng.normal(0, 2, (502, 40))).astype(np.float32)
    np.testing.assert_array_equal(np.flatnonzero(vessel_like(curves, 3.5)), [500, 501])
    assert not vessel_like(curves, 0.0).any()


def test_what_motion_disturbed_teaches_no_shape():
    mask = np.ones((60, 50, 1), bool)
    signal = brain_curves(mask, noise=1.0)
    step = np.where(np.arange(FRAMES) >= 18, 40.0, 0.0).astype(np.float32)
    learnt = np.arange(len(signal)) >= 200
    signal[~learnt] += step
    surroundings = replace(around(mask, sizes=(1.0, 1.0, 1.0)), learnt=learnt)
    found = filtered("low-rank", signal, surroundings, rank=2, sigma=0.0).signal
    # of the step only its likeness to the shapes of the others is left
    late = found[~learnt][:, 20:].mean() - found[~learnt][:, 12:16].mean()
    taught = filtered("low-rank", signal, around(mask), rank=3, sigma=0.0).signal
    assert late < 15 < taught[~learnt][:, 20:].mean() - taught[~learnt][:, 12:16].mean()
