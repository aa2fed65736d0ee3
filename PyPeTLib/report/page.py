"""A page of palette entries on which pictures and text are put, and PNG files.

Text is set by Pillow, which matplotlib brings along, with matplotlib's own font: it is an order of magnitude quicker
than matplotlib's text, and the pages of slices hold dozens of labels.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from PyPeTLib.errors import InputError
from PyPeTLib.report.colours import COLOURS, FIRST_COLOUR, SHADES, ColourScale, palette
from PyPeTLib.report.mosaic import Pixels

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

FONT = "DejaVuSans.ttf"
TITLE, BODY, SMALL = 30, 22, 18
"""Text sizes in pixels; pages are some 1500 pixels wide."""

FEWEST_LETTERS = 10
"""A line never holds fewer."""


Box = tuple[slice, slice]
"""Rows and columns of a picture."""


class Page:
    """A black page of palette entries, shape (height, width), with its origin at the upper left."""

    def __init__(self, width: int, height: int) -> None:
        self.pixels: Pixels = np.zeros((height, width), np.uint8)
        self._fonts: dict[int, FreeTypeFont] = {}

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.pixels.shape[0])

    @cached_property
    def rgb(self) -> Pixels:
        """The page in colours, shape (height, width, 3)."""
        coloured: Pixels = palette()[self.pixels]
        return coloured

    def put(self, picture: Pixels, column: int, row: int) -> None:
        """Lay a picture of palette entries on the page."""
        height, width = picture.shape
        self.pixels[row : row + height, column : column + width] = picture

    def text(
        self,
        column: float,
        row: float,
        text: str,
        *,
        size: int = BODY,
        colour: str = "white",
        anchor: str = "la",
        plate: bool = False,
    ) -> None:
        """Write one line of text.

        Parameters
        ----------
        column, row : float
            Where the anchor lies.
        text : str
        size : int
            Height of the font in pixels.
        colour : str
            A name in `SHADES`.
        anchor : str
            As Pillow has it: ``l``, ``m`` or ``r``, then ``a`` (ascender), ``m`` (middle), ``s`` (baseline) or ``d``
            (descender).
        plate : bool
            Whether the text stands on a black plate, which keeps it readable on a picture.
        """
        from PIL import Image, ImageDraw  # noqa: PLC0415 - slow to import, and only figures need it

        font = self._font(size)
        left, top, right, bottom = (round(edge) for edge in font.getbbox(text, anchor=anchor))
        image = Image.new("L", (right - left + 2, bottom - top + 2))
        ImageDraw.Draw(image).text((1 - left, 1 - top), text, fill=255, font=font, anchor=anchor)
        at = round(column) + left - 1, round(row) + top - 1
        if plate:
            self.pixels[max(0, at[1]) : at[1] + image.height, max(0, at[0]) : at[0] + image.width] = 0
        self._cover(np.asarray(image), *at, colour)

    def lines(self, text: str, width: float, size: int = BODY) -> list[str]:
        """Text broken into lines of at most so many pixels."""
        letters = int(len(text) * width / max(1.0, self.length(text, size))) + 4
        while True:
            lines = textwrap.wrap(text, max(letters, FEWEST_LETTERS))
            if letters <= FEWEST_LETTERS or all(self.length(line, size) <= width for line in lines):
                return lines
            letters -= 2

    def length(self, text: str, size: int) -> float:
        """Width of a line of text in pixels."""
        return float(self._font(size).getlength(text))

    def _font(self, size: int) -> FreeTypeFont:
        if size not in self._fonts:
            import matplotlib as mpl  # noqa: PLC0415 - slow to import, and only figures need it
            from PIL import ImageFont  # noqa: PLC0415 - likewise

            path = Path(mpl.get_data_path()) / "fonts" / "ttf" / FONT
            # the basic layout does not depend on which libraries Pillow was built with
            self._fonts[size] = ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)
        return self._fonts[size]

    def _cover(self, coverage: Pixels, column: int, row: int, colour: str) -> None:
        """Mix the shades of a colour into the page; on top of map colours only where they cover half a pixel."""
        first, shades, _ = SHADES[colour]
        height, width = coverage.shape
        low, up = max(0, -column), max(0, -row)
        part = self.pixels[max(0, row) : row + height, max(0, column) : column + width]
        coverage = coverage[up : up + part.shape[0], low : low + part.shape[1]]
        entries = first + np.round(coverage * np.float32((shades - 1) / 255)).astype(np.uint8)
        covered = (coverage >= 128) | ((coverage > 24) & (part == 0))
        np.copyto(part, entries, where=covered)


def vertical_bar(page: Page, scale: ColourScale, column: int, row: int, height: int, *, width: int = 26) -> None:
    """A colour bar with its ticks to the right, the high end on top."""
    ramp = _ramp(scale, height)[::-1]
    page.put(np.repeat(ramp[:, None], width, axis=1), column, row)
    for tick in scale.ticks:
        at = row + round((1 - _share(scale, tick)) * (height - 1))
        page.put(
            np.full((2, 8), SHADES["white"][1] - 1, np.uint8), column + width, min(max(at - 1, row), row + height - 2)
        )
        page.text(column + width + 14, at, scale.label(tick), size=BODY, anchor="lm")


def horizontal_bar(page: Page, scale: ColourScale, column: int, row: int, width: int, *, height: int = 18) -> None:
    """A colour bar with its ticks below, the high end to the right; labels without room are left out."""
    page.put(np.repeat(_ramp(scale, width)[None], height, axis=0), column, row)
    free_until = float(column + width + 2 * SMALL)
    # from the high end, whose label must not be missing
    for tick in reversed(scale.ticks):
        at = column + round(_share(scale, tick) * (width - 1))
        mark = min(max(at - 1, column), column + width - 2)
        page.put(np.full((6, 2), SHADES["white"][1] - 1, np.uint8), mark, row + height)
        half = page.length(scale.label(tick), SMALL) / 2
        if at + half <= free_until:
            page.text(at, row + height + 8, scale.label(tick), size=SMALL, anchor="ma")
            free_until = at - half - 8


def recoloured(page: Page, boxes: Iterable[tuple[Box, str]]) -> Pixels:
    """A page in colours, with other colour tables in some boxes.

    Parameters
    ----------
    page : Page
    boxes : iterable of (box, name)
        Rows and columns, and what matplotlib calls the table.
    """
    import matplotlib as mpl  # noqa: PLC0415 - slow to import, and only figures need it

    pixels = page.rgb.copy()
    for box, name in boxes:
        shades = np.round(255 * mpl.colormaps[name](np.linspace(0, 1, COLOURS))[:, :3]).astype(np.uint8)
        entries = page.pixels[box]
        coloured = entries >= FIRST_COLOUR
        pixels[box][coloured] = shades[entries[coloured] - FIRST_COLOUR]
    return pixels


def write_png(path: Path, picture: Pixels) -> None:
    """Write palette entries (height, width) or colours (height, width, 3) as PNG, the same ones as the same bytes.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    from PIL import Image  # noqa: PLC0415 - slow to import, and only figures need it

    image = Image.fromarray(np.ascontiguousarray(picture))
    if picture.ndim == 2:
        image.putpalette(palette().tobytes())
    content = BytesIO()
    image.save(content, format="PNG", compress_level=1)
    try:
        path.write_bytes(content.getvalue())
    except OSError as error:
        raise InputError(f"the figure {path} cannot be written: {error.strerror or error}") from error


def _ramp(scale: ColourScale, length: int) -> Pixels:
    values = np.linspace(scale.low, scale.high, length, dtype=np.float32)
    return scale.entries(values)


def _share(scale: ColourScale, tick: float) -> float:
    return (tick - scale.low) / (scale.high - scale.low)
