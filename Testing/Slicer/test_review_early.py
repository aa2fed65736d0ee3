"""The first steps of the review: what their nodes hold, how they scroll in time and space, what keeps them shut."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import slicer
import vtk
from reviewed_runs import Reviewed
from vtk.util.numpy_support import vtk_to_numpy

from PyPeTLib.config import PipelineConfig
from PyPeTLib.frames import ScatteredFrames, StoredFrames
from PyPeTLib.phantom import make_head
from PyPeTLib.phantom.motion import RigidMotion
from PyPeTLib.series import Modality
from PyPeTSlicer import sequences
from PyPeTSlicer.nodes import image_of
from PyPeTSlicer.review import bolus, concentration, input_series, mask, motion, timelines
from PyPeTSlicer.review.steps import STEPS, Review
from PyPeTSlicer.review.subject import Subject
from PyPeTSlicer.sample_data import add_series
from PyPeTSlicer.sequences import grid_of, voxels_of

ROOMS = (input_series, motion, mask, bolus, concentration)
EMPTY = 20
"""Frame of the moved head that holds nothing, and so is left out."""


THIRD = {"moved": slice(2, 5), "still": slice(3, 6)}
"""The middle third of 8 and of 10 slices."""


def shift():
    """A transform that the input lies under."""
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(1, 3, 12.0)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    node.SetMatrixTransformToParent(matrix)
    return node


def moved_head():
    """A CT head that moves, stored as 16-bit integers in another order of the axes, with an empty frame."""
    series = make_head("ctp", seed=1, shape=(56, 56, 8), affine="permuted", motion=RigidMotion()).series
    data = series.array().copy()
    data[..., EMPTY] = 0
    sequence = add_series(dataclasses.replace(series, data=data), "Moved")
    for index in range(sequence.GetNumberOfDataNodes()):
        volume = sequence.GetNthDataNode(index)
        volume.SetAndObserveImageData(image_of(np.rint(voxels_of(volume)).astype(np.int16)))
    sequences.proxy_of(sequence).SetAndObserveTransformNodeID(shift().GetID())
    return sequence


@pytest.fixture(scope="module")
def scene(running_host):
    running_host.reset()
    yield running_host
    running_host.reset()


@pytest.fixture(scope="module")
def moved(scene):
    reviewed = Reviewed(moved_head())
    for room in ROOMS:
        room.arrangement(reviewed.subject)
    return reviewed


@pytest.fixture(scope="module")
def still(scene):
    """A DSC head that does not move."""
    head = make_head("dsc", seed=1, shape=(64, 64, 10))
    reviewed = Reviewed(add_series(head.series, "Still"))
    for room in ROOMS:
        room.arrangement(reviewed.subject)
    return reviewed


@pytest.fixture(autouse=True)
def nothing_raised(scene):
    yield
    scene.assert_no_exceptions()


def column(table, name):
    return vtk_to_numpy(table.GetTable().GetColumnByName(name))


def line(chart, name):
    """Values of a line of a chart: x and y."""
    for index in range(chart.GetNumberOfPlotSeriesNodes()):
        series = chart.GetNthPlotSeriesNode(index)
        if series.GetName() == name:
            return column(series.GetTableNode(), series.GetXColumnName()), column(series.GetTableNode(), name)
    raise KeyError(name)


def series_of(chart):
    """Ids of the series of a chart."""
    return [chart.GetNthPlotSeriesNodeID(index) for index in range(chart.GetNumberOfPlotSeriesNodes())]


def cells(arrangement):
    return [cell for row in arrangement.rows for cell in row]


def with_result(subject, **changes):
    """The subject, had its run come to something else."""
    run = dataclasses.replace(subject.run, result=dataclasses.replace(subject.result, **changes))
    return Subject(subject.segmentation, run)


def at_its_place(volume, series):
    """Voxels of a part of the input's grid, in RAS+ order, with 0 around them."""
    to_voxel = np.linalg.inv(series.orientation.native.affine) @ grid_of(volume).affine
    start = to_voxel[:3, 3]
    np.testing.assert_allclose(to_voxel[:3, :3], np.eye(3), atol=1e-6)
    np.testing.assert_allclose(start, np.rint(start), atol=1e-4)
    i, j, k = (slice(int(a), int(a) + n) for a, n in zip(np.rint(start), grid_of(volume).shape, strict=True))
    whole = np.zeros(series.orientation.native.shape, np.float32)
    whole[i, j, k] = voxels_of(volume)
    return series.orientation.to_ras(whole)


