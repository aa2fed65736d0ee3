"""Lesions come with each run: their nodes, their volumes, and what is said where they cannot be told."""

from __future__ import annotations

import dataclasses
import json
import sys

import numpy as np
import pytest
import slicer

from PyPeTLib.lesions import find_lesions, lesions_table
from PyPeTSlicer import lesion_nodes, mark_segments, outputs, segments, sequences, words
from PyPeTSlicer.lesion_nodes import CORE, HYPOPERFUSED, PENUMBRA
from PyPeTSlicer.nodes import subject_hierarchy
from PyPeTSlicer.review import lesions as step
from PyPeTSlicer.sample_data import add_series
from PyPeTSlicer.segments import SegmentChoice

IDS = (HYPOPERFUSED, PENUMBRA, CORE)


class Analysed:
    """A series with its run; another one is a call away."""

    def __init__(self, logic, sequence):
        self.logic, self.parameters = logic, logic.getParameterNode()
        self.parameters.inputSequence = sequence
        logic.adopt(self.parameters)

    def run(self, method="osvd", **tables):
        self.parameters.method = method
        self.parameters.advanced = json.dumps(tables) if tables else ""
        return self.logic.process(self.parameters)

    @property
    def result(self):
        return self.logic.subject(self.parameters).result


@pytest.fixture(scope="module")
def analysed(running_host, heads):
    """Runs of it follow one another, so that most stages are gone through once."""
    running_host.reset()
    running_host.clear_scene()
    yield Analysed(sys.modules["PyPeT"].PyPeTLogic(), add_series(heads("ctp").series, "Head"))
    running_host.clear_scene()
    running_host.assert_no_exceptions()


def rows_of(table):
    return [[table.GetCellText(row, column) for column in range(3)] for row in range(table.GetNumberOfRows())]


def masks_in(node, orientation, proxy=None):
    choices = [SegmentChoice(segmentation=node, segment_id=key) for key in IDS]
    return {choice.segment_id: segments.mask_of(choice, orientation, proxy) for choice in choices}


def test_a_run_gives_the_lesions_of_the_library(analysed):
    made = analysed.run()
    found = find_lesions(analysed.result, analysed.result.config.lesions)
    assert found.core.any()
    assert made.lesions.GetName() == "Head lesions"
    ours = masks_in(made.lesions, analysed.result.series.orientation)
    for key in IDS:
        np.testing.assert_array_equal(ours[key], getattr(found, key.lower()), err_msg=key)
    table = rows_of(made.lesion_volumes)
    expected = lesions_table(found).rows
    assert [row[0] for row in table[: len(expected)]] == [row[0] for row in expected]
    for row, (_item, value, unit) in zip(table, expected, strict=False):
        assert row[1] == "none" if value is None else float(row[1]) == pytest.approx(value, abs=0.051)
        assert row[2] == unit
    assert ["Thresholds", "rapid", ""] in table
    assert "Campbell" in made.lesion_volumes.GetDescription()
    assert "Research use only" in table[-1][1]
    # in the scene for the user to switch on
    assert made.lesions.GetDisplayNode() is not None
    assert not made.lesions.GetDisplayNode().GetVisibility()
    hierarchy = subject_hierarchy()
    for node in (made.lesions, made.lesion_volumes):
        assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) == made.folder
    # the summary says it, too
    told = dict(row[:2] for row in rows_of(made.summary))
    assert float(told["Core"]) == pytest.approx(found.core_volume, abs=0.051)
    assert "lesions     core" in words.summary(made.findings)


def test_the_review_shows_those_of_the_run(analysed):
    made = analysed.run()
    subject = analysed.logic.subject(analysed.parameters)
    assert step.unavailable(subject) == ""
    assert step.nodes(subject) == (made.lesions, made.lesion_volumes)
    place = mark_segments.read(made.lesions.GetAttribute(lesion_nodes.PLACE))
    found = find_lesions(analysed.result)
    voxel = np.rint(np.linalg.inv(found.grid.affine) @ [*place, 1.0])[:3].astype(int)
    assert found.core[tuple(voxel)]
    # with the series, wherever it is put
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "Moved")
    sequences.proxy_of(analysed.parameters.inputSequence).SetAndObserveTransformNodeID(transform.GetID())
    assert analysed.run().lesions.GetTransformNodeID() == transform.GetID()
    slicer.mrmlScene.RemoveNode(transform)
    # whoever deletes them gets them back with the step
    slicer.mrmlScene.RemoveNode(made.lesions)
    again, table = step.nodes(subject)
    np.testing.assert_array_equal(masks_in(again, analysed.result.series.orientation)[CORE], found.core)
    assert table is made.lesion_volumes


