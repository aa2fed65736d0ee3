"""A made dataset: head phantoms as the scans of a study, with reference maps, some of them broken on purpose.

Subjects are patients with a stroke, whose second session shows the same brain perfused again, and healthy ones; every
second one has CT, the others DSC. It lies in the original PyPeT's layout or in that of BIDS, as
`PyPeTLib.io.dataset.find_scans` understands them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from PyPeTLib.arrays import Volume
from PyPeTLib.errors import InputError
from PyPeTLib.io import write_json, write_tsv, write_volume
from PyPeTLib.maps import QUANTITIES
from PyPeTLib.phantom.head import HeadPhantom, make_head
from PyPeTLib.phantom.head_options import head_options
from PyPeTLib.series import Modality

LAYOUTS = ("original", "bids")

REFERENCES = ("cbf", "cbv", "mtt", "ttp", "tmax")
"""Maps of the truth that are written as references."""

DAMAGES = {
    "truncated": "the file ends early",
    "no-frame-times": "neither header nor sidecar tell the frame times",
    "few-frames": "five frames",
    "no-bolus": "no contrast arrives",
}
"""Ways in which scans are broken, in the order in which they are used. All but the last make a scan unusable."""

SIZES: Mapping[str, Mapping[Modality, Mapping[str, Any]]] = {
    "small": {
        Modality.CTP: {"shape": (64, 64, 23), "slab": 8, "dt": 1.5, "n_frames": 32, "noise": 2.0},
        Modality.DSC: {"shape": (48, 48, 20), "slab": 8, "dt": 1.5, "n_frames": 36, "noise": 3.0},
    },
    "full": {Modality.CTP: {"dt": 1.0, "noise": 6.0}, Modality.DSC: {"dt": 1.5, "noise": 8.0}},
}
"""Options of `make_head`: whole heads, or 40 to 48 mm of them in large voxels, with the noise that is left of the whole
heads' in such voxels."""

_SESSIONS = (2, 1, 1, 2)
"""Of one subject after the other, over and over."""

_HEALTHY_EVERY = 3
"""Of the subjects with one session."""

_MASK_EVERY = 3
_AFFINES = ("ras", "las", "oblique", "lps")
_LARGEST = 3071
"""What scanners with 12 bits a voxel cannot exceed."""

_SHARE_LEFT = 0.6
_FEW_FRAMES = 5
_SOURCES = {Modality.CTP: "CT", Modality.DSC: "MR"}


@dataclass(frozen=True, kw_only=True)
class StudyScan:
    """What one scan of a study is.

    Attributes
    ----------
    number : int
        In the study, from 0 on.
    head : int
        Which subject, from 0 on.
    subject, session : str
        Labels without prefix.
    modality : Modality
    healthy : bool
        Neither lesion nor occlusion.
    damage : str
        A name in `DAMAGES`; empty for a scan that can be analysed.
    has_references, has_mask : bool
    """

    number: int
    head: int
    subject: str
    session: str
    modality: Modality
    healthy: bool
    damage: str = ""
    has_references: bool = True
    has_mask: bool = False

    @property
    def stem(self) -> str:
        """What the names of its files begin with."""
        return f"sub-{self.subject}_ses-{self.session}"

    @property
    def folder(self) -> Path:
        """Of its session in the dataset."""
        return Path(f"sub-{self.subject}", f"ses-{self.session}")


