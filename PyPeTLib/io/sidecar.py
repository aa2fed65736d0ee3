"""Facts that the voxels do not hold: frame times, echo time and modality, each with its origin.

Nothing is guessed: a fact comes from an option, from the BIDS sidecar (the JSON file of the same stem beside the
image; Gorgolewski et al. 2016, doi:10.1038/sdata.2016.44), from the header, or it is an error that names the option.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from PyPeTLib.arrays import Curve, Volume
from PyPeTLib.errors import InputError
from PyPeTLib.io.curves import read_frame_times
from PyPeTLib.io.header import ImageHeader
from PyPeTLib.io.stream import read_text
from PyPeTLib.series import Modality, check_frame_times

_SECONDS_PER_UNIT = {"s": 1.0, "ms": 1e-3, "µs": 1e-6}

_NAME_PARTS = {"ctp": Modality.CTP, "dsc": Modality.DSC}
"""Parts of a file name, between underscores, hyphens, dots and blanks, that tell the modality. ``perf`` and ``pwi``
are in use for both."""

_KINDS = {"CT": Modality.CTP, "MR": Modality.DSC}
"""Values of the sidecar's ``Modality``."""

_OTHER_TECHNIQUES = frozenset({"asl", "bold", "dce", "dwi"})
"""Parts of a file name that tell of a series which is neither."""

_HOW_TO_GIVE_TIMES = (
    "Give the seconds from one frame to the next with --frame-interval S, or the time of each frame with "
    "--frame-times FILE."
)


