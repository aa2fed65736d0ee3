"""Blocks of voxels and the way back."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.geometry import Grid
from PyPeTLib.masking.lattice import make_lattice


@pytest.mark.parametrize(
    ("spacing", "factors"),
    [((1.0, 1.0, 5.0), (2, 2, 1)), ((0.45, 0.45, 0.5), (4, 4, 4)), ((1.75, 1.75, 6.0), (1, 1, 1))],
)
def test_blocks_are_about_2_mm(spacing, factors):
    lattice = make_lattice(Grid((50, 51, 20), np.diag([*spacing, 1.0])))
    assert lattice.factors == factors
    assert lattice.shape == tuple(-(-n // f) for n, f in zip((50, 51, 20), factors, strict=True))
    assert lattice.sizes == pytest.approx([s * f for s, f in zip(spacing, factors, strict=True)])


def test_a_linear_field_survives_the_way_to_blocks_and_back():
    grid = Grid((21, 18, 10), np.diag([0.7, 1.0, 1.1, 1.0]))
    lattice = make_lattice(grid)
    assert lattice.factors == (3, 2, 2)
    i, j, k = np.indices(grid.shape).astype(np.float32)
    field = 2 * i - 3 * j + 0.5 * k
    blocks = lattice.reduce(field, -1000, 1000)
    for z in range(1, 9):
        np.testing.assert_allclose(lattice.slice_of(blocks, z)[1:-1, 1:-1], field[1:-1, 1:-1, z], atol=1e-4)


def test_blocks_are_means_of_clipped_values_also_at_the_edge():
    volume = np.full((5, 4, 1), 10.0, dtype=np.float32)
    volume[0, 0], volume[4] = 5000.0, 30.0
    blocks = make_lattice(Grid((5, 4, 1), np.diag([1.0, 1.0, 5.0, 1.0]))).reduce(volume, 0, 50)
    assert blocks.shape == (3, 2, 1)
    assert blocks[0, 0, 0] == 20.0
    assert blocks[2, 0, 0] == 30.0


def test_the_slices_of_blocks():
    lattice = make_lattice(Grid((8, 8, 11), np.diag([2.0, 2.0, 1.0, 1.0])))
    blocks = np.zeros(lattice.shape, dtype=bool)
    blocks[3, 3, 2:] = True
    assert lattice.slices_of(blocks) == slice(4, 11)
