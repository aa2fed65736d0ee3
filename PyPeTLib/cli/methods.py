"""``pypet methods``: what can be chosen, from the registries."""

from __future__ import annotations

import argparse
from typing import Any


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "methods",
        help="list the methods that options can choose from",
        description="List deconvolution methods, bolus rules, mask methods and phantom residues, each with its source.",
    )
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> None:  # noqa: ARG001 - every command takes its options
    """Print all registries."""
    from PyPeTLib.contrast import BOLUS_RULES  # noqa: PLC0415 - keeps `pypet --help` quick
    from PyPeTLib.deconvolution import METHODS  # noqa: PLC0415
    from PyPeTLib.masking import MASK_METHODS  # noqa: PLC0415
    from PyPeTLib.phantom import RESIDUES  # noqa: PLC0415

    registries: list[Any] = [METHODS, BOLUS_RULES, MASK_METHODS, RESIDUES]
    for registry in registries:
        print(f"{registry.family}:")
        for entry in registry.entries():
            aliases = f" (also {', '.join(entry.aliases)})" if entry.aliases else ""
            print(f"  {entry.name:<15} {entry.summary}{aliases}")
            if entry.source:
                print(f"  {'':<15} {entry.source}")
        print()
