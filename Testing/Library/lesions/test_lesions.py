"""Lesions against the truth of head phantoms, and against masks that are known by construction."""

import dataclasses

import numpy as np
import pytest

from PyPeTLib.config import PipelineConfig
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid
from PyPeTLib.lesions import LESION_PRESETS, LesionOptions, find_lesions, why_no_lesions
from PyPeTLib.lesions.find import NOT_WHOLE, why_incomplete
from PyPeTLib.lesions.thresholds import closed, large_clusters, lesions_of
from PyPeTLib.maps import QUANTITIES, ParameterMap, PerfusionMaps
from PyPeTLib.masking import MidsagittalPlane, Mirror
from PyPeTLib.phantom import make_head
from PyPeTLib.phantom.scoring import dice
from PyPeTLib.pipeline import run_pipeline
from PyPeTLib.quality import FLAGS, Flag, Severity

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
    assert lesions.core_volume == pytest.approx(lesions.volume_of(core), abs=4)
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


def of_values(grid, calibrated=True, **values):
    """Maps of these values, valid everywhere."""
    valid = np.ones(grid.shape, bool)
    content = {
        name: ParameterMap(
            quantity=QUANTITIES[name], values=value.astype(np.float32), valid=valid, calibrated=calibrated
        )
        for name, value in values.items()
    }
    return PerfusionMaps(maps=content, quality_mask=valid)


def test_true_maps_give_the_true_volumes(stroke):
    head, _ = stroke
    tissue = head.masks["tissue"] & head.masks["brain"]
    maps = of_values(head.series.grid, **{name: head.truth[name] for name in ("cbf", "cbv", "tmax", "delay")})
    # the phantom's Tmax is its delay, which lies at 2.5 s where the edge of its labels runs
    normal = tissue & head.masks["healthy_side"]
    lesions = lesions_of(maps, tissue, normal, head.series.grid, LesionOptions.of("mistar"))
    for found, label in (
        (lesions.core_volume, head.masks["core"]),
        (lesions.hypoperfused_volume, head.masks["core"] | head.masks["penumbra"]),
    ):
        assert found == pytest.approx(lesions.volume_of(label & tissue), rel=0.05, abs=1)
    blood = head.truth["cbv"]
    late = large_clusters(tissue & (head.truth["tmax"] > 6), head.series.grid, 1.0)
    assert lesions.cbv_index == pytest.approx(blood[late].mean() / blood[normal].mean(), abs=0.02)


# ---- options and presets


@pytest.mark.parametrize("name", LESION_PRESETS)
def test_a_preset_gives_its_own_values_and_says_where_they_come_from(name):
    options = LesionOptions.of(name)
    assert options.preset == name
    assert not options.changed
    assert all(getattr(options, key) == value for key, value in LESION_PRESETS[name].options.items())
    assert "doi:10." in LESION_PRESETS.entry(name).source
    # what was written is read again as the same
    assert LesionOptions.from_mapping(options.to_mapping()) == options


def test_given_options_win_over_the_preset_and_are_told():
    options = LesionOptions.of("mistar", core_flow=0.2)
    assert (options.hypoperfusion_map, options.core_flow) == ("delay", 0.2)
    assert options.changed == ("core_flow",)
    with pytest.raises(InputError, match=r"rapidd.*Did you mean 'rapid'"):
        LesionOptions.of("rapidd")
    with pytest.raises(InputError, match="preset"):
        LesionOptions.from_mapping({"preset": 3})


