"""Which image is which slice of which frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from PyPeTLib.io.dicom.clocks import CLOCKS, LABELS, Clock
from PyPeTLib.io.dicom.image import Image
from PyPeTLib.io.dicom.missing import refuse_missing, refuse_uneven_counts
from PyPeTLib.io.dicom.problems import GIVE_TIMES, SeriesError
from PyPeTLib.io.dicom.stacking import Stack
from PyPeTLib.io.dicom.timing import SAME, Timing, check_agreement, clock_timing, clock_values, repetition_timing

Values = Mapping[int, float]
"""What a clock or a label says of each image, by `id`."""

_FEW_DOUBLES = 0.25
"""Largest share of places in space and time with two images that are taken for copies; with more, the times do not
tell frames apart."""

_ONE_FOR_ALL = 1.25
"""A source with at most so many values for each frame numbers volumes; others count slices by themselves."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Order:
    """Images by slice and frame.

    Attributes
    ----------
    images : tuple of tuple of Image
        By slice along the normal, then by frame.
    copies : tuple of (Image, Image)
        An image that was taken, and another of the same place and time.
    timing : Timing or None
    problem : SeriesError or None
        Why there is no timing.
    by : str
        What the frames were ordered by.
    lost : tuple of int
        Numbers of frames that are not there at all, as far as the files number them.
    """

    images: tuple[tuple[Image, ...], ...]
    copies: tuple[tuple[Image, Image], ...]
    timing: Timing | None
    problem: SeriesError | None
    by: str
    lost: tuple[int, ...] = ()

    @property
    def n_frames(self) -> int:
        """Images of each slice."""
        return len(self.images[0])


def order_frames(stack: Stack) -> Order:
    """Put the images of each slice into the order of their frames, and find the times.

    The first clock that tells the frames apart gives the times (see `clocks.CLOCKS`). What numbers the frames is that
    clock if it has one time a volume, else a label of the frame, else the rank of the clock within each slice.

    Raises
    ------
    SeriesError
        If images are missing, or cannot be told apart, or contradict each other.
    """
    images = [image for line in stack.slices for image in line]
    clocks = {clock.name: found for clock in CLOCKS if (found := clock_values(images, clock)) is not None}
    labels = {name: found for name in LABELS if (found := _label_values(images, name)) is not None}
    clock = _telling(stack, clocks)
    label = _telling(stack, labels)
    if clock and label and _doubles(stack, clocks[clock]) > _doubles(stack, labels[label]):
        # several frames within one tick
        clock = ""
    if clock == "ContentTime" and not _is_for_volumes(stack, clocks[clock]):
        # the time at which each slice was reconstructed says nothing about its acquisition
        clock = ""
    if label and not _is_for_volumes(stack, labels[label]):
        label = ""
    if not clock and not label:
        return _by_instance(stack)
    sorter = clocks[clock] if clock else labels[label]
    lines, copies = _without_copies(stack, sorter)
    if clock and _is_for_volumes(stack, sorter):
        ordered = _by_column(stack, lines, sorter)
    elif label:
        ordered = _by_column(stack, lines, labels[label])
    else:
        ordered = _by_rank(stack, lines, sorter)
    if not clock:
        return replace(_without_clock(ordered, copies, label), lost=_lost(labels, label))
    used = next(one for one in CLOCKS if one.name == clock)
    timing, problem = _timing(ordered, used, clocks, labels)
    return Order(images=ordered, copies=copies, timing=timing, problem=problem, by=clock, lost=_lost(labels, label))


def _timing(
    ordered: tuple[tuple[Image, ...], ...], used: Clock, clocks: Mapping[str, Values], labels: Mapping[str, Values]
) -> tuple[Timing | None, SeriesError | None]:
    """Times, or why there are none, which whoever gives them may pass over."""
    try:
        for name in LABELS[:2]:
            if name in labels:
                _check_label(ordered, labels[name], name, used)
        timing = clock_timing(ordered, clocks[used.name], used)
        return check_agreement(ordered, timing, used, clocks), None
    except SeriesError as error:
        return None, error


def _without_clock(ordered: tuple[tuple[Image, ...], ...], copies: tuple[tuple[Image, Image], ...], by: str) -> Order:
    timing = repetition_timing(ordered)
    problem = SeriesError(
        f"the frame times are unknown: no attribute holds a time that differs from frame to frame (the frames are "
        f"numbered by {by}). {GIVE_TIMES}",
        "no frame times",
    )
    return Order(images=ordered, copies=copies, timing=timing, problem=None if timing else problem, by=by)


def _lost(labels: Mapping[str, Values], label: str) -> tuple[int, ...]:
    """Temporal positions that no image has, between the first and the last."""
    if label not in LABELS[:2]:
        return ()
    numbers = {int(value) for value in labels[label].values()}
    return tuple(sorted(set(range(min(numbers), max(numbers))) - numbers))


