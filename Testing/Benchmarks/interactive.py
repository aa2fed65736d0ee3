"""How long the module takes to answer: after a correction, and when the mouse moves while curves are read.

As a program, run in an environment with slicer-core, it measures both in the host and prints them as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ".venv-slicer-*/bin/python"
READINGS = 200
METHODS_MEASURED = ("osvd", "bsvd", "tikhonov", "tikhonov gcv", "box-nlr", "gamma-bayes", "gamma-bayes-spatial")
"""A word after the name is the rule of regularisation."""


HEADS = {"ctp": "CTP 200×200×23×45", "dsc": "DSC 128×128×20×60"}


def report() -> str:
    """The tables of the newest environment with slicer-core that `make test` has made."""
    from layout import markdown_table, median_and_range  # noqa: PLC0415 - the program needs none of these
    from processes import measured  # noqa: PLC0415

    title = "## Speed: corrections and curves in the module\n\n"
    pythons = sorted(ROOT.glob(ENVIRONMENTS), reverse=True)
    if not pythons:
        return f"{title}Not measured: there is no environment with slicer-core; `make test` makes them."
    found = json.loads(measured([str(pythons[0]), __file__]).printed)
    version = pythons[0].parts[-3].removeprefix(".venv-slicer-")
    reruns = markdown_table(
        ("change", *(f"{title}, s" for title in HEADS.values()), "stages that run"),
        [
            (
                change,
                *(median_and_range(found["reruns"][kind][change]["seconds"]) for kind in HEADS),
                ", ".join(found["reruns"]["ctp"][change]["stages"]) or "none",
            )
            for change in found["reruns"]["ctp"]
        ],
    )
    probe = markdown_table(
        ("method", "library: median, ms", "95 %, ms", "host: median, ms", "95 %, ms", "first reading, ms"),
        [
            (method, *(f"{value:.1f}" for side in ("library", "host") for value in one[side]), f"{one['first']:.0f}")
            for method, one in found["probe"].items()
        ],
    )
    return (
        f"{title}In the headless host (slicer-core {version}). From the change of a run's input until all nodes are "
        "written; median (range) of 5 corrections of each kind, each unlike the one before.\n\n"
        f"{reruns}\n\nCurves at the mouse: CTP head, {READINGS} random voxels of the brain. Library: all curves, the "
        "response and the values of all maps. Host: from the event of the mouse until all tables have changed; drawing "
        f"is not in it. The first reading also arranges tables and charts.\n\n{probe}"
    )


def latencies(result, rng: np.random.Generator, n: int = READINGS) -> np.ndarray:
    """Milliseconds that the readings of ``n`` random analysed voxels take."""
    from PyPeTLib.probing import Probe  # noqa: PLC0415 - after the path is set

    probe = Probe.of(result)
    return np.array([_timed(lambda place=place: probe.at(place)) for place in places(result, rng, n)])


def places(result, rng: np.random.Generator, n: int) -> list[tuple[float, float, float]]:
    """Centres of random analysed voxels in RAS mm."""
    voxels = np.argwhere(result.analysed)
    voxels = voxels[rng.choice(len(voxels), n)]
    return [tuple((result.working.affine @ [*voxel, 1.0])[:3]) for voxel in voxels]


def _timed(work) -> float:
    start = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - start)


def host_latencies(run, rng: np.random.Generator, n: int = READINGS) -> np.ndarray:
    """Milliseconds from the event of the mouse until all tables have changed."""
    import slicer  # noqa: PLC0415 - there is one only in the program

    from PyPeTSlicer.probe import MOUSE, Probing  # noqa: PLC0415

    crosshair = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    probing = Probing(run)
    probing.follow(MOUSE)
    try:
        return np.array(
            [
                _timed(lambda place=place: crosshair.SetCursorPositionRAS(place))
                for place in places(run.result, rng, n + 1)
            ]
        )
    finally:
        probing.close()


def main() -> None:
    """Measure corrections and readings in the host and print the figures."""
    sys.path[:0] = [str(ROOT / folder) for folder in ("Testing", "PyPeT", ".", "Testing/Benchmarks")]
    from host import Host  # noqa: PLC0415 - the host has to be started before the module's helpers are imported

    host = Host.start()
    host.load_module(ROOT / "PyPeT" / "PyPeT.py")
    import reruns  # noqa: PLC0415

    figures: dict[str, dict] = {"reruns": {}, "probe": {}}
    for kind in reversed(HEADS):
        host.clear_scene()
        logic, parameters = _begun(kind)
        figures["reruns"][kind] = reruns.measured(logic, parameters)
    host.clear_scene()
    logic, parameters = _begun("ctp")
    for method in METHODS_MEASURED:
        name, _, rule = method.partition(" ")
        parameters.method = name
        parameters.advanced = json.dumps({"deconvolution": {"regularisation": rule}}) if rule else ""
        logic.process(parameters)
        run = logic.session.run_of(parameters.inputSequence)
        library = latencies(run.result, np.random.default_rng(1))
        shown = host_latencies(run, np.random.default_rng(1))
        figures["probe"][method] = {
            "library": [float(np.median(library)), float(np.percentile(library, 95))],
            "host": [float(np.median(shown[1:])), float(np.percentile(shown[1:], 95))],
            "first": float(shown[0]),
        }
    print(json.dumps(figures))


def _begun(kind: str):
    """A logic and its parameters, with the head of a kind as the series."""
    from PyPeTSlicer.sample_data import add_phantom  # noqa: PLC0415 - the host has started

    logic = sys.modules["PyPeT"].PyPeTLogic()
    parameters = logic.getParameterNode()
    parameters.inputSequence = add_phantom(kind, "Head", seed=0)
    logic.adopt(parameters)
    logic.setDefaults(parameters)
    return logic, parameters


if __name__ == "__main__":
    main()
