"""Painting over the classes of a head."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.geometry import Grid
from PyPeTLib.phantom.canvas import Canvas


@pytest.fixture
def canvas() -> Canvas:
    """Air above z = 0 and bone below, which is outside the inner table; 1 mm voxels, z from −20 to 20 mm."""
    affine = np.eye(4)
    affine[:3, 3] = -20.0
    shape = (41, 41, 41)
    z = np.broadcast_to(np.arange(-20.0, 21.0, dtype=np.float32), shape)
    inside = (z > 0).astype(np.float32)
    return Canvas(grid=Grid(shape, affine), fields={"air": inside.copy(), "bone": 1 - inside}, inside=inside, under=-z)


def test_an_ellipsoid_has_its_volume_and_shares_still_add_up_to_one(canvas):
    canvas.ellipsoid("metal", (1.0, -2.0, 3.0), (6.0, 8.0, 5.0))
    assert canvas.fields["metal"].sum() == pytest.approx(4 / 3 * np.pi * 6 * 8 * 5, rel=0.03)
    np.testing.assert_allclose(sum(canvas.fields.values()), 1, atol=1e-6)


def test_a_tube_has_its_volume(canvas):
    canvas.tube("plastic", (-10.0, 0.0, -5.0), (10.0, 0.0, 5.0), 3.0)
    length = np.hypot(20, 10)
    assert canvas.fields["plastic"].sum() == pytest.approx(np.pi * 9 * (length + 4), rel=0.03)


def test_limits_keep_a_structure_where_it_belongs(canvas):
    z = np.broadcast_to(np.arange(-20.0, 21.0), canvas.grid.shape)
    canvas.ellipsoid("eye", (0.0, 0.0, 0.0), (9.0, 9.0, 9.0), inside=False)
    assert canvas.fields["eye"][z > 0].max() == 0
    canvas.ellipsoid("fat", (0.0, 0.0, 0.0), (15.0, 15.0, 15.0), inside=False, plate=3.0)
    assert canvas.fields["fat"][z > -3].max() == 0
    assert canvas.fields["fat"][z < -4].max() == 1
    canvas.ellipsoid("bright eye", (0.0, 0.0, 0.0), (15.0, 15.0, 15.0), over="eye")
    assert canvas.fields["eye"].max() == 0
    assert canvas.fields["bright eye"].sum() > 0
    np.testing.assert_allclose(sum(canvas.fields.values()), 1, atol=1e-6)


def test_what_lies_beyond_the_lattice_or_over_nothing_changes_nothing(canvas):
    before = {name: field.copy() for name, field in canvas.fields.items()}
    canvas.ellipsoid("metal", (300.0, 0.0, 0.0), (5.0, 5.0, 5.0))
    canvas.ellipsoid("metal", (0.0, 0.0, 0.0), (5.0, 5.0, 5.0), over="eye")
    assert set(canvas.fields) == set(before)
    for name, field in before.items():
        np.testing.assert_array_equal(canvas.fields[name], field)
