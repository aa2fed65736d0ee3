"""Runs that are cancelled, fail, or lose their input leave the scene as it was and say so."""

import gc
import time

import pytest
import slicer

from PyPeTLib.pipeline import STAGES
from PyPeTSlicer import curves

EVERY_STAGE = ("reading", *STAGES, "writing")


def at_stage(panel, monkeypatch, stage, act):
    """Do something when the run reaches a stage, as a user could: while events are processed."""
    shown = panel.onProgress
    done = []

    def progress(name, share):
        shown(name, share)
        if name == stage and not done:
            done.append(name)
            act()

    monkeypatch.setattr(panel, "onProgress", progress)
    return done


@pytest.mark.parametrize("stage", EVERY_STAGE)
def test_cancel_leaves_the_scene_as_it_was(host, panel, sequence, describe, monkeypatch, stage):
    panel._parameterNode.inputSequence = sequence("ctp")
    before = describe(host.scene)
    done = at_stage(panel, monkeypatch, stage, panel.ui.cancelButton.click)
    panel.ui.runButton.click()
    assert done, "the stage was never reached"
    assert panel.ui.statusLabel.text == "Cancelled. The scene is as it was."
    assert describe(host.scene) == before
    assert panel.ui.runButton.enabled
    assert not panel.ui.cancelButton.enabled
    assert panel._parameterNode.cbfVolume is None


@pytest.mark.parametrize("stage", ["reading", "motion", "deconvolution", "writing"])
def test_removing_the_series_stops_the_run(host, panel, sequence, monkeypatch, stage):
    node = sequence("ctp")
    panel._parameterNode.inputSequence = node
    at_stage(panel, monkeypatch, stage, lambda: slicer.mrmlScene.RemoveNode(node))
    panel.ui.runButton.click()
    assert "removed" in panel.ui.statusLabel.text
    assert "Nothing was written" in panel.ui.statusLabel.text
    assert not slicer.util.getNodes("Head CBF*")
    assert not panel.ui.runButton.enabled
    assert "Choose the sequence" in panel.ui.runButton.toolTip


@pytest.mark.parametrize("stage", ["reading", "aif", "writing"])
def test_closing_the_scene_stops_the_run(host, panel, sequence, monkeypatch, stage):
    panel._parameterNode.inputSequence = sequence("ctp")
    at_stage(panel, monkeypatch, stage, host.clear_scene)
    panel.ui.runButton.click()
    assert "scene was closed" in panel.ui.statusLabel.text
    assert not slicer.util.getNodesByClass("vtkMRMLVolumeNode")
    assert not slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    # the panel works on
    panel._parameterNode.inputSequence = sequence("ctp", name="Next")
    monkeypatch.undo()
    panel.ui.runButton.click()
    assert panel.ui.statusLabel.text.startswith("Done")
    assert panel._parameterNode.cbfVolume.GetName() == "Next CBF"


def test_removing_an_output_meanwhile_makes_a_new_one(host, panel, sequence, monkeypatch):
    panel._parameterNode.inputSequence = sequence("ctp")
    panel.ui.runButton.click()
    old = panel._parameterNode.cbfVolume
    at_stage(panel, monkeypatch, "aif", lambda: slicer.mrmlScene.RemoveNode(old))
    panel.ui.runButton.click()
    assert panel.ui.statusLabel.text.startswith("Done")
    assert panel._parameterNode.cbfVolume is not old
    assert panel._parameterNode.cbfVolume.GetName().startswith("Head CBF")


@pytest.mark.parametrize("room", ["fill_curves", "plot", "fill_rows"])
@pytest.mark.parametrize("again", [False, True], ids=["new nodes", "same nodes"])
def test_a_fault_while_writing_undoes_everything(host, panel, sequence, describe, monkeypatch, room, again):
    panel._parameterNode.inputSequence = sequence("ctp")
    if again:
        panel.ui.runButton.click()
        panel.ui.smoothingSpin.value = 4.0
    before = describe(host.scene)

    def fail(*_arguments):
        raise RuntimeError("the plot broke")

    monkeypatch.setattr(curves, room, fail)
    panel.ui.runButton.click()
    assert "the plot broke" in panel.ui.statusLabel.text
    assert "fault of PyPeT" in panel.ui.statusLabel.text
    assert [message.kind for message in host.messages] == ["error"]
    assert describe(host.scene) == before


def test_leaving_the_panel_while_it_runs(host, panel, sequence, monkeypatch):
    panel._parameterNode.inputSequence = sequence("ctp")
    at_stage(panel, monkeypatch, "aif", lambda: (host.leave(panel), host.reenter(panel)))
    panel.ui.runButton.click()
    assert panel.ui.statusLabel.text.startswith("Done")


def test_run_is_pressed_once_only(host, panel, sequence, monkeypatch):
    panel._parameterNode.inputSequence = sequence("ctp")
    at_stage(panel, monkeypatch, "mask", panel.onRunButton)
    panel.ui.runButton.click()
    assert len(slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")) == 6, "five maps and the series"


def test_progress_and_cancel_are_asked_often(panel, sequence, monkeypatch):
    calls = []
    monkeypatch.setattr(panel, "onProgress", lambda stage, share: calls.append((time.perf_counter(), share)))
    panel._parameterNode.inputSequence = sequence("ctp")
    panel.ui.runButton.click()
    shares = [share for _, share in calls]
    assert shares == sorted(shares), "progress only rises"
    assert 0 <= shares[0] <= shares[-1] <= 1
    assert len(calls) > 60


def test_nothing_observes_after_the_panel_has_gone(host, module, sequence):
    node = sequence("ctp")
    # the first panel of all makes nodes that stay: parameters and colours
    first = host.open_widget(module)
    first._parameterNode.inputSequence = node
    first.ui.runButton.click()
    parameters = first._parameterNode.parameterNode
    host.close_widget(first)
    watched = (host.scene, node, parameters)
    before = [host.observer_count(thing) for thing in watched]
    for _ in range(3):
        panel = host.open_widget(module)
        panel.ui.runButton.click()
        assert panel.ui.statusLabel.text.startswith("Done")
        host.leave(panel)
        host.reenter(panel)
        host.close_widget(panel)
    assert [host.observer_count(thing) for thing in watched] == before


def test_coming_and_going_leaves_no_observer(host, panel, sequence):
    node = sequence("ctp")
    panel._parameterNode.inputSequence = node
    parameters = panel._parameterNode.parameterNode
    counts = []
    for _ in range(4):
        host.leave(panel)
        host.reenter(panel)
        gc.collect()
        counts.append([host.observer_count(thing) for thing in (host.scene, node, parameters)])
    assert counts == counts[:1] * 4
    parameters.Modified()
