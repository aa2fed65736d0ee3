"""What a run may be given beside the series: a vein, a population curve, a second echo, slice times."""

import json

import nibabel
import numpy as np
import pytest
import slicer
from comparing import expect_equal, expect_segment

from PyPeTLib.phantom import make_head
from PyPeTLib.phantom.write import write_phantom
from PyPeTSlicer import batch, segments

MAPS = ("cbf", "cbv", "mtt", "ttp", "tmax")
SLICE_TIMES = [round(0.1 * k, 3) for k in range(10)]


def press_run(panel):
    assert panel.ui.runButton.enabled, panel.ui.runButton.toolTip
    panel.ui.runButton.click()
    assert panel.ui.statusLabel.text.startswith("Done"), panel.ui.statusLabel.text


def expect_maps(parameters, folder):
    for name in MAPS:
        expect_equal(getattr(parameters, f"{name}Volume"), folder / f"{name}.nii.gz")


def run_batch(series, out, *more):
    assert batch.main(["--input", str(series), "--output", str(out), "--no-figures", "--quiet", *map(str, more)]) == 0
    return out


def expect_files(folder, expected):
    for name in MAPS:
        assert (folder / f"{name}.nii.gz").read_bytes() == (expected / f"{name}.nii.gz").read_bytes()


def expect_close_files(folder, expected):
    """Slicer may read a sequence file with its slices in the other order, so places are compared."""
    for name in MAPS:
        images = (nibabel.load(one / f"{name}.nii.gz") for one in (folder, expected))
        ours, theirs = (nibabel.as_closest_canonical(image) for image in images)
        np.testing.assert_allclose(ours.affine, theirs.affine, atol=1e-3)
        np.testing.assert_allclose(np.asarray(ours.dataobj), np.asarray(theirs.dataobj), rtol=1e-5, atol=1e-5)


def saved_as_sequence(host, logic, path, folder):
    node = logic.loadFile(path)
    saved = folder / f"{path.name.removesuffix('.nii.gz')}.seq.nrrd"
    assert slicer.util.saveNode(node, str(saved))
    host.clear_scene()
    return saved


@pytest.fixture(scope="session")
def echoes(running_host, tmp_path_factory):
    """Two echoes of one DSC head as files: echo times of 20 and 45 ms."""
    folder = tmp_path_factory.mktemp("echoes")
    return [
        write_phantom(
            make_head("dsc", seed=1, shape=(56, 56, 10), n_frames=40, affine="oblique", echo_time=time),
            folder,
            f"echo_{name}_dsc",
        )
        for name, time in (("first", 0.02), ("second", 0.045))
    ]


@pytest.fixture(scope="session")
def two_echo_run(library_run, echoes):
    return library_run("dsc", "echoes", "--second-echo", echoes[1], file=echoes[0])


@pytest.fixture(scope="session", params=[False, True], ids=["lowest first", "highest first"])
def timed_file(request, head_files, tmp_path_factory):
    """A DSC head whose sidecar lists slice times, stored from its lowest slice on or from its highest."""
    source = head_files("dsc", "las")
    path = tmp_path_factory.mktemp("timed") / "timed_dsc.nii.gz"
    image = nibabel.load(source)
    if request.param:
        turned = image.affine @ np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, -1, image.shape[2] - 1], [0, 0, 0, 1]])
        image = nibabel.Nifti1Image(np.asarray(image.dataobj)[:, :, ::-1], turned, image.header)
    nibabel.save(image, path)
    facts = json.loads(source.with_name("las_dsc.json").read_text(encoding="utf-8"))
    path.with_name("timed_dsc.json").write_text(json.dumps({**facts, "SliceTiming": SLICE_TIMES}), encoding="utf-8")
    return path


# ---- the vein


def drawn(heads, segment_id="Sinus", modality="ctp", affine="ras"):
    """A segmentation of the user's with voxels of veins."""
    head = heads(modality, affine)
    mask = head.venous_fraction > 0.9
    assert mask.sum() > 10
    own = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Drawn")
    segments.write_segments(own, {segments.VOF: mask}, head.series.orientation, set())
    return own, mask


def test_a_segment_of_the_users_as_vein(panel, sequence, heads):
    parameters = panel._parameterNode
    parameters.inputSequence = sequence("ctp", "oblique")
    own, mask = drawn(heads, affine="oblique")
    parameters.vofSegmentation = own
    assert "Vein (VOF): choose one of the segments" in panel.ui.runButton.toolTip
    panel.ui.vofSegmentCombo.setCurrentIndex(panel.ui.vofSegmentCombo.findText("VOF"))
    press_run(panel)
    found = slicer.util.arrayFromSegmentBinaryLabelmap(parameters.segmentation, "VOF", parameters.cbfVolume)
    assert found.sum() == mask.sum()
    own.GetSegmentation().RemoveSegment("VOF")
    parameters.Modified()
    assert "Vein (VOF): the segment VOF is gone" in panel.ui.runButton.toolTip


