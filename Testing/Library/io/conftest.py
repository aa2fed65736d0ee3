"""Small NIfTI files with known content."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest

SHAPE = (6, 5, 4, 9)


class Files:
    """Writes images into a folder."""

    def __init__(self, folder):
        self.folder = folder

    @staticmethod
    def signal(shape=SHAPE, *, seed=0):
        """Whole numbers between −500 and 500 that differ from voxel to voxel and frame to frame."""
        return np.random.default_rng(seed).integers(-500, 500, size=shape).astype(np.int16)

    def image(self, name="sub-01_ctp.nii.gz", data=None, *, affine=None, step=1.5, unit="sec", sidecar=None, edit=None):
        """Write an image through nibabel; ``edit`` changes its header before, ``sidecar`` is written beside it."""
        data = self.signal() if data is None else data
        affine = np.diag([-2.0, -2.0, 5.0, 1.0]) if affine is None else affine
        image = nib.Nifti1Image(data, affine)
        image.header.set_xyzt_units("mm", unit)
        image.header["pixdim"][4] = step
        if edit is not None:
            edit(image.header)
        path = self.folder / name
        nib.save(image, path)
        if sidecar is not None:
            path.with_name(name.split(".")[0] + ".json").write_text(json.dumps(sidecar), encoding="utf-8")
        return path

    def patched(self, source, name, offset, content):
        """A copy of an uncompressed file with some bytes replaced."""
        raw = bytearray(source.read_bytes())
        raw[offset : offset + len(content)] = content
        path = self.folder / name
        path.write_bytes(raw)
        return path


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path)