def _label_values(images: Sequence[Image], name: str) -> dict[int, float] | None:
    values = [image.labels.get(name) for image in images]
    if any(value is None for value in values):
        return None
    return {id(image): float(value) for image, value in zip(images, values, strict=True) if value is not None}


def _telling(stack: Stack, sources: Mapping[str, Values]) -> str:
    """The first source that tells the images of each slice apart, those without any double first; else empty."""
    best, fewest = "", _FEW_DOUBLES + 1e-9
    for name, values in sources.items():
        doubles = _doubles(stack, values)
        if doubles < fewest and _count(stack, values) > len(stack.slices):
            best, fewest = name, doubles
    return best


def _rounded(line: Sequence[Image], values: Values) -> list[float]:
    return [round(values[id(image)], SAME) for image in line]


def _count(stack: Stack, values: Values) -> int:
    """Places in space and time that the source knows."""
    return sum(len(set(_rounded(line, values))) for line in stack.slices)


def _doubles(stack: Stack, values: Values) -> float:
    """Share of these places that hold more than one image."""
    double = 0
    for line in stack.slices:
        _, counts = np.unique(_rounded(line, values), return_counts=True)
        double += int((counts > 1).sum())
    return double / max(1, _count(stack, values))


def _is_for_volumes(stack: Stack, values: Values) -> bool:
    """Whether the source has one value for all slices of a frame."""
    lines = [set(_rounded(line, values)) for line in stack.slices]
    return len(set().union(*lines)) <= _ONE_FOR_ALL * max(map(len, lines))


def _without_copies(stack: Stack, values: Values) -> tuple[list[list[Image]], tuple[tuple[Image, Image], ...]]:
    """The images of each slice sorted, each value once, and the further images of the same value."""
    lines, copies = [], []
    for line in stack.slices:
        kept: dict[float, Image] = {}
        for image, value in sorted(zip(line, _rounded(line, values), strict=True), key=lambda pair: pair[1]):
            if value in kept:
                copies.append((kept[value], image))
            else:
                kept[value] = image
        lines.append(list(kept.values()))
    return lines, tuple(copies)


def _by_column(stack: Stack, lines: list[list[Image]], values: Values) -> tuple[tuple[Image, ...], ...]:
    """Frames are the values that occur; what a slice lacks is missing."""
    frames = sorted({value for line in lines for value in _rounded(line, values)})
    table: list[dict[float, Image]] = [dict(zip(_rounded(line, values), line, strict=True)) for line in lines]
    refuse_missing(stack, [[row.get(frame) for frame in frames] for row in table])
    return tuple(tuple(row[frame] for frame in frames) for row in table)


def _by_rank(stack: Stack, lines: list[list[Image]], values: Values) -> tuple[tuple[Image, ...], ...]:
    """Frames are counted within each slice, which has times of its own."""
    refuse_uneven_counts(stack, lines, values)
    return tuple(tuple(line) for line in lines)


def _by_instance(stack: Stack) -> Order:
    """Frames in the order of InstanceNumber, where nothing but that tells them apart; times must be given."""
    images = [image for line in stack.slices for image in line]
    numbers = {id(image): float(image.instance) for image in images if image.instance is not None}
    counts = {len(line) for line in stack.slices}
    unknown = SeriesError(
        "the frames cannot be told apart: no time, temporal position, acquisition number or instance number differs "
        "from frame to frame in the right way. Export the series again with its times.",
        "frames cannot be told apart",
    )
    if len(numbers) < len(images):
        raise unknown
    if len(counts) > 1:
        refuse_uneven_counts(stack, [sorted(line, key=lambda i: numbers[id(i)]) for line in stack.slices], numbers)
    lines = tuple(tuple(sorted(line, key=lambda image: numbers[id(image)])) for line in stack.slices)
    table = np.array([[numbers[id(image)] for image in line] for line in lines])
    frame_by_frame = (table[:, 1:].min(axis=0) > table[:, :-1].max(axis=0)).all()
    by_slice = np.sort(np.stack([table.min(axis=1), table.max(axis=1)], axis=1), axis=0).ravel()
    slice_by_slice = (np.diff(by_slice) >= 0).all() and np.unique(table).size == table.size
    if not frame_by_frame and not slice_by_slice:
        raise unknown
    return _without_clock(lines, (), "InstanceNumber")


def _check_label(ordered: tuple[tuple[Image, ...], ...], values: Values, name: str, used: Clock) -> None:
    """Refuse frames whose own number says that their order is another one."""
    numbers = np.array([[values[id(image)] for image in line] for line in ordered])
    if (numbers == numbers[:, :1]).all():
        return
    wrong = np.argwhere(np.diff(numbers, axis=1) <= 0)
    if wrong.size:
        z, t = wrong[0]
        raise SeriesError(
            f"{used.name} and {name} contradict each other: they put {ordered[z][t].name} and "
            f"{ordered[z][t + 1].name} into different orders. Export the series again with its times, or leave the "
            "wrong files out.",
            "frame numbers contradict times",
        )
