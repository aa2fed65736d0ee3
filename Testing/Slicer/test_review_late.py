"""The last steps of the review: what their nodes hold against the library, what a row shows, what keeps them shut."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import slicer
from reviewed_runs import STEP, Reviewed
from vtk.util.numpy_support import vtk_to_numpy

from PyPeTLib.aif import Hemispheres
from PyPeTLib.assembly import unravelled
from PyPeTLib.config import PipelineConfig
from PyPeTLib.errors import InputError
from PyPeTLib.lesions import find_lesions
from PyPeTLib.phantom import make_head
from PyPeTLib.probing import Probe
from PyPeTLib.quality import Flag, Severity
from PyPeTSlicer import lesion_nodes, mark_segments, segments
from PyPeTSlicer.review import all_maps, arterial, candidates, findings, lesions, marks, residue, timelines
from PyPeTSlicer.review.subject import Subject
from PyPeTSlicer.sample_data import add_series
from PyPeTSlicer.segments import AIF, SegmentChoice
from PyPeTSlicer.sequences import grid_of, voxels_of

ROOMS = (arterial, residue, all_maps, lesions, findings)
HEADS = {"ctp": {"shape": (80, 80, 12), "affine": "permuted"}, "dsc": {"shape": (64, 64, 10), "affine": "oblique"}}


@pytest.fixture(scope="module")
def scene(running_host):
    running_host.reset()
    running_host.clear_scene()
    running_host.open_views()
    yield running_host
    running_host.close_views()
    running_host.reset()
    running_host.clear_scene()


@pytest.fixture(scope="module", params=["ctp", "dsc"])
def reviewed(request, scene):
    scene.clear_scene()
    made = Reviewed(add_series(make_head(request.param, seed=1, **HEADS[request.param]).series, "Head"))
    # the nodes of these steps are looked at by tests that open none of them
    for name in ("AIF", "Residue", "Lesions"):
        made.open(name)
    yield made
    made.logic.views.leave()


@pytest.fixture(autouse=True)
def nothing_raised(scene):
    yield
    scene.assert_no_exceptions()


def mask_in(reviewed, segmentation, segment_id):
    """A segment on the RAS+ grid of the series; all false where it holds nothing."""
    choice = SegmentChoice(segmentation=segmentation, segment_id=segment_id)
    try:
        return segments.mask_of(choice, marks.orientation_of(reviewed.subject), reviewed.subject.proxy)
    except InputError:
        return np.zeros(marks.orientation_of(reviewed.subject).ras.shape, bool)


def texts(table):
    return [
        [table.GetCellText(row, column) for column in range(table.GetNumberOfColumns())]
        for row in range(table.GetNumberOfRows())
    ]


def column(table, name):
    return vtk_to_numpy(table.GetTable().GetColumnByName(name))


def line(chart, name):
    """Values of a line of a chart: x and y."""
    every = [chart.GetNthPlotSeriesNode(index) for index in range(chart.GetNumberOfPlotSeriesNodes())]
    series = next(one for one in every if one.GetName() == name)
    return column(series.GetTableNode(), series.GetXColumnName()), column(
        series.GetTableNode(), series.GetYColumnName()
    )


def cells(arrangement):
    return [cell for row in arrangement.rows for cell in row]


def with_result(subject, **changes):
    """The subject, had its run come to something else."""
    run = dataclasses.replace(subject.run, result=dataclasses.replace(subject.result, **changes))
    return Subject(subject.segmentation, run)


def offset(name="PyPeT1"):
    return slicer.mrmlScene.GetSingletonNode(name, "vtkMRMLSliceNode").GetSliceOffset()


def here(name="PyPeT1"):
    """Centre of a slice view's plane, and its normal."""
    matrix = slicer.mrmlScene.GetSingletonNode(name, "vtkMRMLSliceNode").GetSliceToRAS()
    return tuple(np.array([matrix.GetElement(row, at) for row in range(3)]) for at in (3, 2))


def distance_to_plane(place, name="PyPeT1"):
    centre, normal = here(name)
    return abs(float((np.asarray(place) - centre) @ normal))


# ---- AIF


