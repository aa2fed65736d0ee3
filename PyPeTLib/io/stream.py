"""Bytes of an image file, gzip-compressed or not, handed out piece by piece and never more than were asked for."""

from __future__ import annotations

import hashlib
import stat
import zlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from PyPeTLib.errors import InputError

GZIP_MAGIC = b"\x1f\x8b"

_HEAD_BYTES = 65_536
"""How much of a file is read before its header is judged."""

_INPUT_PIECE = 65_536
_OUTPUT_PIECE = 4 << 20
"""Most uncompressed bytes that exist at a time, so that a gzip bomb cannot fill the memory."""

_GZIP_MOST = 1032
"""Deflate cannot shrink data by more than this factor (Deutsch 1996, RFC 1951; a limit of its code lengths)."""


def _unreadable(path: Path, error: Exception) -> InputError:
    """The `InputError` for a file that cannot be opened or read."""
    if isinstance(error, FileNotFoundError):
        return InputError(f"{path}: there is no such file. Check the path.")
    if isinstance(error, PermissionError):
        return InputError(f"{path}: permission to read the file is denied. Check the access rights.")
    if isinstance(error, MemoryError):
        return InputError(f"{path}: there is not enough memory to read the file. Close other programs.")
    reason = getattr(error, "strerror", None) or str(error)
    return InputError(f"{path}: the file cannot be read: {reason}.")


def read_text(path: Path) -> str:
    """The text of a small UTF-8 file, without a byte order mark.

    Raises
    ------
    InputError
        If the file cannot be read or is not text.
    """
    _size(path)
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: this is not a text file in UTF-8 (byte {error.start} is not valid).") from error
    except OSError as error:
        raise _unreadable(path, error) from error


def _size(path: Path) -> int:
    """Size of an ordinary file in bytes; pipes and devices might never end."""
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        # a path with a NUL character is a ValueError
        raise _unreadable(path, error) from error
    if stat.S_ISDIR(status.st_mode):
        raise InputError(f"{path}: this is a folder. Give the file inside it.")
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{path}: this is no ordinary file. Copy the data into a file first.")
    return status.st_size


class ImageFile:
    """An image file read once: its head at first, all of its bytes and their SHA-256 on request.

    Parameters
    ----------
    path : Path

    Raises
    ------
    InputError
        If the file is missing, empty, a folder, unreadable or no ordinary file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = _size(path)
        try:
            with path.open("rb") as handle:
                start = handle.read(_HEAD_BYTES)
        except OSError as error:
            raise _unreadable(path, error) from error
        if not start:
            raise InputError(f"{path}: the file is empty (0 bytes). Copy or export it again.")
        self.compressed = start[:2] == GZIP_MAGIC
        self.head = self._first_bytes(start)

    @property
    def capacity(self) -> int:
        """Most uncompressed bytes that a file of this size can hold."""
        return self.size * (_GZIP_MOST if self.compressed else 1)

    def open(self) -> Payload:
        """Read the whole file and begin to hand out its uncompressed bytes."""
        try:
            content = self.path.read_bytes()
        except (OSError, MemoryError) as error:
            raise _unreadable(self.path, error) from error
        return Payload(content, self.path, compressed=self.compressed)

    def _first_bytes(self, start: bytes) -> bytes:
        if not self.compressed:
            return start
        try:
            return zlib.decompressobj(wbits=31).decompress(start, _HEAD_BYTES)
        except zlib.error as error:
            raise _corrupted(self.path, error) from error


class Payload:
    """The uncompressed bytes of a file, in order; the SHA-256 of the file's own bytes is computed meanwhile."""

    def __init__(self, content: bytes, path: Path, *, compressed: bool) -> None:
        self._pieces = _inflated(content, path) if compressed else iter([content])
        self._piece = memoryview(b"")
        hasher = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pypet-sha256")
        self._hash: Future[str] = hasher.submit(_sha256, content)
        hasher.shutdown(wait=False)

    @property
    def sha256(self) -> str:
        """SHA-256 of the file as it is on disk, in hexadecimal."""
        return self._hash.result()

    def fill(self, target: memoryview) -> int:
        """Copy the next bytes into ``target``; the number copied is smaller only at the end of the data."""
        done = 0
        while done < len(target) and self._advance():
            taken = self._piece[: len(target) - done]
            target[done : done + len(taken)] = taken
            self._piece = self._piece[len(taken) :]
            done += len(taken)
        return done

    def skip(self, count: int) -> int:
        """Pass over up to ``count`` bytes and say how many there were."""
        done = 0
        while done < count and self._advance():
            taken = min(len(self._piece), count - done)
            self._piece = self._piece[taken:]
            done += taken
        return done

    def _advance(self) -> bool:
        while not self._piece:
            following = next(self._pieces, None)
            if following is None:
                return False
            self._piece = memoryview(following)
        return True


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _inflated(content: bytes, path: Path) -> Iterator[bytes]:
    """Uncompressed pieces of a gzip file of one or more members; checksums are verified at their ends."""
    position = 0
    while position < len(content):
        if content[position : position + 2] != GZIP_MAGIC:
            if content[position:].strip(b"\0"):
                raise InputError(
                    f"{path}: {len(content) - position} bytes that are not gzip data follow the image. The file is "
                    "damaged; copy or export it again."
                )
            return
        engine = zlib.decompressobj(wbits=31)
        while not engine.eof:
            piece = engine.unconsumed_tail
            if not piece:
                piece = content[position : position + _INPUT_PIECE]
                position += len(piece)
            try:
                out = engine.decompress(piece, _OUTPUT_PIECE)
            except zlib.error as error:
                raise _corrupted(path, error) from error
            if out:
                yield out
            elif not piece and not engine.eof:
                raise InputError(
                    f"{path}: the file is truncated: its gzip data stop before their end. Copy or export it again."
                )
        position -= len(engine.unused_data)


def _corrupted(path: Path, error: Exception) -> InputError:
    return InputError(f"{path}: the gzip data are corrupted ({error}). Copy or export the file again.")
