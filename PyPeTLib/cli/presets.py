"""``pypet presets``: the presets that come with PyPeT, and what they hold."""

from __future__ import annotations

import argparse
import textwrap
from typing import Any

EXAMPLES = """\
examples:
  pypet presets
  pypet presets show dsc-tumour > mine.toml     (change it, then: pypet run SERIES OUT --preset mine.toml)
"""

_WIDTH = 100


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "presets",
        help="list presets: the options for one purpose",
        description="List the presets that 'pypet run --preset NAME' takes, each with what it is for and its sources.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(execute=execute)
    actions = parser.add_subparsers(metavar="ACTION")
    show = actions.add_parser("show", help="print a preset as TOML", description="Print a preset as TOML.")
    show.add_argument("preset", metavar="NAME", help="its name, or a TOML file")
    show.set_defaults(execute=execute_show)


def execute(options: argparse.Namespace) -> None:  # noqa: ARG001 - every command takes its options
    """Print all presets with summary and sources."""
    from PyPeTLib.presets import presets  # noqa: PLC0415 - keeps `pypet --help` quick

    for preset in presets():
        print(f"{preset.name} ({preset.modality}): {preset.title}")
        print(
            textwrap.fill(preset.summary, _WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
        )
        for source in preset.sources:
            print(f"    {source}")
        print()


def execute_show(options: argparse.Namespace) -> None:
    """Print the TOML of a preset, if it is one."""
    from PyPeTLib.presets import preset_text, read_preset  # noqa: PLC0415 - keeps `pypet --help` quick

    read_preset(options.preset)
    print(preset_text(options.preset), end="")
