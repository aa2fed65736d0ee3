"""When each frame was taken, and other facts, from what a sequence node says; nothing is assumed.

Series imported from DICOM number their frames and keep the times in ``MultiVolume.*`` attributes; files loaded as
sequences have the time as index value. A unit of time is required: bare numbers may be frame numbers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from PyPeTLib.errors import InputError
from PyPeTLib.io.sidecar import Sidecar, looks_like_hounsfield, resolve_modality
from PyPeTLib.series import Modality, check_frame_times

SECONDS_PER_UNIT = {
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "seconds": 1.0,
    "ms": 1e-3,
    "msec": 1e-3,
    "millisecond": 1e-3,
    "milliseconds": 1e-3,
    "us": 1e-6,
    "µs": 1e-6,
    "min": 60.0,
    "minute": 60.0,
}
"""Units of time as importers write them. ``count`` (of TemporalPositionIdentifier) is none."""

PLAUSIBLE_STEPS = (0.2, 10.0)
"""Seconds between frames that need no confirmation."""

HOW_TO_GIVE = (
    "Give the seconds from one frame to the next with --frame-interval S, or all times with --frame-times FILE."
)

LABELS = "MultiVolume.FrameLabels"
LABEL_UNIT = "MultiVolume.FrameIdentifyingDICOMTagUnits"
REPETITION_TIME = "MultiVolume.DICOM.RepetitionTime"
ECHO_TIME = "MultiVolume.DICOM.EchoTime"
OWN_ECHO_TIME = "PyPeT.EchoTime"
OWN_MODALITY = "PyPeT.Modality"
TIMES_FROM = "PyPeT.FrameTimesFrom"
"""What of the files the index values in seconds came from."""

REMARKS = "PyPeT.Remarks"
"""What else a reader of the results should know of the values."""

SLICE_TIMES = "PyPeT.SliceTimes"
"""Seconds from the start of a frame to each of its slices, from the lowest slice to the highest."""


@dataclass(frozen=True, kw_only=True)
class SequenceFacts:
    """What a sequence node says about itself, as text.

    Attributes
    ----------
    name : str
    index_unit : str
    index_values : tuple of str
        One for each frame.
    attributes : mapping of str to str
        Of the sequence node; what it leaves out, of its first frame.
    """

    name: str
    index_unit: str
    index_values: tuple[str, ...]
    attributes: Mapping[str, str]

    @classmethod
    def of(cls, sequence: Any) -> SequenceFacts:
        """The facts of a ``vtkMRMLSequenceNode``."""
        count = sequence.GetNumberOfDataNodes()
        attributes: dict[str, str] = {}
        for node in ([sequence.GetNthDataNode(0)] if count else []) + [sequence]:
            attributes |= {name: node.GetAttribute(name) or "" for name in node.GetAttributeNames()}
        return cls(
            name=sequence.GetName() or "sequence",
            index_unit=sequence.GetIndexUnit() or "",
            index_values=tuple(sequence.GetNthIndexValue(i) for i in range(count)),
            attributes=attributes,
        )

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self.index_values)

    def milliseconds(self, name: str) -> float | None:
        """A positive attribute in ms, in seconds; None where it is absent or no such number."""
        try:
            value = float(self.attributes.get(name, ""))
        except ValueError:
            return None
        return value / 1000 if math.isfinite(value) and value > 0 else None


def frame_times(facts: SequenceFacts, override: str = "") -> tuple[np.ndarray[Any, Any], str]:
    """Frame times in seconds, and where they came from.

    The first of these decides: the user's text; frame labels with a unit of time; index values with a unit of time.

    Parameters
    ----------
    facts : SequenceFacts
    override : str
        Seconds from one frame to the next, or one time for each frame; empty for none.

    Raises
    ------
    InputError
        If the times are unknown or cannot be right; the message says what was found.
    """
    if override.strip():
        return _given(facts, override)
    problems = []
    origin = facts.attributes.get(TIMES_FROM, "")
    for what, values, unit in (
        (LABELS, _labels(facts), facts.attributes.get(LABEL_UNIT, "")),
        (f"index of the sequence{origin and f' ({origin})'}", facts.index_values, facts.index_unit),
    ):
        found, problem = _with_unit(values, unit, facts)
        if found is not None:
            return found, f"{what}, in {unit}"
        if problem:
            problems.append(f"{what}: {problem}")
    listed = "; ".join(problems) or "the sequence holds no times"
    raise InputError(f"{facts.name}: the frame times are unknown ({listed}). {HOW_TO_GIVE}")


def slice_times(facts: SequenceFacts, override: str = "") -> tuple[tuple[float, ...] | None, str]:
    """Slice times in seconds from the lowest slice to the highest, and where they came from; None without any.

    Parameters
    ----------
    facts : SequenceFacts
    override : str
        The user's text, one time for each slice; empty for what the sequence says.

    Raises
    ------
    InputError
        If they are no numbers. How many there must be is known to the series.
    """
    text, source = override, "given: one time for each slice"
    if not text.strip():
        text, source = facts.attributes.get(SLICE_TIMES, ""), SLICE_TIMES
    if not text.strip():
        return None, ""
    return tuple(map(float, _numbers(text, f"{facts.name}: the slice times", "Give them with --slice-times."))), source


def remarks(facts: SequenceFacts) -> dict[str, str]:
    """What else a reader of the results should know of the series, as sources of a `LoadedSeries`."""
    told = facts.attributes.get(REMARKS, "")
    return {"remarks": told} if told else {}


def offered_interval(facts: SequenceFacts) -> float | None:
    """The repetition time in seconds where it may be the frame interval; the user has to confirm it."""
    seconds = facts.milliseconds(REPETITION_TIME)
    if seconds is None or not PLAUSIBLE_STEPS[0] <= seconds <= PLAUSIBLE_STEPS[1]:
        return None
    return seconds


def echo_time(facts: SequenceFacts) -> float | None:
    """The echo time in seconds that the attributes propose."""
    return facts.milliseconds(OWN_ECHO_TIME) or facts.milliseconds(ECHO_TIME)


def modality(facts: SequenceFacts, first_frame: np.ndarray[Any, Any] | None = None) -> tuple[Modality | None, str]:
    """The modality that attributes, name or Hounsfield values propose, and why; None where nothing tells.

    Parameters
    ----------
    facts : SequenceFacts
    first_frame : ndarray, shape (x, y, z), optional
    """
    noted = facts.attributes.get(OWN_MODALITY) or facts.attributes.get("DICOM.Modality") or ""
    if noted.casefold() in list(Modality):
        return Modality(noted.casefold()), f"{OWN_MODALITY} {noted}"
    fields = {"Modality": noted} if noted else {}
    frame = np.zeros((1, 1, 1), np.float32) if first_frame is None else first_frame
    if not noted and not looks_like_hounsfield(frame) and facts.milliseconds(ECHO_TIME) is not None:
        fields = {"Modality": "MR"}
    try:
        return resolve_modality("auto", Sidecar(fields=fields), frame, name=facts.name)
    except InputError:
        return None, ""


def _given(facts: SequenceFacts, override: str) -> tuple[np.ndarray[Any, Any], str]:
    numbers = _numbers(override, f"{facts.name}: the frame times", HOW_TO_GIVE)
    if numbers.size == 1:
        interval = float(numbers[0])
        if not (math.isfinite(interval) and interval > 0):
            found = override.strip()
            raise InputError(f"{facts.name}: the frame interval must be a number of seconds above 0, found {found}.")
        return check_frame_times(np.arange(facts.n_frames) * interval, facts.n_frames, name=facts.name), (
            f"given: {interval:g} s apart"
        )
    return check_frame_times(numbers, facts.n_frames, name=facts.name), "given: one time for each frame"


def _numbers(text: str, what: str, how_to_give: str) -> np.ndarray[Any, Any]:
    try:
        return np.array([float(word) for word in re.split(r"[\s,;]+", text.strip()) if word])
    except ValueError as error:
        found = text.strip()[:60]
        raise InputError(f"{what} must be numbers in seconds, found {found!r}. {how_to_give}") from error


def _labels(facts: SequenceFacts) -> tuple[str, ...]:
    text = facts.attributes.get(LABELS, "")
    return tuple(part.strip() for part in text.split(",")) if text.strip() else ()


def _with_unit(values: tuple[str, ...], unit: str, facts: SequenceFacts) -> tuple[np.ndarray[Any, Any] | None, str]:
    """Times from texts with a unit, or why they are none; an empty reason where there is nothing to speak of."""
    if not values:
        return None, ""
    factor = SECONDS_PER_UNIT.get(unit.strip().casefold())
    if factor is None:
        return None, f"{unit!r} is no unit of time" if unit.strip() else "no unit of time"
    try:
        times = factor * np.array([float(value) for value in values])
    except ValueError:
        return None, "not all of them are numbers"
    try:
        # values such as 1600.0000238 ms mean 1.6 s
        checked = check_frame_times(np.round(times, 6), facts.n_frames, name=facts.name)
    except InputError as error:
        return None, str(error).removeprefix(f"{facts.name}: ").split(". ")[0].rstrip(".")
    steps = np.diff(checked)
    low, high = PLAUSIBLE_STEPS
    if steps.min() < low or steps.max() > high:
        return None, f"frames {steps.min():g} to {steps.max():g} s apart are not plausible"
    return checked, ""
