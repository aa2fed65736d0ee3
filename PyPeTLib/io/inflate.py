"""Inflating gzip data piece by piece: with Intel's ISA-L where its Python package is installed, else with zlib.

Both give the same bytes and refuse the same files; ISA-L takes a third of the time.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Protocol

from PyPeTLib.errors import InputError

GZIP_MAGIC = b"\x1f\x8b"

_GZIP = 31
"""What ``wbits`` stands for a gzip frame around deflated data, with its checksum and length."""

_INPUT_PIECE = 65_536
"""Small, because what a member leaves over of a piece is copied, and a file may consist of thousands of members."""

_FIXED_HEADER = 10
_HEADER_CHECK, _EXTRA, _NAME, _COMMENT, _RESERVED = 2, 4, 8, 16, 0xE0
"""Flags in the fourth byte of a member's header (Deutsch 1996, RFC 1952); the reserved ones must be zero."""

_LONGEST_HEADER = 1 << 20
"""Names and comments have no limit in the standard; beyond this one their end is not looked for."""


class Decompressor(Protocol):
    """What is used of ``zlib.decompressobj``, which `isal.isal_zlib` offers too."""

    @property
    def eof(self) -> bool:
        """Whether the end of the member has been reached."""

    @property
    def unconsumed_tail(self) -> bytes:
        """Input left over because the output was limited."""

    @property
    def unused_data(self) -> bytes:
        """Input behind the end of the member."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Up to ``max_length`` further bytes."""


DECOMPRESSORS: dict[str, tuple[Callable[[], Decompressor], type[Exception]]] = {
    "zlib": (partial(zlib.decompressobj, wbits=_GZIP), zlib.error),
}
"""What makes a decompressor for one gzip member, and the error it raises for damaged data; the fastest is the last."""

# optional: without it, as inside 3D Slicer, reading takes longer
with contextlib.suppress(ImportError):
    from isal import isal_zlib

    DECOMPRESSORS["isal"] = (partial(isal_zlib.decompressobj, wbits=_GZIP), isal_zlib.error)


def inflated(pieces: Iterable[bytes], path: Path, *, most: int, engine: str = "") -> Iterator[bytes]:
    """Uncompressed pieces of a gzip file of one or more members.

    Parameters
    ----------
    pieces : iterable of bytes
        The file in order, beginning with the gzip mark.
    path : Path
        What error messages call the file.
    most : int
        Most bytes in one uncompressed piece, so that a gzip bomb cannot fill the memory.
    engine : str
        One of `DECOMPRESSORS`; by default the fastest.

    Raises
    ------
    InputError
        Once the damage is reached, if the data are damaged, end too early, do not match a member's checksum or length,
        or are followed by others. Zeros may follow.
    """
    make, error_type = DECOMPRESSORS[engine or list(DECOMPRESSORS)[-1]]
    source = (piece[at : at + _INPUT_PIECE] for piece in pieces for at in range(0, len(piece), _INPUT_PIECE))
    waiting = b""
    while waiting := _next_member(waiting, source, path):
        member = make()
        while not member.eof:
            given = len(waiting)
            try:
                out = member.decompress(waiting, most)
            except error_type as error:
                raise _corrupted(path) from error
            waiting = member.unconsumed_tail
            if out:
                yield out
            elif waiting and len(waiting) == given:
                # neither takes nor gives: it never would again
                raise _corrupted(path)
            if not waiting and not member.eof:
                waiting = next(source, b"")
                if not waiting and not out:
                    raise _truncated(path)
        waiting = member.unused_data


def _next_member(waiting: bytes, source: Iterator[bytes], path: Path) -> bytes:
    """Input from the next member's first byte on, its whole header included; empty at the end of the file.

    ISA-L loses its way in a header that comes in pieces.
    """
    waiting = waiting.lstrip(b"\0")
    while not (waiting and _header_ends(waiting, path)):
        piece = next(source, b"")
        if not piece:
            if waiting:
                raise _truncated(path)
            break
        waiting = (waiting + piece).lstrip(b"\0")
    return waiting


def _header_ends(data: bytes, path: Path) -> bool:
    """Whether the header of the member that begins here is there to its end."""
    if data[:2] != GZIP_MAGIC[: len(data)]:
        raise InputError(
            f"{path}: bytes that are not gzip data follow the image. The file is damaged; copy or export it again."
        )
    if len(data) < _FIXED_HEADER:
        return False
    flags, end = data[3], _FIXED_HEADER
    if flags & _RESERVED:
        raise _corrupted(path)
    if flags & _EXTRA:
        end += 2 + int.from_bytes(data[end : end + 2], "little")
    for text in (_NAME, _COMMENT):
        if flags & text and end:
            # 0 where the text has no end yet
            end = data.find(b"\0", end) + 1
    if len(data) > _LONGEST_HEADER and not 0 < end <= _LONGEST_HEADER:
        raise _corrupted(path)
    if flags & _HEADER_CHECK and end:
        end += 2
    return 0 < end <= len(data)


def _truncated(path: Path) -> InputError:
    return InputError(f"{path}: the file is truncated: its gzip data stop before their end. Copy or export it again.")


def _corrupted(path: Path) -> InputError:
    return InputError(f"{path}: the gzip data are corrupted. Copy or export the file again.")