def test_the_users_vein_gives_the_maps_of_the_command_line(panel, head_files, heads, library_run, tmp_path):
    from PyPeTLib.io import write_volume  # noqa: PLC0415 - beside its only use

    own, mask = drawn(heads)
    path = tmp_path / "vein.nii.gz"
    write_volume(path, mask, heads("ctp").series.orientation, dtype=np.uint8, description="vein")
    expected = library_run("ctp", "ras", "--vof", path)
    parameters = panel._parameterNode
    parameters.inputSequence = panel.logic.loadFile(head_files("ctp"))
    press_run(panel)
    automatic = slicer.util.arrayFromVolume(parameters.cbfVolume).copy()
    parameters.vofSegmentation, parameters.vofSegment = own, "VOF"
    press_run(panel)
    expect_maps(parameters, expected)
    expect_segment(parameters.segmentation, "VOF", parameters.cbfVolume, expected / "vof_mask.nii.gz")
    assert not np.allclose(slicer.util.arrayFromVolume(parameters.cbfVolume), automatic), "the vein counts"


def test_an_edited_vein_is_the_input_of_the_next_run(panel, sequence):
    parameters = panel._parameterNode
    parameters.inputSequence = sequence("ctp")
    press_run(panel)
    node, reference = parameters.segmentation, parameters.cbfVolume
    mask = slicer.util.arrayFromSegmentBinaryLabelmap(node, "VOF", reference)
    painted = mask | np.roll(mask, 1, axis=2)
    slicer.util.updateSegmentBinaryLabelmapFromArray(painted, node, "VOF", reference)
    for _ in range(2):
        press_run(panel)
        kept = slicer.util.arrayFromSegmentBinaryLabelmap(node, "VOF", reference)
        np.testing.assert_array_equal(kept > 0, painted > 0)
    panel.ui.useEditsCheck.checked = False
    press_run(panel)
    np.testing.assert_array_equal(slicer.util.arrayFromSegmentBinaryLabelmap(node, "VOF", reference), mask)


# ---- the population curve


@pytest.mark.parametrize("modality", ["ctp", "dsc"])
def test_a_population_curve_in_place_of_the_artery(panel, head_files, library_run, modality):
    expected = library_run(modality, "ras", "--aif", "population")
    parameters = panel._parameterNode
    parameters.inputSequence = panel.logic.loadFile(head_files(modality))
    panel.ui.populationCheck.checked = True
    press_run(panel)
    expect_maps(parameters, expected)
    assert parameters.cbfVolume.GetAttribute("PyPeT.AIFSource") == "population"


def test_an_artery_and_the_population_curve_exclude_each_other(panel, sequence):
    parameters = panel._parameterNode
    parameters.inputSequence = sequence("ctp")
    parameters.populationAIF = True
    own = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Drawn")
    parameters.aifSegmentation = own
    assert panel.ui.runButton.toolTip == "Choose an artery or the population curve, not both."
    assert not panel.ui.runButton.enabled


def test_the_population_curve_on_the_batch(host, head_files, library_run, tmp_path):
    out = run_batch(head_files("dsc"), tmp_path / "out", "--aif", "population")
    expect_files(out, library_run("dsc", "ras", "--aif", "population"))


# ---- the second echo


def test_two_echoes_give_the_maps_of_the_command_line(panel, echoes, two_echo_run, library_run):
    first, second = (panel.logic.loadFile(path) for path in echoes)
    parameters = panel._parameterNode
    parameters.inputSequence = first
    parameters.secondEcho = second
    assert (parameters.echoTime, parameters.secondEchoTime) == pytest.approx((20, 45)), "proposed by the sequences"
    assert panel.ui.secondEchoTimeSpin.value == pytest.approx(45)
    press_run(panel)
    expect_maps(parameters, two_echo_run)
    alone = library_run("dsc", "echoes", "--relative", file=echoes[0])
    with pytest.raises(AssertionError):
        expect_equal(parameters.cbfVolume, alone / "cbf.nii.gz")


KINDS = {"both files": (False, False), "both sequences": (True, True), "first a file": (False, True)}


@pytest.mark.parametrize("kinds", [*KINDS.values(), (True, False)], ids=[*KINDS, "second a file"])
def test_two_echoes_on_the_batch(host, logic, echoes, two_echo_run, tmp_path, kinds):
    first, second = (
        saved_as_sequence(host, logic, path, tmp_path) if kind else path
        for path, kind in zip(echoes, kinds, strict=True)
    )
    out = run_batch(first, tmp_path / "out", "--second-echo", second)
    if any(kinds):
        expect_close_files(out, two_echo_run)
    else:
        expect_files(out, two_echo_run)
    sources = json.loads((out / "summary.json").read_text(encoding="utf-8"))["input"]["sources"]
    assert second.name in sources["second_echo"]
    again = run_batch(first, tmp_path / "again", "--config", out / "config.toml")
    expect_files(again, out)


