"""All figures of a run as PNG files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from PyPeTLib.errors import InputError
from PyPeTLib.execution import Execution
from PyPeTLib.lesions import Lesions
from PyPeTLib.pipeline import PipelineResult
from PyPeTLib.report.artery import aif_figure
from PyPeTLib.report.curves import bolus_figure, motion_figure
from PyPeTLib.report.lesions import lesion_page
from PyPeTLib.report.montages import BrainSlices, map_page, mask_page, summary_page
from PyPeTLib.report.mosaic import Pixels
from PyPeTLib.report.page import write_png

Drawing = tuple[str, Callable[[], Pixels]]


def write_figures(
    result: PipelineResult, folder: Path, execution: Execution | None = None, lesions: Lesions | None = None
) -> list[Path]:
    """Write the figures of a run: the maps, a summary, the brain mask, the lesions, the bolus, the AIF and the motion.

    Slices are shown in radiological convention: the patient's right on the viewer's left, the front up. The same
    result gives the same bytes.

    Parameters
    ----------
    result : PipelineResult
    folder : Path
        Made if it does not exist; figures of the same names are replaced.
    execution : Execution, optional
        Threads, progress and cancellation.
    lesions : Lesions, optional
        Of this run, on the grid of its maps. Their page is drawn only if they are given.

    Returns
    -------
    list of Path
        ``cbf.png`` and so on for each map, ``summary.png``, ``mask.png``, with lesions
        ``lesions.png``, ``bolus.png``, ``aif.png``, ``motion.png``.

    Raises
    ------
    InputError
        If the folder or a figure cannot be written.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"the folder {folder} for figures cannot be made: {error.strerror or error}") from error
    brain = BrainSlices.on(result.series.grid, result.on_input_grid(result.brain.mask))
    slices: list[Drawing] = [(name, partial(_map, result, name, brain)) for name in result.maps]
    slices += [("summary", lambda: summary_page(result, brain).pixels), ("mask", lambda: mask_page(result).pixels)]
    if lesions is not None:
        slices.append(("lesions", partial(lesion_page, result, lesions, brain)))
    curves: list[Drawing] = [
        ("bolus", lambda: bolus_figure(result)),
        ("aif", lambda: aif_figure(result)),
        ("motion", lambda: motion_figure(result)),
    ]

    def write(drawings: Iterable[Drawing]) -> None:
        for name, draw in drawings:
            write_png(folder / f"{name}.png", draw())

    # What several threads need is imported before they start. matplotlib's figures are not made for threads, so one
    # thread draws all of them, and begins first because importing them takes longest.
    import matplotlib as mpl  # noqa: F401, PLC0415 - slow to import, and only figures need it
    from PIL import ImageDraw, ImageFont, PngImagePlugin  # noqa: F401, PLC0415 - likewise

    (execution or Execution()).map(write, [curves, *([drawing] for drawing in slices)])
    return [folder / f"{name}.png" for name, _ in (*slices, *curves)]


def _map(result: PipelineResult, name: str, brain: BrainSlices) -> Pixels:
    return map_page(result, name, brain).pixels