# ---- frames over time


def test_corrected_frames_lie_on_the_inputs_grid_in_its_type_with_its_index(moved):
    result, source, shown = moved.result, moved.sequence, moved.review(timelines.WORKING)
    assert result.motion.applied
    assert isinstance(result.series.frames, StoredFrames)
    kept = [int(frame) for frame in result.motion.kept]
    assert EMPTY not in kept
    assert shown.GetNumberOfDataNodes() == len(kept) == source.GetNumberOfDataNodes() - 1
    assert [shown.GetNthIndexValue(i) for i in range(len(kept))] == [source.GetNthIndexValue(i) for i in kept]
    assert (shown.GetIndexName(), shown.GetIndexUnit()) == ("time", "s")
    for index in (0, EMPTY, len(kept) - 1):
        frame = shown.GetNthDataNode(index)
        assert grid_of(frame).matches(grid_of(source.GetNthDataNode(0)), tolerance=1e-6)
        assert voxels_of(frame).dtype == np.int16
        truth = result.series.orientation.to_native(result.working.frame(index))
        np.testing.assert_array_equal(voxels_of(frame), np.rint(truth))


def test_one_slider_of_time_moves_all_and_a_frame_left_out_shifts_nothing(moved):
    result, browser, source = moved.result, moved.browser, moved.sequence
    kept = list(result.motion.kept)
    roles = (timelines.WORKING, input_series.PROJECTION, concentration.SEQUENCE, concentration.PROJECTION)
    for item in (3, EMPTY - 1, EMPTY, EMPTY + 1, source.GetNumberOfDataNodes() - 1):
        browser.SetSelectedItemNumber(item)
        np.testing.assert_array_equal(voxels_of(browser.GetProxyNode(source)), voxels_of(source.GetNthDataNode(item)))
        # where the frame was left out, the one before stays in view
        place = kept.index(item) if item != EMPTY else kept.index(EMPTY - 1)
        for role in roles:
            np.testing.assert_array_equal(
                voxels_of(moved.shown(role)), voxels_of(moved.review(role).GetNthDataNode(place))
            )
            assert moved.review(role).GetNumberOfDataNodes() == len(kept)


def test_what_is_shown_lies_under_the_inputs_transform(moved):
    transform = sequences.proxy_of(moved.sequence).GetTransformNodeID()
    assert transform
    for role in (timelines.WORKING, input_series.PROJECTION, concentration.SEQUENCE):
        assert moved.shown(role).GetTransformNodeID() == transform
    for role in (mask.IMAGE, bolus.PEAK):
        assert moved.review(role).GetTransformNodeID() == transform


def test_an_input_that_did_not_move_is_shown_itself(still):
    assert not still.result.motion.applied
    assert still.review(timelines.WORKING) is None
    own = sequences.proxy_of(still.sequence)
    assert cells(input_series.arrangement(still.subject))[0].background is own
    before, after, *_plots = cells(motion.arrangement(still.subject))
    assert before.background is after.background is own
    assert "the same" in after.title


def test_sequences_of_the_review_are_no_input_for_a_run(moved):
    for role in (timelines.WORKING, input_series.PROJECTION, concentration.SEQUENCE):
        assert moved.review(role).GetHideFromEditors()


def test_a_sequence_without_a_browser_gets_one(scene, still):
    copy = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "Alone")
    copy.SetDataNodeAtValue(still.sequence.GetNthDataNode(0), "0")
    try:
        assert sequences.browser_of(copy) is None
        browser = timelines.browser_of(copy)
        assert browser.GetProxyNode(copy) is not None
        assert timelines.browser_of(copy) is browser
        slicer.mrmlScene.RemoveNode(browser.GetProxyNode(copy))
        slicer.mrmlScene.RemoveNode(browser)
    finally:
        slicer.mrmlScene.RemoveNode(copy)


# ---- Input