def test_the_concentration_is_that_of_the_artery_s_peak(reviewed):
    reviewed.open("AIF")
    result, volume = reviewed.result, reviewed.review(arterial.PEAK)
    frame, kept = int(result.aif.measured.argmax()), result.intermediate
    truth = unravelled(kept.unsmoothed.curves[:, frame], kept.curves.analysed)
    np.testing.assert_array_equal(result.working.orientation.to_ras(voxels_of(volume)), truth)
    assert grid_of(volume).matches(result.working.orientation.native, tolerance=1e-6)
    assert f"{result.working.frame_times[frame]:.1f} s" in volume.GetAttribute(timelines.TITLE)
    assert "automatically" in volume.GetAttribute(timelines.TITLE)
    # where the view opens, there is the artery
    place = mark_segments.read(volume.GetAttribute(arterial.PLACE))
    voxel = np.rint(np.linalg.inv(result.working.affine) @ [*place, 1.0])[:3].astype(int)
    assert result.aif.mask[tuple(voxel)]
    assert distance_to_plane(place) < 0.01


def test_the_table_tells_of_every_candidate(reviewed):
    found, table = reviewed.result.aif.candidates, texts(reviewed.review(candidates.TABLE))
    assert len(table) == len(found) == candidates.count(reviewed.subject) > 2
    for row, candidate in zip(table, found, strict=True):
        assert [float(text) for text in row[1].split(",")] == pytest.approx(candidate.centre, abs=0.06)
        facts = (candidate.volume, candidate.peak, candidate.arrival, candidate.width)
        assert [float(text) for text in row[2:6]] == pytest.approx(facts, rel=1e-3)
        assert row[8] == candidate.verdict
    short = candidates.rows(reviewed.subject)
    assert short[1] == tuple(table[1][column] for column in (0, 8, 4, 3, 5, 2))
    assert [row[:2] for row in short] == [(row[0], row[8]) for row in table]


def test_a_row_shows_its_cluster_its_curve_and_its_place(reviewed):
    reviewed.open("AIF")
    subject, result = reviewed.subject, reviewed.result
    shown, chart = reviewed.review(candidates.SHOWN), reviewed.review(candidates.CHART)
    for row in (2, 1, 0):
        place = candidates.show_candidate(subject, row)
        reviewed.logic.views.go_to(place)
        candidate = result.aif.candidates[row]
        assert place == pytest.approx(candidate.centre, abs=1e-3)
        assert distance_to_plane(place) < 0.01
        np.testing.assert_array_equal(
            mask_in(reviewed, shown, candidates.CANDIDATE), candidates.mask_on_input(result, candidate)
        )
        times, curve = line(chart, candidates.id_of(row))
        np.testing.assert_allclose(times, result.working.frame_times)
        np.testing.assert_allclose(curve, candidate.curve)
        assert str(row + 1) in chart.GetTitle()
        assert candidates.row_shown(subject) == row


def test_masks_of_candidates_are_their_voxels(reviewed):
    result = reviewed.result
    for row, candidate in enumerate(result.aif.candidates):
        mask = np.zeros(result.working.grid.shape, bool)
        mask[tuple(candidate.places.T)] = True
        np.testing.assert_array_equal(candidates.mask_of_candidate(reviewed.subject, row), mask)
    for row in (-1, len(result.aif.candidates)):
        with pytest.raises(InputError, match="no such candidate"):
            candidates.mask_of_candidate(reviewed.subject, row)
        with pytest.raises(InputError, match="no such candidate"):
            candidates.show_candidate(reviewed.subject, row)


def test_candidates_stay_out_of_the_users_own_views(reviewed):
    for role in (candidates.PLACES, candidates.SHOWN, lesions.SEGMENTS):
        node = reviewed.review(role)
        if node is not None:
            assert not node.GetNthDisplayNode(0).GetVisibility()


def test_an_artery_without_a_place_is_said_to_have_none(reviewed):
    subject = reviewed.subject
    without = dataclasses.replace(subject.result.aif, mask=None, source="population")
    title = arterial._title(with_result(subject, aif=without).result)
    assert "without a place" in title
    nothing = with_result(subject, aif=None)
    assert "no artery" in arterial.unavailable(nothing)
    assert residue.unavailable(nothing)


# ---- residue


