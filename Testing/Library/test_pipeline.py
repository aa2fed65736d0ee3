"""The pipeline as a library call: what it keeps, how it reports, stops and refuses."""

import dataclasses
import threading

import numpy as np
import pytest

from PyPeTLib import CancelledError, Given, InputError, PipelineConfig, PipelineResult, run_pipeline
from PyPeTLib.execution import Execution
from PyPeTLib.masking import BrainMask
from PyPeTLib.phantom import HeadPhantom, RigidMotion, make_head
from PyPeTLib.pipeline import STAGES
from PyPeTLib.preprocess.motion import correct_motion
from PyPeTLib.series import Modality
from PyPeTLib.stages import brain_curves


@pytest.fixture(scope="module")
def head() -> HeadPhantom:
    return make_head("ctp", seed=2, shape=(80, 80, 8))


@pytest.fixture(scope="module")
def result(head: HeadPhantom) -> PipelineResult:
    return run_pipeline(head.series)


def test_keeps_the_product_of_every_stage(head: HeadPhantom, result: PipelineResult) -> None:
    assert result.working.array().shape == head.series.array().shape
    assert result.brain.mask.any()
    assert result.bolus.found
    assert result.concentration.curves.shape == (result.analysed.sum(), head.series.n_frames)
    assert result.aif is not None
    assert result.aif.candidates[0].verdict.startswith("taken")
    assert all(candidate.verdict for candidate in result.aif.candidates)
    assert set(result.maps) == {"cbf", "cbv", "mtt", "ttp", "tmax"}
    assert set(result.seconds) == set(STAGES)


def test_input_is_left_as_it_was(head: HeadPhantom) -> None:
    before = head.series.array().copy()
    run_pipeline(head.series)
    np.testing.assert_array_equal(head.series.array(), before)


def test_maps_hold_to_their_definitions(result: PipelineResult) -> None:
    maps, valid = result.maps, result.maps.quality_mask
    np.testing.assert_allclose(maps.mtt.values[valid], 60 * maps.cbv.values[valid] / maps.cbf.values[valid], rtol=1e-5)
    for quantity in maps.values():
        assert np.isfinite(quantity.values).all()
        assert not quantity.values[~quantity.valid].any()
        assert not quantity.valid[~result.brain.mask].any()


def test_progress_names_the_stages_in_order_from_the_calling_thread(head: HeadPhantom) -> None:
    heard: list[tuple[str, float]] = []
    threads = set()

    def listen(stage: str, fraction: float) -> None:
        heard.append((stage, fraction))
        threads.add(threading.current_thread())

    run_pipeline(head.series, progress=listen)
    assert list(dict.fromkeys(stage for stage, _ in heard)) == list(STAGES)
    assert all(0 <= fraction <= 1 for _, fraction in heard)
    assert threads == {threading.current_thread()}


@pytest.mark.parametrize("stage", STAGES)
def test_can_be_stopped_in_every_stage(head: HeadPhantom, stage: str) -> None:
    now = ""

    def listen(name: str, _: float) -> None:
        nonlocal now
        now = name

    with pytest.raises(CancelledError, match=stage):
        run_pipeline(head.series, progress=listen, cancelled=lambda: now == stage)


def test_same_maps_whatever_the_number_of_threads(head: HeadPhantom, result: PipelineResult) -> None:
    for threads in (1, 4):
        again = run_pipeline(head.series, threads=threads)
        for name, quantity in result.maps.items():
            assert again.maps[name].values.tobytes() == quantity.values.tobytes()


def test_given_masks_win(head: HeadPhantom) -> None:
    brain = np.zeros(head.series.grid.shape, bool)
    brain[20:60, 20:60, 2:6] = True
    artery = head.fractions["arterial"] >= head.fractions["arterial"].max() * 0.95
    result = run_pipeline(head.series, given=Given(brain_mask=brain, aif_mask=artery))
    np.testing.assert_array_equal(result.brain.mask, brain)
    assert result.aif is not None
    assert result.aif.source == "mask"
    np.testing.assert_array_equal(result.aif.mask, artery)
    assert not result.maps.cbf.valid[~brain].any()


