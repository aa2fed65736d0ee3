from dataclasses import replace

import numpy as np
import pytest

from PyPeTLib.compare.fidelity import fidelity
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid
from PyPeTLib.phantom.pairs import make_pairs
from PyPeTLib.synthesis import SynthesisOptions, check_contrasts, fit, predict, subject_of_arrays
from PyPeTLib.synthesis.weighting import training_weights


def linear_pet(subject):
    """A PET that the plain model can give: linear in the raw contrasts, alike everywhere."""
    contrasts = subject.contrasts
    return np.where(subject.mask, 2 * contrasts["T1"] + 0.5 * contrasts["FLAIR"], 0).astype(np.float32)


def flipped(subject):
    """The mirrored patient: left and right of all images exchanged, on the same grid."""
    return replace(
        subject,
        contrasts={name: image[::-1].copy() for name, image in subject.contrasts.items()},
        mask=subject.mask[::-1].copy(),
        pet=None if subject.pet is None else subject.pet[::-1].copy(),
    )


def test_a_linear_pet_is_learned(training, new_head):
    made = [replace(one, pet=linear_pet(one)) for one in training]
    (found,) = fit(made, SynthesisOptions(patches=1, features="raw", hypometabolic_weight=1.0))
    # a contrast's level is not exactly the same in all heads
    wanted = linear_pet(new_head)
    assert np.abs(predict(found.model, new_head) - wanted).max() < 0.04 * wanted.max()


def test_more_patches_predict_better(training, new_head):
    fits = fit(training, SynthesisOptions(patches=1), SynthesisOptions(patches=64))
    worse, better = (fidelity(predict(f.model, new_head), new_head.pet, new_head.mask) for f in fits)
    assert better["psnr"] > worse["psnr"] + 1.5
    assert better["nmse"] < 0.7 * worse["nmse"]


def test_several_models_in_one_pass_are_those_of_their_own(training, fitted):
    several = fit(iter(training), SynthesisOptions(patches=1), SynthesisOptions(patches=8, refinement=3), unit="SUV")
    assert several[1].model.digest == fitted.model.digest
    assert several[0].model.digest != fitted.model.digest


def test_the_iteration_ends_at_the_exact_solution(fitted):
    assert fitted.converged
    assert fitted.exact_difference < 1e-4
    assert (np.diff(fitted.objectives) <= 1e-12).all()


def test_a_prediction_stays_in_the_brain_and_is_not_negative(fitted, new_head):
    pet = predict(fitted.model, new_head)
    assert pet.dtype == np.float32
    assert pet.shape == new_head.grid.shape
    assert (pet[~new_head.mask] == 0).all()
    assert pet.min() >= 0


def test_the_real_pet_is_not_read_in_a_prediction(fitted, new_head):
    np.testing.assert_array_equal(
        predict(fitted.model, replace(new_head, pet=np.full_like(new_head.pet, 7))), predict(fitted.model, new_head)
    )
    np.testing.assert_array_equal(predict(fitted.model, new_head.without_pet()), predict(fitted.model, new_head))


def test_the_mirrored_patient_has_the_mirrored_prediction(fitted, new_head):
    there, back = predict(fitted.model, flipped(new_head))[::-1], predict(fitted.model, new_head)
    assert np.abs(there - back).max() < 0.02 * back.max()


def test_training_on_mirrored_patients_changes_nothing(training, fitted, new_head):
    (found,) = fit([flipped(one) for one in training], fitted.model.options)
    there, back = predict(found.model, new_head), predict(fitted.model, new_head)
    assert np.abs(there - back).max() < 0.03 * back.max()


@pytest.mark.parametrize("turn", ["las", "permuted"])
def test_the_order_in_which_voxels_are_stored_does_not_matter(fitted, new_head, turn):
    affine = new_head.grid.affine
    images = {**new_head.contrasts, "mask": new_head.mask}
    if turn == "las":
        step = np.diag([-1.0, 1, 1, 1])
        step[0, 3] = new_head.grid.shape[0] - 1
        stored = {name: image[::-1] for name, image in images.items()}
    else:
        step = np.eye(4)[:, [2, 0, 1, 3]]
        stored = {name: image.transpose(2, 0, 1) for name, image in images.items()}
    mask = stored.pop("mask")
    other = subject_of_arrays("other", stored, mask, Grid(mask.shape, affine @ step))
    np.testing.assert_allclose(predict(fitted.model, other), predict(fitted.model, new_head), atol=1e-5)
    native = other.orientation.to_native(predict(fitted.model, other))
    assert native.shape == mask.shape
    assert (native[~mask] == 0).all()


