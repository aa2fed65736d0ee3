"""Tubes on grids: volume, partial volume, arrival, order."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.geometry import Grid
from PyPeTLib.phantom.raster import rasterise
from PyPeTLib.phantom.vessels import Tube, VesselKind

GRIDS = {
    "thick slices": np.diag([1.0, 1.0, 5.0, 1.0]),
    "left-handed": np.diag([-1.0, 1.0, 4.0, 1.0]),
    "oblique": np.array([[0.97, 0.2, 0.4, 0], [-0.25, 0.95, 0.6, 0], [-0.1, -0.2, 3.9, 0], [0, 0, 0, 1.0]]),
    "sheared": np.array([[1.0, 0, 0, 0], [0, 0.97, 0, 0], [0, 0.26, 4.0, 0], [0, 0, 0, 1.0]]),
}


def tube(points, radius, *, kind=VesselKind.ARTERY, arrival=0.5) -> Tube:
    count = len(points)
    return Tube(
        points=np.array(points, dtype=float), radii=np.full(count, radius), arrival=np.full(count, arrival), kind=kind
    )


@pytest.fixture(params=list(GRIDS))
def grid(request) -> Grid:
    affine = GRIDS[request.param].copy()
    shape = (60, 60, 16)
    affine[:3, 3] = -affine[:3, :3] @ (np.array(shape) / 2)
    return Grid(shape, affine)


def test_volume_of_a_capsule_is_kept_on_any_grid(grid):
    start, end, radius = np.array([-9.0, -6.0, -7.0]), np.array([8.0, 7.0, 6.0]), 2.5
    volumes = rasterise([tube([start, end], radius)], grid)
    expected = np.pi * radius**2 * np.linalg.norm(end - start) + 4 / 3 * np.pi * radius**3
    assert volumes.artery.sum() * grid.voxel_volume == pytest.approx(expected, rel=0.03)
    assert volumes.artery.max() == 1
    assert volumes.vein.max() == volumes.clot.max() == 0


def test_thin_vessels_fill_voxels_in_part():
    grid = Grid((20, 20, 6), np.diag([1.0, 1.0, 5.0, 1.0]))
    volumes = rasterise([tube([(4, 10, 12), (16, 10, 12)], 0.8)], grid)
    assert 0 < volumes.artery.max() < 0.5
    # seen end on, a vessel of the same width fills its voxel
    upright = rasterise([tube([(10, 10, 2), (10, 10, 22)], 0.8)], grid)
    assert upright.artery.max() == 1


def test_arrival_is_the_tubes_own_and_later_where_told():
    grid = Grid((20, 20, 6), np.diag([1.0, 1.0, 5.0, 1.0]))
    tubes = [tube([(4, 5, 12), (16, 5, 12)], 1.5, arrival=1.25)]
    there = rasterise(tubes, grid).artery > 0
    np.testing.assert_allclose(rasterise(tubes, grid).artery_arrival[there], 1.25)
    np.testing.assert_allclose(rasterise(tubes, grid, lambda p: np.full(len(p), 3.0)).artery_arrival[there], 4.25)
    assert (rasterise(tubes, grid).artery_arrival[~there] == 0).all()


def test_first_tube_keeps_its_place():
    grid = Grid((20, 20, 6), np.diag([1.0, 1.0, 5.0, 1.0]))
    line = [(4, 10, 12), (16, 10, 12)]
    artery = rasterise([tube(line, 1.5)], grid).artery
    both = rasterise([tube(line, 1.5), tube(line, 3.0, kind=VesselKind.VEIN)], grid)
    np.testing.assert_array_equal(both.artery, artery)
    assert both.vein.sum() > 0
    assert both.all.max() <= 1


def test_tubes_outside_the_grid_leave_no_trace():
    grid = Grid((10, 10, 4), np.eye(4))
    assert rasterise([tube([(50, 50, 50), (60, 60, 60)], 3.0)], grid).all.max() == 0
