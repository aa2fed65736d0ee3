"""Maps as files with what their sidecars say of them: unit, scale and where they hold values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

import numpy as np

from PyPeTLib.compare.model import MapImage
from PyPeTLib.compare.reading import read_map
from PyPeTLib.compare.units import UNITS, unit_name
from PyPeTLib.errors import InputError
from PyPeTLib.io import read_volume
from PyPeTLib.io.sidecar import Sidecar, image_stem, read_sidecar


@dataclass(frozen=True, kw_only=True, eq=False)
class DescribedMap:
    """A map from a file.

    Attributes
    ----------
    name : str
        Of the file, without its ending and without the folder.
    path : Path
    image : MapImage
    unit : str
        As the sidecar has it, with what it says of the scale; empty where it says nothing.
    """

    name: str
    path: Path
    image: MapImage
    unit: str


def read_described_map(path: str | PathLike[str]) -> DescribedMap:
    """A 3D map with what its sidecar says: ``Units``, ``Calibrated``, and ``ValidMask``, a file beside it.

    Raises
    ------
    InputError
        If a file cannot be used, or the mask lies on another grid.
    """
    path = Path(path)
    sidecar = read_sidecar(path)
    unit = sidecar.fields.get("Units")
    unit = unit.strip() if isinstance(unit, str) else ""
    known = unit_name(unit) if "".join(unit.split()).casefold() in _KNOWN else ""
    image = read_map(path, unit=known)
    mask = sidecar.fields.get("ValidMask")
    if isinstance(mask, str) and mask:
        image = replace(image, valid=_valid(path, mask, image))
    shown = f"{unit} (uncalibrated)" if unit and sidecar.fields.get("Calibrated") is False else unit
    return DescribedMap(name=image_stem(path), path=path, image=image, unit=shown)


def read_maps(paths: Iterable[str | PathLike[str]]) -> dict[str, DescribedMap]:
    """Maps of files and of result folders, by names that tell them apart, in the order given.

    Raises
    ------
    InputError
        If a path is neither, a folder holds no maps of PyPeT's, or one file is given twice.
    """
    files: list[Path] = []
    for path in map(Path, paths):
        files += maps_of_folder(path) if path.is_dir() else [path]
    if len({file.resolve() for file in files}) < len(files):
        raise InputError("one of the maps is given twice. Name each once.")
    stems = [image_stem(file) for file in files]
    named = {}
    for file, stem in zip(files, stems, strict=True):
        name = stem if stems.count(stem) == 1 else f"{file.resolve().parent.name}/{stem}"
        if name in named:
            raise InputError(f"{file}: another map is called {name}, too. Rename the folder or the file.")
        named[name] = read_described_map(file)
    return named


def maps_of_folder(folder: Path) -> list[Path]:
    """The files of the maps in a result folder, in the order of their names.

    Raises
    ------
    InputError
        If it holds none.
    """
    files = [path for path in sorted(folder.glob("*.nii.gz")) if _is_map(read_sidecar(path))]
    if not files:
        raise InputError(f"{folder}: this folder holds no maps of a run. Give a result folder, or NIfTI files.")
    return files


_KNOWN = {spelling.casefold() for entry in UNITS.entries() for spelling in (entry.name, *entry.aliases)}


def _is_map(sidecar: Sidecar) -> bool:
    return "Quantity" in sidecar.fields and "Units" in sidecar.fields


def _valid(path: Path, mask: str, image: MapImage) -> np.ndarray:
    """The voxels that hold values, from a file beside the map."""
    file = path.with_name(Path(mask).name)
    if not file.is_file():
        raise InputError(
            f"{path.name}: its sidecar names the mask {Path(mask).name}, which is not beside it. Copy it there, or "
            "leave the sidecar away."
        )
    volume = read_volume(file)
    if not volume.grid.matches(image.grid):
        raise InputError(
            f"{file.name}: this mask lies on another grid than {path.name}. Copy the run's own mask there."
        )
    valid: np.ndarray = volume.data > 0.5
    return valid
