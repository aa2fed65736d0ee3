"""``pypet methods``: what can be chosen, from the registries."""

from __future__ import annotations

import argparse
from typing import Any


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "methods",
        help="list methods and options",
        description="List deconvolution methods, AIF rules, bolus rules, leakage corrections, arterial relaxivities, "
        "mask methods, thresholds of lesions and phantom residues, each with its source, "
        "and all options of config.toml with unit and default.",
    )
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> None:  # noqa: ARG001 - every command takes its options
    """Print all registries and options."""
    from PyPeTLib.aif import AIF_RULES  # noqa: PLC0415 - keeps `pypet --help` quick
    from PyPeTLib.config import PipelineConfig  # noqa: PLC0415 - keeps `pypet --help` quick
    from PyPeTLib.contrast import ARTERIAL_RELAXIVITIES, BOLUS_RULES, LEAKAGE_CORRECTIONS  # noqa: PLC0415 - keeps `pypet --help` quick
    from PyPeTLib.deconvolution import METHODS  # noqa: PLC0415
    from PyPeTLib.lesion_options import LESION_PRESETS  # noqa: PLC0415
    from PyPeTLib.masking import MASK_METHODS  # noqa: PLC0415
    from PyPeTLib.options import described  # noqa: PLC0415
    from PyPeTLib.phantom import RESIDUES  # noqa: PLC0415
    from PyPeTLib.preprocess.denoising import DENOISERS  # noqa: PLC0415
    from PyPeTLib.quantification import VOLUME_RULES  # noqa: PLC0415
    from PyPeTLib.series import Modality  # noqa: PLC0415

    registries: list[Any] = [
        METHODS,
        AIF_RULES,
        BOLUS_RULES,
        LEAKAGE_CORRECTIONS,
        ARTERIAL_RELAXIVITIES,
        VOLUME_RULES,
        MASK_METHODS,
        DENOISERS,
        LESION_PRESETS,
        RESIDUES,
    ]
    for registry in registries:
        print(f"{registry.family}:")
        for entry in registry.entries():
            aliases = f" (also {', '.join(entry.aliases)})" if entry.aliases else ""
            print(f"  {entry.name:<20} {entry.summary}{aliases}")
            if entry.source:
                print(f"  {'':<20} {entry.source}")
        print()
    print("options of config.toml (defaults for CTP; DSC has its own denoising):")
    groups = PipelineConfig.for_modality(Modality.CTP)
    for table in groups.to_mapping():
        group = getattr(groups, table)
        print(f"[{table}]")
        for name, unit, text, _ in described(type(group)):
            value = getattr(group, name)
            print(f"  {name} = {value}{f' {unit}' if unit else ''}: {text}")
