"""Speed, memory and accuracy of the whole pipeline as Markdown tables, the program behind ``make benchmark``.

examples:
  python Testing/Benchmarks/run.py --only speed --runs 3
  python Testing/Benchmarks/run.py --only accuracy --seeds 0 1 2 3 4
"""

from __future__ import annotations

from pathlib import Path

import accuracy
import interactive
import program
import scaling
import slicer_side
import speed
import study
import synthesis_speed
import whole_brain

PARTS: dict[str, program.Part] = {
    "speed": lambda arguments: speed.report(arguments.runs),
    "scaling": lambda arguments: scaling.report(min(3, arguments.runs), _pictures(arguments.out)),
    "study": lambda _: study.report(1),
    "whole-brain": lambda _: whole_brain.report(),
    "slicer": lambda arguments: iter([slicer_side.report(arguments.runs)]),
    "interactive": lambda _: iter([interactive.report()]),
    "synthesis-speed": lambda arguments: synthesis_speed.report(min(3, arguments.runs)),
    "accuracy": lambda arguments: accuracy.report(arguments.seeds),
}


def _pictures(document: Path | None) -> Path | None:
    """The folder of pictures beside a document, if there is one."""
    return None if document is None else document.parent / "pictures"


if __name__ == "__main__":
    program.run("benchmark", __doc__, PARTS, runs=5)
