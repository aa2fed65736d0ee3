"""Facts in the sidecars of the folders above a series, as BIDS lets them be inherited.

A sidecar counts for all series in its folder and those below whose names have its suffix and all of its keys with the
same labels; what lies nearer wins, key by key (BIDS 1.10, the inheritance principle).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PyPeTLib.errors import InputError
from PyPeTLib.io.dataset.listing import Listing, Problems, listed
from PyPeTLib.io.dataset.model import Scan
from PyPeTLib.io.dataset.names import Name, fits, read_name
from PyPeTLib.io.sidecar import Sidecar, image_stem, read_sidecar, resolve_echo_time

_TIMES = ("VolumeTiming", "FrameTimesStart", "RepetitionTime")
"""Fields that tell the frame times, the first found being the one that counts; as for a series' own sidecar."""

_DIRECTION = "SliceEncodingDirection"
_MODALITIES = {"CT": "ctp", "MR": "dsc"}

_READ_BY_LOADER = ("ctp", "dsc")
"""Suffixes that the reader of a series knows, so that it refuses a sidecar of its own that says otherwise."""


class Sidecars:
    """The sidecars of a dataset's folders, each read once."""

    def __init__(self, root: Path, problems: Problems) -> None:
        self._root = root
        self._problems = problems
        self._folders: dict[Path, Listing] = {}
        self._read: dict[Path, Sidecar] = {}

    def of(self, image: Path) -> tuple[Sidecar, list[Sidecar]]:
        """The one beside an image with its name, and further ones that count for it, the nearest first.

        The first one is without fields where it is damaged, which the reader of the image will tell.
        """
        try:
            own = read_sidecar(image)
        except InputError:
            own = Sidecar()
        return own, list(self._above(image))

    def _above(self, image: Path) -> Iterator[Sidecar]:
        name = read_name(image.name)
        folder = image.parent
        while name is not None:
            found = [path for path in self._of(folder) if path.stem != image_stem(image) and _counts(path, name)]
            if len(found) > 1:
                self._problems.add("Several sidecars count for one series and lie in one folder; none was read", *found)
            elif found:
                yield self._content(found[0])
            if folder in (self._root, folder.parent):
                return
            folder = folder.parent

    def _of(self, folder: Path) -> list[Path]:
        if folder not in self._folders:
            self._folders[folder] = listed(folder, self._problems)
        return [path for path in self._folders[folder].files if path.suffix == ".json"]

    def _content(self, path: Path) -> Sidecar:
        if path not in self._read:
            try:
                self._read[path] = read_sidecar(path.with_suffix(""))
            except InputError as error:
                self._problems.add(f"A sidecar was left out ({_clause(error)})", path)
                self._read[path] = Sidecar()
        return self._read[path]


def with_facts(scan: Scan, sidecars: Sidecars, problems: Problems) -> Scan | None:
    """A scan with the facts that it inherits; None where they contradict its name or cannot be used."""
    if scan.series.is_dir():
        return scan
    own, above = sidecars.of(scan.series)
    used: list[Sidecar] = []
    try:
        modality, facts = _modality(scan, own, above, used)
        facts |= _times(own, above, used) | _slice_times(own, above, used)
        if modality != "ctp":
            facts |= _echo_time(own, above, used)
        if scan.second_echo is not None:
            later = _echo_time(*sidecars.of(scan.second_echo), used)
            facts |= {f"second_{key}": value for key, value in later.items()}
    except InputError as error:
        problems.add(f"What the sidecars say cannot be used ({_clause(error)}), so this scan was left out", scan.series)
        return None
    paths = tuple(sorted({one.path for one in used if one.path is not None}))
    return dataclasses.replace(scan, modality=modality, facts=facts, sidecars=paths)


def _counts(path: Path, image: Name) -> bool:
    name = read_name(path.stem)
    return name is not None and name.suffix == image.suffix and fits(name.entities, image.entities)


def _modality(scan: Scan, own: Sidecar, above: list[Sidecar], used: list[Sidecar]) -> tuple[str, dict[str, Any]]:
    """The modality by name and sidecars, and the fact for the reader, where it would not find that out itself."""
    teller = next((sidecar for sidecar in (own, *above) if "Modality" in sidecar.fields), None)
    named = scan.modality
    if teller is None:
        return named, ({} if named == "auto" or scan.suffix in _READ_BY_LOADER else {"modality": named})
    value = teller.fields["Modality"]
    said = _MODALITIES.get(str(value), "")
    if teller is own and (scan.suffix in _READ_BY_LOADER or not said):
        # it refuses what the sidecar contradicts, if nothing is said here
        return (named if named == said else "auto"), {}
    if not said or named not in ("auto", said):
        raise InputError(f"Modality in {teller.name} is {value!r}, the name of the series says {scan.suffix}")
    if teller is own:
        return said, {}
    used.append(teller)
    return said, {"modality": said}


def _times(own: Sidecar, above: list[Sidecar], used: list[Sidecar]) -> dict[str, Any]:
    if any(key in own.fields for key in _TIMES):
        return {}
    for sidecar in above:
        key = next((key for key in _TIMES if sidecar.fields.get(key) is not None), None)
        if key is not None:
            used.append(sidecar)
            if key == "RepetitionTime":
                return {"frame_interval": sidecar.number(key)}
            return {"frame_times": _listed(sidecar, key)}
    return {}


def _slice_times(own: Sidecar, above: list[Sidecar], used: list[Sidecar]) -> dict[str, Any]:
    if "SliceTiming" in own.fields:
        return {}
    teller = next((sidecar for sidecar in above if sidecar.fields.get("SliceTiming") is not None), None)
    if teller is None:
        return {}
    used.append(teller)
    times = _listed(teller, "SliceTiming")
    direction = next(
        (one.fields[_DIRECTION] for one in (own, *above) if _DIRECTION in one.fields),
        "k",
    )
    if direction not in ("k", "k-"):
        raise InputError(f"{_DIRECTION} is {direction!r}, and SliceTiming in {teller.name} is used for k and k- only")
    # the keyword has the times in the order of the file
    return {"slice_times": times[::-1] if direction == "k-" else times}


def _echo_time(own: Sidecar, above: list[Sidecar], used: list[Sidecar]) -> dict[str, Any]:
    if "EchoTime" in own.fields:
        return {}
    for sidecar in above:
        found, _ = resolve_echo_time(None, sidecar)
        if found is not None:
            used.append(sidecar)
            return {"echo_time": found}
    return {}


def _listed(sidecar: Sidecar, key: str) -> list[float]:
    times = sidecar.numbers(key)
    return [] if times is None else [float(time) for time in times]


def _clause(error: InputError) -> str:
    """What an error says, without its full stop."""
    return str(error).removesuffix(".")
