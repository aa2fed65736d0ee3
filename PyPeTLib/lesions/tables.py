"""What was found, as facts for programs and as a table for people."""

from __future__ import annotations

import math
from typing import Any

from PyPeTLib.lesion_options import LESION_PRESETS, LesionOptions
from PyPeTLib.lesions.model import Lesions
from PyPeTLib.tables import Cell, Column, DataTable

NOTICE = "Research use only; not validated for clinical use."

_FIGURES = {"core_ml": "core", "mismatch_ml": "mismatch", "mismatch_ratio": "mismatch ratio"}


def lesions_facts(lesions: Lesions | str, options: LesionOptions | None = None) -> dict[str, Any]:
    """The lesions as a nested table of plain values.

    Parameters
    ----------
    lesions : Lesions or str
        What was found, or why nothing could be looked for.
    options : LesionOptions, optional
        What would have been looked for, where nothing could.

    Returns
    -------
    dict
        Always with the same keys; figures are None where nothing could be looked for. Volumes are in ml. "incomplete"
        says why they are not those of the whole brain; criteria that are then not known are None.
    """
    if isinstance(lesions, str):
        options = options or LesionOptions()
        figures: dict[str, Any] = dict.fromkeys(
            (
                *("normal", "core_ml", "hypoperfused_ml", "penumbra_ml", "mismatch_ml", "mismatch_ratio"),
                *("hypoperfusion_intensity_ratio", "cbv_index", "tmax_ml", "cbf_ml", "incomplete", "target_mismatch"),
            )
        )
        return {"available": False, "reason": lesions, **_options(options), **figures}
    return {
        "available": True,
        "reason": "",
        **_options(lesions.options),
        "normal": {
            "reference": lesions.options.reference,
            "cbf": lesions.normal_flow,
            "unit": lesions.flow_unit,
            "volume_ml": lesions.normal_volume,
            "calibrated": lesions.calibrated,
        },
        "core_ml": lesions.core_volume,
        "hypoperfused_ml": lesions.hypoperfused_volume,
        "penumbra_ml": lesions.mismatch_volume,
        "mismatch_ml": lesions.mismatch_volume,
        "mismatch_ratio": lesions.mismatch_ratio,
        "hypoperfusion_intensity_ratio": lesions.intensity_ratio,
        "cbv_index": lesions.cbv_index,
        "tmax_ml": {f"{step:g}": volume for step, volume in lesions.tmax_volumes.items()},
        "cbf_ml": {f"{100 * step:g}": volume for step, volume in lesions.flow_volumes.items()},
        "incomplete": lesions.incomplete,
        "target_mismatch": _target(lesions),
    }


def lesions_table(lesions: Lesions) -> DataTable:
    """The lesions as a table of item, value and unit."""
    options, unit = lesions.options, lesions.flow_unit if lesions.calibrated else "arbitrary unit"
    rows: list[tuple[Cell, ...]] = [
        (f"Core: {options.core_rule}", lesions.core_volume, "ml"),
        (f"Hypoperfused, core included: {options.hypoperfusion_rule}", lesions.hypoperfused_volume, "ml"),
        ("Mismatch (penumbra)", lesions.mismatch_volume, "ml"),
        ("Mismatch ratio", lesions.mismatch_ratio, ""),
        *((f"Tmax above {step:g} s", volume, "ml") for step, volume in lesions.tmax_volumes.items()),
        *(
            (f"Hypoperfused with CBF below {100 * step:g} % of normal", volume, "ml")
            for step, volume in lesions.flow_volumes.items()
        ),
        ("Hypoperfusion intensity ratio (Tmax above 10 s to 6 s)", lesions.intensity_ratio, ""),
        ("CBV index (mean CBV where Tmax is above 6 s to that of normal tissue)", lesions.cbv_index, ""),
        ("Mean flow of normal-appearing tissue", lesions.normal_flow, unit),
        ("Volume of that tissue", lesions.normal_volume, "ml"),
    ]
    for criterion, value, met in lesions.criteria:
        figure = _FIGURES[criterion.figure]
        told = f"not known: {lesions.incomplete}" if met is None else "met" if met else "not met"
        rows.append(
            (
                f"{options.preset}: {figure} {criterion.bound} {criterion.limit:g}, {told}",
                None if math.isinf(value) else value,
                "ml" if criterion.figure.endswith("_ml") else "",
            )
        )
    return DataTable(
        name="lesions",
        title="Lesions",
        columns=(
            Column(name="item", title="Item"),
            Column(name="value", title="Value"),
            Column(name="unit", title="Unit"),
        ),
        rows=tuple(rows),
        note=_note(lesions),
    )


def _note(lesions: Lesions) -> str:
    """Whose thresholds these are, and what is left out."""
    options = lesions.options
    changed = f", changed in {', '.join(options.changed)}" if options.changed else ""
    sources = LESION_PRESETS.entry(options.preset).source
    closing = f" Gaps of up to {2 * options.closing:g} mm in a lesion's tissue are closed." if options.closing else ""
    part = f"These are not the volumes of the whole brain: {lesions.incomplete}. " if lesions.incomplete else ""
    return (
        f"{part}Thresholds: {options.preset}{changed} ({sources}). CSF, large vessels and clusters below "
        f"{options.smallest_cluster:g} ml are left out.{closing} {NOTICE}"
    )


def _options(options: LesionOptions) -> dict[str, Any]:
    values = options.to_mapping()
    return {"preset": values.pop("preset"), "options": values}


def _target(lesions: Lesions) -> dict[str, Any] | None:
    """Whether the preset's criteria are met, and why that is not known; None where it has none."""
    criteria = lesions.criteria
    if not criteria:
        return None
    return {
        "met": lesions.criteria_met,
        "reason": lesions.incomplete if any(met is None for _, _, met in criteria) else "",
        "criteria": [
            {
                "figure": criterion.figure,
                "value": None if math.isinf(value) else value,
                "bound": criterion.bound,
                "limit": criterion.limit,
                "met": met,
            }
            for criterion, value, met in criteria
        ],
    }
