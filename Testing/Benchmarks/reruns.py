"""How long a run in the module takes after a correction: what changes, what runs again, and the time until the nodes.

Only usable where the host has started; see `interactive`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

REPEATS = 5


def corrections(logic: Any, parameters: Any) -> dict[str, Callable[[int], None]]:
    """Name to a function that makes another correction of that kind each time, by its number."""
    from PyPeTSlicer import segments, steering  # noqa: PLC0415 - the host has started
    from PyPeTSlicer.review import candidates  # noqa: PLC0415

    subject = logic.subject(parameters)
    candidates.keep(subject)
    count = candidates.count(subject)
    orientation = subject.result.series.orientation
    brain = subject.result.on_input_grid(subject.result.brain.mask)
    rng = np.random.default_rng(0)
    inside = np.argwhere(brain)[rng.choice(int(brain.sum()), REPEATS)]
    places = (inside @ orientation.ras.affine[:3, :3].T + orientation.ras.affine[:3, 3]).tolist()

    def paint(number: int) -> None:
        mask = brain.copy()
        mask[..., : number + 1] = False
        segments.give_segment(subject.segmentation, "Brain", mask, orientation)

    def choose(name: str, values: tuple[Any, Any]) -> Callable[[int], None]:
        return lambda number: setattr(parameters, name, values[number % 2])

    methods = (parameters.method, "bsvd")
    return {
        "nothing": lambda _number: None,
        "another candidate as artery": lambda number: steering.artery_of_candidate(
            parameters, logic.subject(parameters), number % min(2, count)
        ),
        "a click as artery": lambda number: steering.artery_at(
            parameters, logic.subject(parameters), places[number % REPEATS], 3.0
        ),
        "another method (osvd, bsvd)": choose("method", (methods[1], methods[0])),
        "another smoothing": choose("smoothing", (parameters.smoothing + 0.5, parameters.smoothing)),
        "an edited brain mask": paint,
        "motion correction off, on": choose("correctMotion", (False, True)),
    }


def measured(logic: Any, parameters: Any) -> dict[str, dict[str, Any]]:
    """Seconds of each repetition and the stages that ran, by correction; the first run is among them."""
    start = time.perf_counter()
    logic.process(parameters)
    figures = {"the first run": {"seconds": [time.perf_counter() - start], "stages": logic.session.memory.ran}}
    for name, change in corrections(logic, parameters).items():
        seconds = []
        for number in range(REPEATS):
            change(number)
            start = time.perf_counter()
            logic.process(parameters)
            seconds.append(time.perf_counter() - start)
        figures[name] = {"seconds": seconds, "stages": logic.session.memory.ran}
    return figures
