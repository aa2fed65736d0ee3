"""What a summary says, as sections of a page. What it leaves out is left out, or said to be missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PyPeTLib.compare.metrics import METRICS
from PyPeTLib.maps import QUANTITIES
from PyPeTLib.report.html.numbers import MISSING, is_number, number, shown, spaced, volume
from PyPeTLib.report.html.shown_tables import rounded_bias
from PyPeTLib.tables import Cell, Column, DataTable

MODALITIES = {"ctp": "CT perfusion", "dsc": "DSC-MRI"}

UNCALIBRATED = "uncalibrated"

Pairs = list[tuple[str, str]]
"""Names and values of facts."""


@dataclass(frozen=True, kw_only=True)
class MapLine:
    """A map's values over the brain."""

    name: str
    symbol: str
    title: str
    unit: str
    calibrated: bool
    median: str
    low: str
    high: str
    voxels: str


def found(content: Any, *keys: str) -> Any:
    """A value within nested tables; None where it is missing."""
    for key in keys:
        content = content.get(key) if isinstance(content, Mapping) else None
    return content


def symbol(name: str) -> str:
    """How a map is called: ``CBF``."""
    return QUANTITIES[name].symbol if name in QUANTITIES else name


def headline(summary: Mapping[str, Any]) -> str:
    """The series in one line."""
    source = summary.get("input") or {}
    parts = [MODALITIES.get(str(source.get("modality")), str(source.get("modality") or ""))]
    if source.get("frames"):
        parts.append(f"{source['frames']} frames{_apart(source.get('frame_interval_s'))}")
    if source.get("shape"):
        size = " × ".join(shown(edge) for edge in source.get("voxel_size_mm") or ())
        parts.append("×".join(map(str, source["shape"])) + " voxels" + (f" of {size} mm" if size else ""))
    if summary.get("method"):
        parts.append(f"method {summary['method']}")
    return " · ".join(part for part in parts if part)


def _apart(interval: Any) -> str:
    if not isinstance(interval, Sequence) or len(interval) != 2 or not all(map(is_number, interval)):
        return ""
    low, high = interval
    return f", {low:g} s apart" if high - low < 0.02 * high else f", {low:g} to {high:g} s apart"


def map_lines(summary: Mapping[str, Any]) -> list[MapLine]:
    """The maps, those in common use first."""
    maps = summary.get("maps") or {}
    ordered = [name for name in QUANTITIES if name in maps] + [name for name in maps if name not in QUANTITIES]
    return [_map_line(name, maps[name]) for name in ordered]


def _map_line(name: str, content: Mapping[str, Any]) -> MapLine:
    return MapLine(
        name=name,
        symbol=symbol(name),
        title=QUANTITIES[name].title if name in QUANTITIES else "",
        unit=str(content.get("unit") or ""),
        # a map of which nobody says so is not calibrated
        calibrated=content.get("calibrated") is True,
        median=number(content.get("median")),
        low=number(content.get("p05")),
        high=number(content.get("p95")),
        voxels=number(content.get("valid_voxels")),
    )


def scale_warning(lines: Iterable[MapLine]) -> str:
    """What must not be done with maps of no absolute scale; empty if all have one."""
    names = [line.symbol for line in lines if not line.calibrated]
    if not names:
        return ""
    listed = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
    are, their, them = ("are", "Their", "them") if len(names) > 1 else ("is", "Its", "it")
    return (
        f"{listed} {are} {UNCALIBRATED}. {their} scale is arbitrary: do not hold {them} against absolute thresholds, "
        "nor against other scans."
    )


