"""How much each training voxel counts: those where the real PET is much lower than on the other side count more.

Lesions fill a small part of a head; with equal weights a model does best by ignoring them.
"""

from __future__ import annotations

import numpy as np

from PyPeTLib.arrays import Volume
from PyPeTLib.lesions.hypometabolic import find_hypometabolic
from PyPeTLib.synthesis.subject import Subject


def training_weights(subject: Subject, pet: Volume, weight: float) -> Volume:
    """Weights of the brain's voxels, shape (voxels,): ``weight`` in the hypometabolic regions of the PET, else 1.

    Parameters
    ----------
    subject : Subject
    pet : ndarray of float32, shape (x, y, z)
    weight : float
    """
    if weight == 1:
        return np.ones(np.count_nonzero(subject.mask), np.float32)
    low = find_hypometabolic(pet, subject.mask, subject.mirror).mask
    return np.where(low[subject.mask], np.float32(weight), np.float32(1))
