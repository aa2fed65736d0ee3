"""Heads whose concentration curves the tests of several topics share, made once."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from PyPeTLib.aif import AIFOptions, select_aif, select_vof
from PyPeTLib.contrast import ContrastOptions, concentration, find_bolus
from PyPeTLib.masking import erode_mm, midsagittal_plane
from PyPeTLib.phantom import make_head

GRIDS = {
    "ctp": {"shape": (110, 110, 23), "spacing": (1.82, 1.82, 5.0)},
    "dsc": {"shape": (96, 96, 20), "spacing": (2.33, 2.33, 6.0)},
}


class Scene:
    """A head with its unsmoothed concentration, and the calls that the tests make on it."""

    def __init__(self, modality, **changes):
        self.head = make_head(modality, **{**GRIDS[modality], **changes})
        series, self.mask = self.head.series, self.head.masks["intracranial"]
        signal = np.ascontiguousarray(series.array()[self.mask])
        self.grid, self.times = series.grid, series.frame_times
        self.bolus = find_bolus(signal, self.times, series.modality, ContrastOptions())
        echo_time = series.acquisition.echo_time
        self.curves = concentration(signal, self.bolus, series.modality, echo_time=echo_time).curves
        self.search = erode_mm(self.mask, self.grid, 1.0)
        relaxivity = 1.0 if modality == "ctp" else 0.2
        self.true_aif, self.true_vof = relaxivity * self.head.aif, relaxivity * self.head.vof

    def aif(self, **options):
        chosen = AIFOptions(**options)
        return select_aif(self.curves, self.mask, self.search, self.grid, self.times, self.bolus, chosen)

    def vof(self, earliest=None, **options):
        plane = midsagittal_plane(self.mask, self.grid)
        if earliest is None:
            earliest = self.aif().candidates[0].arrival
        return select_vof(
            self.curves, self.mask, self.grid, self.times, self.bolus, plane, AIFOptions(**options), earliest
        )

    def share(self, kind, mask):
        return float((self.head.fractions[kind][mask] >= 0.5).mean())


@cache
def _scene(modality, changes):
    return Scene(modality, **dict(changes))


@pytest.fixture(scope="session")
def scene():
    """``scene(modality, **changes)``: a head of `make_head`, made once."""
    return lambda modality, **changes: _scene(modality, tuple(sorted(changes.items())))
