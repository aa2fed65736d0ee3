"""What tests of several rooms share: data from elsewhere, and one way from curves to quantities."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from PyPeTLib.deconvolution import DeconvolutionOptions, deconvolve
from PyPeTLib.quantification import QuantificationOptions, quantify

DATA = Path(os.environ.get("PYPET_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))


def _table(name: str) -> list[dict[str, str]]:
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"{path} is absent: these data are not part of the project; set PYPET_SHARED_DATA to their folder")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def osipi_dro():
    """OSIPI's DSC digital reference object: ``(tissue, aif, times, cbv, cbf)`` with one row a case."""
    rows = _table("osipi_dsc_dro.csv")
    tissue, aif = (np.array([np.fromstring(row[key], sep=" ") for row in rows]) for key in ("C_tis", "C_aif"))
    cbv, cbf, repetition = (np.array([float(row[key]) for row in rows]) for key in ("cbv", "cbf", "tr"))
    return tissue, aif, np.arange(tissue.shape[1]) * repetition[0], cbv, cbf


@pytest.fixture(scope="session")
def dogs():
    """Signal curves of the dogs by ``(animal, region, side)``, and their frame times in s."""
    curves: dict[tuple[int, str, str], np.ndarray] = {}
    for row in _table("vetperf_dog_dsc_curves.csv"):
        curve = curves.setdefault((int(row["animal"]), row["roi"], row["side"]), np.zeros(40, np.float32))
        curve[int(row["timestep"])] = float(row["value"])
    return curves, np.arange(40) * 1.6


@pytest.fixture(scope="session")
def analyse():
    """``analyse(curves, aif, times, method)``: the quantities that a method finds; options go by their names.

    The curves lie in a row, which methods that look at neighbours take for a volume.
    """

    def run(curves, aif, times, method, *, quantification=None, **options):
        curves = np.asarray(curves, np.float32)
        row = np.ones((len(curves), 1, 1), bool)
        estimate = deconvolve(curves, aif, times, DeconvolutionOptions(method=method, **options), mask=row)
        return quantify(curves, aif, times, estimate, quantification or QuantificationOptions())

    return run
