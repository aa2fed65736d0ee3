"""A run with a memory gives the bytes of a fresh run, and runs only the stages behind what changed."""

import dataclasses

import numpy as np
import pytest

from PyPeTLib import PipelineConfig, run_pipeline
from PyPeTLib.config import Given
from PyPeTLib.errors import CancelledError, InputError
from PyPeTLib.memory import NoMemory, StageMemory
from PyPeTLib.phantom import RigidMotion, make_head
from PyPeTLib.pipeline import STAGES
from PyPeTLib.series import Modality

MOTION = RigidMotion(drift_mm=1.0, drift_degrees=1.0, jump_mm=2.0, jump_degrees=2.0)
HEADS = {
    "ctp": {"modality": "ctp", "shape": (56, 56, 8), "dt": 2.0, "n_frames": 24},
    "dsc": {"modality": "dsc", "shape": (40, 40, 8), "n_frames": 32},
    "moving": {"modality": "ctp", "shape": (40, 40, 8), "dt": 2.0, "n_frames": 24, "motion": MOTION},
}
"""Small, and short: what is recalled is compared with what is made anew, however good it is."""


@pytest.fixture(scope="module", params=HEADS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def head(kind):
    return make_head(seed=3, **HEADS[kind])


@pytest.fixture(scope="module")
def first(head):
    """A run and the memory that it left."""
    memory = StageMemory()
    result = run_pipeline(head.series, memory=memory)
    assert tuple(memory.ran) == STAGES
    return result, memory


def artery(first, rank: int) -> np.ndarray:
    """The mask of one of the candidates."""
    result = first[0]
    mask = np.zeros(result.working.grid.shape, bool)
    candidates = result.aif.candidates
    mask[tuple(candidates[min(rank, len(candidates) - 1)].places.T)] = True
    return mask


def smaller_brain(result) -> np.ndarray:
    mask = result.brain.mask.copy()
    mask[:, : mask.shape[1] // 2] = False
    return mask


CHANGES = {
    "nothing": ((), lambda first: ({}, Given())),
    "artery": (("aif", "deconvolution", "maps"), lambda first: ({}, Given(aif_mask=artery(first, 1)))),
    "population": (("aif", "deconvolution", "maps"), lambda first: ({}, Given(aif_population=True))),
    "aif rule": (("aif", "deconvolution", "maps"), lambda first: ({"aif": {"rule": "straka"}}, Given())),
    "aif curve": (("aif", "deconvolution", "maps"), lambda first: ({"aif": {"curve": "fitted"}}, Given())),
    "method": (("deconvolution", "maps"), lambda first: ({"deconvolution": {"method": "bsvd"}}, Given())),
    "density": (("deconvolution", "maps"), lambda first: ({"quantification": {"density": 1.04}}, Given())),
    "smoothing": (("smoothing", "deconvolution", "maps"), lambda first: ({"denoising": {"sigma": 1.0}}, Given())),
    "tissue": (
        ("tissue", "smoothing", "deconvolution", "maps"),
        lambda first: ({"tissue": {"vessel_ratio": 2.0}}, Given()),
    ),
    "brain": (STAGES[2:], lambda first: ({}, Given(brain_mask=smaller_brain(first[0])))),
    "motion": (STAGES[1:], lambda first: ({"motion": {"correct": False}}, Given())),
}


TRIED = [("ctp", change) for change in CHANGES]
TRIED += [(kind, change) for kind in ("dsc", "moving") for change in ("nothing", "artery")]
"""No stage's inputs depend on the kind of series, so that one kind goes through all changes."""


@pytest.mark.parametrize(("kind", "change"), TRIED, indirect=["kind"], scope="module")
def test_a_change_runs_what_lies_behind_it_and_gives_the_maps_of_a_fresh_run(kind, head, first, change):
    stages, make = CHANGES[change]
    changes, given = make(first)
    config = PipelineConfig.for_modality(head.series.modality, changes)
    memory = first[1]
    # the memory as the first run left it
    run_pipeline(head.series, memory=memory)
    again = run_pipeline(head.series, config, given=given, memory=memory)
    assert tuple(memory.ran) == tuple(stages)
    fresh = run_pipeline(head.series, config, given=given)
    assert set(again.maps) == set(fresh.maps)
    for name, expected in fresh.maps.items():
        np.testing.assert_array_equal(again.maps[name].values, expected.values)
        np.testing.assert_array_equal(again.maps[name].valid, expected.valid)
    assert [str(flag) for flag in again.flags] == [str(flag) for flag in fresh.flags]


def test_a_mask_changed_in_place_is_another_mask(head, first):
    memory = StageMemory()
    mask = first[0].brain.mask.copy()
    run_pipeline(head.series, given=Given(brain_mask=mask), memory=memory)
    mask[:, : mask.shape[1] // 2] = False
    again = run_pipeline(head.series, given=Given(brain_mask=mask), memory=memory)
    assert "mask" in memory.ran
    np.testing.assert_array_equal(again.brain.mask, mask)


def test_another_series_is_run_from_the_start(head, first):
    memory = first[1]
    run_pipeline(dataclasses.replace(head.series), memory=memory)
    assert tuple(memory.ran) == STAGES


def test_the_curves_before_denoising_are_kept_with_a_memory_alone(head, first):
    curves = first[0].intermediate.curves
    assert curves.signal.shape[0] == np.count_nonzero(curves.analysed) == len(first[0].intermediate.unsmoothed.curves)
    assert run_pipeline(head.series).intermediate is None


def test_a_cancelled_run_leaves_a_memory_that_can_be_used():
    head = make_head(seed=3, **HEADS["ctp"])
    memory = StageMemory()
    stages = []
    with pytest.raises(CancelledError):
        run_pipeline(
            head.series,
            progress=lambda stage, _: stages.append(stage),
            cancelled=lambda: "aif" in stages,
            memory=memory,
        )
    again = run_pipeline(head.series, memory=memory)
    assert memory.ran[0] == "aif"
    np.testing.assert_array_equal(again.maps.cbf.values, run_pipeline(head.series).maps.cbf.values)


def test_the_progress_of_an_earlier_run_is_not_asked_again():
    head = make_head(seed=3, **HEADS["moving"])
    memory, told = StageMemory(), []
    run_pipeline(head.series, progress=lambda stage, share: told.append(stage), memory=memory)
    count = len(told)
    run_pipeline(head.series, PipelineConfig.for_modality(Modality.CTP, {"mask": {}}), memory=memory)
    assert len(told) == count


def test_a_failing_stage_keeps_nothing_of_itself():
    memory = StageMemory()
    with pytest.raises(InputError):
        memory.recall("one", (1,), lambda: (_ for _ in ()).throw(InputError("no")))
    assert memory.recall("one", (1,), lambda: 2) == 2
    assert memory.recall("one", (1,), lambda: 3) == 2


def test_forgetting_and_having_no_memory():
    memory = StageMemory()
    memory.recall("one", (1,), lambda: 1)
    memory.forget()
    assert memory.recall("one", (1,), lambda: 2) == 2
    none = NoMemory()
    assert none.recall("one", (1,), lambda: 1) == 1
    assert none.recall("one", (1,), lambda: 2) == 2
