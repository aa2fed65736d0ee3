"""Faults that are done to head phantoms, against what they are said to do."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.config import PipelineConfig
from PyPeTLib.errors import UnknownNameError
from PyPeTLib.phantom import make_head
from PyPeTLib.phantom.faults import FAULTS, degrade, described_faults, draw_faults, make_degraded
from PyPeTLib.series import Modality

SHAPE = (40, 40, 6)
TINY = {"shape": SHAPE, "frame_times": 2.0 * np.arange(24)}


@pytest.fixture(scope="module")
def heads():
    return {modality: make_head(modality, seed=1, **TINY) for modality in Modality}


def frames(series) -> np.ndarray:
    return np.stack([series.frame(k) for k in range(series.n_frames)], axis=3)


@pytest.mark.parametrize("modality", list(Modality))
@pytest.mark.parametrize("name", list(FAULTS))
def test_every_fault_makes_a_series_with_its_truth_beside_it(heads, modality, name):
    for level in FAULTS[name].levels:
        faulty = degrade(heads[modality], {name: level})
        assert faulty.series.grid.shape == faulty.head.truth["cbf"].shape
        assert faulty.series.grid.shape == faulty.head.masks["tissue"].shape
    again = degrade(heads[modality], {name: level})
    np.testing.assert_array_equal(frames(faulty.series), frames(again.series))


@pytest.mark.parametrize(
    ("name", "level", "expected"),
    [
        ("offset", 50, lambda values: values + 50),
        ("scale", 2, lambda values: 2 * values),
        ("clipping", 120, lambda values: np.minimum(values, 120)),
        ("inverted", 1, lambda values: -values),
        ("late-start", 11, lambda values: values[..., 6:]),
        ("truncation", 22, lambda values: values[..., :12]),
        ("gap", 5, lambda values: np.delete(values, [6, 7], axis=3)),
        ("cropped-side", 0.5, lambda values: values[:20]),
        ("upper-slices", 0.5, lambda values: values[:, :, 3:]),
    ],
)
def test_what_becomes_of_the_values(heads, name, level, expected):
    clean = heads[Modality.CTP]
    faulty = degrade(clean, {name: level})
    np.testing.assert_allclose(frames(faulty.series), expected(frames(clean.series)))


def test_a_cropped_head_stays_where_it_was(heads):
    clean = heads[Modality.CTP]
    faulty = degrade(clean, {"upper-slices": 0.5})
    np.testing.assert_allclose(faulty.series.affine @ [0, 0, 0, 1], clean.series.affine @ [0, 0, 3, 1])
    np.testing.assert_array_equal(faulty.head.truth["cbf"], clean.truth["cbf"][:, :, 3:])


def test_times_are_wrong_where_they_are_given_wrongly(heads):
    clean = heads[Modality.DSC]
    np.testing.assert_allclose(degrade(clean, {"wrong-interval": 2}).series.frame_times, 4.0 * np.arange(24))
    np.testing.assert_allclose(degrade(clean, {"lost-frames": 3}).series.frame_times, 2.0 * np.arange(21))


@pytest.mark.parametrize(("name", "value"), [("blank-frames", -1000), ("low-dose", None)])
def test_some_frames_are_spoilt_and_the_others_untouched(heads, name, value):
    clean = heads[Modality.CTP]
    count = FAULTS[name].levels[1]
    before, after = frames(clean.series), frames(degrade(clean, {name: count}).series)
    spoilt = [k for k in range(24) if not np.array_equal(before[..., k], after[..., k])]
    assert len(spoilt) == count
    if value is not None:
        assert (after[..., spoilt] == value).all()


def test_a_swapped_modality_is_another_series_of_the_same_values(heads):
    faulty = degrade(heads[Modality.CTP], {"swapped-modality": 1})
    assert faulty.series.modality is Modality.DSC
    assert faulty.config == PipelineConfig.for_modality(Modality.DSC)
    np.testing.assert_array_equal(frames(faulty.series), frames(heads[Modality.CTP].series))


def test_what_the_user_gives_is_what_it_is_said_to_be(heads):
    head = heads[Modality.CTP]
    vein = degrade(head, {"vein-as-artery": 1}).given.aif_mask
    tissue = degrade(head, {"tissue-as-artery": 1}).given.aif_mask
    assert head.venous_fraction[vein].mean() > 0.5 > head.arterial_fraction[vein].max()
    assert head.masks["grey"][tissue].all()
    assert tissue.sum() == 20
    assert not degrade(head, {"uncorrected-motion": 1}).config.motion.correct


def test_what_is_drawn_follows_the_faults():
    weak = make_degraded("ctp", {"weak-bolus": 0.1, "dispersion": 4, "noise": 2}, **TINY)
    assert weak.head.bolus.peak == pytest.approx(30)
    assert weak.head.bolus.dispersion == 4
    assert weak.head.options.noise == 2
    assert make_degraded("ctp", {"slab": 2}, **TINY).series.grid.shape == (*SHAPE[:2], 2)


def test_mixtures_hold_known_faults_and_levels_in_words():
    for seed in range(20):
        faults = draw_faults(np.random.default_rng(seed))
        assert 1 <= len(faults) <= 3
        assert all(level in FAULTS[name].levels for name, level in faults.items())
    assert described_faults({"noise": 16.0, "scale": 0.1}) == "noise 16 HU, scale 0.1"
    with pytest.raises(UnknownNameError, match="faults"):
        make_degraded("ctp", {"nois": 16.0}, **TINY)
