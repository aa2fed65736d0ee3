"""Frames at working resolutions."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.geometry import Grid
from PyPeTLib.preprocess.pyramid import block_grid, block_mean, local_contrast, pyramid, pyramid_levels

from .blobs import blobs


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
    volume = 1 + 0.5 * blobs(np.eye(4)) / 150
    drained = volume.copy()
    drained[:, 10:34, 10:30] *= 0.5

    before, after = local_contrast(volume), local_contrast(drained)

    inner = (slice(2, -2), slice(14, 30), slice(14, 26))
    assert np.corrcoef(after[inner].ravel(), before[inner].ravel())[0, 1] > 0.98
    strength = after[inner].std() / before[inner].std()
    assert 0.55 < strength < 1


def test_values_are_clipped_before_they_are_averaged():
    levels = pyramid_levels(Grid((16, 16, 32), np.diag([1.0, 1.0, 0.5, 1.0])))
    frame = np.zeros((16, 16, 32), np.float32, order="F")
    frame[::2] = 3000

    fine, coarse = pyramid(frame, levels, (-200.0, 1500.0))

    assert levels[0].factors == (2, 2, 4)
    assert fine.shape == (8, 8, 8)
    np.testing.assert_allclose(fine, 750)
    np.testing.assert_allclose(coarse, 750)