@pytest.mark.parametrize("which", ["moved", "still"])
def test_the_projection_is_the_brightest_of_ct_and_the_darkest_of_the_brain_in_mr(which, request):
    reviewed = request.getfixturevalue(which)
    result = reviewed.result
    third = THIRD[which]
    shown = reviewed.review(input_series.PROJECTION)
    for index in (0, 12):
        volume = result.working.frame(index)[..., third]
        if result.series.modality is Modality.CTP:
            truth = np.rint(volume).max(axis=2)
        else:
            inside = result.brain.mask[..., third]
            truth = np.ma.masked_array(volume, ~inside).min(axis=2).filled(0)
        found = voxels_of(shown.GetNthDataNode(index))
        np.testing.assert_allclose(found[..., 0], truth, rtol=1e-6)
    word = "Maximum" if which == "moved" else "Minimum"
    slices = f"{third.start + 1} to {third.stop}"
    assert cells(input_series.arrangement(reviewed.subject))[1].title == f"{word} of slices {slices}"


def test_the_projection_stays_in_view_in_every_slice(moved):
    bounds, whole = np.zeros(6), np.zeros(6)
    moved.shown(input_series.PROJECTION).GetRASBounds(bounds)
    sequences.proxy_of(moved.sequence).GetRASBounds(whole)
    np.testing.assert_allclose(bounds, whole, atol=1e-3)


def test_the_signal_of_the_brain_is_its_mean(still):
    result = still.result
    times, signal = line(still.review(input_series.CHART), "Brain")
    np.testing.assert_allclose(times, result.working.frame_times)
    truth = [result.working.frame(i)[result.analysed].mean(dtype=np.float64) for i in range(result.working.n_frames)]
    np.testing.assert_allclose(signal, truth, rtol=1e-5)
    assert "1.5 s apart" in still.review(input_series.CHART).GetTitle()


def test_a_window_from_air_to_bone_gives_way_to_one_for_the_brain(moved):
    display = sequences.proxy_of(moved.sequence).GetDisplayNode()
    display.SetWindowLevelMinMax(-1000, 2000)
    motion.arrangement(moved.subject)
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (0, 100)
    # but one that the user chose stays, and what is compared gets it too
    display.SetWindowLevelMinMax(20, 60)
    _before, after, *_plots = cells(motion.arrangement(moved.subject))
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (20, 60)
    assert after.background.GetDisplayNode().GetWindowLevelMax() == 60


# ---- Motion


def test_plots_of_motion_show_all_frames_and_mark_those_left_out(moved):
    result = moved.result
    every, times = result.motion.all_frames, result.series.frame_times
    chart = moved.review(motion.CHART)
    np.testing.assert_allclose(line(chart, "From the reference"), [times, every.displacement])
    np.testing.assert_allclose(line(chart, "Framewise (sum of all six)"), [times, every.framewise_displacement])
    x, y = line(chart, "Left out")
    assert set(x) == {times[EMPTY]}
    assert set(y) == {every.displacement[EMPTY]}
    for role, names, values in (
        (motion.SHIFT, ("Right", "Anterior", "Superior"), every.translations),
        (motion.TURN, ("Nodding", "Tilting", "Turning"), every.rotations),
    ):
        found = [line(moved.review(role), name)[1] for name in names]
        np.testing.assert_allclose(found, values.T)
    title = cells(motion.arrangement(moved.subject))[1].title
    assert f"{np.count_nonzero(result.motion.estimate.frames_moved)} frames moved back" in title
    assert "1 left out" in title


def test_motion_that_was_not_to_be_corrected_is_not_shown(still):
    subject = still.subject
    assert motion.unavailable(subject) == ""
    subject.__dict__["config"] = PipelineConfig.for_modality(Modality.DSC, {"motion": {"correct": False}})
    assert motion.unavailable(subject) == "Motion correction was switched off for this run."


# ---- Mask


@pytest.mark.parametrize(("which", "outside"), [("moved", -1000), ("still", 0)])
def test_the_brain_alone_is_the_image_within_the_mask(which, outside, request):
    reviewed = request.getfixturevalue(which)
    result = reviewed.result
    to_ras = result.series.orientation.to_ras
    image, alone = (to_ras(voxels_of(reviewed.review(role))) for role in (mask.IMAGE, mask.ALONE))
    np.testing.assert_array_equal(image, result.baseline_image)
    np.testing.assert_array_equal(alone, np.where(result.brain.mask, result.baseline_image, outside))
    first = cells(mask.arrangement(reviewed.subject))[0]
    millilitres = np.count_nonzero(result.brain.mask) * result.series.grid.voxel_volume / 1000
    assert first.title == f"Brain mask, found: {millilitres:.0f} ml"
    assert first.segments[0].outlined == ("Brain",)


