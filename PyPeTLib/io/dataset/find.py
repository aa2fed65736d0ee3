"""The way through a dataset: subjects, their sessions, the scans in them and what belongs to each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path

from PyPeTLib.errors import InputError
from PyPeTLib.io.dataset.belongings import with_belongings
from PyPeTLib.io.dataset.dicom_folders import dicom_beside, dicom_scans_of, holds_images
from PyPeTLib.io.dataset.facts import Sidecars, with_facts
from PyPeTLib.io.dataset.listing import Listing, Problems, checked_dataset, listed
from PyPeTLib.io.dataset.model import Layout, Scan
from PyPeTLib.io.dataset.names import (
    SUFFIXES,
    is_generated,
    is_mask,
    label_of,
    last_word,
    naturally,
    read_name,
    some_of,
    without_prefix,
    words_of,
)
from PyPeTLib.io.dataset.series import MAPS_FOLDER, Session, opened_session, series_of
from PyPeTLib.io.stream import read_text
from PyPeTLib.maps import QUANTITIES

_RAW_FOLDERS = ("rawdata", "raw_data")
"""Where some datasets keep their subjects, with ``derivatives`` beside."""

_DESCRIPTION = "dataset_description.json"
_NO_SUBJECTS = ("derivatives", "sourcedata", "code", "stimuli", "phenotype", *_RAW_FOLDERS)
"""Folders that BIDS has beside those of the subjects."""

_MOST_LABELS = 20
_EXPECTED = (
    "Expected are files such as sub-01/ses-01/sub-01_ses-01_ctp.nii.gz, "
    "sub-01/perf/sub-01_dsc.nii.gz, or folders of DICOM files such as sub-01/ses-01/ctp"
)


def find_scans(
    dataset: str | PathLike[str], *, participants: Sequence[str] = (), sessions: Sequence[str] = ()
) -> Layout:
    """Find every perfusion scan of a dataset, and the masks, reference maps and facts that belong to each.

    Three layouts are understood, also beside each other:

    * that of the original PyPeT: ``sub-01/ses-01/sub-01_ses-01_ctp.nii.gz``, with ``brain_mask.nii.gz`` and
      ``perfusion-maps/sub-01_ses-01_cbf.nii.gz`` beside it
    * BIDS: ``sub-01[/ses-01]/perf/sub-01[_ses-01][_acq-x][_run-1][_echo-1]_dsc.nii.gz`` with sidecars there or in the
      folders above, and reference maps also under ``derivatives``, as the ISLES'24 challenge has them
      (arXiv:2408.11142)
    * DICOM: a folder of DICOM files in ``sub-01[/ses-01]``

    Series end in ``ctp``, ``dsc``, ``mrp``, ``perf`` or ``pwi``. Files are not opened, but for JSON sidecars and the
    first bytes of what may be DICOM. What is ambiguous is left out and told.

    Parameters
    ----------
    dataset : path
    participants, sessions : sequence of str
        Labels with or without ``sub-`` and ``ses-``; all by default.

    Returns
    -------
    Layout

    Raises
    ------
    InputError
        If the folder does not exist, a label is unknown, or there are no scans.
    """
    dataset = Path(dataset)
    if dataset.name in ("", ".."):
        # what the folder is called tells something too
        dataset = dataset.absolute().resolve()
    checked_dataset(dataset)
    problems = Problems(dataset=dataset)
    root, subjects = _subjects(dataset, problems)
    chosen = _chosen(participants, subjects, key="sub", dataset=dataset)
    by_subject = {label: _sessions(label, subjects[label], problems) for label in chosen}
    known = naturally(session.label for found in by_subject.values() for session in found if session.label)
    wanted = _chosen(sessions, known, key="ses", dataset=dataset) if sessions else None
    sidecars = Sidecars(root, problems)
    scans: list[Scan] = []
    empty = []
    for label, found in by_subject.items():
        of_subject = [
            scan
            for session in found
            if wanted is None or session.label in wanted
            for scan in _scans(session, _derived(root, session, problems), sidecars, problems)
        ]
        scans += of_subject
        if not of_subject:
            empty.append(subjects[label])
    if not scans:
        raise _nothing_found(dataset, by_subject, problems, participants, sessions)
    if empty:
        problems.add("No perfusion scan was found in these folders", *empty)
    kinds = {scan.layout for scan in scans}
    description = _description(dataset, problems) or _description(root, problems)
    return Layout(
        dataset=dataset,
        scans=tuple(scans),
        problems=problems.sentences(),
        left_out=problems.for_files(),
        kind=kinds.pop() if len(kinds) == 1 else "mixed",
        description=description,
    )


def _subjects(dataset: Path, problems: Problems) -> tuple[Path, dict[str, Path]]:
    """Where the subjects lie, and their folders by label in natural order."""
    top = listed(dataset, problems)
    for root in (top, *(listed(folder, problems) for name in _RAW_FOLDERS if (folder := top.holds(name)))):
        named = [folder for folder in root.folders if folder.name.startswith("sub-")]
        found = {label: folder for folder in named if (label := label_of(folder.name, "sub"))}
        if odd := [folder for folder in named if folder not in found.values()]:
            problems.add("The labels of these folders have more than letters and digits, so they were left out", *odd)
        if found:
            _tell_unused(root, found.values(), odd, problems)
            return root.folder, found
    names = [path.name for path in (*top.folders, *top.files)]
    holds = f"it holds {some_of(names)}" if names else "it is empty"
    hint = ""
    if dataset.name.startswith("sub-"):
        hint = f" This is the folder of one subject: give {dataset.parent}, and the label with --participant-label."
    told = "".join(f" {sentence}" for sentence in problems.sentences())
    raise InputError(
        f"{dataset}: no folders of subjects (sub-01, sub-02, ...) were found: {holds}. {_EXPECTED}.{hint}{told}"
    )


def _tell_unused(root: Listing, used: Iterable[Path], told: Sequence[Path], problems: Problems) -> None:
    """Tell of folders and images beside those of the subjects, which may be subjects that are misspelt."""
    apart = {*used, *told}
    unused = []
    for folder in root.folders:
        inside = None if folder in apart or folder.name.lower() in _NO_SUBJECTS else listed(folder, problems)
        if inside is None or any(path.name == _DESCRIPTION for path in inside.files):
            # a dataset of its own, such as results
            continue
        if folder.name.lower().startswith(("sub", "pat")) or holds_images(inside):
            unused.append(folder)
    if unused:
        problems.add(
            "The names of these folders are not sub- and a label of letters and digits, as sub-01, so they were left "
            "out",
            *unused,
        )
    if root.images:
        problems.add("These NIfTI files lie beside the folders of the subjects and were left out", *root.images)


def _chosen(labels: Sequence[str], known: Iterable[str], *, key: str, dataset: Path) -> list[str]:
    """The labels asked for, in the dataset's order; all without any.

    Raises
    ------
    InputError
        If one is unknown.
    """
    known = list(known)
    asked = [without_prefix(label, key) for label in labels]
    unknown = [label for label in asked if label not in known]
    if unknown:
        what = {"sub": "participant", "ses": "session"}[key]
        there = f"Those there are: {some_of(known, _MOST_LABELS)}." if known else f"There are no {what}s."
        meant = [one for one in known if any(one.lstrip("0").lower() == label.lstrip("0").lower() for label in unknown)]
        offer = f" Did you mean {', '.join(meant)}?" if meant else ""
        raise InputError(f"{dataset}: there is no {what} {', '.join(unknown)}. {there}{offer}")
    return [label for label in known if label in asked] if asked else known


def _sessions(subject: str, folder: Path, problems: Problems) -> list[Session]:
    """The sessions of a subject, or the subject as the only one where there are none."""
    home = listed(folder, problems)
    named = [inner for inner in home.folders if inner.name.startswith("ses-")]
    found = {label: inner for inner in named if (label := label_of(inner.name, "ses"))}
    if odd := [inner for inner in named if inner not in found.values()]:
        problems.add("The labels of these folders have more than letters and digits, so they were left out", *odd)
    if not found:
        return [opened_session(subject, "", home, problems)]
    rest = [inner for inner in home.folders if inner not in named and inner.name.lower() != MAPS_FOLDER]
    if beside := [inner for inner in rest if holds_images(listed(inner, Problems(dataset=inner)))]:
        problems.add(
            "These folders lie beside the folders of sessions (ses-01, ses-02, ...) and were left out", *beside
        )
    if stray := [path for path in home.images if last_word(path.name) in SUFFIXES]:
        problems.add("These series lie beside the folders of sessions, not in one, and were left out", *stray)
    return [opened_session(subject, label, listed(inner, problems), problems) for label, inner in found.items()]


def _scans(session: Session, derived: Sequence[Session], sidecars: Sidecars, problems: Problems) -> list[Scan]:
    found = series_of(session, problems)
    if found:
        dicom_beside(session, problems)
    else:
        found = dicom_scans_of(session, problems)
    complete = with_belongings(found, session, derived, problems) if found else []
    _tell_unread(session, complete, problems)
    return [scan for one in complete if (scan := with_facts(one, sidecars, problems)) is not None]


def _tell_unread(session: Session, scans: Sequence[Scan], problems: Problems) -> None:
    """Tell of images that may be perfusion series by a word in their names, or lie beside a scan under odd names."""
    used = {path for scan in scans for path in (scan.series, scan.second_echo, scan.brain_mask)}
    for place in (session.home, *session.parts):
        has_scan = any(path in used for path in place.images)
        for path in place.images:
            words = words_of(path.name)
            known = is_mask(path.name) or is_generated(path.name) or words[-1] in QUANTITIES
            looks_so = any(word in SUFFIXES for word in words) or (has_scan and read_name(path.name) is None)
            if looks_so and not (known or path in used or problems.knows(path)):
                problems.add(
                    "The names of these images do not end in a word for perfusion series (ctp, dsc, mrp, perf, pwi), "
                    "so they were left out",
                    path,
                )


def _derived(root: Path, session: Session, problems: Problems) -> list[Session]:
    """The session's folder under ``derivatives``, if there is one."""
    place = root.parent if root.name.lower() in _RAW_FOLDERS else root
    folder = place / "derivatives" / f"sub-{session.subject}"
    if session.label:
        folder /= f"ses-{session.label}"
    if not folder.is_dir():
        return []
    return [opened_session(session.subject, session.label, listed(folder, problems), problems)]


