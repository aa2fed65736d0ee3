"""Maps from NIfTI files, which may hold NaN where there is no value."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from PyPeTLib.compare.model import MapImage
from PyPeTLib.io import read_volume


def read_map(path: str | PathLike[str], *, unit: str = "") -> MapImage:
    """A map from a 3D NIfTI file (``.nii`` or ``.nii.gz``), in RAS+ order.

    Parameters
    ----------
    path : path
    unit : str
        A name in `UNITS`; NIfTI has no field for it.

    Raises
    ------
    InputError
        If the file cannot be used or is not one volume.
    """
    found = read_volume(path, finite=False)
    return MapImage(values=found.data, affine=found.orientation.ras.affine, unit=unit, name=Path(path).name)