@dataclass(frozen=True, kw_only=True)
class Sidecar:
    """The fields of an image's JSON sidecar; none where there is no such file."""

    path: Path | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the file, for messages."""
        return self.path.name if self.path else "no sidecar"

    def number(self, key: str) -> float | None:
        """A finite number, or None where the field is absent.

        Raises
        ------
        InputError
            If the field holds anything else.
        """
        value = self.fields.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not _finite(value):
            raise InputError(f"{self.path}: {key} must be one number in seconds, found {value!r}.")
        return float(value)

    def numbers(self, key: str) -> Curve | None:
        """A list of finite numbers, or None where the field is absent.

        Raises
        ------
        InputError
            If the field holds anything else.
        """
        value = self.fields.get(key)
        if value is None:
            return None
        if not isinstance(value, list) or not all(
            isinstance(v, int | float) and not isinstance(v, bool) and _finite(v) for v in value
        ):
            raise InputError(f"{self.path}: {key} must be a list of numbers in seconds, found {_short(value)}.")
        return np.array(value, dtype=np.float64)


def image_stem(path: Path) -> str:
    """Name of an image file without ``.nii`` or ``.nii.gz``."""
    return re.sub(r"(\.nii)?(\.gz)?$", "", path.name, flags=re.IGNORECASE)


def read_sidecar(image: Path) -> Sidecar:
    """The JSON sidecar of an image: the file of the same stem beside it, if there is one.

    Raises
    ------
    InputError
        If the file exists but is no JSON object.
    """
    path = image.with_name(image_stem(image) + ".json")
    if not path.exists():
        return Sidecar()
    try:
        fields = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise InputError(f"{path}, line {error.lineno}: this is not valid JSON: {error.msg}.") from error
    except (RecursionError, ValueError) as error:
        raise error if isinstance(error, InputError) else InputError(f"{path}: this is not usable JSON.") from error
    if not isinstance(fields, dict):
        raise InputError(f"{path}: a sidecar is a JSON object with named fields, found {_short(fields)}.")
    return Sidecar(path=path, fields=fields)


def resolve_frame_times(
    header: ImageHeader,
    sidecar: Sidecar,
    *,
    interval: float | None,
    times: str | PathLike[str] | npt.ArrayLike | None,
    name: str,
) -> tuple[Curve, str]:
    """Frame times in seconds, and where they came from.

    The first of these decides: the options; ``VolumeTiming``, ``FrameTimesStart`` or ``RepetitionTime`` of the
    sidecar; ``pixdim[4]`` of the header with a unit of time. With an interval the first frame is at 0 s.

    Returns
    -------
    times : ndarray of float64, shape (t,)
    source : str

    Raises
    ------
    InputError
        If there are no times, or they do not fit the frames.
    """
    n_frames = header.shape[3]
    if interval is not None and times is not None:
        raise InputError(f"{name}: both --frame-interval and --frame-times are given. Give one of them.")
    if times is not None:
        if isinstance(times, str | PathLike):
            found, source = read_frame_times(times), f"--frame-times {Path(times).name}"
        else:
            found, source = _numbers(times, name), "the frame times given"
        return check_frame_times(found, n_frames, name=f"{name} with {source}"), source
    if interval is not None:
        return _even(interval, n_frames, name, f"--frame-interval {interval:g} s")
    for key in ("VolumeTiming", "FrameTimesStart"):
        listed = sidecar.numbers(key)
        if listed is not None:
            if listed.size != n_frames:
                raise InputError(
                    f"{name}: {key} in {sidecar.name} lists {listed.size} frame times, but the image has {n_frames} "
                    f"frames. Correct the sidecar. {_HOW_TO_GIVE_TIMES}"
                )
            source = f"{key} in {sidecar.name}"
            return check_frame_times(listed, n_frames, name=f"{name} with {source}"), source
    repetition = sidecar.number("RepetitionTime")
    if repetition is not None:
        note = ""
        with_header = header.time_step * _SECONDS_PER_UNIT.get(header.time_unit, math.nan)
        if with_header > 0 and not math.isclose(with_header, repetition, rel_tol=0.01):
            note = f" (not {header.time_step:g} {header.time_unit}, as pixdim[4] of the header says)"
        return _even(repetition, n_frames, name, f"RepetitionTime in {sidecar.name} = {repetition:g} s{note}")
    return _times_from_header(header, name)


def resolve_echo_time(echo_time: float | None, sidecar: Sidecar) -> tuple[float | None, str]:
    """Echo time in seconds from the option or else the sidecar, and where it came from; None where there is none.

    Raises
    ------
    InputError
        If the sidecar's value is no number or surely in milliseconds.
    """
    if echo_time is not None:
        return echo_time, f"--echo-time {echo_time:g} s"
    found = sidecar.number("EchoTime")
    if found is None:
        return None, ""
    if found > 1:
        raise InputError(
            f"{sidecar.path}: EchoTime is {found:g}; BIDS gives it in seconds, so this must be milliseconds. Write "
            f"{found / 1000:g} there, or give --echo-time in seconds."
        )
    return found, f"EchoTime in {sidecar.name} = {found:g} s"


def resolve_modality(modality: str, sidecar: Sidecar, first: Volume, *, name: str) -> tuple[Modality, str]:
    """Whether a series is CTP or DSC, and how that is known.

    The first of these decides: the option; ``Modality`` of the sidecar (``CT`` or ``MR``) together with a part
    ``ctp`` or ``dsc`` of the file name; Hounsfield values in the ``first`` frame (see `looks_like_hounsfield`).
    Positive values prove nothing.

    Raises
    ------
    InputError
        If the modality is unknown, contradicted, or DSC for Hounsfield values.
    """
    if modality.casefold() != "auto":
        try:
            kind = Modality(modality.casefold())
        except ValueError as error:
            raise InputError(f"{name}: the modality must be auto, ctp or dsc, found {modality!r}.") from error
        noted = sidecar.fields.get("Modality")
        agrees = noted is None or _KINDS.get(str(noted)) is kind
        source = f"--modality {kind}" + ("" if agrees else f" (Modality in {sidecar.name} is {noted!r})")
    else:
        kind, source = _modality_from_names(sidecar, first, name)
    if kind is Modality.DSC and looks_like_hounsfield(first):
        raise InputError(
            f"{name}: the series is taken for DSC ({source}), but its values are Hounsfield units with air near −1000, "
            "so it is CT. Give --modality ctp, or the right file."
        )
    return kind, source


def looks_like_hounsfield(frame: Volume) -> bool:
    """Whether a frame is certainly CT: over 10 % air (−1200…−800) and over 5 % soft tissue (−20…120)."""
    air = np.count_nonzero((frame >= -1200) & (frame <= -800))
    tissue = np.count_nonzero((frame >= -20) & (frame <= 120))
    return bool(air > 0.1 * frame.size and tissue > 0.05 * frame.size)


def _modality_from_names(sidecar: Sidecar, first: Volume, name: str) -> tuple[Modality, str]:
    parts = set(re.split(r"[^a-z0-9]+", name.casefold()))
    other = parts & _OTHER_TECHNIQUES
    found: dict[str, Modality] = {
        f"{part!r} in the file name": kind for part, kind in _NAME_PARTS.items() if part in parts
    }
    noted = sidecar.fields.get("Modality")
    if noted is not None:
        if str(noted) not in _KINDS:
            raise InputError(
                f"{sidecar.path}: Modality is {noted!r}; PyPeT analyses CT and MR. If the sidecar is wrong, give "
                "--modality ctp or --modality dsc."
            )
        found[f"Modality {noted} in {sidecar.name}"] = _KINDS[str(noted)]
    if found and not other and len(set(found.values())) == 1:
        return next(iter(found.values())), " and ".join(found)
    if not found and not other and looks_like_hounsfield(first):
        return Modality.CTP, "Hounsfield values with air near −1000"
    says = [f"{what} says {kind}" for what, kind in found.items()] + [f"{part!r} is in the file name" for part in other]
    raise InputError(
        f"{name}: whether this is CT perfusion or DSC-MRI cannot be told: {', '.join(says) or 'nothing says so'}. Give "
        "--modality ctp or --modality dsc."
    )


def _times_from_header(header: ImageHeader, name: str) -> tuple[Curve, str]:
    step, unit = header.time_step, header.time_unit
    if not math.isfinite(step) or step <= 0:
        found = "no spacing of the time axis" if math.isnan(step) else f"pixdim[4] = {step:g}"
        raise InputError(
            f"{name}: the frame times are unknown: the header holds {found}, and no sidecar gives them. "
            f"{_HOW_TO_GIVE_TIMES}"
        )
    if unit not in _SECONDS_PER_UNIT:
        what = "without a unit" if unit == "unknown" else f"in {unit}, which is no unit of time"
        raise InputError(
            f"{name}: the frame times are unknown: the header holds pixdim[4] = {step:g} {what}. {_HOW_TO_GIVE_TIMES}"
        )
    # float32 header values such as 1.6000000238 s mean 1.6 s
    interval = float(f"{step:.7g}") * _SECONDS_PER_UNIT[unit]
    return _even(interval, header.shape[3], name, f"pixdim[4] = {step:g} {unit}")


def _even(interval: float, n_frames: int, name: str, source: str) -> tuple[Curve, str]:
    if not math.isfinite(interval) or interval <= 0:
        raise InputError(f"{name}: the frame interval must be a number of seconds above 0, found {source}.")
    times = np.arange(n_frames) * interval
    return check_frame_times(times, n_frames, name=f"{name} with {source}"), source


def _numbers(times: npt.ArrayLike, name: str) -> Curve:
    try:
        return np.asarray(times, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name}: the frame times must be numbers in seconds, found {_short(times)}.") from error


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
