"""The mean PET and the plain linear model: what they hold and where they do not apply."""

import numpy as np
import pytest

from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid
from PyPeTLib.synthesis.baselines import BRAIN_TEMPLATE, TEMPLATE, TemplateSum, global_linear
from PyPeTLib.synthesis.options import SynthesisOptions
from PyPeTLib.synthesis.subject import subject_of_arrays

SHAPE = (6, 7, 5)
LAS = np.diag([-3.0, 3.0, 3.0, 1.0])


def subject(name, level, *, affine=LAS, out=None, pet=True):
    mask = np.zeros(SHAPE, bool)
    mask[1:5, 1:6, 1:4] = True
    if out is not None:
        mask[out] = False
    image = np.where(mask, np.float32(level), np.float32(0))
    image[mask] += np.arange(np.count_nonzero(mask), dtype=np.float32)
    return subject_of_arrays(name, {"T1": image}, mask, Grid(SHAPE, affine), pet=image * 2 if pet else None)


def summed(*subjects):
    made = TemplateSum()
    passed = list(made.watched(iter(subjects)))
    assert passed == list(subjects)
    return made


def test_templates_are_means_over_all_and_over_those_who_have_brain_in_a_voxel() -> None:
    corner = (1, 1, 1)
    one, other = subject("a", 10), subject("b", 20, out=corner)
    templates = summed(one, other).templates()
    at = tuple(np.argwhere(one.mask & ~other.mask)[0])
    assert templates[TEMPLATE].values[at] == one.pet[at] / 2
    assert templates[BRAIN_TEMPLATE].values[at] == one.pet[at]
    both = one.mask & other.mask
    for template in templates.values():
        np.testing.assert_allclose(template.values[both], (one.pet + other.pet)[both] / 2)
        assert not template.values[~one.mask].any()


def test_a_prediction_is_the_template_inside_the_brain_whatever_the_mri() -> None:
    one, other = subject("a", 10), subject("b", 20)
    template = summed(one, other).templates()[TEMPLATE]
    new = subject("c", 500, out=(2, 2, 2), pet=False)
    predicted = template.predict(new)
    assert predicted.dtype == np.float32
    np.testing.assert_array_equal(predicted[new.mask], template.values[new.mask])
    assert not predicted[~new.mask].any()


def test_brain_that_no_training_subject_has_gets_the_mean_or_nothing() -> None:
    corner = (1, 1, 1)
    templates = summed(subject("a", 10, out=corner)).templates()
    template = templates[BRAIN_TEMPLATE]
    new = subject("b", 10)
    at = tuple(np.argwhere(new.mask & (template.values == 0))[0])
    assert template.predict(new)[at] == pytest.approx(template.values[template.values != 0].mean(), rel=1e-5)
    assert templates[TEMPLATE].predict(new)[at] == 0


def test_subjects_on_other_grids_have_no_template_and_are_named() -> None:
    elsewhere = LAS + np.eye(4, k=3) * 40
    made = summed(subject("a", 10), subject("far", 10, affine=elsewhere), subject("c", 10))
    assert not made.templates()
    assert "far" in made.note
    for template in summed(subject("a", 10)).templates().values():
        assert template.predict(subject("far", 10, affine=elsewhere)) is None


def test_without_a_pet_there_is_nothing_to_learn() -> None:
    with pytest.raises(InputError, match="nobody"):
        summed(subject("nobody", 10, pet=False))
    assert not TemplateSum().templates()


def test_the_plain_model_has_one_patch_raw_features_and_no_weights_of_lesions() -> None:
    options = global_linear(SynthesisOptions(patches=64, hypometabolic_weight=5.0))
    assert (options.patches, options.features, options.hypometabolic_weight) == (1, "raw", 1.0)
