"""PNG files as text within a page."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PyPeTLib.errors import InputError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"

_LEVEL = 5
"""Of compression: a sixth smaller than the files, which are written in haste; higher levels take several times as long
for another fiftieth."""

_NEEDED = (b"IHDR", b"PLTE", b"tRNS")
"""Kept besides the pixels. Texts and times are not."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture within a page.

    Attributes
    ----------
    name : str
        Stem of its file.
    uri : str
        The whole file as a ``data:`` address.
    width, height : int
        In pixels.
    alt : str
        What it shows, for those who do not see it.
    """

    name: str
    uri: str
    width: int
    height: int
    alt: str = ""


def picture_names(folder: Path | None, first: Sequence[str] = ()) -> list[str]:
    """Stems of the PNG files in a folder: those of ``first`` in its order, then the others by name."""
    if folder is None or not Path(folder).is_dir():
        return []
    found = sorted(path.stem for path in Path(folder).glob("*.png"))
    return [name for name in first if name in found] + [name for name in found if name not in first]


def embedded(path: Path, alt: str) -> Picture:
    """A PNG file as a picture within a page: the same pixels, packed tighter.

    Raises
    ------
    InputError
        If the file cannot be read or is not PNG.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"the figure {path} cannot be read: {error.strerror or error}.") from error
    try:
        packed, width, height = _packed(content)
    except (ValueError, struct.error, zlib.error) as error:
        raise InputError(f"the figure {path} is not a PNG file that can be shown: {error}.") from error
    uri = "data:image/png;base64," + base64.b64encode(packed).decode("ascii")
    return Picture(name=path.stem, uri=uri, width=width, height=height, alt=alt)


def _packed(content: bytes) -> tuple[bytes, int, int]:
    """The file anew with its width and height (PNG, third edition, W3C 2025, chapters 5 and 11)."""
    if not content.startswith(_SIGNATURE):
        raise ValueError("it does not begin as one")
    pieces = list(_pieces(content))
    kept = {kind: body for kind, body in pieces if kind in _NEEDED}
    if b"IHDR" not in kept:
        raise ValueError("it has no header")
    width, height = struct.unpack(">II", kept[b"IHDR"][:8])
    pixels = zlib.decompress(b"".join(body for kind, body in pieces if kind == b"IDAT"))
    ordered = [(kind, kept[kind]) for kind in _NEEDED if kind in kept]
    ordered += [(b"IDAT", zlib.compress(pixels, _LEVEL)), (b"IEND", b"")]
    return _SIGNATURE + b"".join(_piece(kind, body) for kind, body in ordered), width, height


def _pieces(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at < len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        yield content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        at += 12 + length


def _piece(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