def test_the_residue_is_what_the_library_finds_at_the_voxel(reviewed):
    reviewed.open("Residue")
    result, places = reviewed.result, reviewed.review(residue.PLACES)
    place = mark_segments.read(places.GetAttribute(residue.PLACE))
    reading = Probe.of(result).at(place)
    lags, shown = line(reviewed.review(residue.RESIDUE), "This voxel")
    np.testing.assert_allclose(lags, reading.deconvolved.response.lags)
    np.testing.assert_allclose(shown, reading.deconvolved.response.residue)
    _times, fitted = line(reviewed.review(residue.FIT), "Fit")
    np.testing.assert_allclose(fitted, reading.deconvolved.response.fitted)
    # late tissue was chosen, and the other side is not late
    assert reading.values["tmax"].value > 6
    other = Probe.of(result).at(tuple((result.mirror.matrix @ [*place, 1.0])[:3]))
    assert other.values["tmax"].value < 6
    lags, opposite = line(reviewed.review(residue.RESIDUE), "Opposite")
    np.testing.assert_allclose(opposite, other.deconvolved.response.residue)
    assert mask_in(reviewed, places, residue.VOXEL)[reading.voxel]
    assert mask_in(reviewed, places, residue.OPPOSITE)[other.voxel]
    assert distance_to_plane(place) < 0.01


def test_another_voxel_can_be_shown_and_stays_for_the_next_run(reviewed):
    result, subject = reviewed.result, reviewed.subject
    voxel = np.argwhere(result.normal_tissue)[1000]
    place = mark_segments.place_of(tuple(voxel), result.series.grid)
    before = reviewed.review(residue.RESIDUE).GetID()
    residue.show_residue_at(subject, place)
    assert reviewed.review(residue.RESIDUE).GetID() == before
    expected = Probe.of(result).at(place).deconvolved.response.residue
    np.testing.assert_allclose(line(reviewed.review(residue.RESIDUE), "This voxel")[1], expected)
    assert residue.arrangement(subject).place == pytest.approx(place, abs=1e-3)
    with pytest.raises(InputError, match="No flow"):
        residue.show_residue_at(subject, (500.0, 0.0, 0.0))


# ---- maps


def test_all_maps_are_shown_in_their_order_and_scroll_together(scene, reviewed):
    reviewed.open("Maps")
    arrangement = all_maps.arrangement(reviewed.subject)
    assert [len(row) for row in arrangement.rows] == [3, 2]
    symbols = [cell.background.GetAttribute("PyPeT.Symbol") for cell in cells(arrangement)]
    assert symbols == ["CBF", "CBV", "MTT", "TTP", "Tmax"]
    for index, cell in enumerate(cells(arrangement), start=1):
        logic = slicer.app.applicationLogic().GetSliceLogicByLayoutName(f"PyPeT{index}")
        assert logic.GetSliceCompositeNode().GetBackgroundVolumeID() == cell.background.GetID()
    before = offset("PyPeT5")
    scene.view("PyPeT1").scroll(20.0)
    assert offset("PyPeT5") == pytest.approx(offset("PyPeT1"))
    assert offset("PyPeT5") != pytest.approx(before)


def test_without_values_there_are_no_maps_to_show(reviewed):
    maps = dataclasses.replace(reviewed.result.maps, quality_mask=np.zeros_like(reviewed.result.maps.quality_mask))
    subject = with_result(reviewed.subject, maps=maps)
    assert "no values" in all_maps.unavailable(subject)
    assert "no values" in lesions.unavailable(subject)


# ---- lesions


def test_lesions_are_those_of_the_library(reviewed):
    reviewed.open("Lesions")
    found, segmentation = find_lesions(reviewed.result), reviewed.review(lesions.SEGMENTS)
    assert found.core.any()
    for segment_id in (lesions.CORE, lesions.PENUMBRA, lesions.HYPOPERFUSED):
        np.testing.assert_array_equal(
            mask_in(reviewed, segmentation, segment_id), getattr(found, segment_id.lower()), err_msg=segment_id
        )
    table = {row[0]: row[1] for row in texts(reviewed.review(lesions.TABLE))}
    volumes = {key: value for key, value in table.items() if key.startswith("Tmax above")}
    assert [float(value) for value in volumes.values()] == pytest.approx(list(found.tmax_volumes.values()), abs=0.06)
    core = next(value for key, value in table.items() if key.startswith("Core"))
    assert float(core) == pytest.approx(found.core_volume, abs=0.06)
    assert float(table["Mismatch ratio"]) == pytest.approx(found.mismatch_ratio, abs=0.006)
    assert "Research use only" in table["Notice"]
    assert all("Research use only" in cell.title for cell in cells(lesions.arrangement(reviewed.subject)))


