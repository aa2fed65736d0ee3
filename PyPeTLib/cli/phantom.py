"""``pypet phantom``: series with known truth as files, and datasets of them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

EXAMPLES = """\
examples:
  pypet phantom head head-ctp/
  pypet phantom head head-dsc/ --modality dsc --seed 3 --motion-mm 3 --motion-deg 3
  pypet phantom head oblique/ --affine oblique --healthy
  pypet phantom tiles tiles/ --residue box --frame-interval 2
  pypet phantom study dataset/                                      (24 scans, 3 of them broken; for 'pypet batch')
  pypet phantom study dataset/ --scans 6 --size full --layout bids
"""


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "phantom",
        help="make a series with known truth",
        description="Write perfusion series made by a model, with their truth maps, masks and curves beside them.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    kinds = parser.add_subparsers(metavar="KIND", required=True)
    head = kinds.add_parser("head", help="a brain with arteries, veins and a stroke", description="A head phantom.")
    head.add_argument("--modality", choices=("ctp", "dsc"), default="ctp", help="kind of series (default: ctp)")
    head.add_argument("--affine", default="ras", metavar="KIND", help="ras, las, lps, permuted, oblique or tilted")
    head.add_argument("--healthy", action="store_true", help="no lesion, no occlusion")
    head.add_argument("--slab", type=int, metavar="N", help="only N slices around the basal ganglia")
    head.add_argument("--motion-mm", type=float, default=0.0, metavar="MM", help="largest translation (default: 0)")
    head.add_argument("--motion-deg", type=float, default=0.0, metavar="DEG", help="largest rotation (default: 0)")
    head.add_argument("--dtype", choices=("int16", "float32"), default="int16", help="stored values (default: int16)")
    head.set_defaults(execute=execute_head)
    tiles = kinds.add_parser(
        "tiles", help="tiles of every CBV, MTT and delay", description="A tile phantom: true AIF, flat tiles (CT)."
    )
    tiles.add_argument("--tile-size", type=int, default=8, metavar="N", help="edge of a tile in voxels (default: 8)")
    tiles.add_argument("--frames", type=int, default=75, metavar="N", help="number of frames (default: 75)")
    tiles.set_defaults(execute=execute_tiles)
    study = kinds.add_parser(
        "study",
        help="a dataset of heads with reference maps",
        description="A dataset of CT and DSC heads, with reference maps made of the truth, some scans broken on "
        "purpose. truth.tsv tells what each scan is.",
    )
    study.add_argument("--scans", type=int, default=24, metavar="N", help="number of scans (default: 24)")
    study.add_argument("--broken", type=int, metavar="N", help="so many of them are broken (default: one in eight)")
    study.add_argument(
        "--size",
        choices=("small", "full"),
        default="small",
        help="a part of the head in large voxels, or whole heads (default: small)",
    )
    study.add_argument(
        "--layout",
        choices=("original", "bids"),
        default="original",
        help="where files lie: as for the original PyPeT, or as in BIDS (default: original)",
    )
    study.set_defaults(execute=execute_study)
    for kind in (head, tiles, study):
        kind.add_argument("out", type=Path, metavar="OUT", help="folder to make")
        kind.add_argument("--seed", type=int, default=0, help="a number that fixes all chance (default: 0)")
        kind.add_argument("--overwrite", action="store_true", help="replace OUT if PyPeT made it")
    for kind in (head, tiles):
        kind.add_argument("--noise", type=float, metavar="SD", help="noise in HU or signal units; 0 for none")
        kind.add_argument("--frame-interval", type=float, metavar="S", help="seconds from one frame to the next")
        kind.add_argument(
            "--residue", default="exponential", metavar="NAME", help="residue function; 'pypet methods' lists them"
        )


def execute_head(options: argparse.Namespace) -> None:
    """Write a head phantom."""
    from PyPeTLib.phantom import RigidMotion, make_head  # noqa: PLC0415 - keeps `pypet --help` quick

    chosen: dict[str, Any] = {}
    if options.noise is not None:
        chosen["noise"] = options.noise or None
    if options.frame_interval is not None:
        chosen["dt"] = options.frame_interval
    if options.motion_mm or options.motion_deg:
        # half of it as a drift, half as jumps
        mm, degrees = options.motion_mm / 2, options.motion_deg / 2
        chosen["motion"] = RigidMotion(drift_mm=mm, drift_degrees=degrees, jump_mm=mm, jump_degrees=degrees)
    head = make_head(
        options.modality,
        seed=options.seed,
        affine=options.affine,
        healthy=options.healthy,
        slab=options.slab,
        residue=options.residue,
        dtype=options.dtype,
        **chosen,
    )
    _write(head, options, f"phantom_{options.modality}")


def execute_tiles(options: argparse.Namespace) -> None:
    """Write a tile phantom."""
    from PyPeTLib.phantom import frame_times, make_tiles, tile_volume  # noqa: PLC0415 - keeps `pypet --help` quick

    times = frame_times((options.frames, options.frame_interval or 1.0))
    tiles = make_tiles(options.residue, times=times)
    volume = tile_volume(tiles, tile_size=options.tile_size, noise=options.noise or 0.0, rng=options.seed)
    _write(volume, options, "tiles_ctp")


def execute_study(options: argparse.Namespace) -> None:
    """Write a dataset of heads."""
    from PyPeTLib.io import OutputFolder, write_json  # noqa: PLC0415 - keeps `pypet --help` quick
    from PyPeTLib.phantom.study import write_study  # noqa: PLC0415
    from PyPeTLib.version import __version__  # noqa: PLC0415

    with OutputFolder(options.out, overwrite=options.overwrite) as folder:
        plan = write_study(
            folder,
            scans=options.scans,
            size=options.size,
            layout=options.layout,
            seed=options.seed,
            broken=options.broken,
        )
        write_json(folder / "summary.json", {"software": "PyPeT", "version": __version__, "phantom": "study"})
    broken = sum(bool(scan.damage) for scan in plan)
    alone = sum(not scan.has_references for scan in plan)
    subjects = len({scan.subject for scan in plan})
    print(
        f"written to {options.out}: {len(plan)} scans of {subjects} subjects, {broken} of them broken, {alone} without "
        "reference maps; the truth in truth.tsv"
    )


def _write(phantom: Any, options: argparse.Namespace, stem: str) -> None:
    from PyPeTLib.io import OutputFolder, write_json  # noqa: PLC0415 - keeps `pypet --help` quick
    from PyPeTLib.phantom.write import write_phantom  # noqa: PLC0415
    from PyPeTLib.version import __version__  # noqa: PLC0415

    with OutputFolder(options.out, overwrite=options.overwrite) as folder:
        path = write_phantom(phantom, folder, stem)
        write_json(folder / "summary.json", {"software": "PyPeT", "version": __version__, "phantom": path.name})
    print(f"written to {options.out}: {path.name}, its sidecar, and the truth in truth/")
