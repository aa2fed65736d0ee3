"""DICOM folders by the panel's button and in the batch script: the same as the NIfTI file of the same content."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest
import slicer

from PyPeTLib.geometry import Grid, nearest_ras
from PyPeTLib.io import write_volume
from PyPeTSlicer import batch, timing
from PyPeTSlicer.outputs import MAPS
from PyPeTSlicer.sequences import grid_of, voxels_of

# the maker of the files is shared with the tests of the library
sys.path.append(str(Path(__file__).parents[1] / "Library" / "io"))

from dicom_making import WORDS_OF_THE_PATIENT, make_series

SHAPE = (8, 6, 4, 10)
STRAIGHT = np.array([[2.0, 0, 0, -24], [0, 2.5, 0, -30], [0, 0, 5, 12], [0, 0, 0, 1.0]])
OBLIQUE = STRAIGHT.copy()
OBLIQUE[:3, :3] = np.array([[0.96, -0.28, 0], [0.28, 0.96, 0], [0, 0, 1.0]]) @ STRAIGHT[:3, :3]
TILTED = STRAIGHT.copy()
TILTED[:3, 1] = 0, 2.415, 0.647
"""Slices that lean by 15° and stay above one another."""
TIMES = np.array([0, 1, 2, 3, 4, 5, 6, 8, 10, 13.0])
SLICES = np.array([0, 0.2, 0.4, 0.6])


def values(low=0):
    """Whole numbers with a gradient along each axis, so that no flip goes unseen."""
    x, y, z, t = np.meshgrid(*map(np.arange, SHAPE), indexing="ij")
    return (low + 3 * x + 5 * y + 20 * z + 7 * t + np.random.default_rng(0).integers(0, 40, SHAPE)).astype(np.int16)


def nifti(folder, data, affine, *, modality="dsc", times=TIMES, slices=None):
    """The same series as a NIfTI file with its sidecar."""
    path = folder / f"truth_{modality}.nii.gz"
    orientation = nearest_ras(Grid(data.shape[:3], affine))
    write_volume(path, orientation.to_ras(data), orientation, dtype=np.int16)
    fields = {"VolumeTiming": list(map(float, times)), "Modality": {"dsc": "MR", "ctp": "CT"}[modality]}
    if modality == "dsc":
        fields["EchoTime"] = 0.03
    if slices is not None:
        fields["SliceTiming"] = list(map(float, slices))
    path.with_name(f"truth_{modality}.json").write_text(json.dumps(fields), encoding="utf-8")
    return path


def press(host, panel, button, path):
    host.file_answers.append(str(path))
    button.click()
    return panel._parameterNode.inputSequence


def load_dicom(host, panel, folder):
    return press(host, panel, panel.ui.loadDicomButton, folder)


def assert_same_sequence(one, other):
    assert one.GetNumberOfDataNodes() == other.GetNumberOfDataNodes()
    assert (one.GetIndexName(), one.GetIndexUnit()) == (other.GetIndexName(), other.GetIndexUnit())
    for frame in range(one.GetNumberOfDataNodes()):
        ours, theirs = one.GetNthDataNode(frame), other.GetNthDataNode(frame)
        np.testing.assert_array_equal(voxels_of(ours), voxels_of(theirs))
        assert grid_of(ours).matches(grid_of(theirs), tolerance=1e-4)
        assert float(one.GetNthIndexValue(frame)) == pytest.approx(float(other.GetNthIndexValue(frame)), abs=1e-4)


def facts_of(sequence):
    facts = timing.SequenceFacts.of(sequence)
    return timing.modality(facts)[0], timing.echo_time(facts), np.round(timing.slice_times(facts)[0] or [], 4).tolist()


KINDS = {
    "CT": ({"modality": "ctp", "vendor": "siemens"}, STRAIGHT, None),
    "tilted CT": ({"modality": "ctp", "vendor": "canon", "dtype": "uint16"}, TILTED, None),
    "MR slice by slice": ({"modality": "dsc", "vendor": "ge"}, OBLIQUE, SLICES),
    "enhanced MR": ({"modality": "dsc", "enhanced": True}, OBLIQUE, None),
}


@pytest.mark.parametrize(("options", "affine", "slices"), KINDS.values(), ids=KINDS)
def test_a_folder_is_loaded_as_the_nifti_file_is(host, panel, tmp_path, options, affine, slices):
    data = values(low=-200 if options["modality"] == "ctp" else 0)
    times = TIMES if slices is None else TIMES + slices[:, None]
    make_series(tmp_path / "study", data, affine, times, scanner_axes=False, shuffle=3, **options)
    loaded = load_dicom(host, panel, tmp_path / "study")
    assert panel.ui.statusLabel.text.startswith("Loaded "), panel.ui.statusLabel.text
    assert panel._parameterNode.modality.value == options["modality"]
    assert panel._parameterNode.echoTime == pytest.approx(30 if options["modality"] == "dsc" else 0)
    truth = nifti(tmp_path, data, affine, modality=options["modality"], slices=slices)
    expected = press(host, panel, panel.ui.loadButton, truth)
    assert expected is not loaded
    assert_same_sequence(loaded, expected)
    assert facts_of(loaded) == facts_of(expected)
    assert host.messages == []


def test_nothing_names_the_patient(host, panel, tmp_path, caplog):
    folder, said = tmp_path / "Doe Jane 19560317", []
    for number in (3, 4):
        # of the second, a file is missing
        skip = [(1, 2)] if number == 4 else []
        make_series(folder / str(number), values(), STRAIGHT, TIMES, modality="dsc", series_number=number, skip=skip)
    for row in (0, 1):
        host.dialog_actions.append(lambda dialog, row=row: (said.extend(texts_of(dialog)), choose(row)(dialog)))
        load_dicom(host, panel, folder)
        said.append(panel.ui.statusLabel.text)
    assert "missing" in said[-1]
    assert panel._parameterNode.inputSequence.GetName() == "DICOM series 3"
    for node in slicer.util.getNodesByClass("vtkMRMLNode"):
        said += [node.GetName() or "", *(node.GetAttribute(name) or "" for name in node.GetAttributeNames())]
    said.append(caplog.text)
    for word in WORDS_OF_THE_PATIENT:
        assert not [text for text in said if word in text], word


def texts_of(dialog):
    """All that a dialog shows."""
    import qt  # noqa: PLC0415 - the host's

    lists = dialog.findChildren(qt.QListWidget)
    labels = [label.text for label in dialog.findChildren(qt.QLabel)]
    return labels + [each.item(row).text() for each in lists for row in range(each.count)]


def choose(row):
    """What a user does who chooses a row of the list."""
    import qt  # noqa: PLC0415 - the host's

    return lambda dialog: dialog.findChildren(qt.QListWidget)[0].setCurrentRow(row)


@pytest.fixture
def two_series(tmp_path):
    folder = tmp_path / "study"
    make_series(folder / "a", values(), STRAIGHT, TIMES, modality="dsc")
    make_series(folder / "b", values(low=-100)[..., :9], STRAIGHT, 2 * TIMES[:9], modality="ctp", series_number=7)
    # beside them what is no perfusion series
    make_series(folder / "c", values()[..., :1], STRAIGHT, TIMES[:1], series_number=1)
    return folder


def test_of_several_series_the_user_chooses(host, panel, two_series):
    shown = []
    host.dialog_actions.append(lambda dialog: (shown.extend(texts_of(dialog)), choose(1)(dialog)))
    loaded = load_dicom(host, panel, two_series)
    assert shown[0] == "The folder holds several perfusion series. Which one is to be loaded?"
    assert shown[1:] == ["3: DSC-MRI, 4 slices × 10 frames, 1–3 s", "7: CT perfusion, 4 slices × 9 frames, 2–4 s"]
    assert loaded.GetName() == "DICOM series 7"
    assert loaded.GetNumberOfDataNodes() == 9
    assert panel._parameterNode.modality.value == "ctp"


def test_who_chooses_none_loads_nothing(host, panel, two_series, describe):
    before = describe(host.scene)
    host.answers.append(False)
    assert load_dicom(host, panel, two_series) is None
    assert describe(host.scene) == before
    assert panel.ui.statusLabel.text == ""


def test_no_folder_chosen_changes_nothing(host, panel, describe):
    before = describe(host.scene)
    panel.ui.loadDicomButton.click()
    assert describe(host.scene) == before
    assert host.messages == []


def test_derived_images_are_loaded_only_when_chosen(host, panel, tmp_path):
    make_series(tmp_path, values(), STRAIGHT, TIMES, modality="dsc", image_type=("DERIVED", "PRIMARY"))
    shown = []
    host.dialog_actions.append(lambda dialog: shown.extend(texts_of(dialog)))
    loaded = load_dicom(host, panel, tmp_path)
    assert "None of these was taken for a perfusion series" in shown[0]
    assert "derived images" in shown[1]
    assert "derived images" in loaded.GetAttribute(timing.REMARKS)
    assert "derived images" in panel.ui.statusLabel.text


def test_both_echoes_come_along(host, panel, tmp_path):
    second = values() // 2
    make_series(tmp_path, values(), STRAIGHT, TIMES, modality="dsc", echo_times=(0.02, 0.045), second=second)
    loaded = load_dicom(host, panel, tmp_path)
    parameters = panel._parameterNode
    assert parameters.echoTime == pytest.approx(20)
    assert parameters.secondEchoTime == pytest.approx(45)
    assert parameters.secondEcho.GetName() == "DICOM series 3 second echo"
    assert parameters.secondEcho is not loaded
    found = np.stack([voxels_of(parameters.secondEcho.GetNthDataNode(frame)) for frame in range(10)], axis=-1)
    # as scanners store a supine head: columns run to the left, rows to the back
    np.testing.assert_array_equal(found, second[::-1, ::-1])
    assert panel.logic.missing(parameters) == ""
    # another series has no second echo
    make_series(tmp_path / "other", values(), STRAIGHT, TIMES, modality="dsc", series_number=9)
    load_dicom(host, panel, tmp_path / "other")
    assert parameters.secondEcho is None


def test_a_series_without_times_loads_and_asks(host, panel, tmp_path):
    make_series(tmp_path, values(), STRAIGHT, TIMES, modality="ctp", vendor="none", edit=number_acquisitions)
    loaded = load_dicom(host, panel, tmp_path)
    assert loaded.GetIndexUnit() == ""
    assert [loaded.GetNthIndexValue(frame) for frame in range(3)] == ["0", "1", "2"]
    assert "the frame times are unknown" in panel.ui.timingLabel.text
    assert not panel.ui.runButton.enabled
    panel.ui.frameTimesEdit.text = "1.5"
    panel.onFrameTimesEdited()
    assert panel.ui.runButton.enabled


def number_acquisitions(dataset, _slice, frame):
    dataset.AcquisitionNumber = frame + 1


def cut(folder):
    path = sorted(folder.iterdir())[17]
    path.write_bytes(path.read_bytes()[:-40])


def lose(folder):
    sorted(folder.iterdir())[17].unlink()


def write_text(folder):
    for path in folder.iterdir():
        path.unlink()
    (folder / "notes.txt").write_text("no images")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [(cut, "pixel"), (lose, "missing"), (write_text, "DICOM")],
    ids=["cut", "a file is missing", "no DICOM"],
)
def test_a_broken_folder_is_one_message_and_leaves_no_node(host, panel, tmp_path, describe, spoil, says):
    make_series(tmp_path / "in", values(), STRAIGHT, TIMES, modality="dsc")
    spoil(tmp_path / "in")
    before = describe(host.scene)
    assert load_dicom(host, panel, tmp_path / "in") is None
    assert says in panel.ui.statusLabel.text
    assert "Traceback" not in panel.ui.statusLabel.text
    assert host.messages == []
    assert describe(host.scene) == before


def test_a_failure_while_nodes_are_made_leaves_none(host, panel, tmp_path, describe, monkeypatch):
    make_series(tmp_path, values(), STRAIGHT, TIMES, modality="dsc", echo_times=(0.02, 0.045), second=values() // 2)
    before = describe(host.scene)
    from PyPeTSlicer import loading  # noqa: PLC0415 - beside its only use

    real, calls = loading.browse, []

    def fails_at_the_second(scene, sequence):
        calls.append(sequence)
        if len(calls) == 2:
            raise RuntimeError("full")
        real(scene, sequence)

    monkeypatch.setattr(loading, "browse", fails_at_the_second)
    assert load_dicom(host, panel, tmp_path) is None
    assert "full" in panel.ui.statusLabel.text
    assert describe(host.scene) == before


def test_without_pydicom_the_message_says_so(host, panel, tmp_path, monkeypatch, capsys):
    make_series(tmp_path / "in", values(), STRAIGHT, TIMES, modality="dsc")
    for name in [name for name in sys.modules if name.split(".")[0] == "pydicom"]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "pydicom", None)
    assert load_dicom(host, panel, tmp_path / "in") is None
    assert "pydicom" in panel.ui.statusLabel.text
    assert host.messages == []
    assert batch.main(["--input", str(tmp_path / "in"), "--output", str(tmp_path / "out")]) == 2
    assert "pip_install" in capsys.readouterr().err


# ---- a run


@pytest.fixture(scope="module")
def head_folder(heads, tmp_path_factory):
    """The head of `head_files("dsc")` as one multi-frame file, and a second series beside it."""
    series, folder = heads("dsc").series, tmp_path_factory.mktemp("head")
    options = {"modality": "dsc", "echo_times": (series.acquisition.echo_time,), "enhanced": True}
    make_series(folder, series.array(), series.affine, series.frame_times, scanner_axes=False, **options)
    return folder


def test_a_run_gives_the_maps_of_the_nifti_file(host, panel, head_folder, library_run):
    load_dicom(host, panel, head_folder)
    assert panel.ui.runButton.enabled, panel.ui.runButton.toolTip
    panel.ui.runButton.click()
    assert panel.ui.statusLabel.text.startswith("Done"), panel.ui.statusLabel.text
    expected = library_run("dsc")
    for name in MAPS:
        ours = voxels_of(getattr(panel._parameterNode, f"{name}Volume"))
        theirs = np.asarray(nibabel.load(expected / f"{name}.nii.gz").dataobj)
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4, err_msg=name)
    assert "FrameAcquisitionDateTime" in panel._parameterNode.cbfVolume.GetAttribute("PyPeT.FrameTimes")


def test_the_batch_script_reads_a_folder(host, head_folder, library_run, tmp_path, capsys):
    both, out = tmp_path / "both", tmp_path / "out"
    both.mkdir()
    (both / "head.dcm").symlink_to(next(head_folder.iterdir()))
    make_series(both / "other", values(low=-100), STRAIGHT, TIMES, modality="ctp", series_number=7)
    call = ["--input", str(both), "--output", str(out), "--quiet", "--no-figures"]
    assert batch.main(call) == 2
    error = capsys.readouterr().err
    assert "--series" in error
    assert "DICOM series 7" in error
    assert not out.exists()
    assert batch.main([*call, "--series", "3", "--relative"]) == 0
    expected = library_run("dsc")
    for name in MAPS:
        ours, theirs = (nibabel.load(folder / f"{name}.nii.gz") for folder in (out, expected))
        np.testing.assert_allclose(ours.affine, theirs.affine, atol=1e-3)
        np.testing.assert_allclose(ours.get_fdata(), theirs.get_fdata(), rtol=1e-4, atol=1e-4)
    assert (out / "scene.mrb").is_file()
    assert str(both) not in (out / "config.toml").read_text(encoding="utf-8")


def test_the_number_of_a_series_is_for_dicom(host, head_files, tmp_path, capsys):
    for path in (head_files("ctp"), tmp_path / "one.seq.nrrd"):
        assert batch.main(["--input", str(path), "--output", str(tmp_path / "out"), "--series", "3"]) == 2
        assert "--series chooses among DICOM series" in capsys.readouterr().err
