"""What the objects take from the source files: patient and study, frame of reference, and what to refer to."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from PyPeTLib.errors import InputError
from PyPeTLib.report.dicom.planes import Planes

_NEEDED = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "FrameOfReferenceUID")
_ONE_OF_ALL = ("PatientID", "StudyInstanceUID", "FrameOfReferenceUID")
"""Attributes that must be the same in all files, or they are no one scan."""
_MOMENTS = (
    ("AcquisitionDate", "AcquisitionTime"),
    ("ContentDate", "ContentTime"),
    ("SeriesDate", "SeriesTime"),
    ("StudyDate", "StudyTime"),
)
_READ = (
    *_NEEDED,
    *_ONE_OF_ALL,
    *(keyword for pair in _MOMENTS for keyword in pair),
    "AcquisitionDateTime",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "NumberOfFrames",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
)
NO_MOMENT = ("19000101", "000000")
"""Where the source tells no time at all: the objects must carry one."""
HIGHEST_NUMBER = 2**31 - 1


@dataclass(frozen=True)
class Instance:
    """A source file as others refer to it."""

    sop_class: str
    uid: str
    series: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """The source files.

    Attributes
    ----------
    header : Dataset
        Of the first file, without pixels; holds who the patient is.
    instances : tuple of Instance
        All files, in their order.
    of_plane : tuple of tuple of (int, int)
        For each plane of the maps the images that lie in it: index of the instance, and number of the frame in it
        (from 1 on, 0 for files of one image). Empty where images could not be told to lie in planes, as for mosaics.
    moment : tuple of str
        Date and time of the last acquisition.
    """

    header: Dataset
    instances: tuple[Instance, ...]
    of_plane: tuple[tuple[tuple[int, int], ...], ...]
    moment: tuple[str, str]

    def series_number(self, offset: int) -> int:
        """Number for a series made of this one: that of the source times 100, and an offset."""
        try:
            number = int(self.header.get("SeriesNumber") or 0)
        except (TypeError, ValueError):
            number = 0
        return (number * 100 if 0 < number < HIGHEST_NUMBER // 100 else 90000) + offset


def read_source(files: Sequence[Path], planes: Planes) -> Source:
    """Read the headers of the source files.

    Raises
    ------
    InputError
        If a file cannot be read, lacks what ties the objects to it, or belongs to another patient, study or frame of
        reference than the first.
    """
    # the warnings would quote what the files say, and that may be the patient's name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        header = _read(files[0])
        heads = [header, *(_read(path, _READ) for path in files[1:])]
        for path, head in zip(files, heads, strict=True):
            _check(path, head, header)
        instances = tuple(Instance(*(str(head[k].value) for k in _NAMES)) for head in heads)
        placed = [_places(head, index, planes) for index, head in enumerate(heads)]
        moment = max(_moment(head) for head in heads)
    of_plane: list[list[tuple[int, int]]] = [[] for _ in range(planes.shape[2])]
    for found in placed:
        for plane, image in found:
            if plane is not None:
                of_plane[plane].append(image)
    complete = all(plane is not None for found in placed for plane, _ in found) and all(of_plane)
    return Source(
        header=header,
        instances=instances,
        of_plane=tuple(tuple(images) for images in of_plane) if complete else (),
        moment=moment,
    )


_NAMES = ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID")


def _read(path: Path, keywords: Sequence[str] | None = None) -> Dataset:
    try:
        return pydicom.dcmread(path, stop_before_pixels=True, specific_tags=None if keywords is None else [*keywords])
    except FileNotFoundError as error:
        raise InputError(f"{path.name}: this source file is gone. Export to DICOM needs the files as read.") from error
    except (OSError, InvalidDicomError, EOFError) as error:
        raise InputError(f"{path.name}: this source file cannot be read as DICOM any more. Export it again.") from error


def _check(path: Path, head: Dataset, first: Dataset) -> None:
    missing = [keyword for keyword in _NEEDED if not head.get(keyword)]
    if missing:
        raise InputError(
            f"{path.name}: the file has no {missing[0]}, so nothing can refer to it. Leave out the export to DICOM, or "
            "use the files of the scanner."
        )
    for keyword in _ONE_OF_ALL:
        if head.get(keyword) != first.get(keyword):
            raise InputError(
                f"{path.name}: the {keyword} differs from that of the first file, so the files are not of one scan of "
                "one patient. Leave out the export to DICOM."
            )


def _places(head: Dataset, index: int, planes: Planes) -> list[tuple[int | None, tuple[int, int]]]:
    """For each image of a file the plane that it lies in, and how to refer to it."""
    if "PerFrameFunctionalGroupsSequence" not in head:
        return [(_plane(head, head, planes), (index, 0))]
    return [
        (_plane(position, orientation, planes), (index, number))
        for number, (position, orientation) in enumerate(_frame_geometry(head), 1)
    ]


def _frame_geometry(head: Dataset) -> Iterator[tuple[Dataset, Dataset]]:
    """Items with the position and the orientation of each frame of a multi-frame image."""
    shared = head.get("SharedFunctionalGroupsSequence") or [Dataset()]
    for group in head.PerFrameFunctionalGroupsSequence:
        items = []
        for keyword in ("PlanePositionSequence", "PlaneOrientationSequence"):
            sequence = group.get(keyword) or shared[0].get(keyword) or [Dataset()]
            items.append(sequence[0])
        yield items[0], items[1]


def _plane(position: Dataset, orientation: Dataset, planes: Planes) -> int | None:
    place, cosines = position.get("ImagePositionPatient"), orientation.get("ImageOrientationPatient")
    if not place or not cosines or len(place) != 3 or len(cosines) != 6:
        return None
    return planes.holding([float(value) for value in place], [float(value) for value in cosines])


def _moment(head: Dataset) -> tuple[str, str]:
    """Date and time of an image as DICOM writes them."""
    stamp = str(head.get("AcquisitionDateTime") or "")
    if len(stamp) >= 14 and stamp[:14].isdigit():
        return stamp[:8], stamp[8:].partition("+")[0].partition("-")[0]
    for date_keyword, time_keyword in _MOMENTS:
        date, time = str(head.get(date_keyword) or ""), str(head.get(time_keyword) or "")
        if len(date) == 8 and date.isdigit() and time[:6].isdigit():
            return date, time
    return NO_MOMENT
