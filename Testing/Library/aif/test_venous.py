"""The venous output function in heads whose sinuses are known."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.aif import AIFOptions, vof_from_mask
from PyPeTLib.aif.venous import MIDLINE_MM, posterior_midline
from PyPeTLib.errors import InputError
from PyPeTLib.masking import midsagittal_plane
from PyPeTLib.phantom import Bolus

HEADS = [
    {"seed": 0},
    {"seed": 1, "tissue_lag": 3.0},
    {"seed": 2, "bolus": Bolus(arrival=30.0), "n_frames": 70},
    {"seed": 3, "slab": 4},
    {"seed": 0, "n_frames": 26},
]
FURTHER = pytest.mark.accuracy
"""One head of a kind is enough for the oldest versions: that the others come out as well, the newest ones tell."""
HEADS[1:] = [pytest.param(head, marks=FURTHER) for head in HEADS[1:]]


@pytest.mark.parametrize("changes", HEADS, ids=["whole", "lag", "late", "slab", "cut off"])
@pytest.mark.parametrize("modality", ["ctp", "dsc"])
def test_the_voxels_lie_inside_veins_and_are_not_diluted(scene, modality, changes):
    found = scene(modality, **changes)
    vof = found.vof()
    inside = found.head.fractions["venous"][vof.mask]
    print(f"{modality} {list(changes)}: {(inside >= 0.5).mean():.0%} of {vof.mask.sum()} voxels in veins")
    assert (inside >= 0.5).mean() >= 0.9
    assert inside.mean() > 0.85
    assert vof.source == "automatic"
    assert vof.measured.max() == pytest.approx(found.true_vof.max(), rel=0.12)


@pytest.mark.parametrize("kind", ["oblique", pytest.param("las", marks=FURTHER)])
def test_the_grid_may_lie_askew(scene, kind):
    found = scene("ctp", seed=3, affine=kind, shape=(100, 100, 14), spacing=(2.0, 2.0, 8.0))
    assert found.share("venous", found.vof().mask) >= 0.9


def test_it_is_sought_behind_and_near_the_midline(scene):
    found = scene("ctp", seed=0)
    plane = midsagittal_plane(found.mask, found.grid)
    region = posterior_midline(found.mask, found.grid, plane)
    assert np.abs(plane.distance(found.grid)[region]).max() <= MIDLINE_MM
    world = np.argwhere(region) @ found.grid.affine[:3, :3].T + found.grid.affine[:3, 3]
    brain = np.argwhere(found.mask) @ found.grid.affine[:3, :3].T + found.grid.affine[:3, 3]
    assert world[:, 1].max() < brain[:, 1].mean() + 10
    assert world[:, 1].min() == pytest.approx(brain[:, 1].min(), abs=5)


def test_what_is_not_later_than_the_artery_is_no_vein(scene):
    found = scene("ctp", seed=0)
    with pytest.raises(InputError, match="no vein was found"):
        found.vof(earliest=30.0)


def test_the_volume_of_its_core_is_an_option(scene):
    found = scene("ctp", seed=0)
    small, large = (found.vof(vof_target_volume=volume).mask.sum() for volume in (60.0, 300.0))
    assert small < large <= round(300.0 / found.grid.voxel_volume)
    assert AIFOptions().vof_target_volume == 150.0


def test_a_mask_gives_the_mean_of_its_voxels():
    curves = np.array([[0, 1, 4, 2, 1], [0, 3, 6, 4, 1]], np.float32)
    vof = vof_from_mask(curves, np.ones((2, 1, 1), bool), np.arange(5.0), slice(0, 1))
    np.testing.assert_allclose(vof.measured, [0, 2, 5, 3, 1])
    assert vof.source == "mask"
    with pytest.raises(InputError, match="VOF mask take up no contrast"):
        vof_from_mask(-curves, np.ones((2, 1, 1), bool), np.arange(5.0), slice(0, 1))
