"""A lock file that dies with its process, so that a killed run never blocks the next one."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from pathlib import Path

from PyPeTLib.errors import InputError

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


_HELD_ELSEWHERE = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK}


def acquire_lock(path: Path) -> int | None:
    """Descriptor of the locked file, or None while another process or thread holds the lock.

    Raises
    ------
    FileNotFoundError
        If the folder of the lock file vanished: its owner finished at this moment.
    InputError
        If the file system knows no locks.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _try_lock(descriptor)
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
            # the owner removed the file between our opening and locking it
            os.close(descriptor)
        except FileNotFoundError:
            os.close(descriptor)
        except OSError as error:
            os.close(descriptor)
            if error.errno in _HELD_ELSEWHERE:
                return None
            with contextlib.suppress(OSError):
                path.unlink()
            raise InputError(
                f"{path.parent.parent}: this file system knows no file locks ({error.strerror}), so two runs could "
                "destroy each other's results. Choose an output folder on another disk."
            ) from error


def release_lock(path: Path, descriptor: int) -> None:
    """Remove a lock file held by this process and give up the lock."""
    if sys.platform == "win32":
        # an open file cannot be removed there
        os.close(descriptor)
        descriptor = -1
    with contextlib.suppress(OSError):
        path.unlink()
    if descriptor >= 0:
        os.close(descriptor)
