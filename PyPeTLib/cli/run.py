"""``pypet run``: a series in, maps out."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PyPeTLib.errors import InputError

EXAMPLES = """\
examples:
  pypet run sub-01_ctp.nii.gz maps/
  pypet run perfusion.nii.gz maps/ --modality dsc --frame-interval 1.5 --echo-time 0.03
  pypet run sub-01_ctp.nii.gz maps/ --aif artery.nii.gz --method bsvd --smoothing-mm 1.5
  pypet run echo-1_dsc.nii.gz maps/ --second-echo echo-2_dsc.nii.gz
  pypet run sub-02_dsc.nii.gz maps/ --preset dsc-tumour             ('pypet presets' lists them)
  pypet run sub-01_ctp.nii.gz again/ --config maps/config.toml      (the same job again)

Options beside --preset and --config win over both, and what --config says wins over --preset.
Frame times come from the options, else from the JSON sidecar, else from the header; what is missing is asked for.
Exit code: 0, 2 for bad use or input, 1 for a fault of PyPeT.
"""

INPUT_KEYS = (
    "series",
    "modality",
    "frame_times",
    "echo_time",
    "slice_times",
    "second_echo",
    "second_echo_time",
    "mask",
    "aif",
    "vof",
    "white_matter_mask",
)
"""Keys of the ``[input]`` table in ``config.toml``; ``series`` is for the record."""

POPULATION = "population"
"""Given in place of a file: a standard bolus. A file of that name is given as ./population."""


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "run",
        help="make perfusion maps from a 4D series",
        description="Make CBF, CBV, MTT, TTP and Tmax maps, a brain mask and an arterial input function.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("series", type=Path, metavar="SERIES", help="4D NIfTI file (.nii or .nii.gz)")
    parser.add_argument("out", type=Path, metavar="OUT", help="folder to make")
    add_options(parser)
    parser.set_defaults(execute=execute)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add all options of a run to a parser: everything but the series and the folder to make."""
    acquisition = parser.add_argument_group("acquisition")
    acquisition.add_argument("--modality", choices=("auto", "ctp", "dsc"), help="kind of series (default: auto)")
    times = acquisition.add_mutually_exclusive_group()
    times.add_argument("--frame-interval", type=float, metavar="S", help="seconds from one frame to the next")
    times.add_argument("--frame-times", type=Path, metavar="FILE", help="text file with the time of each frame in s")
    acquisition.add_argument("--echo-time", type=float, metavar="S", help="echo time in seconds (DSC), such as 0.03")
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
    output = parser.add_argument_group("output")
    output.add_argument("--relative", action="store_true", help="also write the relative maps (x - mean)/mean")
    output.add_argument("--save-stages", action="store_true", help="also write what each stage made (large)")
    output.add_argument("--no-figures", action="store_true", help="write no pictures")
    output.add_argument("--overwrite", action="store_true", help="replace OUT if PyPeT made it")
    output.add_argument("--threads", type=int, metavar="N", help="threads (default: all cores; results do not differ)")
    output.add_argument(
        "--memory-limit",
        type=float,
        metavar="GB",
        help="keep large arrays in scratch files where they would take more memory (slower; results do not differ)",
    )
    output.add_argument(
        "--scratch", type=Path, metavar="DIR", help="folder of the scratch files (default: the system's temporary one)"
    )
    output.add_argument("--quiet", action="store_true", help="print nothing but errors")


def execute(options: argparse.Namespace) -> None:
    """Run the pipeline on a file and write its results."""
    from PyPeTLib.io import load_series  # noqa: PLC0415 - keeps `pypet --help` quick

    run_and_write(options, load_series)


def run_and_write(
    options: argparse.Namespace, load: Callable[..., Any], also: Callable[[Any, Any, Path], None] | None = None
) -> None:
    """Run the pipeline with the options of the command line and write its results.

    Parameters
    ----------
    options : argparse.Namespace
        What `add_options` defines, with ``series`` and ``out``.
    load : callable
        Called as `PyPeTLib.io.load_series` is, and returns what it returns.
    also : callable, optional
        Writes more into the folder before it appears; called with the result, the loaded series and the folder.
    """
    from PyPeTLib.cli.progress import StageBars  # noqa: PLC0415 - keeps `pypet --help` quick
    from PyPeTLib.config import PipelineConfig  # noqa: PLC0415 - keeps `pypet --help` quick
    from PyPeTLib.io import OutputFolder, check_output_folder  # noqa: PLC0415
    from PyPeTLib.pipeline import run_pipeline  # noqa: PLC0415
    from PyPeTLib.presets import read_preset  # noqa: PLC0415
    from PyPeTLib.report.results import write_results, write_stages  # noqa: PLC0415
    from PyPeTLib.report.summary import told  # noqa: PLC0415

    if options.threads is not None and options.threads < 1:
        raise InputError(f"--threads must be 1 or more, found {options.threads}")
    workspace = _workspace(options)
    used = _files_used(options)
    check_output_folder(options.out, overwrite=options.overwrite, inputs=used)
    preset = read_preset(options.preset) if options.preset is not None else None
    inputs, tables = _configuration(options, {} if preset is None else preset.changes)
    loaded = load(
        options.series,
        modality=inputs.get("modality", "auto"),
        frame_interval=options.frame_interval,
        frame_times=inputs.get("frame_times"),
        echo_time=inputs.get("echo_time"),
        workspace=workspace,
        **{key: inputs[key] for key in ("slice_times", "second_echo", "second_echo_time") if key in inputs},
    )
    given = _given(inputs, loaded.series)
    if preset is not None:
        preset.check(loaded.series.modality)
    try:
        config = PipelineConfig.for_modality(loaded.series.modality, tables)
    except InputError as error:
        raise InputError(f"{options.config}: {error}" if options.config is not None else str(error)) from error
    with StageBars(quiet=options.quiet) as bars:
        result = run_pipeline(
            loaded.series, config, bars.update, given=given, threads=options.threads, workspace=workspace
        )
    with OutputFolder(options.out, overwrite=options.overwrite, inputs=used) as folder:
        summary = write_results(result, loaded, folder, _inputs_to_keep(inputs, options, result))
        if options.save_stages:
            write_stages(result, folder / "stages")
        if not options.no_figures:
            _write_figures(result, folder / "figures")
        if also is not None:
            also(result, loaded, folder)
    if not options.quiet:
        print(told(summary))
        print(f"  written to {options.out}")


