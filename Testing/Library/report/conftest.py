"""Runs over small heads, made once."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from PyPeTLib.phantom import make_head
from PyPeTLib.pipeline import Given, PipelineResult, run_pipeline

SMALL = {"ctp": (60, 60, 8), "dsc": (48, 48, 6)}


def analysed(modality: str, **given) -> PipelineResult:
    head = make_head(modality, shape=SMALL[modality], seed=1, lesion_side="left")
    return run_pipeline(head.series, given=Given(brain_mask=head.masks["intracranial"], **given))


@pytest.fixture(scope="session")
def ct_result() -> PipelineResult:
    return analysed("ctp")


@pytest.fixture(scope="session")
def dsc_result() -> PipelineResult:
    return analysed("dsc")


@pytest.fixture(scope="session")
def no_bolus_result(ct_result) -> PipelineResult:
    """The same head without contrast: every frame is the first one with noise."""
    noise = np.random.default_rng(3).normal(0, 6, ct_result.series.data.shape)
    data = (ct_result.series.data[..., :1] + noise).astype(np.float32)
    series = dataclasses.replace(ct_result.series, data=data)
    return run_pipeline(series, given=Given(brain_mask=ct_result.brain.mask))
