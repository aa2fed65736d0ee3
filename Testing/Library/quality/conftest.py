"""A CT and a DSC head, made once, to which faults are done."""

from __future__ import annotations

import pytest

from PyPeTLib.phantom import HeadPhantom, make_head
from PyPeTLib.pipeline import PipelineResult, run_pipeline

SHAPE = (56, 56, 8)


@pytest.fixture(scope="session")
def clean_heads() -> dict[str, HeadPhantom]:
    return {modality: make_head(modality, seed=2, shape=SHAPE) for modality in ("ctp", "dsc")}


@pytest.fixture(scope="session")
def clean_results(clean_heads) -> dict[str, PipelineResult]:
    return {modality: run_pipeline(head.series) for modality, head in clean_heads.items()}
