"""Damaged image files of many kinds, made from good ones by a seeded generator, and what reading them must come to.

Each kind is a function from a random generator to a `Damaged` file; `KINDS` names them all.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import nibabel as nib
import numpy as np

SHAPE = (6, 5, 4, 9)
AFFINE = np.diag([-2.0, 2.5, 5.0, 1.0])
FRAME_S = 1.5

Random = np.random.Generator


@dataclass(frozen=True, kw_only=True)
class Damaged:
    """The bytes of a file; ``harmless`` where it must be read, because nothing that counts has changed."""

    content: bytes
    harmless: bool = False


KINDS: dict[str, Callable[[Random], Damaged]] = {}
"""What makes a file of each kind."""


def kind(name: str) -> Callable[[Callable[[Random], Damaged]], Callable[[Random], Damaged]]:
    """Add a function to `KINDS`."""

    def add(make: Callable[[Random], Damaged]) -> Callable[[Random], Damaged]:
        KINDS[name] = make
        return make

    return add


@cache
def good_files() -> tuple[bytes, ...]:
    """Uncompressed images that can be read: both versions of NIfTI, both byte orders, several types."""
    data = np.random.default_rng(5).integers(-500, 500, SHAPE).astype(np.int16)
    made = []
    for image_class in (nib.Nifti1Image, nib.Nifti2Image):
        for order in "<>":
            for dtype, slope in ((np.int16, 2.0), (np.float32, None), (np.uint8, None)):
                header = image_class.header_class(endianness=order)
                header.set_data_dtype(dtype)
                values = data if dtype is not np.uint8 else (data & 127)
                image = image_class(values.astype(dtype), AFFINE, header)
                image.header.set_xyzt_units("mm", "sec")
                image.header.set_qform(AFFINE, 1)
                image.header["pixdim"][4] = FRAME_S
                if slope is not None:
                    image.header.set_slope_inter(slope, -3)
                made.append(image.to_bytes())
    return tuple(made)


def fields_of(content: bytearray) -> np.ndarray:
    """The header of an image as a structured array whose fields can be set; its type knows the byte order."""
    for order in "<>":
        (size,) = struct.unpack_from(order + "i", content)
        if size in (348, 540):
            header_class = nib.Nifti1Header if size == 348 else nib.Nifti2Header
            return np.ndarray((), header_class.template_dtype.newbyteorder(order), buffer=content)
    raise ValueError("no header of NIfTI")


def any_good(rng: Random) -> bytes:
    """One of the good files."""
    return good_files()[rng.integers(len(good_files()))]


def maybe_packed(rng: Random, content: bytes) -> bytes:
    """Compressed or not."""
    return gzip.compress(content, compresslevel=1, mtime=0) if rng.random() < 0.3 else content


def with_fields(rng: Random, change: Callable[[np.ndarray], None]) -> Damaged:
    """A good file with some fields of its header set by ``change``, which gets it as a structured array."""
    content = bytearray(any_good(rng))
    fields = fields_of(content)
    with np.errstate(all="ignore"):
        change(fields)
    return Damaged(content=maybe_packed(rng, bytes(content)))


def extreme(rng: Random, dtype: np.dtype) -> float | int:
    """A number at which programs stumble, of a type."""
    if dtype.kind == "f":
        limits = np.finfo(dtype)
        tiny, huge = float(limits.tiny), float(limits.max)
        return rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, tiny, huge, -huge, 1e-7, 1e9])
    limits = np.iinfo(dtype)
    ordinary = [n for n in (-1, -32768, 32767, 255) if limits.min <= n <= limits.max]
    return int(
        rng.choice(np.array([0, 1, 2, 5, 9, 100, limits.min, limits.max, *ordinary], dtype=dtype.newbyteorder("=")))
    )


def chosen(rng: Random, *values: float) -> float:
    """One of several values, with their own type."""
    return values[rng.integers(len(values))]


@kind("header: flipped bits")
def _(rng: Random) -> Damaged:
    content = bytearray(any_good(rng))
    for bit in rng.integers(0, 8 * fields_of(content).dtype.itemsize, rng.integers(1, 9)):
        content[bit // 8] ^= 1 << int(bit % 8)
    return Damaged(content=maybe_packed(rng, bytes(content)))


@kind("header: random bytes")
def _(rng: Random) -> Damaged:
    content = bytearray(any_good(rng))
    start, size = int(rng.integers(0, 340)), int(rng.choice([1, 2, 4, 8, 40]))
    content[start : start + size] = rng.bytes(size)
    return Damaged(content=maybe_packed(rng, bytes(content)))


@kind("header: extreme values")
def _(rng: Random) -> Damaged:
    def change(fields: np.ndarray) -> None:
        numbers = [name for name in fields.dtype.names if fields.dtype[name].base.kind in "iuf"]
        for name in rng.choice(numbers, rng.integers(1, 4)):
            value = extreme(rng, fields.dtype[name].base)
            if fields[name].ndim:
                fields[name][rng.integers(len(fields[name]))] = value
            else:
                fields[name] = value

    return with_fields(rng, change)


@kind("header: dimensions")
def _(rng: Random) -> Damaged:
    def change(fields: np.ndarray) -> None:
        if rng.random() < 0.2:
            fields["dim"][1:5] = 32767
        for at in rng.integers(0, 8, rng.integers(1, 4)):
            fields["dim"][at] = extreme(rng, fields.dtype["dim"].base)

    return with_fields(rng, change)


@kind("header: data type")
def _(rng: Random) -> Damaged:
    def change(fields: np.ndarray) -> None:
        fields["datatype"] = chosen(rng, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 768, 1024, 1280, 1536, 2304, -1, 77)
        if rng.random() < 0.5:
            fields["bitpix"] = chosen(rng, 0, 1, 7, 8, 16, 32, 64, -8, 32767)

    return with_fields(rng, change)


@kind("header: scaling")
def _(rng: Random) -> Damaged:
    def change(fields: np.ndarray) -> None:
        for name in ("scl_slope", "scl_inter"):
            if rng.random() < 0.7:
                fields[name] = extreme(rng, fields.dtype[name])

    return with_fields(rng, change)


@kind("header: transforms")
def _(rng: Random) -> Damaged:
    def change(fields: np.ndarray) -> None:
        fields["sform_code"] = chosen(rng, 0, 1, 2, -1, 99)
        fields["qform_code"] = chosen(rng, 0, 1, 2, -1, 99)
        names = ["srow_x", "srow_y", "srow_z", "quatern_b", "quatern_c", "quatern_d", "qoffset_x", "pixdim"]
        for name in rng.choice(names, rng.integers(0, 4)):
            value = extreme(rng, fields.dtype[name].base)
            if fields[name].ndim:
                fields[name][rng.integers(4)] = value
            else:
                fields[name] = value
        fields["xyzt_units"] = rng.integers(0, 64)

    return with_fields(rng, change)


@kind("header: place of the voxels")
def _(rng: Random) -> Damaged:
    def change(fields: np.ndarray) -> None:
        values = (0, 1, 347, 348, 352.5, 353, 368, 540, 544, 560, 2000, -352, 2**30, 2**31 - 1, 1e20, np.nan, np.inf)
        value = chosen(rng, *values)
        if fields.dtype["vox_offset"].kind == "i":
            value = int(np.nan_to_num(value, posinf=2**62)) if value < 1e18 or np.isnan(value) else 2**63 - 1
        fields["vox_offset"] = value

    return with_fields(rng, change)


@kind("header: byte order")
def _(rng: Random) -> Damaged:
    content = bytearray(any_good(rng))
    head = fields_of(content)
    if rng.random() < 0.3:
        # the words change, the type that says how to read them does not
        content[: head.nbytes] = head.byteswap().tobytes()
    else:
        for name in rng.choice(head.dtype.names, rng.integers(1, 4)):
            head[name] = head[name].byteswap()
    return Damaged(content=maybe_packed(rng, bytes(content)))


@kind("header: marks")
def _(rng: Random) -> Damaged:
    def change(fields: np.ndarray) -> None:
        marks = (b"n+1", b"ni1", b"n+2", b"n+2\0\r\n\x1a\n", b"ni2", b"", b"\0n+1", b"n+1 ", rng.bytes(4))
        fields["magic"] = marks[rng.integers(len(marks))]
        if rng.random() < 0.3:
            fields["sizeof_hdr"] = chosen(rng, 0, 348, 540, -348, 1543569408, 469893120)

    return with_fields(rng, change)


@kind("header: unused fields (harmless)")
def _(rng: Random) -> Damaged:
    content = bytearray(any_good(rng))
    fields = fields_of(content)
    names = ["descrip", "aux_file", "intent_name", "cal_max", "cal_min", "intent_code", "intent_p1", "toffset"]
    for name in rng.choice(names, rng.integers(1, 5), replace=False):
        dtype = fields.dtype[name]
        fields[name] = rng.bytes(dtype.itemsize) if dtype.kind == "S" else extreme(rng, dtype)
    return Damaged(content=maybe_packed(rng, bytes(content)), harmless=True)


@kind("header: extension blocks")
def _(rng: Random) -> Damaged:
    content = bytearray(any_good(rng))
    head = fields_of(content)
    length = 16 * int(rng.integers(1, 40))
    claimed = chosen(rng, length, length, 0, -16, 8, 2**31 - 1, length + 16)
    size = head.nbytes
    head["vox_offset"] = size + 4 + length
    numbers = np.array([claimed, chosen(rng, 0, 4, 6, -1)], dtype=head["sizeof_hdr"].dtype)
    block = numbers.tobytes() + rng.bytes(length - 8)
    flag = bytes([chosen(rng, 1, 1, 0, 255), 0, 0, 0])
    changed = bytes(content[:size]) + flag + block + bytes(content[size + 4 :])
    # nobody needs to read an extension in order to skip it
    return Damaged(content=maybe_packed(rng, changed), harmless=True)


@kind("file: truncated")
def _(rng: Random) -> Damaged:
    content = any_good(rng)
    places = (1, 2, 3, 4, 100, 347, 348, 351, 352, 540, 544, len(content) - 1, int(rng.integers(1, len(content))))
    return Damaged(content=content[: chosen(rng, *places)])


@kind("file: something else")
def _(rng: Random) -> Damaged:
    others = (
        b"",
        b"\x1f",
        b"\x1f\x8b",
        b"PK\3\4" + bytes(600),
        bytes(128) + b"DICM" + bytes(600),
        b"NRRD0004\n",
        b"{}",
    )
    made = (*others, rng.bytes(int(rng.integers(1, 5000))), GZIP_START + rng.bytes(int(rng.integers(0, 3000))))
    return Damaged(content=made[rng.integers(len(made))])


GZIP_START = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"


def packed(rng: Random, content: bytes) -> bytes:
    """One gzip member of any level."""
    return zlib.compress(content, level=int(rng.integers(0, 10)), wbits=31)


@kind("gzip: truncated")
def _(rng: Random) -> Damaged:
    content = packed(rng, any_good(rng))
    places = (3, 9, 10, 11, 18, len(content) - 9, len(content) - 8, len(content) - 4, len(content) - 1)
    return Damaged(content=content[: chosen(rng, *places, int(rng.integers(1, len(content))))])


@kind("gzip: flipped bits")
def _(rng: Random) -> Damaged:
    content = bytearray(packed(rng, any_good(rng)))
    for bit in rng.integers(16, 8 * len(content), rng.integers(1, 5)):
        content[bit // 8] ^= 1 << int(bit % 8)
    return Damaged(content=bytes(content))


@kind("gzip: random bytes")
def _(rng: Random) -> Damaged:
    content = bytearray(packed(rng, any_good(rng)))
    start, size = int(rng.integers(2, len(content))), int(rng.choice([1, 4, 40, 400]))
    content[start : start + size] = rng.bytes(min(size, len(content) - start))
    return Damaged(content=bytes(content))


@kind("gzip: several members (harmless)")
def _(rng: Random) -> Damaged:
    content = any_good(rng)
    cuts = [0, *sorted(int(at) for at in rng.integers(0, len(content) + 1, rng.integers(1, 9))), len(content)]
    members = [with_header(rng, packed(rng, content[a:b])) for a, b in pairwise(cuts)]
    return Damaged(content=b"".join(members) + bytes(int(rng.integers(0, 600))), harmless=True)


@kind("gzip: a damaged member among good ones")
def _(rng: Random) -> Damaged:
    content = any_good(rng)
    cut = int(rng.integers(1, len(content)))
    first, second = packed(rng, content[:cut]), bytearray(packed(rng, content[cut:]))
    second[int(rng.integers(len(second)))] ^= 1 << int(rng.integers(8))
    between = b"" if rng.random() < 0.7 else rng.bytes(int(rng.integers(1, 30)))
    return Damaged(content=first + between + bytes(second))


@kind("gzip: other bytes behind it")
def _(rng: Random) -> Damaged:
    content = packed(rng, any_good(rng))
    return Damaged(content=content + bytes(int(rng.integers(0, 3))) + b"\1" + rng.bytes(int(rng.integers(0, 2000))))


def with_header(rng: Random, member: bytes) -> bytes:
    """A gzip member with some of the optional parts of its header."""
    flags = int(rng.integers(0, 32))
    head = bytearray(member[:10])
    head[3] = flags
    if flags & 4:
        size = int(rng.integers(0, 40))
        head += struct.pack("<H", size) + rng.bytes(size)
    if flags & 8:
        head += b"a name.nii\0"
    if flags & 16:
        head += b"a comment\0"
    if flags & 2:
        head += struct.pack("<H", zlib.crc32(head) & 0xFFFF)
    return bytes(head) + member[10:]


@cache
def _zeros(megabytes: int) -> bytes:
    return zlib.compress(bytes(megabytes << 20), level=9, wbits=31)


@kind("gzip: bombs")
def _(rng: Random) -> Damaged:
    content = bytearray(any_good(rng))
    head = fields_of(content)
    members = int(rng.integers(1, 5))
    if rng.random() < 0.5:
        # more follows than the header promises
        return Damaged(content=packed(rng, bytes(content)) + 4 * members * _zeros(16))
    # more is promised than follows; nearly everything that deflate could make of so small a file
    head["dim"][1:5] = (400, 300, 40, 40) if rng.random() < 0.5 else (32767, 32767, 32767, 32767)
    return Damaged(content=packed(rng, bytes(content[: head.nbytes + 4])) + members * _zeros(1))
