"""Saying which images a series lacks: the place of the slice, the frame, and the files beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from PyPeTLib.arrays import Curve
from PyPeTLib.io.dicom.image import Image
from PyPeTLib.io.dicom.problems import SeriesError
from PyPeTLib.io.dicom.stacking import Stack

_MOST_NAMED = 3


def refuse_missing(stack: Stack, table: Sequence[Sequence[Image | None]]) -> None:
    """Raise a `SeriesError` if the table of images by slice and frame has holes."""
    holes = [(t, z) for z, row in enumerate(table) for t, image in enumerate(row) if image is None]
    if not holes:
        return
    words = []
    for t, z in sorted(holes)[:_MOST_NAMED]:
        beside = [table[other][t] for other in (z - 1, z + 1) if 0 <= other < len(table)]
        names = " and ".join(image.name for image in beside if image is not None)
        words.append(_place(stack, z, t, len(table[0])) + (f" (beside {names})" if names else ""))
    raise _missing(words, len(holes))


def refuse_uneven_counts(stack: Stack, lines: Sequence[Sequence[Image]], values: Mapping[int, float]) -> None:
    """Raise a `SeriesError` if slices that have times of their own have different numbers of frames."""
    counts = np.array([len(line) for line in lines])
    most = int(counts.max())
    if (counts == most).all():
        return
    few = [z for z, count in enumerate(counts) if count < most]
    at_one_end = few[0] == 0 or few[-1] == len(counts) - 1
    if len(few) > 1 and at_one_end and few[-1] - few[0] == len(few) - 1 and np.ptp(counts[few]) == 0:
        rest = [z for z, count in enumerate(counts) if count == most]
        raise SeriesError(
            f"two table positions have different numbers of frames: {counts[few[0]]} at {_range(stack, few)}, {most} "
            f"at {_range(stack, rest)}. Leave out the images that are too many (the last is "
            f"{lines[rest[0]][-1].name}), or export each table position as a series of its own.",
            "table positions with different numbers of frames",
        )
    whole = lines[int(np.argmax(counts))]
    times = np.array([values[id(image)] for image in whole])
    words, total = [], 0
    for z in few:
        lost = _lost_frames(times, np.array([values[id(image)] for image in lines[z]]))
        total += len(lost)
        for t in lost:
            # the files of the frame are those of the neighbours that have it
            beside = [lines[o][t].name for o in (z - 1, z + 1) if 0 <= o < len(lines) and counts[o] == most]
            words.append(_place(stack, z, t, most) + (f" (beside {' and '.join(beside)})" if beside else ""))
    raise _missing(words[:_MOST_NAMED], total)


def _lost_frames(times: Curve, found: Curve) -> list[int]:
    """Frames of a whole slice that a slice with fewer lacks, from how their times fit."""
    if found.size == 0:
        return list(range(times.size))
    best: tuple[float, float, set[int]] | None = None
    for start in range(times.size - found.size + 1):
        offset = float(found[0] - times[start])
        distance = np.abs(times[None] + offset - found[:, None])
        taken = set(distance.argmin(axis=1).tolist())
        fit = (round(float(distance.min(axis=1).sum()), 3), abs(offset), taken)
        if best is None or fit[:2] < best[:2]:
            best = fit
    taken = best[2] if best else set()
    return [frame for frame in range(times.size) if frame not in taken]


def _missing(words: list[str], count: int) -> SeriesError:
    more = f", and {count - len(words)} more" if count > len(words) else ""
    what = "an image is" if count == 1 else f"{count} images are"
    return SeriesError(
        f"{what} missing: {'; '.join(words)}{more}. Copy or export the series again.",
        f"{count} image{'s' if count > 1 else ''} missing",
    )


def _place(stack: Stack, z: int, t: int, n_frames: int) -> str:
    return f"the slice at {stack.places[z]:.2f} mm along the normal in frame {t + 1} of {n_frames}"


def _range(stack: Stack, slices: Sequence[int]) -> str:
    return f"{stack.places[slices[0]]:.1f} to {stack.places[slices[-1]]:.1f} mm"