def test_fitted_aif_has_no_recirculation(head: HeadPhantom, result: PipelineResult) -> None:
    config = PipelineConfig.for_modality(Modality.CTP, {"aif": {"curve": "fitted"}})
    fitted = run_pipeline(head.series, config)
    # the second pass is a part of the measured curve's area, so CBV rises without it
    assert fitted.maps.cbv.values.mean() > 1.02 * result.maps.cbv.values.mean()


def test_time_to_peak_from_the_arrival_of_the_bolus(head: HeadPhantom, result: PipelineResult) -> None:
    config = PipelineConfig.for_modality(Modality.CTP, {"quantification": {"ttp_reference": "bolus-arrival"}})
    other = run_pipeline(head.series, config)
    valid = result.maps.ttp.valid
    apart = result.maps.ttp.values[valid] - other.maps.ttp.values[valid]
    np.testing.assert_allclose(apart, result.bolus.time, rtol=1e-5)


def test_signal_scale_of_mr_does_not_matter() -> None:
    head = make_head("dsc", seed=2, shape=(48, 48, 8))
    louder = dataclasses.replace(head.series, data=head.series.array() * np.float32(8))
    one, other = run_pipeline(head.series), run_pipeline(louder)
    np.testing.assert_array_equal(one.brain.mask, other.brain.mask)
    both = one.maps.quality_mask & other.maps.quality_mask
    np.testing.assert_allclose(one.maps.cbf.values[both], other.maps.cbf.values[both], rtol=1e-3)


def test_flags_are_clean_on_a_clean_head(result: PipelineResult) -> None:
    assert {flag.code for flag in result.flags} <= {"truncated-curves"}


def test_only_half_a_calibration_is_refused(head: HeadPhantom) -> None:
    with pytest.raises(InputError, match="white matter"):
        run_pipeline(head.series, given=Given(white_matter=head.masks["white"]))


def test_config_goes_through_toml_and_back(tmp_path: object) -> None:
    for modality in Modality:
        config = PipelineConfig.for_modality(modality, {"deconvolution": {"method": "SVD"}, "aif": {"erosion": 2}})
        path = f"{tmp_path}/config.toml"
        config.write(path)
        assert PipelineConfig.read(path, modality) == config
        assert config.deconvolution.method == "ssvd"


def test_cubic_interpolation_is_not_corrected_for_the_error_of_linear_one() -> None:
    motion = RigidMotion(drift_mm=1.0, drift_degrees=1.0, jump_mm=2.0, jump_degrees=2.0)
    head = make_head("ctp", seed=2, shape=(80, 80, 8), motion=motion)
    config = PipelineConfig.for_modality(Modality.CTP, {"motion": {"interpolation": "cubic"}})
    estimate = correct_motion(head.series, config.motion, Execution(2))
    curves = brain_curves(estimate, BrainMask(mask=head.masks["intracranial"]), config, Execution(2))
    assert estimate.applied
    np.testing.assert_array_equal(curves.signal, estimate.series.curves(curves.analysed))


def test_a_blank_frame_hardly_changes_the_maps_and_times_still_count_from_the_start(
    head: HeadPhantom, result: PipelineResult
) -> None:
    data = head.series.array().copy(order="F")
    data[..., 0] = data[..., 17] = -1000
    spoilt = run_pipeline(dataclasses.replace(head.series, data=data))
    assert spoilt.working.n_frames == head.series.n_frames - 2
    assert "unusable-frames" in {flag.code for flag in spoilt.flags}
    tissue = head.masks["tissue"] & head.masks["healthy_side"] & result.maps.quality_mask & spoilt.maps.quality_mask
    for name, tolerance in (("cbf", 0.05), ("cbv", 0.05), ("ttp", 0.03)):
        found, expected = (np.median(one.maps[name].values[tissue]) for one in (spoilt, result))
        assert found == pytest.approx(expected, rel=tolerance)