def test_a_mask_of_the_users_is_called_given(still):
    subject = still.subject
    given = with_result(subject, brain=dataclasses.replace(subject.result.brain, method="given"))
    assert cells(mask.arrangement(given))[0].title.startswith("Brain mask, given by the user")
    assert cells(mask.arrangement(subject))[0].title.startswith("Brain mask, found")


# ---- Bolus


@pytest.mark.parametrize("which", ["moved", "still"])
def test_the_normalised_curve_rises_from_0_to_1_and_marks_the_arrival(which, request):
    reviewed = request.getfixturevalue(which)
    result = reviewed.result
    chart = reviewed.review(bolus.CHART)
    times, curve = line(chart, "Mean of the brain")
    found = result.bolus
    np.testing.assert_allclose(times, result.working.frame_times)
    assert curve[found.baseline].mean() == pytest.approx(0, abs=1e-6)
    assert curve.max() == pytest.approx(1)
    signal = np.array([result.working.frame(i)[result.analysed].mean(dtype=np.float64) for i in range(times.size)])
    assert abs(np.corrcoef(signal, curve)[0, 1]) > 0.95
    assert set(line(chart, "Bolus arrives")[0]) == {found.time}
    assert set(line(chart, "Baseline ends")[0]) == {times[found.baseline.stop - 1]}
    # the image is that of the peak
    at = int(curve.argmax())
    image = result.series.orientation.to_ras(voxels_of(reviewed.review(bolus.PEAK)))
    np.testing.assert_allclose(image, result.working.frame(at), atol=0.5 if which == "moved" else 0)
    assert f"{times[at]:.1f} s" in cells(bolus.arrangement(reviewed.subject))[1].title


def test_the_curve_is_the_same_where_the_run_kept_no_signal(still):
    result = still.result
    alone = dataclasses.replace(result, intermediate=None)
    np.testing.assert_allclose(bolus.normalised(alone), bolus.normalised(result), atol=1e-5)


def test_without_a_bolus_the_step_says_so(still):
    subject = still.subject
    none = with_result(subject, bolus=dataclasses.replace(subject.result.bolus, found=False))
    assert bolus.unavailable(none).startswith("No bolus was found")
    assert bolus.unavailable(subject) == ""


# ---- Concentration


@pytest.mark.parametrize("which", ["moved", "still"])
def test_concentration_is_what_was_deconvolved(which, request):
    reviewed = request.getfixturevalue(which)
    result = reviewed.result
    truth = ScatteredFrames(result.concentration.curves, result.analysed)
    assert grid_of(reviewed.review(concentration.SEQUENCE).GetNthDataNode(0)).shape != result.series.grid.shape
    whole, thick = reviewed.review(concentration.SEQUENCE), reviewed.review(concentration.PROJECTION)
    for index in (0, 14):
        frame = truth.frame(index)
        node = whole.GetNthDataNode(index)
        assert voxels_of(node).dtype == np.float32
        np.testing.assert_array_equal(at_its_place(node, result.series), frame)
        inside = result.analysed[..., THIRD[which]]
        expected = np.ma.masked_array(frame[..., THIRD[which]], ~inside).max(axis=2).filled(0)
        columns = np.ix_(*(np.flatnonzero(result.analysed.any(axis=axes)) for axes in ((1, 2), (0, 2))))
        np.testing.assert_array_equal(voxels_of(thick.GetNthDataNode(index))[..., 0], expected[columns])
    unit = "HU above baseline" if which == "moved" else "1/s"
    shown = cells(concentration.arrangement(reviewed.subject))
    assert unit in shown[0].title
    for cell in shown:
        display = cell.background.GetDisplayNode()
        assert display.GetWindowLevelMin() == 0
        assert 0 < display.GetWindowLevelMax() <= result.concentration.curves.max()


# ---- the views, and later