def plan_study(scans: int, *, broken: int | None = None) -> tuple[StudyScan, ...]:
    """What the scans of a study are; of 24, three are broken in different ways and two have no references.

    Parameters
    ----------
    scans : int
    broken : int, optional
        How many of them are broken; one in eight by default.
    """
    if scans < 1:
        raise InputError(f"a study has one scan or more, found {scans}")
    n_broken = (scans + 4) // 8 if broken is None else broken
    if not 0 <= n_broken <= scans:
        raise InputError(f"of {scans} scans 0 to {scans} can be broken, found {n_broken}")
    damaged = {_spread(k, n_broken, scans): k for k in range(n_broken)}
    good = [number for number in range(scans) if number not in damaged]
    n_alone = min((scans + 6) // 12, len(good))
    alone = {good[_spread(k, n_alone, len(good))] for k in range(n_alone)}
    who = _sessions(scans)
    width = max(len(str(who[-1][0] + 1)), 2)
    names = tuple(DAMAGES)
    return tuple(
        StudyScan(
            number=number,
            head=head,
            subject=f"{head + 1:0{width}d}",
            session=f"{session + 1:02d}",
            modality=(Modality.CTP, Modality.DSC)[head % 2],
            healthy=session > 0 or (single + 1) % _HEALTHY_EVERY == 0,
            damage=names[damaged[number] % len(names)] if number in damaged else "",
            has_references=number not in alone,
            has_mask=number not in damaged and number % _MASK_EVERY == 0,
        )
        for number, (head, session, single) in enumerate(who)
    )


def write_study(
    folder: str | PathLike[str],
    *,
    scans: int = 24,
    size: str = "small",
    layout: str = "original",
    seed: int = 0,
    broken: int | None = None,
) -> tuple[StudyScan, ...]:
    """Write a dataset of head phantoms; the same study gives the same bytes.

    Beside the scans it has a table of the truth, ``truth.tsv``: what each scan is, and the volumes of its lesion in ml.
    References are the truth's maps, NaN outside of tissue and in large vessels, with their units in sidecars: beside
    the scan in ``perfusion-maps`` (original), or under ``derivatives`` (BIDS), where the echo time of DSC stands in a
    sidecar for the whole dataset.

    Parameters
    ----------
    folder : path
        Made if it does not exist; files of the same names are replaced.
    scans : int
    size : {"small", "full"}
        See `SIZES`.
    layout : {"original", "bids"}
    seed : int
        Which heads.
    broken : int, optional
        How many scans are broken; one in eight by default.

    Returns
    -------
    tuple of StudyScan

    Raises
    ------
    InputError
        If an option is unknown or a file cannot be written.
    """
    for what, value, known in (("size", size, tuple(SIZES)), ("layout", layout, LAYOUTS)):
        if value not in known:
            raise InputError(f"the {what} of a study is {' or '.join(known)}, found {value!r}")
    folder = Path(folder)
    plan = plan_study(scans, broken=broken)
    folder.mkdir(parents=True, exist_ok=True)
    rows = [_write_scan(scan, folder, SIZES[size][scan.modality], bids=layout == "bids", seed=seed) for scan in plan]
    _write_tables(folder, plan, rows, bids=layout == "bids")
    return plan


def _spread(k: int, count: int, over: int) -> int:
    """Where the k-th of ``count`` goes that are evenly spread over so many places."""
    return (2 * k + 1) * over // (2 * count)


def _sessions(scans: int) -> list[tuple[int, int, int]]:
    """Subject and session of each scan, and for subjects with one session their number among those, else 0."""
    found: list[tuple[int, int, int]] = []
    head, singles = 0, 0
    while len(found) < scans:
        count = _SESSIONS[head % len(_SESSIONS)]
        found += [(head, session, singles if count == 1 else 0) for session in range(count)]
        singles += count == 1
        head += 1
    return found[:scans]


def _write_scan(scan: StudyScan, dataset: Path, options: Mapping[str, Any], *, bids: bool, seed: int) -> dict[str, Any]:
    """Write all files of a scan and return its row of the table of the truth."""
    head = make_head(
        scan.modality,
        **{**options, "noise": None},
        seed=1000 * seed + scan.head,
        healthy=scan.healthy,
        affine=_AFFINES[scan.head % len(_AFFINES)],
    )
    home = dataset / scan.folder / "perf" if bids else dataset / scan.folder
    derived = dataset / "derivatives" / scan.folder if bids else home
    home.mkdir(parents=True, exist_ok=True)
    path = home / f"{scan.stem}_{scan.modality}.nii.gz"
    _write_series(scan, head, path, options, seed)
    facts: dict[str, Any] = {"Modality": _SOURCES[scan.modality]}
    if scan.damage != "no-frame-times":
        facts["RepetitionTime"] = options["dt"]
    if scan.modality is Modality.DSC and not bids:
        facts["EchoTime"] = head.options.echo_time
    write_json(home / f"{scan.stem}_{scan.modality}.json", facts)
    if scan.has_references:
        _write_references(scan, head, derived / "perfusion-maps")
    if scan.has_mask:
        mask = derived / "perf" / f"{scan.stem}_desc-brain_mask.nii.gz" if bids else home / "brain_mask.nii.gz"
        mask.parent.mkdir(parents=True, exist_ok=True)
        write_volume(mask, head.masks["intracranial"], head.series.orientation, dtype=np.uint8)
    return _row(scan, head, path.relative_to(dataset).as_posix())


def _write_series(scan: StudyScan, head: HeadPhantom, path: Path, options: Mapping[str, Any], seed: int) -> None:
    clean = head.series.array()
    if scan.damage == "no-bolus":
        clean = np.broadcast_to(clean[..., :1], clean.shape)
    if scan.damage == "few-frames":
        clean = clean[..., :_FEW_FRAMES]
    # sessions of one head differ by their noise
    rng = np.random.default_rng((seed, scan.number))
    frames = np.empty(clean.shape, np.int16, order="F")
    for k in range(clean.shape[3]):
        frames[..., k] = _noisy(clean[..., k], options["noise"], rng, rician=scan.modality is Modality.DSC)
    interval = 0.0 if scan.damage == "no-frame-times" else options["dt"]
    write_volume(path, frames, head.series.orientation, dtype=np.int16, frame_interval=interval)
    if scan.damage == "truncated":
        os.truncate(path, int(_SHARE_LEFT * path.stat().st_size))


def _noisy(frame: Volume, sd: float, rng: np.random.Generator, *, rician: bool) -> npt.NDArray[np.int16]:
    noisy = frame + np.float32(sd) * rng.standard_normal(frame.shape, dtype=np.float32)
    if rician:
        noisy = np.hypot(noisy, np.float32(sd) * rng.standard_normal(frame.shape, dtype=np.float32))
    return np.rint(np.minimum(noisy, _LARGEST)).astype(np.int16)


def _write_references(scan: StudyScan, head: HeadPhantom, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    # the truth is that of tissue, so voxels with large vessels have none
    tissue = head.masks["tissue"] & (head.truth["cbf"] > 0)
    for name in REFERENCES:
        stem = f"{scan.stem}_{name}"
        values = np.where(tissue, head.truth[name], np.float32(np.nan))
        write_volume(folder / f"{stem}.nii.gz", values, head.series.orientation)
        write_json(folder / f"{stem}.json", {"Units": QUANTITIES[name].unit})


def _row(scan: StudyScan, head: HeadPhantom, series: str) -> dict[str, Any]:
    ml = head.series.grid.voxel_volume / 1000
    core, penumbra, tissue = (ml * float(head.masks[name].sum()) for name in ("core", "penumbra", "tissue"))
    return {
        "participant_id": f"sub-{scan.subject}",
        "session_id": f"ses-{scan.session}",
        "series": series,
        "modality": str(scan.modality),
        "lesion_side": None if scan.healthy else head.lesion_side,
        "core_ml": round(core, 3),
        "penumbra_ml": round(penumbra, 3),
        "hypoperfused_ml": round(core + penumbra, 3),
        "tissue_ml": round(tissue, 3),
        "references": scan.has_references,
        "brain_mask": scan.has_mask,
        "damage": scan.damage or None,
    }


def _write_tables(folder: Path, plan: Sequence[StudyScan], rows: Sequence[Mapping[str, Any]], *, bids: bool) -> None:
    write_tsv(folder / "truth.tsv", rows)
    patients = {scan.subject: any(not one.healthy for one in plan if one.subject == scan.subject) for scan in plan}
    write_tsv(
        folder / "participants.tsv",
        [
            {"participant_id": f"sub-{subject}", "group": "stroke" if ill else "healthy"}
            for subject, ill in patients.items()
        ],
    )
    description = {"Name": "Head phantoms of PyPeT", "BIDSVersion": "1.10.0", "DatasetType": "raw"}
    write_json(folder / "dataset_description.json", description)
    if bids:
        write_json(folder / "dsc.json", {"EchoTime": head_options(Modality.DSC).echo_time})
