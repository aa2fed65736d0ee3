"""Heads whose maps are known."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np
import pytest

from PyPeTLib.compare import MapImage
from PyPeTLib.phantom import make_head
from PyPeTLib.pipeline import run_pipeline


@dataclasses.dataclass(frozen=True)
class Case:
    """A head's true maps and those of a run on its noisy series."""

    truth: dict[str, np.ndarray]
    found: dict[str, MapImage]
    brain: np.ndarray
    affine: np.ndarray

    def reference(self, quantity, **changes):
        """The truth, 0 outside the brain, as other programs write maps."""
        values = np.where(self.brain, self.truth[quantity], 0).astype(np.float32)
        return dataclasses.replace(MapImage(values=values, affine=self.affine, name=f"true {quantity}"), **changes)


@cache
def analysed(modality, seed, size=1.0):
    head = make_head(modality, seed=seed, shape=(96, 96, 12), size=size)
    result = run_pipeline(head.series)
    found = {
        name: MapImage(values=m.values, affine=m.affine, valid=m.valid, unit=m.unit, name=f"head {seed} {name}")
        for name, m in result.maps.items()
    }
    return Case(truth=dict(head.truth), found=found, brain=head.masks["brain"], affine=head.series.affine)


@pytest.fixture(scope="session")
def heads():
    """``heads(modality, seed, size)``: a `Case`, made once."""
    return analysed


@pytest.fixture(scope="session")
def head():
    """A head's grid, brain, true CBF without vessels' peaks, and a noisy copy of it."""
    made = make_head("ctp", seed=0, shape=(72, 72, 10), noise=None, n_frames=8, dt=5.0)
    truth = np.clip(made.truth["cbf"], 0, 120).astype(np.float32)
    noise = np.random.default_rng(3).normal(0, 6, truth.shape)
    noisy = np.where(made.masks["brain"], 0.9 * truth + 3 + noise, 0).astype(np.float32)
    return made.series.affine, made.masks["brain"], np.where(made.masks["brain"], truth, np.float32(0)), noisy
