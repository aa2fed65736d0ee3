"""The pixels of a series, read into one array on the nearest RAS+ grid."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from PyPeTLib.errors import InputError
from PyPeTLib.frames import WIDEST_STORED, StoredFrames
from PyPeTLib.geometry import Reorientation, nearest_ras
from PyPeTLib.io.dicom.image import Header, Image
from PyPeTLib.io.dicom.pixels import check_pixels, planes, stored_type
from PyPeTLib.io.dicom.series import Echo
from PyPeTLib.workspace import Workspace, enough_memory

_MOST_THREADS = 4


@dataclass(frozen=True, kw_only=True, eq=False)
class Voxels:
    """Frames of one echo on the nearest RAS+ grid.

    Attributes
    ----------
    frames : StoredFrames
    orientation : Reorientation
        From columns, rows and slices to RAS+.
    sha256 : str
        Of the stored values, their scale, the geometry and the times, in hexadecimal.
    """

    frames: StoredFrames
    orientation: Reorientation
    sha256: str


def read_echo(echo: Echo, name: str, workspace: Workspace, *, threads: int | None = None) -> Voxels:
    """Read the pixels of an echo.

    Integers of up to 16 bits are kept as they are stored if one slope and intercept hold for all images; everything
    else becomes float32.

    Raises
    ------
    InputError
        If a file is damaged, or there is no room or no decoder.
    """
    images = [(z, t, image) for z, line in enumerate(echo.order.images) for t, image in enumerate(line)]
    headers = {image.header for _, _, image in images}
    for header in sorted(headers, key=lambda header: header.name):
        check_pixels(header)
    scales = {(image.slope, image.intercept) for _, _, image in images}
    types = {stored_type(header.format) for header in headers if header.format}
    is_narrow = len(scales) == 1 and len(types) == 1
    kept = next(iter(types))
    is_narrow = is_narrow and kept.kind in "iu" and kept.itemsize <= WIDEST_STORED
    kept = kept if is_narrow else np.dtype(np.float32)
    orientation = nearest_ras(echo.stack.grid)
    n_frames = echo.order.n_frames
    with enough_memory(name, math.prod(orientation.ras.shape) * n_frames * kept.itemsize):
        data = workspace.empty((*orientation.ras.shape, n_frames), kept, order="F")
    native = orientation.to_native(data)

    def put(places: Sequence[tuple[int, int, Image]]) -> None:
        where = {id(image): (z, t) for z, t, image in places}
        for image, plane in planes(places[0][2].header, [image for _, _, image in places]):
            z, t = where[id(image)]
            native[:, :, z, t] = plane.T if is_narrow else _scaled(plane, image).T

    _each_file(put, images, threads)
    scale = next(iter(scales)) if is_narrow else (1.0, 0.0)
    frames = StoredFrames(data, *scale)
    return Voxels(frames=frames, orientation=orientation, sha256=_digest(frames, orientation, echo))


def check_copies(copies: Sequence[tuple[Image, Image]]) -> None:
    """Refuse images of one place and time that differ.

    Raises
    ------
    InputError
        If they do; the message names both files.
    """
    for one, other in copies:
        check_pixels(one.header)
        check_pixels(other.header)
        first, second = (_scaled(next(planes(image.header, [image]))[1], image) for image in (one, other))
        if first.shape != second.shape or not np.array_equal(first, second, equal_nan=True):
            what = "one identity (SOPInstanceUID)" if one.header.uid == other.header.uid else "one place and time"
            raise InputError(
                f"{one.name} and {other.name} are two different images of {what}, so which of them belongs to the "
                "series is unknown. Leave one of them out."
            )


def _each_file(
    put: Callable[[Sequence[tuple[int, int, Image]]], None],
    images: Sequence[tuple[int, int, Image]],
    threads: int | None,
) -> None:
    """Hand the images of each file over, in several threads; the first file that fails, in order, is reported."""
    by_file: dict[Header, list[tuple[int, int, Image]]] = defaultdict(list)
    for place in sorted(images, key=lambda place: (place[1], place[0])):
        by_file[place[2].header].append(place)
    workers = max(1, min(_MOST_THREADS, threads or os.cpu_count() or 1))
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="pypet-dicom") as pool:
        try:
            for done in [pool.submit(put, places) for places in by_file.values()]:
                done.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _scaled(plane: npt.NDArray[Any], image: Image) -> npt.NDArray[Any]:
    """Values of an image; wide integers need float64 on the way."""
    if image.slope == 1 and image.intercept == 0:
        return plane
    return plane.astype(np.float64) * image.slope + image.intercept


def _digest(frames: StoredFrames, orientation: Reorientation, echo: Echo) -> str:
    timing = echo.order.timing
    slices = None if timing is None or timing.slices is None else timing.slices.tolist()
    facts = {
        "shape": list(frames.shape),
        "type": frames.stored.dtype.str,
        "scale": [frames.slope, frames.intercept],
        "affine": np.round(orientation.ras.affine, 4).tolist(),
        "frame_times": None if timing is None else np.round(timing.frames, 4).tolist(),
        "slice_times": slices,
        "echo_time": echo.time,
    }
    digest = hashlib.sha256(json.dumps(facts).encode())
    for frame in range(frames.shape[3]):
        digest.update(frames.stored[..., frame].ravel(order="F").view(np.uint8).data)
    return digest.hexdigest()
