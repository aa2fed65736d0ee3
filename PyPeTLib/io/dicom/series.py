"""The series in a folder: what each of them is, whether it is a perfusion series, and what to know about it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import Curve
from PyPeTLib.io.dicom.headers import read_headers
from PyPeTLib.io.dicom.image import Header, Image
from PyPeTLib.io.dicom.marks import Paths, dicom_files
from PyPeTLib.io.dicom.ordering import Order, order_frames
from PyPeTLib.io.dicom.problems import SeriesError
from PyPeTLib.io.dicom.stacking import Stack, stack_slices
from PyPeTLib.series import MINIMUM_FRAMES, Modality

_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_MEDIA_INDEX = "1.2.840.10008.1.3.10"

_SHORTEST_ECHO = 0.008
"""Seconds below which an echo that is not echo-planar does not speak for T2* weighting."""

_KINDS = {"CT": Modality.CTP, "MR": Modality.DSC}


@dataclass(frozen=True, kw_only=True, eq=False)
class Echo:
    """The images of one echo, by slice and frame.

    Attributes
    ----------
    time : float or None
        Echo time in seconds.
    stack : Stack
    order : Order
    """

    time: float | None
    stack: Stack
    order: Order


@dataclass(frozen=True, kw_only=True, eq=False)
class DicomSeries:
    """A series of DICOM files.

    Attributes
    ----------
    number : str
        What chooses it: its SeriesNumber; the further ones of a number are called ``3.2``, ``3.3``.
    uid : str
        SeriesInstanceUID.
    modality : str
        As the files say: CT, MR, SR, ...
    kind : {"ctp", "dsc", "unknown"}
        What the headers speak for.
    reason : str
        Why it is not taken for a perfusion series by itself; empty if it is.
    is_dynamic : bool
        Whether it has frames enough, so that it can be chosen in spite of the reason.
    n_files, n_slices, n_frames : int
    size : tuple of int
        Columns and rows; (0, 0) for objects without images.
    intervals : tuple of float
        Different frame intervals in seconds, rising; empty where they are unknown.
    echo_times : tuple of float
        In seconds.
    remarks : tuple of str
        What to know about it; without names of files or patients.
    description : str
        SeriesDescription; free text, so it may name the patient.
    echoes : tuple of Echo
        None where the images cannot be put in order.
    problem : SeriesError or None
        Why they cannot.
    copies : tuple of (Image, Image)
        Images of one UID.
    headers : tuple of Header
    """

    number: str
    uid: str
    modality: str
    kind: str
    reason: str
    is_dynamic: bool
    n_files: int
    n_slices: int
    n_frames: int
    size: tuple[int, int]
    intervals: tuple[float, ...]
    echo_times: tuple[float, ...]
    remarks: tuple[str, ...]
    description: str
    echoes: tuple[Echo, ...]
    problem: SeriesError | None
    copies: tuple[tuple[Image, Image], ...]
    headers: tuple[Header, ...]

    @property
    def name(self) -> str:
        """What messages and reports call it."""
        return f"DICOM series {self.number}"

    def describe(self) -> str:
        """One line without patient data."""
        facts = [self.name, self.modality, f"{self.n_slices} slices x {self.n_frames} frames"]
        return ", ".join(facts) + (f": {self.reason}" if self.reason else "")


def find_series(path: Paths) -> tuple[DicomSeries, ...]:
    """The DICOM series of a folder and its subfolders, or of the files given, from their headers alone.

    Parameters
    ----------
    path : path, or sequence of paths

    Returns
    -------
    tuple of DicomSeries
        In the order of their numbers.

    Raises
    ------
    InputError
        If there is no DICOM file, or one of them is damaged.
    """
    groups: dict[str, list[tuple[Header, tuple[Image, ...]]]] = defaultdict(list)
    for header, images in read_headers(dicom_files(path)):
        if header.sop_class != _MEDIA_INDEX:
            groups[header.series].append((header, images))
    order = sorted(groups.items(), key=lambda item: (_number_of(item[1]), item[0]))
    used: Counter[int] = Counter()
    found = []
    for uid, members in order:
        number = _number_of(members)
        used[number] += 1
        name = str(number) if used[number] == 1 else f"{number}.{used[number]}"
        found.append(_series(name, uid, members))
    return tuple(found)


def _number_of(members: Sequence[tuple[Header, tuple[Image, ...]]]) -> int:
    return members[0][0].number or 0


def _series(number: str, uid: str, members: Sequence[tuple[Header, tuple[Image, ...]]]) -> DicomSeries:
    headers = tuple(header for header, _ in members)
    images, copies = _once([image for _, some in members for image in some])
    echo_times = tuple(sorted({image.echo_time for image in images if image.echo_time}))
    reason = _no_images(headers, images)
    n_slices, n_frames = (0, 0) if reason else _extent(images, echo_times)
    echoes: tuple[Echo, ...] = ()
    problem: SeriesError | None = None
    if not reason and n_frames > 1:
        echoes, problem = _echoes(images, echo_times)
        if echoes:
            n_slices, n_frames = len(echoes[0].stack.slices), echoes[0].order.n_frames
    # where images are missing, frames are, too
    least = MINIMUM_FRAMES if problem is None else MINIMUM_FRAMES // 2
    is_dynamic = not reason and n_frames >= least
    reason = reason or _not_taken(headers, n_frames, echo_times, least)
    modality = headers[0].modality or "?"
    kind = str(_KINDS.get(modality, "unknown")) if not reason else "unknown"
    shape = headers[0].format
    timing = echoes[0].order.timing if echoes else None
    intervals = np.unique(np.round(np.diff(timing.frames), 3)) if timing else ()
    return DicomSeries(
        number=number,
        uid=uid,
        modality=modality,
        kind=kind,
        reason=reason,
        is_dynamic=is_dynamic,
        n_files=len(headers),
        n_slices=n_slices,
        n_frames=n_frames,
        size=(shape.columns, shape.rows) if shape and images else (0, 0),
        intervals=tuple(map(float, intervals)),
        echo_times=echo_times,
        remarks=_remarks(headers, echoes, problem, copies) if is_dynamic else (),
        description=headers[0].description,
        echoes=echoes,
        problem=problem,
        copies=copies,
        headers=headers,
    )


def _once(images: Sequence[Image]) -> tuple[list[Image], tuple[tuple[Image, Image], ...]]:
    """The images, each UID once, and the further ones of a UID with the one they repeat."""
    kept: dict[tuple[str, int], Image] = {}
    copies = []
    for image in images:
        key = (image.header.uid or image.header.name, image.index)
        if key in kept:
            copies.append((kept[key], image))
        else:
            kept[key] = image
    return list(kept.values()), tuple(copies)


def _no_images(headers: Sequence[Header], images: Sequence[Image]) -> str:
    """Why a series holds no images of a body; empty if it does."""
    if not images or not all(header.format for header in headers):
        return "no images"
    if any(header.sop_class.startswith(_SECONDARY_CAPTURE) for header in headers):
        return "secondary capture"
    if any(header.format.samples != 1 for header in headers if header.format):
        return "colour pictures"
    if any("MOSAIC" in header.image_type for header in headers):
        return "Siemens mosaic images, which PyPeT does not read: export them as enhanced MR, or convert them to NIfTI"
    if any("LOCALIZER" in header.image_type for header in headers):
        return "localizer"
    return ""


def _not_taken(headers: Sequence[Header], n_frames: int, echo_times: Sequence[float], least: int) -> str:
    """Why a series of images is no perfusion series by itself; empty if it is."""
    modality = headers[0].modality
    reasons = {
        f"modality {modality or 'unknown'}": modality not in _KINDS,
        "a single volume": n_frames < 2,
        f"{n_frames} frames are too few": n_frames < least,
        "derived images": any(header.image_type[:1] == ("DERIVED",) for header in headers),
    }
    if modality == "MR":
        longest = echo_times[-1] if echo_times else 0.0
        reasons["diffusion"] = any(header.is_diffusion for header in headers)
        reasons["no echo time"] = not echo_times
        reasons[f"an echo time of {1000 * longest:g} ms without echo-planar readout: T1-weighted (DCE)?"] = (
            longest < _SHORTEST_ECHO and not any(header.is_epi for header in headers)
        )
    return next((reason for reason, holds in reasons.items() if holds), "")


def _extent(images: Sequence[Image], echo_times: Sequence[float]) -> tuple[int, int]:
    """Slices and frames as far as they can be told before anything is checked."""
    places = Counter(
        (tuple(round(v, 1) for v in image.position), image.echo_time) for image in images if image.position
    )
    if not places:
        return 1, len(images)
    return len(places) // max(1, len(echo_times)), max(places.values())


def _echoes(images: Sequence[Image], echo_times: Sequence[float]) -> tuple[tuple[Echo, ...], SeriesError | None]:
    """The images in order, or why they cannot be."""
    try:
        echoes = tuple(_echo(part, time) for time, part in _by_echo(images, echo_times))
    except SeriesError as error:
        return (), error
    first, last = echoes[0], echoes[-1]
    if first.order.n_frames != last.order.n_frames or not first.stack.grid.matches(last.stack.grid):
        problem = SeriesError(
            f"the two echoes do not match: {len(first.stack.slices)} slices × {first.order.n_frames} frames at "
            f"{1000 * echo_times[0]:g} ms, {len(last.stack.slices)} × {last.order.n_frames} at "
            f"{1000 * echo_times[1]:g} ms. Export the series again, or each echo as a series of its own.",
            "echoes do not match",
        )
        return (), problem
    return echoes, None


def _by_echo(images: Sequence[Image], echo_times: Sequence[float]) -> list[tuple[float | None, list[Image]]]:
    """The images of each echo, the shorter one first."""
    if len(echo_times) > 2:
        listed = ", ".join(f"{1000 * time:g}" for time in echo_times)
        raise SeriesError(
            f"there are {len(echo_times)} echo times ({listed} ms); one or two can be used. Export the echoes as "
            "series of their own.",
            f"{len(echo_times)} echo times",
        )
    kinds = {"PHASE" if {"P", "PHASE"} & set(image.header.image_type[2:]) else "" for image in images}
    if len(kinds) > 1:
        raise SeriesError(
            "there are phase images among the others. Export the magnitude images as a series of their own.",
            "phase images among others",
        )
    if len(echo_times) < 2:
        return [(echo_times[0] if echo_times else None, list(images))]
    lost = next((image for image in images if not image.echo_time), None)
    if lost is not None:
        raise SeriesError(
            f"{lost.name}: the file holds no echo time, as others of its series do. Export the series again.",
            "echo times missing",
        )
    return [(time, [image for image in images if image.echo_time == time]) for time in echo_times]


def _echo(images: Sequence[Image], time: float | None) -> Echo:
    stack = stack_slices(images)
    return Echo(time=time, stack=stack, order=order_frames(stack))


def _remarks(
    headers: Sequence[Header],
    echoes: Sequence[Echo],
    problem: SeriesError | None,
    copies: Sequence[tuple[Image, Image]],
) -> tuple[str, ...]:
    found = [] if problem is None else [problem.remark]
    doubles = len(copies) + sum(len(echo.order.copies) for echo in echoes)
    if doubles:
        found.append(f"{doubles} duplicate{'s' if doubles > 1 else ''}")
    if echoes:
        first = echoes[0]
        if first.order.problem:
            found.append(first.order.problem.remark)
        if first.order.lost:
            found.append(f"{len(first.order.lost)} frame{'s' if len(first.order.lost) > 1 else ''} missing")
        if first.stack.tilt:
            found.append(f"tilt {first.stack.tilt:.1f}°")
        if first.order.timing and first.order.timing.slices is not None:
            found.append(_slice_remark(first.order.timing.slices))
        if len(echoes) > 1:
            found.append("two echoes")
    if any(header.format.lossy for header in headers if header.format):
        found.append("lossy compression")
    return tuple(found)


def _slice_remark(times: Curve) -> str:
    different = np.unique(np.round(times, 3))
    if different.size == 2 and np.count_nonzero(np.diff(np.round(times, 3))) == 1:
        return f"shuttle, {different[1]:g} s apart"
    return f"slices over {times.max():.3g} s"
