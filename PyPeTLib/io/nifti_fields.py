"""NIfTI headers as bytes: where their fields lie, and the transforms those fields spell.

Layouts: NIfTI-1.1 (Cox et al. 2004, ``nifti1.h``) and NIfTI-2 (``nifti2.h``), with the fields that PyPeT reads or sets.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

import numpy as np
import numpy.typing as npt

from PyPeTLib.arrays import Curve

Fields = npt.NDArray[np.void]
"""One header as a structured array without dimensions: ``fields["dim"]``, ``fields["pixdim"][4]``, …"""

Order = Literal["<", ">"]
"""Byte order: little-endian or big-endian, as in numpy."""

MAGIC = {348: b"n+1\0", 540: b"n+2\0\r\n\x1a\n"}
"""Size of a header to its mark where header and voxels share one file: NIfTI-1 and NIfTI-2."""

NUMBERS = {
    2: "uint8",
    4: "int16",
    8: "int32",
    16: "float32",
    64: "float64",
    256: "int8",
    512: "uint16",
    768: "uint32",
    1024: "int64",
    1280: "uint64",
}
"""Data type codes of whole and floating-point numbers of up to 64 bits; the names are numpy's too."""

OTHER_TYPES = {
    0: "none",
    1: "binary",
    32: "complex64",
    128: "RGB",
    255: "all",
    1536: "float128",
    1792: "complex128",
    2048: "complex256",
    2304: "RGBA",
}
"""The other data type codes of the standard."""

# name, offset and format in NIfTI-1, the same in NIfTI-2; b, c and d, or x, y and z, lie side by side: one field here
_TABLE = (
    ("sizeof_hdr", 0, "i4", 0, "i4"),
    ("dim", 40, "8i2", 16, "8i8"),
    ("datatype", 70, "i2", 12, "i2"),
    ("bitpix", 72, "i2", 14, "i2"),
    ("pixdim", 76, "8f4", 104, "8f8"),
    ("vox_offset", 108, "f4", 168, "i8"),
    ("scl_slope", 112, "f4", 176, "f8"),
    ("scl_inter", 116, "f4", 184, "f8"),
    ("xyzt_units", 123, "u1", 500, "i4"),
    ("descrip", 148, "S80", 240, "S80"),
    ("qform_code", 252, "i2", 344, "i4"),
    ("sform_code", 254, "i2", 348, "i4"),
    ("quatern", 256, "3f4", 352, "3f8"),
    ("qoffset", 268, "3f4", 376, "3f8"),
    ("srow", 280, "(3,4)f4", 400, "(3,4)f8"),
    ("magic", 344, "S4", 4, "S8"),
)


def _layout(size: int, places: Iterable[tuple[int, str]]) -> np.dtype[np.void]:
    offsets, formats = zip(*places, strict=True)
    return np.dtype({"names": [row[0] for row in _TABLE], "offsets": offsets, "formats": formats, "itemsize": size})


_LAYOUTS = {348: _layout(348, (row[1:3] for row in _TABLE)), 540: _layout(540, (row[3:] for row in _TABLE))}


def view_fields(block: bytes | bytearray, size: int, order: Order) -> Fields:
    """The fields of a header, as a view of its bytes: those of a ``bytearray`` can be set.

    Parameters
    ----------
    block : bytes or bytearray
        At least ``size`` bytes, the header first.
    size : {348, 540}
        What ``sizeof_hdr`` says: 348 for NIfTI-1, 540 for NIfTI-2.
    order : {"<", ">"}
        Byte order.
    """
    return np.ndarray((), dtype=_LAYOUTS[size].newbyteorder(order), buffer=block)


def sform(fields: Fields) -> Curve:
    """The 4×4 affine that the header spells out, in its own unit."""
    affine = np.eye(4)
    affine[:3] = fields["srow"]
    return affine


def qform(fields: Fields) -> Curve:
    """The 4×4 affine of the header's rotation, voxel sizes and offset, in its own unit.

    Raises
    ------
    ValueError
        If the fields spell no rotation, or one of the sizes is negative.
    """
    affine = np.eye(4)
    affine[:3, :3] = _rotation(fields["quatern"])
    sizes = fields["pixdim"][1:4].astype(np.float64)
    if (sizes < 0).any():
        raise ValueError(f"a voxel size is negative: pixdim[1:4] is {sizes.tolist()}")
    # the standard reads a qfac of 0 as 1
    qfac = float(fields["pixdim"][0]) or 1.0
    if qfac not in (-1, 1):
        raise ValueError(f"its handedness qfac (pixdim[0]) is {qfac} instead of 1 or -1")
    affine[:3, :3] *= sizes * (1, 1, qfac)
    affine[:3, 3] = fields["qoffset"]
    return affine


def set_qform(fields: Fields, affine: Curve) -> None:
    """Set rotation, voxel sizes and offset to those nearest to an affine; a shear is lost."""
    sizes = np.sqrt(np.sum(affine[:3, :3] ** 2, axis=0))
    axes = affine[:3, :3] / sizes
    qfac = 1 if np.linalg.det(axes) > 0 else -1
    axes[:, 2] *= qfac
    # polar decomposition: without the stretch, the nearest rotation is left
    left, _, right = np.linalg.svd(axes)
    fields["quatern"] = _quaternion(left @ right)[1:]
    fields["pixdim"][:4] = qfac, *sizes
    fields["qoffset"] = affine[:3, 3]


def _rotation(quatern: npt.NDArray[np.floating]) -> Curve:
    """Rotation matrix of the unit quaternion whose b, c and d are given and whose a is not negative."""
    # the widest floats there are, because the difference from 1 is close to 0 for half turns
    wide = quatern.astype(np.longdouble)
    rest = float(1 - wide @ wide)
    vector = quatern.astype(np.float64)
    b, c, d = vector
    # rounded half turns come out a little longer or shorter than 1; their a is 0
    tolerance = 3 * float(np.finfo(quatern.dtype).eps)
    if rest <= -tolerance:
        raise ValueError(f"its quaternion ({b:g}, {c:g}, {d:g}) is longer than 1, so it is no rotation")
    a = 0.0 if abs(rest) < tolerance else math.sqrt(rest)
    cross = np.array([[0, -d, c], [d, 0, -b], [-c, b, 0]])
    # Rodrigues' formula for a quaternion of any length
    rotation: Curve = np.eye(3) + 2 / (a**2 + vector @ vector) * (a * cross + cross @ cross)
    return rotation


def _quaternion(rotation: Curve) -> Curve:
    """Unit quaternion (a, b, c, d) of a rotation matrix, a not negative.

    The eigenvector of the largest eigenvalue of a symmetric matrix: Bar-Itzhack 2000, doi:10.2514/2.4654. It has the
    full precision for every angle, half turns included.
    """
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = rotation
    lower = [
        [xx - yy - zz, 0, 0, 0],
        [yx + xy, yy - xx - zz, 0, 0],
        [zx + xz, zy + yz, zz - xx - yy, 0],
        [zy - yz, xz - zx, yx - xy, xx + yy + zz],
    ]
    b, c, d, a = np.linalg.eigh(np.array(lower) / 3)[1][:, -1]
    quaternion: Curve = np.array([a, b, c, d])
    return -quaternion if a < 0 else quaternion