def test_delay_and_volume_show_lesions_where_a_preset_says_so():
    flow, late = planted()
    blood = np.where(flow < 10, 1.1, 4.0)
    blood[6, 6, 6], blood[5, 5, 5] = 1.2 / 1.05 + 0.01, 1.2 / 1.05 - 0.01
    maps = of_values(SHEARED, cbf=flow, cbv=blood, tmax=late, delay=late - 7.5)
    syngo = LesionOptions.of("syngo", smallest_cluster=0.02, closing=0)
    everywhere = np.ones(SHEARED.shape, bool)
    found = lesions_of(maps, everywhere, late < 6, SHEARED, syngo)
    # 1.2 ml/100ml are 1.14 ml/100g
    assert found.core_volume == pytest.approx(9 * 0.03)
    assert found.core[5, 5, 5]
    mistar = LesionOptions.of("mistar", smallest_cluster=0.2)
    assert lesions_of(maps, everywhere, late < 6, SHEARED, mistar).hypoperfused_volume == pytest.approx(125 * 0.03)
    higher = dataclasses.replace(mistar, hypoperfusion_delay=3.6)
    assert not lesions_of(maps, everywhere, late < 6, SHEARED, higher).hypoperfused.any()


def test_thresholds_that_the_maps_cannot_be_held_against_are_refused(stroke):
    _, result = stroke
    assert 'maps = "all" under [quantification]' in why_no_lesions(result, LesionOptions.of("mistar"))
    with pytest.raises(InputError, match=r"mistar.*delay"):
        find_lesions(result, LesionOptions.of("mistar"))
    reason = why_no_lesions(result, LesionOptions.of("syngo"))
    if result.series.modality.value == "ctp":
        assert not reason
    else:
        assert "uncalibrated" in reason
        with pytest.raises(InputError, match="absolute units"):
            find_lesions(result, LesionOptions.of("syngo"))


def test_the_mirrored_reference_knows_the_flow_opposite():
    grid = Grid((40, 40, 8), np.diag([2.0, 2, 5, 1]))
    flow, late = np.full(grid.shape, 40.0), np.full(grid.shape, 2.0)
    # twice the flow in the front half of both sides, and a lesion of 21 there on the right: 35 % of the mean of all
    flow[:, 20:] = 80
    flow[28:36, 29:37, 2:6], late[28:36, 29:37, 2:6] = 21.0, 11
    maps, tissue = of_values(grid, cbf=flow, tmax=late), np.ones(grid.shape, bool)
    mirror = Mirror(plane=MidsagittalPlane(normal=np.array([1.0, 0, 0]), offset=39.0), grid=grid)
    whole = lesions_of(maps, tissue, late < 6, grid, LesionOptions(core_flow=0.3))
    mirrored = LesionOptions(core_flow=0.3, reference="mirrored")
    opposite = lesions_of(maps, tissue, late < 6, grid, mirrored, mirror=mirror)
    assert not whole.core.any()
    np.testing.assert_array_equal(opposite.core, late > 6)
    assert opposite.normal_flow == pytest.approx(80, rel=0.02)
    with pytest.raises(InputError, match="mirror"):
        lesions_of(maps, tissue, late < 6, grid, mirrored)


def test_where_the_other_side_is_ill_too_the_mirrored_reference_is_the_mean_of_what_is_normal():
    grid = Grid((40, 40, 8), np.diag([2.0, 2, 5, 1]))
    flow, late = np.full(grid.shape, 50.0), np.full(grid.shape, 2.0)
    flow[:, 20:], late[:, 20:] = 5.0, 11
    mirror = Mirror(plane=MidsagittalPlane(normal=np.array([1.0, 0, 0]), offset=39.0), grid=grid)
    found = lesions_of(
        of_values(grid, cbf=flow, tmax=late),
        np.ones(grid.shape, bool),
        late < 6,
        grid,
        LesionOptions(reference="mirrored"),
        mirror=mirror,
    )
    np.testing.assert_array_equal(found.core, late > 6)


# ---- gaps, criteria


def test_gaps_are_closed_in_tissue_alone_and_clusters_left_out_before():
    grid = Grid((30, 30, 4), np.diag([1.0, 1, 5, 1]))
    mask = np.zeros(grid.shape, bool)
    mask[5:20, 5:20, 1:3] = True
    mask[10:12, 10:14, 1] = mask[15:24, 15:24, 2] = False
    within = np.ones(grid.shape, bool)
    within[10, 10:14, 1] = False
    found = closed(mask, within, grid, 3.0)
    assert found[11, 10:14, 1].all()
    assert not found[10, 10:14, 1].any()
    # a bite out of the edge is no gap, and nothing grows
    assert not found[18:, 18:, 2].any()
    assert not (found & ~mask)[:5].any()
    np.testing.assert_array_equal(closed(mask, within, grid, 0.0), mask)
    flow, late = np.full(grid.shape, 50.0), np.full(grid.shape, 2.0)
    late[::4, ::4] = 11
    normal = np.ones(grid.shape, bool)
    scattered = lesions_of(of_values(grid, cbf=flow, tmax=late), normal, normal, _scaled(grid, 3), LesionOptions())
    assert not scattered.hypoperfused.any()


