"""Maps as files with what lies beside them: unit, scale, where they hold values, and where there is tissue."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

import numpy as np

from PyPeTLib.arrays import Mask
from PyPeTLib.compare.model import MapImage
from PyPeTLib.compare.reading import read_map
from PyPeTLib.compare.resampling import resample_reference
from PyPeTLib.compare.territories import OF_TISSUE, Selection
from PyPeTLib.compare.units import UNITS, unit_name
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid
from PyPeTLib.io import read_volume
from PyPeTLib.io.sidecar import Sidecar, image_stem, read_sidecar
from PyPeTLib.maps import QUANTITIES
from PyPeTLib.masking.tissue import PARENCHYMA


@dataclass(frozen=True, kw_only=True, eq=False)
class DescribedMap:
    """A map from a file.

    Attributes
    ----------
    name : str
        What a run calls the map: its quantity, for a map of a run or a name as BIDS has them; else the file's name
        without its ending.
    path : Path
    image : MapImage
    unit : str
        As the sidecar has it, with what it says of the scale; empty where it says nothing.
    tissue : ndarray of bool, shape (x, y, z), or None
        Grey and white matter on the map's grid, of the run that the map is of; None where no such file lies beside it.
    """

    name: str
    path: Path
    image: MapImage
    unit: str
    tissue: Mask | None = None


def read_described_map(path: str | PathLike[str]) -> DescribedMap:
    """A 3D map with what its sidecar says: ``Units``, ``Calibrated``, and ``ValidMask``, a file beside it.

    Beside a map of a run, ``tissue.nii.gz`` with the same prefix tells where there is tissue.

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
    name, prefix = _name_and_prefix(path, sidecar)
    shown = f"{unit} (uncalibrated)" if unit and sidecar.fields.get("Calibrated") is False else unit
    tissue = _tissue(path.with_name(f"{prefix}tissue.nii.gz"), image) if _is_map(sidecar) else None
    return DescribedMap(name=name, path=path, image=image, unit=shown, tissue=tissue)


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
    maps = [read_described_map(file) for file in files]
    quantities, stems = [one.name for one in maps], [image_stem(file) for file in files]
    named = {}
    for one, stem in zip(maps, stems, strict=True):
        name = one.name
        if quantities.count(name) > 1:
            name = stem if stems.count(stem) == 1 else f"{one.path.resolve().parent.name}/{stem}"
        if name in named:
            raise InputError(f"{one.path}: another map is called {name}, too. Rename the folder or the file.")
        named[name] = one
    return named


def selection_of(described: DescribedMap, mask: Path | None = None, *, all_voxels: bool = False) -> Selection | None:
    """Which voxels of a map count: tissue, where its run tells it, and those inside a mask, if one is given.

    Parameters
    ----------
    described : DescribedMap
    mask : path, optional
        3D NIfTI file; what is not 0 is inside. On any grid: it is brought onto the map's by position.
    all_voxels : bool
        Vessels, CSF and what is neither count, too.

    Returns
    -------
    Selection or None
        None where all voxels with a value count.

    Raises
    ------
    InputError
        If the mask cannot be used, or does not overlap the map.
    """
    tissue = None if all_voxels else described.tissue
    if mask is None:
        return None if tissue is None else Selection(mask=tissue, text=OF_TISSUE)
    inside = _mask_on(mask, described.image)
    if tissue is None:
        return Selection(mask=inside, text=f"the voxels inside {mask.name}, with the vessels and the CSF that it holds")
    return Selection(mask=inside & tissue, text=f"{OF_TISSUE}, inside {mask.name}")


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


_NAMES = sorted((name for one in QUANTITIES for name in (one, f"{one}_relative")), key=len, reverse=True)
"""What a run calls its maps, longest first."""

_ENTITIES = re.compile(r"sub-[^_]+_(?:[A-Za-z]+-[^_]+_)*")
"""What stands before the quantity in a name as BIDS has them."""


def _is_map(sidecar: Sidecar) -> bool:
    return "Quantity" in sidecar.fields and "Units" in sidecar.fields


def _name_and_prefix(path: Path, sidecar: Sidecar) -> tuple[str, str]:
    """What a run calls the map of a file, and what stands before it in the file's name."""
    stem = image_stem(path)
    for name in _NAMES:
        prefix = stem.removesuffix(name)
        if prefix == stem or (prefix and not prefix.endswith("_")):
            continue
        symbol = sidecar.fields.get("Symbol")
        of_run = _is_map(sidecar) and symbol in (None, QUANTITIES[name.removesuffix("_relative")].symbol)
        if of_run or not prefix or _ENTITIES.fullmatch(prefix):
            return name, prefix
    return stem, ""


def _tissue(file: Path, image: MapImage) -> Mask | None:
    """Grey and white matter of the run that a map is of."""
    if not file.is_file():
        return None
    volume = read_volume(file)
    if not volume.grid.matches(image.grid):
        raise InputError(
            f"{file.name}: these classes of tissue lie on another grid than {image.name}. Copy the run's own file "
            "there."
        )
    return np.isin(volume.data, [float(kind) for kind in PARENCHYMA])


def _mask_on(path: Path, image: MapImage) -> Mask:
    """A mask of a file on the voxels of a map."""
    volume = read_volume(path)
    grid: Grid = volume.grid
    inside = volume.data > 0.5
    if not inside.any():
        raise InputError(f"{path.name}: the mask is empty, so no voxel of the maps would count.")
    if grid.matches(image.grid):
        return inside
    everywhere = np.ones(inside.shape, bool)
    found: Mask = resample_reference(inside.astype(np.float32), everywhere, grid, image.grid, "nearest").values > 0.5
    if not found.any():
        raise InputError(
            f"{path.name} and {image.name} do not overlap.\n  mask: {grid.describe()}\n"
            f"  map:  {image.grid.describe()}\nGive a mask in the patient's own space."
        )
    return found


def _valid(path: Path, mask: str, image: MapImage) -> Mask:
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
    valid: Mask = volume.data > 0.5
    return valid