def test_a_second_echo_that_does_not_fit_is_refused(panel, sequence, echoes, heads):
    parameters = panel._parameterNode
    parameters.inputSequence = sequence("dsc")
    parameters.secondEcho = parameters.inputSequence
    assert "not the series itself" in panel.ui.runButton.toolTip
    parameters.secondEcho = panel.logic.loadFile(echoes[1])
    parameters.secondEchoTime = 10
    assert "longer than that of the series" in panel.ui.runButton.toolTip
    parameters.secondEchoTime = 45
    panel.ui.runButton.click()
    assert "lies on another grid than the first" in panel.ui.statusLabel.text
    parameters.secondEcho.RemoveDataNodeAtValue(parameters.secondEcho.GetNthIndexValue(0))
    parameters.Modified()
    assert "has 39 frames, the series 40" in panel.ui.runButton.toolTip
    slicer.mrmlScene.RemoveNode(parameters.secondEcho)
    assert parameters.secondEcho is None
    assert panel.ui.runButton.enabled


def test_hounsfield_values_are_no_second_echo(panel, sequence, module):
    parameters = panel._parameterNode
    parameters.inputSequence = sequence("ctp", name="CT")
    scan = parameters.inputSequence
    first = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "MR")
    from PyPeTSlicer.sequences import voxels_of  # noqa: PLC0415 - beside its only use

    first.Copy(scan)
    first.SetName("MR")
    first.SetAttribute("PyPeT.Modality", "dsc")
    for index in range(first.GetNumberOfDataNodes()):
        array = voxels_of(first.GetNthDataNode(index))
        array += 2000
    parameters.inputSequence = first
    parameters.echoTime = 20
    parameters.secondEcho, parameters.secondEchoTime = scan, 45
    panel.ui.runButton.click()
    assert "Hounsfield" in panel.ui.statusLabel.text, panel.ui.statusLabel.text


BAD_ECHOES = {
    "echo time alone": (["--second-echo-time", "0.05"], "--second-echo FILE"),
    "no such file": (["--second-echo", "{tmp}/none.seq.nrrd"], "there is no such file"),
    "shorter echo": (["--second-echo", "{second}", "--second-echo-time", "0.01"], "must be longer than the first"),
    "CT as second": (["--second-echo", "{ctp}"], "40 frame times were given for"),
}


@pytest.mark.parametrize(("arguments", "says"), BAD_ECHOES.values(), ids=BAD_ECHOES)
def test_bad_echoes_on_the_batch(host, logic, echoes, head_files, tmp_path, capsys, arguments, says):
    first, second = (saved_as_sequence(host, logic, path, tmp_path) for path in echoes)
    ctp = saved_as_sequence(host, logic, head_files("ctp"), tmp_path)
    places = {"tmp": tmp_path, "second": second, "ctp": ctp}
    call = ["--input", str(first), "--output", str(tmp_path / "out"), *(a.format(**places) for a in arguments)]
    if "--second-echo" in arguments and "--second-echo-time" not in arguments:
        call += ["--second-echo-time", "0.05"]
    assert batch.main(call) == 2
    error = capsys.readouterr().err
    assert says in error
    assert "Traceback" not in error
    assert not slicer.util.getNodesByClass("vtkMRMLSequenceNode")


def test_a_second_echo_without_its_time_is_asked_for(host, logic, echoes, tmp_path, capsys):
    first = saved_as_sequence(host, logic, echoes[0], tmp_path)
    node = logic.loadFile(echoes[1])
    node.RemoveAttribute("PyPeT.EchoTime")
    second = tmp_path / "untold.seq.nrrd"
    assert slicer.util.saveNode(node, str(second))
    host.clear_scene()
    call = ["--input", str(first), "--output", str(tmp_path / "out"), "--second-echo", str(second)]
    assert batch.main(call) == 2
    assert "--second-echo-time" in capsys.readouterr().err


def test_ct_has_no_second_echo(host, logic, panel, echoes, head_files, sequence, tmp_path, capsys):
    ctp = saved_as_sequence(host, logic, head_files("ctp"), tmp_path)
    call = ["--input", str(ctp), "--output", str(tmp_path / "out"), "--second-echo", str(echoes[1])]
    assert batch.main(call) == 2
    assert "only a DSC series has a second echo" in capsys.readouterr().err
    panel._parameterNode.inputSequence = sequence("ctp")
    assert not panel.ui.echoBox.isVisibleTo(panel.parent)
    panel.ui.furtherSection.collapsed = False
    panel._parameterNode.inputSequence = sequence("dsc", name="Other")
    assert panel.ui.echoBox.isVisibleTo(panel.parent)


