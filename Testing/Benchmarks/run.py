"""All benchmarks: speed, memory and accuracy as Markdown tables, the program behind ``make benchmark``.

examples:
  python Testing/Benchmarks/run.py --only speed --runs 3
  python Testing/Benchmarks/run.py --only accuracy --seeds 0 1 2 3 4 --out figures.md
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import accuracy
import machine
import recovery
import reference_object
import slicer_side
import speed

PARTS = ("speed", "slicer", "accuracy", "tiles", "dro")


def tables(arguments: argparse.Namespace) -> Iterator[str]:
    """The tables asked for, each as soon as it is there."""
    yield machine.report()
    if "speed" in arguments.only:
        yield from speed.report(arguments.runs)
    if "slicer" in arguments.only:
        yield slicer_side.report(arguments.runs)
    if "accuracy" in arguments.only:
        yield from accuracy.report(arguments.seeds)
    if "tiles" in arguments.only:
        yield from recovery.report()
    if "dro" in arguments.only:
        yield reference_object.report()


def at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts to run (default: all)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="heads for the accuracy")
    parser.add_argument("--runs", type=at_least_one, default=5, help="runs of each case for the speed")
    parser.add_argument("--out", type=Path, help="file to append the tables to")
    arguments = parser.parse_args()
    start = time.perf_counter()

    def tell(text: str) -> None:
        print(text, end="\n\n", flush=True)
        if arguments.out is not None:
            with arguments.out.open("a", encoding="utf-8") as file:
                file.write(f"{text}\n\n")

    for table in tables(arguments):
        tell(table)
    minutes = (time.perf_counter() - start) / 60
    tell(f"Benchmark of {minutes:.1f} minutes; load at its end (1 / 5 / 15 min): {machine.load()}.")


if __name__ == "__main__":
    main()
