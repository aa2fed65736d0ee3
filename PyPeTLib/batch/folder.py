"""The folder of a study's results: one run at a time, and nobody else's files in it."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from types import TracebackType
from typing import Self

from PyPeTLib.batch.records import is_own_description
from PyPeTLib.errors import InputError
from PyPeTLib.io.locks import acquire_lock, release_lock

LOCK_NAME = ".pypet-batch.lock"


class StudyFolder:
    """Context manager that holds the folder of results for one run.

    A lock that nobody holds, such as that of a killed run, is no obstacle.

    Parameters
    ----------
    out, dataset : Path
    resume : bool
        Whether there may be results.

    Raises
    ------
    InputError
        On entry, if the folder must not be used, or another run uses it.
    """

    def __init__(self, out: Path, dataset: Path, *, resume: bool) -> None:
        self.path = Path(os.path.realpath(out))
        self.token = secrets.token_hex(16)
        """What the lock file holds, by which another machine knows that it sees this folder and no other."""
        self._dataset = Path(os.path.realpath(dataset))
        self._resume = resume
        self._lock = -1

    @property
    def lock_file(self) -> Path:
        """Where the token is."""
        return self.path / LOCK_NAME

    def __enter__(self) -> Self:
        self._check_place()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = acquire_lock(self.lock_file)
        except OSError as error:
            raise InputError(
                f"{self.path}: results cannot be written here: {error.strerror or error}. Choose another folder, or "
                "check the access rights."
            ) from error
        if lock is None:
            raise InputError(
                f"{self.path}: another run of 'pypet batch' is at work in this folder. Wait for it, or choose another "
                "folder."
            )
        self._lock = lock
        try:
            self._check_content()
            os.ftruncate(lock, 0)
            os.write(lock, self.token.encode())
            os.fsync(lock)
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release()

    def _release(self) -> None:
        release_lock(self.lock_file, self._lock)

    def _check_place(self) -> None:
        if self._dataset.is_relative_to(self.path):
            raise InputError(
                f"{self.path}: this folder holds the dataset. Choose another folder for the results, such as "
                f"{self._dataset / 'derivatives' / 'pypet'}."
            )
        if os.path.lexists(self.path) and not self.path.is_dir():
            raise InputError(f"{self.path}: this is a file, not a folder. Choose another folder for the results.")

    def _check_content(self) -> None:
        # what a run leaves that was killed while it wrote the description is a hidden part of it
        names = [path.name for path in self.path.iterdir() if path.name != LOCK_NAME and path.suffix != ".part"]
        if not names:
            return
        if not is_own_description(self.path):
            raise InputError(
                f"{self.path}: this folder is not empty, and its dataset_description.json names no PyPeT, so nothing "
                "is written into it. Choose another folder."
            )
        if not self._resume and any(name.startswith("sub-") for name in names):
            raise InputError(
                f"{self.path}: this folder holds results. Go on with --resume, which analyses what is missing or "
                "changed and keeps the rest, or choose another folder."
            )
