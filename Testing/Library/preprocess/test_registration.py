"""The Gauss-Newton engine and its pyramid."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.geometry import Grid
from PyPeTLib.preprocess.registration import (
    block_grid,
    block_mean,
    local_contrast,
    make_template,
    pyramid_levels,
    register,
)
from PyPeTLib.preprocess.rigid import rigid_matrix, rigid_parameters

GRID = Grid((40, 44, 24), np.diag([2.0, 2.0, 3.0, 1.0]))
CENTRE = np.array([39.0, 43.0, 34.5])


def _blobs(matrix: np.ndarray) -> np.ndarray:
    """Smooth blobs, (z, y, x), drawn exactly where a rigid matrix takes them."""
    rng = np.random.default_rng(4)
    index = np.stack(np.meshgrid(*(np.arange(n) for n in GRID.shape), indexing="ij")).reshape(3, -1)
    world = GRID.affine[:3, :3] @ index + GRID.affine[:3, 3:]
    back = np.linalg.inv(matrix)
    head = back[:3, :3] @ world + back[:3, 3:]
    values = np.zeros(index.shape[1])
    for _ in range(40):
        at, size = CENTRE + rng.uniform(-22, 22, 3), rng.uniform(5, 9)
        values += rng.uniform(50, 150) * np.exp(-((head - at[:, None]) ** 2).sum(axis=0) / (2 * size**2))
    return values.reshape(GRID.shape).T.astype(np.float32)


@pytest.mark.parametrize(
    ("shape", "spacing", "fine", "coarse"),
    [
        ((200, 200, 23), (1.0, 1.0, 5.0), (100, 100, 23), (50, 50, 23)),
        ((512, 512, 16), (0.43, 0.43, 5.0), (102, 102, 16), (51, 51, 16)),
        ((128, 128, 20), (1.75, 1.75, 6.0), (128, 128, 20), (64, 64, 20)),
        ((128, 128, 1), (1.75, 1.75, 8.0), (128, 128, 1), (64, 64, 1)),
    ],
)
def test_levels_aim_at_two_and_four_millimetres(shape, spacing, fine, coarse):
    levels = pyramid_levels(Grid(shape, np.diag([*spacing, 1.0])))

    assert [level.grid.shape for level in levels] == [fine, coarse]


def test_block_means_lie_where_their_grid_says():
    grid = Grid((7, 6, 5), np.array([[0, -2.0, 0, 9], [1.5, 0, 0.2, -3], [0, 0.1, 4.0, 20], [0, 0, 0, 1]]))
    index = np.stack(np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij"), axis=-1)
    ramp = (index @ grid.affine[:3, :3].T + grid.affine[:3, 3]) @ [1.0, 2.0, 3.0]

    means = block_mean(ramp.T.astype(np.float32), (2, 3, 1))
    small = block_grid(grid, (2, 3, 1))

    assert small.shape == (3, 2, 5)
    index = np.stack(np.meshgrid(*(np.arange(n) for n in small.shape), indexing="ij"), axis=-1)
    expected = (index @ small.affine[:3, :3].T + small.affine[:3, 3]) @ [1.0, 2.0, 3.0]
    np.testing.assert_allclose(means.T, expected, rtol=1e-5)


def test_local_contrast_ignores_gain_inside_a_region():
    volume = 1 + 0.5 * _blobs(np.eye(4)) / 150
    drained = volume.copy()
    drained[:, 10:34, 10:30] *= 0.5

    before, after = local_contrast(volume), local_contrast(drained)

    inner = (slice(2, -2), slice(14, 30), slice(14, 26))
    assert np.corrcoef(after[inner].ravel(), before[inner].ravel())[0, 1] > 0.98
    strength = after[inner].std() / before[inner].std()
    assert 0.55 < strength < 1


def test_a_known_pose_is_found_and_its_direction_is_from_template_to_volume():
    truth = rigid_matrix(np.array([2.0, -1.5, 1.0]), np.radians([2.0, -3.0, 4.0]), CENTRE)
    template = make_template(_blobs(np.eye(4)), GRID, points=6000)

    fit = register(template, _blobs(truth), np.eye(4), iterations=30, tolerance=1e-3)

    shift, turn = rigid_parameters((np.linalg.inv(truth) @ fit.matrix)[None], CENTRE)
    assert np.abs(shift).max() < 0.03
    assert np.degrees(np.abs(turn)).max() < 0.05
    assert fit.overlap > 0.95


def test_strict_judgement_resists_a_region_that_changed():
    template = make_template(_blobs(np.eye(4)), GRID, points=6000)
    changed = _blobs(np.eye(4))
    changed[:, :26, 12:] *= 0.6

    lenient = register(template, changed, np.eye(4), iterations=30, tolerance=1e-3)
    strict = register(template, changed, lenient.matrix, iterations=30, tolerance=1e-3, scale_limit=1.0)

    def way(fit):
        return np.linalg.norm(rigid_parameters(fit.matrix[None], CENTRE)[0])

    assert way(strict) < 0.05 < way(lenient)


def test_a_volume_without_content_does_not_raise():
    template = make_template(_blobs(np.eye(4)), GRID, points=2000)

    fit = register(template, np.zeros((24, 44, 40), np.float32), np.eye(4), iterations=30, tolerance=1e-3)

    assert np.isfinite(fit.matrix).all()
    assert fit.residual > 0.4 * template.values.std()
