"""The ``pypet`` command: `run`, `batch`, `compare` and so on, each in a module of its own.

Modules of the library are imported when a command runs, so that ``pypet --help`` answers at once.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence

from PyPeTLib.cli import batch, compare, demo, list_series, methods, phantom, presets, run, synthesis, territories
from PyPeTLib.errors import InputError
from PyPeTLib.version import __version__

OK, FAULT, BAD_USE, INTERRUPTED = 0, 1, 2, 130

COMMANDS = (run, batch, list_series, compare, territories, synthesis, presets, demo, phantom, methods)


def parser() -> argparse.ArgumentParser:
    """The command line with all its commands."""
    top = argparse.ArgumentParser(
        prog="pypet",
        description="Quantitative brain perfusion maps from CT perfusion and DSC-MRI. Research use only.",
        epilog="Try 'pypet demo', then look into demo-output. 'pypet COMMAND --help' shows examples.",
    )
    top.add_argument("--version", action="version", version=f"PyPeT {__version__}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_parser(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 2 for bad use or input, 1 for a fault of PyPeT."""
    options = parser().parse_args(arguments)
    return guarded(lambda: options.execute(options))


def guarded(command: Callable[[], None]) -> int:
    """Run a command, print what goes wrong, and return the exit code."""
    # a polite end (SIGTERM) cleans up as Ctrl-C does
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        command()
    except InputError as error:
        print(f"pypet: error: {error}", file=sys.stderr)
        return BAD_USE
    except BrokenPipeError:
        # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except KeyboardInterrupt:
        print("pypet: interrupted", file=sys.stderr)
        return INTERRUPTED
    except Exception:  # noqa: BLE001 - the last line of defence: a fault is told from bad input by its exit code
        traceback.print_exc()
        print("pypet: this is a fault of PyPeT, not of your input; please report the lines above", file=sys.stderr)
        return FAULT
    return OK
