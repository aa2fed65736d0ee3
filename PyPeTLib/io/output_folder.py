"""An output folder that appears whole or not at all, and never takes the place of what PyPeT did not make.

Beside ``OUT``, on the same file system, a run works in the hidden folder ``.OUT.pypet``::

    .OUT.pypet/lock    held while the run lives; a lock that nobody holds marks the leftovers of a killed run
    .OUT.pypet/new     what is being written; takes the place of OUT at the end
    .OUT.pypet/old     the former OUT, from the moment it makes room until the new one is in place
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from types import TracebackType

from PyPeTLib.errors import InputError
from PyPeTLib.io.locks import acquire_lock, release_lock

SUMMARY_NAME = "summary.json"
"""The file by which PyPeT knows a folder as its own: a JSON object in which the word PyPeT occurs."""

_LARGEST_SUMMARY = 16 << 20


def check_output_folder(
    path: str | PathLike[str], *, overwrite: bool = False, inputs: Iterable[str | PathLike[str]] = ()
) -> Path:
    """Refuse an output folder that cannot or must not be written, before any work is done. Changes nothing.

    Parameters
    ----------
    path : path
        The folder to make. A missing parent folder is no error: it is made with it.
    overwrite : bool
        Whether an empty folder, or one that PyPeT made, may be replaced.
    inputs : paths
        Files the run reads; none may lie in the folder that would be replaced.

    Returns
    -------
    Path
        The absolute path, symbolic links resolved.

    Raises
    ------
    InputError
        If the folder exists (without ``overwrite``), is not PyPeT's, is a file or a mount point, holds an input, or
        lies where nothing can be written.
    """
    out = _resolved(path)
    for given in inputs:
        if _resolved(given).is_relative_to(out):
            raise InputError(f"{given}: this input lies inside the output folder {out}. Choose another output folder.")
    _check_parent(out)
    _check_occupant(out, _work_folder(out) / "old", overwrite=overwrite)
    return out


class OutputFolder:
    """Context manager that makes an output folder whole or not at all.

    Inside the ``with`` block files go into the folder it yields. When the block ends, that folder takes the place of
    ``path``; when it is left by an exception (Ctrl-C included), nothing remains, and a former folder is untouched.
    What a killed run left behind is cleared by the next run for the same path, and a former folder that it had set
    aside is put back first. Parents of ``path`` that do not exist are made, and removed again on failure.

    Parameters
    ----------
    path, overwrite, inputs
        As for `check_output_folder`, whose rules hold on entry and again before the folder is put in place.

    Raises
    ------
    InputError
        On entry, if the folder must not be written or another run is writing it; at the end, if it cannot be put in
        place.
    """

    def __init__(
        self, path: str | PathLike[str], *, overwrite: bool = False, inputs: Iterable[str | PathLike[str]] = ()
    ) -> None:
        self.path = _resolved(path)
        self.overwrite = overwrite
        self.inputs = tuple(inputs)
        self._work = _work_folder(self.path)
        self._new = self._work / "new"
        self._old = self._work / "old"
        self._made_parents: list[Path] = []
        self._lock = -1

    def __enter__(self) -> Path:
        _check_parent(self.path)
        try:
            self._make_parents()
            self._lock = self._acquire()
            self._clear_leftovers()
            check_output_folder(self.path, overwrite=self.overwrite, inputs=self.inputs)
            self._new.mkdir()
        except OSError as error:
            self._discard()
            raise _unwritable(self.path, error) from error
        except BaseException:
            self._discard()
            raise
        return self._new

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            self._discard()
            return
        try:
            _check_occupant(self.path, self._old, overwrite=self.overwrite)
            self._put_in_place()
        except OSError as problem:
            self._discard()
            raise _unwritable(self.path, problem) from problem
        except BaseException:
            self._discard()
            raise
        self._made_parents.clear()
        self._discard()

    def _make_parents(self) -> None:
        missing = [folder for folder in self.path.parents if not folder.exists()]
        for folder in reversed(missing):
            folder.mkdir(exist_ok=True)
            self._made_parents.append(folder)

    def _acquire(self) -> int:
        while True:
            self._work.mkdir(exist_ok=True)
            try:
                descriptor = acquire_lock(self._work / "lock")
            except FileNotFoundError:
                # the run that had the folder removed it at this moment
                continue
            if descriptor is None:
                raise InputError(
                    f"{self.path}: another run of PyPeT is writing this output folder. Wait for it, or choose another "
                    "folder."
                )
            return descriptor

    def _clear_leftovers(self) -> None:
        """With the lock held, whatever lies in the hidden folder belongs to a run that is dead."""
        self._restore_old()
        self._remove_old()
        _remove(self._new)

    def _restore_old(self) -> None:
        if os.path.lexists(self._old) and not os.path.lexists(self.path):
            self._old.replace(self.path)

    def _remove_old(self) -> None:
        # without a folder in its place, the old one is the only copy
        if os.path.lexists(self.path):
            _remove(self._old)

    def _put_in_place(self) -> None:
        try:
            if self.path.exists():
                self.path.replace(self._old)
            self._new.replace(self.path)
        except BaseException:
            self._restore_old()
            raise

    def _discard(self) -> None:
        """Remove everything of this run but the folder put in place."""
        if self._lock >= 0:
            # only the owner of the lock may touch what the hidden folder holds
            with contextlib.suppress(OSError):
                _remove(self._new)
                self._remove_old()
            release_lock(self._work / "lock", self._lock)
            self._lock = -1
        for folder in (self._work, *reversed(self._made_parents)):
            # not empty: it belongs to another run, or holds an old folder that could not be removed
            with contextlib.suppress(OSError):
                folder.rmdir()


def _resolved(path: str | PathLike[str]) -> Path:
    try:
        return Path(os.path.realpath(path))
    except (OSError, ValueError) as error:
        raise InputError(f"{path!r}: this is no usable path: {error}.") from error


def _work_folder(out: Path) -> Path:
    return out.parent / f".{out.name}.pypet"


def _check_parent(out: Path) -> None:
    if not out.name:
        raise InputError(f"{out}: this cannot be an output folder. Name a folder to be made.")
    parent = next(folder for folder in out.parents if os.path.lexists(folder))
    if not parent.is_dir():
        raise InputError(f"{parent}: this is a file, so the output folder {out} cannot lie in it. Choose another one.")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise InputError(
            f"{parent}: permission to write here is denied, so the output folder {out.name} cannot be made. Choose "
            "another one."
        )


def _check_occupant(out: Path, old: Path, *, overwrite: bool) -> None:
    """Refuse to replace what is at ``out``, or at ``old`` where a killed run had moved it, unless it is PyPeT's."""
    occupant = out if os.path.lexists(out) or not os.path.lexists(old) else old
    if not os.path.lexists(occupant):
        return
    if not occupant.is_dir():
        raise InputError(f"{out}: this is a file, not a folder. Choose another output folder.")
    if os.path.ismount(out):
        raise InputError(f"{out}: a disk is mounted here, so this folder cannot be replaced. Name a folder inside it.")
    if not overwrite:
        raise InputError(f"{out}: the output folder exists. Choose another one, or replace it with --overwrite.")
    try:
        ours = not any(occupant.iterdir()) or _made_by_pypet(occupant)
    except OSError as error:
        raise _unwritable(out, error) from error
    if not ours:
        raise InputError(
            f"{out}: this folder is not empty and holds no {SUMMARY_NAME} of PyPeT, so it is not replaced. Choose "
            "another output folder."
        )


def _made_by_pypet(folder: Path) -> bool:
    summary = folder / SUMMARY_NAME
    if not summary.is_file() or summary.stat().st_size > _LARGEST_SUMMARY:
        return False
    content = summary.read_bytes()
    try:
        return isinstance(json.loads(content), dict) and b"pypet" in content.lower()
    except (ValueError, RecursionError):
        return False


def _remove(folder: Path) -> None:
    if os.path.lexists(folder):
        shutil.rmtree(folder)


def _unwritable(out: Path, error: OSError) -> InputError:
    return InputError(
        f"{out.parent}: the output folder {out.name} cannot be written here: {error.strerror or error}. Choose another "
        "output folder, or free space and check the access rights."
    )