def _scaled(grid, factor):
    return Grid(grid.shape, grid.affine @ np.diag([factor, factor, factor, 1]))


def test_criteria_of_a_trial():
    flow, late = planted()
    everywhere = np.ones(SHEARED.shape, bool)
    options = LesionOptions.of("defuse-3", smallest_cluster=0.2)

    def met(maps):
        return [fine for _, _, fine in lesions_of(maps, everywhere, late < 6, SHEARED, options).criteria]

    assert met(made_up(flow, late)) == [True, False, True]
    wide = np.where(np.arange(20)[:, None, None] < 4, 11.0, 2.0) * np.ones(SHEARED.shape)
    assert met(made_up(flow, wide)) == [True, True, True]
    # without a core, any mismatch is infinite; without late tissue there is none
    assert met(made_up(np.full_like(flow, 50), wide)) == [True, True, True]
    assert met(made_up(flow, np.full_like(late, 2))) == [True, False, False]
    assert not lesions_of(made_up(flow, late), everywhere, late < 6, SHEARED, LesionOptions()).criteria


def test_a_part_of_the_brain_meets_only_what_more_of_it_cannot_undo():
    flow, late = planted()
    wide = np.where(np.arange(20)[:, None, None] < 4, 11.0, 2.0) * np.ones(SHEARED.shape)
    little = np.where(wide > 6, 5.0, 50.0)
    everywhere = np.ones(SHEARED.shape, bool)
    options = LesionOptions.of("defuse-3", smallest_cluster=0.2)

    def of_part(maps, grid=SHEARED):
        whole = lesions_of(maps, everywhere, late < 6, grid, options)
        return dataclasses.replace(whole, incomplete="only 30 mm of the brain are in view")

    def met(lesions):
        return [fine for _, _, fine in lesions.criteria]

    # a core may lie outside, and so may the mismatch; a ratio may go either way
    assert met(of_part(made_up(flow, late))) == [None, None, None]
    assert met(of_part(made_up(flow, wide))) == [None, True, None]
    assert of_part(made_up(flow, wide)).criteria_met is None
    # a core that is too large already stays so: 1600 voxels of 0.24 ml
    large = of_part(made_up(little, wide), _scaled(SHEARED, 2))
    assert large.core_volume > 70
    assert met(large) == [False, None, None]
    assert large.criteria_met is False


@pytest.mark.parametrize("code", sorted(NOT_WHOLE))
def test_flags_on_what_is_not_seen_make_lesions_incomplete(stroke, code):
    _, result = stroke
    assert not find_lesions(result).incomplete
    flag = Flag(code=code, severity=Severity.NOTE, message="", value=32.0, threshold=60.0, unit=FLAGS[code].unit)
    seen = dataclasses.replace(result, flags=(*result.flags, flag))
    assert "32" in find_lesions(seen).incomplete


def test_a_few_voxels_without_signal_do_not_make_lesions_incomplete():
    kind = FLAGS["no-baseline-signal"]
    (few,), (many,) = kind.check(0.4, ""), kind.check(12.0, "")
    assert not why_incomplete([few])
    assert "12 %" in why_incomplete([few, many])


def test_a_slab_does_not_meet_the_criteria_of_a_trial():
    result = run_pipeline(make_head("ctp", seed=1, shape=(64, 64, 12), slab=3).series)
    lesions = find_lesions(result, LesionOptions.of("defuse-3"))
    assert "in view" in lesions.incomplete
    assert lesions.criteria[0][2] is lesions.criteria_met is None