def artery_facts(summary: Mapping[str, Any]) -> Pairs:
    """The artery and the vein, and the bolus in the brain."""
    aif, vof, bolus = (summary.get(key) or {} for key in ("aif", "vof", "bolus"))
    pairs: Pairs = []
    if bolus:
        arrival = f"{number(bolus.get('arrival_s'))} s" if bolus.get("found") else "none found"
        pairs.append(("Bolus arrives in the brain", arrival))
        frames = bolus.get("baseline_frames")
        if isinstance(frames, Sequence) and len(frames) == 2:
            pairs.append(("Baseline", f"frames {frames[0]} to {frames[1]}, rule {bolus.get('rule')}"))
    pairs += _vessel("Artery", aif)
    if aif.get("source") not in (None, "none"):
        pairs += [
            (title, shown(aif[key]))
            for key, title in (
                ("rule", "Artery's rule"),
                ("curve", "Curve deconvolved with"),
                ("sides", "Arteries for"),
                ("borrowed", "Artery borrowed for side"),
            )
            if aif.get(key) is not None
        ]
        if aif.get("vein_to_artery_area") is not None:
            pairs.append(("Area of vein over artery", number(aif["vein_to_artery_area"])))
            factor = aif.get("partial_volume_factor")
            pairs.append(("Artery scaled by", "not scaled" if factor == 1 else number(factor)))
    return pairs + _vessel("Vein", vof)


def _vessel(name: str, vessel: Mapping[str, Any]) -> Pairs:
    if not vessel:
        return []
    if vessel.get("source") in (None, "none"):
        return [(name, "none")]
    pairs = [(name, f"{vessel['source']}, {number(vessel.get('voxels'))} voxels")]
    peak = f"{number(vessel.get('peak'))}{spaced(str(vessel.get('unit', '')))}"
    pairs.append((f"{name}'s peak", f"{peak} at {number(vessel.get('time_of_peak_s'))} s"))
    quality = vessel.get("quality") or {}
    for key, title, unit in (
        ("width_s", "width at half peak", "s"),
        ("contrast_to_noise", "contrast to noise", ""),
        ("fit_r_squared", "r² of the gamma variate", ""),
    ):
        if key in quality:
            pairs.append((f"{name}'s {title}", number(quality[key]) + spaced(unit)))
    return pairs


def motion_facts(summary: Mapping[str, Any]) -> Pairs:
    """How the head moved and what was done about it."""
    motion = summary.get("motion") or {}
    if not motion:
        return []
    left_out = motion.get("frames_left_out") or {}
    return [
        ("Motion corrected", shown(motion.get("corrected"))),
        ("Largest displacement", f"{number(motion.get('largest_displacement_mm'))} mm"),
        ("Mean from frame to frame", f"{number(motion.get('mean_framewise_displacement_mm'))} mm"),
        ("Reference frame", shown(motion.get("reference_frame"))),
        ("Frames left out", "; ".join(f"{frame}: {why}" for frame, why in left_out.items()) or "none"),
    ]


def brain_facts(summary: Mapping[str, Any]) -> Pairs:
    """The brain mask."""
    brain = summary.get("brain") or {}
    if not brain:
        return []
    pairs = [("Mask made by", shown(brain.get("method"))), ("Volume", f"{volume(brain.get('volume_ml'))} ml")]
    return pairs + [("Note", str(note)) for note in brain.get("notes") or ()]


def origin_facts(summary: Mapping[str, Any]) -> Pairs:
    """The input and where its facts came from."""
    source = summary.get("input") or {}
    pairs: Pairs = [
        (title, str(summary["scan"][key]))
        for key, title in (("subject", "Subject"), ("session", "Session"), ("run", "Run"))
        if found(summary, "scan", key)
    ]
    if source.get("file"):
        pairs.append(("File", str(source["file"])))
    if is_number(source.get("echo_time_s")):
        pairs.append(("Echo time", f"{1000 * source['echo_time_s']:g} ms"))
    origins = source.get("sources") or {}
    pairs += [(f"{str(key).replace('_', ' ').capitalize()} from", str(told)) for key, told in origins.items()]
    if source.get("sha256"):
        pairs.append(("SHA-256 of the input", str(source["sha256"])))
    pairs.append(("Software", " ".join(str(summary.get(key) or MISSING) for key in ("software", "version"))))
    return pairs


