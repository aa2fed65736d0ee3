"""Pixels of DICOM images: straight from the file where they are not compressed, through a decoder where they are."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from PyPeTLib.errors import InputError
from PyPeTLib.io.dicom.decoding import decoded
from PyPeTLib.io.dicom.image import EXPLICIT_LITTLE, IMPLICIT_LITTLE, Header, Image, PixelFormat

_PIXEL_ELEMENTS = frozenset(((0x7FE0, 0x0010), (0x7FE0, 0x0008), (0x7FE0, 0x0009)))
"""Pixel Data, Float Pixel Data and Double Float Pixel Data."""

Plane = npt.NDArray[Any]
"""Stored values of one image, shape (rows, columns)."""


def check_pixels(header: Header) -> None:
    """Refuse a file whose pixels are absent or of a kind that cannot be used.

    Raises
    ------
    InputError
    """
    if header.offset < 0:
        raise InputError(f"{header.name}: the file ends before its pixels: it is truncated. Copy or export it again.")
    pixels = header.format
    if pixels is None or pixels.allocated not in (8, 16, 32, 64) or pixels.samples != 1:
        bits = pixels.allocated if pixels else 0
        raise InputError(f"{header.name}: images of {bits} bits a pixel cannot be read; 8, 16, 32 or 64 are needed.")


def stored_type(pixels: PixelFormat) -> np.dtype[Any]:
    """The numpy type of what `planes` gives."""
    letter = "f" if pixels.floating else "i" if pixels.signed else "u"
    return np.dtype(f"{letter}{pixels.allocated // 8}")


def planes(header: Header, images: Sequence[Image]) -> Iterator[tuple[Image, Plane]]:
    """Stored values of some images of a file, before slope and intercept.

    Raises
    ------
    InputError
        If the file is truncated or damaged, or no decoder reads its compression.
    """
    pixels = header.format
    assert pixels is not None  # noqa: S101 - checked by check_pixels
    if header.syntax in (IMPLICIT_LITTLE, EXPLICIT_LITTLE):
        for image, plane in _plain(header, pixels, images):
            yield image, _significant(plane, pixels)
        return
    with warnings.catch_warnings():
        # they quote values of the file
        warnings.simplefilter("ignore")
        array = decoded(header)
    shape = (header.n_frames, pixels.rows, pixels.columns)
    if array.size != np.prod(shape):
        raise InputError(
            f"{header.name}: this DICOM file is damaged: it holds pixels of the shape {array.shape} instead of {shape}."
        )
    array = array.reshape(shape)
    for image in images:
        yield image, _significant(array[image.index].astype(stored_type(pixels), copy=False), pixels)


def _plain(header: Header, pixels: PixelFormat, images: Sequence[Image]) -> Iterator[tuple[Image, Plane]]:
    """Planes that lie in the file as they are."""
    kind = stored_type(pixels).newbyteorder("<")
    size = pixels.rows * pixels.columns * kind.itemsize
    try:
        with header.path.open("rb") as file:
            file.seek(header.offset)
            start, length = _element(file.read(12), header)
            if length < header.n_frames * size:
                raise InputError(
                    f"{header.name}: this DICOM file is damaged: it holds {length} bytes of pixels, and "
                    f"{header.n_frames * size} are needed. Copy or export it again."
                )
            for image in images:
                file.seek(start + image.index * size)
                content = file.read(size)
                if len(content) < size:
                    raise InputError(
                        f"{header.name}: the file is truncated: its pixels end after {len(content)} of {size} bytes"
                        f"{f' of image {image.index + 1}' if header.n_frames > 1 else ''}. Copy or export it again."
                    )
                yield image, np.frombuffer(content, kind).reshape(pixels.rows, pixels.columns)
    except OSError as error:
        raise InputError(f"{header.name}: the file cannot be read: {error.strerror or error}.") from error


def _element(head: bytes, header: Header) -> tuple[int, int]:
    """Where the value of the pixel element begins, and its length in bytes."""
    if len(head) < 12 or struct.unpack("<HH", head[:4]) not in _PIXEL_ELEMENTS:
        raise InputError(f"{header.name}: this DICOM file is damaged: it holds no pixels. Copy or export it again.")
    if header.syntax == IMPLICIT_LITTLE:
        return header.offset + 8, int.from_bytes(head[4:8], "little")
    return header.offset + 12, int.from_bytes(head[8:12], "little")


def _significant(plane: Plane, pixels: PixelFormat) -> Plane:
    """The bits that count, with their sign; the others may hold anything (DICOM PS3.5, 8.1.1)."""
    if pixels.floating or pixels.stored == pixels.allocated:
        return plane
    left = pixels.allocated - 1 - pixels.high_bit
    right = pixels.allocated - pixels.stored
    return np.right_shift(np.left_shift(plane, left), right)