# ---- slice times


def test_slice_times_of_the_sidecar_count(host, panel, timed_file, library_run):
    expected = library_run("dsc", "las", "--relative", file=timed_file)
    parameters = panel._parameterNode
    parameters.inputSequence = panel.logic.loadFile(timed_file)
    press_run(panel)
    expect_maps(parameters, expected)
    noted = [float(time) for time in parameters.inputSequence.GetAttribute("PyPeT.SliceTimes").split()]
    assert sorted(noted) == SLICE_TIMES
    untimed = library_run("dsc", "las")
    with pytest.raises(AssertionError):
        expect_equal(parameters.ttpVolume, untimed / "ttp.nii.gz")


def test_slice_times_can_be_typed(panel, library_run, head_files, tmp_path):
    listed = tmp_path / "slices.txt"
    listed.write_text("\n".join(map(str, SLICE_TIMES)), encoding="utf-8")
    expected = library_run("dsc", "ras", "--slice-times", listed)
    parameters = panel._parameterNode
    parameters.inputSequence = panel.logic.loadFile(head_files("dsc"))
    panel.ui.sliceTimesEdit.text = "early"
    assert "must be numbers in seconds, found 'early'. Give them with “Slice times”" in panel.ui.runButton.toolTip
    panel.ui.sliceTimesEdit.text = "0 0.1"
    panel.ui.runButton.click()
    assert "2 slice times were given for 10 slices" in panel.ui.statusLabel.text
    panel.ui.sliceTimesEdit.text = " ".join(map(str, SLICE_TIMES))
    press_run(panel)
    expect_maps(parameters, expected)


def test_slice_times_on_the_batch(host, logic, timed_file, head_files, library_run, tmp_path):
    """Those of the sidecar travel in the sequence file; those of the option begin with the lowest slice."""
    timed = library_run("dsc", "las", "--relative", file=timed_file)
    source = saved_as_sequence(host, logic, timed_file, tmp_path)
    expect_close_files(run_batch(source, tmp_path / "out"), timed)
    listed = tmp_path / "slices.txt"
    is_turned = np.linalg.det(nibabel.load(timed_file).affine) > 0
    listed.write_text("\n".join(map(str, SLICE_TIMES[::-1] if is_turned else SLICE_TIMES)), encoding="utf-8")
    plain = saved_as_sequence(host, logic, head_files("dsc", "las"), tmp_path)
    out = run_batch(plain, tmp_path / "other", "--slice-times", listed)
    expect_close_files(out, timed)
    expect_files(run_batch(plain, tmp_path / "again", "--config", out / "config.toml"), out)


# ---- all of them


def test_a_saved_scene_brings_further_inputs_back(host, panel, echoes, heads, tmp_path):
    parameters = panel._parameterNode
    for path in echoes:
        panel.logic.loadFile(path)
    first, second = slicer.util.getNodesByClass("vtkMRMLSequenceNode")
    parameters.inputSequence, parameters.secondEcho = first, second
    own, _ = drawn(heads)
    parameters.vofSegmentation, parameters.vofSegment = own, "VOF"
    panel.ui.sliceTimesEdit.text = "0 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9"
    panel.ui.populationCheck.checked = True
    panel.ui.secondEchoTimeSpin.value = 46
    host.save_scene(tmp_path / "scene.mrb")
    host.clear_scene()
    host.load_scene(tmp_path / "scene.mrb")
    parameters = panel._parameterNode
    assert parameters.inputSequence.GetName().startswith("echo_first")
    assert parameters.secondEcho.GetName().startswith("echo_second")
    assert parameters.secondEchoTime == pytest.approx(46)
    assert parameters.populationAIF
    assert parameters.sliceTimes.endswith("0.9")
    assert parameters.vofSegmentation.GetName() == "Drawn"
    assert parameters.vofSegment == "VOF"
    assert panel.ui.vofSegmentCombo.currentText == "VOF"


def test_further_inputs_belong_to_their_series(panel, sequence, echoes):
    parameters = panel._parameterNode
    parameters.inputSequence = sequence("dsc", name="One")
    parameters.secondEcho = panel.logic.loadFile(echoes[1])
    parameters.populationAIF = True
    parameters.sliceTimes = "0 1"
    parameters.inputSequence = sequence("dsc", name="Two")
    assert parameters.secondEcho is None
    assert parameters.secondEchoTime == 0
    assert not parameters.populationAIF
    assert parameters.sliceTimes == ""
