"""Corrections: the maps are those of a fresh run with the same inputs, and no stage before the change runs again."""

import numpy as np
import pytest
import slicer

from PyPeTLib.config import Given, PipelineConfig
from PyPeTLib.errors import InputError
from PyPeTLib.pipeline import run_pipeline
from PyPeTLib.series import Modality
from PyPeTSlicer import segments, session, steering
from PyPeTSlicer.review import candidates
from PyPeTSlicer.running import RunRequest, run
from PyPeTSlicer.sequences import voxels_of

of_both = pytest.mark.parametrize("analysed", ["ctp", "dsc"], indirect=True)
AFTER_ARTERY = ["aif", "deconvolution", "maps"]


@pytest.fixture
def analysed(request, host, logic, sequence):
    """A logic with a run behind it, on CT unless a test asks for another kind, and its parameters."""
    parameters = logic.getParameterNode()
    parameters.inputSequence = sequence(getattr(request, "param", "ctp"))
    logic.adopt(parameters)
    logic.setDefaults(parameters)
    logic.process(parameters)
    return logic, parameters


def subject_of(analysed):
    return analysed[0].subject(analysed[1])


def maps_of(analysed):
    """The maps in the scene, each on the RAS+ grid."""
    subject = subject_of(analysed)
    orientation = subject.result.series.orientation
    return {name: orientation.to_ras(voxels_of(subject.map_node(name))) for name in subject.result.maps}


def assert_as_fresh(analysed, given, changes=None):
    """The maps in the scene are those of a run that knows nothing of an earlier one."""
    series = subject_of(analysed).result.series
    fresh = run_pipeline(series, PipelineConfig.for_modality(series.modality, changes), given=given)
    for name, values in maps_of(analysed).items():
        expected = np.where(fresh.maps[name].valid, fresh.maps[name].values, np.float32(0))
        np.testing.assert_array_equal(values, expected)


def ran(analysed):
    analysed[0].process(analysed[1])
    return analysed[0].session.memory.ran


def aif_mask(subject):
    choice = segments.SegmentChoice(segmentation=subject.segmentation, segment_id="AIF")
    return segments.mask_of(choice, subject.result.series.orientation, subject.proxy)


def test_a_run_without_a_change_goes_through_no_stage(analysed):
    assert ran(analysed) == []


@of_both
def test_a_candidate_becomes_the_artery(analysed):
    subject = subject_of(analysed)
    candidates.keep(subject)
    row = candidates.count(subject) - 1
    mask = candidates.mask_of_candidate(subject, row)
    before = maps_of(analysed)["cbf"].copy()
    steering.artery_of_candidate(analysed[1], subject, row)
    assert ran(analysed) == AFTER_ARTERY
    assert_as_fresh(analysed, Given(aif_mask=mask))
    assert not np.array_equal(before, maps_of(analysed)["cbf"])
    assert steering.of_user(subject_of(analysed)) == ["AIF"]


def test_the_candidates_stay_while_the_artery_is_the_users(analysed):
    subject = subject_of(analysed)
    candidates.keep(subject)
    first = [candidates.mask_of_candidate(subject, row) for row in range(candidates.count(subject))]
    steering.artery_of_candidate(analysed[1], subject, 0)
    analysed[0].process(analysed[1])
    again = subject_of(analysed)
    candidates.keep(again)
    assert candidates.count(again) == len(first)
    np.testing.assert_array_equal(candidates.mask_of_candidate(again, len(first) - 1), first[-1])


@of_both
def test_a_click_becomes_the_artery(analysed):
    subject = subject_of(analysed)
    grid = subject.result.series.grid
    inside = np.argwhere(aif_mask(subject))[0]
    place = (grid.affine @ [*inside, 1.0])[:3]
    steering.artery_at(analysed[1], subject, place, 5.0)
    given = aif_mask(subject)
    apart = (np.argwhere(given) @ grid.affine[:3, :3].T + grid.affine[:3, 3]) - place
    assert (np.linalg.norm(apart, axis=1) <= 5.0).all()
    assert given.sum() > 1
    assert ran(analysed) == AFTER_ARTERY
    assert_as_fresh(analysed, Given(aif_mask=given))


def test_a_click_on_a_series_under_a_transform_hits_the_same_voxels(analysed):
    subject = subject_of(analysed)
    place = np.array([20.0, 5.0, 40.0])
    steering.artery_at(analysed[1], subject, place, 4.0)
    expected = aif_mask(subject)
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = slicer.util.vtkMatrixFromArray(
        np.array([[0, -1, 0, 7.0], [1, 0, 0, -3.0], [0, 0, 1, 11.0], [0, 0, 0, 1.0]])
    )
    transform.SetMatrixTransformToParent(matrix)
    for node in (subject.proxy, subject.segmentation):
        node.SetAndObserveTransformNodeID(transform.GetID())
    steering.artery_at(analysed[1], subject, (matrix.MultiplyPoint([*place, 1.0]))[:3], 4.0)
    np.testing.assert_array_equal(aif_mask(subject), expected)


