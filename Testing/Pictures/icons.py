"""Draws the icons of extension and module and the thumbnails of the sample data, from the true maps of the phantoms.

The icons of the panel's buttons are drawn in `glyphs`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from PyPeTLib.maps import QUANTITIES
from PyPeTLib.phantom import HeadPhantom, make_head
from PyPeTLib.report.colours import TMAX_BANDS, TMAX_WINDOW, ColourScale, map_entries, palette
from PyPeTLib.report.mosaic import view_around
from PyPeTLib.report.page import FONT

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(Path(__file__).parent)]

from glyphs import GLYPHS, SIZE, glyph  # noqa: E402 - after the path is set

ICONS = {"Resources/Icons/PyPeT.png": 128, "PyPeT/Resources/Icons/PyPeT.png": 64}
"""File to width and height; the larger one is the extension's, the smaller one the module's."""

THUMBNAILS = {
    "PyPeT/Resources/Icons/PyPeTCTPphantom.png": ("ctp", "tmax"),
    "PyPeT/Resources/Icons/PyPeTDSCphantom.png": ("dsc", "cbf"),
}
"""File, named as the sample data without blanks, to modality and map."""

BUTTONS = {f"PyPeT/Resources/Icons/{name}.png": (name, SIZE) for name in GLYPHS}
"""File to the name of the icon of a button, and its width and height."""

THUMBNAIL = (260, 280)
"""Width and height."""

FINE = 4
"""Pictures are drawn so many times as large and then reduced, for smooth edges."""

LETTERS = 28
"""Height of the font on a thumbnail in pixels."""

BRIGHT = ColourScale(low=0, high=12, bands=12)
"""Of Tmax on the dark tile: tissue with a short Tmax is not as dark as the tile."""

NIGHT = (16, 22, 40, 255)
SHADOW = (0, 0, 0, 255)
WHITE = (255, 255, 255, 255)


def map_scale(quantity: str) -> ColourScale:
    """The colours of a map as the module shows it."""
    if quantity == "tmax":
        return ColourScale(low=TMAX_WINDOW[0], high=TMAX_WINDOW[1], bands=TMAX_BANDS)
    low, high = QUANTITIES[quantity].window
    return ColourScale(low=low, high=high)


def map_picture(head: HeadPhantom, quantity: str, width: int, height: int, scale: ColourScale) -> Image.Image:
    """The slice with most of the infarct core, in the report's colours on a transparent ground."""
    z = int(np.argmax(head.masks["core"].sum(axis=(0, 1))))
    view = view_around(head.masks["brain"][:, :, z : z + 1], head.series.grid, margin=0, width=width, height=height)
    values, valid = view.cells(head.truth[quantity][:, :, z : z + 1], head.masks["tissue"][:, :, z : z + 1])
    _, brain = view.cells(head.truth[quantity][:, :, z : z + 1], head.masks["brain"][:, :, z : z + 1])
    entries = view.enlarged(map_entries(values, valid, brain, scale))[0]
    return Image.fromarray(np.dstack([palette()[entries], np.where(entries > 0, 255, 0).astype(np.uint8)]), "RGBA")


def centred(picture: Image.Image, ground: Image.Image, middle: tuple[float, float]) -> None:
    """Lay a picture with its middle on a place of the ground, given as shares of width and height."""
    corner = (round(s * g - p / 2) for s, g, p in zip(middle, ground.size, picture.size, strict=True))
    ground.alpha_composite(picture, tuple(corner))


def icon(head: HeadPhantom, size: int) -> Image.Image:
    """A Tmax map with a bolus curve before it, on a dark tile with round corners."""
    large = size * FINE
    ground = Image.new("RGBA", (large, large))
    pen = ImageDraw.Draw(ground)
    pen.rounded_rectangle((0, 0, large - 1, large - 1), radius=0.18 * large, fill=NIGHT)
    centred(map_picture(head, "tmax", round(0.88 * large), round(0.88 * large), BRIGHT), ground, (0.5, 0.5))
    # the curve rises beside the lesion, which lies on the left of the picture
    curve = [0.0, *(head.aif / head.aif.max())]
    places = [0.08, *np.linspace(0.38, 0.93, len(head.aif))]
    points = [(large * place, large * (0.9 - 0.46 * value)) for place, value in zip(places, curve, strict=True)]
    for colour, width in ((SHADOW, 0.085), (WHITE, 0.05)):
        pen.line(points, fill=colour, width=round(width * large), joint="curve")
    return ground.resize((size, size), Image.Resampling.LANCZOS)


def thumbnail(head: HeadPhantom, modality: str, quantity: str) -> Image.Image:
    """A map on black with the names of modality and map."""
    width, height = THUMBNAIL
    ground = Image.new("RGBA", (width * FINE, height * FINE), SHADOW)
    picture = map_picture(head, quantity, round(0.94 * ground.width), round(0.83 * ground.height), map_scale(quantity))
    centred(picture, ground, (0.5, 0.56))
    path = Path(mpl.get_data_path()) / "fonts" / "ttf" / FONT
    # the basic layout does not depend on which libraries Pillow was built with
    font = ImageFont.truetype(str(path), LETTERS * FINE, layout_engine=ImageFont.Layout.BASIC)
    pen, inset = ImageDraw.Draw(ground), 8 * FINE
    pen.text((inset, inset), modality.upper(), fill=WHITE, font=font)
    pen.text((ground.width - inset, inset), QUANTITIES[quantity].symbol, fill=WHITE, font=font, anchor="ra")
    return ground.resize(THUMBNAIL, Image.Resampling.LANCZOS).convert("RGB").quantize(256, dither=Image.Dither.NONE)


def main() -> int:
    """Write all pictures; the heads are those of the sample data."""
    heads = {modality: make_head(modality) for modality in ("ctp", "dsc")}
    for name, size in ICONS.items():
        icon(heads["ctp"], size).save(ROOT / name, optimize=True)
    for name, (modality, quantity) in THUMBNAILS.items():
        thumbnail(heads[modality], modality, quantity).save(ROOT / name, optimize=True)
    for name, (button, _) in BUTTONS.items():
        glyph(button).save(ROOT / name, optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
