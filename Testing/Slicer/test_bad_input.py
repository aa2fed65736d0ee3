"""Whatever is wrong with the input, the user reads one message that names the fix, and the scene stays as it was."""

import gzip

import numpy as np
import pytest
import slicer
import vtk

from PyPeTLib.errors import InputError
from PyPeTSlicer import segments
from PyPeTSlicer.nodes import image_of
from PyPeTSlicer.words import FIELDS, for_panel


def volume(array=None, *, components=1, origin=0.0):
    node = slicer.vtkMRMLScalarVolumeNode() if components == 1 else slicer.vtkMRMLVectorVolumeNode()
    node.SetAndObserveImageData(image_of(np.zeros((6, 6, 4), np.float32) if array is None else array))
    node.SetOrigin(origin, 0, 0)
    return node


def series(n_frames=12, change=None, unit="s"):
    """A sequence of small noise volumes; ``change(frame)`` gives another volume for a frame."""
    rng = np.random.default_rng(0)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "Bad")
    node.SetIndexUnit(unit)
    for frame in range(n_frames):
        array = rng.normal(100, 10, (6, 6, 4)).astype(np.float32)
        other = change(frame, array) if change else None
        node.SetDataNodeAtValue(other if other is not None else volume(array), str(frame))
    return node


def nan_in_frame_3(frame, array):
    array[2, 2, 2] = np.nan if frame == 3 else array[2, 2, 2]
    return volume(array)


def colours(_frame, _array):
    node = slicer.vtkMRMLScalarVolumeNode()
    image = vtk.vtkImageData()
    image.SetDimensions(6, 6, 4)
    image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 3)
    node.SetAndObserveImageData(image)
    return node


BAD_SERIES = {
    "too few frames": (lambda: series(5), "5 time frames are too few"),
    "no times": (lambda: series(unit=""), "the frame times are unknown"),
    "not a number": (lambda: series(change=nan_in_frame_3), "frame 3 (counted from 0) has 1 voxels that are NaN"),
    "constant": (lambda: series(change=lambda _f, _a: volume()), "the series is constant"),
    "moved grid": (lambda: series(change=lambda f, a: volume(a, origin=f)), "frame 1 (counted from 0) lies elsewhere"),
    "other size": (
        lambda: series(change=lambda f, a: volume(a[: 6 - (f == 2)])),
        "frame 2 (counted from 0) lies elsewhere",
    ),
    "colours": (lambda: series(change=colours), "3 values a voxel; one is needed"),
    "no image": (
        lambda: series(change=lambda f, a: slicer.vtkMRMLScalarVolumeNode() if f == 4 else None),
        "frame 4 (counted from 0) holds no image",
    ),
    "no brain": (series, "Brain mask"),
}


@pytest.mark.parametrize(("make", "says"), BAD_SERIES.values(), ids=BAD_SERIES)
def test_a_bad_series_is_one_message_on_the_panel(host, panel, module, describe, make, says):
    parameters = panel._parameterNode
    parameters.inputSequence = make()
    parameters.modality = module.SeriesKind.CTP
    before = describe(host.scene)
    if panel.ui.runButton.enabled:
        panel.ui.runButton.click()
        message = panel.ui.statusLabel.text
    else:
        message = panel.ui.runButton.toolTip
    assert says in message
    assert "--" not in message
    assert "Traceback" not in message
    assert host.messages == []
    assert describe(host.scene) == before


def test_hounsfield_values_are_no_dsc_series(panel, module, sequence):
    panel._parameterNode.inputSequence = sequence("ctp")
    panel._parameterNode.modality = module.SeriesKind.DSC
    panel.ui.echoTimeSpin.value = 30
    panel.ui.runButton.click()
    assert "Hounsfield units with air near −1000" in panel.ui.statusLabel.text
    assert "“Modality” = CT perfusion" in panel.ui.statusLabel.text


def test_what_is_missing_stands_in_the_tooltip(panel, module, sequence):
    parameters = panel._parameterNode
    assert "Choose the sequence" in panel.ui.runButton.toolTip
    parameters.inputSequence = sequence("dsc")
    assert panel.ui.runButton.enabled
    parameters.echoTime = 0
    assert "echo time" in panel.ui.runButton.toolTip
    parameters.modality = module.SeriesKind.UNKNOWN
    assert "Choose the modality" in panel.ui.runButton.toolTip
    parameters.frameTimes = "quick"
    assert "must be numbers in seconds" in panel.ui.runButton.toolTip
    assert "“Frame times”" in panel.ui.runButton.toolTip
    assert not panel.ui.runButton.enabled


def test_a_volume_that_is_no_series_is_refused(host, module):
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "T1")
    from PyPeTSlicer.sequences import sequence_of  # noqa: PLC0415 - beside its only use

    with pytest.raises(InputError, match="one image, not a series"):
        sequence_of(node)


def test_sequences_of_other_nodes_are_not_offered(panel):
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "Transforms")
    node.SetDataNodeAtValue(slicer.vtkMRMLLinearTransformNode(), "0")
    panel.ui.inputSelector.setCurrentNode(node)
    assert panel._parameterNode.inputSequence is None