def test_a_healthy_brain_has_empty_segments(reviewed):
    none = np.zeros_like(reviewed.result.brain.mask)
    found = dataclasses.replace(
        find_lesions(reviewed.result), core=none, hypoperfused=none, tmax_volumes=dict.fromkeys((4.0, 6.0, 10.0), 0.0)
    )
    rows = {row[0]: row[1] for row in lesion_nodes.rows(found)}
    assert rows["Mismatch ratio"] == "none"
    image = mark_segments.image_of_mask(none, marks.orientation_of(reviewed.subject))
    assert not vtk_to_numpy(image.GetPointData().GetScalars()).any()


# ---- quality


def test_flags_and_excluded_voxels_are_those_of_the_run(reviewed):
    reviewed.open("Quality")
    result, table = reviewed.result, texts(reviewed.review(findings.FLAGS))
    if result.flags:
        assert sorted(row[4] for row in table) == sorted(flag.code for flag in result.flags)
    else:
        assert [row[3] for row in table] == ["No flag was raised."]
    segmentation = reviewed.review(findings.EXCLUDED)
    brain = result.on_input_grid(result.brain.mask)
    together = mask_in(reviewed, segmentation, findings.NOT_ANALYSED) | mask_in(
        reviewed, segmentation, findings.NO_VALUE
    )
    np.testing.assert_array_equal(together, brain & ~result.maps.quality_mask)
    assert together.any()
    assert cells(findings.arrangement(reviewed.subject))[-1].table is reviewed.subject.summary


def test_the_worst_flag_stands_first_with_its_numbers():
    flags = tuple(
        Flag(code=code, severity=severity, message=f"{code}: give --aif", value=0.43, threshold=0.3, unit="s")
        for code, severity in (("a", Severity.NOTE), ("b", Severity.FAILURE), ("c", Severity.WARNING))
    )
    rows = findings.rows(flags)
    assert [row[4] for row in rows] == ["b", "c", "a"]
    assert rows[0][:3] == ("Failure", "0.43 s", "0.3 s")
    # in the words of the panel
    assert "--aif" not in rows[0][3]


# ---- other runs


def test_a_run_with_another_artery_keeps_candidates_and_nodes(scene):
    scene.clear_scene()
    reviewed = Reviewed(add_series(make_head("ctp", seed=1, **HEADS["ctp"]).series, "Head"))
    for room in ROOMS:
        room.arrangement(reviewed.subject)
    before = reviewed.subject
    made = {role: before.existing(role).GetID() for role in roles_of(before)}
    masks = [candidates.mask_of_candidate(before, row) for row in range(candidates.count(before))]
    place = residue.arrangement(before).place
    chosen = masks[2]
    segments.give_segment(before.segmentation, AIF, chosen, marks.orientation_of(before))

    reviewed.run()

    after = reviewed.subject
    assert after.result.aif.source == "mask"
    assert not after.result.aif.candidates
    for room in ROOMS:
        assert room.unavailable(after) == ""
        room.arrangement(after)
    assert {role: after.existing(role).GetID() for role in roles_of(after)} == made
    assert "last automatic search" in candidates.title(after)
    assert "by the user" in after.existing(arterial.PEAK).GetAttribute(timelines.TITLE)
    for row, mask in enumerate(masks):
        np.testing.assert_array_equal(candidates.mask_of_candidate(after, row), mask)
    frame, kept = int(after.result.aif.measured.argmax()), after.result.intermediate
    truth = unravelled(kept.unsmoothed.curves[:, frame], kept.curves.analysed)
    shown = after.result.working.orientation.to_ras(voxels_of(after.existing(arterial.PEAK)))
    np.testing.assert_array_equal(shown, truth)
    assert residue.arrangement(after).place == pytest.approx(place, abs=1e-3)


def roles_of(subject):
    """Roles of all nodes of the review."""
    begin = "PyPeT.Review."
    names: list[str] = []
    subject.segmentation.GetNodeReferenceRoles(names)
    return sorted(name.removeprefix(begin) for name in names if name.startswith(begin))


