"""Rigid motion as 4×4 matrices in world millimetres, and the numbers that describe it.

A matrix ``M`` of this package maps a point of the reference pose to where the same anatomy lies in a frame:
the corrected frame is ``frame(M x)``.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from PyPeTLib.arrays import Curve

HEAD_RADIUS_MM = 50.0
"""Radius at which an angle is turned into a path, after Power et al. 2012."""


def rigid_matrix(translation: Curve, rotation: Curve, centre: Curve) -> Curve:
    """Matrix that rotates about a centre and then translates.

    Parameters
    ----------
    translation : ndarray, shape (3,)
        Millimetres along right, anterior, superior.
    rotation : ndarray, shape (3,)
        Rotation vector in radians: its direction is the axis, its length the angle.
    centre : ndarray, shape (3,)
        The point, in world millimetres, that the rotation leaves where it is.

    Returns
    -------
    ndarray of float64, shape (4, 4)
    """
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(rotation).as_matrix()
    matrix[:3, 3] = centre + translation - matrix[:3, :3] @ centre
    return matrix


def rigid_parameters(matrices: Curve, centre: Curve) -> tuple[Curve, Curve]:
    """Translation of a centre and rotation about it: the inverse of `rigid_matrix`.

    Parameters
    ----------
    matrices : ndarray, shape (t, 4, 4)
    centre : ndarray, shape (3,)
        World millimetres.

    Returns
    -------
    translations : ndarray of float64, shape (t, 3)
        Millimetres along right, anterior, superior.
    rotations : ndarray of float64, shape (t, 3)
        Rotation vectors in radians.
    """
    translations = matrices[:, :3, :3] @ centre + matrices[:, :3, 3] - centre
    return translations, Rotation.from_matrix(matrices[:, :3, :3]).as_rotvec()


def framewise_displacement(translations: Curve, rotations: Curve) -> Curve:
    """Sum of the absolute changes of the six parameters from the frame before, in mm; 0 for the first frame.

    Angles count as their arc on a sphere of 50 mm.

    Parameters
    ----------
    translations : ndarray, shape (t, 3)
        Millimetres.
    rotations : ndarray, shape (t, 3)
        Radians.

    Returns
    -------
    ndarray of float64, shape (t,)

    References
    ----------
    Power JD et al. Spurious but systematic correlations in functional connectivity MRI networks arise from
    subject motion. NeuroImage 2012;59:2142. doi:10.1016/j.neuroimage.2011.10.018
    """
    parameters = np.hstack([translations, HEAD_RADIUS_MM * rotations])
    displacement = np.zeros(len(parameters))
    displacement[1:] = np.abs(np.diff(parameters, axis=0)).sum(axis=1)
    return displacement


def head_displacement(translations: Curve, rotations: Curve) -> Curve:
    """Root mean square displacement in mm of a ball of 80 mm around the head's centre, for each pose.

    Parameters
    ----------
    translations : ndarray, shape (t, 3)
        Millimetres of the centre.
    rotations : ndarray, shape (t, 3)
        Rotation vectors in radians about the centre.

    Returns
    -------
    ndarray of float64, shape (t,)

    References
    ----------
    Jenkinson M. Measuring transformation error by RMS deviation. FMRIB Technical Report TR99MJ1, 1999.
    """
    angles = np.linalg.norm(rotations, axis=1)
    # over a ball of radius R, |Rot(x) - x|² averages to R²/5 · |Rot - I|²_F, and that norm is 8 sin²(angle/2)
    turned = 80.0**2 / 5 * 8 * np.sin(angles / 2) ** 2
    displacement: Curve = np.sqrt((translations**2).sum(axis=1) + turned)
    return displacement
