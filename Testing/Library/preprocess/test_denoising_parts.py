"""What filters are made of: passes of a cascade, means over neighbours, the shapes of curves."""

import numpy as np
import pytest

from PyPeTLib.execution import Execution
from PyPeTLib.preprocess.denoising import Surroundings
from PyPeTLib.preprocess.denoising.components import components, projected, rebuilt
from PyPeTLib.preprocess.denoising.neighbours import Lattice, average
from PyPeTLib.preprocess.denoising.passes import overlap, passes
from PyPeTLib.preprocess.denoising.similarity import closeness

SIZES = (1.0, 1.0, 5.0)


@pytest.mark.parametrize("sizes", [(1.0, 1.0, 5.0), (0.45, 0.45, 0.5), (1.75, 1.75, 6.0), (5.0, 1.0, 0.8)])
@pytest.mark.parametrize("sigma", [0.8, 2.0, 3.0, 3.49, 3.51, 6.0])
def test_passes_have_the_variance_of_a_gaussian(sigma, sizes):
    for axis, size in enumerate(sizes):
        variance = 0.0
        for one in passes(sigma, sizes):
            points = one.along(axis)
            variance += size**2 * (points * (np.arange(points.size) - points.size // 2) ** 2).sum()
        # an axis along which neighbours would hardly count is left alone
        assert (
            variance == pytest.approx(sigma**2, rel=1e-9)
            or (variance == 0 and sigma < 0.15 * size)
            or (abs(variance - sigma**2) < 0.02 * (size * 2 ** len(passes(sigma, sizes))) ** 2)
        )


def test_a_little_wider_is_a_little_other():
    def at_distances(sigma):
        whole = np.ones(1)
        for one in passes(sigma, SIZES):
            whole = np.convolve(whole, one.along(0))
        return np.interp(np.arange(-12, 13), np.arange(whole.size) - whole.size // 2, whole, left=0, right=0)

    for sigma in np.arange(0.5, 6, 0.05):
        assert np.abs(at_distances(sigma) - at_distances(sigma + 0.05)).max() < 0.1


def test_overlap_tells_how_much_noise_passes_leave_together():
    cascade = passes(3.0, SIZES)
    lattice = Lattice.around(np.ones((64, 64, 9), bool))
    noise = np.random.default_rng(0).normal(size=(1, lattice.mask.size)).astype(np.float32)
    found, variance = noise, np.ones(lattice.mask.size, np.float32)
    for one in cascade:
        # the same for all, as far from a rim
        variance = np.full_like(variance, np.median(variance))
        found, variance = average(found, found, (variance, variance), lattice, one.kernel(), None, Execution(1))
    inner = found.reshape(lattice.mask.shape)[10:-10, 10:-10, 1:-1]
    assert inner.var() == pytest.approx(np.median(variance) * overlap(cascade), rel=0.2)


@pytest.mark.parametrize("near", [None, closeness(1.0, 3, 2.0)], ids=["plain", "like ones"])
def test_means_over_neighbours_are_those_of_the_definition(near):
    rng = np.random.default_rng(1)
    mask = rng.random((70, 9, 4)) > 0.3
    count = int(mask.sum())
    values, guide = rng.normal(0, 2, (2, 3, count)).astype(np.float32)
    variance = rng.uniform(0.5, 2, (2, count)).astype(np.float32)
    variance[0, rng.random(count) > 0.8] = np.inf
    kernel = [((2, 0, 0), 0.5), ((0, 2, 0), 0.7), ((2, -2, 0), 0.3), ((0, 0, 1), 0.4)]
    lattice = Lattice.around(mask)
    found, left = average(values, guide, tuple(variance), lattice, kernel, near, Execution(2))

    place = np.argwhere(mask)
    weights = np.eye(count)
    for offset, weight in kernel:
        for sign in (1, -1):
            weights[(place[None] - place[:, None] == sign * np.array(offset)).all(axis=2)] = weight
    if near is not None:
        squares = np.square(guide[:, :, None] - guide[:, None, :]).sum(axis=0)
        weights *= np.where(np.eye(count) > 0, 1, near(squares.copy(), variance[1][:, None] + variance[1]))
    weights /= variance[0]
    taking = np.isfinite(variance[0])
    weights[~taking] = np.eye(count)[~taking]
    weights /= weights.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found, values @ weights.T, atol=2e-5)
    noise = np.where(taking, variance[0], 0)
    np.testing.assert_allclose(left[taking], (np.square(weights) @ noise)[taking], rtol=1e-4)
    assert np.isinf(left[~taking]).all()


def test_like_neighbours_count_fully_and_unlike_ones_hardly():
    near = closeness(0.5, 6, 4.0)
    noise = np.random.default_rng(2).normal(0, 0.5, (2, 6, 4000))
    squares = np.square(noise[0] - noise[1]).sum(axis=0).astype(np.float32)
    assert near(squares, np.full(4000, 2, np.float32)).mean() > 0.9
    two = np.array([2.0], np.float32)
    assert near(np.array([2 * 0.5**2 * (6 + 4.0**2)], np.float32), two.copy())[0] == pytest.approx(np.exp(-0.5))
    assert near(np.array([400.0], np.float32), two.copy())[0] < 1e-6


def surroundings(shape, learnt=None):
    everywhere = np.ones(int(np.prod(shape)), bool)
    learnt = everywhere if learnt is None else learnt
    return Surroundings(mask=np.ones(shape, bool), voxel_sizes=SIZES, tissue=everywhere, learnt=learnt, noise=1.0)


def test_components_keep_mixtures_and_drop_noise():
    times = np.arange(45)
    shapes = np.stack([np.exp(-0.5 * ((times - place) / 5) ** 2) for place in (14, 18, 24)])
    rng = np.random.default_rng(2)
    patches = rng.uniform(0, 10, (5, 4, 2, 3)).repeat(10, axis=0).repeat(10, axis=1)
    truth = 30 + patches.reshape(-1, 3) @ shapes
    noisy = (truth + rng.normal(0, 1.5, truth.shape)).astype(np.float32)
    where, execution = surroundings((50, 40, 2)), Execution(1)
    basis = components(noisy, where, 5, execution)
    np.testing.assert_allclose(basis.T @ basis, np.eye(6), atol=1e-5)
    kept = rebuilt(projected(noisy, basis, execution), basis, noisy, where, execution)
    assert (kept - truth).std() == pytest.approx(1.5 * np.sqrt(6 / 45), rel=0.1)
    assert (kept - truth).mean() == pytest.approx(0, abs=0.02)
    # a baseline of another height costs no component
    np.testing.assert_allclose(basis[:, 0], basis[0, 0], rtol=1e-6)


@pytest.mark.parametrize(("rank", "learnt"), [(0, None), (44, None), (45, None), (5, np.arange(2000) < 5)])
def test_where_curves_cannot_be_simplified_the_components_are_the_frames(rank, learnt):
    signal = np.random.default_rng(3).normal(0, 1, (2000, 45)).astype(np.float32)
    basis = components(signal, surroundings((50, 40, 1), learnt), rank, Execution(1))
    np.testing.assert_array_equal(basis, np.eye(45))


@pytest.mark.parametrize("sigma", [2.0, 3.0, 5.0])
def test_wide_cascades_let_no_pattern_of_alternating_voxels_through(sigma):
    for axis, axis_sizes in ((0, (1.0, 1.0, 5.0)), (2, (1.0, 1.0, 1.0))):
        kernel = np.ones(1)
        for one in passes(sigma, axis_sizes):
            kernel = np.convolve(kernel, one.along(axis))
        alternating = (-1.0) ** np.arange(kernel.size)
        assert abs(kernel @ alternating) < 1e-12
