"""How time and memory of a whole process grow with the number of voxels and of frames."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from layout import markdown_table
from processes import Usage, measured
from speed import MODULE

from PyPeTLib.execution import Execution
from PyPeTLib.phantom import make_head, write_phantom

FACTORS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Of the size of the CT head, 200×200×23 voxels and 45 frames in 45 s."""

SIDE, N_FRAMES, SECONDS = 200, 45, 45.0
PICTURE = "scaling.png"


def report(runs: int, folder: Path | None) -> Iterator[str]:
    """The table, and beside a document its plot in the folder of pictures."""
    rows, grown = [], {}
    for axis in ("voxels", "frames"):
        found = [_median(axis, factor, runs) for factor in FACTORS]
        grown[axis] = [usage.seconds for _, usage in found]
        for factor, (size, usage) in zip(FACTORS, found, strict=True):
            rows.append((axis, f"{factor:g}", size, f"{usage.seconds:.2f}", f"{usage.peak / 1e9:.2f}"))
    told = ""
    if folder is not None:
        draw(grown, folder / PICTURE)
        told = f"\n\n![Time over size](pictures/{PICTURE})"
    slopes = "; ".join(f"{axis} {_power(times):.2f}" for axis, times in grown.items())
    yield (
        "## Speed: growth\n\n"
        "`python -m PyPeTLib run FILE OUT --no-figures` on CT heads that differ in size (int16 `.nii.gz`), "
        f"median of {runs}. The voxels grow in the plane (the field of view stays, so lesions and vessels do), the "
        "frames in time (the scan stays 45 s long). Power of the size with which the time grows from the middle to "
        f"the largest, the start of Python taken off: {slopes}.\n\n"
        + markdown_table(("what grows", "factor", "size", "wall time, s", "peak memory, GB"), rows)
        + told
    )


def _median(axis: str, factor: float, runs: int) -> tuple[str, Usage]:
    """Size of a case in words, and its median usage."""
    side = round(SIDE * np.sqrt(factor)) if axis == "voxels" else SIDE
    n_frames = max(8, round(N_FRAMES * factor)) if axis == "frames" else N_FRAMES
    with tempfile.TemporaryDirectory(prefix="pypet-benchmark-") as name:
        head = make_head(
            "ctp",
            shape=(side, side, 23),
            spacing=(SIDE / side, SIDE / side, 5.0),
            n_frames=n_frames,
            dt=SECONDS / n_frames,
            execution=Execution(),
        )
        file = write_phantom(head, Path(name), "head_ctp")
        del head
        usages = []
        for _ in range(runs):
            usages.append(measured([*MODULE, str(file), f"{name}/maps", "--quiet", "--no-figures"]))
            shutil.rmtree(f"{name}/maps")
    middle = sorted(usages, key=lambda usage: usage.seconds)[len(usages) // 2]
    return f"{side}×{side}×23×{n_frames}", middle


def _power(times: Sequence[float]) -> float:
    """Exponent of the growth over the upper half, without what the smallest case takes already."""
    middle = len(FACTORS) // 2
    grown = np.array(times[middle:]) - times[0]
    return float(np.polyfit(np.log(FACTORS[middle:]), np.log(np.maximum(grown, 1e-3)), 1)[0])


def draw(grown: dict[str, list[float]], path: Path) -> None:
    """Time over size on logarithmic axes, with a line of linear growth."""
    import matplotlib as mpl  # noqa: PLC0415 - only where a picture is wanted

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 - as above

    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for (axis, times), marker in zip(grown.items(), "os", strict=True):
        axes.loglog(FACTORS, times, marker=marker, label=f"more {axis}")
    start = grown["voxels"][FACTORS.index(1.0)]
    axes.loglog(FACTORS, [start * factor for factor in FACTORS], "k:", label="linear")
    axes.set_xlabel("size relative to 200×200×23×45")
    axes.set_ylabel("whole process, s")
    axes.set_xticks(FACTORS, [f"{factor:g}" for factor in FACTORS])
    axes.minorticks_off()
    axes.grid(visible=True, which="major", alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=100, metadata={"Software": None})
    plt.close(figure)
