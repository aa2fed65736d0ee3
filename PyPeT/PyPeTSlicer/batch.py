"""`pypet run` inside 3D Slicer: the same files, and a scene to open."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import slicer

from PyPeTLib.cli import guarded
from PyPeTLib.cli.run import add_options, run_and_write
from PyPeTLib.errors import InputError
from PyPeTLib.io import LoadedSeries
from PyPeTLib.io.sidecar import image_stem
from PyPeTSlicer import sequence_files, sequences
from PyPeTSlicer.loading import browse, fill_sequence
from PyPeTSlicer.nodes import Transaction, image_of, matrix_of
from PyPeTSlicer.outputs import OutputNodes, write_outputs

SCENE = "scene.mrb"

_WORK = (
    "vtkMRMLVolumeNode",
    "vtkMRMLSegmentationNode",
    "vtkMRMLSequenceNode",
    "vtkMRMLModelNode",
    "vtkMRMLMarkupsNode",
    "vtkMRMLTableNode",
    "vtkMRMLTransformNode",
)
"""Nodes that are somebody's work."""

_DESCRIPTION = """\
Maps, masks, tables and sidecars as 'pypet run' writes them, and scene.mrb with the same as nodes of 3D Slicer.
Starts from an empty scene and leaves it empty.
Research use only.
"""

_EPILOG = """\
example:
  Slicer --no-splash --no-main-window --python-script pypet_batch.py -- --input ctp.seq.nrrd --output maps

Of a folder with several DICOM series, --series NUMBER chooses one.
For a .seq.nrrd, --slice-times lists the slices from the lowest to the highest.
Exit code: 0, 2 for bad use or input, 1 for a fault of PyPeT.
"""


def parser() -> argparse.ArgumentParser:
    """The script's command line."""
    top = argparse.ArgumentParser(
        prog="pypet_batch.py",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument(
        "--input",
        dest="series",
        type=Path,
        required=True,
        metavar="FILE",
        help="4D NIfTI file, .seq.nrrd, or a folder of DICOM files",
    )
    top.add_argument("--output", dest="out", type=Path, required=True, metavar="DIR", help="folder to make")
    top.add_argument("--with-series", action="store_true", help="put the series itself into the scene too (large)")
    add_options(top)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script and return its exit code: 0, 2 for bad use or input, 1 for a fault of PyPeT."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    # Slicer hands on the mark that ends its own arguments
    if arguments[:1] == ["--"]:
        arguments = arguments[1:]
    try:
        options = parser().parse_args(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    return guarded(lambda: _run(options))


def _run(options: argparse.Namespace) -> None:
    """Run in an empty scene, and leave it empty."""
    _check_scene()
    run_and_write(options, sequence_files.load, lambda *results: _save_scene(options, *results))


def _check_scene() -> None:
    """Nothing if the scene may be used; a script that is called inside a working session must not clear it."""
    own = [node for kind in _WORK for node in slicer.util.getNodesByClass(kind) if not node.GetHideFromEditors()]
    if own:
        raise InputError(
            f"the scene holds {len(own)} nodes, such as {own[0].GetName()}, and this script needs an empty one. Save "
            "and close the scene, or run the script in a Slicer of its own."
        )


def _save_scene(options: argparse.Namespace, result: Any, loaded: LoadedSeries, folder: Path) -> None:
    """The nodes of the run, and a picture of the series to see them on, as a scene of their own."""
    series = loaded.series
    name = image_stem(Path(series.name))
    sequence = proxy = None
    with Transaction() as scene:
        if options.with_series:
            sequence = scene.add("vtkMRMLSequenceNode", name)
            fill_sequence(sequence, series.frames, series.orientation, series.frame_times)
            browse(scene, sequence)
            proxy = sequences.proxy_of(sequence)
        else:
            proxy = scene.add("vtkMRMLScalarVolumeNode", f"{name} baseline")
            baseline = result.baseline_image
            orientation = result.working.orientation
            proxy.SetAndObserveImageData(image_of(orientation.to_native(baseline)))
            proxy.SetIJKToRASMatrix(matrix_of(orientation.native))
            proxy.CreateDefaultDisplayNodes()
        write_outputs(result, loaded, sequence=sequence, proxy=proxy, wanted=OutputNodes(), given=set())
    path = folder / SCENE
    is_saved = slicer.util.saveScene(str(path), {})
    slicer.mrmlScene.Clear(0)
    if not is_saved or not path.is_file():
        raise InputError(f"{path}: the scene could not be written. Is the disk full?")
