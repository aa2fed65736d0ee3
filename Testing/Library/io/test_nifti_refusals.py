"""Files that must not be read: the message names the file and the way out."""

from __future__ import annotations

import gzip
import os
import struct
import tracemalloc

import nibabel as nib
import numpy as np
import pytest

from PyPeTLib.errors import InputError
from PyPeTLib.io import read_series

SHAPE = (6, 5, 4, 9)


def _refused(path, *parts, **options):
    with pytest.raises(InputError) as caught:
        read_series(path, **options)
    for part in (path.name, *parts):
        assert part in str(caught.value)


def test_a_single_volume_is_refused(files):
    _refused(files.image(data=files.signal((6, 5, 4))), "one volume of 6×5×4", "all time frames")


def test_a_series_of_two_further_dimensions_is_refused(files):
    _refused(files.image(data=files.signal((6, 5, 4, 9, 2))), "found 5", "Split the file")


def test_a_slice_without_depth_is_refused(files):
    _refused(files.image(data=files.signal((6, 5)), edit=lambda h: None), "2 dimensions")


def test_too_few_frames_are_refused(files):
    _refused(files.image(data=files.signal((6, 5, 4, 7))), "7 time frames are too few")


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_voxels_that_are_no_float32_numbers_are_refused(files, value):
    data = files.signal().astype(np.float64)
    data[1, 2, 3, 4] = value
    _refused(files.image(data=data), "frame 4", "1 voxels that are NaN or infinite")


def test_an_unchanging_series_is_refused(files):
    _refused(files.image(data=np.ones(SHAPE, np.int16)), "constant")


def test_dsc_without_echo_time_is_refused(files):
    _refused(files.image("a_dsc.nii.gz", files.signal() + 600), "--echo-time")


@pytest.mark.parametrize("dtype", [np.complex64, np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])])
def test_complex_and_colour_voxels_are_refused(files, dtype):
    _refused(files.image(data=np.zeros(SHAPE, dtype)), "cannot be used")


def test_an_image_without_position_is_refused(files):
    path = files.patched(files.image("a_ctp.nii"), "b_ctp.nii", 252, struct.pack("<hh", 0, 0))
    _refused(path, "neither sform nor qform", "dcm2niix")


def test_mirrored_transforms_are_refused(files):
    path = files.image("a_ctp.nii")
    srow_x = struct.pack("<4f", 2, 0, 0, 0)
    path = files.patched(path, "b_ctp.nii", 252, struct.pack("<hh", 1, 1))
    with pytest.raises(InputError, match=r"c_ctp.nii: .*mirror images"):
        read_series(files.patched(path, "c_ctp.nii", 280, srow_x))


@pytest.mark.parametrize("row", [(0, 0, 0, 0), (np.nan, 0, 0, 0), (1e30, 0, 0, 0), (1e-4, 0, 0, 0)])
def test_a_damaged_transform_is_refused(files, row):
    path = files.patched(files.image("a_ctp.nii"), "b_ctp.nii", 280, struct.pack("<4f", *row))
    _refused(path, "sform is damaged")


def test_a_missing_file_is_refused(files):
    _refused(files.folder / "none_ctp.nii.gz", "no such file")


def test_a_folder_is_refused(files):
    _refused(files.folder, "folder")


def test_an_empty_file_is_refused(files):
    (files.folder / "a_ctp.nii.gz").touch()
    _refused(files.folder / "a_ctp.nii.gz", "empty")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_refused_without_waiting_for_it(files):
    os.mkfifo(files.folder / "a_ctp.nii")
    _refused(files.folder / "a_ctp.nii", "no ordinary file")


def test_denied_permission_is_reported(files, monkeypatch):
    path = files.image()

    def denied(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", denied)
    _refused(path, "permission to read the file is denied")


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"hello, this is a text\n" * 100, "not a NIfTI image"),
        (bytes(128) + b"DICM" + bytes(500), "DICOM"),
        (b"NRRD0004\n" + bytes(500), "NRRD"),
        (struct.pack("<i", 348) + bytes(40), "ends inside its header"),
        (struct.pack("<i", 348) + bytes(600), "Analyze"),
        (b"\x1f\x8b" + bytes(500), "gzip data are corrupted"),
        (b"\x1f\x8b", "truncated"),
    ],
)
def test_what_is_no_nifti_is_refused(files, content, part):
    path = files.folder / "a_ctp.nii.gz"
    path.write_bytes(content)
    _refused(path, part)


def test_the_header_of_a_pair_is_refused(files):
    image = nib.Nifti1Pair(files.signal(), np.eye(4))
    nib.save(image, files.folder / "a_ctp.img")
    _refused(files.folder / "a_ctp.hdr", ".hdr/.img")


@pytest.mark.parametrize("keep", [0.05, 0.5, 0.99])
@pytest.mark.parametrize("name", ["a_ctp.nii", "a_ctp.nii.gz"])
def test_a_truncated_file_is_refused(files, name, keep):
    path = files.image(name)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * keep)])
    _refused(path, "truncated")


def test_a_gzip_file_without_its_end_is_refused_even_if_all_voxels_are_there(files):
    path = files.image()
    path.write_bytes(path.read_bytes()[:-4])
    _refused(path, "truncated")


def test_a_wrong_checksum_is_refused(files):
    path = files.image()
    raw = bytearray(path.read_bytes())
    raw[-8] ^= 1
    path.write_bytes(raw)
    _refused(path, "the gzip data are corrupted")


@pytest.mark.parametrize(("function", "part"), [("empty", "0.0 GiB"), ("open", "to read the file")])
def test_a_lack_of_memory_is_reported(files, monkeypatch, function, part):
    path = files.image()

    def exhausted(*args, **kwargs):
        raise MemoryError

    monkeypatch.setattr(np if function == "empty" else type(path), function, exhausted)
    _refused(path, "not enough memory", part, frame_interval=1, modality="ctp")


def test_other_bytes_behind_the_gzip_data_are_refused(files):
    path = files.image()
    path.write_bytes(path.read_bytes() + b"more")
    _refused(path, "follow the image")


def test_more_volumes_than_the_header_promises_are_refused(files):
    path = files.patched(files.image("a_ctp.nii"), "b_ctp.nii", 40, struct.pack("<5h", 4, 6, 5, 4, 8))
    _refused(path, "at least one more follow")


@pytest.mark.parametrize("packed", [False, True])
def test_a_promise_beyond_the_file_is_refused_without_taking_memory(files, packed):
    path = files.patched(files.image("a_ctp.nii"), "b_ctp.nii", 40, struct.pack("<5h", 4, 3000, 3000, 3000, 3000))
    if packed:
        path.write_bytes(gzip.compress(path.read_bytes()))
    tracemalloc.start()
    _refused(path, "3000×3000×3000×3000", "cannot hold")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6
