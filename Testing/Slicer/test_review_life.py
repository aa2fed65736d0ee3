"""The review as the user meets it: the panel's buttons, other runs and other scenes while a step is open."""

from __future__ import annotations

import sys
from collections import Counter

import numpy as np
import pytest
import slicer

from PyPeTLib.phantom import make_head
from PyPeTLib.series import Modality
from PyPeTSlicer import nodes, sequences
from PyPeTSlicer.review import arterial, candidates, concentration, timelines
from PyPeTSlicer.review.steps import STEPS
from PyPeTSlicer.sample_data import add_series

NAMES = [step.name for step in STEPS]
LAYOUT = {step.name: step.layout for step in STEPS}
FIVE = ("cbf", "cbv", "mtt", "ttp", "tmax")
USERS = 6
"""Number of the user's layout: the red slice alone."""

SHOWN = {
    "Input": (("series", ">InputProjection"), ("InputChart",), ()),
    "Motion": (("series", "series"), ("MotionChart", "MotionShift", "MotionTurn"), ()),
    "Mask": (("MaskImage", "MaskBrain", "series", "MaskImage"), (), ()),
    "Bolus": (("BolusBefore", "BolusPeak", "series"), ("BolusChart",), ()),
    "Concentration": ((">Concentration", ">ConcentrationProjection"), (), ()),
    "AIF": (("ArterialPeak", "ArterialPeak"), ("=chart", "CandidateChart"), ("Candidates",)),
    "Residue": (("tmax", "cbf"), ("ResidueChart", "ResidueFit"), ()),
    "Maps": (FIVE, (), ()),
    "Lesions": (("tmax", "cbf"), (), ("LesionVolumes",)),
    "Quality": (("MaskImage", "cbf"), (), ("Flags", "=summary")),
}
"""Volumes, charts and tables of each step: a map, a role of the review, the volume of a sequence with a role (>), a
node of the run (=)."""

OUTLINES = {"Mask": 3, "AIF": 2, "Residue": 2, "Lesions": 2, "Quality": 2}
"""In how many views the segments of the run are drawn, where any are."""


class Panel:
    """The panel with a series that was analysed, and the user before it."""

    def __init__(self, host, modality):
        self.host = host
        host.clear_scene()
        self.widget = host.open_widget("PyPeT")
        sections = {type(section).__name__: section for section in self.widget.sections}
        self.review, self.steer = sections["ReviewSection"], sections["SteerSection"]
        shape = {"ctp": (56, 56, 8), "dsc": (64, 64, 10)}[modality]
        self.head = make_head(modality, seed=1, shape=shape).series
        self.sequence = add_series(self.head, "Head")
        self.choose(self.sequence)
        self.run()

    @property
    def parameters(self):
        return self.widget._parameterNode

    @property
    def subject(self):
        return self.widget.logic.subject(self.parameters)

    @property
    def said(self):
        return self.widget.ui.statusLabel.text

    @property
    def ran(self):
        return self.widget.logic.session.memory.ran

    @property
    def layout(self):
        return slicer.app.layoutManager().layout

    def button(self, name):
        grid = self.review.ui.stepsBox.layout()
        found = [grid.itemAt(index).widget() for index in range(grid.count())]
        return found[NAMES.index(name)]

    def open(self, name):
        assert self.button(name).enabled, self.button(name).toolTip
        self.button(name).click()
        self.host.process_events()

    def leave(self):
        self.review.ui.leaveReviewButton.click()
        self.host.process_events()

    def choose(self, sequence):
        self.parameters.inputSequence = sequence
        self.host.process_events()

    def run(self):
        self.widget.ui.runButton.click()
        self.host.process_events()

    def node(self, name):
        """A node by what `SHOWN` calls it."""
        subject = self.subject
        if name == "series":
            return subject.proxy
        if name in FIVE:
            return subject.map_node(name)
        if name[0] == "=":
            return getattr(subject, name[1:])
        if name[0] == ">":
            return sequences.browser_of(self.sequence).GetProxyNode(subject.existing(name[1:]))
        return subject.existing(name)


