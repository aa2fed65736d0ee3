"""Where the fields of a header lie and what its transforms mean, judged by nibabel and by geometry."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from PyPeTLib.io.nifti_fields import MAGIC, NUMBERS, OTHER_TYPES, qform, set_qform, sform, view_fields

KINDS = {348: nib.Nifti1Header, 540: nib.Nifti2Header}

JOINED = {
    "quatern": ("quatern_b", "quatern_c", "quatern_d"),
    "qoffset": ("qoffset_x", "qoffset_y", "qoffset_z"),
    "srow": ("srow_x", "srow_y", "srow_z"),
}

every_layout = pytest.mark.parametrize("size", KINDS)
every_order = pytest.mark.parametrize("order", ["<", ">"])

coordinates = st.floats(-1, 1, width=32)
lengths = st.floats(0.125, 20, width=32)


@st.composite
def rotations(draw):
    """Rotation matrices of any angle, from quaternions."""
    quaternion = np.array(draw(st.tuples(coordinates, coordinates, coordinates, coordinates)), dtype=np.float64)
    length = np.linalg.norm(quaternion)
    assume(length > 0.1)
    return nib.quaternions.quat2mat(quaternion / length)


@st.composite
def placements(draw):
    """Affines of a rotation, voxel sizes, an optional mirroring and an offset."""
    affine = np.eye(4)
    affine[:3, :3] = draw(rotations()) * draw(st.tuples(lengths, lengths, lengths))
    affine[:3, 2] *= draw(st.sampled_from([1, -1]))
    affine[:3, 3] = draw(st.tuples(*[st.floats(-300, 300, width=32)] * 3))
    return affine


def _half_turn(affine):
    """Whether the rotation is so close to a half turn that its quaternion's a is lost in storage."""
    rotation = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    if np.linalg.det(rotation) < 0:
        rotation[:, 2] *= -1
    return np.trace(rotation) + 1 < 1e-3


@every_layout
def test_every_field_lies_where_nibabel_has_it(size):
    ours = view_fields(bytes(size), size, "<").dtype
    theirs = KINDS[size].template_dtype
    assert ours.itemsize == theirs.itemsize == size
    for name in ours.names:
        parts = JOINED.get(name, (name,))
        place = theirs.fields[parts[0]][1]
        assert ours.fields[name][1] == place
        if size == 540 and name == "magic":
            # nibabel keeps the line ends behind the mark in a field of their own
            parts = ("magic", "eol_check")
        assert ours[name].itemsize == sum(theirs[part].itemsize for part in parts)
        if name != "magic":
            assert ours[name].base == theirs[parts[0]].base
        step = theirs[parts[0]].itemsize
        assert [theirs.fields[part][1] for part in parts] == [place + step * row for row in range(len(parts))]


@every_layout
def test_the_mark_is_that_of_nibabel(size):
    header = KINDS[size]()
    header["magic"] = header.single_magic
    assert view_fields(header.binaryblock, size, "<")["magic"] == MAGIC[size].rstrip(b"\0")


def test_the_data_types_are_those_of_nibabel():
    theirs = nib.nifti1.data_type_codes
    assert {code: theirs.label[code] for code in theirs.value_set("code")} == NUMBERS | OTHER_TYPES
    for code, name in NUMBERS.items():
        assert theirs.dtype[code] == np.dtype(name)


@every_layout
@every_order
@given(affine=placements())
@settings(deadline=None, max_examples=40)
def test_the_sform_is_read_as_by_nibabel(size, order, affine):
    header = KINDS[size](endianness=order)
    header.set_sform(affine, code=1)
    np.testing.assert_array_equal(sform(view_fields(header.binaryblock, size, order)), header.get_sform())


@every_layout
@every_order
@given(affine=placements())
@settings(deadline=None, max_examples=40)
def test_the_qform_is_read_as_by_nibabel(size, order, affine):
    assume(not _half_turn(affine))
    header = KINDS[size](endianness=order)
    header.set_qform(affine, code=1)
    assert int(header["pixdim"][0]) == np.sign(np.linalg.det(affine[:3, :3]))
    found = qform(view_fields(header.binaryblock, size, order))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, header.get_qform(), rtol=0, atol=1e-12)


@given(affine=placements())
@settings(deadline=None)
def test_a_qform_survives_being_set(affine):
    fields = view_fields(bytearray(348), 348, "<")
    set_qform(fields, affine)
    # near half turns the angle loses up to the square root of the rounding in storage
    tolerance = 2e-3 if _half_turn(affine) else 5e-5
    np.testing.assert_allclose(qform(fields), affine, rtol=0, atol=tolerance * max(fields["pixdim"][1:4]))


@given(axis=st.tuples(coordinates, coordinates, coordinates), sizes=st.tuples(lengths, lengths, lengths))
@settings(deadline=None)
def test_half_turns_are_exact_whatever_the_rounding(axis, sizes):
    axis = np.array(axis, dtype=np.float64)
    assume(np.linalg.norm(axis) > 0.1)
    axis /= np.linalg.norm(axis)
    affine = np.eye(4)
    affine[:3, :3] = (2 * np.outer(axis, axis) - np.eye(3)) * sizes
    fields = view_fields(bytearray(348), 348, "<")
    set_qform(fields, affine)
    np.testing.assert_allclose(np.abs(fields["quatern"]), np.abs(axis), rtol=0, atol=1e-7)
    np.testing.assert_allclose(qform(fields), affine, rtol=0, atol=1e-5)


@every_layout
@pytest.mark.parametrize(("excess", "accepted"), [(0, True), (1, True), (2, False), (8, False)])
def test_a_quaternion_may_be_longer_than_1_by_rounding_alone(size, excess, accepted):
    fields = view_fields(bytearray(size), size, "<")
    fields["pixdim"] = 1
    # b² exceeds 1 by twice the excess, and three units of rounding are allowed
    fields["quatern"] = [1 + excess * np.finfo(fields["quatern"].dtype).eps, 0, 0]
    header = KINDS[size](fields.tobytes(), endianness="<", check=False)
    if accepted:
        np.testing.assert_array_equal(qform(fields), np.diag([1, -1, -1, 1]))
        np.testing.assert_array_equal(header.get_qform(), qform(fields))
    else:
        with pytest.raises(ValueError, match="w2 should be positive"):
            header.get_qform()
        with pytest.raises(ValueError, match="longer than 1"):
            qform(fields)


@pytest.mark.parametrize(
    ("pixdim", "part"),
    [
        ((2, 1, 1, 1), r"qfac \(pixdim\[0\]\) is 2.0"),
        ((np.nan, 1, 1, 1), r"qfac \(pixdim\[0\]\) is nan"),
        ((1, 1, -1, 1), r"negative: pixdim\[1:4\] is \[1.0, -1.0, 1.0\]"),
    ],
)
def test_impossible_spacings_are_refused_as_by_nibabel(pixdim, part):
    fields = view_fields(bytearray(348), 348, "<")
    fields["pixdim"][:4] = pixdim
    with pytest.raises(nib.spatialimages.HeaderDataError):
        nib.Nifti1Header(fields.tobytes(), endianness="<", check=False).get_qform()
    with pytest.raises(ValueError, match=part):
        qform(fields)


def test_a_qfac_of_minus_1_turns_the_third_axis():
    fields = view_fields(bytearray(348), 348, ">")
    fields["pixdim"][:4] = -1, 2, 3, 4
    np.testing.assert_array_equal(qform(fields), np.diag([2, 3, -4, 1]))