def _description(folder: Path, problems: Problems) -> str:
    """The dataset's name for people."""
    path = folder / _DESCRIPTION
    if not path.is_file():
        return ""
    try:
        content = json.loads(read_text(path))
    except (InputError, ValueError, RecursionError):
        problems.add("These files are no usable JSON and were not read", path)
        return ""
    name = content.get("Name", "") if isinstance(content, Mapping) else ""
    return name.strip() if isinstance(name, str) else ""


def _nothing_found(
    dataset: Path,
    by_subject: Mapping[str, Sequence[Session]],
    problems: Problems,
    participants: Sequence[str],
    sessions: Sequence[str],
) -> InputError:
    asked = [f"participants {', '.join(participants)}"] if participants else []
    asked += [f"sessions {', '.join(sessions)}"] if sessions else []
    where = f" for the {' and '.join(asked)}" if asked else ""
    told = "".join(f" {sentence}" for sentence in problems.sentences())
    if not told:
        places = [part for found in by_subject.values() for one in found for part in (one.home, *one.parts)]
        names = [path.relative_to(dataset).as_posix() for place in places for path in place.files]
        told = f" Found were {some_of(names)}." if names else " The folders of the subjects are empty."
    return InputError(f"{dataset}: no perfusion scans were found{where}. {_EXPECTED}.{told}")
