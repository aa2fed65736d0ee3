"""Tiny series as DICOM files and as the NIfTI file of the same content, which is what they must be read as."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from PyPeTLib.geometry import Grid, nearest_ras
from PyPeTLib.io import load_series, write_volume

# the maker lies one folder up, where other tests find it too
sys.path.append(str(Path(__file__).parents[1]))

from dicom_making import make_series

SHAPE = (12, 10, 5, 8)
STRAIGHT = np.array([[2.0, 0, 0, -24], [0, 2.5, 0, -30], [0, 0, 5, 12], [0, 0, 0, 1.0]])
UNEVEN = np.array([0, 1, 2, 3, 4, 7, 10, 13.0])
"""One second apart at first, then three."""


def phantom(seed=0, *, low=-200, high=400):
    """Whole numbers that differ everywhere, with a gradient along each axis so that no flip goes unseen."""
    x, y, z, t = np.meshgrid(*map(np.arange, SHAPE), indexing="ij")
    noise = np.random.default_rng(seed).integers(0, 40, SHAPE)
    return np.clip(low + 3 * x + 5 * y + 20 * z + 7 * t + noise, low, high).astype(np.int16)


class Study:
    """Writes a series both ways."""

    def __init__(self, folder):
        self.folder = folder
        self.data = phantom()

    def make(self, name="study", *, data=None, affine=STRAIGHT, times=UNEVEN, **options):
        """DICOM files; gives their folder."""
        data = self.data if data is None else data
        make_series(self.folder / name, data, affine, times, **options)
        return self.folder / name

    def truth(self, *, data=None, affine=STRAIGHT, times=UNEVEN, modality="ctp", slice_times=None):
        """The same through a NIfTI file with a sidecar."""
        data = self.data if data is None else data
        path = self.folder / "truth.nii.gz"
        orientation = nearest_ras(Grid(data.shape[:3], affine))
        write_volume(path, orientation.to_ras(data), orientation, dtype=np.int16)
        fields = {"VolumeTiming": list(map(float, times)), "Modality": "MR" if modality == "dsc" else "CT"}
        fields["EchoTime"] = 0.03
        if slice_times is not None:
            fields["SliceTiming"] = list(map(float, slice_times))
        path.with_name("truth.json").write_text(json.dumps(fields), encoding="utf-8")
        return load_series(path, modality=modality)


def assert_same(loaded, truth, *, atol=0.0):
    """Same values at the same places at the same times."""
    ours, theirs = loaded.series, truth.series
    np.testing.assert_allclose(ours.array(), theirs.array(), rtol=0, atol=atol)
    np.testing.assert_allclose(ours.affine, theirs.affine, atol=1e-4)
    np.testing.assert_allclose(ours.frame_times, theirs.frame_times, atol=2e-6)
    assert ours.modality == theirs.modality
    assert ours.acquisition.echo_time == theirs.acquisition.echo_time
    if theirs.acquisition.slice_times is None:
        assert ours.acquisition.slice_times is None
    else:
        np.testing.assert_allclose(ours.acquisition.slice_times, theirs.acquisition.slice_times, atol=2e-6)


@pytest.fixture(scope="session")
def make_study():
    return Study


@pytest.fixture
def study(tmp_path):
    return Study(tmp_path)


@pytest.fixture
def same():
    return assert_same
