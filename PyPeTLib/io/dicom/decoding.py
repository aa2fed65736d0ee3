"""Compressed pixels: through what pydicom finds installed, or through SimpleITK where that is there (3D Slicer)."""

from __future__ import annotations

import importlib
import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from PyPeTLib.errors import InputError
from PyPeTLib.io.dicom.image import Header

_FAILURES = (
    *(ValueError, TypeError, AttributeError, RuntimeError, NotImplementedError, KeyError, IndexError, OSError),
    *(EOFError, MemoryError, struct.error, ImportError),
)
"""What pydicom and the decoders below it raise for compressed data that are damaged or that none of them knows."""


def decoded(header: Header) -> npt.NDArray[Any]:
    """All images of a file as stored, before slope and intercept.

    Raises
    ------
    InputError
        If the data are damaged, or no decoder for them is installed; the message names the file and what to install.
    """
    try:
        array = _through_pydicom(header)
    except _FAILURES as error:
        if _has_decoder(header.syntax):
            raise InputError(
                f"{header.name}: this DICOM file is damaged: its compressed pixels ({_syntax_name(header.syntax)}) "
                f"cannot be decoded ({type(error).__name__}). Copy or export it again."
            ) from None
    else:
        return array
    other = _through_simpleitk(header)
    if other is None:
        raise InputError(
            f"{header.name}: the pixels are compressed ({_syntax_name(header.syntax)}), and no decoder for that is "
            "installed. Install one with pip install '.[dicom]' (python-gdcm), or export the series uncompressed."
        )
    return other


def _through_pydicom(header: Header) -> npt.NDArray[Any]:
    from pydicom import dcmread  # noqa: PLC0415 - NIfTI needs no pydicom

    array: npt.NDArray[Any] = dcmread(header.path, force=True).pixel_array
    return array


def _has_decoder(syntax: str) -> bool:
    """Whether pydicom has what it takes to read a transfer syntax."""
    try:
        from pydicom.pixels.decoders.base import get_decoder  # noqa: PLC0415 - pydicom 3
    except ImportError:
        from pydicom import config  # noqa: PLC0415 - pydicom 2
        from pydicom.uid import UID  # noqa: PLC0415 - pydicom 2

        return any(
            one.is_available() and one.supports_transfer_syntax(UID(syntax)) for one in config.pixel_data_handlers
        )
    try:
        return bool(get_decoder(syntax).is_available)
    except NotImplementedError:
        return False


def _syntax_name(syntax: str) -> str:
    from pydicom.uid import UID  # noqa: PLC0415 - NIfTI needs no pydicom

    name = UID(syntax).name
    return f"transfer syntax {name}" if name == syntax else f"transfer syntax {name}, {syntax}"


def _through_simpleitk(header: Header) -> npt.NDArray[Any] | None:
    """Stored values of a file with one image through SimpleITK's GDCM; None where that cannot serve."""
    pixels = header.format
    if header.n_frames != 1 or pixels is None or pixels.floating:
        # GDCM has one slope for all images of a file
        return None
    try:
        sitk: Any = importlib.import_module("SimpleITK")
    except ImportError:
        return None
    try:
        reader = sitk.ImageFileReader()
        reader.SetImageIO("GDCMImageIO")
        reader.SetFileName(str(header.path))
        values = sitk.GetArrayFromImage(reader.Execute())
        slope, intercept = (_metadata(reader, key, other) for key, other in (("0028|1053", 1.0), ("0028|1052", 0.0)))
    except RuntimeError:
        return None
    # GDCM applies slope and intercept, which are undone here
    stored = (values.astype(np.float64) - intercept) / (slope or 1.0)
    whole = np.rint(stored)
    if np.abs(whole - stored).max() > 0.01:
        return None
    found: npt.NDArray[np.int64] = whole.astype(np.int64)
    return found


def _metadata(reader: Any, key: str, other: float) -> float:
    return float(reader.GetMetaData(key)) if reader.HasMetaDataKey(key) else other
