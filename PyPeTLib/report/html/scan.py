"""The report of one scan: a page that holds everything it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PyPeTLib.io.writing import write_whole
from PyPeTLib.maps import QUANTITIES
from PyPeTLib.report.html import facts
from PyPeTLib.report.html.flags import flag_box
from PyPeTLib.report.html.lesion_facts import LesionSection, lesion_section, overlap_table
from PyPeTLib.report.html.numbers import as_json
from PyPeTLib.report.html.pages import page
from PyPeTLib.report.html.pictures import Picture, embedded, picture_names
from PyPeTLib.report.summary import RESEARCH_ONLY
from PyPeTLib.tables import DataTable

CONVENTION = "Radiological convention: the patient's right is on the viewer's left (letters R and L), the front is up."

MOST_ROWS = 22
"""Of lesions and maps, that one sheet of paper holds beside the overview."""

_LETTERS_BESIDE = 36
"""In a line of the narrow column beside the overview on paper, on the careful side."""

_CAPTIONS = {
    "aif": "Arterial input function: where it was taken, its rivals, and the curves of artery, vein and brain",
    "bolus": "Bolus: the brain's mean curve, its baseline and the arrival of contrast",
    "motion": "Motion of the head over time",
    "mask": "Outline of the brain mask",
    "lesions": "Where the lesions lie: outlines of hypoperfused tissue (white) and core (magenta) on the maps",
}
"""Figures of a run other than maps, which `report.figures` writes."""

_CURVES, _MOTION, _BRAIN, _LESIONS = ("aif", "bolus"), ("motion",), ("mask",), ("lesions",)

Captioned = list[tuple[Picture, str]]


def write_scan_report(
    path: Path,
    *,
    summary: Mapping[str, Any],
    figures: Path | None,
    comparison: Path | None = None,
    tables: Sequence[DataTable] = (),
    options: Mapping[str, Any] | None = None,
    title: str = "",
) -> None:
    """Write the report of one scan as a page that needs nothing beside it; the same input gives the same bytes.

    On paper it is one sheet: flags, overview, lesions, values, curves. A switch on the page prints all of it. What the
    summary does not hold is left out; flags that are missing are told to be missing, and a map that is not said to be
    calibrated is marked as uncalibrated.

    Parameters
    ----------
    path : Path
        The file to write, ``report.html`` in the folder of the run, beside ``summary.json`` and ``config.toml``, to
        which it links.
    summary : mapping
        As `PyPeTLib.report.summary.summarise` makes it, with ``scan``, ``lesions``, ``comparison`` and
        ``territories`` where there are any.
    figures : Path or None
        Folder of the PNG files that `PyPeTLib.report.write_figures` wrote.
    comparison : Path or None
        Folder of PNG files of the comparison with reference maps.
    tables : sequence of DataTable
        Shown as they are.
    options : mapping, optional
        Tables of the options, as ``PipelineConfig.to_mapping`` has them; one called ``input`` is not shown, as it
        names folders.
    title : str
        The scan's label. By default its name in the summary, or its file.

    Raises
    ------
    InputError
        If a figure cannot be read or the report cannot be written.
    """
    named = title or str(facts.found(summary, "scan", "name") or facts.found(summary, "input", "file") or "Scan")
    maps = facts.map_lines(summary)
    found_lesions, warning = lesion_section(summary), facts.scale_warning(maps)
    most_printed, rows = _rows_beside(found_lesions, maps)
    content: dict[str, Any] = {
        "kind": "scan",
        "title": named,
        "notice": str(summary.get("notice") or RESEARCH_ONLY),
        "headline": facts.headline(summary),
        "box": flag_box(summary, rows, len(warning)),
        "scale_warning": warning,
        "maps": maps,
        "most_printed": most_printed,
        "lesions": found_lesions,
        "artery_facts": facts.artery_facts(summary),
        "motion_facts": facts.motion_facts(summary),
        "brain_facts": facts.brain_facts(summary),
        "compared": facts.comparison_table(summary),
        "compared_notes": facts.comparison_notes(summary),
        "overlap": overlap_table(summary),
        "compared_pictures": _all_of(comparison, "Comparison with a reference: "),
        "tables": _tables(summary, tables),
        "origin_facts": facts.origin_facts(summary),
        "options": facts.option_facts(options),
        "json": as_json(summary),
        "convention": CONVENTION,
        **_figures(figures, maps),
    }
    content["contents"] = _contents(content)
    write_whole(Path(path), page("scan.html", content))


def _rows_beside(lesions: LesionSection | None, maps: Sequence[facts.MapLine]) -> tuple[int, int]:
    """How many maps have their values on paper, and the rows of the tables there; a mark takes a second line."""
    rows = 0 if lesions is None else sum(line.printed for line in lesions.lines)
    if lesions is not None and lesions.unknown:
        rows += 1 + len(lesions.unknown) // _LETTERS_BESIDE
    for place, line in enumerate(maps):
        needed = 1 if line.calibrated else 2
        if rows + needed > MOST_ROWS:
            return place, rows
        rows += needed
    return len(maps), rows


def _figures(folder: Path | None, maps: Sequence[facts.MapLine]) -> dict[str, Any]:
    """The figures by the section that shows them; one that no section asks for is shown all the same."""
    names = picture_names(folder, ("summary", *(line.name for line in maps)))
    calibrated = {line.name: line.calibrated for line in maps}

    def some(wanted: Sequence[str]) -> Captioned:
        return [(_embedded(folder, name), _CAPTIONS[name]) for name in wanted if name in names]

    of_maps = [
        (_embedded(folder, name), _map_title(name), calibrated.get(name, False))
        for name in names
        if name in calibrated or name in QUANTITIES
    ]
    shown = {"summary", *_CAPTIONS, *calibrated, *QUANTITIES}
    return {
        "pictures_made": bool(names),
        "overview": _embedded(folder, "summary") if "summary" in names else None,
        "map_figures": of_maps,
        "artery": some(_CURVES),
        "motion": some(_MOTION),
        "brain": some(_BRAIN),
        "lesion_figures": some(_LESIONS),
        "other_pictures": [(_embedded(folder, name), _spoken(name)) for name in names if name not in shown],
    }


def _embedded(folder: Path | None, name: str) -> Picture:
    if name == "summary":
        alt = f"Slices of all maps at three heights with their colour bars. {CONVENTION}"
    elif name in _LESIONS:
        alt = f"{_CAPTIONS[name]}. {CONVENTION}"
    elif name in _CAPTIONS:
        alt = f"{_CAPTIONS[name]}."
    elif name in QUANTITIES:
        alt = f"Slices of the map {_map_title(name)} with its colour bar. {CONVENTION}"
    else:
        alt = f"Figure {_spoken(name)}."
    return embedded(Path(folder or "") / f"{name}.png", alt)


def _all_of(folder: Path | None, before: str) -> Captioned:
    return [
        (embedded(Path(folder or "") / f"{name}.png", f"{before}{_spoken(name)}."), f"{before}{_spoken(name)}")
        for name in picture_names(folder)
    ]


def _map_title(name: str) -> str:
    if name not in QUANTITIES:
        return _spoken(name)
    return f"{QUANTITIES[name].symbol}: {QUANTITIES[name].title.lower()}"


def _spoken(name: str) -> str:
    return facts.symbol(name) if name in QUANTITIES else name.replace("_", " ").replace("-", " ")


def _tables(summary: Mapping[str, Any], tables: Sequence[DataTable]) -> list[DataTable]:
    """The tables that were given, and the territories of the summary unless they are among these."""
    given = list(tables)
    if any(table.name == "territories" for table in given):
        return given
    territories = facts.rows_table("territories", "Territories", summary.get("territories"))
    return given if territories is None else [territories, *given]


def _contents(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Sections that are there, by their anchors."""
    sections = (
        ("overview", "Overview", ("overview",)),
        ("lesions", "Lesions", ("lesions",)),
        ("values", "Values", ("maps",)),
        ("where", "Where the lesions lie", ("lesion_figures",)),
        ("artery", "Artery and curves", ("artery", "artery_facts")),
        ("maps", "Maps", ("map_figures",)),
        ("motion", "Motion", ("motion_facts", "motion")),
        ("brain", "Brain mask", ("brain_facts", "brain")),
        ("comparison", "Comparison", ("compared", "compared_notes", "compared_pictures", "overlap")),
    )
    there = [(anchor, name) for anchor, name, keys in sections if any(content[key] for key in keys)]
    there += [(f"table-{place}", table.title) for place, table in enumerate(content["tables"], start=1)]
    if content["other_pictures"]:
        there.append(("pictures", "Other figures"))
    return [*there, ("origin", "Origin")]
