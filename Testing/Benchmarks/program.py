"""What the two programs behind ``make benchmark`` and ``make validate`` share: parts, options, where tables go."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import machine
from document import replace_block

Part = Callable[[argparse.Namespace], Iterator[str]]
"""Makes the tables of one part, each as soon as it is there."""


def at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def run(name: str, description: str, parts: Mapping[str, Part], *, runs: int) -> None:
    """Print the parts asked for and, if there is a document, put each into its block there.

    The blocks are named after the parts; ``NAME-machine`` is that of the machine.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=parts, default=list(parts), help="parts to run (default: all)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of heads; elsewhere the first is used")
    parser.add_argument("--runs", type=at_least_one, default=runs, help="runs of each case for the speed")
    parser.add_argument("--out", type=Path, help="document whose marked blocks are replaced")
    arguments = parser.parse_args()
    start = time.perf_counter()
    told = machine.report(f"make {name}")
    _tell(told)
    for part, make in parts.items():
        if part not in arguments.only:
            continue
        tables = []
        for table in make(arguments):
            _tell(table)
            tables.append(table)
        if arguments.out is not None:
            replace_block(arguments.out, part, "\n\n".join(tables))
    minutes = (time.perf_counter() - start) / 60
    last = f"`make {name}` took {minutes:.1f} minutes; load at its end (1 / 5 / 15 min): {machine.load()}."
    _tell(last)
    if arguments.out is not None:
        replace_block(arguments.out, f"{name}-machine", f"{told}\n\n{last}")


def _tell(text: str) -> None:
    print(text, end="\n\n", flush=True)
