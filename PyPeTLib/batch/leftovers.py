"""One process at a time for each result folder, and an end to what killed ones left beside it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from PyPeTLib.errors import InputError
from PyPeTLib.io import OutputFolder
from PyPeTLib.io.locks import acquire_lock, release_lock

PATIENCE_SECONDS = 1800.0
"""How long a scan at which another process is at work is waited for."""

_LOOK_SECONDS = 0.2


class _UntouchedError(Exception):
    """Leaves an output folder as it was."""


@contextlib.contextmanager
def only_here(out: Path) -> Iterator[None]:
    """Nobody else works on a scan within the block, and nothing is left beside its folder of runs that were killed.

    A worker that a scheduler has given up may still be at work, and so may one whose user has gone: it is waited for,
    rather than its work done twice. A former folder that a killed run had set aside is put back.

    Parameters
    ----------
    out : Path
        The result folder, whose parent exists.

    Raises
    ------
    InputError
        If another process is still at work after `PATIENCE_SECONDS`, or nothing can be written there.
    """
    lock = out.with_name(f".{out.name}.lock")
    end = time.monotonic() + PATIENCE_SECONDS
    while (descriptor := _locked(lock)) is None:
        if time.monotonic() > end:
            raise InputError(
                f"{out}: another process has been at work on this scan for {PATIENCE_SECONDS / 60:.0f} minutes. End "
                "it, then run again with --resume."
            )
        time.sleep(_LOOK_SECONDS)
    try:
        _clear(out)
        yield
    finally:
        release_lock(lock, descriptor)


def _locked(lock: Path) -> int | None:
    try:
        return acquire_lock(lock)
    except OSError as error:
        raise InputError(
            f"{lock.parent}: results cannot be written here: {error.strerror or error}. The folder must be seen under "
            "this path by every machine, and open to writing."
        ) from error


def _clear(out: Path) -> None:
    # where `OutputFolder` works; on entry it clears up after those that were killed there
    if out.with_name(f".{out.name}.pypet").exists():
        # a folder that is not PyPeT's is refused here and again, with its message, when it is to be written
        with contextlib.suppress(_UntouchedError, InputError), OutputFolder(out, overwrite=True):
            raise _UntouchedError
