"""Brain masks and reference maps: which of them belong to which scan, by their names."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PyPeTLib.io.dataset.listing import Listing, Problems, is_own_output, listed
from PyPeTLib.io.dataset.model import Scan
from PyPeTLib.io.dataset.names import (
    Name,
    fits,
    is_generated,
    is_mask,
    last_word,
    quantity_of,
    read_brain_mask,
    read_name,
)
from PyPeTLib.io.dataset.series import MAPS_FOLDER, Session
from PyPeTLib.maps import QUANTITIES

_MASK = "brain mask"


@dataclass(frozen=True, kw_only=True)
class _Claim:
    """A file that says by its name what it is and to which scan it belongs; the lowest rank is taken."""

    path: Path
    what: str
    entities: Mapping[str, str]
    rank: int


def with_belongings(
    scans: Sequence[Scan], session: Session, derived: Sequence[Session], problems: Problems
) -> list[Scan]:
    """The scans of a session with their brain masks and reference maps.

    Masks and maps lie in the session's folder, those in it, or the same folders under ``derivatives``. Maps lie in a
    folder ``perfusion-maps``, under ``derivatives`` also in ``perf``. A name with fewer keys than the scan's will do if
    it fits only one scan. Maps beside the scan come before those under ``derivatives``, and maps in the scan's own
    space before those whose name has a key ``space``.
    """
    claims: list[_Claim] = []
    for rank, place in enumerate((session, *derived)):
        folders = (place.home, *place.parts)
        for folder in folders:
            claims += _masks(folder, session, rank, problems)
        nested = [inner for folder in folders if (inner := folder.holds(MAPS_FOLDER)) is not None]
        for maps in (listed(inner, problems) for inner in nested):
            if is_own_output(maps):
                problems.add("PyPeT itself made these folders of maps, so they are no references", maps.folder)
            else:
                claims += _references(maps.images, session, rank, problems)
        if rank:
            # other derived images are plenty there
            inside = (path for part in place.parts if part.folder.name == "perf" for path in part.images)
            claims += _references(
                [path for path in inside if last_word(path.name) in QUANTITIES], session, rank, problems
            )
    taken = _assigned(claims, scans, problems)
    return [_with_claims(scan, taken.get(scan.name, {}), problems) for scan in scans]


def _masks(folder: Listing, session: Session, rank: int, problems: Problems) -> Iterator[_Claim]:
    for path in folder.images:
        if not is_mask(path.name):
            continue
        name = read_brain_mask(path.name)
        if name is None:
            # masks of other things are plenty under derivatives
            if not rank:
                problems.add(
                    "These masks do not say in their names that they are of the brain (brain_mask.nii.gz, "
                    "sub-01_desc-brain_mask.nii.gz), so they were left out",
                    path,
                )
        elif "space" in name.entities:
            problems.add("These brain masks lie in another space than their series and were left out", path)
        elif name.entities and not _names_session(name, session):
            problems.add(
                "These brain masks are of another subject or session than their folder and were left out", path
            )
        else:
            yield _Claim(path=path, what=_MASK, entities={**session.entities, **name.identity}, rank=rank)


def _references(images: Sequence[Path], session: Session, rank: int, problems: Problems) -> Iterator[_Claim]:
    for path in images:
        if is_generated(path.name):
            problems.add(
                "These maps were made by the original PyPeT, as their names say, so they are no references and were "
                "left out",
                path,
            )
            continue
        if is_mask(path.name):
            continue
        name = read_name(path.name)
        if name is None or not _names_session(name, session):
            problems.add(
                "The names of these reference maps do not begin with the subject and session of their folders, as "
                "sub-01_ses-01_cbf.nii.gz in sub-01/ses-01, or are not made of keys and labels, so they were left out",
                path,
            )
        elif (quantity := quantity_of(name)) is None:
            problems.add(
                "The last word in the names of these reference maps is no quantity that is known (such as cbf, cbv, "
                "mtt, ttp, tmax), so they were left out",
                path,
            )
        else:
            elsewhere = 2 if "space" in name.entities else 0
            yield _Claim(path=path, what=quantity, entities=name.identity, rank=rank + elsewhere)


def _names_session(name: Name, session: Session) -> bool:
    return fits(session.entities, name.entities)


def _assigned(
    claims: Sequence[_Claim], scans: Sequence[Scan], problems: Problems
) -> dict[str, dict[str, list[_Claim]]]:
    """The claims of the lowest rank by scan and by what they are."""
    taken: dict[str, dict[str, list[_Claim]]] = {}
    for claim in sorted(claims, key=lambda one: one.rank):
        fitting = [scan for scan in scans if fits(claim.entities, scan.entities)]
        if len(fitting) != 1:
            what = "brain masks" if claim.what == _MASK else "reference maps"
            why = "fit several scans by their names" if fitting else "belong to no scan that was found"
            problems.add(f"These {what} {why} and were left out", claim.path)
            continue
        same = taken.setdefault(fitting[0].name, {}).setdefault(claim.what, [])
        if not same or same[0].rank == claim.rank:
            same.append(claim)
    return taken


def _with_claims(scan: Scan, claims: Mapping[str, list[_Claim]], problems: Problems) -> Scan:
    single: dict[str, Path] = {}
    for what, same in claims.items():
        paths = [claim.path for claim in same]
        if len(paths) > 1:
            told = "brain masks" if what == _MASK else "reference maps of one quantity"
            problems.add(f"Several {told} belong to one scan, so none of them was taken; leave one", *paths)
            continue
        single[what] = paths[0]
        if same[0].rank >= 2:
            problems.add(
                "These reference maps lie in another space than their series; they are taken, and hold only where that "
                "space is aligned with the series",
                paths[0],
            )
    references = {name: single[name] for name in QUANTITIES if name in single}
    mask = single.get(_MASK)
    if mask is not None and any(mask.parent.glob(f"{MAPS_FOLDER}/generated_*")):
        problems.add(
            "These brain masks may be those that the original PyPeT made, whose maps lie beside them; they are taken",
            mask,
        )
    return dataclasses.replace(scan, brain_mask=mask, references=references)
