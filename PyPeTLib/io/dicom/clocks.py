"""The times that DICOM images carry, in seconds, and the rank of their sources.

Dates and times of day: DICOM PS3.5, 6.2 (DA, TM, DT). Only differences are ever used; no date leaves this package.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

DAY = 86_400.0

_EPOCH = dt.date(2020, 1, 1).toordinal()
"""A day near those of scans, so that microseconds are not lost in the size of the numbers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """A source of times.

    Attributes
    ----------
    name : str
        Of the DICOM attribute, for messages.
    is_of_day : bool
        Whether it counts from midnight, so that it may roll over.
    is_acquisition : bool
        Whether it tells when the data were acquired; else when the image was made.
    """

    name: str
    is_of_day: bool = False
    is_acquisition: bool = True


CLOCKS = (
    Clock(name="FrameAcquisitionDateTime", is_of_day=True),
    Clock(name="FrameReferenceDateTime", is_of_day=True),
    Clock(name="AcquisitionDateTime", is_of_day=True),
    Clock(name="AcquisitionTime", is_of_day=True),
    Clock(name="TemporalPositionTimeOffset"),
    Clock(name="TriggerTime"),
    Clock(name="NominalCardiacTriggerDelayTime"),
    Clock(name="DynamicScanBeginTime"),
    Clock(name="ContentTime", is_of_day=True, is_acquisition=False),
)
"""In the order in which they are trusted."""

LABELS = ("TemporalPositionIdentifier", "TemporalPositionIndex", "AcquisitionNumber")
"""Attributes that number the frames, in the order in which they are trusted."""

_TIME = re.compile(r"(\d{2}):?(\d{2})?:?(\d{2})?(\.\d{1,6})?")
_DATE_AND_TIME = re.compile(r"(\d{8})(\d{2}[\d.]*)(?:[+-]\d{4})?")


def seconds_of_day(text: str) -> float | None:
    """Seconds since midnight of a DICOM time such as ``094107.25``; None where it is none."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups()[:3])
    if hours > 23 or minutes > 59 or seconds > 60:
        return None
    return 3600.0 * hours + 60.0 * minutes + seconds + float(match[4] or 0)


def seconds_of_date(date: str, time: str) -> float | None:
    """Seconds of a date (may be empty) and a time of day, from an arbitrary day on; None where there is no time."""
    second = seconds_of_day(time)
    if second is None:
        return None
    return second + DAY * (_ordinal(date) or 0)


def seconds_of_stamp(stamp: str) -> float | None:
    """Seconds of a DICOM date and time such as ``20200131094107.25+0100``; None where it is none."""
    match = _DATE_AND_TIME.fullmatch(stamp.strip())
    return None if match is None else seconds_of_date(match[1], match[2])


def _ordinal(date: str) -> int | None:
    digits = date.strip().replace(".", "")
    try:
        return dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])).toordinal() - _EPOCH
    except ValueError:
        return None
