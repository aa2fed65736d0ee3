"""Classes of tissue and normal tissue of a whole run."""

from __future__ import annotations

import numpy as np

from PyPeTLib.masking import PARENCHYMA, TissueClass


def test_labels_lie_on_the_grid_of_the_input_and_normal_tissue_in_parenchyma(ct_result):
    labels = ct_result.tissue_labels()
    assert labels.shape == ct_result.series.grid.shape
    np.testing.assert_array_equal(labels != TissueClass.OUTSIDE, ct_result.on_input_grid(ct_result.brain.mask))
    normal = ct_result.normal_tissue
    assert normal.sum() > 0.5 * np.isin(labels, PARENCHYMA).sum()
    assert np.isin(labels[normal], PARENCHYMA).all()
    assert ct_result.maps.quality_mask[normal].all()
