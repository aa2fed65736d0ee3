"""Pictures of the tab that predicts a PET, and of its views: ``Docs/pictures/synthesis-*.png``.

A model is trained on made heads and tried on one that it has not seen, by the buttons of the panel.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parent)]

from screenshots_png import write_small  # noqa: E402 - after the path is set
from screenshots_scene import HOST, PANEL_WIDTH, ROOT, WINDOW  # noqa: E402

from PyPeTLib.phantom.pairs import make_pairs  # noqa: E402
from PyPeTLib.synthesis import SynthesisOptions, fit, save_model  # noqa: E402
from PyPeTSlicer.nodes import image_of, matrix_of  # noqa: E402

FOLDER = ROOT / "Docs" / "pictures"

EDGE, MARGIN = 28, 16
"""Pixels: outside the first lies the frame of the tabs, and the second are left below what they hold."""


def main() -> int:
    """Make all pictures."""
    made = pictures()
    for name, picture in made.items():
        size = write_small(FOLDER / name, picture)
        print(f"{name} {picture.shape[1]}x{picture.shape[0]}, {size // 1000} kB")
    return 0


def pictures():
    """The tab before and after a run, beside each other, and the views."""
    pairs = make_pairs(seed=0)
    (fitted,) = fit((one.subject for one in pairs.train()), SynthesisOptions(patches=64))
    # the first of them has a lesion that MRI shows
    shown = next(one for one in pairs.test() if not one.silent)
    HOST.reset()
    HOST.open_views(WINDOW)
    panel = HOST.open_widget(HOST.load_module(ROOT / "PyPeT" / "PyPeT.py"))
    panel.ui.partsTabs.currentIndex = 1
    ui = next(part for part in panel.sections if part.UI == "Synthesis").ui
    pet = add(shown.subject)
    # the picture shows no folder of this machine
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        save_model("phantom-model.npz", fitted.model)
        ui.modelPathEdit.currentPath = "phantom-model.npz"
        ui.byNamesButton.click()
        ui.realPetSelector.setCurrentNode(pet)
        HOST.process_events()
        before = tab(panel)
        ui.predictButton.click()
        HOST.process_events(50)
        HOST.assert_no_exceptions()
        after = tab(panel)
        views = HOST.layout_picture()
        HOST.close_widget(panel)
        HOST.reset()
    height = max(before.shape[0], after.shape[0])
    both = [np.pad(one, ((0, height - one.shape[0]), (0, 0), (0, 0)), mode="edge") for one in (before, after)]
    return {"synthesis-tab.png": np.concatenate(both, axis=1), "synthesis-compared.png": views}


def tab(panel):
    """The panel down to the end of the tab."""
    picture = HOST.panel_picture(panel, width=PANEL_WIDTH)
    inside = picture[:, EDGE:-EDGE].reshape(len(picture), -1, 3)
    # empty rows, and the frame's lower edge, have one colour
    drawn = np.flatnonzero((inside != inside[:, :1]).any(axis=(1, 2)))
    return picture[: drawn[-1] + MARGIN]


def add(subject):
    """The contrasts of a subject and its PET as volumes of the scene; returns the PET."""
    import slicer  # noqa: PLC0415 - the host provides it

    grid = subject.orientation.native
    images = {**subject.contrasts, "PET": subject.pet}
    nodes = {}
    for name, values in images.items():
        node = nodes[name] = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", f"Phantom {name}")
        node.SetAndObserveImageData(image_of(np.float32(subject.orientation.to_native(values))))
        node.SetIJKToRASMatrix(matrix_of(grid))
        node.CreateDefaultDisplayNodes()
    return nodes["PET"]


if __name__ == "__main__":
    sys.exit(main())
