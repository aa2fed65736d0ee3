from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from PyPeTLib.errors import InputError
from PyPeTLib.synthesis.features import FEATURE_SETS, SIGMAS, features_in, features_of, level_of


def test_the_full_set_is_what_the_module_says(new_head):
    names = ("T1", "T2", "FLAIR")
    made = features_of(new_head, names, "full")
    mask = new_head.mask
    assert made.shape == (np.count_nonzero(mask), 1 + 6 * 3 + 6)
    assert made.dtype == np.float32
    np.testing.assert_array_equal(made[:, 0], 1)
    t1, flair = (new_head.contrasts[n] / level_of(new_head.contrasts[n][mask]) for n in ("T1", "FLAIR"))
    np.testing.assert_allclose(made[:, 1], t1[mask], rtol=1e-5)
    sigmas = [SIGMAS[0] / size for size in new_head.grid.voxel_sizes]
    wide = ndimage.gaussian_filter(np.where(mask, t1, 0).astype(float), sigmas, mode="constant", truncate=3)
    np.testing.assert_allclose(made[:, 4], wide[mask], atol=1e-5)
    # the difference of sides, its positive part, and its product with the mean
    np.testing.assert_array_equal(made[:, 13], np.maximum(made[:, 10], 0))
    np.testing.assert_allclose(made[:, 16], made[:, 10] * made[:, 4], rtol=1e-5)
    # products last: T1·T1, T1·T2, T1·FLAIR, …
    np.testing.assert_allclose(made[:, 21], (t1 * flair)[mask], rtol=1e-4)


def test_a_scanners_scale_plays_no_part(new_head):
    scaled = replace(new_head, contrasts={name: 370 * image for name, image in new_head.contrasts.items()})
    for name in FEATURE_SETS:
        np.testing.assert_allclose(
            features_of(scaled, ("T1", "FLAIR"), name), features_of(new_head, ("T1", "FLAIR"), name), atol=2e-5
        )


def test_what_lies_outside_the_brain_is_not_read(new_head):
    odd = {name: np.where(new_head.mask, image, 99).astype(np.float32) for name, image in new_head.contrasts.items()}
    names = tuple(odd)
    np.testing.assert_array_equal(
        features_of(replace(new_head, contrasts=odd), names, "full"), features_of(new_head, names, "full")
    )


def test_a_symmetric_head_has_no_difference_of_sides(new_head):
    flat = {"T1": new_head.mask.astype(np.float32)}
    made = features_of(replace(new_head, contrasts=flat), ("T1",), "full")
    # the wide means fade at the rim, alike on both sides of a nearly symmetric brain
    assert np.abs(made[:, 4]).mean() < 0.03


def test_images_without_positive_tissue_are_refused(new_head):
    negative = replace(new_head, contrasts={"T1": -new_head.contrasts["T1"]})
    with pytest.raises(InputError, match=r"T1 has a mean of -.* in the brain"):
        features_of(negative, ("T1",), "raw")


@pytest.mark.parametrize("names", [("T1",), ("T1", "FLAIR"), ("T1", "T2", "FLAIR")])
@pytest.mark.parametrize("feature_set", FEATURE_SETS)
def test_the_number_of_features_is_told(new_head, names, feature_set):
    assert features_of(new_head, names, feature_set).shape[1] == features_in(feature_set, len(names))