def comparison_table(summary: Mapping[str, Any]) -> DataTable | None:
    """Figures of agreement, one column for each reference; None without references."""
    references = found(summary, "comparison", "references") or []
    if not references:
        return None
    names = list(dict.fromkeys(name for reference in references for name in reference.get("metrics") or {}))
    rows: list[tuple[Cell, ...]] = [
        ("Normalisation", *(shown(reference.get("normalisation")) for reference in references)),
        ("Voxels compared", *(reference.get("voxels") for reference in references)),
        ("Volume [ml]", *(volume(reference.get("volume_ml")) for reference in references)),
    ]
    rows += [(metric_title(name), *(_figure(reference, name) for reference in references)) for name in names]
    columns = [Column(name="figure", title="")]
    for place, reference in enumerate(references):
        unit = str(reference.get("unit") or "")
        title = symbol(str(reference.get("quantity")))
        columns.append(Column(name=f"reference_{place}", title=title, unit="" if unit == "1" else unit))
    return DataTable(
        name="comparison",
        title="Agreement with reference maps",
        columns=tuple(columns),
        rows=tuple(rows),
        note="Errors and limits are in the unit of the map, MSE in its square; correlations and SSIM have no unit.",
    )


def _figure(reference: Mapping[str, Any], name: str) -> Cell:
    return rounded_bias(name, str(reference.get("normalisation")), found(reference, "metrics", name))


def metric_title(name: str) -> str:
    """A figure of agreement as tables name it."""
    return METRICS[name].title if name in METRICS else name


_COVERAGE = "hold a value in both maps and were compared."


def comparison_notes(summary: Mapping[str, Any]) -> list[str]:
    """What a reader of the comparison must know: references that could not be used, doubts, then other notes.

    A sentence that holds for several normalisations of a map is told once.
    """
    comparison = summary.get("comparison") or {}
    told = [
        f"{symbol(str(failed.get('quantity')))} could not be compared: {failed.get('reason')}"
        for failed in comparison.get("failed") or ()
    ]
    for key in ("doubts", "notes"):
        told += [
            f"{symbol(str(reference.get('quantity')))}: {note}"
            for reference in comparison.get("references") or ()
            for note in reference.get(key) or ()
        ]
    # how much was compared is the least of what there is to tell
    return sorted(dict.fromkeys(told), key=lambda note: note.endswith(_COVERAGE))


def rows_table(name: str, title: str, rows: Any, note: str = "") -> DataTable | None:
    """A list of mappings as a table; None if there is none."""
    if not isinstance(rows, Sequence) or isinstance(rows, str) or not all(isinstance(row, Mapping) for row in rows):
        return None
    names = list(dict.fromkeys(str(key) for row in rows for key in row))
    if not names:
        return None
    return DataTable(
        name=name,
        title=title,
        columns=tuple(_column(name) for name in names),
        rows=tuple(tuple(_cell(row.get(name)) for name in names) for row in rows),
        note=note,
    )


_UNITS = {"_ml": "ml", "_mm": "mm", "_s": "s"}


def _column(name: str) -> Column:
    """A heading of a name such as ``volume_ml``."""
    for ending, unit in _UNITS.items():
        if name.endswith(ending):
            return Column(name=name, title=name.removesuffix(ending).replace("_", " ").capitalize(), unit=unit)
    return Column(name=name, title=name.replace("_", " ").capitalize())


def _cell(value: Any) -> Cell:
    return value if value is None or isinstance(value, str | int | float | bool) else shown(value)


def option_facts(options: Mapping[str, Any] | None) -> list[tuple[str, Pairs]]:
    """Tables of options by name, without the input's, which names folders."""
    return [
        (str(name), [(str(key), shown(value)) for key, value in table.items()])
        for name, table in (options or {}).items()
        if name != "input" and isinstance(table, Mapping)
    ]
