"""Heads made of ellipsoids, quick to draw and with a truth of their own, to put hard cases into."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from PyPeTLib.geometry import Grid
from PyPeTLib.phantom import make_head

SPACING = (2.0, 2.0, 6.0)
CT = {"air": -1000.0, "scalp": 40.0, "bone": 1000.0, "csf": 8.0, "brain": 34.0, "eye": 15.0}
MR = {"air": 0.0, "scalp": 800.0, "bone": 30.0, "csf": 950.0, "brain": 500.0, "eye": 1100.0}


@dataclasses.dataclass
class Head:
    """A volume, the share of each voxel inside the inner table, and where everything is."""

    signal: np.ndarray
    inside: np.ndarray
    grid: Grid
    depth: np.ndarray
    """mm inside the inner table at voxel centres, negative outside."""
    place: tuple[np.ndarray, np.ndarray, np.ndarray]

    @property
    def truth(self) -> np.ndarray:
        return self.inside >= 0.5

    def put(self, where: np.ndarray, value: float) -> None:
        self.signal[where] = value


def depth_in_ellipsoid(x, y, z, radii):
    """Depth in mm under the surface, to first order."""
    level = np.sqrt((x / radii[0]) ** 2 + (y / radii[1]) ** 2 + (z / radii[2]) ** 2)
    slope = np.sqrt((x / radii[0] ** 2) ** 2 + (y / radii[1] ** 2) ** 2 + (z / radii[2] ** 2) ** 2)
    return level * (1 - level) / np.maximum(slope, np.float32(1e-6))


def draw_head(
    levels: dict[str, float],
    *,
    shape: tuple[int, int, int] = (96, 108, 24),
    spacing: tuple[float, float, float] = SPACING,
    height: float = 0.0,
    degrees: tuple[float, float, float] = (0.0, 0.0, 0.0),
    scale: float = 1.0,
    skull: float = 6.0,
    scalp: float = 5.0,
    hole: Callable[..., np.ndarray] | None = None,
    noise: float = 1.0,
) -> Head:
    """A head with a rim of CSF, ventricles, skull, scalp and eyes, by 2 × 2 × 2 samples a voxel."""
    parts = (2, 2, 2)
    axes = [(np.arange(n * p) - (n * p - 1) / 2) * s / p for n, p, s in zip(shape, parts, spacing, strict=True)]
    axes[2] += height
    turn = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix() / scale
    at = np.meshgrid(*(axis.astype(np.float32) for axis in axes), indexing="ij", sparse=True)
    x, y, z = (sum(np.float32(share) * p for share, p in zip(row, at, strict=True)) for row in turn)
    depth = scale * depth_in_ellipsoid(x, y, z, (68.0, 84.0, 62.0))
    signal = np.full(depth.shape, levels["air"], dtype=np.float32)
    signal[depth > -skull - scalp] = levels["scalp"]
    bone = depth > -skull
    signal[bone & ~hole(x, y, z) if hole else bone] = levels["bone"]
    signal[depth > 0] = levels["csf"]
    signal[depth > 2.5] = levels["brain"]
    for side in (1, -1):
        signal[depth_in_ellipsoid(x - side * 12, y, z - 8, (6.0, 25.0, 8.0)) > 0] = levels["csf"]
        eye = depth_in_ellipsoid(x - side * 30, y - 82, z + 36, (12.0, 12.0, 12.0)) > 0
        signal[eye & (depth < -2)] = levels["eye"]
    signal, inside, depth, x, y, z = (
        f.reshape([n for pair in zip(shape, parts, strict=True) for n in pair]).mean(axis=(1, 3, 5))
        for f in (signal, (depth > 0).astype(np.float32), depth, x, y, z)
    )
    signal += noise * np.random.default_rng(1).standard_normal(shape)
    grid = Grid(shape, np.diag([*spacing, 1.0]))
    return Head(signal=signal.astype(np.float32), inside=inside, grid=grid, depth=depth, place=(x, y, z))


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return float(2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b)))


@pytest.fixture(name="draw", scope="session")
def _draw():
    drawn: dict[str, Head] = {}

    def draw(levels: dict[str, float], **changes: object) -> Head:
        key = repr((levels, changes))
        if key not in drawn:
            drawn[key] = draw_head(levels, **changes)
        return dataclasses.replace(drawn[key], signal=drawn[key].signal.copy())

    return draw


@pytest.fixture(name="score")
def _score():
    return dice


@pytest.fixture
def ct_levels() -> dict[str, float]:
    return dict(CT)


@pytest.fixture
def mr_levels() -> dict[str, float]:
    return dict(MR)


@pytest.fixture(scope="session")
def heads():
    """Phantoms by their options, made once."""
    return functools.cache(make_head)
