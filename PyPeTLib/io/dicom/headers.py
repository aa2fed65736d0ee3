"""Reading headers: each DICOM file becomes a `Header` and its images, without the pixels."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from PyPeTLib.errors import InputError
from PyPeTLib.io.dicom.clocks import LABELS
from PyPeTLib.io.dicom.enhanced import frame_images
from PyPeTLib.io.dicom.image import DEFLATED, EXPLICIT_LITTLE, IMPLICIT_LITTLE, Header, Image, PixelFormat
from PyPeTLib.io.dicom.marks import Found
from PyPeTLib.io.dicom.values import (
    PHILIPS,
    UNUSABLE,
    file_clocks,
    labels,
    milliseconds,
    number,
    numbers,
    text,
    texts,
    whole,
)

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_TAGS = (
    *("SpecificCharacterSet", "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "SeriesNumber"),
    *("SeriesDescription", "Modality", "ImageType", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit"),
    *("PixelRepresentation", "SamplesPerPixel", "NumberOfFrames", "LossyImageCompression", "ImagePositionPatient"),
    *(
        "ImageOrientationPatient",
        "PixelSpacing",
        "SliceThickness",
        "SpacingBetweenSlices",
        "RescaleSlope",
        "RescaleIntercept",
        "EchoTime",
        "RepetitionTime",
    ),
    *("ScanningSequence", "EchoPlanarPulseSequence", "MRAcquisitionType", "DiffusionBValue", "InstanceNumber"),
    *("AcquisitionDate", "AcquisitionTime", "AcquisitionDateTime", "ContentDate", "ContentTime", "TriggerTime"),
    *("TemporalPositionTimeOffset", "NominalCardiacTriggerDelayTime", "NumberOfTemporalPositions"),
    *("AcquisitionDuration", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", *LABELS),
)


_IMAGE_CLASSES = frozenset(f"1.2.840.10008.5.1.4.1.1.{kind}" for kind in ("2", "2.1", "2.2", "4", "4.1", "4.4"))
"""CT and MR images: single-frame, enhanced, and converted from old ones."""


def read_headers(files: Iterable[Found]) -> list[tuple[Header, tuple[Image, ...]]]:
    """Headers and images of DICOM files, in their order.

    Raises
    ------
    InputError
        If a file is damaged; the message names it.
    """
    from pydicom.tag import Tag  # noqa: PLC0415 - NIfTI needs no pydicom

    tags = [Tag(keyword) for keyword in _TAGS]
    tags += [Tag(0x2005, element) for element in range(0x10, 0x20)]
    tags += [Tag(0x2005, block << 8 | PHILIPS[1]) for block in range(0x10, 0x20)]
    # pydicom's warnings quote values of the file, the patient's among them
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [_read(file, tags) for file in files]


def _read(file: Found, tags: list[Any]) -> tuple[Header, tuple[Image, ...]]:
    from pydicom import dcmread  # noqa: PLC0415 - NIfTI needs no pydicom
    from pydicom.errors import InvalidDicomError  # noqa: PLC0415 - NIfTI needs no pydicom

    try:
        with file.path.open("rb") as handle:
            dataset = dcmread(handle, stop_before_pixels=True, force=True, specific_tags=tags)
            offset = handle.tell()
        size = file.path.stat().st_size
    except OSError as error:
        raise InputError(f"{file.name}: the file cannot be read: {error.strerror or 'it is damaged'}.") from None
    except (*UNUSABLE, InvalidDicomError, MemoryError, RecursionError) as error:
        raise InputError(
            f"{file.name}: this DICOM file is damaged: its header cannot be read ({type(error).__name__}). Copy or "
            "export it again."
        ) from None
    syntax = _syntax(dataset)
    # a deflated data set is unpacked elsewhere: where its pixels begin is not a place in the file
    header = _header(file, dataset, syntax, offset if offset < size else 0 if syntax == DEFLATED else -1)
    is_cut = header.offset < 0 and header.sop_class in _IMAGE_CLASSES
    if is_cut or not (header.series and header.sop_class):
        raise InputError(
            f"{file.name}: this DICOM file is damaged: it ends before its pixels, or in its header. Copy or export it "
            "again, or move it out of the folder."
        )
    return header, _images(header, dataset)


def _syntax(dataset: Dataset) -> str:
    meta = getattr(dataset, "file_meta", None)
    syntax = str(getattr(meta, "TransferSyntaxUID", "") or "")
    if syntax:
        return syntax
    # without file meta information only pydicom's guess of the encoding is left
    return IMPLICIT_LITTLE if getattr(dataset, "is_implicit_VR", True) else EXPLICIT_LITTLE


def _header(file: Found, dataset: Dataset, syntax: str, offset: int) -> Header:
    scanning = texts(dataset, "ScanningSequence")
    duration = number(dataset, "AcquisitionDuration")
    return Header(
        path=file.path,
        name=file.name,
        uid=text(dataset, "SOPInstanceUID"),
        series=text(dataset, "SeriesInstanceUID"),
        number=whole(dataset, "SeriesNumber"),
        description=_description(dataset),
        modality=text(dataset, "Modality"),
        sop_class=text(dataset, "SOPClassUID"),
        image_type=tuple(part.upper() for part in texts(dataset, "ImageType")),
        syntax=syntax,
        offset=offset,
        format=_pixel_format(dataset),
        n_frames=whole(dataset, "NumberOfFrames") or 1,
        is_enhanced="PerFrameFunctionalGroupsSequence" in dataset,
        is_epi="EP" in scanning or text(dataset, "EchoPlanarPulseSequence") == "YES",
        is_3d=text(dataset, "MRAcquisitionType") == "3D",
        is_diffusion=(number(dataset, "DiffusionBValue") or 0) > 0 or "DIFFUSION" in texts(dataset, "ImageType"),
        repetition_time=milliseconds(dataset, "RepetitionTime"),
        acquisition_duration=duration,
        n_temporal=whole(dataset, "NumberOfTemporalPositions"),
    )


def _description(dataset: Dataset) -> str:
    """SeriesDescription, in whatever character set the file uses."""
    try:
        return str(dataset.get("SeriesDescription") or "").strip()
    except UNUSABLE:
        return ""


def _pixel_format(dataset: Dataset) -> PixelFormat | None:
    rows, columns = whole(dataset, "Rows"), whole(dataset, "Columns")
    allocated = whole(dataset, "BitsAllocated")
    if not rows or not columns or not allocated:
        return None
    stored = whole(dataset, "BitsStored")
    high = whole(dataset, "HighBit")
    stored = allocated if stored is None or not 0 < stored <= allocated else stored
    return PixelFormat(
        rows=rows,
        columns=columns,
        allocated=allocated,
        stored=stored,
        high_bit=stored - 1 if high is None or not stored - 1 <= high < allocated else high,
        signed=whole(dataset, "PixelRepresentation") == 1,
        # integers always say whether they are signed; floating-point pixels never do
        floating="PixelRepresentation" not in dataset and allocated in (32, 64),
        samples=whole(dataset, "SamplesPerPixel") or 1,
        lossy=text(dataset, "LossyImageCompression") == "01",
    )


def _images(header: Header, dataset: Dataset) -> tuple[Image, ...]:
    if header.format is None:
        return ()
    if header.is_enhanced:
        return frame_images(header, dataset)
    slope, intercept = number(dataset, "RescaleSlope"), number(dataset, "RescaleIntercept")
    return tuple(
        Image(
            header=header,
            index=index,
            position=numbers(dataset, "ImagePositionPatient", 3),
            orientation=numbers(dataset, "ImageOrientationPatient", 6),
            spacing=numbers(dataset, "PixelSpacing", 2),
            thickness=number(dataset, "SpacingBetweenSlices") or number(dataset, "SliceThickness"),
            slope=1.0 if slope is None else slope,
            intercept=intercept or 0.0,
            is_scaled=slope is not None and intercept is not None,
            echo_time=milliseconds(dataset, "EchoTime"),
            clocks=file_clocks(dataset),
            labels=labels(dataset),
            instance=whole(dataset, "InstanceNumber"),
        )
        for index in range(header.n_frames)
    )