def test_candidates_of_a_coarser_grid_lie_where_the_library_puts_them(scene):
    scene.clear_scene()
    series = make_head("ctp", seed=1, **HEADS["ctp"]).series
    reviewed = Reviewed(add_series(series, "Head"), advanced='{"resample": {"max_in_plane": 60}}')
    result = reviewed.result
    assert result.working.grid.shape != result.series.grid.shape
    candidates.keep(reviewed.subject)
    for row, candidate in enumerate(result.aif.candidates):
        mask = np.zeros(result.working.grid.shape, bool)
        mask[tuple(candidate.places.T)] = True
        expected = result.on_input_grid(mask)
        assert expected.any()
        np.testing.assert_array_equal(candidates.mask_of_candidate(reviewed.subject, row), expected)


def test_a_method_without_responses_shuts_residue_and_lesions(reviewed):
    config = PipelineConfig.for_modality(reviewed.result.series.modality, {"deconvolution": {"method": "peak-height"}})
    subject = with_result(reviewed.subject, config=config)
    assert "peak-height" in residue.unavailable(subject)
    assert "peak-height" in lesions.unavailable(subject)
    assert arterial.unavailable(subject) == findings.unavailable(subject) == all_maps.unavailable(subject) == ""


def test_candidates_of_both_sides_are_listed_once(reviewed):
    result = reviewed.result
    is_right = result.mirror.side() > 0
    both = Hemispheres(left=result.aif, right=result.aif, is_right=is_right, borrowed="")
    found = candidates.found_by_search(with_result(reviewed.subject, hemispheres=both).result)
    expected = [(side, candidate) for side in ("left", "right") for candidate in result.aif.candidates]
    assert found == expected
    borrowed = dataclasses.replace(both, borrowed="left")
    found = candidates.found_by_search(with_result(reviewed.subject, hemispheres=borrowed).result)
    assert {side for side, _candidate in found} == {"right"}


def test_after_a_scene_was_saved_all_steps_open_from_its_nodes(scene, tmp_path):
    scene.clear_scene()
    reviewed = Reviewed(add_series(make_head("dsc", seed=1, **HEADS["dsc"]).series, "Head"))
    unopened = Subject(reviewed.subject.segmentation, None)
    assert [room.unavailable(unopened) == "" for room in ROOMS] == [False, False, True, True, True]
    for room in ROOMS:
        room.arrangement(reviewed.subject)
    candidates.show_candidate(reviewed.subject, 1)
    result = reviewed.result
    places = [candidates.mask_on_input(result, candidate) for candidate in result.aif.candidates]
    found = find_lesions(result)
    flags = texts(reviewed.review(findings.FLAGS))
    slicer.util.saveScene(str(tmp_path / "scene.mrb"), {})
    scene.clear_scene()
    reviewed.logic.forget()
    scene.load_scene(tmp_path / "scene.mrb")

    reviewed.sequence = next(
        node for node in slicer.util.getNodesByClass("vtkMRMLSequenceNode") if node.GetName() == "Head"
    )
    assert reviewed.result is None
    for name in ("AIF", "Residue", "Maps", "Lesions", "Quality"):
        assert STEP[name].unavailable(reviewed.subject) == ""
        reviewed.open(name)
    for row, mask in enumerate(places):
        np.testing.assert_array_equal(candidates.mask_of_candidate(reviewed.subject, row), mask)
    assert candidates.row_shown(reviewed.subject) == 1
    candidates.show_candidate(reviewed.subject, 2)
    np.testing.assert_array_equal(mask_in(reviewed, reviewed.review(candidates.SHOWN), candidates.CANDIDATE), places[2])
    np.testing.assert_allclose(
        line(reviewed.review(candidates.CHART), candidates.id_of(2))[1], result.aif.candidates[2].curve, rtol=1e-4
    )
    np.testing.assert_array_equal(mask_in(reviewed, reviewed.review(lesions.SEGMENTS), lesions.CORE), found.core)
    assert texts(reviewed.review(findings.FLAGS)) == flags
    symbols = [cell.background.GetAttribute("PyPeT.Symbol") for cell in cells(all_maps.arrangement(reviewed.subject))]
    assert symbols == ["CBF", "CBV", "MTT", "TTP", "Tmax"]
    with pytest.raises(InputError, match="no longer in memory"):
        residue.show_residue_at(reviewed.subject, (0.0, 0.0, 0.0))
    reviewed.logic.views.leave()
