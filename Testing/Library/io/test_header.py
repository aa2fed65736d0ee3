"""The header PyPeT writes, read back by nibabel and by PyPeT."""

from __future__ import annotations

import io

import nibabel as nib
import numpy as np
import pytest

from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid
from PyPeTLib.io.header import make_header, parse_header

OBLIQUE = nib.affines.from_matvec(
    nib.eulerangles.euler2mat(0.2, -0.3, 0.4) @ np.diag([-1.5, 2.0, 5.0]), [81.5, -70.25, 12.0]
)


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
