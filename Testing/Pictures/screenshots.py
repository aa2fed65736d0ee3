"""Pictures of the Slicer module from the headless host, for the user guide, the README and the extension.

``make screenshots`` writes all of them to ``Resources/Screenshots``, and those of `screenshots_synthesis` to
``Docs/pictures``. Everything shown is what the module made of head phantoms, in the full size of the sample data, by
the buttons of its panel: the panel itself in both themes, each step of a review for CT and MR, curves at places,
another artery by a click, and comparisons with maps by another method.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parent)]

import screenshots_synthesis  # noqa: E402 - after the path is set
from screenshots_list import COMPARED, KINDS, OWN_PLACE, PICTURES, STEP_FRAMES, review_picture  # noqa: E402
from screenshots_png import write_small  # noqa: E402
from screenshots_scene import HOST, ROOT, Scene  # noqa: E402

from PyPeTLib.config import PipelineConfig  # noqa: E402
from PyPeTLib.geometry import Grid  # noqa: E402
from PyPeTLib.maps import QUANTITIES  # noqa: E402
from PyPeTLib.phantom import RigidMotion  # noqa: E402
from PyPeTLib.pipeline import run_pipeline  # noqa: E402
from PyPeTSlicer.nodes import image_of, matrix_of  # noqa: E402

FOLDER = ROOT / "Resources" / "Screenshots"

MOVED = RigidMotion(drift_mm=1.0, drift_degrees=1.0, jump_mm=4.0, jump_degrees=4.0, jumps=2)
"""How the head moves of which the step Motion is shown."""

FAULTS = {"ct": {"blank-frames": 2.0}, "mr": {}}
"""What else is wrong with these series."""

COARSER = 2
"""In-plane size of a reference's voxels, in those of the series."""

OTHER_METHOD = "tikhonov"
"""Which makes the references."""


