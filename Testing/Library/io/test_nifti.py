"""Reading NIfTI: values, places and every refusal."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import struct
import tracemalloc

import nibabel as nib
import numpy as np
import pytest

from PyPeTLib.errors import InputError
from PyPeTLib.io import load_series, read_mask, read_series, read_volume
from PyPeTLib.series import Modality

SHAPE = (6, 5, 4, 9)

OBLIQUE = np.array([[1.8, 0.4, -0.7, -80.0], [-0.5, 1.9, 0.6, -95.0], [0.6, -0.3, 4.8, -30.0], [0, 0, 0, 1.0]])


def all_orientations():
    """The 48 ways to name the axes of a volume, as 3×3 matrices."""
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1, -1), repeat=3):
            matrix = np.zeros((3, 3))
            matrix[order, range(3)] = signs
            yield pytest.param(matrix, id="".join("+-"[s < 0] + "xyz"[o] for o, s in zip(order, signs, strict=True)))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.float32, np.float64])
@pytest.mark.parametrize("order", ["<", ">"])
def test_values_of_every_type_are_read_as_float32(files, dtype, order):
    data = np.random.default_rng(1).integers(0, 100, size=SHAPE).astype(np.dtype(dtype).newbyteorder(order))
    image = nib.Nifti1Image(data, np.eye(4), header=nib.Nifti1Header(endianness=order), dtype=data.dtype)
    image.header.set_xyzt_units("mm", "sec")
    path = files.folder / "a_ctp.nii.gz"
    nib.save(image, path)
    series = read_series(path)
    assert series.array().dtype == np.float32
    np.testing.assert_array_equal(series.array(), data)


@pytest.mark.parametrize(
    ("dtype", "slope", "inter"), [(np.int16, 0.25, -1024), (np.uint16, 1, -1024), (np.int32, 2, 7)]
)
def test_slope_and_intercept_are_applied(files, dtype, slope, inter):
    stored = np.random.default_rng(2).integers(0, 4000, size=SHAPE).astype(dtype)
    path = files.image("plain_ctp.nii", stored, affine=np.eye(4))
    # nibabel chooses the scale of an array itself, so it is put into the file
    path = files.patched(path, "scaled_ctp.nii", 112, struct.pack("<ff", slope, inter))
    np.testing.assert_array_equal(read_series(path).array(), stored * float(slope) + inter)


def test_wide_integers_are_scaled_in_double_precision(files):
    stored = np.full(SHAPE, 2_000_000_000, dtype=np.int32)
    stored += np.arange(SHAPE[3], dtype=np.int32)
    path = files.patched(files.image("w_ctp.nii", stored), "w2_ctp.nii", 112, struct.pack("<ff", 1, -2_000_000_000))
    np.testing.assert_array_equal(read_series(path).array()[0, 0, 0], np.arange(SHAPE[3]))


@pytest.mark.parametrize("slope", [0.0, float("nan")])
def test_a_slope_of_zero_or_nan_means_values_as_stored(files, slope):
    path = files.patched(files.image("a_ctp.nii"), "b_ctp.nii", 112, struct.pack("<ff", slope, 5))
    np.testing.assert_array_equal(read_series(path).array(), read_series(files.folder / "a_ctp.nii").array())


@pytest.mark.parametrize("matrix", list(all_orientations()))
def test_every_orientation_is_read_as_nibabel_reorients_it(files, matrix):
    affine = np.eye(4)
    affine[:3, :3] = matrix @ np.diag([2, 3, 4])
    affine[:3, 3] = 7, -11, 13
    path = files.image("a_ctp.nii", affine=affine)
    reference = nib.as_closest_canonical(nib.load(path))
    series = read_series(path)
    np.testing.assert_array_equal(series.array(), reference.get_fdata())
    np.testing.assert_allclose(series.affine, reference.affine, atol=1e-6)
    np.testing.assert_array_equal(series.orientation.to_native(series.array()), nib.load(path).get_fdata())


def test_voxels_of_an_oblique_series_stay_where_they_are(files):
    data = files.signal()
    flipped = OBLIQUE @ np.array([[0, -1, 0, 4], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    series = read_series(files.image(data=data, affine=flipped))
    # the brightest voxel of a frame has one place in the world, whatever the axes are called
    for frame in range(SHAPE[3]):
        native = np.array(np.unravel_index(np.argmax(data[..., frame]), SHAPE[:3]))
        ras = np.array(np.unravel_index(np.argmax(series.array()[..., frame]), series.array().shape[:3]))
        np.testing.assert_allclose((series.affine @ [*ras, 1])[:3], (flipped @ [*native, 1])[:3], atol=1e-4)
    assert (np.diag(series.affine)[:3] > 0).all()


def test_each_frame_is_contiguous(files):
    data = read_series(files.image()).array()
    assert data.flags.f_contiguous


def test_the_qform_serves_where_there_is_no_sform(files):
    path = files.image("a_ctp.nii", affine=np.diag([-2.0, -2.0, 5.0, 1.0]), edit=lambda h: h.set_sform(None, code=0))
    loaded = load_series(files.patched(path, "b_ctp.nii", 252, struct.pack("<hh", 1, 0)))
    np.testing.assert_allclose(loaded.series.orientation.native.affine, np.diag([-2.0, -2.0, 5.0, 1.0]), atol=1e-6)
    assert loaded.sources["orientation"] == "qform (code 1)"


def test_the_sform_goes_before_the_qform(files):
    affine = np.diag([3.0, 3.0, 6.0, 1.0])

    def edit(header):
        header.set_qform(np.diag([2.0, 2.0, 5.0, 1.0]), code=1)
        header.set_sform(affine, code=1)

    path = files.image("a_ctp.nii", affine=affine)
    header = nib.load(path).header
    edit(header)
    path = files.patched(path, "b_ctp.nii", 0, header.binaryblock)
    np.testing.assert_allclose(read_series(_with_offset(files, path), frame_interval=1).affine, affine)


def _with_offset(files, path):
    """nibabel keeps the offset of the voxels out of the header it hands over."""
    return files.patched(path, "offset_" + path.name, 108, struct.pack("<f", 352))


def test_a_damaged_qform_does_not_matter_beside_a_good_sform(files):
    path = files.patched(files.image("a_ctp.nii"), "b_ctp.nii", 252, struct.pack("<hh3f", 1, 1, 3, 3, 3))
    np.testing.assert_array_equal(read_series(path).array(), read_series(files.folder / "a_ctp.nii").array())


def test_a_header_in_metres_is_read_in_millimetres(files):
    path = files.image(
        "a_ctp.nii", affine=np.diag([0.002, 0.002, 0.005, 1]), edit=lambda h: h.set_xyzt_units("meter", "sec")
    )
    np.testing.assert_allclose(read_series(path).grid.voxel_sizes, (2, 2, 5), rtol=1e-6)


@pytest.mark.parametrize("shape", [(6, 5, 4, 9, 1), (6, 5, 4, 9, 1, 1), (6, 5, 4, 1, 9)])
def test_singleton_dimensions_behind_the_third_are_dropped(files, shape):
    data = files.signal()
    path = files.image("a_ctp.nii.gz", data.reshape(shape), affine=np.eye(4))
    np.testing.assert_array_equal(read_series(path, frame_interval=1).array(), data)


def test_a_time_axis_behind_the_fourth_has_no_spacing_in_the_header(files):
    path = files.image("a_ctp.nii.gz", files.signal().reshape(6, 5, 4, 1, 9))
    with pytest.raises(InputError, match=r"no spacing of the time axis.*--frame-interval"):
        read_series(path)


def test_nifti_2_is_read(files):
    image = nib.Nifti2Image(files.signal(), np.eye(4))
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, files.folder / "a_ctp.nii.gz")
    np.testing.assert_array_equal(read_series(files.folder / "a_ctp.nii.gz").array(), files.signal())


def test_compression_is_told_from_the_bytes_not_the_name(files):
    path = files.image("a_ctp.nii")
    packed = files.folder / "b_ctp.nii"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    np.testing.assert_array_equal(read_series(packed).array(), read_series(path).array())


def test_gzip_in_several_members_and_zero_padding_is_read(files):
    raw = files.image("a_ctp.nii").read_bytes()
    packed = files.folder / "b_ctp.nii.gz"
    packed.write_bytes(gzip.compress(raw[:1000]) + gzip.compress(raw[1000:]) + bytes(512))
    np.testing.assert_array_equal(read_series(packed).array(), read_series(files.folder / "a_ctp.nii").array())


def test_the_hash_is_that_of_the_file(files):
    path = files.image()
    assert load_series(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_loaded_series_tells_where_its_facts_came_from(files):
    path = files.image("sub-01_dsc.nii.gz", data=files.signal() + 600, sidecar={"EchoTime": 0.03, "Modality": "MR"})
    loaded = load_series(path)
    assert loaded.series.modality is Modality.DSC
    assert loaded.series.acquisition.echo_time == 0.03
    np.testing.assert_allclose(loaded.series.frame_times, np.arange(9) * 1.5)
    assert loaded.sources["frame_times"] == "pixdim[4] = 1.5 s"
    assert "sub-01_dsc.json" in loaded.sources["echo_time"]
    assert "sub-01_dsc.json" in loaded.sources["modality"]


def test_peak_memory_is_the_file_and_one_float32_copy(files):
    data = files.signal((64, 64, 20, 30))
    path = files.image("a_ctp.nii", data)
    read_series(path)  # modules imported on first use do not count
    tracemalloc.start()
    read_series(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < data.nbytes * 3 + 12 * data.nbytes / 30


# masks and volumes


def test_a_mask_in_another_orientation_finds_its_voxels(files):
    series = read_series(files.image())
    inside = np.zeros(series.array().shape[:3], dtype=np.uint8)
    inside[1:3, 2, 1] = 255
    # the same voxels, stored right to left and top to bottom
    turned = series.affine @ np.array([[-1, 0, 0, 5], [0, 1, 0, 0], [0, 0, -1, 3], [0, 0, 0, 1.0]])
    path = files.image("mask.nii.gz", inside[::-1, :, ::-1, None], affine=turned)
    mask = read_mask(path, series)
    assert mask.dtype == np.bool_
    np.testing.assert_array_equal(mask, inside > 0)


def test_a_mask_on_another_grid_is_refused_with_both_grids(files):
    series = read_series(files.image())
    path = files.image("mask.nii.gz", np.ones((6, 5, 4), np.uint8), affine=np.diag([-2, -2, 4, 1.0]))
    with pytest.raises(InputError) as caught:
        read_mask(path, series)
    for part in ("mask.nii.gz", "2×2×4 mm", "2×2×5 mm", series.name):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("values", "part"),
    [(np.zeros((6, 5, 4), np.uint8), "empty"), (np.linspace(0, 1, 120, dtype=np.float32).reshape(6, 5, 4), "whole")],
)
def test_an_empty_or_fractional_mask_is_refused(files, values, part):
    series = read_series(files.image())
    with pytest.raises(InputError, match=rf"mask.nii.gz: .*{part}"):
        read_mask(files.image("mask.nii.gz", values), series)


def test_a_volume_is_read_with_its_way_back(files):
    data = files.signal((6, 5, 4))
    volume = read_volume(files.image("v.nii.gz", data))
    np.testing.assert_array_equal(volume.data, data[::-1, ::-1])
    np.testing.assert_array_equal(volume.orientation.to_native(volume.data), data)


def test_a_series_is_no_volume(files):
    with pytest.raises(InputError, match=r"sub-01_ctp.nii.gz: one volume .*6×5×4×9"):
        read_volume(files.image())


def test_a_volume_with_nan_is_refused(files):
    data = np.full((6, 5, 4), np.nan, dtype=np.float32)
    with pytest.raises(InputError, match=r"v.nii.gz: 120 voxels are NaN"):
        read_volume(files.image("v.nii.gz", data))
