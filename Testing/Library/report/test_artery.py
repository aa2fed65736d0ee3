"""The figure of the arterial input function."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from PyPeTLib.aif import aif_from_curve
from PyPeTLib.report.artery import place_page
from PyPeTLib.report.colours import GREYS, SHADES


def full(colour: str) -> int:
    first, shades, _ = SHADES[colour]
    return first + shades - 1


def panels(page) -> list[np.ndarray]:
    """The three pictures without their captions."""
    return [page.pixels[148:560, 24 + 350 * i - 3 : 24 + 350 * i + 330] for i in range(3)]


@pytest.mark.parametrize("modality", ["ctp", "dsc"])
def test_the_artery_is_ringed_in_every_picture(modality, ct_result, dsc_result):
    result = ct_result if modality == "ctp" else dsc_result
    for panel in panels(place_page(result)):
        rows, columns = np.nonzero(panel == full("yellow"))
        assert rows.size > 20
        # bright contrast inside the ring
        inside = panel[rows.min() : rows.max(), columns.min() : columns.max()]
        assert (inside == GREYS - 1).any()


def test_an_artery_on_the_patients_left_is_ringed_on_the_right(ct_result):
    grid = ct_result.working.grid
    slice_panel = []
    for x in (0.3, 0.7):
        mask = np.zeros_like(ct_result.brain.mask)
        mask[int(x * grid.shape[0]), grid.shape[1] // 2, 4] = True
        aif = dataclasses.replace(ct_result.aif, mask=mask, candidates=(), source="mask")
        page = place_page(dataclasses.replace(ct_result, aif=aif))
        slice_panel.append(np.nonzero(panels(page)[1] == full("yellow"))[1].mean())
    assert slice_panel[0] > slice_panel[1] + 60


def test_candidates_are_numbered_only_where_the_search_was_automatic(ct_result):
    assert len(ct_result.aif.candidates) > 1
    given = dataclasses.replace(ct_result, aif=dataclasses.replace(ct_result.aif, candidates=(), source="mask"))
    numbered, plain = (np.count_nonzero(panels(place_page(r))[0] == full("cyan")) for r in (ct_result, given))
    assert numbered > 10
    assert plain == 0


def test_a_given_curve_has_no_picture(ct_result):
    times = ct_result.working.frame_times
    aif = aif_from_curve(times, ct_result.aif.measured, times)
    page = place_page(dataclasses.replace(ct_result, aif=aif))
    assert page.height < place_page(ct_result).height
    assert np.count_nonzero(page.pixels == full("yellow")) > 50


def test_without_an_artery_the_reason_stands_in_red(no_bolus_result):
    assert no_bolus_result.aif is None
    assert np.count_nonzero(place_page(no_bolus_result).pixels == full("red")) > 100
