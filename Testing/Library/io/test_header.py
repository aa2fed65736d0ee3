"""The header PyPeT writes and reads, judged by nibabel and SimpleITK; and PyPeT without nibabel."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid, nearest_ras
from PyPeTLib.io import read_series, write_volume
from PyPeTLib.io.header import make_header, parse_header

OBLIQUE = nib.affines.from_matvec(
    nib.eulerangles.euler2mat(0.2, -0.3, 0.4) @ np.diag([-1.5, 2.0, 5.0]), [81.5, -70.25, 12.0]
)

AFFINES = {
    "RAS": np.array([[2, 0, 0, -90], [0, 2.5, 0, -126], [0, 0, 4, -72.5], [0, 0, 0, 1]]),
    "LAS": np.array([[-0.9, 0, 0, 90], [0, 0.9, 0, -126], [0, 0, 5, -72], [0, 0, 0, 1]]),
    "LPS": np.array([[-0.9, 0, 0, 90], [0, -0.9, 0, 126], [0, 0, 5, -72], [0, 0, 0, 1]]),
    "sagittal": np.array([[0, 0, 3, -90], [1, 0, 0, -126], [0, -1, 0, 72], [0, 0, 0, 1.0]]),
    "tilted": nib.affines.from_matvec(nib.eulerangles.euler2mat(x=0.35) @ np.diag([0.5, 0.5, 5]), [-120, -99.9, 7]),
    "oblique": OBLIQUE,
}

SHEARED = np.array([[1, 0, 0.5, -10], [0, 1, 0, 20], [0, 0, 2, 0], [0, 0, 0, 1]])

TYPES = ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]


def _by_nibabel(grid, dtype, *, description, n_frames=0, frame_interval=0.0):
    """The bytes of the same header, made by nibabel alone."""
    header = nib.Nifti1Header(endianness="<")
    header.set_data_dtype(np.dtype(dtype))
    header.set_data_shape((*grid.shape, n_frames) if n_frames else grid.shape)
    header.set_qform(grid.affine, code=1)
    if not np.allclose(header.get_qform(), grid.affine, atol=1e-3):
        header["qform_code"] = 0
    header.set_sform(grid.affine, code=1)
    header.set_xyzt_units("mm", "sec" if n_frames else None)
    if n_frames:
        header["pixdim"][4] = frame_interval
    header["descrip"] = description.encode()
    header["magic"] = b"n+1"
    header["vox_offset"] = 352
    header["scl_slope"], header["scl_inter"] = 1, 0
    return header.binaryblock + bytes(4)


@pytest.mark.parametrize("frames", [{}, {"n_frames": 1}, {"n_frames": 40, "frame_interval": 1.5}])
@pytest.mark.parametrize("affine", [*AFFINES.values(), SHEARED], ids=[*AFFINES, "sheared"])
def test_the_bytes_are_those_of_nibabel(affine, frames):
    grid = Grid((7, 60, 5), affine)
    made = make_header(grid, "<f4", description="Mean transit time", **frames)
    assert made == _by_nibabel(grid, "<f4", description="Mean transit time", **frames)
    assert (int.from_bytes(made[252:254], "little") == 0) == (affine is SHEARED)


@pytest.mark.parametrize("dtype", TYPES)
def test_every_type_is_written_as_by_nibabel_and_read_back(dtype):
    grid = Grid((4, 4, 4), np.eye(4))
    made = make_header(grid, dtype, description="")
    assert made == _by_nibabel(grid, dtype, description="")
    assert parse_header(made, name="a.nii").dtype == np.dtype(dtype).newbyteorder("<")


@pytest.mark.parametrize("dtype", [np.bool_, np.complex64, np.float16])
def test_a_type_that_is_not_read_is_not_written(dtype):
    with pytest.raises(TypeError, match=np.dtype(dtype).name):
        make_header(Grid((4, 4, 4), np.eye(4)), dtype, description="")


def test_an_axis_too_long_for_the_format_is_refused():
    with pytest.raises(InputError, match=r"4×40000×4 .*32767"):
        make_header(Grid((4, 40_000, 4), np.eye(4)), "u1", description="")


@pytest.mark.parametrize("kind", [nib.Nifti1Header, nib.Nifti2Header])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", TYPES)
def test_the_header_of_nibabel_is_read_alike(kind, order, dtype):
    reference = kind(endianness=order)
    reference.set_data_dtype(np.dtype(dtype))
    reference.set_data_shape((5, 6, 7, 20))
    reference.set_qform(OBLIQUE, code=2)
    reference.set_xyzt_units("mm", "msec")
    reference["pixdim"][4] = 1500
    reference["scl_slope"], reference["scl_inter"] = 0.5, -1024
    reference["magic"] = reference.single_magic
    reference["vox_offset"] = 1024
    header = parse_header(reference.binaryblock, name="a.nii")
    assert header.shape == reference.get_data_shape()
    assert header.dtype == reference.get_data_dtype()
    assert header.dtype.byteorder == reference.get_data_dtype().byteorder
    assert (header.slope, header.intercept) == (0.5, -1024)
    assert header.data_offset == 1024
    assert (header.time_step, header.time_unit) == (1500, "ms")
    assert header.affine_source == "qform (code 2)"
    np.testing.assert_allclose(header.affine, reference.get_qform(), rtol=0, atol=1e-12)
    reference.set_sform(SHEARED @ OBLIQUE, code=4)
    header = parse_header(reference.binaryblock, name="a.nii")
    assert header.affine_source == "sform (code 4)"
    np.testing.assert_array_equal(header.affine, reference.get_sform())


@pytest.mark.parametrize("kind", [nib.Nifti1Header, nib.Nifti2Header])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("code", "label"),
    [
        (0, "none"),
        (1, "binary"),
        (32, "complex64"),
        (128, "RGB"),
        (255, "all"),
        (1536, "float128"),
        (1792, "complex128"),
        (2048, "complex256"),
        (2304, "RGBA"),
    ],
)
def test_other_types_are_refused_by_name(kind, order, code, label):
    reference = kind(endianness=order)
    reference.set_data_shape((5, 6, 7))
    reference.set_sform(OBLIQUE, code=1)
    reference["magic"] = reference.single_magic
    reference["vox_offset"] = 1024
    reference["datatype"] = code
    with pytest.raises(InputError) as caught:
        parse_header(reference.binaryblock, name="a.nii")
    assert str(caught.value) == (
        f"a.nii: voxels of the type {label} (code {code}) cannot be used; whole numbers or floating-point numbers of "
        "up to 64 bits are needed. Give the signal itself, such as the magnitude image."
    )


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
@pytest.mark.parametrize("n_frames", [0, 9])
# compiled wrappers announce types without a module on import
@pytest.mark.filterwarnings("ignore:builtin type .* has no __module__ attribute:DeprecationWarning")
def test_a_written_file_lies_at_the_same_place_in_simpleitk_and_nibabel(tmp_path, affine, n_frames):
    shape = (7, 6, 5, n_frames) if n_frames else (7, 6, 5)
    array = np.random.default_rng(3).normal(size=shape).astype(np.float32)
    orientation = nearest_ras(Grid((7, 6, 5), affine))
    write_volume(
        tmp_path / "a.nii.gz",
        orientation.to_ras(array),
        orientation,
        dtype="f4",
        description="Tmax",
        frame_interval=1.5,
    )
    reference = nib.load(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(reference.get_fdata(dtype=np.float32), array)
    np.testing.assert_allclose(reference.affine, affine, rtol=0, atol=1e-4)
    itk = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed")
    image = itk.ReadImage(str(tmp_path / "a.nii.gz"))
    np.testing.assert_array_equal(itk.GetArrayFromImage(image).T, array)
    count = image.GetDimension()
    found = np.eye(4)
    found[:3, :3] = np.reshape(image.GetDirection(), (count, count))[:3, :3] * image.GetSpacing()[:3]
    found[:3, 3] = image.GetOrigin()[:3]
    # ITK looks to the left and to the back
    np.testing.assert_allclose(np.diag([-1, -1, 1, 1]) @ found, affine, rtol=0, atol=1e-4)
    if n_frames:
        assert image.GetSpacing()[3] == 1.5


def test_pypet_reads_and_writes_alike_without_nibabel(files):
    source = files.image("a_ctp.nii.gz", affine=OBLIQUE)
    code = """
