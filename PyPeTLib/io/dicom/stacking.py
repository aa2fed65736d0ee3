"""Where the slices of a series lie: sorted by their places, checked, and as one affine.

ImagePositionPatient is projected on the normal of ImageOrientationPatient (DICOM PS3.3, C.7.6.2.1.1); file names and
InstanceNumber play no part. Slices that are shifted within their plane from one to the next, as with a tilted gantry,
give a sheared affine: the voxels stay where they were measured and nothing is interpolated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import Curve, IntArray
from PyPeTLib.geometry import Grid
from PyPeTLib.io.dicom.image import Image
from PyPeTLib.io.dicom.problems import SeriesError

_SAME_PLACE_MM = 0.1
"""Positions nearer to each other than this are one; a table that moves to and fro comes back less exactly."""

_BENT_MM = 0.5
"""Largest distance of a slice from the straight line through all of them."""

_SAME_DIRECTION = 2e-3
"""Largest difference of direction cosines that are one direction: 0.1 degrees."""

_UNEVEN = 0.05
"""Largest distance of a slice from its place on an even stack, as a share of the spacing."""

_TILTED = 0.5
"""Degrees from which slices count as tilted."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Stack:
    """Images by slice.

    Attributes
    ----------
    slices : tuple of tuple of Image
        For each slice, along the normal, all images at its place in no particular order.
    places : tuple of float
        Of the slices along the normal in mm.
    grid : Grid
        Columns, rows and slices in RAS mm.
    tilt : float
        Angle between the normal and the way from slice to slice in degrees; 0 for slices that lie straight.
    """

    slices: tuple[tuple[Image, ...], ...]
    places: tuple[float, ...]
    grid: Grid
    tilt: float


def stack_slices(images: Sequence[Image]) -> Stack:
    """Sort images by slice.

    Parameters
    ----------
    images : sequence of Image
        Of one series and one echo.

    Raises
    ------
    SeriesError
        If they are of several sizes or directions, or the slices are not evenly spaced.
    """
    first = _checked_alike(images)
    rows, columns = np.array(first.orientation[:3]), np.array(first.orientation[3:])  # type: ignore[index]
    normal = np.cross(rows, columns)
    positions = np.array([image.position for image in images], np.float64)
    along = positions @ normal
    order = np.argsort(along, kind="stable")
    ends = np.flatnonzero(np.diff(along[order]) > _SAME_PLACE_MM) + 1
    groups = np.split(order, ends)
    slices = tuple(tuple(images[i] for i in group) for group in groups)
    places = np.array([along[group].mean() for group in groups])
    corners = np.array([positions[group].mean(axis=0) for group in groups])
    _check_even(slices, places)
    _check_corners(slices, positions, groups, corners)
    step = _step(corners, normal, first)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = rows * first.spacing[1], columns * first.spacing[0]  # type: ignore[index]
    affine[:3, 2], affine[:3, 3] = step, corners[0]
    angle = float(np.degrees(np.arccos(np.clip(abs(step @ normal) / np.linalg.norm(step), 0, 1))))
    pixels = first.header.format
    assert pixels is not None  # noqa: S101 - images have one
    grid = Grid((pixels.columns, pixels.rows, len(slices)), np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine)
    tilt = angle if angle >= _TILTED else 0.0
    return Stack(slices=slices, places=tuple(map(float, places)), grid=grid, tilt=tilt)


