"""The auxiliary way back, PET to MRI, and the refinement of a predicted PET by it.

Each contrast m_k is modelled from the PET x as ``a_k + b_k x + c_k (G x)``, G being a Gaussian mean over 3 mm and
a, b, c changing over the head as the forward model's coefficients do. The refined PET is at the minimum of::

    (x − x₀)²/s₀² + (1/K) Σ_k (m_k − a_k − b_k x − c_k G x)²/s_k²

with x₀ the predicted PET and s² the mean squared residuals of training. Sweeps solve it voxel by voxel with G x held.
Both ways see the same images, so their errors are not independent: the sum over the K contrasts counts as one
measurement, and of the correction that comes out only the share is made that least squares support in a training
subject, which is small.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from PyPeTLib.arrays import Volume
from PyPeTLib.synthesis.features import REACH, SIGMAS, relative_contrasts
from PyPeTLib.synthesis.interpolation import modelled
from PyPeTLib.synthesis.lattice import lattice_of
from PyPeTLib.synthesis.model import SynthesisModel
from PyPeTLib.synthesis.subject import Subject


def auxiliary_features(subject: Subject, pet: Volume) -> Volume:
    """1, the PET and its surroundings for each brain voxel, shape (voxels, 3)."""
    mask = subject.mask
    inside = np.where(mask, pet, np.float32(0))
    sigmas = [SIGMAS[0] / size for size in subject.grid.voxel_sizes]
    around = ndimage.gaussian_filter(inside, sigmas, mode="constant", truncate=REACH, output=np.float32)
    return np.stack([np.ones(np.count_nonzero(mask), np.float32), inside[mask], around[mask]], axis=1)


def refined(model: SynthesisModel, subject: Subject, predicted: Volume, places: Volume) -> Volume:
    """A predicted PET after the sweeps of the refinement, with all of the correction.

    Parameters
    ----------
    model : SynthesisModel
        With the auxiliary coefficients.
    subject : Subject
    predicted : ndarray, shape (voxels,)
        The PET of the brain's voxels by the forward model.
    places : ndarray, shape (voxels, 3)
        Head coordinates.

    Returns
    -------
    ndarray of float32, shape (voxels,)
    """
    contrasts = relative_contrasts(subject, model.contrasts)
    wanted = np.stack([image[subject.mask] for image in contrasts], axis=1)
    lattice, ones = lattice_of(model.options.patches), np.ones((len(places), 1), np.float32)
    offset, slope, around = (modelled(lattice, model.auxiliary[:, i : i + 1], places, ones) for i in range(3))
    share = (model.variances[0] / model.variances[1:] / len(contrasts)).astype(np.float32)
    below = 1 + (share * slope**2).sum(axis=1)
    current, volume = predicted, np.zeros(subject.grid.shape, np.float32)
    for _ in range(model.options.refinement):
        volume[subject.mask] = current
        smooth = auxiliary_features(subject, volume)[:, 2:]
        missing = wanted - offset - around * smooth
        current = (predicted + (share * slope * missing).sum(axis=1)) / below
    return current