import sys
sys.modules["nibabel"] = None
from PyPeTLib.io import read_series, write_volume
series = read_series(sys.argv[1])
write_volume(sys.argv[2], series.array(), series.orientation, dtype="f4", description="copy", frame_interval=1.5)
"""
    root = Path(__file__).parents[3]
    blocked = files.folder / "blocked_ctp.nii.gz"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(source), str(blocked)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    series = read_series(source)
    write_volume(
        files.folder / "b_ctp.nii.gz",
        series.array(),
        series.orientation,
        dtype="f4",
        description="copy",
        frame_interval=1.5,
    )
    assert blocked.read_bytes() == (files.folder / "b_ctp.nii.gz").read_bytes()
    np.testing.assert_array_equal(nib.load(blocked).get_fdata(), nib.load(source).get_fdata())
    np.testing.assert_allclose(nib.load(blocked).affine, nib.load(source).affine, rtol=0, atol=1e-5)


def test_a_written_header_says_the_same_to_both_readers():
    grid = Grid((7, 6, 5), OBLIQUE)
    block = make_header(grid, np.float32, description="Cerebral blood flow")
    reference = nib.Nifti1Header.from_fileobj(io.BytesIO(block))
    assert int(reference["sform_code"]) == int(reference["qform_code"]) == 1
    np.testing.assert_allclose(reference.get_sform(), OBLIQUE, atol=1e-5)
    np.testing.assert_allclose(reference.get_qform(), OBLIQUE, atol=1e-4)
    assert reference.get_xyzt_units() == ("mm", "unknown")
    assert reference["descrip"].item() == b"Cerebral blood flow"
    header = parse_header(block, name="map.nii")
    assert header.shape == (7, 6, 5)
    assert header.dtype == np.float32
    assert header.data_offset == len(block) == 352
    assert Grid((7, 6, 5), header.affine).matches(grid)


def test_a_sheared_grid_is_not_bent_into_a_qform():
    affine = np.eye(4)
    affine[0, 2] = 0.5
    reference = nib.Nifti1Header.from_fileobj(io.BytesIO(make_header(Grid((9, 9, 9), affine), "u1", description="")))
    assert int(reference["qform_code"]) == 0
    np.testing.assert_array_equal(reference.get_sform(), affine)


def test_long_and_foreign_descriptions_fit():
    block = make_header(Grid((2, 2, 2), np.eye(4)), np.uint8, description="µ" * 200)
    assert nib.Nifti1Header.from_fileobj(io.BytesIO(block))["descrip"].item() == b"?" * 79


@pytest.mark.parametrize(
    ("field", "value", "part"),
    [
        ("dim", [0, 1, 1, 1, 1, 1, 1, 1], "promises 0 dimensions"),
        ("dim", [3, 4, -4, 4, 1, 1, 1, 1], "4×-4×4"),
        ("datatype", 77, "data type code 77"),
        ("bitpix", 8, "does not have 8 bits"),
        ("vox_offset", 10, "at byte 10"),
        ("vox_offset", np.nan, "at byte nan"),
        ("scl_slope", np.inf, "scl_slope inf"),
        ("sform_code", 0, "neither sform nor qform"),
        ("magic", b"xyz", "no NIfTI mark"),
    ],
)
def test_a_damaged_field_is_refused_by_name(field, value, part):
    header = nib.Nifti1Header(make_header(Grid((4, 4, 4), np.eye(4)), np.int16, description="")[:348])
    header["qform_code"] = 0
    header[field] = value
    with pytest.raises(InputError) as caught:
        parse_header(header.binaryblock + bytes(4), name="a.nii")
    assert str(caught.value).startswith("a.nii: ")
    assert part in str(caught.value)


def test_a_quaternion_that_is_no_rotation_is_refused():
    header = nib.Nifti1Header(make_header(Grid((4, 4, 4), np.eye(4)), np.int16, description="")[:348])
    header["sform_code"] = 0
    header["quatern_b"] = 3
    with pytest.raises(InputError, match=r"a.nii: the header's qform is damaged"):
        parse_header(header.binaryblock + bytes(4), name="a.nii")


def test_a_qfac_of_zero_counts_as_one():
    header = nib.Nifti1Header(make_header(Grid((4, 4, 4), np.eye(4)), np.int16, description="")[:348])
    header["pixdim"][0] = 0
    header["sform_code"] = 0
    np.testing.assert_array_equal(parse_header(header.binaryblock + bytes(4), name="a.nii").affine, np.eye(4))