@pytest.fixture(scope="module")
def scene(running_host):
    running_host.reset()
    running_host.open_views()
    yield running_host
    running_host.reset()


@pytest.fixture(scope="module", params=["ctp", "dsc"])
def panel(request, scene):
    made = Panel(scene, request.param)
    yield made
    scene.close_widget(made.widget)


of_ct = pytest.mark.parametrize("panel", ["ctp"], indirect=True)


@pytest.fixture(autouse=True)
def nothing_raised(scene):
    yield
    scene.assert_no_exceptions()
    assert [message.text for message in scene.messages] == []


def views(kind, prefix):
    """View nodes of the layout that is shown, in its order."""
    shown = [name for name in HOST().shown_views() if name.rstrip("0123456789") == prefix]
    return [slicer.mrmlScene.GetSingletonNode(name, kind) for name in shown]


def HOST():  # noqa: N802 - the one of the process
    return sys.modules["host"].Host.start()


def backgrounds():
    shown = [node.GetLayoutName() for node in views("vtkMRMLSliceNode", "PyPeT")]
    logic = slicer.app.applicationLogic()
    ids = [logic.GetSliceLogicByLayoutName(name).GetSliceCompositeNode().GetBackgroundVolumeID() for name in shown]
    return [slicer.mrmlScene.GetNodeByID(each) for each in ids]


def window(volume):
    display = volume.GetDisplayNode()
    return display.GetWindowLevelMin(), display.GetWindowLevelMax()


def drawn(segmentation):
    """Views of PyPeT's that the segments of a segmentation are drawn in."""
    displays = [segmentation.GetNthDisplayNode(index) for index in range(segmentation.GetNumberOfDisplayNodes())]
    return {
        view
        for display in displays
        if display.GetVisibility() and display.GetAttribute("PyPeT.View")
        for view in display.GetViewNodeIDs()
    }


def counted():
    scene = slicer.mrmlScene
    return Counter(scene.GetNthNode(index).GetClassName() for index in range(scene.GetNumberOfNodes()))


def crosshair():
    return slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode").GetCrosshairMode()


# ---- each step, by its button


def expected_window(panel, name):
    """Values that a volume shows black and white: of CT those of the brain, of MR those that the series is shown in."""
    result = panel.subject.result
    if name in FIVE:
        return tuple(map(float, panel.node(name).GetAttribute("PyPeT.Window").split()))
    if name == "ArterialPeak":
        return 0.0, arterial.BRIGHTEST * result.aif.measured.max()
    if name == ">Concentration":
        return 0.0, np.percentile(result.concentration.curves.max(axis=1), 90)
    if name in ("series", "MaskImage", "MaskBrain", "BolusBefore", "BolusPeak"):
        return (0.0, 100.0) if panel.head.modality is Modality.CTP else window(panel.subject.proxy)
    return None


def test_the_residue_function_at_the_crosshair_is_one_click(panel):
    button = panel.review.ui.residueHereButton
    panel.open("Maps")
    assert not button.enabled
    panel.open("Residue")
    result = panel.subject.result
    place = result.working.affine @ [*np.argwhere(result.normal_tissue)[500], 1.0]
    node = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    before = slicer.util.arrayFromTableColumn(panel.subject.existing("ResidueChartTable"), "This voxel").copy()
    node.SetCrosshairRAS(place[:3])
    button.click()
    after = slicer.util.arrayFromTableColumn(panel.subject.existing("ResidueChartTable"), "This voxel")
    assert not np.array_equal(before, after)
    assert panel.layout == LAYOUT["Residue"]
    node.SetCrosshairRAS(0.0, 0.0, 900.0)
    button.click()
    assert "No flow was found" in panel.said
    panel.widget.tell("")


