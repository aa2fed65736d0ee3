"""Runs over small heads, made once."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from PyPeTLib.config import Given, PipelineConfig
from PyPeTLib.phantom import make_head
from PyPeTLib.pipeline import PipelineResult, run_pipeline
from PyPeTLib.preprocess.resample import ResampleOptions

SMALL = {"ctp": (60, 60, 8), "dsc": (48, 48, 6)}


def analysed(modality: str) -> PipelineResult:
    head = make_head(modality, shape=SMALL[modality], seed=1, lesion_side="left")
    return run_pipeline(head.series, given=Given(brain_mask=head.masks["intracranial"]))


@pytest.fixture(scope="session")
def ct_result() -> PipelineResult:
    return analysed("ctp")


@pytest.fixture(scope="session")
def dsc_result() -> PipelineResult:
    return analysed("dsc")


@pytest.fixture(scope="session")
def downsampled_result(ct_result) -> PipelineResult:
    """Analysed on a coarser grid than that of the maps."""
    config = PipelineConfig(resample=ResampleOptions(max_in_plane=35))
    return run_pipeline(ct_result.series, config, given=Given(brain_mask=ct_result.brain.mask))


@pytest.fixture(scope="session")
def partly_analysed_result(ct_result) -> PipelineResult:
    """As if motion had spoilt the curves of every voxel below the middle."""
    kept = np.arange(ct_result.brain.mask.shape[2]) >= 4
    analysed = ct_result.analysed & kept
    of_voxel = analysed[ct_result.analysed]
    content = ct_result.concentration
    content = dataclasses.replace(
        content, curves=content.curves[of_voxel], baseline=content.baseline[of_voxel], usable=content.usable[of_voxel]
    )
    return dataclasses.replace(ct_result, analysed=analysed, concentration=content)


@pytest.fixture(scope="session")
def no_bolus_result(ct_result) -> PipelineResult:
    """The same head without contrast: every frame is the first one with noise."""
    noise = np.random.default_rng(3).normal(0, 6, ct_result.series.array().shape)
    data = (ct_result.series.array()[..., :1] + noise).astype(np.float32)
    series = dataclasses.replace(ct_result.series, data=data)
    return run_pipeline(series, given=Given(brain_mask=ct_result.brain.mask))
