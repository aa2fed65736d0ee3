"""Classes of tissue in heads whose every voxel is known."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from PyPeTLib.config import PipelineConfig
from PyPeTLib.contrast import ContrastOptions, concentration, find_bolus
from PyPeTLib.execution import Execution
from PyPeTLib.geometry import Grid
from PyPeTLib.maps import QUANTITIES, ParameterMap, PerfusionMaps
from PyPeTLib.masking import (
    MidsagittalPlane,
    Mirror,
    TissueClass,
    TissueClasses,
    TissueOptions,
    classify_tissue,
    reference_tissue,
)
from PyPeTLib.masking.grey_white import parting_value
from PyPeTLib.masking.local import local_mean
from PyPeTLib.phantom import make_head
from PyPeTLib.phantom.scoring import dice
from PyPeTLib.series import Modality

CASES = [
    ("ctp", 1, {"shape": (110, 110, 14), "spacing": (1.8, 1.8, 7.0)}),
    ("ctp", 2, {"slab": 4}),
    ("dsc", 1, {"shape": (112, 112, 16), "spacing": (2.0, 2.0, 7.0)}),
    ("dsc", 2, {"slab": 4}),
]
FURTHER = pytest.mark.accuracy
"""One head of a kind is enough for the oldest versions: that the others come out as well, the newest ones tell."""


class Classified:
    """A head, and its classes with grey and white matter told apart or not."""

    def __init__(self, modality, seed, **changes):
        self.phantom = make_head(modality, seed=seed, n_frames=30, **changes)
        series = self.phantom.series
        self.grid, self.modality, self.brain = series.grid, series.modality, self.phantom.masks["intracranial"]
        self.signal = series.curves(self.brain)
        bolus = find_bolus(self.signal, series.frame_times, series.modality, ContrastOptions())
        echo_time = series.acquisition.echo_time
        self.curves = concentration(self.signal, bolus, series.modality, echo_time=echo_time).curves
        self.options = PipelineConfig.for_modality(series.modality).tissue
        self.found = self.classes()
        self.vessels = self.phantom.arterial_fraction + self.phantom.venous_fraction
        shares = sum(self.phantom.fractions[name] for name in ("grey", "white", "csf"))
        # beside bone a voxel shows bone, whatever else it holds
        self.free_of_bone = self.brain & (shares > 0.995)

    def classes(self, *, signal=None, curves=(), threads=1, **changes) -> TissueClasses:
        options = TissueOptions(**{**self.options.to_mapping(), **changes})
        return classify_tissue(
            self.signal if signal is None else signal,
            self.curves if isinstance(curves, tuple) else curves,
            self.brain,
            self.brain,
            self.grid,
            self.modality,
            options,
            Execution(threads=threads),
        )


@cache
def classified(index: int) -> Classified:
    modality, seed, changes = CASES[index]
    return Classified(modality, seed, **changes)


@pytest.fixture(
    params=[i if "slab" in CASES[i][2] else pytest.param(i, marks=FURTHER) for i in range(len(CASES))],
    ids=[f"{modality} {seed} {'slab' in more}" for modality, seed, more in CASES],
)
def head(request) -> Classified:
    return classified(request.param)


def test_csf_is_found_and_an_infarct_core_is_none(head):
    csf, truth = head.found.mask(TissueClass.CSF), head.phantom.masks["csf"]
    inside = head.free_of_bone
    score = dice(csf & inside, truth & inside)
    pure = inside & (head.phantom.fractions["csf"] > 0.9) & (head.phantom.fractions["vessel"] < 0.02)
    core = head.phantom.masks["core"] & ~truth & (head.phantom.fractions["csf"] < 0.1)
    print(
        f"Dice {score:.3f}, pure CSF {csf[pure].mean():.3f}, core {csf[core].mean():.4f}, level {head.found.csf_level}"
    )
    assert score >= 0.85
    assert csf[pure].mean() >= 0.98
    assert csf[core].mean() <= 0.02


def test_vessels_are_found_and_nothing_else_is_called_one(head):
    vessel = head.found.mask(TissueClass.VESSEL)
    inside = vessel[head.brain & (head.vessels >= 0.5)].mean()
    right = (head.vessels[vessel] >= 0.2).mean()
    print(f"found {inside:.3f}, of which vessels {right:.3f}")
    assert inside >= 0.97
    assert right >= 0.8
    assert (head.vessels[vessel] >= 0.1).mean() >= 0.99


def test_grey_and_white_matter_on_request(head):
    assert not head.found.mask(TissueClass.GREY, TissueClass.WHITE).any()
    apart = head.classes(grey_white=True)
    np.testing.assert_array_equal(apart.parenchyma, head.found.parenchyma)
    grey, white = (
        dice(apart.mask(kind), head.phantom.masks[name])
        for kind, name in ((TissueClass.GREY, "grey"), (TissueClass.WHITE, "white"))
    )
    print(f"Dice of grey {grey:.3f}, white {white:.3f}")
    assert min(grey, white) >= 0.68


def test_every_voxel_has_one_class_and_volumes_add_up(head):
    assert set(np.unique(head.found.labels[~head.brain])) == {TissueClass.OUTSIDE}
    assert (head.found.labels[head.brain] != TissueClass.OUTSIDE).all()
    total = sum(head.found.volumes().values())
    assert total == pytest.approx(head.brain.sum() * head.grid.voxel_volume / 1000)


def test_the_number_of_threads_changes_nothing():
    head = classified(1)
    np.testing.assert_array_equal(head.classes(threads=2).labels, head.found.labels)


def test_swollen_tissue_without_flow_is_no_csf():
    head = classified(1)
    core = head.phantom.masks["core"]
    # an infarct after some hours: all of it 8 HU darker
    darker = head.signal - np.float32(8.0) * core[head.brain][:, None]
    solid = core & (head.phantom.fractions["csf"] < 0.02)
    found = head.classes(signal=darker).mask(TissueClass.CSF)
    print(f"{found[solid].mean():.4f} of {solid.sum()} voxels")
    assert found[solid].mean() <= 0.08


def test_fresh_blood_is_neither_tissue_nor_csf():
    head = classified(1)
    core = head.phantom.masks["core"]
    brighter = head.signal + np.float32(45.0) * core[head.brain][:, None]
    solid = core & (head.phantom.fractions["csf"] < 0.1) & (head.phantom.fractions["vessel"] < 0.02)
    assert (head.classes(signal=brighter).labels[solid] == TissueClass.OTHER).mean() > 0.97


def test_without_a_bolus_no_vessel_shows_and_csf_is_the_same():
    head = classified(1)
    found = head.classes(curves=None)
    assert not found.mask(TissueClass.VESSEL).any()
    assert dice(found.mask(TissueClass.CSF), head.found.mask(TissueClass.CSF)) > 0.97


def test_what_was_not_analysed_is_of_no_class():
    grid = Grid((12, 12, 3), np.diag([5.0, 5.0, 5.0, 1.0]))
    brain = np.ones(grid.shape, bool)
    analysed = brain.copy()
    analysed[:, :2] = False
    signal = np.full((analysed.sum(), 10), 35, np.float32)
    found = classify_tissue(signal, None, analysed, brain, grid, Modality.CTP, TissueOptions())
    assert (found.labels[analysed] == TissueClass.TISSUE).all()
    assert (found.labels[~analysed] == TissueClass.OTHER).all()
    assert found.csf_level is None
    nothing = np.zeros_like(analysed)
    found = classify_tissue(signal[:0], None, nothing, brain, grid, Modality.CTP, TissueOptions())
    assert found.volumes() == {TissueClass.OTHER: pytest.approx(brain.sum() * 0.125)}


def test_local_mean_is_that_of_the_voxels_that_count():
    grid = Grid((40, 40, 10), np.diag([2.0, 2.0, 4.0, 1.0]))
    values = np.indices(grid.shape)[0].astype(np.float32)
    where = (np.indices(grid.shape).sum(axis=0) % 3) > 0
    values[~where] = 1e4
    mean = local_mean(values, where, 6.0, grid)
    inner = (slice(10, 30), slice(10, 30), slice(3, 7))
    # half a block is the most by which a place of a slope can be off
    np.testing.assert_allclose(mean[inner], np.indices(grid.shape)[0][inner], atol=1.2)
    far = np.zeros_like(where)
    far[0, 0, 0] = True
    assert local_mean(values, far, 1.0, grid)[-1, -1, -1] == pytest.approx(values[0, 0, 0])
    assert not local_mean(values, np.zeros_like(where), 6.0, grid).any()


def test_the_parting_value_lies_between_two_classes():
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(28, 1, 4000), rng.normal(36, 1, 1000)])
    assert parting_value(values) == pytest.approx(32, abs=1.5)


def _maps(grid, **volumes) -> PerfusionMaps:
    valid = np.ones(grid.shape, bool)
    maps = {
        name: ParameterMap(quantity=QUANTITIES[name], values=values.astype(np.float32), valid=valid)
        for name, values in volumes.items()
    }
    return PerfusionMaps(maps=maps, quality_mask=valid)


@pytest.fixture
def patient():
    """A cube of brain with maps: one region low in flow, one late, both on the right."""
    grid = Grid((60, 40, 12), np.array([[3.0, 0, 0, -88.5], [0, 3.0, 0, 0], [0, 0, 5.0, 0], [0, 0, 0, 1]]))
    mirror = Mirror(plane=MidsagittalPlane(normal=np.array([1.0, 0, 0]), offset=0.0), grid=grid)
    flow, lag = np.full(grid.shape, 50.0), np.full(grid.shape, 3.0)
    low, late = np.zeros(grid.shape, bool), np.zeros(grid.shape, bool)
    low[35:50, 5:15], late[35:50, 22:35] = True, True
    flow[low], lag[late] = 15.0, 9.0
    rng = np.random.default_rng(2)
    noisy = _maps(
        grid, cbf=flow * (1 + 0.3 * rng.standard_normal(grid.shape)), tmax=lag + rng.standard_normal(grid.shape)
    )
    return mirror, noisy, low, late


def test_reference_tissue_leaves_out_what_is_late_or_low(patient):
    mirror, maps, low, late = patient
    tissue = np.ones(mirror.grid.shape, bool)
    tissue[:, :3] = False
    normal = reference_tissue(tissue, maps, mirror)
    ill = low | late
    print(f"{ill[normal].mean():.4f} of it ill, {normal[tissue & ~ill].mean():.3f} of the healthy tissue in it")
    assert not (normal & ~tissue).any()
    assert ill[normal].mean() <= 0.03
    assert normal[tissue & ~ill].mean() >= 0.93
    # voxels are not chosen for their noise, so that the mean flow is that of healthy tissue
    assert maps["cbf"].values[normal].mean() == pytest.approx(50.0, rel=0.02)


def test_reference_tissue_when_all_of_the_brain_is_late(patient):
    mirror, maps, low, late = patient
    tissue = np.ones(mirror.grid.shape, bool)
    later = _maps(mirror.grid, cbf=maps["cbf"].values, tmax=maps["tmax"].values + 6)
    np.testing.assert_array_equal(reference_tissue(tissue, later, mirror), reference_tissue(tissue, maps, mirror))
    without = _maps(mirror.grid, cbf=maps["cbf"].values)
    assert late[reference_tissue(tissue, without, mirror)].any()
    assert not low[reference_tissue(tissue, without, mirror)].mean() > 0.03
