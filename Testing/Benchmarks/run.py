"""Speed, memory and accuracy of the whole pipeline as Markdown tables, the program behind ``make benchmark``.

examples:
  python Testing/Benchmarks/run.py --only speed --runs 3
  python Testing/Benchmarks/run.py --only accuracy --seeds 0 1 2 3 4
"""

from __future__ import annotations

import accuracy
import program
import slicer_side
import speed

PARTS: dict[str, program.Part] = {
    "speed": lambda arguments: speed.report(arguments.runs),
    "slicer": lambda arguments: iter([slicer_side.report(arguments.runs)]),
    "accuracy": lambda arguments: accuracy.report(arguments.seeds),
}

if __name__ == "__main__":
    program.run("benchmark", __doc__, PARTS, runs=5)