def _checked_alike(images: Sequence[Image]) -> Image:
    """The first image, once all are known to have its size and direction."""
    for image in images:
        for keyword in ("position", "orientation", "spacing"):
            if getattr(image, keyword) is None:
                name = {"position": "ImagePositionPatient", "orientation": "ImageOrientationPatient"}.get(keyword)
                raise SeriesError(
                    f"{image.name}: the file holds no usable {name or 'PixelSpacing'}, so where its image lies is "
                    "unknown. Copy or export it again.",
                    "no position",
                )
    first = images[0]
    _refuse_others(images, [(i.header.format.columns, i.header.format.rows) for i in images])  # type: ignore[union-attr]
    cosines = np.array([image.orientation for image in images])
    directions = np.rint(cosines / _SAME_DIRECTION) * _SAME_DIRECTION
    if np.abs(cosines - cosines[0]).max() > _SAME_DIRECTION:
        usual = Counter(map(tuple, directions)).most_common(1)[0][0]
        odd = images[int(np.argmax(np.abs(cosines - usual).max(axis=1)))]
        raise SeriesError(
            f"{odd.name}: this image has another direction than the others of its series. Move it out of the folder, "
            "or choose the perfusion series alone.",
            "several directions",
        )
    spacings = np.array([image.spacing for image in images])
    if np.abs(spacings - spacings[0]).max() > 1e-3 * spacings[0].min() or (spacings <= 0).any():
        odd = images[int(np.argmax(np.abs(spacings - np.median(spacings, axis=0)).max(axis=1)))]
        raise SeriesError(
            f"{odd.name}: its PixelSpacing differs from that of the other images of its series. Export the perfusion "
            "series alone.",
            "several pixel sizes",
        )
    rows, columns = cosines[0, :3], cosines[0, 3:]
    if abs(rows @ columns) > 0.01 or np.abs(np.linalg.norm([rows, columns], axis=1) - 1).max() > 0.01:
        raise SeriesError(
            f"{first.name}: its ImageOrientationPatient is damaged: it holds no two directions at right angles. Export "
            "the series again.",
            "direction damaged",
        )
    return first


def _refuse_others(images: Sequence[Image], sizes: Sequence[tuple[int, int]]) -> None:
    counts = Counter(sizes).most_common()
    if len(counts) > 1:
        usual, odd = counts[0], counts[-1]
        name = images[sizes.index(odd[0])].name
        raise SeriesError(
            f"{name}: the image has {odd[0][0]}×{odd[0][1]} pixels, but {usual[1]} others of its series have "
            f"{usual[0][0]}×{usual[0][1]}. Export the perfusion series alone.",
            "several matrix sizes",
        )


def _check_even(slices: tuple[tuple[Image, ...], ...], places: Curve) -> None:
    """Refuse slices that are missing at all times, and spacings that change."""
    if len(places) < 3:
        return
    gaps = np.diff(places)
    usual = float(np.median(gaps))
    if np.abs(gaps - usual).max() <= _UNEVEN * usual:
        return
    steps = gaps / usual
    if np.abs(steps - np.rint(steps)).max() <= _UNEVEN and steps.min() > 0.5:
        at = int(np.argmax(steps > 1.5))
        lacking = ", ".join(f"{places[at] + k * usual:.2f}" for k in range(1, round(float(steps[at]))))
        raise SeriesError(
            f"a slice is missing at all times: there is none at {lacking} mm along the normal, between "
            f"{slices[at][0].name} ({places[at]:.2f} mm) and {slices[at + 1][0].name} ({places[at + 1]:.2f} mm). Copy "
            "or export the series again.",
            f"no slice at {lacking} mm",
        )
    at = int(np.argmax(np.abs(gaps - usual)))
    raise SeriesError(
        f"the slices are not evenly spaced: from {slices[at][0].name} to {slices[at + 1][0].name} it is {gaps[at]:.2f} "
        f"mm, elsewhere mostly {usual:.2f} mm. Such a series cannot be used; export it with even spacing.",
        "uneven slice spacing",
    )


def _check_corners(
    slices: tuple[tuple[Image, ...], ...], positions: Curve, groups: list[IntArray], corners: Curve
) -> None:
    """Refuse images that are shifted within the plane of their slice, and stacks that are bent."""
    index = np.arange(len(corners))
    if len(corners) > 1:
        start, step = corners[0], (corners[-1] - corners[0]) / (len(corners) - 1)
        apart = np.linalg.norm(corners - start - index[:, None] * step, axis=1)
    else:
        apart = np.zeros(1)
    for at, group in enumerate(groups):
        shift = np.linalg.norm(positions[group] - corners[at], axis=1)
        if shift.max() > _SAME_PLACE_MM or apart[at] > _BENT_MM:
            odd = slices[at][int(np.argmax(shift))] if shift.max() > _SAME_PLACE_MM else slices[at][0]
            raise SeriesError(
                f"{odd.name}: the image does not lie in line with the other slices of its series. Export the "
                "perfusion series alone.",
                "slices not in line",
            )


def _step(corners: Curve, normal: Curve, first: Image) -> Curve:
    """The way from one slice to the next in LPS mm."""
    if len(corners) > 1:
        step: Curve = (corners[-1] - corners[0]) / (len(corners) - 1)
        return step
    return normal * (first.thickness or 1.0)