@pytest.mark.parametrize("name", NAMES)
def test_a_button_opens_its_step_with_its_volumes_windows_plots_and_tables(panel, name):
    panel.open(name)
    assert panel.said.startswith("Done") or panel.said == ""
    assert panel.layout == LAYOUT[name]
    assert [step for step in NAMES if panel.button(step).checked] == [name]
    volumes, charts, tables = SHOWN[name]
    assert backgrounds() == [panel.node(each) for each in volumes]
    assert all(volume.GetImageData() is not None for volume in backgrounds())
    for each in volumes:
        if expected_window(panel, each) is not None:
            assert window(panel.node(each)) == pytest.approx(expected_window(panel, each), rel=1e-4, abs=1e-4)
    plots = [view.GetPlotChartNode() for view in views("vtkMRMLPlotViewNode", "PyPeTPlot")]
    assert plots == [panel.node(each) for each in charts]
    for chart in plots:
        assert chart.GetNumberOfPlotSeriesNodes() > 0
        for index in range(chart.GetNumberOfPlotSeriesNodes()):
            series = chart.GetNthPlotSeriesNode(index)
            assert series.GetTableNode().GetTable().GetColumnByName(series.GetYColumnName()) is not None
    shown = [view.GetTableNode() for view in views("vtkMRMLTableViewNode", "PyPeTTable")]
    assert shown == [panel.node(each) for each in tables]
    assert all(table.GetNumberOfRows() > 0 for table in shown)
    assert len(drawn(panel.subject.segmentation)) == OUTLINES.get(name, 0)
    assert all(view.GetLayoutLabel() for view in views("vtkMRMLSliceNode", "PyPeT"))


def test_the_users_layout_views_segments_and_crosshair_come_back(panel):
    own = panel.subject.segmentation.GetDisplayNode()
    panel.leave()
    slicer.app.layoutManager().setLayout(USERS)
    slicer.util.setSliceViewerLayers(background=panel.subject.map_node("mtt"))
    red = slicer.app.applicationLogic().GetSliceLogicByLayoutName("Red").GetSliceCompositeNode()
    for name in NAMES:
        panel.open(name)
    assert crosshair() != 0
    panel.leave()
    assert panel.layout == USERS
    assert crosshair() == 0
    assert own.GetNumberOfViewNodeIDs() == 0
    assert red.GetBackgroundVolumeID() == panel.subject.map_node("mtt").GetID()
    assert not panel.review.ui.leaveReviewButton.enabled
    assert not any(panel.button(name).checked for name in NAMES)


def test_a_scene_that_was_saved_in_the_review_comes_back_with_it(panel, tmp_path):
    slicer.app.layoutManager().setLayout(USERS)
    panel.open("AIF")
    before = panel.node("ArterialPeak").GetName()
    panel.host.save_scene(tmp_path / "review.mrb")
    # what is saved is touched, but not another series
    panel.run()
    assert panel.ran == []
    panel.host.clear_scene()
    assert panel.layout == USERS
    panel.host.load_scene(tmp_path / "review.mrb")
    panel.sequence = panel.parameters.inputSequence
    assert panel.subject.result is None
    assert panel.layout == LAYOUT["AIF"]
    assert [volume.GetName() for volume in backgrounds()] == [before] * 2
    assert len(drawn(panel.subject.segmentation)) == 2
    for name in NAMES:
        panel.open(name)
        volumes, _charts, tables = SHOWN[name]
        assert backgrounds() == [panel.node(each) for each in volumes]
        assert len(views("vtkMRMLTableViewNode", "PyPeTTable")) == len(tables)
    panel.leave()
    assert panel.layout == USERS
    panel.run()
    assert panel.said.startswith("Done")


# ---- other runs while a step is open