def test_each_step_scrolls_in_space_and_time(scene, moved):
    manager = scene.open_views()
    try:
        review = Review(moved.logic.views)
        for step in STEPS[: len(ROOMS)]:
            review.open(step, moved.subject)
            assert review.step is step
            views = [manager.sliceWidget(name) for name in ("PyPeT1", "PyPeT2")]
            first, second = (view.sliceLogic() for view in views)
            start = second.GetSliceOffset()
            first.StartSliceOffsetInteraction()
            first.SetSliceOffset(first.GetSliceOffset() + 5.0)
            first.EndSliceOffsetInteraction()
            assert second.GetSliceOffset() == pytest.approx(first.GetSliceOffset(), abs=1e-3)
            assert second.GetSliceOffset() != pytest.approx(start, abs=1)
            for item in (2, 16):
                moved.browser.SetSelectedItemNumber(item)
                shown = [view.mrmlSliceCompositeNode().GetBackgroundVolumeID() for view in views]
                assert all(slicer.mrmlScene.GetNodeByID(each).GetImageData() is not None for each in shown)
        review.leave()
    finally:
        scene.close_views()


def test_another_run_fills_the_same_nodes(still):
    roles = (input_series.CHART, motion.CHART, mask.IMAGE, concentration.SEQUENCE, concentration.PROJECTION)
    before = {role: still.review(role).GetID() for role in roles}
    curve = voxels_of(still.review(concentration.SEQUENCE).GetNthDataNode(12)).copy()
    proxies = {role: still.shown(role).GetID() for role in roles[-2:]}
    drawn = series_of(still.review(motion.CHART))
    still.run(smoothing=0.0)
    # looking at a run does not change what the next one reads
    assert "motion" not in still.logic.session.memory.ran
    for room in ROOMS:
        assert room.unavailable(still.subject) == ""
        room.arrangement(still.subject)
    assert {role: still.review(role).GetID() for role in roles} == before
    assert {role: still.shown(role).GetID() for role in roles[-2:]} == proxies
    assert not np.array_equal(voxels_of(still.review(concentration.SEQUENCE).GetNthDataNode(12)), curve)
    assert series_of(still.review(motion.CHART)) == drawn


def test_a_series_that_has_lost_a_frame_is_not_mixed_with_its_run(still):
    subject, source = still.subject, still.sequence
    last = source.GetNumberOfDataNodes() - 1
    value, volume = source.GetNthIndexValue(last), source.GetNthDataNode(last)
    volume.Register(None)
    source.RemoveDataNodeAtValue(value)
    try:
        for room in ROOMS:
            assert room.unavailable(subject).endswith("has 59. Run again.")
    finally:
        source.SetDataNodeAtValue(volume, value)
        volume.UnRegister(None)
    assert input_series.unavailable(still.subject) == ""


def test_a_run_that_begins_behind_the_motion_corrects_no_frame_anew(moved):
    working, first = moved.review(timelines.WORKING), moved.review(timelines.WORKING).GetNthDataNode(0)
    moved.run(smoothing=0.0)
    for room in ROOMS:
        room.arrangement(moved.subject)
    assert moved.review(timelines.WORKING) is working
    assert working.GetNthDataNode(0) is first
    assert working.GetAttribute("PyPeT.Run") == moved.subject.number


def test_other_motion_corrects_all_frames_anew(moved):
    before = [voxels_of(moved.review(timelines.WORKING).GetNthDataNode(index)).copy() for index in (6, 40)]
    moved.run(advanced=json.dumps({"motion": {"threshold": 2.2}}))
    motion.arrangement(moved.subject)
    for index, frame in zip((6, 40), before, strict=True):
        again = voxels_of(moved.review(timelines.WORKING).GetNthDataNode(index))
        truth = moved.result.series.orientation.to_native(moved.result.working.frame(index))
        np.testing.assert_array_equal(again, np.rint(truth))
        stays = not moved.result.motion.estimate.frames_moved[index]
        assert np.array_equal(again, frame) != stays
    title = cells(motion.arrangement(moved.subject))[1].title
    assert f"{np.count_nonzero(moved.result.motion.estimate.frames_moved)} frames moved back" in title


def test_what_the_user_deletes_is_made_again(still):
    role = concentration.SEQUENCE
    before = still.review(role).GetNumberOfDataNodes()
    for node in (still.shown(role), still.review(role), still.review(motion.CHART), still.review(mask.IMAGE)):
        slicer.mrmlScene.RemoveNode(node)
    for room in ROOMS:
        room.arrangement(still.subject)
    assert still.review(role).GetNumberOfDataNodes() == before
    still.browser.SetSelectedItemNumber(9)
    np.testing.assert_array_equal(voxels_of(still.shown(role)), voxels_of(still.review(role).GetNthDataNode(9)))
    assert line(still.review(motion.CHART), "From the reference")[0].size == before


