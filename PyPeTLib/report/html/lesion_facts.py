"""Lesions of a scan for a page: volumes with what they mean, thresholds and their source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from PyPeTLib.errors import InputError
from PyPeTLib.lesions import LESION_PRESETS, LesionOptions
from PyPeTLib.options import described
from PyPeTLib.report.html.facts import UNCALIBRATED, Pairs, found
from PyPeTLib.report.html.numbers import MISSING, number, shown, spaced, volume
from PyPeTLib.tables import Column, DataTable


@dataclass(frozen=True, kw_only=True)
class LesionLine:
    """One figure of the lesions."""

    title: str
    meaning: str
    value: str
    printed: bool = True
    """False for what one sheet of paper leaves out."""


@dataclass(frozen=True, kw_only=True)
class LesionSection:
    """What the page says of lesions.

    Attributes
    ----------
    reason : str
        Why there are none, if they could not be looked for.
    lines : tuple of LesionLine
    unknown : str
        Why criteria of the study are not known; empty if all are.
    thresholds : str
        What counts as core and as hypoperfused, and whose thresholds these are.
    facts : list of (str, str)
        Source of the thresholds, and what normal tissue was.
    options : list of (str, str)
    """

    reason: str
    lines: tuple[LesionLine, ...] = ()
    unknown: str = ""
    thresholds: str = ""
    facts: Pairs = field(default_factory=list)
    options: Pairs = field(default_factory=list)


def lesion_section(summary: Mapping[str, Any]) -> LesionSection | None:
    """The lesions of a summary; None if they were not asked for."""
    facts = summary.get("lesions")
    if not isinstance(facts, Mapping):
        return None
    if facts.get("available") is not True:
        return LesionSection(reason=str(facts.get("reason") or "") or "The summary does not say why.")
    options = _options_of(facts)
    return LesionSection(
        reason="",
        lines=(*_volumes(facts, options), *_ratios(facts), *_steps(facts), *_criteria(facts)),
        unknown=_unknown(facts),
        thresholds=_thresholds(facts, options),
        facts=[*_source(facts, options), *_normal(facts)],
        options=_values(facts.get("options") or {}),
    )


def _options_of(facts: Mapping[str, Any]) -> LesionOptions | None:
    """The options as such; None where this version does not know them."""
    try:
        return LesionOptions.from_mapping({"preset": facts.get("preset"), **(facts.get("options") or {})})
    except (InputError, TypeError, AttributeError):
        return None


def _volumes(facts: Mapping[str, Any], options: LesionOptions | None) -> list[LesionLine]:
    core = "see the options below" if options is None else options.core_rule
    late = "see the options below" if options is None else f"{options.hypoperfusion_rule}, core included"
    rows = (
        ("core_ml", "Core (estimate)", core),
        ("hypoperfused_ml", "Hypoperfused", late),
        ("mismatch_ml", "Mismatch (penumbra)", "hypoperfused tissue outside the core"),
    )
    return [LesionLine(title=title, meaning=meaning, value=_ml(facts.get(key))) for key, title, meaning in rows]


def _ratios(facts: Mapping[str, Any]) -> list[LesionLine]:
    rows = (
        ("mismatch_ratio", "Mismatch ratio", "hypoperfused over core volume; none without a core"),
        ("hypoperfusion_intensity_ratio", "Intensity ratio", "hypoperfusion intensity: Tmax above 10 s over above 6 s"),
        ("cbv_index", "CBV index", "mean CBV where Tmax is above 6 s over that of normal tissue"),
    )
    return [
        LesionLine(title=title, meaning=meaning, value=number(facts[key]))
        for key, title, meaning in rows
        if key in facts
    ]


def _steps(facts: Mapping[str, Any]) -> list[LesionLine]:
    late = [
        LesionLine(title=f"Tmax > {step} s", meaning="volume of such tissue", value=_ml(ml))
        for step, ml in (facts.get("tmax_ml") or {}).items()
    ]
    return late + [
        LesionLine(
            title=f"CBF < {step} %", meaning="of normal tissue's, in hypoperfused tissue", value=_ml(ml), printed=False
        )
        for step, ml in (facts.get("cbf_ml") or {}).items()
    ]


def _criteria(facts: Mapping[str, Any]) -> list[LesionLine]:
    """The bounds by which the study of the preset chose its patients."""
    names = {"core_ml": "core", "mismatch_ml": "mismatch", "mismatch_ratio": "mismatch ratio"}
    lines = []
    for row in found(facts, "target_mismatch", "criteria") or ():
        figure = str(row.get("figure"))
        unit = " ml" if figure.endswith("_ml") else ""
        bound = f"{str(row.get('bound')).replace('>=', '≥')} {shown(row.get('limit'))}{unit}"
        met = {True: "met", False: "not met"}.get(row.get("met"), "not known")
        title = f"Criterion: {names.get(figure, figure)} {bound}"
        meaning = f"by which the study {facts.get('preset')} chose patients; no advice for treatment"
        lines.append(LesionLine(title=title, meaning=meaning, value=met))
    return lines


def _unknown(facts: Mapping[str, Any]) -> str:
    """Why criteria are not known; empty if all of them are."""
    target = found(facts, "target_mismatch")
    if not isinstance(target, Mapping):
        return ""
    rows = [row for row in (target, *(target.get("criteria") or ())) if not isinstance(row.get("met"), bool)]
    reasons = dict.fromkeys(str(row.get("reason") or target.get("reason") or "") for row in rows)
    return " ".join(filter(None, reasons)) or "The summary does not say why." if rows else ""


def _thresholds(facts: Mapping[str, Any], options: LesionOptions | None) -> str:
    preset = f"thresholds {facts.get('preset')}" if facts.get("preset") else ""
    if options is None:
        return preset
    changed = f", changed: {', '.join(options.changed)}" if options.changed else ""
    return f"{preset}{changed}; core: {options.core_rule}; hypoperfused: {options.hypoperfusion_rule}"


def _source(facts: Mapping[str, Any], options: LesionOptions | None) -> Pairs:
    if options is None:
        return [("Thresholds", shown(facts.get("preset")))]
    changed = f", changed in {', '.join(options.changed)}" if options.changed else ""
    return [("Thresholds", f"{options.preset}{changed}: {LESION_PRESETS.entry(options.preset).source}")]


def _normal(facts: Mapping[str, Any]) -> Pairs:
    normal = facts.get("normal") or {}
    if not normal:
        return []
    places = {"mirrored": "what lies mirrored", "whole": "all that appears normal"}
    place = places.get(str(normal.get("reference")), shown(normal.get("reference")))
    scale = "" if normal.get("calibrated") is True else f" ({UNCALIBRATED})"
    flow = f"{number(normal.get('cbf'))}{spaced(str(normal.get('unit') or ''))}{scale}"
    return [("Normal tissue", f"{place}, {_ml(normal.get('volume_ml'))}, mean CBF {flow}")]


def _values(options: Mapping[str, Any]) -> Pairs:
    """Each option with what it does."""
    meant = {name: (unit, text) for name, unit, text, _ in described(LesionOptions)}
    pairs = []
    for name, value in options.items():
        unit, text = meant.get(name, ("", ""))
        pairs.append((name, f"{shown(value)}{spaced(unit)}" + (f": {text}" if text else "")))
    return pairs


def _ml(value: Any) -> str:
    text = volume(value)
    return text if text == MISSING else text + spaced("ml")


def overlap_table(summary: Mapping[str, Any]) -> DataTable | None:
    """Lesions against those of the reference maps; None if there are none."""
    lesions = found(summary, "comparison", "lesions")
    if not isinstance(lesions, Mapping) or not lesions:
        return None
    titles = {"core": "Core", "hypoperfused": "Hypoperfused"}
    keys = ("generated_ml", "reference_ml", "dice")
    return DataTable(
        name="lesion-overlap",
        title="Lesions of both",
        columns=(
            Column(name="lesion", title="Lesion"),
            Column(name="generated", title="These maps", unit="ml"),
            Column(name="reference", title="Reference maps", unit="ml"),
            Column(name="dice", title="Dice"),
        ),
        rows=tuple((titles.get(name, name), *(found(row, key) for key in keys)) for name, row in lesions.items()),
    )
