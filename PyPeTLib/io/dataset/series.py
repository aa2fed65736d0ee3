"""The perfusion series of a session, echoes of one scan together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from PyPeTLib.io.dataset.listing import Listing, Problems, is_own_output, listed
from PyPeTLib.io.dataset.model import Scan
from PyPeTLib.io.dataset.names import DERIVED, SUFFIXES, Name, last_word, natural, read_name

MAPS_FOLDER = "perfusion-maps"
"""Where the reference maps of a session lie."""

_MAGNITUDE = "mag"


@dataclass(frozen=True, kw_only=True)
class Session:
    """A session's folder, or a subject's where there are no sessions, with the folders in it that may hold scans.

    Attributes
    ----------
    subject, label : str
        The label of the session is empty where there are no sessions.
    home : Listing
    parts : tuple of Listing
        Folders in it but `MAPS_FOLDER` and results of PyPeT.
    """

    subject: str
    label: str
    home: Listing
    parts: tuple[Listing, ...]

    @property
    def entities(self) -> dict[str, str]:
        """What the folders say, which the names of the files must repeat."""
        return {"sub": self.subject, **({"ses": self.label} if self.label else {})}

    @property
    def stem(self) -> str:
        """What the names of the files must begin with."""
        return "_".join(f"{key}-{label}" for key, label in self.entities.items())


def opened_session(subject: str, label: str, home: Listing, problems: Problems) -> Session:
    """A session with its folders listed."""
    parts = []
    for folder in home.folders:
        if folder.name.lower() == MAPS_FOLDER or folder.name.startswith("ses-"):
            continue
        part = listed(folder, problems)
        if not is_own_output(part):
            parts.append(part)
    return Session(subject=subject, label=label, home=home, parts=tuple(parts))


def series_of(session: Session, problems: Problems) -> list[Scan]:
    """The scans that lie in a session as NIfTI files."""
    found: dict[tuple[tuple[str, str], ...], dict[int | None, list[Path]]] = {}
    for path, name in _named_series(session, problems):
        rest = {key: label for key, label in name.entities.items() if key != "echo"}
        echo = int(name.entities["echo"]) if "echo" in name.entities else None
        key = (*rest.items(), ("suffix", name.suffix))
        found.setdefault(key, {}).setdefault(echo, []).append(path)
    scans = []
    for pairs, echoes in found.items():
        *entities, (_, suffix) = pairs
        scan = _one_scan(dict(entities), suffix, echoes, session, problems)
        if scan is not None:
            scans.append(scan)
    return sorted(scans, key=lambda scan: natural(scan.name))


def _named_series(session: Session, problems: Problems) -> Iterator[tuple[Path, Name]]:
    """Images whose last word is that of a perfusion series, and whose name holds nothing odd."""
    for listing in (session.home, *session.parts):
        for path in listing.images:
            if last_word(path.name) not in SUFFIXES:
                continue
            name = read_name(path.name)
            if name is None or list(name.entities.items())[: len(session.entities)] != list(session.entities.items()):
                problems.add(
                    "The names of these series do not begin with the subject and session of their folders, as "
                    "sub-01_ses-01_ctp.nii.gz in sub-01/ses-01, or are not made of keys and labels, so they were left "
                    "out",
                    path,
                )
            elif any(key in name.entities for key in DERIVED):
                problems.add("These series were computed from others, as their names say, and were left out", path)
            elif name.entities.get("part", _MAGNITUDE) != _MAGNITUDE:
                problems.add("These series hold no magnitudes, as their names say, and were left out", path)
            elif not name.entities.get("echo", "1").isdigit():
                problems.add("The echo in the names of these series is no number, so they were left out", path)
            else:
                yield path, name


def _one_scan(
    entities: dict[str, str],
    suffix: str,
    echoes: Mapping[int | None, list[Path]],
    session: Session,
    problems: Problems,
) -> Scan | None:
    """The scan of one name; None where it cannot be told which files make it up."""
    every = [path for paths in echoes.values() for path in paths]
    numbers = sorted(echo for echo in echoes if echo is not None)
    if any(len(paths) > 1 for paths in echoes.values()) or (numbers and None in echoes):
        problems.add("Several files are the same scan by their names, so none of them was taken; leave one", *every)
        return None
    if numbers and SUFFIXES[suffix] == "ctp":
        problems.add("CT has no echoes, but the names of these series say one, so they were left out", *every)
        return None
    if numbers and numbers[0] != 1:
        problems.add("The first echo of these series is missing, so they were left out", *every)
        return None
    if spare := [path for number in numbers if number > 2 for path in echoes[number]]:
        problems.add("Two echoes of a scan are used; these further ones were left out", *spare)
    series = echoes[numbers[0] if numbers else None][0]
    return Scan(
        subject=session.subject,
        session=session.label,
        run=entities.get("run", ""),
        suffix=suffix,
        series=series,
        entities=entities,
        second_echo=echoes[2][0] if 2 in numbers else None,
        modality=SUFFIXES[suffix],
        layout="original" if series.parent == session.home.folder else "bids",
    )