def test_a_downsampled_series_is_shown_as_it_was_analysed(still):
    still.run(advanced=json.dumps({"resample": {"max_in_plane": 48}}))
    result = still.result
    assert result.working.grid.shape == (48, 48, 10)
    for room in ROOMS:
        room.arrangement(still.subject)
    for role in (timelines.WORKING, concentration.SEQUENCE):
        assert grid_of(still.review(role).GetNthDataNode(0)).voxel_sizes[0] == pytest.approx(
            result.working.grid.voxel_sizes[0]
        )
    shown = still.review(timelines.WORKING).GetNthDataNode(7)
    assert grid_of(shown).matches(result.working.grid, tolerance=1e-4)
    np.testing.assert_array_equal(voxels_of(shown), result.working.frame(7))
    assert grid_of(still.review(mask.IMAGE)).matches(result.working.grid, tolerance=1e-4)
    assert cells(motion.arrangement(still.subject))[0].background is sequences.proxy_of(still.sequence)


def test_a_corrected_series_goes_when_the_next_run_needs_none(moved):
    """Last of those that need it."""
    subject = moved.subject
    standing = with_result(subject, motion=dataclasses.replace(subject.result.motion, applied=False))
    gone = [moved.review(timelines.WORKING).GetID(), moved.shown(timelines.WORKING).GetID()]
    assert timelines.working_proxy(standing) is sequences.proxy_of(moved.sequence)
    assert all(slicer.mrmlScene.GetNodeByID(each) is None for each in gone)
    assert timelines.working_proxy(subject) is moved.shown(timelines.WORKING)


def test_steps_that_were_open_can_be_opened_again_from_a_saved_scene(scene, moved, still, tmp_path):
    """The last test: it closes the scene."""
    titles = {room: [cell.title for cell in cells(room.arrangement(moved.subject))] for room in ROOMS}
    times, curve = line(moved.review(bolus.CHART), "Mean of the brain")
    scene.save_scene(tmp_path / "review.mrb")
    scene.clear_scene()
    moved.logic.forget()
    scene.load_scene(tmp_path / "review.mrb")
    every = {node.GetName(): node for node in slicer.util.getNodesByClass("vtkMRMLSequenceNode")}
    again, other = every["Moved"], every["Still"]
    subject = Subject.of(again, moved.logic.session)
    assert subject.result is None
    for room in ROOMS:
        assert room.unavailable(subject) == ""
        assert [cell.title for cell in cells(room.arrangement(subject))] == titles[room]
    np.testing.assert_allclose(line(subject.existing(bolus.CHART), "Mean of the brain"), [times, curve], rtol=1e-5)
    browser = sequences.browser_of(again)
    browser.SetSelectedItemNumber(EMPTY + 2)
    working = subject.existing(timelines.WORKING)
    np.testing.assert_array_equal(
        voxels_of(browser.GetProxyNode(working)), voxels_of(working.GetNthDataNode(EMPTY + 1))
    )
    subject.curves.SetAttribute("PyPeT.BolusArrival", "")
    assert bolus.unavailable(subject).startswith("No bolus was found")
    # of the other head the last run was never looked at
    segmentation = Subject.of(other, moved.logic.session).segmentation
    segmentation.SetAttribute("PyPeT.Run", "99")
    for room in ROOMS:
        assert "Run again" in room.unavailable(Subject(segmentation, None))


def test_a_window_made_of_an_empty_first_frame_does_not_make_the_brain_white(scene):
    scene.clear_scene()
    series = make_head("dsc", seed=1, shape=(64, 64, 10)).series
    values = series.array().copy()
    values[..., 0] = 0
    made = Reviewed(add_series(dataclasses.replace(series, data=StoredFrames(values)), "Head"))
    proxy = timelines.input_proxy(made.subject)
    middle = np.median(made.result.baseline_image[made.result.brain.mask])
    display = proxy.GetDisplayNode()
    assert display.GetWindowLevelMin() < middle < display.GetWindowLevelMax() < 10 * middle
