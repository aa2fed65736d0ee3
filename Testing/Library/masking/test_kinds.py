"""Masks of heads with face, disease, implants and artefacts; all kinds at full size are in Docs/validation.md."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.masking import MaskOptions, brain_mask
from PyPeTLib.phantom import kind_options
from PyPeTLib.series import Modality

pytestmark = pytest.mark.accuracy

DISEASED = ("face", "open-base", "wide-ventricles", "haemorrhage", "shunt", "metal")
CASES = {
    "ct, diseased and tilted": (
        "ctp",
        {"shape": (90, 90, 23), "spacing": (2.2, 2.2, 5.0), "affine": "tilted", "conditions": DISEASED},
        0.985,
    ),
    "ct, streaks in a slab": ("ctp", {"slab": 4, "conditions": ("face", "metal")}, 0.985),
    "mr, thick slices, wide ventricles": (
        "dsc",
        {"shape": (96, 96, 12), "spacing": (2.2, 2.2, 10.0), "conditions": ("face", "wide-ventricles")},
        0.985,
    ),
    "mr, drop-outs, shading and eyes": (
        "dsc",
        {
            "shape": (90, 90, 20),
            "spacing": (2.2, 2.2, 6.0),
            "conditions": ("face", "signal-loss", "shading", "bright-eyes"),
        },
        0.97,
    ),
    "mr, child": ("dsc", {**kind_options("child-small-field", "dsc"), "shape": (110, 128, 20)}, 0.98),
}


@pytest.mark.parametrize("case", CASES)
def test_the_brain_is_found(case, heads, score):
    modality, changes, least = CASES[case]
    frozen = {name: tuple(value) if isinstance(value, list) else value for name, value in changes.items()}
    head = heads(modality, n_frames=8, dt=5.0 if modality == "ctp" else 0.5, **frozen)
    found = brain_mask(head.series.mean(frames=slice(None)), head.series.grid, Modality(modality), MaskOptions())
    truth = head.masks["intracranial"]
    dice = score(found.mask, truth)
    print(f"Dice {dice:.4f}")
    assert dice >= least
    assert found.notes == ()
    # the neck is empty, but for one slice of partial volume
    lowest = int(np.flatnonzero(truth.any(axis=(0, 1)))[0])
    assert not found.mask[:, :, : max(lowest - 1, 0)].any()