@of_ct
def test_what_was_switched_off_has_no_entry_and_says_why(panel):
    panel.open("Motion")
    panel.parameters.correctMotion = False
    panel.parameters.method = "peak-height"
    panel.run()
    why = {name: panel.button(name).toolTip for name in NAMES if not panel.button(name).enabled}
    assert set(why) == {"Motion", "Residue", "Lesions"}
    assert "switched off" in why["Motion"]
    assert all("peak-height" in why[name] for name in ("Residue", "Lesions"))
    # the step that was open shows no other run than that of the panel
    assert panel.layout == USERS
    assert panel.said.startswith("Done")
    assert "The step Motion was closed: Motion correction was switched off" in panel.said
    panel.parameters.correctMotion = True
    panel.parameters.method = "osvd"
    panel.run()
    assert all(panel.button(name).enabled for name in NAMES)


@of_ct
def test_the_verdict_on_a_run_stays_when_the_open_step_is_shown_anew(panel):
    panel.open("Maps")
    before = panel.subject.number
    panel.parameters.method = "bsvd"
    panel.run()
    assert panel.subject.number != before
    assert panel.said.startswith("Done")
    assert panel.layout == LAYOUT["Maps"]


@of_ct
def test_runs_with_open_steps_leave_no_node_and_no_observer_behind(panel):
    layout = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    watched = (slicer.mrmlScene, layout, panel.subject.segmentation)
    every = []
    for _ in range(3):
        panel.open("AIF")
        panel.run()
        panel.open("Lesions")
        panel.host.leave(panel.widget)
        panel.host.reenter(panel.widget)
        panel.leave()
        every.append((counted(), [panel.host.observer_count(each) for each in watched]))
    assert every[1:] == every[:1] * 2


@of_ct
def test_the_chosen_candidate_is_drawn_in_the_open_step(panel):
    panel.steer.ui.steerSection.collapsed = False
    panel.steer.follow()
    panel.open("AIF")
    table, shown = panel.steer.ui.candidatesTable, panel.subject.existing(candidates.SHOWN)
    table.setCurrentCell(0, 0)
    assert drawn(shown) == set()
    table.setCurrentCell(table.rowCount - 1, 0)
    assert len(drawn(shown)) == 2
    assert drawn(shown) == drawn(panel.subject.segmentation)


@of_ct
@pytest.mark.parametrize(("place", "says"), [((26.0, 4.0, 40.0), "Done"), ((0.0, 300.0, 0.0), "outside the series")])
def test_a_click_ends_in_a_sentence_and_leaves_nothing_behind(panel, place, says):
    panel.open("AIF")
    panel.steer.ui.steerLabel.text = "of the last run"
    before = counted()
    panel.steer.ui.placeButton.click()
    panel.host.click(place)
    panel.host.process_events(20)
    assert says in panel.said
    assert panel.steer.ui.steerLabel.text != "of the last run"
    after = counted()
    # displays of segments in a view stay with the segmentation
    after.pop("vtkMRMLSegmentationDisplayNode")
    before.pop("vtkMRMLSegmentationDisplayNode")
    assert after == before


@of_ct
def test_two_segmentations_of_one_series_are_not_mixed(panel):
    first, flow = panel.parameters.segmentation, panel.parameters.cbfVolume
    panel.parameters.segmentation = panel.parameters.cbfVolume = None
    panel.run()
    second, other = panel.parameters.segmentation, panel.parameters.cbfVolume
    assert panel.subject.segmentation is second
    panel.parameters.segmentation, panel.parameters.cbfVolume = first, flow
    panel.run()
    assert panel.subject.segmentation is first
    assert panel.subject.map_node("cbf") is flow
    panel.parameters.segmentation = first
    for node in (second, other):
        slicer.mrmlScene.RemoveNode(node)


# ---- other layouts, series and scenes while a step is open


@of_ct
def test_a_layout_that_the_user_chooses_in_the_review_is_the_users(panel):
    own = panel.subject.segmentation.GetDisplayNode()
    panel.open("Mask")
    assert own.GetNumberOfViewNodeIDs() > 0
    slicer.app.layoutManager().setLayout(2)
    assert (crosshair(), own.GetNumberOfViewNodeIDs()) == (0, 0)
    assert not panel.review.ui.leaveReviewButton.enabled
    assert not panel.button("Mask").checked
    panel.open("Maps")
    assert crosshair() != 0
    panel.leave()
    assert (panel.layout, crosshair()) == (2, 0)


