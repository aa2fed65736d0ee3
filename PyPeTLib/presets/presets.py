"""Reading, checking and writing of presets; nothing heavy is imported before a preset is read."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from os import PathLike
from pathlib import Path
from typing import Any

from PyPeTLib.errors import InputError, UnknownNameError

KINDS = {"ctp": "CT perfusion", "dsc": "DSC-MRI"}
"""Modalities as a preset names them, and in words."""

BOTH = "both"

Tables = dict[str, dict[str, Any]]
"""Options by table and name, as `PyPeTLib.config.PipelineConfig.for_modality` takes them."""

_SUFFIX = ".toml"


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Options for one purpose.

    Attributes
    ----------
    name : str
        What it is called by: the name of its file without ``.toml``.
    title, summary : str
        One line, and what it is for.
    modality : str
        ``"ctp"``, ``"dsc"`` or ``"both"``: the series that it is for.
    sources : tuple of str
        Publications that its choices rest on.
    changes : dict
        Tables of options; those that it leaves out keep the default of the modality.
    """

    name: str
    title: str
    summary: str
    modality: str
    sources: tuple[str, ...]
    changes: Tables

    @property
    def kind(self) -> str:
        """The modality in words."""
        return KINDS.get(self.modality) or " and ".join(KINDS.values())

    def fits(self, modality: str) -> bool:
        """Whether it is for series of a modality (``"ctp"`` or ``"dsc"``)."""
        return self.modality in (BOTH, str(modality))

    def check(self, modality: str) -> None:
        """Nothing if it is for series of a modality.

        Raises
        ------
        InputError
            If it is for the other one; the message names the presets that are for this one.
        """
        if not self.fits(modality):
            fitting = ", ".join(preset.name for preset in presets() if preset.fits(modality))
            raise InputError(
                f"the preset {self.name} is for {self.kind}, and this series is {KINDS[str(modality)]}. "
                f"Choose one for it: {fitting}."
            )


def preset_names() -> tuple[str, ...]:
    """Names of the presets that come with PyPeT, sorted."""
    files = (file.name for file in resources.files(__package__).iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in files if name.endswith(_SUFFIX)))


def presets() -> tuple[Preset, ...]:
    """The presets that come with PyPeT, by name."""
    return tuple(read_preset(name) for name in preset_names())


