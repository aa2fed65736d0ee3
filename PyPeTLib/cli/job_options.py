"""Options of a job, shared by ``pypet run`` and ``pypet batch``, and what of a job they say."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

FACTS = (
    *("modality", "dicom_series", "frame_interval", "frame_times", "echo_time", "slice_times", "second_echo"),
    *("second_echo_time", "mask", "aif", "vof", "white_matter_mask"),
)
"""Options that go into the ``[input]`` table under their own name."""


def add_acquisition(parser: argparse.ArgumentParser, *, is_single: bool) -> None:
    """Facts of the acquisition; those that are files are for a single series."""
    acquisition = parser.add_argument_group("acquisition")
    acquisition.add_argument("--modality", choices=("auto", "ctp", "dsc"), help="kind of series (default: auto)")
    times = acquisition.add_mutually_exclusive_group()
    times.add_argument("--frame-interval", type=float, metavar="S", help="seconds from one frame to the next")
    times.add_argument("--frame-times", type=Path, metavar="FILE", help="text file with the time of each frame in s")
    acquisition.add_argument("--echo-time", type=float, metavar="S", help="echo time in seconds (DSC), such as 0.03")
    if not is_single:
        return
    acquisition.add_argument(
        "--second-echo", type=Path, metavar="FILE", help="DSC: 4D file of the same scan at a longer echo time"
    )
    acquisition.add_argument("--second-echo-time", type=float, metavar="S", help="its echo time in seconds")
    acquisition.add_argument(
        "--slice-times",
        type=Path,
        metavar="FILE",
        help="text file with the time of each slice within a frame in s, in the order of the file",
    )
    acquisition.add_argument(
        "--series",
        dest="dicom_series",
        metavar="NUMBER",
        help="which series of a DICOM folder, where it holds several; 'pypet list' shows them",
    )


def add_given(parser: argparse.ArgumentParser) -> None:
    """What the user knows better of a single series."""
    given = parser.add_argument_group("what you know better")
    given.add_argument("--mask", type=Path, metavar="FILE", help="brain mask on the grid of the series")
    given.add_argument(
        "--aif",
        type=Path,
        metavar="FILE",
        help="arterial input function: a mask on the grid of the series, or a CSV file with the columns time_s,value "
        "(HU above baseline or 1/s), or the word population for a standard bolus",
    )
    given.add_argument(
        "--vof", type=Path, metavar="FILE", help="mask of a large vein, with whose area that of the AIF is compared"
    )
    given.add_argument("--white-matter-mask", type=Path, metavar="FILE", help="DSC: normal white matter, to scale to")
    given.add_argument("--white-matter-cbf", type=float, metavar="F", help="DSC: its flow in ml/100g/min, such as 22")


def add_processing(parser: argparse.ArgumentParser) -> None:
    """Options of the stages."""
    processing = parser.add_argument_group("processing")
    processing.add_argument(
        "--preset",
        metavar="NAME",
        help="options for one purpose: a name that 'pypet presets' lists, or a TOML file, such as the config.toml of "
        "a run, whose series and masks are left aside",
    )
    processing.add_argument("--method", metavar="NAME", help="deconvolution method; 'pypet methods' lists them")
    processing.add_argument("--config", type=Path, metavar="FILE", help="TOML file with options, such as a config.toml")
    processing.add_argument("--no-motion", action="store_true", help="do not correct motion (it is still reported)")
    processing.add_argument("--denoising", metavar="NAME", help="filter against noise; 'pypet methods' lists them")
    processing.add_argument(
        "--smoothing-mm",
        type=float,
        metavar="S",
        help="standard deviation in mm of the neighbourhood that it averages; 0 for none",
    )
    processing.add_argument(
        "--lesions", metavar="NAME", help="thresholds of core and hypoperfusion; 'pypet methods' lists them"
    )


def add_output(parser: argparse.ArgumentParser) -> None:
    """What is written."""
    output = parser.add_argument_group("output")
    output.add_argument("--relative", action="store_true", help="also write the relative maps (x - mean)/mean")
    output.add_argument(
        "--territories",
        type=Path,
        metavar="FILE",
        help="labelmap (3D NIfTI, any grid), for each of whose labels the maps' statistics are written",
    )
    output.add_argument(
        "--territory-names", type=Path, metavar="FILE", help="names of its labels (JSON, TSV or CSV: label,name)"
    )
    output.add_argument("--save-stages", action="store_true", help="also write what each stage made (large)")
    output.add_argument("--no-figures", action="store_true", help="write no pictures, and so no report")
    output.add_argument("--no-report", action="store_true", help="write no report.html")
    output.add_argument("--pdf", action="store_true", help="write the report as PDF too (needs the extra 'pdf')")
    output.add_argument(
        "--dicom",
        action="store_true",
        help="for DICOM input: write maps, masks and the summary picture as DICOM too, in the patient's study, with "
        "the patient's identifiers (needs the extra 'dicom')",
    )


def add_machine(parser: argparse.ArgumentParser) -> None:
    """What the work may take of the machine."""
    machine = parser.add_argument_group("machine")
    machine.add_argument("--threads", type=int, metavar="N", help="threads (default: all cores; results do not differ)")
    machine.add_argument(
        "--memory-limit",
        type=float,
        metavar="GB",
        help="keep large arrays in scratch files where they would take more memory (slower; results do not differ)",
    )
    machine.add_argument(
        "--scratch", type=Path, metavar="DIR", help="folder of the scratch files (default: the system's temporary one)"
    )
    machine.add_argument("--quiet", action="store_true", help="print nothing but errors")


def job_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """What the options say of a `PyPeTLib.job.Job`: all but the scan and the folder to make."""
    from PyPeTLib.errors import InputError  # noqa: PLC0415 - keeps `pypet --help` quick
    from PyPeTLib.io import read_toml  # noqa: PLC0415
    from PyPeTLib.job import Outputs  # noqa: PLC0415

    tables = read_toml(options.config) if options.config is not None else {}
    if "preset" in tables:
        raise InputError(f"{options.config}: this is a preset. Give it with --preset in place of --config.")
    inputs = tables.pop("input", {})
    inputs.pop("series", None)
    for key in FACTS:
        value = getattr(options, key, None)
        if value is not None:
            inputs[key] = value
    if options.frame_interval is not None:
        inputs.pop("frame_times", None)
    elif options.frame_times is not None:
        inputs.pop("frame_interval", None)

    def override(table: str, **values: Any) -> None:
        given = {name: value for name, value in values.items() if value is not None}
        if given:
            tables.setdefault(table, {}).update(given)

    override("deconvolution", method=options.method)
    override("denoising", method=options.denoising, sigma=options.smoothing_mm)
    override("motion", correct=False if options.no_motion else None)
    if options.lesions is not None:
        # thresholds that a file lists are those of another name
        tables["lesions"] = {"preset": options.lesions}
    override(
        "quantification",
        relative=options.relative or None,
        white_matter_cbf=getattr(options, "white_matter_cbf", None),
    )
    return {
        "inputs": inputs,
        "preset": options.preset,
        "tables": tables,
        "options_file": "" if options.config is None else str(options.config),
        "territories": options.territories,
        "territory_names": options.territory_names,
        "outputs": Outputs(
            stages=options.save_stages,
            figures=not options.no_figures,
            report=not (options.no_figures or options.no_report),
            pdf=options.pdf,
            dicom=options.dicom,
        ),
        "threads": options.threads,
        "memory_limit": options.memory_limit,
        "scratch": options.scratch,
    }
