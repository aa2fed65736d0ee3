"""Presets on the panel: which are offered, what they mean for the parameters, and the user's own."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from PyPeTLib.config import PipelineConfig
from PyPeTLib.errors import InputError
from PyPeTLib.presets import Preset, Tables, preset_names, presets, read_preset, write_preset
from PyPeTLib.series import Modality
from PyPeTSlicer.parameters import defaults, is_dsc, request

ON_THE_PANEL = {
    "correctMotion": ("motion", "correct"),
    "smoothing": ("denoising", "sigma"),
    "method": ("deconvolution", "method"),
    "relative": ("quantification", "relative"),
}
"""Parameters that hold one option; all others that differ from the defaults stand in ``advanced``."""

FLOW = ("quantification", "white_matter_cbf")
"""An option that belongs to a segment of the user's, and so to no preset that is saved here."""

ALWAYS_KEPT = {*ON_THE_PANEL.values(), ("denoising", "method")}
"""Options that a saved preset names even where they are the defaults: the width says nothing without the filter."""

LARGEST_SMOOTHING_MM = 10.0

_NAME = re.compile(r"[^\W_](?:[\w .,()+-]{0,58}[\w)+])?")


def own_folder() -> Path:
    """The folder of the user's own presets, beside the settings of Slicer; it need not be there."""
    return Path(slicer.app.userSettings().fileName()).parent / "PyPeT" / "presets"


def offered(modality: Modality) -> tuple[dict[str, Preset], list[str]]:
    """Presets for a modality by their names, the user's own last; and why files of theirs are not among them."""
    found = {preset.name: preset for preset in presets() if preset.fits(modality)}
    problems = []
    for path in sorted(own_folder().glob("*.toml")):
        try:
            own = read_preset(path)
        except InputError as error:
            problems.append(str(error))
        else:
            if own.fits(modality) and own.name not in preset_names():
                found[own.name] = own
    return found, problems


def chosen(key: str) -> Preset:
    """The preset that a name or a path stands for: one of PyPeT's, of the user's own, or a file.

    Raises
    ------
    InputError
        If there is none, or its file cannot be used.
    """
    return read_preset(own_folder() / f"{key}.toml" if is_own(key) else key)


def is_own(key: str) -> bool:
    """Whether a name is that of a preset of the user's own."""
    is_name = _NAME.fullmatch(key) is not None and key not in preset_names()
    return is_name and (own_folder() / f"{key}.toml").is_file()


def apply(parameters: Any, preset: Preset | None) -> None:
    """Set all processing options: those of a preset, else the defaults of the modality.

    Raises
    ------
    InputError
        If the preset is for the other modality, or the panel cannot hold what it asks for; nothing is set then.
    """
    modality = Modality(parameters.modality.value)
    if preset is not None:
        preset.check(modality)
    wanted = PipelineConfig.for_modality(modality, preset.changes if preset is not None else {}).to_mapping()
    sigma, flow = wanted["denoising"]["sigma"], wanted[FLOW[0]][FLOW[1]]
    if sigma > LARGEST_SMOOTHING_MM:
        raise InputError(f"the preset smooths over {sigma:g} mm, and the panel up to {LARGEST_SMOOTHING_MM:g} mm")
    if flow > 0 and not is_dsc(parameters):
        raise InputError("white_matter_cbf scales DSC maps; CT maps have an absolute scale already")
    changes = _differing_from_defaults(wanted, modality, kept=set(), left_out={*ON_THE_PANEL.values(), FLOW})
    parameters.advanced = json.dumps(changes) if changes else ""
    for name, (table, option) in ON_THE_PANEL.items():
        setattr(parameters, name, wanted[table][option])
    if flow > 0:
        parameters.whiteMatterCBF = flow


def options(parameters: Any) -> Tables:
    """All processing options that a run with these parameters has, but for the flow of a segment of white matter."""
    changes = {table: dict(values) for table, values in request(parameters).changes.items()}
    changes.get(FLOW[0], {}).pop(FLOW[1], None)
    return PipelineConfig.for_modality(Modality(parameters.modality.value), changes).to_mapping()


def differences(parameters: Any, preset: Preset | None) -> list[tuple[str, Any, Any]]:
    """Options that are no longer those of a preset (or the defaults): name, value there, value now."""
    modality = Modality(parameters.modality.value)
    wanted = PipelineConfig.for_modality(modality, preset.changes if preset is not None else {}).to_mapping()
    now = options(parameters)
    return [
        (f"{table}.{name}", value, now[table][name])
        for table, name, value in _each(wanted)
        if (table, name) != FLOW and not _same(value, now[table][name])
    ]


def own_file(name: str) -> Path:
    """The file of a preset of the user's own.

    Raises
    ------
    InputError
        If the name cannot be that of a file, or is one of PyPeT's own.
    """
    if _NAME.fullmatch(name) is None:
        raise InputError(
            f"“{name}” cannot be the name of a preset: take up to 60 letters, digits, blanks and . , ( ) + - _, "
            "beginning with a letter or digit"
        )
    if name.casefold() in preset_names():
        raise InputError(f"“{name}” is a preset of PyPeT itself. Choose another name.")
    return own_folder() / f"{name}.toml"


def save(parameters: Any, name: str, *, overwrite: bool = False) -> Preset:
    """Write the processing options as a preset of the user's own, which is offered from then on.

    It holds what differs from the defaults, and the options on the panel in any case.

    Raises
    ------
    InputError
        If the name does not serve, a preset of this name exists, or the file cannot be written.
    """
    path = own_file(name)
    modality = Modality(parameters.modality.value)
    tables = _differing_from_defaults(options(parameters), modality, kept=ALWAYS_KEPT, left_out={FLOW})
    changed = ", ".join(option for option, _there, _now in differences(parameters, None))
    summary = _("Saved from the panel; other than the defaults: {options}.") if changed else _("The defaults.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path.parent}: the folder cannot be made: {error.strerror or error}.") from error
    return write_preset(
        path,
        tables,
        title=name,
        summary=str(summary).format(options=changed),
        modality=modality.value,
        overwrite=overwrite,
    )


def key_of(path: str) -> str:
    """What a loaded file is chosen by: its name if it is one of the user's own, else its path."""
    file = Path(path)
    return file.stem if file.parent == own_folder() and is_own(file.stem) else str(path)


def _differing_from_defaults(
    values: Tables, modality: Modality, *, kept: set[tuple[str, str]], left_out: set[tuple[str, str]]
) -> Tables:
    base = defaults(modality, values)
    tables: Tables = {}
    for table, name, value in _each(values):
        place = (table, name)
        if place not in left_out and (place in kept or value != base[table][name]):
            tables.setdefault(table, {})[name] = value
    return tables


def _each(tables: Tables) -> Iterator[tuple[str, str, Any]]:
    return ((table, name, value) for table, values in tables.items() for name, value in values.items())


def _same(one: Any, other: Any) -> bool:
    # fields of the panel show a few decimals
    return math.isclose(one, other, rel_tol=1e-6) if isinstance(one, float) else bool(one == other)
