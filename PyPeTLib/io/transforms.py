"""Rigid and affine transforms as text files of the Insight Toolkit, which 3D Slicer, SimpleITK and ANTs read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from PyPeTLib.arrays import Curve
from PyPeTLib.io.writing import write_text

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""The toolkit counts millimetres toward left, posterior and superior."""


def itk_transform(matrix: Curve, centre: Curve) -> str:
    """Content of a transform file.

    The matrix is written as it resamples a volume: it maps points of the output, the reference, to those of the
    input, the frame. 3D Slicer takes such a file as the transform that moves the frame onto the reference.

    Parameters
    ----------
    matrix : ndarray, shape (4, 4)
        RAS+ millimetres of the reference to those of the frame.
    centre : ndarray, shape (3,)
        Point about which the file counts rotations, RAS+ millimetres; the mapping does not depend on it.

    Returns
    -------
    str
    """
    lps: Curve = RAS_TO_LPS @ matrix @ RAS_TO_LPS
    fixed = RAS_TO_LPS[:3, :3] @ centre
    translation = lps[:3, 3] - fixed + lps[:3, :3] @ fixed
    lines = [
        "#Insight Transform File V1.0",
        "#Transform 0",
        "Transform: AffineTransform_double_3_3",
        f"Parameters: {_numbers(np.concatenate([lps[:3, :3].ravel(), translation]))}",
        f"FixedParameters: {_numbers(fixed)}",
    ]
    return "\n".join(lines) + "\n"


def write_transform(path: Path, matrix: Curve, centre: Curve) -> None:
    """Write a transform file, ``.tfm``; see `itk_transform`.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    write_text(path, itk_transform(matrix, centre))


def _numbers(values: Curve) -> str:
    # 0 is added against "-0"
    return " ".join(f"{value + 0.0:.12g}" for value in np.round(values, 12))