def test_a_click_outside_the_series_is_refused(analysed):
    with pytest.raises(InputError, match="outside the series"):
        steering.artery_at(analysed[1], subject_of(analysed), (0.0, 0.0, 900.0), 2.0)


@of_both
def test_a_painted_brain_mask_is_the_input_of_the_next_run(analysed):
    subject = subject_of(analysed)
    mask = subject.result.on_input_grid(subject.result.brain.mask)
    mask[: mask.shape[0] // 3] = False
    segments.give_segment(subject.segmentation, "Brain", mask, subject.result.series.orientation)
    stages = ran(analysed)
    assert stages[0] == "mask"
    assert "motion" not in stages
    assert_as_fresh(analysed, Given(brain_mask=mask))


@pytest.mark.parametrize("method", ["bsvd", "box-nlr", "peak-height"])
def test_another_method_is_another_deconvolution_alone(analysed, method):
    analysed[1].method = method
    assert ran(analysed) == ["deconvolution", "maps"]
    assert_as_fresh(analysed, Given(), {"deconvolution": {"method": method}})


@of_both
def test_a_threshold_runs_its_own_stage(analysed):
    analysed[1].advanced = '{"aif": {"target_volume": 100.0}}'
    assert ran(analysed) == AFTER_ARTERY
    assert_as_fresh(analysed, Given(), {"aif": {"target_volume": 100.0}})


def test_finding_anew_is_the_first_run_again(analysed):
    before = {name: values.copy() for name, values in maps_of(analysed).items()}
    subject = subject_of(analysed)
    steering.artery_at(analysed[1], subject, (20.0, 5.0, 40.0), 4.0)
    analysed[0].process(analysed[1])
    steering.find_again(analysed[1], subject_of(analysed), "AIF")
    assert ran(analysed) == AFTER_ARTERY
    for name, values in maps_of(analysed).items():
        np.testing.assert_array_equal(values, before[name])
    assert steering.of_user(subject_of(analysed)) == []


def test_an_artery_chosen_elsewhere_gives_way_to_the_correction(analysed):
    logic, parameters = analysed
    parameters.populationAIF = True
    logic.process(parameters)
    steering.artery_at(parameters, subject_of(analysed), (20.0, 5.0, 40.0), 4.0)
    assert not parameters.populationAIF
    logic.process(parameters)
    assert subject_of(analysed).result.aif.source == "mask"


def test_a_frame_that_changed_is_read_again(analysed):
    parameters = analysed[1]
    array = slicer.util.arrayFromVolume(parameters.inputSequence.GetNthDataNode(3))
    array += 5
    parameters.inputSequence.GetNthDataNode(3).GetImageData().Modified()
    assert ran(analysed)[0] == "resample"


def test_other_frame_times_are_another_series(analysed):
    analysed[1].frameTimes = "1.25"
    assert ran(analysed)[0] == "resample"
    assert np.diff(subject_of(analysed).result.series.frame_times)[0] == pytest.approx(1.25)


def test_of_very_large_curves_nothing_is_kept(analysed, monkeypatch):
    monkeypatch.setattr(session, "LARGEST", 0)
    assert ran(analysed) == []
    assert subject_of(analysed).result.intermediate is None
    assert ran(analysed)[0] == "resample"


def test_the_search_that_is_remembered_holds_no_curves(analysed):
    steering.artery_at(analysed[1], subject_of(analysed), (20.0, 5.0, 40.0), 4.0)
    analysed[0].process(analysed[1])
    search = subject_of(analysed).search
    assert search.result.aif.candidates
    assert search.result.intermediate is None
    assert subject_of(analysed).result.intermediate is not None


def test_what_is_remembered_goes_with_its_nodes(analysed):
    logic, parameters = analysed
    slicer.mrmlScene.RemoveNode(parameters.segmentation)
    assert logic.session.run_of(parameters.inputSequence) is None
    assert logic.subject(parameters) is None


def test_the_editor_is_asked_for_the_segment(analysed, host):
    subject = subject_of(analysed)
    with pytest.raises(InputError, match="without a window"):
        steering.edit(analysed[1], subject, "AIF")
    host.open_views()
    steering.edit(analysed[1], subject, "AIF")
    assert host.selected_modules == ["SegmentEditor"]
    host.close_views()


def test_a_run_without_a_session_is_a_run_too(host, sequence):
    outputs = run(RunRequest(sequence=sequence("ctp"), modality=Modality.CTP, frame_times="1"))
    assert outputs.segmentation.GetAttribute("PyPeT.Run") == "1"
    assert outputs.volumes["cbf"].GetAttribute("PyPeT.Units") == "ml/100g/min"