@pytest.mark.parametrize("kind", ["brain", "aif"])
def test_an_empty_segment_is_refused(panel, sequence, kind):
    parameters = panel._parameterNode
    parameters.inputSequence = sequence("ctp")
    own = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Drawn")
    own.GetSegmentation().AddEmptySegment("Nothing", "Nothing")
    setattr(parameters, f"{kind}Segmentation", own)
    setattr(parameters, f"{kind}Segment", "Nothing")
    panel.ui.runButton.click()
    assert "Drawn: Nothing: the segment is empty" in panel.ui.statusLabel.text


def test_a_segment_beside_the_series_is_refused(panel, sequence, heads):
    parameters = panel._parameterNode
    parameters.inputSequence = sequence("ctp")
    own = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Far")
    segments.write_segments(own, {"Brain": heads("ctp").masks["brain"]}, heads("ctp").series.orientation, set())
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(0, 3, 5000)
    transform.SetMatrixTransformToParent(matrix)
    own.SetAndObserveTransformNodeID(transform.GetID())
    parameters.brainSegmentation, parameters.brainSegment = own, "Brain"
    panel.ui.runButton.click()
    assert "marks no voxel of the series" in panel.ui.statusLabel.text


def test_half_a_calibration_is_refused(panel, sequence):
    panel._parameterNode.inputSequence = sequence("dsc")
    panel.ui.whiteMatterCBFSpin.value = 22
    assert "or neither" in panel.ui.runButton.toolTip


def truncated(good, path):
    path.write_bytes(good.read_bytes()[:20000])


def text(_good, path):
    path.write_text("not an image at all" * 100)


def no_position(good, path):
    content = bytearray(gzip.decompress(good.read_bytes()))
    content[252:256] = bytes(4)
    path.write_bytes(gzip.compress(bytes(content), 1))


def one_volume(good, path):
    import nibabel  # noqa: PLC0415 - beside its only use

    image = nibabel.load(good)
    nibabel.save(nibabel.Nifti1Image(np.asarray(image.dataobj)[..., 0], image.affine), path)


BAD_FILES = {
    truncated: "truncated",
    text: "not a NIfTI image",
    no_position: "left and right are unknown",
    one_volume: "a perfusion series has 4 dimensions",
}


@pytest.mark.parametrize(("spoil", "says"), BAD_FILES.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_a_bad_file_is_one_message_and_leaves_no_node(host, panel, head_files, describe, tmp_path, spoil, says):
    path = tmp_path / "bad_ctp.nii.gz"
    spoil(head_files("ctp"), path)
    before = describe(host.scene)
    host.file_answers.append(str(path))
    panel.ui.loadButton.click()
    assert says in panel.ui.statusLabel.text
    assert "bad_ctp.nii.gz" in panel.ui.statusLabel.text
    assert describe(host.scene) == before
    assert host.messages == []


def test_a_file_without_times_loads_and_asks(host, panel, head_files, tmp_path):
    import nibabel  # noqa: PLC0415 - beside its only use

    image = nibabel.load(head_files("ctp"))
    image.header["pixdim"][4] = 0
    path = tmp_path / "untimed_ctp.nii.gz"
    nibabel.save(image, path)
    host.file_answers.append(str(path))
    panel.ui.loadButton.click()
    assert panel._parameterNode.inputSequence is not None
    assert "the frame times are unknown" in panel.ui.timingLabel.text
    assert not panel.ui.runButton.enabled
    panel.ui.frameTimesEdit.text = "1"
    panel.onFrameTimesEdited()
    assert panel.ui.runButton.enabled
    panel.ui.runButton.click()
    assert panel.ui.statusLabel.text.startswith("Done")


def test_no_file_chosen_changes_nothing(host, panel, describe):
    before = describe(host.scene)
    host.file_answers.append("")
    panel.ui.loadButton.click()
    assert describe(host.scene) == before
    assert panel.ui.statusLabel.text == ""


def test_every_option_that_the_library_names_has_a_field(host):
    """Messages of the library name options of the command line; each must be known to the panel."""
    import re  # noqa: PLC0415 - beside its only use
    from pathlib import Path  # noqa: PLC0415

    library = Path(__file__).parents[2] / "PyPeTLib"
    # what only the command line calls
    others = [library / part for part in ("cli", "job", "batch", "io/dataset", "compare/files.py")]
    named = set()
    for path in library.rglob("*.py"):
        if not any(other in (path, *path.parents) for other in others):
            named |= set(re.findall(r"--([a-z]+(?:-[a-z]+)*)", path.read_text(encoding="utf-8")))
    # the panel writes into the scene, so there is no folder to replace; "pypet --help" is talk of the code
    assert named - {"overwrite", "help"} <= set(FIELDS)


def test_messages_read_well_on_the_panel():
    assert for_panel("Give the echo time with --echo-time.") == "Give the echo time with “Echo time”."
    given = "Give --modality ctp or --modality dsc."
    assert for_panel(given) == "Give “Modality” = CT perfusion or “Modality” = DSC-MRI."
    assert for_panel("--aif population") == "“Artery (AIF)” = population curve"
    assert for_panel("Mark a large vein (--vof).") == "Mark a large vein (“Vein (VOF)”)."
    assert "--" not in for_panel("Give one with --frame-interval S, or all with --frame-times FILE.")
