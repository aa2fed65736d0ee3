"""A perfusion series from whatever holds it: a NIfTI file, or DICOM files."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

from PyPeTLib.errors import InputError
from PyPeTLib.io.dicom import is_dicom, load_dicom
from PyPeTLib.io.nifti import LoadedSeries, load_series


def load_scan(path: str | PathLike[str], *, series: str | int | None = None, **facts: Any) -> LoadedSeries:
    """A perfusion series from a NIfTI file, a DICOM file or a folder of DICOM files, by what the path is.

    Parameters
    ----------
    path : path
    series : str or int, optional
        Number or UID of the DICOM series, where there are several.
    **facts
        What the files may lack, as for `load_series`.

    Raises
    ------
    InputError
        As `load_series` and `load_dicom`; also for a folder without DICOM files.
    """
    given = Path(path)
    if given.is_dir() or (given.is_file() and is_dicom(given)) or given.name.upper() == "DICOMDIR":
        return load_dicom(given, series=series, **facts)
    if series is not None:
        raise InputError(f"{given.name}: --series chooses among DICOM series, and this is no folder of DICOM files.")
    return load_series(given, **facts)