def main() -> int:
    """Make all pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in PICTURES:
        (FOLDER / name).unlink(missing_ok=True)
    for modality, kind in KINDS.items():
        scene = Scene(modality)
        scene.run()
        panels(scene, kind)
        steps(scene, kind)
        probed(scene, kind)
        compared(scene, kind)
        corrected(scene, kind)
        scene.close()
        moved(modality, kind)
    screenshots_synthesis.main()
    HOST.assert_no_exceptions()
    missing = [name for name in PICTURES if not (FOLDER / name).exists()]
    if missing:
        raise RuntimeError(f"not made: {', '.join(missing)}")
    print(f"written to {FOLDER}")
    return 0


def save(name: str, picture) -> None:
    """Write a picture."""
    if name not in PICTURES:
        raise ValueError(f"{name} is not in the list of pictures")
    print(f"{name} {picture.shape[1]}x{picture.shape[0]}, {write_small(FOLDER / name, picture) // 1000} kB")


def panels(scene: Scene, kind: str) -> None:
    """The panel after a run, in both themes for CT; for MR its upper part, which has more inputs."""
    scene.open_sections("inputsSection", "processingSection", "reviewSection")
    if kind == "mr":
        save("panel-mr.png", scene.panel_picture())
        return
    save("panel-light.png", scene.panel_picture())
    save("panel-dark.png", scene.panel_picture(dark=True))


def steps(scene: Scene, kind: str) -> None:
    """Each step of the review but Motion, for which the head must move."""
    for name, frame in STEP_FRAMES.items():
        if name == "Motion":
            continue
        scene.open_step(name)
        if name not in OWN_PLACE:
            scene.go_to(scene.lesion)
        if name == "AIF":
            scene.close_up(scene.artery)
        if frame:
            scene.show_frame(getattr(scene, frame))
        save(review_picture(kind, name), scene.picture())
    scene.leave_review()


def moved(modality: str, kind: str) -> None:
    """A head that moves: Motion, where it lies farthest from the reference, and for CT the flags that it raises."""
    scene = Scene(modality, FAULTS[kind], motion=MOVED)
    scene.run()
    scene.open_step("Motion")
    scene.go_to(scene.lesion)
    scene.show_frame(getattr(scene, STEP_FRAMES["Motion"]))
    save(review_picture(kind, "Motion"), scene.picture())
    if kind == "ct":
        scene.open_step("Quality")
        scene.go_to(scene.lesion)
        save("warnings.png", scene.picture())
    scene.close()


def probed(scene: Scene, kind: str) -> None:
    """Curves of two places: in the lesion and opposite."""
    section = scene.section("Probe")
    section.ui.probeCheck.checked = True
    section.ui.probeFollowCombo.setCurrentIndex(section.ui.probeFollowCombo.count - 1)
    section.ui.probeShowButton.click()
    scene.settle()
    scene.picture()  # labels of points find their places by the size of views that are drawn
    section.ui.probePlaceButton.click()
    for place in (scene.lesion, scene.opposite):
        HOST.click(place)
    scene.stop_placing()
    scene.go_to(scene.lesion)
    scene.show_frame(scene.peak)
    save(f"probe-{kind}.png", scene.picture())
    if kind == "ct":
        scene.open_sections("probeSection")
        save("panel-curves.png", scene.section_picture("Probe"))
    section.ui.probeClearButton.click()
    section.ui.probeCheck.checked = False


def compared(scene: Scene, kind: str) -> None:
    """CT: CBF, MR: Tmax, against a map by another method on a coarser grid."""
    name = COMPARED[kind]
    setattr(scene.parameters, f"{name}Reference", other_map(scene, name))
    HOST.process_events()
    ui = scene.section("Compare").ui
    ui.compareButton.click()
    scene.settle()
    scene.go_to(scene.lesion)
    save(f"compare-{kind}-{name}.png", scene.picture())
    if kind == "ct":
        scene.open_sections("compareSection")
        save("panel-compare.png", scene.section_picture("Compare"))
        ui.checkerboardButton.click()
        scene.settle()
        scene.go_to(scene.lesion)
        save("compare-checkerboard.png", scene.picture(size=(700, 560)))
        ui.flickerButton.click()
        scene.settle()
        scene.go_to(scene.lesion)
        shown = scene.section("Compare")
        first = scene.picture(size=(600, 480))
        shown._on_timeout()
        save("compare-flicker.png", np.concatenate([first, scene.picture(size=(600, 480))], axis=1))
        scene.resize()
    ui.leaveComparisonButton.click()


def other_map(scene: Scene, name: str):
    """A map of the same series by another method, on a grid of larger voxels, as a volume that tells its unit."""
    import slicer  # noqa: PLC0415 - the host provides it

    series = scene.head.series
    config = PipelineConfig.for_modality(series.modality, {"deconvolution": {"method": OTHER_METHOD}})
    made = run_pipeline(series, config).maps[name]
    values, valid = (in_blocks(np.where(made.valid, made.values, 0)), in_blocks(made.valid))
    affine = series.affine.copy()
    affine[:3, 3] += (COARSER - 1) / 2 * (affine[:3, 0] + affine[:3, 1])
    affine[:3, :2] *= COARSER
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", f"Scanner {QUANTITIES[name].symbol}")
    node.SetAndObserveImageData(image_of(np.where(valid > 0.999, values, 0).astype(np.float32)))
    node.SetIJKToRASMatrix(matrix_of(Grid(values.shape, affine)))
    node.SetVoxelValueUnits(getattr(scene.parameters, f"{name}Volume").GetVoxelValueUnits())
    return node


def in_blocks(values):
    """Means of squares of voxels within slices."""
    x, y = (size // COARSER for size in values.shape[:2])
    cut = values[: x * COARSER, : y * COARSER].astype(np.float64)
    return cut.reshape(x, COARSER, y, COARSER, -1).mean(axis=(1, 3))


def corrected(scene: Scene, kind: str) -> None:
    """Another artery by a click, and the run from there."""
    if kind != "ct":
        return
    section = scene.section("Steer")
    scene.open_sections("steerSection")
    scene.open_step("AIF")
    section.ui.placeButton.click()
    artery = scene.other_artery
    HOST.click(artery)
    scene.settle()
    scene.close_up(artery)
    save("steer-after.png", scene.picture())
    save("panel-correct.png", scene.section_picture("Steer"))
    scene.leave_review()


if __name__ == "__main__":
    sys.exit(main())