def test_an_oblique_grid_shows_the_same_prediction(fitted):
    angle = np.radians(12)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = turn * 8.0
    affine[:3, 3] = turn @ np.full(3, -8.0 * 23 / 2)
    pairs = make_pairs(train=4, test=2, seed=100, grid=Grid((24, 24, 24), affine))
    turned = next(pairs.test()).subject
    straight = next(make_pairs(train=4, test=2, size=24, seed=100).test()).subject
    figures = [fidelity(predict(fitted.model, one), one.pet, one.mask, scope="mask") for one in (turned, straight)]
    assert figures[0]["nmse"] == pytest.approx(figures[1]["nmse"], rel=0.25)
    np.testing.assert_array_equal(turned.orientation.native.affine, affine)


def test_a_missing_contrast_is_refused(fitted, new_head):
    fewer = replace(new_head, contrasts={"T1": new_head.contrasts["T1"]})
    for ask in (check_contrasts, predict):
        with pytest.raises(InputError, match="T2, FLAIR is missing; the model was trained on T1, T2, FLAIR"):
            ask(fitted.model, fewer)


def test_contrasts_that_fit_are_not_doubted(fitted, small_pairs):
    for one in small_pairs.test():
        assert check_contrasts(fitted.model, one.subject) == ()


@pytest.mark.parametrize(("first", "second"), [("T1", "T2"), ("T1", "FLAIR"), ("T2", "FLAIR")])
def test_swapped_contrasts_are_warned_of(fitted, new_head, first, second):
    images = dict(new_head.contrasts)
    images[first], images[second] = images[second], images[first]
    told = check_contrasts(fitted.model, replace(new_head, contrasts=images))
    assert any(f"looks like {second}" in text or f"looks like {first}" in text for text in told), told


def test_another_sequence_and_further_contrasts_are_told(fitted, new_head):
    inverted = {**new_head.contrasts, "T2": np.where(new_head.mask, 1.2 - new_head.contrasts["T1"], 0)}
    inverted["T1"] = np.where(new_head.mask, new_head.contrasts["T1"] ** 6, 0)
    told = check_contrasts(fitted.model, replace(new_head, contrasts={**inverted, "ADC": new_head.contrasts["T2"]}))
    assert any("T1" in text and "unlike" in text for text in told), told
    assert any("ADC is not used" in text for text in told)


def test_low_sides_count_more(training):
    subject = training[0]
    weights = training_weights(subject, subject.pet, 5.0)
    assert set(np.unique(weights)) == {1.0, 5.0}
    even = np.where(subject.mask, np.float32(1), 0)
    assert training_weights(subject, even, 5.0).max() == 1
    assert (training_weights(subject, subject.pet, 1.0) == 1).all()


def test_refinement_corrects_no_more_than_training_supports(fitted, new_head):
    assert 0 <= fitted.model.trust <= 1
    plain = replace(fitted.model, options=replace(fitted.model.options, refinement=0))
    all_of_it = replace(fitted.model, trust=1.0)
    part, whole = (
        np.abs(predict(model, new_head) - predict(plain, new_head)).mean() for model in (fitted.model, all_of_it)
    )
    assert whole > 0
    assert part == pytest.approx(fitted.model.trust * whole, rel=0.1, abs=1e-6)


def test_bad_training_data_are_refused(training):
    with pytest.raises(InputError, match="2 subjects or more, found 1"):
        fit(training[:1], SynthesisOptions(patches=1))
    with pytest.raises(InputError, match="02: a model cannot be learned from a subject without PET"):
        fit([training[0], training[2].without_pet()], SynthesisOptions(patches=1))
    fewer = replace(training[1], contrasts={"T1": training[1].contrasts["T1"]})
    with pytest.raises(InputError, match="01 has the contrasts T1, those before it T1, T2, FLAIR"):
        fit([training[0], fewer], SynthesisOptions(patches=1))
    with pytest.raises(InputError, match="no model to fit"):
        fit(training)


@pytest.mark.parametrize(
    ("given", "told"),
    [({"patches": 27}, "not of 27"), ({"features": "deep"}, "feature sets"), ({"ridge": -1}, "ridge")],
)
def test_bad_options_are_refused(given, told):
    with pytest.raises(InputError, match=told):
        SynthesisOptions(**given)


def test_a_contrast_that_is_not_used_changes_nothing(fitted, new_head):
    noise = np.where(new_head.mask, np.random.default_rng(1).uniform(0.01, 9, new_head.mask.shape), 0)
    more = replace(new_head, contrasts={**new_head.contrasts, "EXTRA": noise.astype(np.float32)})
    np.testing.assert_array_equal(predict(fitted.model, more), predict(fitted.model, new_head))
