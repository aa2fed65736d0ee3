import numpy as np
import pytest

from PyPeTLib.errors import InputError
from PyPeTLib.synthesis.lattice import PATCHES, head_coordinates, lattice_of


def spread(lattice, places):
    """Shares of all nodes for each place, shape (places, nodes)."""
    table = np.zeros((len(places), lattice.nodes))
    for cell, voxels, shares in lattice.hats(places):
        for corner, node in enumerate(lattice.corners[cell]):
            table[voxels, node] += shares[:, corner]
    return table


@pytest.mark.parametrize("patches", PATCHES)
def test_hats_add_up_to_one_and_give_back_what_is_linear(patches):
    lattice = lattice_of(patches)
    places = np.random.default_rng(3).uniform(0, 1, (500, 3)).astype(np.float32)
    places[:2] = [[0, 0, 0], [1, 1, 1]]
    table = spread(lattice, places)
    np.testing.assert_allclose(table.sum(axis=1), 1, atol=1e-6)
    assert table.min() >= 0
    if patches > 1:
        along = np.stack(np.unravel_index(np.arange(lattice.nodes), 3 * (lattice.n,)), -1) / (lattice.n - 1)
        np.testing.assert_allclose(table @ along, places, atol=1e-6)


@pytest.mark.parametrize("patches", PATCHES)
def test_opposite_nodes_have_the_shares_of_mirrored_places(patches):
    lattice = lattice_of(patches)
    places = np.random.default_rng(4).uniform(0, 1, (200, 3)).astype(np.float32)
    mirrored = np.float32([1, 0, 0]) + np.float32([-1, 1, 1]) * places
    np.testing.assert_allclose(spread(lattice, mirrored)[:, lattice.mirrored], spread(lattice, places), atol=1e-6)


def test_there_is_no_seam_at_a_node():
    lattice = lattice_of(64)
    either = np.float32([[1 / 3 - 1e-6, 0.4, 0.5], [1 / 3 + 1e-6, 0.4, 0.5]])
    before, after = spread(lattice, either)
    np.testing.assert_allclose(before, after, atol=1e-5)


def test_head_coordinates_run_from_left_back_bottom_to_right_front_top(new_head):
    places = head_coordinates(new_head)
    indices = np.argwhere(new_head.mask)
    assert places.shape == indices.shape
    assert places.min() == 0
    assert places.max() == 1
    for axis in range(3):
        assert np.corrcoef(places[:, axis], indices[:, axis])[0, 1] > 0.99
    # the midsagittal plane is the middle
    side = new_head.mirror.side()[new_head.mask]
    np.testing.assert_array_equal(places[:, 0] > 0.5, side > 0)


def test_other_numbers_of_patches_are_refused():
    with pytest.raises(InputError, match="1, 8, 64, 216 patches, not of 27"):
        lattice_of(27)
