"""A volume whose content is known at any place, so that it can be drawn in any pose without interpolation."""

from __future__ import annotations

import numpy as np

from PyPeTLib.geometry import Grid

GRID = Grid((40, 44, 24), np.diag([2.0, 2.0, 3.0, 1.0]))
CENTRE = np.array([39.0, 43.0, 34.5])


def blobs(matrix: np.ndarray) -> np.ndarray:
    """Smooth blobs, (z, y, x), drawn exactly where a rigid matrix takes them."""
    rng = np.random.default_rng(4)
    index = np.stack(np.meshgrid(*(np.arange(n) for n in GRID.shape), indexing="ij")).reshape(3, -1)
    world = GRID.affine[:3, :3] @ index + GRID.affine[:3, 3:]
    back = np.linalg.inv(matrix)
    head = back[:3, :3] @ world + back[:3, 3:]
    values = np.zeros(index.shape[1])
    for _ in range(40):
        at, size = CENTRE + rng.uniform(-22, 22, 3), rng.uniform(5, 9)
        values += rng.uniform(50, 150) * np.exp(-((head - at[:, None]) ** 2).sum(axis=0) / (2 * size**2))
    return values.reshape(GRID.shape).T.astype(np.float32)
