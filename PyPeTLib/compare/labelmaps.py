"""Labelmaps and what their labels are called: names from a file, sides from the names."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid
from PyPeTLib.io import read_volume
from PyPeTLib.io.sidecar import read_sidecar
from PyPeTLib.io.stream import read_text
from PyPeTLib.masking import MidsagittalPlane

LEFT, RIGHT = "left", "right"

MOST_LABEL = 1 << 24
"""Larger whole numbers are not exact in float32, which images are read as."""

_CLEAR = {
    **dict.fromkeys(("left", "lh", "links", "linke", "linker", "linkes", "gauche", "sinistra", "izquierda"), LEFT),
    **dict.fromkeys(("right", "rh", "rechts", "rechte", "rechter", "rechtes", "droite", "destra", "derecha"), RIGHT),
}
_SHORT = {**dict.fromkeys(("l", "li", "lt"), LEFT), **dict.fromkeys(("r", "re", "rt"), RIGHT)}
"""Count only where no clear word does: L alone may be the lentiform nucleus."""

_LABEL_COLUMNS = ("label", "index", "value", "id", "labels")
_NAME_COLUMNS = ("name", "names", "territory", "region", "structure")


@dataclass(frozen=True, kw_only=True)
class Territory:
    """What a label stands for.

    Attributes
    ----------
    label : int
        In the file.
    name : str
    side : {"left", "right", ""}
    base : str
        The name without its side: what both sides of a pair have in common.
    """

    label: int
    name: str
    side: str = ""
    base: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelMap:
    """Labels of voxels.

    Attributes
    ----------
    values : ndarray of int32, shape (x, y, z)
        0 where there is no territory, else a key of ``territories``.
    grid : Grid
    territories : mapping of int to Territory
    name : str
        What messages call it.
    notes : tuple of str
        Sentences about labels and names that do not fit.
    """

    values: npt.NDArray[np.int32]
    grid: Grid
    territories: Mapping[int, Territory]
    name: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LabelNames:
    """Names of labels, with the side where the file tells it."""

    names: Mapping[int, str] = field(default_factory=dict)
    sides: Mapping[int, str] = field(default_factory=dict)


def read_labelmap(path: str | PathLike[str], *, names: str | PathLike[str] | None = None) -> LabelMap:
    """A labelmap from a 3D NIfTI file.

    Parameters
    ----------
    path : path
    names : path, optional
        File with the labels' names, see `read_label_names`. By default the sidecar (``.json``) or table (``.tsv``) of
        the same stem, if there is one.

    Raises
    ------
    InputError
        If a file cannot be used, the labels are not whole numbers from 0, or none differs from 0.
    """
    path = Path(path)
    volume = read_volume(path)
    fractions = int(np.count_nonzero(volume.data != np.rint(volume.data)))
    if fractions:
        raise InputError(
            f"{path.name}: {fractions} voxels lie between whole numbers (from {volume.data.min():g} to "
            f"{volume.data.max():g}), so these are no labels. Resample labels with nearest neighbour only."
        )
    return make_labelmap(volume.data, volume.grid, _names_beside(path, names), name=path.name)


def make_labelmap(values: npt.NDArray[Any], grid: Grid, given: LabelNames | None = None, *, name: str = "") -> LabelMap:
    """A labelmap from whole numbers.

    Parameters
    ----------
    values : ndarray, shape (x, y, z)
    grid : Grid
    given : LabelNames, optional
    name : str

    Raises
    ------
    InputError
        If a label is negative or too large, or there is none.
    """
    given, called = given or LabelNames(), name or "the labelmap"
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > MOST_LABEL:
        raise InputError(f"{called}: labels run from {low:g} to {high:g}; they must lie between 0 and {MOST_LABEL}.")
    labels = values.astype(np.int32)
    found = [int(label) for label in np.unique(labels) if label]
    if not found:
        raise InputError(f"{called}: all voxels are 0, so there is no territory.")
    territories = {label: _territory(label, given) for label in found}
    notes = []
    unnamed = [str(label) for label in found if label not in given.names]
    if given.names and unnamed:
        notes.append(f"No name was given for {_some('label', unnamed)}.")
    absent = [f"{label} ({given.names[label]})" for label in sorted(given.names) if label and label not in territories]
    if absent:
        notes.append(f"{called} has no voxel of {_some('label', absent)}.")
    return LabelMap(values=labels, grid=grid, territories=territories, name=name, notes=tuple(notes))


def split_by_plane(labelmap: LabelMap, plane: MidsagittalPlane) -> LabelMap:
    """Each territory parted into left and right at the midsagittal plane; those that have a side stay as they are.

    Parameters
    ----------
    labelmap : LabelMap
    plane : MidsagittalPlane
        In the same world coordinates; voxels in it belong to the left.
    """
    values = labelmap.values.copy()
    on_right = plane.distance(labelmap.grid) > 0
    territories: dict[int, Territory] = {}
    free = max(labelmap.territories) + 1
    for key, territory in labelmap.territories.items():
        if territory.side:
            territories[key] = territory
            continue
        where = values == key
        for side, part in ((LEFT, where & ~on_right), (RIGHT, where & on_right)):
            if not part.any():
                continue
            values[part] = free
            territories[free] = replace(
                territory, name=f"{territory.name}, {side}", side=side, base=territory.name.casefold()
            )
            free += 1
    return replace(labelmap, values=values, territories=territories)


def read_label_names(path: str | PathLike[str]) -> LabelNames:
    """Names of labels from a file.

    * JSON: ``{"1": "ACA", ...}``, or the same under ``Labels``, or with objects ``{"Name": ..., "Side": ...}``.
    * TSV or CSV with a header: a column label (or index, value, id), a column name (or territory, region), and
      optionally side (left, right); without a header, ``label,name``.

    Raises
    ------
    InputError
        If the file cannot be used, names no label, or names one twice.
    """
    path = Path(path)
    if path.suffix.lower() == ".json":
        return _of_json(_parsed(path), path)
    if path.suffix.lower() not in (".csv", ".tsv", ".txt"):
        raise InputError(f"{path.name}: names of labels come as JSON, TSV or CSV. Give such a file.")
    return _of_table(read_text(path), path)


def side_of_name(name: str) -> tuple[str, str]:
    """The side that a name tells, and the name without it; no side where it tells none or both.

    Words such as left and right, L and R, lh and rh, links and rechts count.
    """
    words = _words(name)
    for known in (_CLEAR, _SHORT):
        sides = [known.get(word) for word in words]
        told = {side for side in sides if side}
        rest = " ".join(word for word, side in zip(words, sides, strict=True) if not side)
        if told:
            # one word alone is a name, and both sides are none
            return (told.pop(), rest) if len(told) == 1 and rest else ("", name.casefold())
    return "", name.casefold()


def paired(territories: Mapping[int, Territory], pairs: Iterable[tuple[int, int]] = ()) -> dict[int, int]:
    """The opposite of each territory that has one, by key.

    Parameters
    ----------
    territories : mapping of int to Territory
    pairs : iterable of (left, right), optional
        Labels of the file; they win over what the names say.

    Raises
    ------
    InputError
        If a pair names a label that is not there, or one twice.
    """
    opposite: dict[int, int] = {}
    for left, right in pairs:
        for label in (left, right):
            if label not in territories:
                raise InputError(f"the pair {left}, {right} names the label {label}, which the labelmap does not have.")
            if label in opposite or left == right:
                raise InputError(f"the label {label} is in two pairs. Name each side once.")
        opposite[left], opposite[right] = right, left
    sides: dict[tuple[str, str], list[int]] = {}
    for key, territory in territories.items():
        if territory.side and key not in opposite:
            sides.setdefault((territory.base, territory.side), []).append(key)
    for (base, side), keys in sides.items():
        others = sides.get((base, RIGHT if side == LEFT else LEFT), [])
        # of three that are called alike, nobody knows which two belong together
        if len(keys) == len(others) == 1:
            opposite[keys[0]] = others[0]
    return opposite


def check_sides(labelmap: LabelMap, pairs: Iterable[tuple[int, int]] = ()) -> None:
    """Refuse a pair of which what is called left lies right of its partner.

    The centres of mass of the two labels are compared along the patient's axis from left to right, as the file's
    header tells it. A label without a partner cannot be checked.

    Parameters
    ----------
    labelmap : LabelMap
    pairs : iterable of (left, right), optional
        See `paired`.

    Raises
    ------
    InputError
        If names or pairs do not fit the places, or a pair is not of the labelmap.
    """
    pairs = tuple(pairs)
    opposite = paired(labelmap.territories, pairs)
    given = dict(pairs)
    of_names = (key for key in opposite if labelmap.territories[key].side == LEFT)
    lefts = [*given, *(key for key in of_names if key not in given and key not in given.values())]
    places = _places_to_the_right(labelmap)
    wrong = [(key, opposite[key]) for key in lefts if places[key] > places[opposite[key]]]
    if not wrong:
        return
    left, right = wrong[0]
    called = labelmap.name or "the labelmap"
    more = f" (and {len(wrong) - 1} more of {len(lefts)} pairs)" if len(wrong) > 1 else ""
    if left in given:
        raise InputError(
            f"{called}: of the pair {left}, {right}, given as left and right, label {left} lies "
            f"{places[left] - places[right]:.0f} mm to the patient's right of {right}{more}. Give the left one first; "
            "if the order is right, the labelmap is flipped: correct its affine."
        )
    names = labelmap.territories[left].name, labelmap.territories[right].name
    raise InputError(
        f"{called}: {names[0]} (label {left}) lies {places[left] - places[right]:.0f} mm to the patient's right of "
        f"{names[1]} (label {right}){more}. Either the names are swapped: correct them; or the labelmap is flipped: "
        "correct its affine."
    )


def _places_to_the_right(labelmap: LabelMap) -> dict[int, float]:
    """How far right in the world the centre of mass of each territory lies, in mm."""
    where = np.nonzero(labelmap.values)
    keys = labelmap.values[where]
    place = labelmap.grid.affine[0, 3] + sum(
        step * axis for step, axis in zip(labelmap.grid.affine[0, :3], where, strict=True)
    )
    counts, sums = np.bincount(keys), np.bincount(keys, weights=place)
    return {key: float(sums[key] / counts[key]) for key in labelmap.territories}


def _words(name: str) -> list[str]:
    """Words in lower case, apart at digits, marks, and capitals within a word, as in ctx-lh-cuneus and LeftThalamus."""
    before = " " + name[:-1]
    spaced = "".join(
        f" {letter}" if letter.isupper() and last.islower() else letter
        for last, letter in zip(before, name, strict=True)
    )
    return re.findall(r"[^\W\d_]+|\d+", spaced.lower())


def _territory(label: int, given: LabelNames) -> Territory:
    name = given.names.get(label, f"label {label}")
    side, base = side_of_name(name)
    if given.sides.get(label):
        told = given.sides[label]
        side, base = told, base if side == told else name.casefold()
    return Territory(label=label, name=name, side=side, base=base)


def _names_beside(path: Path, names: str | PathLike[str] | None) -> LabelNames:
    if names is not None:
        return read_label_names(names)
    sidecar = read_sidecar(path)
    if "Labels" in sidecar.fields and sidecar.path is not None:
        return _of_json(sidecar.fields, sidecar.path)
    table = path.with_name(re.sub(r"\.nii(\.gz)?$", "", path.name, flags=re.IGNORECASE) + ".tsv")
    return read_label_names(table) if table.is_file() else LabelNames()


def _parsed(path: Path) -> Any:
    try:
        return json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise error if isinstance(error, InputError) else InputError(f"{path}: this is not valid JSON.") from error


def _of_json(content: Any, path: Path) -> LabelNames:
    entries = content.get("Labels", content) if isinstance(content, dict) else None
    if not isinstance(entries, dict) or not entries:
        raise InputError(f'{path.name}: names of labels are an object such as {{"1": "ACA", "2": "MCA"}}.')
    rows = []
    for key, value in entries.items():
        fields = {k.lower(): v for k, v in value.items()} if isinstance(value, dict) else {"name": value}
        rows.append((str(key), fields.get("name"), fields.get("side", "")))
    return _checked(rows, path)


def _of_table(text: str, path: Path) -> LabelNames:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        raise InputError(f"{path.name}: the file is empty. Give lines of label and name.")
    delimiter = next((mark for mark in "\t,;" if mark in lines[0]), ",")
    cells = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter)]
    header = [cell.lower().lstrip("\ufeff") for cell in cells[0]]
    if header[0].lstrip("+-").isdigit():
        return _checked([(row[0], row[1] if len(row) > 1 else None, "") for row in cells], path)

    def column(known: Sequence[str]) -> int | None:
        return next((header.index(name) for name in known if name in header), None)

    label, name, side = column(_LABEL_COLUMNS), column(_NAME_COLUMNS), column(("side", "hemisphere"))
    if label is None or name is None:
        raise InputError(
            f"{path.name}: the columns are {', '.join(header)}; a column label and a column name are needed."
        )

    def cell(row: Sequence[str], place: int | None) -> str:
        return row[place] if place is not None and place < len(row) else ""

    return _checked([(cell(row, label), cell(row, name), cell(row, side)) for row in cells[1:]], path)


def _checked(rows: Iterable[tuple[str, Any, Any]], path: Path) -> LabelNames:
    names: dict[int, str] = {}
    sides: dict[int, str] = {}
    for key, name, side in rows:
        if not key.isdecimal() or not isinstance(name, str) or not name.strip():
            raise InputError(f"{path.name}: {key!r} with the name {name!r} is no whole number with a name.")
        label = int(key)
        if label in names:
            raise InputError(f"{path.name}: the label {label} is named twice: {names[label]} and {name}.")
        names[label] = " ".join(name.split())
        if side:
            told = (_CLEAR | _SHORT).get(str(side).strip().lower())
            if told is None:
                raise InputError(f"{path.name}: the side of label {label} is {side!r}; it must be left or right.")
            sides[label] = told
    if not names:
        raise InputError(f"{path.name}: the file names no label. Give lines of label and name.")
    return LabelNames(names=names, sides=sides)


def _some(what: str, items: Sequence[str], most: int = 8) -> str:
    """A few of many, in words."""
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return f"{what}{'s' if len(items) > 1 else ''} {', '.join(items[:most])}{more}"
