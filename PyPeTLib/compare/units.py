"""Units of perfusion maps, and the ways between them.

Flow and volume are given per mass or per volume of tissue: ``per volume = rho · per mass`` with the density rho in
g/ml. A unit is only ever used when it was told.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import Array, Volume
from PyPeTLib.errors import InputError
from PyPeTLib.registry import Registry

DENSITY = 1.05
"""Of brain tissue in g/ml."""


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A unit as a multiple of the base of its dimension.

    Attributes
    ----------
    dimension : str
        Units of one dimension can be converted into each other.
    factor : float
        How much of the base one such unit is; bases are ml of blood per ml or g of tissue and second, the same
        without the second, second, and 1.
    per_mass : bool
        Whether the tissue is counted by its mass.
    """

    dimension: str
    factor: float
    per_mass: bool = False


UNITS: Registry[Unit] = Registry("units of maps")
"""All units that maps may have, by their usual spelling."""

_TABLE = (
    ("ml/100g/min", Unit(dimension="flow", factor=1 / 6000, per_mass=True), "flow per mass", ("ml/min/100g",)),
    ("ml/100ml/min", Unit(dimension="flow", factor=1 / 6000), "flow per volume", ("ml/min/100ml",)),
    ("ml/g/min", Unit(dimension="flow", factor=1 / 60, per_mass=True), "flow per mass", ("ml/min/g",)),
    ("ml/ml/min", Unit(dimension="flow", factor=1 / 60), "flow per volume", ()),
    ("ml/g/s", Unit(dimension="flow", factor=1.0, per_mass=True), "flow per mass", ("ml/s/g",)),
    ("ml/ml/s", Unit(dimension="flow", factor=1.0), "flow per volume", ()),
    ("1/s", Unit(dimension="flow", factor=1.0), "a rate, or flow per volume", ("s-1", "s^-1")),
    ("1/min", Unit(dimension="flow", factor=1 / 60), "a rate, or flow per volume", ("min-1", "min^-1")),
    ("ml/100g", Unit(dimension="volume", factor=0.01, per_mass=True), "volume per mass", ()),
    ("ml/100ml", Unit(dimension="volume", factor=0.01), "volume per volume", ()),
    ("%", Unit(dimension="volume", factor=0.01), "percent, or volume per volume", ("percent",)),
    ("ml/g", Unit(dimension="volume", factor=1.0, per_mass=True), "volume per mass", ()),
    ("ml/ml", Unit(dimension="volume", factor=1.0), "volume per volume", ("fraction",)),
    ("s", Unit(dimension="time", factor=1.0), "seconds", ("sec", "second", "seconds")),
    ("ms", Unit(dimension="time", factor=1e-3), "milliseconds", ("msec", "millisecond", "milliseconds")),
    ("min", Unit(dimension="time", factor=60.0), "minutes", ("minute", "minutes")),
    ("1", Unit(dimension="none", factor=1.0), "a plain number, as of relative maps", ("relative", "ratio")),
)
for _name, _unit, _summary, _aliases in _TABLE:
    UNITS.register(_name, summary=_summary, aliases=_aliases)(_unit)


def unit_name(text: str) -> str:
    """The usual spelling of a unit; letter case and spaces do not matter.

    Raises
    ------
    UnknownNameError
        With the units that are known.
    """
    return UNITS.entry("".join(text.split())).name


def conversion_factor(source: str, target: str, *, density: float = DENSITY) -> float:
    """What values in one unit are multiplied with to be in another.

    Raises
    ------
    InputError
        If there is no way from one to the other, or a unit is not known.
    """
    one, other = UNITS[unit_name(source)], UNITS[unit_name(target)]
    if one.dimension != other.dimension:
        alike = ", ".join(name for name, unit in UNITS.items() if unit.dimension == one.dimension)
        raise InputError(f"{source} cannot be converted into {target}, only into {alike}. Check the units.")
    if one == other:
        return 1.0
    return one.factor / other.factor * density ** (one.per_mass - other.per_mass)


def convert(values: Array, source: str, target: str, *, density: float = DENSITY) -> Volume:
    """Values of one unit in another.

    Parameters
    ----------
    values : ndarray
        Any shape.
    source, target : str
        Names in `UNITS`.
    density : float
        Of brain tissue in g/ml, for the way between tissue by mass and by volume.

    Returns
    -------
    ndarray of float32

    Raises
    ------
    InputError
        If there is no way from one to the other, or a unit is not known.
    """
    factor = conversion_factor(source, target, density=density)
    converted: Volume = (np.asarray(values, dtype=np.float32) * np.float32(factor)).astype(np.float32)
    return converted


def explanations(factor: float, known: str, *, slack: float = 2.5, density: float = DENSITY) -> tuple[str, ...]:
    """Units that would explain why a map reads so many times as high as one in a known unit.

    Parameters
    ----------
    factor : float
        Values of the map in the unknown unit, divided by those in the known one.
    known : str
        A name in `UNITS`.
    slack : float
        By how much the factor may miss the exact one, since two maps never agree entirely.

    Returns
    -------
    tuple of str
        The best first; units that differ from the known one by less than the slack are left out.
    """
    base = UNITS[known]
    found: dict[Unit, tuple[bool, bool, str]] = {}
    for name, unit in UNITS.items():
        if unit.dimension != base.dimension or unit in found:
            continue
        exact = conversion_factor(known, name, density=density)
        miss = abs(math.log(factor / exact))
        if abs(math.log(exact)) > math.log(slack) > miss:
            # mass or volume makes less of a difference than two maps do: first what counts the tissue alike
            found[unit] = (miss > math.log(1.5), unit.per_mass != base.per_mass, name)
    return tuple(name for _, _, name in sorted(found.values()))
