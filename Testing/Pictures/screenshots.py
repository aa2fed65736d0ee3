"""Pictures of the Slicer module from the headless host, for the README and the extension: ``make pictures``.

Everything shown is what the module made of its own CTP phantom: the panel after a run, the five maps side by side, the
segments on the series, and the plot of the arterial input function.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / folder) for folder in ("Testing", "PyPeT", ".")]

from host import Host  # noqa: E402 - after the path is set

HOST = Host.start()

from host.plot_view import plot_picture  # noqa: E402 - after the host has started
from host.views import SliceView, write_png  # noqa: E402
from PyPeTLib.phantom import make_head  # noqa: E402
from PyPeTSlicer.sequences import proxy_of  # noqa: E402

FOLDER = ROOT / "Resources" / "Screenshots"
SEED = 0
TILE = 330
"""Height of a slice view in pixels; maps get room for their legend beside."""


def main() -> int:
    """Make all pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    panel = HOST.open_widget(HOST.load_module(ROOT / "PyPeT" / "PyPeT.py"))
    from PyPeTSlicer.sample_data import PHANTOMS  # noqa: PLC0415 - after the module is loaded

    panel._parameterNode.inputSequence = PHANTOMS["PyPeT CTP phantom"]()
    panel.ui.runButton.click()
    parameters = panel._parameterNode
    height = lesion_height()
    save_panel(panel)
    volumes = [getattr(parameters, f"{name}Volume") for name in ("cbf", "cbv", "mtt", "ttp", "tmax")]
    parameters.segmentation.GetDisplayNode().SetVisibility(False)
    write_png(FOLDER / "maps.png", np.concatenate([axial(volume, height, 480) for volume in volumes], axis=1))
    parameters.segmentation.GetDisplayNode().SetVisibility(True)
    series = proxy_of(parameters.inputSequence)
    series.GetDisplayNode().AutoWindowLevelOff()
    series.GetDisplayNode().SetWindowLevelMinMax(-20, 120)
    artery = artery_place(parameters)
    write_png(FOLDER / "segments.png", np.concatenate([axial(series, height), close_up(series, artery)], axis=1))
    chart = parameters.segmentation.GetNodeReference("PyPeT.Chart")
    write_png(FOLDER / "aif.png", plot_picture(chart, (760, 440)))
    HOST.assert_no_exceptions()
    print(f"written to {FOLDER}")
    return 0


def save_panel(panel) -> None:
    """The panel as a user sees it, all of it."""
    panel.ui.outputsSection.collapsed = False
    panel.parent.resize(560, 10)
    panel.parent.show()
    HOST.process_events()
    panel.parent.resize(560, panel.parent.sizeHint.height())
    HOST.process_events()
    panel.parent.grab().save(str(FOLDER / "panel.png"))


def axial(volume, height: float, width: int = TILE):
    """An axial slice at a height in mm, as Slicer draws it."""
    view = SliceView(HOST, f"View{volume.GetID()}{height:g}", (width, TILE))
    view.show(volume, offset=height)
    picture = view.picture()
    view.close()
    return picture


def lesion_height() -> float:
    """Height in mm of the slice with most of the phantom's lesion."""
    head = make_head("ctp", seed=SEED)
    slices = (head.masks["core"] | head.masks["penumbra"]).sum(axis=(0, 1))
    return float((head.series.affine @ [0, 0, int(slices.argmax()), 1])[2])


def close_up(volume, place):
    """The surroundings of a place in mm, enlarged."""
    view = SliceView(HOST, "CloseUp", (4 * TILE, 4 * TILE))
    view.show(volume, offset=place[2])
    picture = view.picture()
    column, row = (int(value) for value in view.pixel_of(place)[:2])
    view.close()
    top, left = (min(max(at - TILE // 2, 0), 3 * TILE) for at in (row, column))
    return picture[top : top + TILE, left : left + TILE]


def artery_place(parameters):
    """A place in RAS mm in the slice with most of the arterial input function's voxels."""
    import slicer  # noqa: PLC0415 - the host provides it

    from PyPeTSlicer.sequences import grid_of  # noqa: PLC0415

    mask = slicer.util.arrayFromSegmentBinaryLabelmap(parameters.segmentation, "AIF", parameters.cbfVolume).T
    slices = mask.sum(axis=(0, 1))
    inside = np.argwhere(mask)
    first = inside[inside[:, 2] == slices.argmax()][0]
    return (grid_of(parameters.cbfVolume).affine @ [*first, 1.0])[:3]


if __name__ == "__main__":
    sys.exit(main())
