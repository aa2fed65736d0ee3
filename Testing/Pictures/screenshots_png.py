"""Small PNG files: pictures in as few colours as their size allows, without a picture library."""

from __future__ import annotations

from pathlib import Path

import numpy as np

LIMIT = 250_000
"""Bytes of a picture, at most."""

COUNTS = (256, 160, 112, 80, 56, 40)
"""Numbers of colours that are tried, one after the other, until the file is small enough."""


def write_small(path: Path, picture) -> int:
    """Write an array of shape (height, width, 3), uint8, as a PNG file with a palette, and return its bytes.

    Raises
    ------
    OSError
        If even the smallest palette leaves the file above the limit.
    """
    for count in COUNTS:
        colours, indices = reduced(picture, count)
        _write(path, colours, indices)
        if path.stat().st_size <= LIMIT:
            return path.stat().st_size
    raise OSError(f"{path.name} has {path.stat().st_size} bytes in {COUNTS[-1]} colours, more than {LIMIT}")


def reduced(picture, count: int):
    """Median cut: colours of shape (n, 3), n <= count, and the index of each pixel, shape (height, width)."""
    packed = np.ascontiguousarray(picture).astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    unique, inverse, amounts = np.unique(packed, return_inverse=True, return_counts=True)
    levels = np.stack([unique >> 16, unique >> 8 & 255, unique & 255], axis=1).astype(np.float64)
    # rare colours are those of lines and letters: they count for more than their area
    weights = amounts**0.5
    boxes = [np.arange(len(levels))]
    costs = [_cost(levels, weights, boxes[0])]
    while len(boxes) < count and max(costs) > 0:
        at = int(np.argmax(costs))
        halves = _split(levels, weights, boxes.pop(at))
        costs.pop(at)
        boxes += halves
        costs += [_cost(levels, weights, half) for half in halves]
    colours = np.array([np.average(levels[box], axis=0, weights=weights[box]) for box in boxes])
    index = np.empty(len(levels), np.uint8)
    for number, box in enumerate(boxes):
        index[box] = number
    return np.rint(colours).astype(np.uint8), index[inverse].reshape(picture.shape[:2])


def _cost(levels, weights, box) -> float:
    """How far the colours of a box are from their mean."""
    apart = levels[box] - np.average(levels[box], axis=0, weights=weights[box])
    return float((weights[box, None] * apart**2).sum()) if len(box) > 1 else 0.0


def _split(levels, weights, box):
    """Two boxes, cut at the mean of the channel that differs most."""
    part, weight = levels[box], weights[box]
    means = np.average(part, axis=0, weights=weight)
    channel = int(np.argmax((weight[:, None] * (part - means) ** 2).sum(axis=0)))
    low = part[:, channel] <= means[channel]
    return [box[low], box[~low]]


def _write(path: Path, colours, indices) -> None:
    import qt  # noqa: PLC0415 - the host provides it

    height, width = indices.shape
    image = qt.QImage(indices.tobytes(), width, height, width, qt.QImage.Format_Indexed8)
    image.setColorTable([0xFF000000 | int(r) << 16 | int(g) << 8 | int(b) for r, g, b in colours])
    # the lowest quality of a PNG file is the highest compression; nothing is lost
    if not image.save(str(path), "PNG", 0):
        raise OSError(f"could not write {path}")
