"""NIfTI headers: what PyPeT takes from one, and the one it writes.

Read are NIfTI-1 and NIfTI-2 in both byte orders; written is NIfTI-1. `nifti_fields` knows where the fields lie.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from PyPeTLib.arrays import Curve
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid
from PyPeTLib.io.nifti_fields import MAGIC, NUMBERS, OTHER_TYPES, Fields, Order, qform, set_qform, sform, view_fields

_MM_PER_UNIT = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 1e-3}
"""Spatial unit codes: unknown (millimetres by convention), metre, millimetre, micrometre."""

_MILLIMETRES, _SECONDS = 2, 8
"""Unit codes of what is written."""

_LONGEST_AXIS = 32_767
"""NIfTI-1 stores the shape in 16 bits."""

_FARTHEST_MM = 1e5
"""No scanner places or sizes a voxel beyond this."""

_SMALLEST_VOXEL_MM = 0.01

_TIME_UNITS = {0: "unknown", 8: "s", 16: "ms", 24: "µs", 32: "Hz", 40: "ppm", 48: "rad/s"}

_OTHER_FORMATS = {(128, b"DICM"): "DICOM", (0, b"NRRD"): "NRRD", (0, b"PK"): "ZIP", (0, b"{"): "JSON"}


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageHeader:
    """What a NIfTI header says about its image.

    Attributes
    ----------
    shape : tuple of int
        Without singleton dimensions behind the third: ``(x, y, z)``, ``(x, y, z, t)`` or longer.
    dtype : numpy.dtype
        As stored, byte order included: integer or float.
    data_offset : int
        Where the voxels begin in the uncompressed file.
    slope, intercept : float
        Value = stored × slope + intercept.
    affine : ndarray, shape (4, 4)
        From voxel indices to RAS+ millimetres.
    affine_source : str
        Which of the header's two transforms was taken.
    time_step : float
        Spacing of the time axis as stored (``pixdim[4]``); NaN where the time axis is not the fourth.
    time_unit : str
        Unit of ``time_step``: ``"s"``, ``"ms"``, ``"µs"``, ``"unknown"`` or one that is no time.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    data_offset: int
    slope: float
    intercept: float
    affine: Curve
    affine_source: str
    time_step: float
    time_unit: str

    @property
    def data_bytes(self) -> int:
        """Bytes of all voxels."""
        return math.prod(self.shape) * self.dtype.itemsize


def parse_header(head: bytes, *, name: str) -> ImageHeader:
    """What the first bytes of a NIfTI-1 or NIfTI-2 file say.

    Parameters
    ----------
    head : bytes
        The uncompressed beginning of the file, at least 540 bytes where there are so many.
    name : str
        What error messages call the file.

    Raises
    ------
    InputError
        If this is no single-file NIfTI image or its header cannot be trusted.
    """
    fields, order = _fields(head, name)
    shape, time_axis = _shape(fields, name)
    slope, intercept = _scaling(fields, name)
    affine, source = _affine(fields, shape, name)
    code = int(fields["xyzt_units"])
    offset = float(fields["vox_offset"])
    smallest = 4 + int(fields["sizeof_hdr"])
    if not smallest <= offset < 2**31 or offset != int(offset):
        raise InputError(
            f"{name}: the header is damaged: it puts the voxels at byte {offset:g} (at least {smallest} expected)."
        )
    return ImageHeader(
        shape=shape,
        dtype=_dtype(fields, order, name),
        data_offset=int(offset),
        slope=slope,
        intercept=intercept,
        affine=affine,
        affine_source=source,
        time_step=float(fields["pixdim"][4]) if time_axis == 3 else math.nan,
        time_unit=_TIME_UNITS.get(code & 0x38, "unknown"),
    )