def _workspace(options: argparse.Namespace) -> Any:
    """Where large arrays live, by the options."""
    from PyPeTLib.workspace import SMALLEST_LIMIT, Workspace  # noqa: PLC0415 - keeps `pypet --help` quick

    limit, folder = options.memory_limit, options.scratch
    if limit is not None and not limit * 1e9 >= SMALLEST_LIMIT:
        raise InputError(f"--memory-limit is given in GB and must be {SMALLEST_LIMIT / 1e9:g} or more, found {limit:g}")
    if folder is not None and not folder.is_dir():
        raise InputError(f"--scratch {folder}: there is no such folder. Make it, or leave the option out.")
    return Workspace(None if limit is None else 1e9 * limit, folder)


def _files_used(options: argparse.Namespace) -> list[Path]:
    """What the run reads, which its results must not replace."""
    from PyPeTLib.presets import preset_file  # noqa: PLC0415 - keeps `pypet --help` quick

    files = ("series", "second_echo", "slice_times", "mask", "aif", "vof", "config")
    given = [getattr(options, name) for name in files]
    if options.preset is not None:
        given.append(preset_file(options.preset))
    return [path for path in given if path is not None and str(path) != POPULATION]


def _configuration(
    options: argparse.Namespace, preset: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The ``[input]`` table and those of the stages: of the preset, over it the file, over both the command line."""
    from PyPeTLib.io import read_toml  # noqa: PLC0415 - keeps `pypet --help` quick
    from PyPeTLib.presets import merged  # noqa: PLC0415

    content = read_toml(options.config) if options.config is not None else {}
    if "preset" in content:
        raise InputError(f"{options.config}: this is a preset. Give it with --preset in place of --config.")
    inputs = content.pop("input", {})
    content = merged(preset, content)
    unknown = set(inputs) - set(INPUT_KEYS)
    if unknown:
        raise InputError(
            f"{options.config}: [input] has no {', '.join(sorted(unknown))}; known: {', '.join(INPUT_KEYS)}"
        )
    for key in INPUT_KEYS[1:]:
        value = getattr(options, key)
        if value is not None:
            inputs[key] = value
    if options.frame_interval is not None:
        inputs.pop("frame_times", None)

    def override(table: str, **values: Any) -> None:
        content.setdefault(table, {}).update({name: value for name, value in values.items() if value is not None})

    override("deconvolution", method=options.method)
    override("denoising", method=options.denoising, sigma=options.smoothing_mm)
    override("motion", correct=False if options.no_motion else None)
    override("quantification", relative=options.relative or None, white_matter_cbf=options.white_matter_cbf)
    return inputs, content


def _given(inputs: dict[str, Any], series: Any) -> Any:
    from PyPeTLib.config import Given  # noqa: PLC0415
    from PyPeTLib.io import check_curve_covers, read_curve_csv, read_mask  # noqa: PLC0415 - as above

    def mask(key: str) -> Any:
        return read_mask(inputs[key], series) if key in inputs else None

    curve = None
    is_population = str(inputs.get("aif")) == POPULATION
    is_curve = "aif" in inputs and Path(inputs["aif"]).suffix.lower() == ".csv"
    if is_curve:
        curve = read_curve_csv(inputs["aif"])
        check_curve_covers(curve[0], series.frame_times, name=Path(inputs["aif"]).name)
    return Given(
        brain_mask=mask("mask"),
        white_matter=mask("white_matter_mask"),
        aif_mask=None if is_curve or is_population else mask("aif"),
        aif_curve=curve,
        aif_population=is_population,
        vof_mask=mask("vof"),
    )


def _inputs_to_keep(inputs: dict[str, Any], options: argparse.Namespace, result: Any) -> dict[str, Any]:
    """The ``[input]`` table that repeats this run: values as they were used, files by their absolute path."""
    from PyPeTLib.io import in_file_order  # noqa: PLC0415 - as above

    series = result.series
    kept: dict[str, Any] = {"series": str(options.series.resolve()), "modality": series.modality.value}
    kept["frame_times"] = [float(time) for time in series.frame_times]
    if series.acquisition.echo_time is not None:
        kept["echo_time"] = float(series.acquisition.echo_time)
    if series.acquisition.slice_times is not None:
        kept["slice_times"] = list(in_file_order(series.acquisition.slice_times, series.orientation))
    if series.second_echo is not None:
        kept["second_echo_time"] = float(series.second_echo.acquisition.echo_time)
    for key in ("second_echo", "mask", "aif", "vof", "white_matter_mask"):
        if key in inputs:
            value = str(inputs[key])
            kept[key] = value if key == "aif" and value == POPULATION else str(Path(value).resolve())
    return kept


def _write_figures(result: Any, folder: Path) -> None:
    import importlib.util  # noqa: PLC0415 - as above

    if importlib.util.find_spec("matplotlib") is None:
        print("pypet: matplotlib is not installed, so there are no figures")
        return
    from PyPeTLib.report.figures import write_figures  # noqa: PLC0415

    folder.mkdir()
    write_figures(result, folder)
