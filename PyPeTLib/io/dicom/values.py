"""Values of DICOM data sets, read with patience: what is absent or unusable is None or empty, never an error."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from PyPeTLib.io.dicom.clocks import LABELS, seconds_of_date, seconds_of_stamp

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

PHILIPS = ("Philips MR Imaging DD 001", 0xA0)
"""Creator and element of Dynamic Scan Begin Time in group 2005, in seconds."""

UNUSABLE = (
    ValueError,
    TypeError,
    OverflowError,
    NotImplementedError,
    AttributeError,
    KeyError,
    EOFError,
    struct.error,
    zlib.error,
)
"""What pydicom raises for damaged elements."""

_BINARY = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d"}
"""Binary value representations as `struct` calls them."""


def file_clocks(dataset: Dataset) -> dict[str, float]:
    """The clocks of a data set that is not made of functional groups, in seconds."""
    found = {
        "AcquisitionDateTime": seconds_of_stamp(text(dataset, "AcquisitionDateTime")),
        "AcquisitionTime": seconds_of_date(text(dataset, "AcquisitionDate"), text(dataset, "AcquisitionTime")),
        "TemporalPositionTimeOffset": number(dataset, "TemporalPositionTimeOffset"),
        "TriggerTime": milliseconds(dataset, "TriggerTime"),
        "NominalCardiacTriggerDelayTime": milliseconds(dataset, "NominalCardiacTriggerDelayTime"),
        "DynamicScanBeginTime": _dynamic_scan_begin(dataset),
        "ContentTime": seconds_of_date(text(dataset, "ContentDate"), text(dataset, "ContentTime")),
    }
    return known(found)


def known(found: Mapping[str, float | None]) -> dict[str, float]:
    """The entries that have a value."""
    return {name: value for name, value in found.items() if value is not None}


def labels(dataset: Dataset) -> dict[str, int]:
    """The attributes of a data set that number its frame."""
    found = {name: whole(dataset, name) for name in LABELS}
    return {name: value for name, value in found.items() if value is not None}


def _dynamic_scan_begin(dataset: Dataset) -> float | None:
    if not any(0x20050010 + block in dataset for block in range(16)):
        return None
    try:
        value = dataset.private_block(0x2005, PHILIPS[0])[PHILIPS[1]].value
        if isinstance(value, bytes):
            # without a value representation the bytes are those of a single float
            (value,) = struct.unpack("<f", value)
        found = float(value)
    except UNUSABLE:
        return None
    return found if math.isfinite(found) else None


def text(dataset: Dataset, keyword: str) -> str:
    """A value as text; empty where it is absent or unusable."""
    return "\\".join(texts(dataset, keyword))


def texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """The values of an attribute as texts; none where it is absent or holds numbers."""
    return tuple(value for value in _values(dataset, keyword) if isinstance(value, str))


def number(dataset: Dataset, keyword: str) -> float | None:
    """A finite number; None where it is absent or unusable."""
    found = numbers(dataset, keyword, 1)
    return None if found is None else found[0]


def numbers(dataset: Dataset, keyword: str, count: int) -> tuple[float, ...] | None:
    """As many finite numbers as asked for; None where they are absent or unusable."""
    try:
        found = tuple(float(value) for value in _values(dataset, keyword))
    except ValueError:
        return None
    return found if len(found) == count and all(map(math.isfinite, found)) else None


def whole(dataset: Dataset, keyword: str) -> int | None:
    """A whole number; None where it is absent or unusable."""
    found = number(dataset, keyword)
    return None if found is None else int(found)


def milliseconds(dataset: Dataset, keyword: str) -> float | None:
    """A number of milliseconds in seconds; None where it is absent or unusable."""
    value = number(dataset, keyword)
    # 30 ms are 0.03 s, not 0.030000000000000002
    return None if value is None else float(f"{value / 1000:.12g}")


def _values(dataset: Dataset, keyword: str) -> tuple[str | float, ...]:
    """The values of an element from its bytes; the objects that pydicom makes of them take ten times as long."""
    tag, representation = _tag(keyword)
    if tag not in dataset:
        return ()
    try:
        element = dataset.get_item(tag)
        value = element.value
    except UNUSABLE:
        return ()
    if isinstance(value, bytes):
        little = bool(getattr(element, "is_little_endian", True))
        return _parsed(value, element.VR or representation, little=little)
    if value is None or value == "":
        return ()
    several = value if isinstance(value, Iterable) and not isinstance(value, str) else (value,)
    return tuple(one if isinstance(one, int | float) else str(one) for one in several)


@lru_cache(maxsize=256)
def _tag(keyword: str) -> tuple[int, str]:
    from pydicom.datadict import dictionary_VR, tag_for_keyword  # noqa: PLC0415 - NIfTI needs no pydicom

    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    return int(tag), str(dictionary_VR(tag))


@lru_cache(maxsize=4096)
def _parsed(value: bytes, representation: str, *, little: bool) -> tuple[str | float, ...]:
    """The values of an element from its bytes (DICOM PS3.5, 6.2)."""
    letter = _BINARY.get(representation)
    if letter is not None:
        count = len(value) // struct.calcsize(letter)
        return struct.unpack(f"{'<' if little else '>'}{count}{letter}", value[: count * struct.calcsize(letter)])
    parts = value.decode("latin-1").split("\\")
    stripped = tuple(part.strip(" \0") for part in parts)
    return stripped if any(stripped) else ()
