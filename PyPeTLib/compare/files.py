"""Maps in files: which of a folder's files show which quantity, and what their sidecars say of unit and validity."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PyPeTLib.arrays import Mask
from PyPeTLib.compare.model import MapImage
from PyPeTLib.compare.pairing import read_name
from PyPeTLib.compare.reading import read_map
from PyPeTLib.compare.units import unit_name
from PyPeTLib.errors import InputError
from PyPeTLib.io import read_volume
from PyPeTLib.io.output_folder import SUMMARY_NAME
from PyPeTLib.io.sidecar import Sidecar, read_sidecar
from PyPeTLib.io.stream import read_text
from PyPeTLib.maps import QUANTITIES

REFERENCE_FOLDER = "perfusion-maps"
"""Where datasets keep reference maps."""

_ENDINGS = (".nii.gz", ".nii")


@dataclass(frozen=True, kw_only=True)
class MapFiles:
    """The maps of a folder by quantity, and a sentence about each file that was left out."""

    folder: Path
    maps: Mapping[str, Path]
    notes: tuple[str, ...] = ()


def read_map_file(path: Path, *, unit: str = "", name: str = "") -> tuple[MapImage, tuple[str, ...]]:
    """A map with what its JSON sidecar says: its unit (``Units``), and where it holds values (``ValidMask``).

    Parameters
    ----------
    path : Path
    unit : str
        A name in `UNITS`; wins over the sidecar.
    name : str
        What messages call the map; by default the file's name.

    Returns
    -------
    image : MapImage
        Without a unit where none is told, the sidecar's is not known, or the map's scale is arbitrary.
    notes : tuple of str
        About a unit that was left aside.

    Raises
    ------
    InputError
        If a file cannot be used.
    """
    sidecar = read_sidecar(path)
    told, notes = (unit_name(unit), ()) if unit else _told_unit(sidecar, name or path.name)
    image = replace(read_map(path, unit=told), valid=_valid(path, sidecar))
    return (replace(image, name=name) if name else image), notes


def read_brain(path: Path, like: MapImage) -> Mask:
    """A brain mask on the voxels of a map, in the order of its axes; what is not 0 is inside.

    Raises
    ------
    InputError
        If the file cannot be used, is empty, or lies on another grid.
    """
    volume = read_volume(path)
    if not volume.grid.matches(like.grid):
        raise InputError(
            f"{path.name}: the mask lies on another grid than {like.name}.\n  mask: {volume.grid.describe()}\n"
            f"  map:  {like.grid.describe()}\nGive the mask that belongs to the generated maps."
        )
    mask: Mask = volume.data != 0
    if not mask.any():
        raise InputError(f"{path.name}: the mask is empty. Give one with the brain inside.")
    return mask


def map_files(folder: Path) -> MapFiles:
    """The maps in a folder: a result of PyPeT's by its summary, others by what the names of their files say.

    In a folder without maps, those in a folder ``perfusion-maps`` in it are taken.

    Raises
    ------
    InputError
        If there is no such folder, or if it holds no maps.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder. Check the path.")
    summary = read_summary(folder)
    if summary is not None:
        found = _of_result(folder, summary)
    else:
        found = _by_names(folder)
        if not found.maps and (folder / REFERENCE_FOLDER).is_dir():
            found = _by_names(folder / REFERENCE_FOLDER)
    if not found.maps:
        seen = " ".join(("no file in this folder is a map by its name.", *found.notes))
        raise InputError(
            f"{folder}: {seen} Name the files for what they show, such as cbf.nii.gz, or give two files with "
            "--quantity."
        )
    return found


def read_summary(folder: Path) -> dict[str, Any] | None:
    """The ``summary.json`` of a folder with a result of PyPeT's; None where there is none.

    Raises
    ------
    InputError
        If the file is no JSON object.
    """
    path = folder / SUMMARY_NAME
    if not path.is_file():
        return None
    try:
        content = json.loads(read_text(path))
    except ValueError as error:
        raise InputError(f"{path}: this is not usable JSON. Run again to make it anew.") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: a summary is a JSON object, found something else. Run again to make it anew.")
    return content if content.get("software") == "PyPeT" and "maps" in content else None


