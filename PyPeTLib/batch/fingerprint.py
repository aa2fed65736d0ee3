"""What the results of a scan depend on, as one digest: the content of its files, the options, the version."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from PyPeTLib.errors import InputError
from PyPeTLib.io.sidecar import image_stem
from PyPeTLib.job import POPULATION, Job
from PyPeTLib.job.model import FILE_KEYS
from PyPeTLib.presets import read_preset
from PyPeTLib.version import __version__

SCHEME = 1
"""Number of the rules of this module; another one makes all results outdated."""

_FILES = ("series", "inputs", "references", "territories", "territory_names")
"""Fields of a job that name files."""

_SHARED = ("preset", "tables", "outputs")
"""Fields that are the same for all scans of a study."""

_WITHOUT_EFFECT = ("out", "overwrite", "options_file", "threads", "memory_limit", "scratch", "digest")
"""Fields that the results do not depend on. All others count, also those that a job will have one day."""


@dataclass(frozen=True, kw_only=True)
class Fingerprint:
    """What a scan's results depend on.

    Attributes
    ----------
    digest : str
        SHA-256 of all of it, in hexadecimal.
    inputs : mapping of str to str
        SHA-256 of the content of each input, by the part that it plays.
    configuration : str
        SHA-256 of the options that all scans of a study share.
    """

    digest: str = ""
    inputs: Mapping[str, str]
    configuration: str = ""


def fingerprint(job: Job) -> Fingerprint:
    """The digest of a job; reads all of its files once.

    Neither their folder nor their times count, but the names of images do: results tell them.

    Raises
    ------
    InputError
        If a file cannot be read, or the preset cannot be used.
    """
    found = dict(_files(job))
    inputs = {part: _content(path) for part, path in found.items()}
    names = {part: path.name for part, path in found.items() if path.is_file()}
    options = {field.name: _option(job, field.name) for field in fields(job) if field.name not in _WITHOUT_EFFECT}
    configuration = _hashed({name: options.pop(name) for name in _SHARED})
    digest = _hashed(
        {
            "scheme": SCHEME,
            "version": __version__,
            "inputs": inputs,
            "names": names,
            "configuration": configuration,
            "scan": options,
        }
    )
    return Fingerprint(digest=digest, inputs=inputs, configuration=configuration)


def _files(job: Job) -> Iterator[tuple[str, Path]]:
    """Each file or folder that a job reads, by the part that it plays, and the sidecars of images."""
    named: dict[str, Any] = {"series": job.series}
    named |= {key: job.inputs[key] for key in FILE_KEYS if _is_file(job.inputs.get(key))}
    named |= {f"reference {quantity}": path for quantity, path in job.references.items()}
    named |= {"territories": job.territories, "territory_names": job.territory_names}
    for part, value in named.items():
        if value is None:
            continue
        path = Path(value)
        yield part, path
        sidecar = path.with_name(f"{image_stem(path)}.json")
        if ".nii" in path.name.lower() and sidecar.is_file():
            yield f"{part}, sidecar", sidecar


def _is_file(value: Any) -> bool:
    return isinstance(value, str | Path) and str(value) != POPULATION


def _option(job: Job, name: str) -> Any:
    value = getattr(job, name)
    if name == "preset" and value is not None:
        preset = read_preset(value)
        return {"modality": preset.modality, "changes": preset.changes}
    if name == "inputs":
        # a file counts by its content
        return {key: None if key in FILE_KEYS and _is_file(item) else item for key, item in value.items()}
    if name == "outputs":
        return asdict(value)
    if name in _FILES:
        return sorted(value) if isinstance(value, Mapping) else value is not None
    return value


def _content(path: Path) -> str:
    """SHA-256 of a file, or of all files of a folder with their places in it."""
    if not path.is_dir():
        return _streamed(path)
    found = sorted((file.relative_to(path).as_posix(), file) for file in path.rglob("*") if file.is_file())
    return _hashed({place: _streamed(file) for place, file in found if not Path(place).name.startswith(".")})


def _streamed(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file. Check the path.") from error
    except OSError as error:
        raise InputError(f"{path}: the file cannot be read: {error.strerror or error}. Check it.") from error


def _hashed(content: Any) -> str:
    text = json.dumps(_plain(content), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float) else str(value)
