"""The mask by name of a method."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.errors import InputError, UnknownNameError
from PyPeTLib.geometry import Grid
from PyPeTLib.masking import MASK_METHODS, BrainMask, MaskOptions, brain_mask
from PyPeTLib.series import Modality


def test_the_modality_chooses_the_method(draw, ct_levels, mr_levels):
    assert set(MASK_METHODS) == {"auto", "ct-skull", "mr-threshold"}
    for levels, modality, name in (
        (ct_levels, Modality.CTP, "ct-skull"),
        (mr_levels, Modality.DSC, "mr-threshold"),
    ):
        head = draw(levels)
        by_modality = brain_mask(head.signal, head.grid, modality, MaskOptions())
        by_name = brain_mask(head.signal, head.grid, modality, MaskOptions(method=name))
        assert by_modality.method == name
        assert by_modality.mask.dtype == bool
        np.testing.assert_array_equal(by_modality.mask, by_name.mask)


def test_the_input_is_left_as_it_is(draw, ct_levels, mr_levels):
    for levels, modality in ((ct_levels, Modality.CTP), (mr_levels, Modality.DSC)):
        head = draw(levels)
        before = head.signal.copy()
        head.signal.setflags(write=False)
        brain_mask(head.signal, head.grid, modality, MaskOptions())
        np.testing.assert_array_equal(head.signal, before)


@pytest.mark.parametrize("order", ["C", "F"])
def test_memory_layout_does_not_matter(order, draw, ct_levels):
    head = draw(ct_levels)
    found = brain_mask(np.asarray(head.signal, order=order), head.grid, Modality.CTP, MaskOptions())
    plain = brain_mask(head.signal, head.grid, Modality.CTP, MaskOptions())
    np.testing.assert_array_equal(found.mask, plain.mask)


def test_a_mask_smaller_than_asked_for_is_refused(draw, ct_levels):
    head = draw(ct_levels, shape=(96, 108, 4))
    volume = brain_mask(head.signal, head.grid, Modality.CTP, MaskOptions()).volume(head.grid)
    with pytest.raises(InputError, match=rf"largest candidate has {volume:.1f} ml.*--mask"):
        brain_mask(head.signal, head.grid, Modality.CTP, MaskOptions(minimum_volume=1000.0))


def test_the_width_of_bridges_is_an_option(draw, ct_levels):
    head = draw(ct_levels)
    x, y, z = head.place
    shunt = (x > 8) & (np.hypot(y - 10, z - 3) < 3.1)
    head.put(shunt, 1500.0)
    deep = shunt & (head.depth > 8)
    shares = [
        brain_mask(head.signal, head.grid, Modality.CTP, MaskOptions(bridge=mm)).mask[deep].mean() for mm in (0.0, 5.0)
    ]
    assert shares[0] < 0.5
    assert shares[1] > 0.95


def test_wrong_input_is_refused():
    grid = Grid((4, 4, 4), np.eye(4))
    with pytest.raises(InputError, match=r"shape \(4, 4, 3\)"):
        brain_mask(np.zeros((4, 4, 3), dtype=np.float32), grid, Modality.CTP, MaskOptions())
    with pytest.raises(InputError, match="NaN"):
        brain_mask(np.full((4, 4, 4), np.nan, dtype=np.float32), grid, Modality.CTP, MaskOptions())
    for modality in Modality:
        with pytest.raises(InputError, match="--mask"):
            brain_mask(np.zeros((4, 4, 4), dtype=np.float32), grid, modality, MaskOptions())
    with pytest.raises(UnknownNameError, match="brain mask methods"):
        MaskOptions(method="otsu")


def test_a_given_mask_needs_nothing_else():
    mask = np.ones((10, 10, 10), dtype=bool)
    given = BrainMask(mask=mask)
    assert given.method == "given"
    assert given.notes == ()
    assert given.volume(Grid(mask.shape, np.diag([2.0, 2.0, 5.0, 1.0]))) == pytest.approx(20.0)
