"""Grids, and the way to RAS+ and back."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid, identity_orientation, nearest_ras

SIGNED_PERMUTATIONS = [
    (order, signs) for order in itertools.permutations(range(3)) for signs in itertools.product((1, -1), repeat=3)
]


def rotation(degrees, axis=(1.0, 2.0, 0.5)):
    x, y, z = np.array(axis) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.deg2rad(degrees)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def affine(order=(0, 1, 2), signs=(1, 1, 1), sizes=(1.0, 2.0, 5.0), degrees=0.0, origin=(-10.0, 20.0, 3.0)):
    matrix = np.eye(4)
    for column, (row, sign, size) in enumerate(zip(order, signs, sizes, strict=True)):
        matrix[:3, column] = 0
        matrix[row, column] = sign * size
    matrix[:3, :3] = rotation(degrees) @ matrix[:3, :3]
    matrix[:3, 3] = origin
    return matrix


@pytest.mark.parametrize("degrees", [0.0, 17.0])
def test_sizes_and_volume_of_voxels(degrees):
    grid = Grid((4, 5, 6), affine(signs=(-1, 1, 1), degrees=degrees))
    np.testing.assert_allclose(grid.voxel_sizes, (1, 2, 5))
    assert grid.voxel_volume == pytest.approx(10.0)


def test_a_grid_describes_itself():
    assert Grid((4, 5, 6), affine()).describe() == "4×5×6 voxels of 1×2×5 mm, origin (-10.0, 20.0, 3.0) mm"


def test_a_grid_keeps_a_copy_of_its_affine_that_cannot_be_written_to():
    matrix = affine()
    grid = Grid((4, 5, 6), matrix)
    matrix[0, 0] = 99
    assert grid.affine[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        grid.affine[0, 0] = 2


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.eye(3), "4 by 4"),
        (np.full((4, 4), np.nan), "finite 4 by 4"),
        (np.diag([1.0, 0.0, 1.0, 1.0]), "does not span a volume"),
        (np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]), "does not span a volume"),
    ],
)
def test_impossible_affines_are_refused(matrix, message):
    with pytest.raises(InputError, match=message):
        Grid((4, 5, 6), matrix)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e4])
def test_voxels_of_any_unit_span_a_volume(scale):
    assert Grid((4, 5, 6), np.diag([scale, scale, 3 * scale, 1])).voxel_volume == pytest.approx(3 * scale**3)


def test_grids_match_when_every_voxel_is_at_the_same_place():
    grid = Grid((40, 50, 6), affine())
    assert grid.matches(grid)
    near = affine()
    near[:3, 3] += 0.005
    assert grid.matches(Grid((40, 50, 6), near))
    for other in (
        Grid((40, 50, 7), affine()),
        Grid((40, 50, 6), affine(origin=(-10.0, 20.1, 3.0))),
        Grid((40, 50, 6), affine(sizes=(1.0, 2.001, 5.0))),
        Grid((40, 50, 6), affine(degrees=0.1)),
        Grid((40, 50, 6), affine(signs=(-1, 1, 1))),
    ):
        assert not grid.matches(other)
        assert not other.matches(grid)
    assert grid.matches(Grid((40, 50, 6), affine(sizes=(1.0, 2.001, 5.0))), tolerance=0.1)


@pytest.mark.parametrize("degrees", [0.0, 20.0])
@pytest.mark.parametrize(("order", "signs"), SIGNED_PERMUTATIONS)
def test_all_48_orientations_go_to_ras_and_back(order, signs, degrees):
    native = Grid((3, 4, 5), affine(order, signs, degrees=degrees))
    orientation = nearest_ras(native)
    data = np.arange(3 * 4 * 5 * 2).reshape(3, 4, 5, 2)
    turned = orientation.to_ras(data)
    ras = orientation.ras
    assert turned.shape == (*ras.shape, 2)
    assert np.shares_memory(turned, data)
    np.testing.assert_array_equal(orientation.to_native(turned), data)
    np.testing.assert_array_equal(orientation.to_native(orientation.to_ras(data[..., 0])), data[..., 0])
    # every voxel stays where it was in the world
    for voxel in itertools.product(range(3), range(4), range(5)):
        value = data[(*voxel, 0)]
        at = np.argwhere(turned[..., 0] == value)[0]
        np.testing.assert_allclose(ras.affine @ [*at, 1], native.affine @ [*voxel, 1], atol=1e-9)
    # and the axes run nearest to right, anterior and superior
    cosines = ras.affine[:3, :3] / np.array(ras.voxel_sizes)
    assert (np.diag(cosines) > 0.8).all()
    assert ras.voxel_volume == pytest.approx(native.voxel_volume)


def test_the_identity_changes_nothing():
    grid = Grid((3, 4, 5), affine((2, 0, 1), (-1, 1, -1)))
    orientation = identity_orientation(grid)
    data = np.arange(60).reshape(3, 4, 5)
    np.testing.assert_array_equal(orientation.to_ras(data), data)
    assert orientation.ras.matches(grid)


def test_two_grids_can_be_compared():
    grid = Grid((4, 5, 6), affine())
    assert grid == grid  # noqa: PLR0124 - a grid in a list must be found
    assert isinstance(grid == Grid((4, 5, 6), affine()), bool)
