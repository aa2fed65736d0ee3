"""The table of motion, and transforms that bring frames onto the reference."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from PyPeTLib.preprocess.frame_faults import Fault
from PyPeTLib.preprocess.poses import MotionEstimate
from PyPeTLib.preprocess.rigid import framewise_displacement, head_displacement, rigid_matrix, rigid_parameters
from PyPeTLib.report.motion_files import COLUMNS, motion_table, write_motion

CENTRE = np.array([4.0, -10.0, 30.0])
TIMES = np.arange(4) * 1.5


@pytest.fixture
def estimate() -> MotionEstimate:
    """The second frame lies 3 mm to the right and 10 degrees turned, the third is empty."""
    turned = rigid_matrix(np.array([3.0, 0.0, 0.0]), np.radians([0.0, 0.0, 10.0]), CENTRE)
    matrices = np.stack([np.eye(4), turned, turned, np.eye(4)])
    translations, rotations = rigid_parameters(matrices, CENTRE)
    return MotionEstimate(
        matrices=matrices,
        centre=CENTRE,
        translations=translations,
        rotations=np.degrees(rotations),
        framewise_displacement=framewise_displacement(translations, rotations),
        displacement=head_displacement(translations, rotations),
        residual=np.array([1.0, 2.0, 900.0, 1.0]),
        faults=(None, None, Fault.EMPTY, None),
        reliable=np.array([True, True, False, True]),
        reference=0,
        averaged=(0, 3),
        threshold=0.2,
    )


def test_rows_hold_what_the_columns_say(estimate):
    first, second, third, last = motion_table(estimate, TIMES)

    assert tuple(first) == COLUMNS
    assert [row["time_s"] for row in (first, second, third, last)] == TIMES.tolist()
    assert second["right_mm"] == pytest.approx(3)
    assert second["rotation_superior_deg"] == pytest.approx(10)
    # 3 mm, and 10 degrees at 50 mm
    assert second["framewise_displacement_mm"] == pytest.approx(3 + 50 * np.pi / 18)
    assert [row["resampled"] for row in (first, second, third, last)] == [False, True, True, False]
    assert [row["reference"] for row in (first, second, third, last)] == [True, False, False, True]
    assert [row["usable"] for row in (first, second, third, last)] == [True, True, False, True]
    assert third["fault"] == "empty"


def test_files_are_a_table_and_a_transform_for_each_frame(estimate, tmp_path):
    write_motion(estimate, TIMES, tmp_path)

    lines = (tmp_path / "motion.tsv").read_text(encoding="utf-8").splitlines()
    assert lines[0].split("\t") == list(COLUMNS)
    assert lines[3].split("\t")[-2:] == ["false", "empty"]
    assert lines[4].split("\t")[-2:] == ["true", "n/a"]
    names = sorted(path.name for path in (tmp_path / "transforms").iterdir())
    assert names == ["frame_000.tfm", "frame_001.tfm", "frame_002.tfm", "frame_003.tfm"]


def test_a_still_series_has_no_transforms(estimate, tmp_path):
    still = dataclasses.replace(estimate, displacement=np.full(4, 0.1))

    write_motion(still, TIMES, tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["motion.tsv"]


def test_resampled_with_its_transform_a_frame_lies_on_the_reference(estimate, tmp_path):
    sitk = pytest.importorskip("SimpleITK")
    write_motion(estimate, TIMES, tmp_path)
    z, y, x = np.meshgrid(*(np.arange(40.0) for _ in range(3)), indexing="ij")

    def drawn(matrix: np.ndarray) -> np.ndarray:
        """A blob at (12, -4, 25) of the reference, as a frame in a pose shows it; voxel (0, 0, 0) at (-10, -30, 10)."""
        a, p, s = (matrix @ [12.0, -4.0, 25.0, 1.0])[:3] - [-10, -30, 10]
        return np.exp(-((x - a) ** 2 + (y - p) ** 2 + (z - s) ** 2) / 18).astype(np.float32)

    def image(values: np.ndarray):
        picture = sitk.GetImageFromArray(values)
        # right and anterior grow along x and y: against the toolkit's axes
        picture.SetDirection((-1, 0, 0, 0, -1, 0, 0, 0, 1))
        picture.SetOrigin((10.0, 30.0, 10.0))
        return picture

    reference, frame = drawn(np.eye(4)), drawn(estimate.matrices[1])
    transform = sitk.ReadTransform(str(tmp_path / "transforms" / "frame_001.tfm"))
    brought = sitk.GetArrayFromImage(sitk.Resample(image(frame), image(reference), transform, sitk.sitkLinear))

    assert np.abs(frame - reference).max() > 0.3
    assert np.abs(brought - reference).max() < 0.05
