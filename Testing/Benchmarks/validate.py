"""What each deconvolution method makes of known truth, as Markdown tables, the program behind ``make validate``.

examples:
  python Testing/Benchmarks/validate.py --only kudo gradients
  python Testing/Benchmarks/validate.py --only healthy --seeds 0 1 2 3 4 --out Docs/validation.md
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from concurrent.futures import Executor

import calibration
import comparison
import degradations
import denoising
import files
import gradients
import heads
import healthy
import kudo
import lesions
import masks
import method_speed
import motion
import moved
import program
import recovery
import reference_object
import synthesis_accuracy
import tissue
from cases import workers


def shared(make: Callable[[Executor, argparse.Namespace], Iterator[str]]) -> program.Part:
    """A part whose jobs are shared by several processes."""

    def part(arguments: argparse.Namespace) -> Iterator[str]:
        with workers() as pool:
            yield from make(pool, arguments)

    return part


PARTS: dict[str, program.Part] = {
    "method-speed": lambda arguments: method_speed.report(arguments.runs),
    "dro": lambda arguments: iter([reference_object.report()]),
    "kudo": shared(lambda pool, arguments: kudo.report(pool, arguments.seeds)),
    "gradients": shared(lambda pool, arguments: gradients.report(pool, arguments.seeds)),
    "heads": shared(lambda pool, arguments: heads.report(pool, arguments.seeds)),
    "healthy": shared(lambda pool, arguments: healthy.report(pool, arguments.seeds)),
    "moved": shared(lambda pool, arguments: moved.report(pool, arguments.seeds)),
    "motion": shared(lambda pool, arguments: motion.report(pool, arguments.seeds)),
    "denoising": shared(lambda pool, arguments: denoising.report(pool, arguments.seeds)),
    "tiles": shared(lambda pool, arguments: recovery.report(pool)),
    "calibration": shared(lambda pool, arguments: calibration.report(pool, arguments.seeds)),
    "masks": shared(lambda pool, arguments: masks.report(pool, arguments.seeds)),
    "tissue": shared(lambda pool, arguments: tissue.report(pool, arguments.seeds)),
    "lesions": shared(lambda pool, arguments: lesions.report(pool, arguments.seeds)),
    "degradations": shared(lambda pool, _: degradations.report(pool)),
    "comparison": shared(lambda pool, _: comparison.report(pool)),
    "synthesis": shared(lambda pool, _: synthesis_accuracy.report(pool)),
    "files": lambda arguments: files.report(arguments.seeds[0]),
}

if __name__ == "__main__":
    program.run("validate", __doc__, PARTS, runs=method_speed.RUNS)
