"""Which maps belong together, by their names: read word by word, and never guessed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from PyPeTLib.maps import QUANTITIES

_SPOKEN = {
    "cbf": ("cbf", "cerebral blood flow", "blood flow"),
    "cbv": ("cbv", "cerebral blood volume", "blood volume"),
    "mtt": ("mtt", "mean transit time"),
    "ttp": ("ttp", "time to peak"),
    "tmax": ("tmax", "t max", "time to max", "time to maximum", "time to maximum of the residue function"),
    "delay": ("delay", "arterial delay", "delay time"),
    "bat": ("bat", "bolus arrival", "bolus arrival time"),
    "peak_height": ("peak height",),
    "k1": ("k1",),
    "k2": ("k2",),
    "kep": ("kep",),
    "psr": ("psr", "percentage of signal recovery", "signal recovery"),
}
"""How names say a quantity, as whole words in small letters."""

_UNCERTAIN = {"sd", "std", "stdev", "uncertainty"}
_NO_MAP = {
    *(
        "mask",
        "seg",
        "segmentation",
        "segment",
        "label",
        "labels",
        "labelmap",
        "lesion",
        "core",
        "penumbra",
        "threshold",
    ),
    *("difference", "diff", "ratio", "rgb", "screenshot", "histogram"),
}
_EXTENSION = re.compile(r"\.(nii(\.gz)?|nrrd|nhdr|mha|mhd|hdr|img|dcm|mgz|mgh)$", re.IGNORECASE)
_BRACKETS = re.compile(r"\[[^\]]*\]")
_ENTITY = re.compile(r"(?<![a-z0-9])(sub|ses|run)-[a-z0-9]+", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_AFFIXES = r"(?<!\w)(?:r|rel|abs|gen|ref)?(?:{})(?:maps?|ref|gen|img|image)?(?!\w)"


@dataclass(frozen=True, kw_only=True)
class NameReading:
    """What a name says.

    Attributes
    ----------
    name : str
    quantity : str or None
        Name in `QUANTITIES`; None if the name says none, or more than one.
    reason : str
        Why there is none, as a sentence; else empty.
    """

    name: str
    quantity: str | None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two maps of one quantity, by their names."""

    quantity: str
    generated: str
    reference: str


@dataclass(frozen=True, kw_only=True)
class Pairing:
    """Pairs in the order of the generated maps, and a sentence about each name that found no partner."""

    pairs: tuple[Pair, ...]
    notes: tuple[str, ...]


def read_name(name: str) -> NameReading:
    """The quantity that the name of a map or its file says.

    Words count, not parts of them; letter case, what stands in square brackets, a file's folder and extension and its
    subject, session and run do not. ``generated_CBF``, ``rCBF``, ``RAPID Tmax [s]``, ``MTT_ref`` and
    ``sub-01_ses-1_cbf.nii.gz`` are read.

    Parameters
    ----------
    name : str

    Returns
    -------
    NameReading
    """
    words = _words(name)
    left, found = words, []
    phrases = [(phrase, quantity) for quantity, spoken in _SPOKEN.items() for phrase in spoken]
    for phrase, quantity in sorted(phrases, key=lambda pair: -len(pair[0])):
        pattern = phrase if " " in phrase else _AFFIXES.format(phrase)
        if " " in phrase:
            pattern = rf"(?<!\w){pattern}(?!\w)"
        left, count = re.subn(pattern, " ", left)
        if count and quantity not in found:
            found.append(quantity)
    rest = set(left.split())
    if not found:
        return NameReading(name=name, quantity=None, reason=f"{name!r} names no quantity that is known.")
    if len(found) > 1:
        symbols = " and ".join(QUANTITIES[quantity].symbol for quantity in found)
        return NameReading(name=name, quantity=None, reason=f"{name!r} names more than one quantity: {symbols}.")
    if other := sorted(rest & _NO_MAP):
        return NameReading(
            name=name, quantity=None, reason=f"{name!r} does not seem to be a map itself: it names {other[0]!r}."
        )
    quantity = found[0]
    if rest & _UNCERTAIN:
        quantity += "_sd"
        if quantity not in QUANTITIES:
            return NameReading(name=name, quantity=None, reason=f"{name!r} names an uncertainty that is not known.")
    return NameReading(name=name, quantity=quantity)


def quantity_of_name(name: str) -> str | None:
    """The quantity that a name says, or None if it says none or more than one; see `read_name` for the reason."""
    return read_name(name).quantity


def pair_by_name(generated: Sequence[str], references: Sequence[str]) -> Pairing:
    """Pairs of maps whose names say the same quantity.

    Where several names of one side say one quantity, none of them is paired.

    Parameters
    ----------
    generated, references : sequence of str

    Returns
    -------
    Pairing
    """
    notes: list[str] = []
    sides = [_by_quantity(names, notes) for names in (generated, references)]
    called = ("generated maps", "references")
    for side, names in zip(sides, called, strict=True):
        for quantity, several in list(side.items()):
            if len(several) > 1:
                listed = ", ".join(repr(name) for name in several)
                notes.append(f"Several {names} are of {QUANTITIES[quantity].symbol}: {listed}. Choose one of them.")
    pairs = []
    for quantity, ours in sides[0].items():
        theirs = sides[1].get(quantity, [])
        if not theirs:
            notes += [f"{name!r} has no reference." for name in ours]
        elif len(ours) == len(theirs) == 1:
            pairs.append(Pair(quantity=quantity, generated=ours[0], reference=theirs[0]))
    for quantity, theirs in sides[1].items():
        if quantity not in sides[0]:
            notes += [f"{name!r} has no generated map." for name in theirs]
    return Pairing(pairs=tuple(pairs), notes=tuple(notes))


def _by_quantity(names: Sequence[str], notes: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        reading = read_name(name)
        if reading.quantity is None:
            notes.append(reading.reason)
        else:
            found.setdefault(reading.quantity, []).append(name)
    return found


def _words(name: str) -> str:
    """A name in small letters, its words apart."""
    stem = _EXTENSION.sub("", name)
    if stem != name:  # a file; nodes may have slashes in their names
        stem = stem.replace("\\", "/").rsplit("/", 1)[-1]
    apart = _CAMEL.sub(" ", _ENTITY.sub(" ", _BRACKETS.sub(" ", stem)))
    return " ".join(re.findall(r"[^\W_]+", apart)).lower()
