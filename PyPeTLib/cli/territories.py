"""``pypet territories``: the statistics of maps in the regions of a labelmap."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

EXAMPLES = """\
examples:
  pypet territories results/ --labels territories.nii.gz --out territories.csv
  pypet territories cbf.nii.gz tmax.nii.gz --labels atlas.nii.gz --names atlas.csv
  pypet territories results/ --labels vascular.nii.gz --split        (left and right of the brain's middle)

The labelmap lies in the space of the maps, on any grid; nothing is registered. Names come from FILE (JSON {"1": "ACA"},
TSV or CSV with the columns label,name and optionally side) or from a sidecar of the labelmap. Names such as "MCA left"
and "MCA right" make a pair, for which the asymmetry 2(L-R)/(L+R) of the means is told; which side is left is checked
against the positions. Of a run's maps tissue alone counts: CSF and large vessels are left out by the tissue.nii.gz
beside them. Of other maps every voxel with a value counts, unless --mask tells where there is tissue.
"""

_SHOWN = ("name", "side", "volume_ml", "mean", "sd", "median", "p05", "p95", "asymmetry_percent")


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "territories",
        help="statistics of maps in the regions of a labelmap",
        description="Mean, spread and percentiles of maps in each region of a labelmap, and the asymmetry of left and "
        "right. Research use only.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("maps", nargs="+", type=Path, metavar="MAP", help="3D NIfTI map, or the folder of a run")
    parser.add_argument("--labels", type=Path, required=True, metavar="FILE", help="labelmap (3D NIfTI, any grid)")
    parser.add_argument("--names", type=Path, metavar="FILE", help="names of the labels (JSON, TSV or CSV)")
    parser.add_argument(
        "--pair",
        nargs=2,
        type=int,
        action="append",
        default=[],
        metavar=("LEFT", "RIGHT"),
        help="labels of the two sides of one region, where their names do not say so; may be repeated",
    )
    parser.add_argument(
        "--split", action="store_true", help="part regions without a side at the middle of the brain (see --mask)"
    )
    parser.add_argument(
        "--mask",
        type=Path,
        metavar="FILE",
        help="count only voxels inside this mask (3D NIfTI, any grid); with --split, also the brain whose middle is "
        "taken, by default the mask of the first run's folder",
    )
    parser.add_argument(
        "--all-voxels", action="store_true", help="count large vessels and CSF, too, also where a run tells tissue"
    )
    parser.add_argument(
        "--background",
        default="border",
        metavar="RULE",
        help="which voxels of a map without a mask hold no value: border (the value that most of the rim shares), "
        "outside (the same, where it is connected with the rim), zero or none; default: border",
    )
    parser.add_argument("--out", type=Path, metavar="CSV", help="write the table to this file and print only a note")
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> None:
    """Print the table, or write it."""
    from PyPeTLib.compare.described import read_maps, selection_of  # noqa: PLC0415 - keeps `pypet --help` quick
    from PyPeTLib.compare.labelmaps import read_labelmap, split_by_plane  # noqa: PLC0415
    from PyPeTLib.compare.territories import territory_table  # noqa: PLC0415
    from PyPeTLib.io.table_files import write_csv  # noqa: PLC0415

    check_out(options.out, [*options.maps, options.labels, options.names, options.mask])
    maps = read_maps(options.maps)
    selections = {
        name: selection_of(described, options.mask, all_voxels=options.all_voxels) for name, described in maps.items()
    }
    labelmap = read_labelmap(options.labels, names=options.names)
    if options.split:
        labelmap = split_by_plane(labelmap, _middle(options))
    table = territory_table(
        {name: described.image for name, described in maps.items()},
        labelmap,
        within={name: selection for name, selection in selections.items() if selection is not None},
        pairs=[(left, right) for left, right in options.pair],
        units={name: described.unit for name, described in maps.items()},
        background=options.background,
    )
    if not options.all_voxels and None in selections.values():
        table = replace(table, note=f"{table.note} Give a mask of the tissue with --mask to leave them out.")
    if options.out is None:
        print(told(table))
    else:
        write_csv(options.out, table)
        print(f"{options.out}: {len(table.rows)} rows. {table.note}")


def check_out(out: Path | None, inputs: list[Path | None]) -> None:
    """Refuse to replace what is read."""
    from PyPeTLib.errors import InputError  # noqa: PLC0415 - keeps `pypet --help` quick

    if out is None:
        return
    if out.is_dir():
        raise InputError(f"{out}: this is a folder. Name a CSV file to write.")
    if any(given is not None and given.resolve() == out.resolve() for given in inputs):
        raise InputError(f"{out}: this file is one of the inputs. Name another one to write.")


def told(table: Any) -> str:
    """The main columns as text, aligned, with the note below."""
    names = [column.name for column in table.columns]
    lines = []
    for name, unit in dict.fromkeys((row[0], row[1]) for row in table.rows):
        lines.append(f"{name}{f' [{unit}]' if unit else ''}")
        rows = [list(_SHOWN)]
        for row in table.rows:
            if row[0] == name:
                cells = dict(zip(names, row, strict=True))
                rows.append([_text(cells[shown]) for shown in _SHOWN])
        widths = [max(len(row[i]) for row in rows) for i in range(len(_SHOWN))]
        lines += [
            "  " + "  ".join(f"{cell:<{width}}" if i < 2 else f"{cell:>{width}}" for i, (cell, width) in aligned)
            for row in rows
            for aligned in [list(enumerate(zip(row, widths, strict=True)))]
        ]
    return "\n".join([*lines, table.note])


def _text(cell: Any) -> str:
    return "–" if cell is None else f"{cell:.4g}" if isinstance(cell, float) else str(cell)


def _middle(options: argparse.Namespace) -> Any:
    from PyPeTLib.errors import InputError  # noqa: PLC0415 - keeps `pypet --help` quick
    from PyPeTLib.io import read_volume  # noqa: PLC0415
    from PyPeTLib.masking import midsagittal_plane  # noqa: PLC0415

    masks = [options.mask] if options.mask else []
    if not masks:
        masks = [file for path in options.maps if path.is_dir() for file in sorted(path.glob("*brain_mask.nii.gz"))]
    if not masks:
        raise InputError(
            "--split needs the middle of the brain: give a brain mask with --mask, or the folder of a run."
        )
    volume = read_volume(masks[0])
    mask = volume.data > 0.5
    if not mask.any():
        raise InputError(f"{masks[0].name}: the mask is empty, so it has no middle.")
    return midsagittal_plane(mask, volume.grid)
