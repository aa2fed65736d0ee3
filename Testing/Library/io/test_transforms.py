"""Transform files say in the toolkit's own words where a point goes."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.io.transforms import itk_transform, write_transform

QUARTER_TURN = np.array([[0.0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 5], [0, 0, 0, 1]])
"""Right becomes anterior, anterior left, and all of it 5 mm toward superior."""


def test_content_is_that_worked_out_by_hand():
    lines = itk_transform(QUARTER_TURN, np.array([10.0, 0.0, 3.0])).splitlines()

    assert lines[:3] == ["#Insight Transform File V1.0", "#Transform 0", "Transform: AffineTransform_double_3_3"]
    # about (-10, 0, 3) in left, posterior, superior: that point goes to (0, -10, 8)
    assert lines[3] == "Parameters: 0 -1 0 1 0 0 0 0 1 10 -10 5"
    assert lines[4] == "FixedParameters: -10 0 3"


@pytest.mark.parametrize("centre", [(0.0, 0.0, 0.0), (12.5, -30.0, 44.0)])
def test_the_toolkit_maps_points_of_the_reference_to_the_frame(tmp_path, centre):
    sitk = pytest.importorskip("SimpleITK")
    path = tmp_path / "frame_000.tfm"
    point, flip = np.array([7.0, -3.0, 20.0]), np.array([-1.0, -1.0, 1.0])

    write_transform(path, QUARTER_TURN, np.array(centre))
    found = flip * np.array(sitk.ReadTransform(str(path)).TransformPoint(tuple(flip * point)))

    np.testing.assert_allclose(found, [3.0, 7.0, 25.0], atol=1e-9)
