"""Who and when: patient and study of the source, unique identifiers, dates.

The same input gives the same bytes, and so the same identifiers: a SOP Instance UID stands for one content only
(PS3.3, C.12.1.1.1), hence they are made of a hash of everything else that the object says, the identifiers of the
source among it. The root 2.25 takes a UUID as a number (PS3.5, B.2), here one of version 5 (RFC 9562).

For the same reason the dates of the content are those of the source's last acquisition, whose state it shows, and the
optional date of creation is left out: the clock would make two contents of one identifier.
"""

from __future__ import annotations

import hashlib
import itertools
import mmap
import uuid
from pathlib import Path
from typing import Any

import highdicom as hd
from pydicom.dataset import Dataset
from pydicom.uid import UID

from PyPeTLib.report.dicom.source import Source
from PyPeTLib.version import __version__

MAKER = "PyPeT"
RESEARCH = "research use only"
NAMESPACE = uuid.UUID("8bd40afb-1cd3-4255-b378-62094ab8f81a")
DIGITS = 39
"""Of the largest UUID as a number."""
_STAND_INS = {part: f"2.25.{number:0<{DIGITS}}" for number, part in enumerate(("instance", "series", "dimensions"), 1)}
IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
_CLOCK = (
    "InstanceCreationDate",
    "InstanceCreationTime",
    "DateOfSecondaryCapture",
    "TimeOfSecondaryCapture",
)
_LEFT_EMPTY = (
    *("PatientID", "PatientName", "PatientBirthDate", "PatientSex"),
    *("AccessionNumber", "StudyID", "StudyDate", "StudyTime", "ReferringPhysicianName"),
)

_INHERITED = (
    "PositionReferenceIndicator",
    *("LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod"),
)
"""What is lost in the source is lost in what is made of it."""


def stand_in(source: Source) -> Dataset:
    """A dataset that stands for a source image where highdicom wants one.

    It knows neither patient nor dates, which highdicom would check, change or quote in warnings; `signed` copies them
    as they are. Its class has a frame of reference like all sources, whatever theirs is.
    """
    anchor = Dataset()
    for keyword in _LEFT_EMPTY:
        setattr(anchor, keyword, "")
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID"):
        setattr(anchor, keyword, source.header[keyword].value)
    anchor.SOPClassUID = IMAGE_STORAGE
    anchor.Modality = source.header.get("Modality", "OT")
    for keyword in _INHERITED:
        if keyword in source.header:
            anchor[keyword] = source.header[keyword]
    return anchor


def signed(made: hd.base.SOPClass, source: Source) -> None:
    """Give an object the patient and study of the source as they stand there, and its dates.

    Attributes are those of the modules of patient and study: what identifies the patient is copied on purpose, or the
    object would belong to nobody.
    """
    header = Dataset()
    header.update(source.header)
    header.SOPClassUID = IMAGE_STORAGE
    made.copy_patient_and_study_information(header)
    if "SpecificCharacterSet" in source.header:
        made.SpecificCharacterSet = source.header.SpecificCharacterSet
    for keyword in _CLOCK:
        made.pop(keyword, None)
    for equipment_item in made.get("ContributingEquipmentSequence", ()):
        equipment_item.pop("ContributionDateTime", None)
    _date(made, *source.moment)


def write_identified(made: hd.base.SOPClass, path: Path) -> None:
    """Write an object with identifiers made of its content.

    It is encoded once, with stand-ins that are as long as the identifiers and give way to them in the file: most of
    the time goes into thousands of references, most of the memory into voxels.
    """
    _name(made, *_STAND_INS.values())
    made.save_as(path, enforce_file_format=True)
    with path.open("r+b") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        with mmap.mmap(file.fileno(), 0) as content:
            for part, stands_in in _STAND_INS.items():
                _replace(content, stands_in.encode("ascii"), _uid(f"{part} {digest}").encode("ascii"))


def _replace(content: mmap.mmap, old: bytes, new: bytes) -> None:
    """Put bytes in the place of as many others, wherever they occur."""
    at = content.find(old)
    while at >= 0:
        content[at : at + len(old)] = new
        at = content.find(old, at + len(new))


def equipment(source: Source, offset: int, what: str) -> dict[str, Any]:
    """The arguments of highdicom's constructors that say what made an object, and of which series it is."""
    return {
        "series_instance_uid": _STAND_INS["series"],
        "series_number": source.series_number(offset),
        "sop_instance_uid": _STAND_INS["instance"],
        "instance_number": 1,
        "manufacturer": MAKER,
        "manufacturer_model_name": MAKER,
        "software_versions": f"{MAKER} {__version__}",
        "device_serial_number": __version__,
        "series_description": f"{MAKER} {what}, {RESEARCH}"[:64],
    }


def _uid(text: str) -> str:
    """An identifier made of a text; those with fewer than the most digits are passed over, so that all are as long."""
    found = (uuid.uuid5(NAMESPACE, f"{text} {number}").int for number in itertools.count())
    return f"2.25.{next(number for number in found if number >= 10 ** (DIGITS - 1))}"


def _date(made: Dataset, date: str, time: str) -> None:
    made.ContentDate, made.ContentTime = date, time


def _name(made: Dataset, instance: str, series: str, dimensions: str) -> None:
    made.SOPInstanceUID = instance
    made.file_meta.MediaStorageSOPInstanceUID = UID(instance)
    made.SeriesInstanceUID = series
    for item in (*made.get("DimensionOrganizationSequence", ()), *made.get("DimensionIndexSequence", ())):
        item.DimensionOrganizationUID = dimensions
