"""What is written beside the results of a study: for each scan its status and log, and a description of the whole.

None of it tells times, machines or how often something was tried, so that a run that was killed and resumed leaves the
same bytes as one that nobody disturbed.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PyPeTLib.errors import InputError
from PyPeTLib.io import format_toml
from PyPeTLib.io.output_folder import SUMMARY_NAME
from PyPeTLib.io.writing import write_whole
from PyPeTLib.version import __version__

if TYPE_CHECKING:
    from PyPeTLib.batch.attempt import Outcome

DESCRIPTION_NAME = "dataset_description.json"
CONFIG_NAME = "config.toml"
LEFT_OUT_NAME = "left_out.txt"
STATUS_SUFFIX = ".status.json"
LOG_SUFFIX = ".log"
BIDS_VERSION = "1.10.0"
DONE, FAILED = "done", "failed"


@dataclass(frozen=True, kw_only=True)
class FinishedScan:
    """A scan whose results are complete and of the inputs that its status names.

    Attributes
    ----------
    name : str
    folder : Path
    status, summary : mapping
        What its status file and ``summary.json`` hold.
    """

    name: str
    folder: Path
    status: Mapping[str, Any]
    summary: Mapping[str, Any]


def status_path(folder: Path) -> Path:
    """The status file of a result folder: beside it."""
    return folder.with_name(folder.name + STATUS_SUFFIX)


def log_path(folder: Path) -> Path:
    """The log of a result folder: beside it."""
    return folder.with_name(folder.name + LOG_SUFFIX)


def write_record(folder: Path, name: str, outcome: Outcome) -> None:
    """Write log and status of a scan, the status last.

    Raises
    ------
    InputError
        If they cannot be written.
    """
    status: dict[str, Any] = {
        "scan": name,
        "state": FAILED if outcome.cause else DONE,
        "software": "PyPeT",
        "version": __version__,
    }
    if outcome.cause:
        status |= {"kind": outcome.kind, "cause": outcome.cause, "folder_of_other_inputs": outcome.former}
    status |= {
        "digest": outcome.mark.digest,
        "configuration": outcome.mark.configuration,
        "inputs": dict(outcome.mark.inputs),
    }
    if outcome.files:
        status["files"] = dict(outcome.files)
    _replace(log_path(folder), outcome.log)
    _replace(status_path(folder), json.dumps(status, indent=2, ensure_ascii=False) + "\n")


def forget(folder: Path) -> None:
    """Remove the status of a scan that is about to be analysed anew: it is neither done nor failed then.

    Raises
    ------
    InputError
        If it cannot be removed.
    """
    path = status_path(folder)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{path}: the file cannot be removed: {error.strerror or error}.") from error


def read_status(folder: Path) -> Mapping[str, Any] | None:
    """What the status file of a result folder holds; None if there is none yet."""
    return _read(status_path(folder))


def scan_states(out: Path) -> Iterator[tuple[Path, Mapping[str, Any] | None]]:
    """Each scan of a folder of results, in the order of their paths: its result folder and its status.

    The folder need not be there (the scan failed), nor the status (nobody has finished the scan).
    """
    folders: dict[Path, None] = {}
    for pattern in ("sub-*/perf/*", "sub-*/ses-*/perf/*"):
        for path in out.glob(pattern):
            if path.name.startswith("."):
                continue
            if path.is_dir():
                folders[path] = None
            elif path.name.endswith(STATUS_SUFFIX):
                folders[path.with_name(path.name.removesuffix(STATUS_SUFFIX))] = None
    for folder in sorted(folders):
        yield folder, read_status(folder)


def finished_scans(out: Path) -> tuple[FinishedScan, ...]:
    """The scans of a folder of results that a table may hold: done, and with the results that the status is of."""
    found = []
    for folder, status in scan_states(out):
        summary = _read(folder / SUMMARY_NAME)
        if status is None or summary is None or status.get("state") != DONE:
            continue
        if summary.get("digest") == status.get("digest"):
            found.append(FinishedScan(name=folder.name, folder=folder, status=status, summary=summary))
    return tuple(found)


def write_description(out: Path, dataset: Path) -> None:
    """Describe the folder of results as a derivative of the dataset, as BIDS has it.

    Gorgolewski et al. 2016, doi:10.1038/sdata.2016.44; BIDS 1.10.0, "Derived dataset and pipeline description".

    Raises
    ------
    InputError
        If it cannot be written.
    """
    source = _read(dataset / DESCRIPTION_NAME) or {}
    name, identifier = source.get("Name"), source.get("DatasetDOI")
    content: dict[str, Any] = {
        "Name": f"Brain perfusion maps of {name}" if isinstance(name, str) and name else "Brain perfusion maps",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": "PyPeT", "Version": __version__, "Description": "Research use only."}],
    }
    if isinstance(identifier, str) and identifier:
        content["SourceDatasets"] = [{"DOI": identifier}]
    _replace(out / DESCRIPTION_NAME, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def is_own_description(out: Path) -> bool:
    """Whether a folder is described as one of PyPeT's results."""
    made_by = (_read(out / DESCRIPTION_NAME) or {}).get("GeneratedBy")
    return isinstance(made_by, list) and any(isinstance(by, dict) and by.get("Name") == "PyPeT" for by in made_by)


def write_config(out: Path, inputs: Mapping[str, Any], tables: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the options of the study, so that ``--config`` repeats it.

    Raises
    ------
    InputError
        If they cannot be written.
    """
    _replace(out / CONFIG_NAME, _config(inputs, tables))


def changed_options(out: Path, inputs: Mapping[str, Any], tables: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """Which options of a folder of results differ from these, as ``[table] key``; none where it has none on record."""
    try:
        former = tomllib.loads((out / CONFIG_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ()
    pairs = _flat(former), _flat(tomllib.loads(_config(inputs, tables)))
    return tuple(sorted(key for key in pairs[0].keys() | pairs[1].keys() if pairs[0].get(key) != pairs[1].get(key)))


def write_left_out(out: Path, sentences: Sequence[str]) -> None:
    """Write what a search of the dataset left out, a sentence in each line; no file if that is nothing.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    path = out / LEFT_OUT_NAME
    if sentences:
        _replace(path, "".join(f"{sentence}\n" for sentence in sentences))
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{path}: the file cannot be removed: {error.strerror or error}.") from error


def _config(inputs: Mapping[str, Any], tables: Mapping[str, Mapping[str, Any]]) -> str:
    given = {key: str(value) if isinstance(value, Path) else value for key, value in inputs.items()}
    return format_toml({"input": given, **tables} if given else dict(tables))


def _flat(content: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for table, value in content.items():
        flat |= {f"[{table}] {key}": item for key, item in value.items()} if isinstance(value, dict) else {table: value}
    return flat


def _replace(path: Path, text: str) -> None:
    """Write a text that is whole at any moment."""
    write_whole(path, text.encode("utf-8", "backslashreplace"))


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
