"""What conditions make of a head; drawn on coarse grids."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from PyPeTLib.errors import InputError, UnknownNameError
from PyPeTLib.phantom import CONDITIONS, HEAD_KINDS, kind_options, make_head
from PyPeTLib.phantom.canvas import coordinates
from PyPeTLib.phantom.face import FORAMEN_Z
from PyPeTLib.phantom.head_options import head_options

pytestmark = pytest.mark.accuracy

SHAPE = (40, 42, 14)
SPACING = (4.8, 4.8, 9.0)
DISEASE = ("wide-ventricles", "haemorrhage", "shunt", "metal")


@functools.cache
def head(*conditions: str, modality: str = "ctp", **changes):
    changes = {"shape": SHAPE, "spacing": SPACING, "height": -6.0, **changes}
    return make_head(modality, n_frames=8, dt=5.0, noise=None, conditions=conditions, **changes)


def signal(*conditions: str, modality: str = "ctp"):
    return head(*conditions, modality=modality).series.frame(0)


def ml(values) -> float:
    return float(np.sum(values)) * float(np.prod(SPACING)) / 1000


@pytest.mark.parametrize("condition", DISEASE)
def test_disease_leaves_the_space_inside_the_skull_as_it_is(condition):
    np.testing.assert_array_equal(head("face", condition).masks["intracranial"], head("face").masks["intracranial"])
    assert (signal("face", condition) != signal("face")).any()


def test_with_a_face_the_skull_ends_at_the_foramen():
    plain, face = (head(*names).masks["intracranial"] for names in ((), ("face",)))
    z = coordinates(head("face").series.grid)[2]
    low = np.broadcast_to(z, face.shape) - z.mean() - 6.0 < FORAMEN_Z - SPACING[2] / 2
    assert plain[low].any()
    assert not face[low].any()
    above = ~low & (np.broadcast_to(z, face.shape) - z.mean() - 6.0 > FORAMEN_Z + SPACING[2])
    assert np.mean(plain[above] != face[above]) < 0.001
    # sinuses are air, orbits fat
    hounsfield = signal("face")[~face]
    assert ml((hounsfield > -100) & (hounsfield < -60)) > 15


def test_wide_ventricles_add_csf():
    wide, plain = (ml(head("face", *names).fractions["csf"]) for names in (("wide-ventricles",), ()))
    assert 25 < wide - plain < 120


def test_a_haemorrhage_is_dense_large_and_not_perfused():
    bleeding = head("face", "haemorrhage")
    added = bleeding.series.frame(0) - signal("face")
    blood = bleeding.masks["intracranial"] & (bleeding.series.frame(0) > 55) & (added > 15)
    assert 25 < ml(blood) < 150
    assert bleeding.truth["cbf"][blood].mean() < 0.4 * head("face").truth["cbf"][blood].mean()


def test_metal_saturates_and_throws_streaks_in_its_slices_only():
    values = head("face", "metal").series.frame(0)
    brain = head("face").masks["tissue"]
    assert values.max() == 3071
    spread = [np.ptp(values[:, :, z][brain[:, :, z]]) for z in range(5, 12)]
    assert max(spread) > 300
    assert min(spread) < 100


def test_a_shunt_crosses_the_skull():
    added = signal("face", "shunt") - signal("face")
    inside = head("face").masks["intracranial"]
    assert added[inside].max() > 20
    assert added[~inside].max() > 300
    assert added[~inside].min() < -100


def test_a_child_has_less_bone_and_its_size():
    child, adult = head("face", "child"), head("face")
    assert ml(child.series.frame(0) > 300) < 0.6 * ml(adult.series.frame(0) > 300)
    small = head("face", "child", size=0.7, height=-4.0)
    assert ml(small.masks["intracranial"]) == pytest.approx(0.343 * ml(child.masks["intracranial"]), rel=0.03)


def test_conditions_of_mr_change_the_signal_where_they_should():
    plain = signal("face", modality="dsc")
    brain = head("face", modality="dsc").masks["intracranial"]
    eyes = signal("face", "bright-eyes", modality="dsc")
    assert eyes.max() > 2000 > plain.max()
    np.testing.assert_array_equal(eyes[brain], plain[brain])
    gain = (signal("face", "shading", modality="dsc") / np.maximum(plain, 1))[brain]
    assert gain.min() < 0.75
    assert gain.max() > 1.25
    lost = (signal("face", "signal-loss", modality="dsc") < 0.5 * plain) & brain
    assert 5 < ml(lost) < 60


def test_every_kind_of_head_can_be_asked_for_and_only_where_it_makes_sense():
    for entry in HEAD_KINDS.entries():
        for modality in entry.item.modalities:
            options = head_options(modality, **kind_options(entry.name, modality, coarse=2))
            assert set(options.conditions) == {"face", *entry.item.conditions}
    with pytest.raises(InputError, match="only for dsc"):
        kind_options("eyes", "ctp")


def test_wrong_options_are_refused():
    with pytest.raises(UnknownNameError, match="conditions of heads"):
        head_options("ctp", conditions=("hat",))
    with pytest.raises(InputError, match="'shading' is only for dsc"):
        head_options("ctp", conditions=("shading",))
    with pytest.raises(InputError, match=r"0\.3 to 1\.5, found 3"):
        head_options("ctp", size=3.0)
    assert head_options("dsc", conditions=("metal", "face")).conditions == ("face", "metal")
    assert set(CONDITIONS) >= {"face", *DISEASE}
