"""Arteries, veins and sides in whole runs over heads whose vessels are known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest

from PyPeTLib import Given, InputError, PipelineConfig, PipelineResult, run_pipeline
from PyPeTLib.aif import AIFOptions, ArterialInputFunction
from PyPeTLib.arterial_stage import together
from PyPeTLib.phantom import Bolus, HeadPhantom, make_head
from PyPeTLib.quality import aif_flags, vessel_flags, vof_flags
from PyPeTLib.quantification import Quantities

FURTHER = pytest.mark.accuracy
"""One modality is enough for the oldest versions: that the other comes out as well, the newest ones tell."""
SMALL = {"ctp": {"shape": (90, 90, 12), "seed": 1}, "dsc": {"shape": (96, 96, 14), "seed": 1}}


@cache
def head(modality: str) -> HeadPhantom:
    return make_head(modality, lesion_side="left", **SMALL[modality])


@cache
def analysed(modality: str, given: str = "", **aif: object) -> PipelineResult:
    """A run over a small head, with changed AIF options and what is given by name."""
    phantom = head(modality)
    arterial, venous = phantom.fractions["arterial"], phantom.fractions["venous"]
    things = {
        "": {},
        "population": {"aif_population": True},
        "diluted": {"aif_mask": (arterial > 0.4) & (arterial < 0.65)},
        "vein": {"vof_mask": venous >= 0.9 * venous.max()},
        "no vein": {"vof_mask": phantom.masks["white"]},
        "true curve": {"aif_curve": (phantom.series.frame_times, phantom.aif)},
        "right artery": {"aif_mask": (arterial > 0.6) & is_right(phantom)},
    }
    config = PipelineConfig.for_modality(phantom.series.modality, {"aif": aif})
    masks = {"brain_mask": phantom.masks["intracranial"]}
    return run_pipeline(phantom.series, config, given=Given(**masks, **things[given]))


def is_right(phantom: HeadPhantom) -> np.ndarray:
    x = np.argwhere(np.ones(phantom.series.grid.shape, bool)) @ phantom.series.affine[:3, :3].T
    places = (x + phantom.series.affine[:3, 3])[:, 0].reshape(phantom.series.grid.shape)
    # well away from the midline, whose arteries belong to neither side
    return places > 14


def codes(result: PipelineResult) -> set[str]:
    return {flag.code for flag in result.flags}


def mean_of(result: PipelineResult, name: str) -> float:
    inside = head("ctp").masks["tissue"] & result.maps.quality_mask
    return float(result.maps[name].values[inside].mean() / head("ctp").truth[name][inside].mean())


@pytest.mark.parametrize("modality", ["ctp", pytest.param("dsc", marks=FURTHER)])
def test_each_side_has_its_artery_and_its_own_deconvolution(modality: str) -> None:
    result, whole = analysed(modality, sides="each"), analysed(modality)
    sides = result.hemispheres
    assert sides is not None
    assert sides.borrowed == ""
    assert whole.hemispheres is None
    for artery, side in ((sides.left, ~sides.is_right), (sides.right, sides.is_right)):
        assert (head(modality).fractions["arterial"][artery.mask] >= 0.5).mean() >= 0.8
        assert not (artery.mask & ~side).any()
    # each side's maps are those of a run with its artery alone
    config = PipelineConfig.for_modality(result.series.modality)
    for artery, side in ((sides.left, ~sides.is_right), (sides.right, sides.is_right)):
        given = Given(brain_mask=head(modality).masks["intracranial"], aif_mask=artery.mask)
        alone = run_pipeline(result.series, config, given=given)
        inside = side & result.maps.quality_mask & alone.maps.quality_mask
        # the noise of the curves, which guides some methods, is measured on other voxels
        for name in ("cbf", "cbv", "tmax"):
            one, other = result.maps[name].values[inside], alone.maps[name].values[inside]
            assert np.median(np.abs(one - other)) <= 0.01 * np.abs(other).mean(), name


def test_a_side_without_an_artery_borrows_the_others() -> None:
    result = analysed("ctp", "right artery", sides="each")
    sides = result.hemispheres
    assert sides is not None
    assert sides.borrowed == "left"
    assert sides.left is sides.right
    assert "borrowed-aif" in codes(result)
    assert result.maps.quality_mask[~sides.is_right].any()


def test_flags_of_sides_tell_the_side() -> None:
    sides = analysed("ctp", sides="each").hemispheres
    assert sides is not None
    weak = replace(sides, left=replace(sides.left, baseline_noise=float(sides.left.measured.max()) / 4))
    times = head("ctp").series.frame_times
    flags = vessel_flags(weak, np.interp(times - 3, times, weak.right.measured), times, AIFOptions())
    assert [flag.code for flag in flags] == ["weak-aif"]
    assert flags[0].message.startswith("Left side: ")


@pytest.mark.parametrize("modality", ["ctp", pytest.param("dsc", marks=FURTHER)])
def test_a_late_bolus_changes_little(modality: str) -> None:
    early = analysed(modality)
    bolus = Bolus(arrival=30.0)
    n_frames = 67 if modality == "ctp" else 75
    late_head = make_head(modality, lesion_side="left", bolus=bolus, n_frames=n_frames, **SMALL[modality])
    late = run_pipeline(late_head.series, given=Given(brain_mask=late_head.masks["intracranial"]))
    assert (late_head.fractions["arterial"][late.aif.mask] >= 0.5).mean() >= 0.8
    assert (late_head.fractions["venous"][late.vof.mask] >= 0.5).mean() >= 0.9
    assert late.aif.fit.t0 == pytest.approx(early.aif.fit.t0 + 22.0, abs=0.6)
    both = late.maps.quality_mask & early.maps.quality_mask
    for name in ("cbf", "cbv"):
        assert late.maps[name].values[both].mean() == pytest.approx(early.maps[name].values[both].mean(), rel=0.1)


def test_the_standard_bolus_gives_usable_maps_and_a_warning() -> None:
    result = analysed("ctp", "population")
    assert result.aif.source == "population"
    assert "population-aif" in codes(result)
    assert mean_of(result, "cbf") == pytest.approx(mean_of(analysed("ctp"), "cbf"), rel=0.15)
    # the second pass is missing from it, so its area is too small
    assert mean_of(result, "cbv") == pytest.approx(1.13 * mean_of(analysed("ctp"), "cbv"), rel=0.15)


def test_partial_volume_correction_brings_flow_and_volume_back() -> None:
    # what the method makes of the true curve is the best that any artery can give
    truth = analysed("ctp", "true curve")
    off = analysed("ctp", "diluted", partial_volume=False)
    on = analysed("ctp", "diluted")
    for name in ("cbf", "cbv"):
        best, without, corrected = (mean_of(result, name) for result in (truth, off, on))
        print(f"{name}: true curve {best:.2f}, diluted artery {without:.2f}, corrected {corrected:.2f}")
        assert without > 1.5 * best
        assert corrected == pytest.approx(best, rel=0.1)
    assert on.aif.scale > 1.5
    assert "scaled-aif" in codes(on)
    assert off.aif.venous_ratio == on.aif.venous_ratio
    assert "vein-above-aif" in codes(off)


def test_a_curve_that_is_given_is_not_scaled() -> None:
    result = analysed("ctp", "true curve")
    assert result.aif.scale == 1.0
    assert result.aif.venous_ratio == pytest.approx(1.0, abs=0.06)


def test_a_wrong_vein_leaves_the_maps_as_they_are_and_is_told() -> None:
    wrong, off = analysed("ctp", "no vein"), analysed("ctp", partial_volume=False)
    assert wrong.aif.scale == 1.0
    assert "vein-below-aif" in codes(wrong)
    np.testing.assert_array_equal(wrong.maps.cbf.values, off.maps.cbf.values)


def test_a_marked_vein_serves_as_the_one_that_is_found() -> None:
    marked, found = analysed("ctp", "vein"), analysed("ctp")
    assert marked.vof.source == "mask"
    assert marked.aif.venous_ratio == pytest.approx(found.aif.venous_ratio, rel=0.05)


def test_a_ratio_above_the_cap_is_told_and_not_applied() -> None:
    result = analysed("ctp", "diluted", partial_volume_cap=1.2)
    assert result.aif.scale == 1.0
    assert "vein-above-aif" in codes(result)


def test_flags_say_when_a_vein_is_missing_or_a_curve_serves_both_sides() -> None:
    phantom, measured = head("ctp"), analysed("ctp").aif
    missing = vof_flags(measured, None, "no vein was found: why", AIFOptions())
    assert [flag.code for flag in missing] == ["no-vof"]
    assert "no vein was found: why. Mark a large vein (--vof)" in missing[0].message
    assert not vof_flags(measured, None, "", AIFOptions(partial_volume=False))
    times = phantom.series.frame_times
    curve = ArterialInputFunction(measured=phantom.aif, fit=None, mask=None, source="curve")
    assert not vof_flags(curve, None, "", AIFOptions())
    tissue = np.interp(times - 3, times, phantom.aif)
    assert [flag.code for flag in aif_flags(curve, tissue, times, AIFOptions(sides="each"))] == ["one-aif"]


def test_without_a_vein_the_standard_bolus_has_no_height() -> None:
    phantom = head("ctp")
    front = phantom.masks["intracranial"] & (phantom.fractions["venous"] == 0)
    result = run_pipeline(phantom.series, given=Given(brain_mask=front, aif_population=True))
    assert (result.aif, result.vof) == (None, None)
    failure = next(flag for flag in result.flags if flag.code == "no-aif")
    assert "a population AIF takes its height from a vein" in failure.message


def test_only_one_way_to_give_an_aif() -> None:
    phantom = head("ctp")
    with pytest.raises(InputError, match="in more than one way"):
        Given(aif_population=True, aif_curve=(np.arange(3.0), np.arange(3.0))).checked(phantom.series)
    with pytest.raises(InputError, match="VOF mask is empty"):
        Given(vof_mask=np.zeros(phantom.series.grid.shape, bool)).checked(phantom.series)


def test_groups_of_voxels_come_together_in_their_places() -> None:
    @dataclass
    class Piece:
        places: np.ndarray
        values: np.ndarray

    pieces = [Piece(np.array([0, 3]), np.array([1.0, 4.0])), Piece(np.array([1, 2, 4]), np.array([2.0, 3.0, 5.0]))]
    quantities = [
        (
            piece.places,
            Quantities(
                values={"cbf": piece.values.astype(np.float32)},
                valid={"cbf": piece.values > 1},
                lost_area=(0.1 * piece.values).astype(np.float32),
            ),
        )
        for piece in pieces
    ]
    whole = together(quantities)
    np.testing.assert_array_equal(whole.values["cbf"], [1, 2, 3, 4, 5])
    np.testing.assert_array_equal(whole.valid["cbf"], [False, True, True, True, True])
    np.testing.assert_allclose(whole.lost_area, [0.1, 0.2, 0.3, 0.4, 0.5], rtol=1e-6)