def batch_results(folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    """Folders and summaries of the scans in an output of ``pypet batch``; empty for any other folder."""
    found = []
    for path in sorted(folder.glob("sub-*/**/summary.json")):
        summary = read_summary(path.parent)
        if summary is not None:
            found.append((path.parent, summary))
    return found


def check_order(generated: Path, reference: Path, *, reference_is_batch: bool) -> None:
    """Check that what PyPeT made is given first and references second, where neither folder is two of a kind.

    Raises
    ------
    InputError
        If a whole dataset, or the output of ``pypet batch``, stands in the wrong place; tells which comes where.
    """
    if reference_is_batch:
        raise InputError(
            f"{reference} is an output of 'pypet batch', and {generated} is none. The output comes first, the dataset "
            f"with the reference maps second: pypet compare {reference} {generated} --out DIR."
        )
    if _is_dataset(generated):
        raise InputError(
            f"{generated} is a dataset without results of PyPeT. First comes what PyPeT made (a map, a result of "
            "'pypet run', or an output of 'pypet batch' with finished scans), then the references."
        )
    if _is_dataset(reference):
        one = next(
            iter(sorted(reference.glob(f"sub-*/**/{REFERENCE_FOLDER}"))), reference / "sub-01" / REFERENCE_FOLDER
        )
        raise InputError(
            f"{reference} is a dataset of many scans, and {generated} is no output of 'pypet batch'. Give the folder "
            f"with the references of this one scan, such as {one}, or the whole output of 'pypet batch' first."
        )


def result_file(folder: Path, name: str) -> Path | None:
    """The image of a name in a result, with or without the prefix of a scan; None where there is none."""
    plain = folder / f"{name}.nii.gz"
    if plain.is_file():
        return plain
    found = sorted(folder.glob(f"*_{name}.nii.gz"))
    return found[0] if len(found) == 1 else None


def _is_dataset(folder: Path) -> bool:
    """Whether a folder holds subjects and no maps of its own."""
    own = any(path.name.endswith((".nii", ".nii.gz")) for path in folder.iterdir())
    subjects = any(path.is_dir() for path in folder.glob("sub-*"))
    return subjects and not own and not (folder / REFERENCE_FOLDER).is_dir()


def _of_result(folder: Path, summary: Mapping[str, Any]) -> MapFiles:
    maps, notes = {}, []
    for quantity in QUANTITIES:
        if quantity in summary["maps"]:
            path = result_file(folder, quantity)
            if path is None:
                notes.append(f"The summary tells of a map of {QUANTITIES[quantity].symbol}, but its file is not there.")
            else:
                maps[quantity] = path
    return MapFiles(folder=folder, maps=maps, notes=tuple(notes))


def _by_names(folder: Path) -> MapFiles:
    named: dict[str, list[Path]] = {}
    notes = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or not path.name.lower().endswith(_ENDINGS) or not path.is_file():
            continue
        reading = read_name(path.name)
        if reading.quantity is None:
            notes.append(reading.reason)
        else:
            named.setdefault(reading.quantity, []).append(path)
    for quantity, several in named.items():
        if len(several) > 1:
            listed = ", ".join(path.name for path in several)
            notes.append(f"Several files are of {QUANTITIES[quantity].symbol}: {listed}. Leave one of them there.")
    maps = {name: named[name][0] for name in QUANTITIES if len(named.get(name, [])) == 1}
    return MapFiles(folder=folder, maps=maps, notes=tuple(notes))


def _told_unit(sidecar: Sidecar, name: str) -> tuple[str, tuple[str, ...]]:
    told = sidecar.fields.get("Units")
    if sidecar.fields.get("Calibrated") is False:
        return "", (f"The scale of {name} is arbitrary: it has no unit.",)
    if not isinstance(told, str) or not told.strip():
        return "", ()
    try:
        return unit_name(told), ()
    except InputError:
        return "", (f"The unit of {name} in its sidecar, {told!r}, is not known and was left aside.",)


def _valid(path: Path, sidecar: Sidecar) -> Mask | None:
    """Where a map of PyPeT's holds values, which 0 alone does not tell: 0 s is a Tmax."""
    named = sidecar.fields.get("ValidMask")
    if not isinstance(named, str):
        return None
    stem = named.split(".")[0]
    beside = path.with_name(named)
    found = beside if beside.is_file() else result_file(path.parent, stem)
    if found is None:
        raise InputError(f"{path.name}: its sidecar names the mask {named}, which is not there. Put it beside the map.")
    valid: Mask = read_volume(found).data != 0
    return valid
