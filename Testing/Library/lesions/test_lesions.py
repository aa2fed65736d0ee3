"""Lesions against the truth of head phantoms, and against masks that are known by construction."""

import dataclasses

import numpy as np
import pytest

from PyPeTLib.config import PipelineConfig
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid
from PyPeTLib.lesions import LesionOptions, find_lesions, why_no_lesions
from PyPeTLib.lesions.thresholds import large_clusters, lesions_of
from PyPeTLib.maps import QUANTITIES, ParameterMap, PerfusionMaps
from PyPeTLib.phantom import make_head
from PyPeTLib.phantom.scoring import dice
from PyPeTLib.pipeline import run_pipeline

SHAPES = {"ctp": (96, 96, 12), "dsc": (80, 80, 12)}

SHEARED = Grid((20, 20, 20), np.array([[2, 0.4, 0, -9], [0, 5, 0, 3], [0, 0, 3, 1], [0, 0, 0, 1.0]]))
"""Voxels of 30 mm³."""


@pytest.fixture(scope="module", params=["ctp", "dsc"])
def modality(request):
    return request.param


@pytest.fixture(scope="module")
def stroke(modality):
    head = make_head(modality, seed=1, shape=SHAPES[modality])
    return head, run_pipeline(head.series)


def test_volumes_and_places_are_close_to_the_truth(stroke):
    head, result = stroke
    lesions, tissue = find_lesions(result), head.masks["tissue"] & head.masks["brain"]
    core = head.masks["core"] & tissue
    late = (head.masks["core"] | head.masks["penumbra"]) & tissue
    assert lesions.hypoperfused_volume == pytest.approx(lesions.volume_of(late), rel=0.15)
    assert lesions.core_volume == pytest.approx(lesions.volume_of(core), abs=5)
    assert dice(lesions.hypoperfused, late) > 0.85
    assert dice(lesions.core, core) > 0.7
    assert lesions.calibrated == (result.series.modality.value == "ctp")


def test_a_healthy_brain_has_none(modality):
    lesions = find_lesions(run_pipeline(make_head(modality, seed=1, shape=SHAPES[modality], healthy=True).series))
    assert lesions.core_volume == lesions.hypoperfused_volume == lesions.mismatch_volume == 0
    assert lesions.mismatch_ratio is lesions.intensity_ratio is None
    assert lesions.tmax_volumes[6.0] == 0


def test_the_scale_of_the_flow_plays_no_part(stroke):
    _, result = stroke
    flow = result.maps["cbf"]
    doubled = dataclasses.replace(flow, values=2 * flow.values)
    other = dataclasses.replace(result, maps=dataclasses.replace(result.maps, maps={**result.maps, "cbf": doubled}))
    before, after = find_lesions(result), find_lesions(other)
    assert after.normal_flow == pytest.approx(2 * before.normal_flow)
    np.testing.assert_array_equal(after.core, before.core)


def test_vessels_csf_and_what_is_invalid_are_left_out(stroke):
    _, result = stroke
    lesions = find_lesions(result, LesionOptions(hypoperfusion_tmax=0, smallest_cluster=0))
    assert not (lesions.hypoperfused & ~result.on_input_grid(result.tissue.parenchyma)).any()
    assert not (lesions.hypoperfused & ~(result.maps["cbf"].valid & result.maps["tmax"].valid)).any()
    assert lesions.hypoperfused.any()


def test_a_method_whose_tmax_is_no_measure_is_refused(stroke):
    _, result = stroke
    config = PipelineConfig.for_modality(result.series.modality, {"deconvolution": {"method": "box-nlr"}})
    other = dataclasses.replace(result, config=config)
    assert "box-nlr" in why_no_lesions(other)
    assert "osvd" in why_no_lesions(other)
    with pytest.raises(InputError, match="box-nlr"):
        find_lesions(other)


def made_up(flow, late):
    """Maps of these values, valid everywhere."""
    valid = np.ones(flow.shape, bool)
    content = {
        name: ParameterMap(quantity=QUANTITIES[name], values=values.astype(np.float32), valid=valid)
        for name, values in (("cbf", flow), ("tmax", late))
    }
    return PerfusionMaps(maps=content, quality_mask=valid)


def planted():
    """A late block of 5³ voxels, 2³ of them without flow; and a late stripe of 5 voxels that is too small."""
    flow, late = np.full(SHEARED.shape, 50.0), np.full(SHEARED.shape, 2.0)
    late[2:7, 2:7, 2:7] = 11
    late[15, 10:15, 15] = 11
    flow[2:4, 2:4, 2:4] = 5
    return flow, late


def test_volumes_count_true_voxels_above_each_threshold():
    flow, late = planted()
    everywhere = np.ones(SHEARED.shape, bool)
    options = LesionOptions(smallest_cluster=0.2)
    lesions = lesions_of(made_up(flow, late), everywhere, late < 6, SHEARED, options)
    assert lesions.hypoperfused_volume == pytest.approx(125 * 0.03)
    assert lesions.core_volume == pytest.approx(8 * 0.03)
    assert lesions.mismatch_volume == pytest.approx(117 * 0.03)
    assert lesions.mismatch_ratio == pytest.approx(125 / 8)
    assert lesions.intensity_ratio == pytest.approx(1)
    assert lesions.normal_flow == pytest.approx(50)
    np.testing.assert_array_equal(lesions.penumbra, lesions.hypoperfused & (flow > 15))
    with_all = lesions_of(made_up(flow, late), everywhere, late < 6, SHEARED, LesionOptions(smallest_cluster=0))
    assert with_all.hypoperfused_volume == pytest.approx(130 * 0.03)
    assert lesions_of(made_up(flow, late), everywhere, late < 6, SHEARED, LesionOptions()).core_volume == 0


def test_little_flow_that_is_not_late_is_no_core():
    flow, late = planted()
    flow[12:18, 2:8, 2:8] = 1
    lesions = lesions_of(made_up(flow, late), late > 0, late < 6, SHEARED, LesionOptions(smallest_cluster=0.2))
    assert lesions.core_volume == pytest.approx(8 * 0.03)


def test_without_normal_tissue_there_is_nothing_to_compare_with():
    flow, late = planted()
    with pytest.raises(InputError, match=r"0 ml of tissue appear normal"):
        lesions_of(made_up(flow, late), late > 0, late < 0, SHEARED, LesionOptions())


def test_a_cluster_is_as_large_as_its_true_volume():
    mask = np.zeros(SHEARED.shape, bool)
    mask[:34:2, 0, 0] = mask[3, 5, :] = True
    mask[10, 10:20, 10] = mask[11, 10:20, 11] = True
    kept = large_clusters(mask, SHEARED, 0.55)
    # 20 voxels in a row are 0.6 ml; two rows that touch by an edge alone are two of 0.3 ml
    np.testing.assert_array_equal(np.argwhere(kept)[:, :2], np.tile([3, 5], (20, 1)))
