"""``pypet demo``: phantoms, maps and how well they meet the truth."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "demo",
        help="make a CT and an MR phantom and their maps",
        description="Make a CTP and a DSC head phantom, analyse both as 'pypet run' does, and compare with the truth.",
    )
    parser.add_argument("out", type=Path, nargs="?", default=Path("demo-output"), metavar="OUT", help="folder to make")
    parser.add_argument("--seed", type=int, default=0, help="which heads (default: 0)")
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> None:
    """Make the phantoms, run `pypet run` on their files, and tell how the maps meet the truth."""
    from PyPeTLib.io import OutputFolder, write_json  # noqa: PLC0415 - keeps `pypet --help` quick
    from PyPeTLib.phantom import make_head  # noqa: PLC0415
    from PyPeTLib.phantom.write import write_phantom  # noqa: PLC0415
    from PyPeTLib.version import __version__  # noqa: PLC0415

    out: Path = options.out
    for modality in ("ctp", "dsc"):
        head = make_head(modality, seed=options.seed)
        name = f"phantom_{modality}"
        with OutputFolder(out / modality / "input", overwrite=True) as folder:
            path = write_phantom(head, folder, name)
            write_json(folder / "summary.json", {"software": "PyPeT", "version": __version__, "phantom": path.name})
        score = _analyse(out / modality / "input" / path.name, out / modality / "result", head)
        print(f"  against the truth: {_told(score)}\n")
    print(f"Look at {out}/ctp/result/figures/summary.png and {out}/dsc/result/figures/summary.png;")
    print(f"maps, masks, AIF and summary.json lie in {out}/ctp/result and {out}/dsc/result.")


def _analyse(path: Path, out: Path, head: Any) -> dict[str, float]:
    """Run the command line's own run on a file, and score what it wrote."""
    import dataclasses  # noqa: PLC0415 - as above

    from PyPeTLib import cli  # noqa: PLC0415
    from PyPeTLib.io import read_mask, read_volume  # noqa: PLC0415
    from PyPeTLib.phantom.scoring import score_head  # noqa: PLC0415

    arguments = cli.parser().parse_args(["run", str(path), str(out), "--overwrite"])
    arguments.execute(arguments)
    maps = {name: read_volume(out / f"{name}.nii.gz").data for name in ("cbf", "cbv", "mtt", "tmax")}
    masks = [read_mask(out / f"{name}.nii.gz", head.series) for name in ("valid_mask", "brain_mask", "aif_mask")]
    return dataclasses.asdict(score_head(head, maps, *masks))


def _told(score: dict[str, float]) -> str:
    return (
        f"brain mask Dice {score['mask_dice']:.3f}, AIF inside arteries {score['aif_inside']:.0%}, "
        f"CBF r {score['cbf_r']:.2f}, Tmax r {score['tmax_r']:.2f}, "
        f"Tmax > 6 s Dice {score['hypoperfusion_dice']:.2f}, core Dice {score['core_dice']:.2f}"
    )