def make_header(
    grid: Grid, dtype: npt.DTypeLike, *, description: str, n_frames: int = 0, frame_interval: float = 0.0
) -> bytes:
    """The 352 bytes before the voxels of a NIfTI-1 file, little-endian, in millimetres, sform code 1.

    The qform is set too (code 1) where a rotation can express the affine; a sheared affine has the sform alone,
    because a qform near it would place the voxels elsewhere for programs that prefer it. With frames the image is 4D
    and ``pixdim[4]`` is their interval in s; 0 where they are uneven.

    Raises
    ------
    InputError
        If an axis is too long for NIfTI-1.
    TypeError
        If `parse_header` would refuse the data type.
    """
    shape = (*grid.shape, n_frames) if n_frames else grid.shape
    if max(shape) > _LONGEST_AXIS:
        raise InputError(
            f"an image of {_times(shape)} voxels cannot be written: an axis of NIfTI-1 has at most {_LONGEST_AXIS}."
        )
    # the 4 bytes behind the 348 of the header say that no extension follows
    block = bytearray(352)
    fields = view_fields(block, 348, "<")
    fields["sizeof_hdr"] = 348
    fields["magic"] = MAGIC[348]
    fields["vox_offset"] = len(block)
    fields["dim"] = (len(shape), *shape, *[1] * (7 - len(shape)))
    fields["datatype"] = _type_code(np.dtype(dtype))
    fields["bitpix"] = 8 * np.dtype(dtype).itemsize
    fields["scl_slope"] = 1
    fields["pixdim"] = 1
    set_qform(fields, grid.affine)
    fields["qform_code"] = int(Grid(grid.shape, qform(fields)).matches(grid))
    fields["srow"] = grid.affine[:3]
    fields["sform_code"] = 1
    fields["xyzt_units"] = _MILLIMETRES
    if n_frames:
        fields["xyzt_units"] = _MILLIMETRES | _SECONDS
        fields["pixdim"][4] = frame_interval
    fields["descrip"] = description.encode("ascii", "replace")[:79]
    return bytes(block)


def _type_code(dtype: np.dtype[Any]) -> int:
    codes = {label: code for code, label in NUMBERS.items()}
    if dtype.name not in codes:
        raise TypeError(f"voxels of the type {dtype} cannot be written; the types are {', '.join(codes)}")
    return codes[dtype.name]


def _fields(head: bytes, name: str) -> tuple[Fields, Order]:
    """The header's fields and their byte order."""
    if len(head) < 4:
        raise InputError(f"{name}: the file is truncated: it ends inside its header, after {len(head)} bytes.")
    orders: dict[int, Order] = {int.from_bytes(head[:4], "little"): "<", int.from_bytes(head[:4], "big"): ">"}
    for size, magic in MAGIC.items():
        if size not in orders:
            continue
        if len(head) < size:
            raise InputError(f"{name}: the file is truncated: it ends inside its header, after {len(head)} bytes.")
        found = bytes(head[344:348] if size == 348 else head[4:12])
        if found[:3] == b"ni" + magic[2:3]:
            raise InputError(f"{name}: this is the header of a .hdr/.img pair. Convert the pair to one .nii.gz file.")
        if found != magic:
            raise InputError(
                f"{name}: the header has no NIfTI mark (found {found!r}): an Analyze file or a damaged one. Neither "
                "says which side is left; convert it to NIfTI from the original DICOM files."
            )
        return view_fields(head, size, orders[size]), orders[size]
    for (at, mark), label in _OTHER_FORMATS.items():
        if head[at : at + len(mark)] == mark:
            raise InputError(f"{name}: this is a {label} file, not NIfTI. Give a .nii or .nii.gz file.")
    raise InputError(f"{name}: this is not a NIfTI image (.nii or .nii.gz), or its header is damaged.")


