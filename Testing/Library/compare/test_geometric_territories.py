"""Territories from an outline: places and proportions that anatomy knows, on voxels of any order."""

import numpy as np
import pytest

from PyPeTLib.compare.geometric_territories import NAMES, WHOLE_BRAIN_MM, geometric_territories
from PyPeTLib.compare.labelmaps import check_sides, paired
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid
from PyPeTLib.masking import MidsagittalPlane, midsagittal_plane

HALF = np.array([68.0, 86.0, 66.0])
UPRIGHT = MidsagittalPlane(normal=np.array([1.0, 0, 0]), offset=0.0)


def grid_of(turn=None, shape=(36, 44, 34), voxel=4.0):
    """Voxels around the origin, turned by a matrix of world axes."""
    affine = np.eye(4)
    affine[:3, :3] = (np.eye(3) if turn is None else turn) * voxel
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return Grid(shape, affine)


def places_of(grid):
    return np.tensordot(grid.affine[:3, :3], np.indices(grid.shape), 1) + grid.affine[:3, 3, None, None, None]


def brain(grid, half=HALF):
    return sum((axis / radius) ** 2 for axis, radius in zip(places_of(grid), half, strict=True)) < 1


def turned(degrees, axis):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    matrix = np.eye(3)
    one, other = ((1, 2), (0, 2), (0, 1))[axis]
    matrix[[one, one, other, other], [one, other, one, other]] = c, -s, s, c
    return matrix


@pytest.fixture(scope="module")
def whole():
    grid = grid_of()
    mask = brain(grid)
    return mask, grid, geometric_territories(mask, grid, UPRIGHT)


def label_at(labelmap, place):
    voxel = np.rint(np.linalg.inv(labelmap.grid.affine) @ [*place, 1])[:3].astype(int)
    return NAMES[int(labelmap.values[tuple(voxel)])]


def test_nine_territories_part_the_brain(whole):
    mask, _, labelmap = whole
    np.testing.assert_array_equal(labelmap.values > 0, mask)
    assert set(np.unique(labelmap.values)) == {0, *NAMES}
    assert {key: territory.name for key, territory in labelmap.territories.items()} == NAMES
    assert "approximated" in labelmap.name
    assert any("approximation" in note for note in labelmap.notes)


def test_left_lies_left_of_the_plane(whole):
    _, grid, labelmap = whole
    right = places_of(grid)[0] > 0
    for key, territory in labelmap.territories.items():
        if territory.side:
            assert (right[labelmap.values == key] == (territory.side == "right")).all()
    assert labelmap.territories[9].side == ""
    assert paired(labelmap.territories) == {1: 2, 2: 1, 3: 4, 4: 3, 5: 6, 6: 5, 7: 8, 8: 7}
    check_sides(labelmap)


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ((-8, 45, 20), "ACA left"),  # medial frontal
        ((-10, -30, 50), "ACA left"),  # paracentral
        ((20, 10, 56), "ACA right"),  # superior frontal, toward the vertex
        ((-55, 5, 10), "MCA left"),  # insula and beyond
        ((45, -35, 30), "MCA right"),  # inferior parietal
        ((-50, 20, -25), "MCA left"),  # temporal pole
        ((24, 8, 0), "MCA right"),  # lentiform nucleus
        ((-10, -76, 5), "PCA left"),  # occipital, medial
        ((12, -8, 6), "PCA right"),  # thalamus
        ((-30, -10, -14), "PCA left"),  # hippocampus
        ((-25, -45, -40), "Cerebellum left"),
        ((25, -45, -40), "Cerebellum right"),
        ((0, -8, -48), "Brainstem"),
    ],
)
def test_places_that_anatomy_knows(whole, place, name):
    assert label_at(whole[2], place) == name


def test_shares_are_those_of_published_maps(whole):
    """MCA 54 %, ACA and PCA 13 % each without the zones between them, which are the other 20 % (Kim et al. 2019)."""
    counts = np.bincount(whole[2].values.ravel())[1:].astype(float)
    aca, mca, pca, cerebellum, stem = (counts[i : i + 2].sum() for i in (0, 2, 4, 6, 8))
    cerebrum = aca + mca + pca
    assert 0.54 < mca / cerebrum < 0.74
    assert 0.13 < aca / cerebrum < 0.33
    assert 0.13 < pca / cerebrum < 0.33
    assert 0.05 < cerebellum / counts.sum() < 0.15
    assert 0.01 < stem / counts.sum() < 0.05


