"""PET from the MRI of a head, by a fitted model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from PyPeTLib.arrays import Volume
from PyPeTLib.blas import single_threaded_blas
from PyPeTLib.errors import InputError
from PyPeTLib.synthesis.auxiliary import refined
from PyPeTLib.synthesis.features import features_of
from PyPeTLib.synthesis.interpolation import modelled
from PyPeTLib.synthesis.lattice import head_coordinates, lattice_of
from PyPeTLib.synthesis.model import SynthesisModel
from PyPeTLib.synthesis.signature import doubts
from PyPeTLib.synthesis.subject import Subject

LIMITS = (
    "Synthetic PET is computed from MRI: a lesion that MRI does not show cannot appear in it. Research use only; not "
    "for diagnosis."
)
"""What has to stand beside every synthetic PET."""


def check_contrasts(model: SynthesisModel, subject: Subject) -> tuple[str, ...]:
    """Whether a subject has the contrasts of a model.

    Returns
    -------
    tuple of str
        Warnings, without the subject's name: contrasts that look like another one or like none of the training, and
        those that are not used.

    Raises
    ------
    InputError
        If a contrast is missing: 0 in its place would give a PET that looks like one and is wrong.
    """
    _check_present(model, subject)
    unused = [name for name in subject.contrasts if name not in model.contrasts]
    told = (f"{', '.join(unused)} is not used: the model was trained without.",) if unused else ()
    return doubts(model.signatures, subject) + told


@single_threaded_blas()
def predict(model: SynthesisModel, subject: Subject) -> Volume:
    """The PET of a subject as the model expects it from its MRI. See `LIMITS`.

    Parameters
    ----------
    model : SynthesisModel
    subject : Subject
        A PET that it may have is not read.

    Returns
    -------
    ndarray of float32, shape (x, y, z)
        On ``subject.grid``, in the unit of the training PETs; 0 outside the brain, never negative.

    Raises
    ------
    InputError
        If a contrast is missing.
    """
    _check_present(model, subject)
    if set(subject.contrasts) != set(model.contrasts):
        # others must not even choose the plane of symmetry
        subject = replace(subject, contrasts={name: subject.contrasts[name] for name in model.contrasts})
    places = head_coordinates(subject)
    features = features_of(subject, model.contrasts, model.options.features)
    values = modelled(lattice_of(model.options.patches), model.weights[:, :, None], places, features)[:, 0]
    if model.options.refinement:
        values += np.float32(model.trust) * (refined(model, subject, values, places) - values)
    pet = np.zeros(subject.grid.shape, np.float32)
    pet[subject.mask] = np.maximum(values, 0)
    return pet


def _check_present(model: SynthesisModel, subject: Subject) -> None:
    missing = [name for name in model.contrasts if name not in subject.contrasts]
    if missing:
        raise InputError(
            f"{subject.name}: {', '.join(missing)} is missing; the model was trained on {', '.join(model.contrasts)}, "
            f"and the subject has {', '.join(subject.contrasts)}. Give all of them, or train a model without."
        )
