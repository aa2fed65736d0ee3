"""``pypet compare``: maps against reference maps, in files, folders, and outputs of whole datasets."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PyPeTLib.errors import InputError

EXAMPLES = """\
examples:
  pypet compare cbf.nii.gz rapid_cbf.nii.gz --reference-unit ml/100ml/min
  pypet compare maps/ sub-01/ses-01/perfusion-maps/ --out compared/     (all maps, by their names, with pictures)
  pypet compare results/ dataset/ --out compared/                        (an output of 'pypet batch', and a dataset)
  pypet compare results-a/ results-b/ --out tests/                       (two outputs of 'pypet batch': paired tests)

Relative values, (x - mean)/mean, are compared by default; absolute ones too where the units of both maps are told,
by --unit and --reference-unit or by "Units" in a JSON sidecar. A unit is never guessed. If one reference of a folder
shows another head, or this one mirrored or at another place, none of that folder is compared.
Exit code: 0, 2 for bad use or input, 1 for a fault of PyPeT.
"""


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "compare",
        help="compare maps with reference maps",
        description="Compare perfusion maps with reference maps of any grid: figures of agreement, pictures, tables.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "generated", type=Path, metavar="GENERATED", help="a map, a result of 'pypet run', or of 'pypet batch'"
    )
    parser.add_argument(
        "reference", type=Path, metavar="REFERENCE", help="a map, a folder of maps, a dataset, or another batch result"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder to make, with tables and pictures")
    parser.add_argument("--quantity", metavar="NAME", help="what two files show, such as cbf (default: by their names)")
    parser.add_argument("--mask", type=Path, metavar="FILE", help="brain mask on the grid of the generated maps")
    parser.add_argument(
        "--unit", action="append", default=[], metavar="[NAME=]U", help="of the generated map, such as cbf=ml/100g/min"
    )
    parser.add_argument("--reference-unit", action="append", default=[], metavar="[NAME=]U", help="of the reference")
    parser.add_argument("--normalisation", metavar="NAME", help="only this one: absolute, relative or ratio")
    parser.add_argument("--interpolation", metavar="NAME", help="of the reference: linear (default) or nearest")
    parser.add_argument(
        "--background", metavar="NAME", help="which voxels hold no value: border (default), outside, zero or none"
    )
    parser.add_argument(
        "--allow-mismatch", action="store_true", help="compare maps that look as if they were of two heads or units"
    )
    parser.add_argument("--no-figures", action="store_true", help="draw no pictures")
    parser.add_argument("--overwrite", action="store_true", help="replace DIR if PyPeT made it")
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> None:
    """Find out what was given, and compare it."""
    from PyPeTLib.compare.files import batch_results, check_order  # noqa: PLC0415 - keeps `pypet --help` quick

    for path in (options.generated, options.reference):
        if not path.exists():
            raise InputError(f"{path}: there is no such file or folder. Check the path.")
    if options.generated.is_file() != options.reference.is_file():
        raise InputError(
            f"{options.generated} and {options.reference}: one is a file and the other a folder. Give two maps, or two "
            "folders."
        )
    if options.out is not None:
        from PyPeTLib.io import check_output_folder  # noqa: PLC0415 - keeps `pypet --help` quick

        check_output_folder(options.out, overwrite=options.overwrite, inputs=_inputs(options))
    if options.generated.is_file():
        _compare_maps(options, _pair_of_files(options))
        return
    batch, other = batch_results(options.generated), batch_results(options.reference)
    if batch and other:
        _compare_batches(options, batch, other)
    elif batch:
        _compare_with_dataset(options)
    else:
        check_order(options.generated, options.reference, reference_is_batch=bool(other))
        _compare_maps(options, _pairs_of_folders(options.generated, options.reference))


# ---- one scan


def _pair_of_files(options: argparse.Namespace) -> dict[str, tuple[Path, Path]]:
    """Two files by the quantity that they show."""
    from PyPeTLib.compare import read_name  # noqa: PLC0415 - keeps `pypet --help` quick
    from PyPeTLib.maps import QUANTITIES  # noqa: PLC0415

    quantity = options.quantity
    if quantity is None:
        readings = [read_name(path.name) for path in (options.generated, options.reference)]
        found = sorted({reading.quantity for reading in readings if reading.quantity})
        if len(found) != 1:
            why = " ".join(reading.reason for reading in readings if reading.reason)
            why = why or f"The names say {' and '.join(found)}."
            raise InputError(f"{why} Tell what both maps show with --quantity, such as --quantity cbf.")
        quantity = found[0]
    elif quantity not in QUANTITIES:
        raise InputError(f"--quantity {quantity}: known are {', '.join(QUANTITIES)}.")
    return {quantity: (options.generated, options.reference)}


def _pairs_of_folders(generated: Path, reference: Path) -> dict[str, tuple[Path, Path]]:
    """The maps that both folders hold, by quantity; prints what is left out."""
    from PyPeTLib.compare.files import map_files  # noqa: PLC0415 - keeps `pypet --help` quick
    from PyPeTLib.maps import QUANTITIES  # noqa: PLC0415

    ours, theirs = map_files(generated), map_files(reference)
    for side in (ours, theirs):
        for note in side.notes:
            print(f"{side.folder.name}: {note}")
    for name in QUANTITIES:
        if name in theirs.maps and name not in ours.maps:
            print(f"{theirs.maps[name].name} has no generated map.")
    common = {name: (ours.maps[name], theirs.maps[name]) for name in ours.maps if name in theirs.maps}
    if not common:
        raise InputError(
            f"{ours.folder} holds {', '.join(ours.maps)} and {theirs.folder} {', '.join(theirs.maps)}: no quantity is "
            "in both. Give two files with --quantity."
        )
    return common


def _compare_maps(options: argparse.Namespace, pairs: Mapping[str, tuple[Path, Path]]) -> None:
    """Compare pairs of files, print the figures, and write what was asked for."""
    from PyPeTLib.compare.text import figure_lines, note_lines, warning_lines  # noqa: PLC0415 - keeps `pypet --help` quick

    found = _compared(options, pairs, pictures=_pictures(options))
    if not found.agreements:
        several = len(pairs) > 1
        reasons = [f"{failure.quantity}: {failure.reason}" if several else failure.reason for failure in found.failures]
        raise InputError("\n".join(dict.fromkeys(reasons)))
    _print(warning_lines(found.agreements), figure_lines(found.agreements), note_lines(found.agreements))
    for failure in found.failures:
        print(f"{failure.quantity}: not compared. {failure.reason}")
    if options.out is None:
        return
    with _folder(options) as folder:
        found.write(folder)
        _write_facts(folder, options, found.facts())
    print(f"written to {options.out}")


def _compared(options: argparse.Namespace, pairs: Mapping[str, tuple[Path, Path]], *, pictures: bool) -> Any:
    """Pairs of files, compared; what cannot be compared does not stop the others, but another head does."""
    from PyPeTLib.compare.files import read_brain, read_map_file  # noqa: PLC0415 - keeps `pypet --help` quick
    from PyPeTLib.compare.outcome import Agreement, Failure, ReferenceComparison  # noqa: PLC0415
    from PyPeTLib.compare.scan import compare_images, of_one_head  # noqa: PLC0415

    settings = _settings(options)
    given = ((options.unit, "--unit"), (options.reference_unit, "--reference-unit"))
    units = [_units(texts, tuple(pairs), flag) for texts, flag in given]
    agreements: list[Agreement] = []
    failures: list[Failure] = []
    for quantity, paths in pairs.items():
        try:
            sides = [
                read_map_file(path, unit=unit.get(quantity, ""), name=name)
                for path, unit, name in zip(paths, units, _names(*paths), strict=True)
            ]
            images, notes = (sides[0][0], sides[1][0]), (*sides[0][1], *sides[1][1])
            brain = None if options.mask is None else read_brain(options.mask, images[0])
            made, failed = compare_images(
                quantity, images, brain=brain, options=settings, notes=notes, pictures=pictures
            )
        except InputError as error:
            made, failed = [], [Failure(quantity=quantity, reason=str(error))]
        agreements += made
        failures += failed
    agreements, failures = of_one_head(agreements, failures)
    told = [
        replace(failure, reason=failure.reason.replace("(allow_mismatch)", "(--allow-mismatch)"))
        for failure in failures
    ]
    return ReferenceComparison(agreements=tuple(agreements), failures=tuple(told))


def _names(generated: Path, reference: Path) -> tuple[str, str]:
    """What messages call two files; their names alone where these differ."""
    if generated.name != reference.name:
        return generated.name, reference.name
    return f"the generated {generated.name}", f"the reference {reference.name}"


def _units(given: Sequence[str], quantities: Sequence[str], flag: str) -> dict[str, str]:
    """Units by quantity; one without a quantity is that of the only map."""
    from PyPeTLib.maps import QUANTITIES  # noqa: PLC0415 - keeps `pypet --help` quick

    found = {}
    for text in given:
        name, equals, unit = text.partition("=")
        if not equals:
            if len(quantities) > 1:
                raise InputError(
                    f"{flag} {text}: there are several maps. Say which one, such as {flag} {quantities[0]}={text}."
                )
            name, unit = quantities[0], text
        if name not in QUANTITIES:
            raise InputError(f"{flag} {text}: {name} is no map that is known. Known are {', '.join(QUANTITIES)}.")
        found[name] = unit
    return found


def _settings(options: argparse.Namespace) -> Any:
    from PyPeTLib.compare import CompareOptions  # noqa: PLC0415 - keeps `pypet --help` quick

    chosen = {
        name: getattr(options, name)
        for name in ("normalisation", "interpolation", "background")
        if getattr(options, name) is not None
    }
    return CompareOptions.from_mapping(
        {"normalisation": "relative", **chosen, "allow_mismatch": options.allow_mismatch}
    )


# ---- datasets


def _compare_batches(
    options: argparse.Namespace,
    first: list[tuple[Path, dict[str, Any]]],
    second: list[tuple[Path, dict[str, Any]]],
) -> None:
    """Paired tests of two outputs over the same scans."""
    from PyPeTLib.compare import paired_tables  # noqa: PLC0415 - keeps `pypet --help` quick

    sides = [[summary for _, summary in side] for side in (first, second)]
    for path, side in zip((options.generated, options.reference), sides, strict=True):
        if not any(summary.get("comparison") for summary in side):
            raise InputError(
                f"{path}: no scan of this output was compared with reference maps. Run 'pypet batch' on a dataset with "
                f"reference maps, or compare it with one: pypet compare {path} DATASET."
            )
    names = (options.generated.resolve().name, options.reference.resolve().name)
    if names[0] == names[1]:
        names = (f"{names[0]} (first)", f"{names[1]} (second)")
    tables = paired_tables(*sides, names=names)
    _print_columns(tables, "paired_tests", ("subjects", "mean_a", "mean_b", "difference", "p_wilcoxon_holm"))
    _write_tables(options, tables, f"{names[0]} against {names[1]}")


def _compare_with_dataset(options: argparse.Namespace) -> None:
    """The references of a dataset against an output of ``pypet batch``."""
    from PyPeTLib.compare import cohort_tables  # noqa: PLC0415 - keeps `pypet --help` quick
    from PyPeTLib.compare.files import read_summary  # noqa: PLC0415
    from PyPeTLib.compare.text import warning_lines  # noqa: PLC0415
    from PyPeTLib.io.dataset import find_scans  # noqa: PLC0415

    if options.out is None or options.mask is not None or options.quantity is not None:
        raise InputError("To compare with a dataset, give --out DIR for the tables, and neither --mask nor --quantity.")
    scans = [scan for scan in find_scans(options.reference).scans if scan.references]
    if not scans:
        raise InputError(
            f"{options.reference}: this dataset holds no reference maps. They belong into a folder perfusion-maps "
            "beside each scan, and are named for what they show, such as sub-01_cbf.nii.gz."
        )
    summaries = []
    with _folder(options) as folder:
        for scan in scans:
            result = options.generated / scan.folder
            if not (result / "summary.json").is_file():
                print(f"{scan.name}: {options.generated} holds no result of it.")
                continue
            found = _scan_compared(options, result, scan.references)
            _print(warning_lines(found.agreements, scan=scan.name))
            for failure in found.failures:
                print(f"{scan.name}, {failure.quantity}: not compared. {failure.reason}")
            found.write(folder / scan.folder)
            who = {"name": scan.name, "subject": scan.subject, "session": scan.session, "run": scan.run}
            about = (read_summary(result) or {}).get("input") or {}
            summaries.append({"scan": who, "input": about, "comparison": found.facts()})
        tables = cohort_tables(summaries)
        if not tables:
            raise InputError(
                f"{options.generated} holds no result of a scan with reference maps in {options.reference}. Check that "
                "they belong together."
            )
        _write_into(folder, options, tables, "Maps against the references of a dataset")
    _print_columns(tables, "comparison_summary", ("subjects", "mean", "median", "sd"))
    if not any(table.name == "comparison_summary" for table in tables):
        print("WARNING: no map of any scan was compared. The reasons stand above and in comparison_failures.csv.")
    print("Lesions are not compared here: tables of them come from 'pypet batch DATASET OUT participant group'.")
    print(f"written to {options.out}")


def _scan_compared(options: argparse.Namespace, result: Path, references: Mapping[str, Path]) -> Any:
    from PyPeTLib.compare.files import map_files  # noqa: PLC0415 - keeps `pypet --help` quick
    from PyPeTLib.compare.outcome import Failure, ReferenceComparison  # noqa: PLC0415

    try:
        ours = map_files(result).maps
    except InputError as error:
        return ReferenceComparison(failures=(Failure(quantity="maps", reason=str(error)),))
    pairs = {name: (ours[name], path) for name, path in references.items() if name in ours}
    found = _compared(options, pairs, pictures=_pictures(options))
    missing = [
        Failure(quantity=name, reason="The result holds no such map.") for name in references if name not in ours
    ]
    return ReferenceComparison(agreements=found.agreements, failures=(*found.failures, *missing))


# ---- what is written and printed


def _inputs(options: argparse.Namespace) -> list[Path]:
    """What is read, which results must not replace."""
    return [path for path in (options.generated, options.reference, options.mask) if path is not None]


def _folder(options: argparse.Namespace) -> Any:
    from PyPeTLib.io import OutputFolder  # noqa: PLC0415 - keeps `pypet --help` quick

    return OutputFolder(options.out, overwrite=options.overwrite, inputs=_inputs(options))


def _pictures(options: argparse.Namespace) -> bool:
    import importlib.util  # noqa: PLC0415 - keeps `pypet --help` quick

    if options.out is None or options.no_figures:
        return False
    if importlib.util.find_spec("matplotlib") is None:
        print("pypet: matplotlib is not installed, so there are no pictures")
        return False
    return True


def _write_facts(folder: Path, options: argparse.Namespace, facts: Mapping[str, Any]) -> None:
    """``comparison.json`` for programs, and the summary by which PyPeT knows the folder as its own."""
    from PyPeTLib.io import write_json  # noqa: PLC0415 - keeps `pypet --help` quick
    from PyPeTLib.report.summary import RESEARCH_ONLY  # noqa: PLC0415
    from PyPeTLib.version import __version__  # noqa: PLC0415

    about = {
        "software": "PyPeT",
        "version": __version__,
        "notice": RESEARCH_ONLY,
        "generated": options.generated.resolve().name,
        "reference": options.reference.resolve().name,
    }
    write_json(folder / "comparison.json", {**about, **facts})
    write_json(folder / "summary.json", {**about, "content": "comparison.json"})


def _write_tables(options: argparse.Namespace, tables: Sequence[Any], title: str) -> None:
    if options.out is None:
        print("Give --out DIR for all tables as CSV and XLSX.")
        return
    with _folder(options) as folder:
        _write_into(folder, options, tables, title)
    print(f"written to {options.out}")


def _write_into(folder: Path, options: argparse.Namespace, tables: Sequence[Any], title: str) -> None:
    from PyPeTLib.io.table_files import write_csv, write_workbook  # noqa: PLC0415 - keeps `pypet --help` quick

    for table in tables:
        write_csv(folder / f"{table.name}.csv", table)
    write_workbook(folder / "comparison.xlsx", tables, title=title)
    _write_facts(folder, options, {"tables": [f"{table.name}.csv" for table in tables]})


def _print(*texts: Sequence[str]) -> None:
    for lines in texts:
        for line in lines:
            print(line)


def _print_columns(tables: Sequence[Any], name: str, columns: Sequence[str]) -> None:
    """A few columns of the table of a name."""
    from PyPeTLib.compare.text import column_lines  # noqa: PLC0415 - keeps `pypet --help` quick

    first = ("modality", "map", "normalisation", "title")
    for table in tables:
        if table.name == name:
            _print(column_lines(table, (*first, *columns), left=len(first)))