def preset_file(preset: str | PathLike[str]) -> Path | None:
    """The file that is meant in place of a name; None for the name of a preset that comes with PyPeT.

    What ends in ``.toml`` or names a folder is a file, so one in the current folder may be called ``./name``.

    Raises
    ------
    UnknownNameError
        For a name that is not known; the message lists those that are.
    """
    text = str(preset)
    if isinstance(preset, PathLike) or text.endswith(_SUFFIX) or "/" in text or "\\" in text:
        return Path(preset)
    known = preset_names()
    if text in known:
        return None
    close = difflib.get_close_matches(text.casefold(), known, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise UnknownNameError(
        f"{text!r} is not among the presets: {', '.join(known)}.{hint} Give a file of your own by a name in {_SUFFIX}."
    )


def preset_text(preset: str | PathLike[str]) -> str:
    """The TOML of a preset, by its name or of a file, with its comments."""
    path = preset_file(preset)
    if path is None:
        return _shipped(str(preset)).read_text(encoding="utf-8")
    from PyPeTLib.io.stream import read_text  # noqa: PLC0415 - brings numpy, which listing names does without

    return read_text(path)


def read_preset(preset: str | PathLike[str]) -> Preset:
    """A preset by its name, or from a TOML file of options.

    The ``config.toml`` of a run is a preset for series of the modality that its ``[input]`` table names; the rest of
    that table belongs to the series of that run and is left aside. A file without ``[preset]`` and ``[input]`` is for
    both modalities.

    Parameters
    ----------
    preset : str or path
        A name of `preset_names`, or a file: what ends in ``.toml`` or names a folder.

    Returns
    -------
    Preset
        Its options exist and have permitted values.

    Raises
    ------
    UnknownNameError
        If no preset has this name.
    InputError
        If the file cannot be read or asks for what does not exist.
    """
    from PyPeTLib.io.toml import read_toml  # noqa: PLC0415 - brings numpy

    path = preset_file(preset)
    with resources.as_file(_shipped(str(preset))) if path is None else nullcontext(path) as file:
        content = read_toml(file)
    head, inputs = content.pop("preset", {}), content.pop("input", {})
    if not isinstance(head, Mapping) or not isinstance(inputs, Mapping):
        raise InputError(f"{file}: [preset] and [input] must be tables")
    kind = inputs.get("modality")
    try:
        return _checked(
            name=file.name.removesuffix(_SUFFIX),
            head={"modality": kind if kind in KINDS else BOTH, **head},
            changes=content,
        )
    except InputError as error:
        raise InputError(f"{file}: {error}") from error


def write_preset(
    path: str | PathLike[str],
    changes: Mapping[str, Mapping[str, Any]],
    *,
    title: str,
    summary: str = "",
    modality: str = BOTH,
    sources: Sequence[str] = (),
    overwrite: bool = False,
) -> Preset:
    """Write a preset as TOML, and return it as it will be read.

    Parameters
    ----------
    path : path
        Its name without ``.toml`` becomes that of the preset.
    changes : mapping
        Tables of options, as `Preset.changes`.
    title, summary, modality, sources
        As in `Preset`.
    overwrite : bool
        Whether a file of this name may be replaced.

    Raises
    ------
    InputError
        If an option does not exist or has no permitted value, or the file exists or cannot be written.
    """
    from PyPeTLib.io.toml import write_toml  # noqa: PLC0415 - brings numpy

    path = Path(path)
    if path.suffix != _SUFFIX:
        raise InputError(f"{path}: the name of a preset's file must end in {_SUFFIX}")
    head = {"title": title, "summary": summary, "modality": modality, "sources": list(sources)}
    preset = _checked(name=path.name.removesuffix(_SUFFIX), head=head, changes=changes)
    if path.exists() and not overwrite:
        raise InputError(f"{path}: there is such a file already. Choose another name, or let it be overwritten.")
    # renaming is at once, so that a file that is there is replaced whole or not at all
    part = path.with_name(f".{path.name}.part")
    try:
        write_toml(part, {"preset": head, **preset.changes})
        part.replace(path)
    except OSError as error:
        raise InputError(f"{path}: the preset cannot be written: {error.strerror or error}.") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return preset


def merged(*layers: Mapping[str, Mapping[str, Any]]) -> Tables:
    """Tables of options laid over each other: a later layer wins."""
    tables: Tables = {}
    for layer in layers:
        for name, table in layer.items():
            # what is no table is refused with the other options
            tables[name] = {**tables.get(name, {}), **table} if isinstance(table, Mapping) else table
    return tables


def _shipped(name: str) -> Traversable:
    return resources.files(__package__).joinpath(f"{name}{_SUFFIX}")


def _checked(*, name: str, head: Mapping[str, Any], changes: Mapping[str, Any]) -> Preset:
    from PyPeTLib.config import PipelineConfig  # noqa: PLC0415 - brings numpy and scipy
    from PyPeTLib.series import Modality  # noqa: PLC0415

    known = ("title", "summary", "modality", "sources")
    unknown = sorted(set(head) - set(known))
    if unknown:
        raise InputError(f"[preset] has no {', '.join(unknown)}; known: {', '.join(known)}")
    modality, sources = head["modality"], head.get("sources", [])
    title, summary = head.get("title", name), head.get("summary", "")
    if modality not in (*KINDS, BOTH):
        raise InputError(f"the modality of a preset must be one of {', '.join((*KINDS, BOTH))}; found {modality!r}")
    if not isinstance(title, str) or not title.strip() or not isinstance(summary, str):
        raise InputError("title and summary of a preset must be texts, and the title not empty")
    if not isinstance(sources, list) or not all(isinstance(source, str) for source in sources):
        raise InputError(f"the sources of a preset must be a list of texts, found {sources!r}")
    for kind in KINDS if modality == BOTH else (modality,):
        PipelineConfig.for_modality(Modality(kind), changes)
    return Preset(
        name=name,
        title=title,
        summary=summary,
        modality=modality,
        sources=tuple(sources),
        changes={table: dict(options) for table, options in changes.items()},
    )