def test_the_segmentation_of_lesions_is_no_output_to_choose(analysed):
    made = analysed.run()
    analysed.parameters.segmentation = made.lesions
    assert "holds what PyPeT did not make" in analysed.logic.missing(analysed.parameters)
    analysed.parameters.segmentation = made.segmentation


def test_the_next_run_writes_into_the_same_nodes_and_failing_leaves_them(analysed, monkeypatch):
    first = analysed.run()
    number = first.lesions.GetAttribute("PyPeT.Run")
    before = masks_in(first.lesions, analysed.result.series.orientation)
    table = rows_of(first.lesion_volumes)
    first.lesions.GetDisplayNode().SetVisibility(True)

    def fails(*_arguments):
        raise RuntimeError("full")

    with monkeypatch.context() as patched:
        patched.setattr(outputs._Writer, "folder", fails)
        with pytest.raises(RuntimeError, match="full"):
            analysed.run(lesions={"hypoperfusion_tmax": 4.0})
    assert first.lesions.GetAttribute("PyPeT.Run") == number
    for key, mask in masks_in(first.lesions, analysed.result.series.orientation).items():
        np.testing.assert_array_equal(mask, before[key])
    assert rows_of(first.lesion_volumes) == table
    second = analysed.run(lesions={"hypoperfusion_tmax": 4.0})
    assert (second.lesions, second.lesion_volumes) == (first.lesions, first.lesion_volumes)
    now = masks_in(second.lesions, analysed.result.series.orientation)
    assert now[HYPOPERFUSED].sum() > before[HYPOPERFUSED].sum()
    assert "Tmax above 4 s" in rows_of(second.lesion_volumes)[1][0]
    assert second.lesions.GetDisplayNode().GetVisibility(), "as the user left it"


def test_a_run_without_lesions_says_why_and_marks_those_of_an_earlier_one(analysed):
    first = analysed.run()
    made = analysed.run(method="peak-height")
    assert made.lesions is None
    assert made.lesion_volumes is None
    said = next(row[1] for row in rows_of(made.summary) if row[0] == "Lesions")
    assert "peak-height may not be held against thresholds" in said
    assert "not looked for: Tmax of the method peak-height" in words.summary(made.findings)
    assert "peak-height" in step.unavailable(analysed.logic.subject(analysed.parameters))
    assert first.lesions.GetName() == "Head lesions (earlier run)"
    assert first.lesion_volumes.GetName() == "Head lesion volumes (earlier run)"
    assert analysed.run().lesions is first.lesions
    assert first.lesions.GetName() == "Head lesions"


def test_thresholds_of_another_map_are_shown_on_it(analysed):
    # the map of the delay comes with thresholds that need it
    made = analysed.run(lesions={"preset": "mistar"})
    assert step.unavailable(analysed.logic.subject(analysed.parameters)) == ""
    assert "delay above 3 s" in rows_of(made.lesion_volumes)[1][0]
    views = step.arrangement(analysed.logic.subject(analysed.parameters)).rows[0]
    assert [view.background.GetAttribute("PyPeT.Symbol") for view in views] == ["Ta", "CBF"]
    assert views[0].title == "Ta: outlines of late tissue and core. Research use only"


def test_too_little_normal_tissue_keeps_the_step_shut(analysed, monkeypatch):
    real = outputs.find_lesions
    none = lambda result, options: real(  # noqa: E731 - short
        dataclasses.replace(result, tissue=dataclasses.replace(result.tissue, labels=0 * result.tissue.labels)), options
    )
    monkeypatch.setattr(outputs, "find_lesions", none)
    made = analysed.run()
    assert made.lesions is None
    reason = made.findings["lesions"]["reason"]
    assert "appear normal" in reason
    assert step.unavailable(analysed.logic.subject(analysed.parameters)) == reason