def test_a_flip_swaps_sides():
    grid = grid_of()
    mask = brain(grid)
    mask[:10, :, :20] = False
    found = geometric_territories(mask, grid, UPRIGHT).values
    other = geometric_territories(mask[::-1], grid, UPRIGHT).values[::-1]
    swapped = np.array([0, 2, 1, 4, 3, 6, 5, 8, 7, 9])
    np.testing.assert_array_equal(other, swapped[found])


def test_the_order_of_the_voxels_does_not_matter(whole):
    mask, grid, labelmap = whole
    # as LPS, with the axes of another acquisition
    order, flips = (2, 0, 1), (slice(None, None, -1), slice(None), slice(None, None, -1))
    permuted = mask.transpose(order)[flips]
    to_first = np.zeros((4, 4))
    to_first[3, 3] = 1
    for axis, (source, flip) in enumerate(zip(order, flips, strict=True)):
        to_first[source, axis] = -1 if flip.step else 1
        to_first[source, 3] = permuted.shape[axis] - 1 if flip.step else 0
    found = geometric_territories(permuted, Grid(permuted.shape, grid.affine @ to_first), UPRIGHT)
    np.testing.assert_array_equal(found.values, labelmap.values.transpose(order)[flips])
    check_sides(found)


def test_oblique_voxels_show_the_same_territories(whole):
    grid = grid_of(turn=turned(20, 0) @ turned(12, 2), shape=(48, 56, 54))
    found = geometric_territories(brain(grid), grid, UPRIGHT)
    check_sides(found)
    shares = [np.bincount(labelmap.values.ravel())[1:] / (labelmap.values > 0).sum() for labelmap in (whole[2], found)]
    np.testing.assert_allclose(shares[1], shares[0], atol=0.012)
    for place in ((-10, -30, 50), (45, -35, 30), (12, -8, 6), (25, -45, -40)):
        assert label_at(found, place) == label_at(whole[2], place)


def test_a_tilted_head_is_parted_at_its_own_plane():
    grid = grid_of(shape=(44, 48, 44))
    tilt = turned(8, 2) @ turned(6, 1)
    own = np.tensordot(tilt.T, places_of(grid), 1)
    mask = sum((axis / radius) ** 2 for axis, radius in zip(own, HALF, strict=True)) < 1
    found = geometric_territories(mask, grid, MidsagittalPlane(normal=tilt[:, 0], offset=0.0))
    np.testing.assert_array_equal(np.isin(found.values, (2, 4, 6, 8)), mask & (own[0] > 0) & (found.values != 9))
    left, right = (np.isin(found.values, keys).sum() for keys in ((1, 3, 5, 7), (2, 4, 6, 8)))
    assert left == pytest.approx(right, rel=0.01)


def test_a_slab_has_no_cerebellum():
    grid = grid_of()
    mask = brain(grid)
    mask[:, :, :10] = mask[:, :, 26:] = False
    found = geometric_territories(mask, grid, midsagittal_plane(mask, grid))
    assert set(np.unique(found.values)) == {0, 1, 2, 3, 4, 5, 6}
    np.testing.assert_array_equal(found.values > 0, mask)
    check_sides(found)
    told = " ".join(found.notes)
    assert "parts of all territories are missing" in told
    assert "6" in told
    assert "mm high" in told


@pytest.mark.parametrize(("share", "cerebellum"), [(1.05, True), (0.9, False)])
def test_the_height_tells_a_whole_brain(share, cerebellum):
    grid = grid_of()
    mask = brain(grid, (68, 86, share * WHOLE_BRAIN_MM / 2))
    found = geometric_territories(mask, grid, UPRIGHT)
    assert (7 in found.territories) == cerebellum
    # a stray voxel far below makes no brain any higher
    mask[18, 22, 0] = True
    assert (7 in geometric_territories(mask, grid, UPRIGHT).territories) == cerebellum


def test_what_is_no_brain_is_refused():
    grid = grid_of()
    with pytest.raises(InputError, match="empty"):
        geometric_territories(np.zeros(grid.shape, bool), grid, UPRIGHT)
    with pytest.raises(InputError, match="its grid"):
        geometric_territories(np.ones((3, 3, 3), bool), grid, UPRIGHT)