def _shape(fields: Fields, name: str) -> tuple[tuple[int, ...], int]:
    """Shape without singleton dimensions behind the third, and the place of the first one kept there."""
    count = int(fields["dim"][0])
    if not 1 <= count <= 7:
        raise InputError(f"{name}: the header is damaged: it promises {count} dimensions.")
    shape = tuple(int(n) for n in fields["dim"][1 : 1 + count])
    if min(shape) < 1:
        raise InputError(f"{name}: the header is damaged: it promises an image of {_times(shape)} voxels.")
    if count < 3:
        raise InputError(f"{name}: the image has {count} dimensions ({_times(shape)}); 3 or 4 are needed.")
    kept = [axis for axis in range(3, count) if shape[axis] > 1]
    return shape[:3] + tuple(shape[axis] for axis in kept), kept[0] if kept else 3


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(str(n) for n in shape)


def _dtype(fields: Fields, order: Order, name: str) -> np.dtype[Any]:
    code, bits = int(fields["datatype"]), int(fields["bitpix"])
    label = NUMBERS.get(code) or OTHER_TYPES.get(code)
    if label is None:
        raise InputError(f"{name}: the header is damaged: the data type code {code} does not exist.")
    if code in OTHER_TYPES:
        raise InputError(
            f"{name}: voxels of the type {label} (code {code}) cannot be used; whole numbers or floating-point numbers "
            "of up to 64 bits are needed. Give the signal itself, such as the magnitude image."
        )
    dtype: np.dtype[Any] = np.dtype(label).newbyteorder(order)
    if bits not in (0, 8 * dtype.itemsize):
        raise InputError(f"{name}: the header is damaged: the type {label} does not have {bits} bits.")
    return dtype


def _scaling(fields: Fields, name: str) -> tuple[float, float]:
    """Slope and intercept; the standard says that a slope of 0 means stored values as they are."""
    slope, intercept = float(fields["scl_slope"]), float(fields["scl_inter"])
    if slope == 0 or math.isnan(slope):
        return 1.0, 0.0
    if not math.isfinite(slope) or not math.isfinite(intercept):
        raise InputError(
            f"{name}: the header is damaged: values scale by scl_slope {slope:g} and scl_inter {intercept:g}."
        )
    return slope, intercept


def _affine(fields: Fields, shape: tuple[int, ...], name: str) -> tuple[Curve, str]:
    """The sform if it is set, else the qform; an image with neither does not say which side is left."""
    scale = np.diag([_MM_PER_UNIT.get(int(fields["xyzt_units"]) & 7, 1.0)] * 3 + [1.0])
    found: dict[str, Curve] = {}
    for form, read in (("sform", sform), ("qform", qform)):
        code = int(fields[f"{form}_code"])
        if code <= 0:
            continue
        try:
            with np.errstate(all="ignore"):
                affine = scale @ read(fields)
            found[f"{form} (code {code})"] = _plausible(affine, shape)
        except (ValueError, ArithmeticError) as error:
            if found:
                # the sform is good, and the qform would not be used
                continue
            raise InputError(f"{name}: the header's {form} is damaged: {error}") from error
    if not found:
        raise InputError(
            f"{name}: the header holds no position: neither sform nor qform is set (both codes are 0), so left and "
            "right are unknown. Convert the original DICOM files again, for instance with dcm2niix."
        )
    handedness = {float(np.sign(np.linalg.det(affine[:3, :3]))) for affine in found.values()}
    if len(handedness) > 1:
        raise InputError(
            f"{name}: the header contradicts itself: its sform and its qform are mirror images of each other, so left "
            "and right are unknown. Correct the header, or convert the original DICOM files again."
        )
    source, affine = next(iter(found.items()))
    return affine, source


def _plausible(affine: Curve, shape: tuple[int, ...]) -> Curve:
    """The affine, or a ValueError where it cannot be that of a brain scan."""
    # with NaN the comparison is false
    if not np.abs(affine).max() <= _FARTHEST_MM:
        raise ValueError(f"it holds no plausible places in mm: {affine.tolist()}")
    grid = Grid((shape[0], shape[1], shape[2]), affine)
    if min(grid.voxel_sizes) < _SMALLEST_VOXEL_MM:
        raise ValueError(f"its voxels are too small for a brain: {grid.describe()}")
    return grid.affine
