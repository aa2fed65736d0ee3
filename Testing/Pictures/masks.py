"""Draws the outline of the brain mask on every kind of head phantom: Docs/pictures/masks-ct.png and masks-mr.png.

Each row is a kind of head, from the base to the vertex. Red is the edge of the mask, green that of the truth where both
differ.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from PyPeTLib import Modality
from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.masking import MaskOptions, brain_mask
from PyPeTLib.phantom import HEAD_KINDS, kind_options, make_head
from PyPeTLib.report.page import FONT

FOLDER = Path(__file__).parents[2] / "Docs" / "pictures"
FILES = {Modality.CTP: "masks-ct.png", Modality.DSC: "masks-mr.png"}
WINDOWS = {Modality.CTP: (-60.0, 140.0), Modality.DSC: (0.0, 1000.0)}
"""HU, or signal units."""

FRAME_INTERVAL = {Modality.CTP: 5.0, Modality.DSC: 0.5}
SLICES = 7
TILE = 140
MARGIN = 20
"""Pixels of a slice, and of the line of text over each row."""

WIDTH_MM = 180.0
SMOOTHING = 0.6
"""Standard deviation, in pixels, of the smoothing within slices: less noise makes smaller files."""

GREYS = 13
RED, GREEN = (255, 40, 40), (60, 220, 60)
PALETTE = np.array([[round(255 * k / (GREYS - 1))] * 3 for k in range(GREYS)] + [RED, GREEN], np.uint8)
"""Few colours make small files, too."""


def edge(mask: Mask) -> Mask:
    """The outermost pixels of a mask."""
    inner: Mask = ndimage.binary_erosion(mask)
    return mask & ~inner


def tile(
    layer: Volume, found: Mask, truth: Mask, sizes: tuple[float, float], window: tuple[float, float]
) -> Image.Image:
    """A slice with both outlines, the front up and the right side of the head on the left."""
    low, high = window
    step = WIDTH_MM / TILE
    grey = np.clip((layer - low) / (high - low), 0, 1)
    grey = ndimage.gaussian_filter(grey, [SMOOTHING * step / size for size in sizes])
    at = [
        ((np.arange(TILE) - (TILE - 1) / 2) * step / size + (n - 1) / 2)
        for n, size in zip(layer.shape, sizes, strict=True)
    ]
    places = np.meshgrid(*at, indexing="ij")
    colours = np.rint(ndimage.map_coordinates(grey, places, order=1) * (GREYS - 1)).astype(np.uint8)
    for mask, colour in ((truth, GREYS + 1), (found, GREYS)):
        colours[edge(ndimage.map_coordinates(mask.astype(np.uint8), places, order=0) > 0)] = colour
    return Image.fromarray(np.ascontiguousarray(colours[::-1, ::-1].T), "P")


def row(kind: str, modality: Modality) -> list[Image.Image]:
    """Slices of a head of this kind, from below the brain's base to its vertex."""
    head = make_head(modality, n_frames=8, dt=FRAME_INTERVAL[modality], **kind_options(kind, modality))
    mean, grid, truth = head.series.mean(frames=slice(None)), head.series.grid, head.masks["intracranial"]
    found = brain_mask(mean, grid, modality, MaskOptions()).mask
    used = np.flatnonzero(truth.any(axis=(0, 1)))
    chosen = np.unique(np.linspace(max(used[0] - 1, 0), used[-1], SLICES).round().astype(int))
    return [
        tile(mean[:, :, z], found[:, :, z], truth[:, :, z], grid.voxel_sizes[:2], WINDOWS[modality]) for z in chosen
    ]


def picture(modality: Modality) -> Image.Image:
    """All kinds of a modality."""
    kinds = [entry for entry in HEAD_KINDS.entries() if modality in entry.item.modalities]
    ground = Image.new("P", (SLICES * TILE, len(kinds) * (TILE + MARGIN)))
    ground.putpalette(PALETTE.tobytes())
    pen = ImageDraw.Draw(ground)
    path = Path(mpl.get_data_path()) / "fonts" / "ttf" / FONT
    font = ImageFont.truetype(str(path), 13, layout_engine=ImageFont.Layout.BASIC)
    for k, entry in enumerate(kinds):
        top = k * (TILE + MARGIN)
        pen.text((6, top + 3), f"{entry.name}: {entry.summary}", fill=GREYS - 1, font=font)
        for column, one in enumerate(row(entry.name, modality)):
            ground.paste(one, (column * TILE, top + MARGIN))
    return ground


def main() -> int:
    """Write both pictures."""
    for modality, name in FILES.items():
        picture(modality).save(FOLDER / name, optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
