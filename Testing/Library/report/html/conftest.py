"""Summaries and figures of runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from PyPeTLib.report.page import write_png

sys.path.append(str(Path(__file__).parent))

from report_making import CURVES, SIZES, summary_of


@pytest.fixture
def ct() -> dict[str, Any]:
    return summary_of("ctp")


@pytest.fixture
def mr() -> dict[str, Any]:
    return summary_of("dsc")


@pytest.fixture(scope="session")
def figures(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("figures")
    for name, size in SIZES.items():
        picture = np.zeros(size, np.uint8)
        picture[100:-100, 100:-100] = 5
        write_png(folder / f"{name}.png", picture)
    for name, size in CURVES.items():
        write_png(folder / f"{name}.png", np.full((*size, 3), 255, np.uint8))
    return folder
