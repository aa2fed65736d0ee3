"""Bytes of an image file, gzip-compressed or not, handed out piece by piece and never more than were asked for."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from PyPeTLib.errors import InputError
from PyPeTLib.io.inflate import GZIP_MAGIC, inflated

_HEAD_BYTES = 1024
"""How much of the uncompressed bytes must be there, if there are so many, before a header is judged."""

_FILE_PIECE = 1 << 20
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


def _file_pieces(path: Path, size: int) -> Iterator[bytes]:
    """The first ``size`` bytes of a file: no more, even if it grows meanwhile."""
    try:
        with path.open("rb") as handle:
            while size > 0 and (piece := handle.read(min(_FILE_PIECE, size))):
                size -= len(piece)
                yield piece
    except (OSError, MemoryError) as error:
        raise _unreadable(path, error) from error


class ImageFile:
    """An image file: its head at first, all of its bytes and their SHA-256 on request.

    Parameters
    ----------
    path : Path

    Raises
    ------
    InputError
        If the file is missing, empty, a folder, unreadable or no ordinary file, or if its gzip data are damaged at
        their beginning.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = _size(path)
        start = b"".join(_file_pieces(path, len(GZIP_MAGIC)))
        if not start:
            raise InputError(f"{path}: the file is empty (0 bytes). Copy or export it again.")
        self.compressed = start == GZIP_MAGIC
        self.head = b""
        for piece in self._uncompressed(_file_pieces(path, self.size), _HEAD_BYTES):
            self.head += piece
            if len(self.head) >= _HEAD_BYTES:
                break

    @property
    def capacity(self) -> int:
        """Most uncompressed bytes that a file of this size can hold."""
        return self.size * (_GZIP_MOST if self.compressed else 1)

    def open(self) -> Payload:
        """Begin to hand out the file's uncompressed bytes."""
        digest = _Digest()
        read = digest.seen(_file_pieces(self.path, self.size))
        return Payload(self._uncompressed(read, _OUTPUT_PIECE), read, digest)

    def _uncompressed(self, read: Iterator[bytes], most: int) -> Iterator[bytes]:
        return inflated(read, self.path, most=most) if self.compressed else read


class _Digest:
    """SHA-256 of what is read, computed in a thread of its own while the reader goes on."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pypet-sha256")
        self._last: Future[None] | None = None

    def seen(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The same pieces, each of them hashed."""
        for piece in pieces:
            self._wait()
            self._last = self._worker.submit(self._hash.update, piece)
            yield piece

    def result(self) -> str:
        """The hash in hexadecimal; nothing may follow."""
        self._wait()
        self._worker.shutdown(wait=False)
        return self._hash.hexdigest()

    def _wait(self) -> None:
        # one piece is hashed while the next is read: no more of them are kept
        if self._last is not None:
            self._last.result()


class Payload:
    """The uncompressed bytes of a file, in order; the SHA-256 of the file's own bytes is computed meanwhile.

    Parameters
    ----------
    pieces : iterator of bytes
        The uncompressed bytes.
    read : iterator of bytes
        The file's own bytes, from which the others are made.
    digest : _Digest
        Sees what is read.
    """

    def __init__(self, pieces: Iterator[bytes], read: Iterator[bytes], digest: _Digest) -> None:
        self._pieces = pieces
        self._read = read
        self._digest = digest
        self._rest = memoryview(b"")

    @property
    def sha256(self) -> str:
        """SHA-256 of the file as it is on disk, in hexadecimal; what has not been read yet is passed over."""
        for _ in self._read:
            pass
        return self._digest.result()

    def fill(self, target: memoryview) -> int:
        """Copy the next bytes into ``target``; the number copied is smaller only at the end of the data."""
        done = 0
        while done < len(target) and self._advance():
            taken = self._rest[: len(target) - done]
            target[done : done + len(taken)] = taken
            self._rest = self._rest[len(taken) :]
            done += len(taken)
        return done

    def skip(self, count: int) -> int:
        """Pass over up to ``count`` bytes and say how many there were."""
        done = 0
        while done < count and self._advance():
            taken = min(len(self._rest), count - done)
            self._rest = self._rest[taken:]
            done += taken
        return done

    def _advance(self) -> bool:
        while not self._rest:
            following = next(self._pieces, None)
            if following is None:
                return False
            self._rest = memoryview(following)
        return True
