"""Pictures of the colour schemes, as the headless host draws them: ``Resources/Screenshots/colour-tables.png``.

The CBF map of a CTP phantom in each scheme, below it Tmax in the bands of the scheme, each with its legend; and CBF
relative to its mean.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / folder) for folder in ("Testing", "PyPeT", ".")]

from host import Host  # noqa: E402 - after the path is set

HOST = Host.start()

from host.views import SliceView, write_png  # noqa: E402 - after the host has started
from PyPeTLib.phantom import make_head  # noqa: E402
from PyPeTSlicer.colours import SCHEMES, restyle  # noqa: E402
from PyPeTSlicer.sample_data import add_series  # noqa: E402

PICTURE = ROOT / "Resources" / "Screenshots" / "colour-tables.png"
TILE = (460, 330)
"""Width and height in pixels."""


def main() -> int:
    """Make the picture."""
    head = make_head("ctp", seed=0)
    outputs = maps_of(head)
    slices = (head.masks["core"] | head.masks["penumbra"]).sum(axis=(0, 1))
    height = float((head.series.affine @ [0, 0, int(slices.argmax()), 1])[2])
    outputs.segmentation.GetDisplayNode().SetVisibility(False)
    columns = []
    for scheme in SCHEMES:
        shown = [outputs.volumes["cbf"], outputs.volumes["tmax"]]
        restyle(shown, scheme)
        columns.append(np.concatenate([tile(volume, height) for volume in shown]))
    relative = tile(outputs.relative["cbf"], height)
    columns.append(np.concatenate([relative, tile(outputs.volumes["cbv"], height)]))
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    write_png(PICTURE, np.ascontiguousarray(np.concatenate(columns, axis=1)))
    HOST.assert_no_exceptions()
    print(f"written to {PICTURE}")
    return 0


def maps_of(head):
    """The maps of a run on a head, and their relative maps."""
    logic = HOST.load_module(ROOT / "PyPeT" / "PyPeT.py").PyPeTLogic()
    parameters = logic.getParameterNode()
    parameters.inputSequence = add_series(head.series, "Head")
    logic.adopt(parameters)
    logic.setDefaults(parameters)
    parameters.relative = True
    return logic.process(parameters)


def tile(volume, height):
    """An axial slice at a height in mm, with its legend."""
    view = SliceView(HOST, f"View{volume.GetID()}", TILE)
    view.show(volume, offset=height)
    picture = view.picture()
    view.close()
    return picture


if __name__ == "__main__":
    sys.exit(main())