@of_ct
def test_the_layout_of_the_probe_is_left_by_the_same_button(panel):
    probe = next(section for section in panel.widget.sections if type(section).__name__ == "ProbeSection")
    probe.ui.probeCheck.checked = True
    probe.ui.probeShowButton.click()
    assert panel.layout not in (*LAYOUT.values(), 2)
    assert not any(panel.button(name).checked for name in NAMES)
    panel.leave()
    assert (panel.layout, crosshair()) == (2, 0)
    probe.ui.probeCheck.checked = False


@of_ct
def test_another_series_closes_a_step_that_it_does_not_have(panel):
    panel.open("Bolus")
    other = add_series(panel.head, "Other")
    panel.choose(other)
    assert panel.layout == 2
    assert "The step Bolus was closed: Nothing to review yet" in panel.said
    assert not any(panel.button(name).enabled for name in NAMES)
    panel.choose(panel.sequence)
    assert panel.button("Bolus").enabled
    slicer.mrmlScene.RemoveNode(other)


@of_ct
def test_a_crosshair_of_the_users_is_left_alone(panel):
    node = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    panel.open("Maps")
    node.SetCrosshairMode(node.ShowIntersection)
    panel.leave()
    assert crosshair() == node.ShowIntersection
    panel.open("Maps")
    panel.leave()
    assert crosshair() == node.ShowIntersection
    node.SetCrosshairMode(node.NoCrosshair)


# ---- what the user deletes


@of_ct
def test_a_plot_that_was_deleted_is_left_out(panel):
    slicer.mrmlScene.RemoveNode(panel.subject.chart)
    panel.open("AIF")
    plots = [view.GetPlotChartNode() for view in views("vtkMRMLPlotViewNode", "PyPeTPlot")]
    assert plots == [panel.node("CandidateChart")]


@of_ct
def test_a_corrected_series_goes_with_its_display_and_file(panel):
    before = counted()
    proxy = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Gone")
    proxy.CreateDefaultDisplayNodes()
    proxy.AddDefaultStorageNode()
    nodes.remove(proxy)
    assert counted() == before
    panel.open("Concentration")
    timelines.discard(panel.subject, concentration.SEQUENCE)
    timelines.discard(panel.subject, concentration.SEQUENCE)
    panel.open("Concentration")
    assert backgrounds()[0] is panel.node(">Concentration")
    timelines.discard(panel.subject, concentration.SEQUENCE)
    gone = counted()
    panel.open("Concentration")
    timelines.discard(panel.subject, concentration.SEQUENCE)
    assert counted() == gone


@of_ct
def test_without_the_summary_steps_that_need_it_say_so(panel):
    panel.widget.logic.session.forget()
    slicer.mrmlScene.RemoveNode(panel.subject.summary)
    panel.parameters.smoothing = 2.0
    for name in ("Motion", "Residue", "Maps", "Lesions"):
        assert "The summary of this run is no longer in the scene" in panel.button(name).toolTip
        assert not panel.button(name).enabled
    panel.run()
    assert all(panel.button(name).enabled for name in NAMES)


@of_ct
def test_with_its_segmentation_the_run_is_gone(panel):
    panel.open("Quality")
    slicer.mrmlScene.RemoveNode(panel.subject.segmentation)
    assert panel.layout == 2
    assert not any(panel.button(name).enabled for name in NAMES)
    # a click that was on its way
    panel.review.on_step(STEPS[0])
    assert "press Run first" in panel.said


@of_ct
def test_without_a_window_no_step_can_be_opened(panel):
    panel.run()
    panel.host.close_views()
    panel.review.follow()
    assert all("without a window" in panel.button(name).toolTip for name in NAMES)
    panel.host.open_views()
    panel.review.follow()
    assert all(panel.button(name).enabled for name in NAMES)
