"""A fitted model: all that a prediction needs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from PyPeTLib.arrays import Curve
from PyPeTLib.synthesis.options import SynthesisOptions
from PyPeTLib.synthesis.signature import Signature

FORMAT = 1
"""Number of the way models are stored and read; models of another one are refused."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SynthesisModel:
    """Coefficients that turn MRI contrasts into PET, and what they were learned from. No patient's data.

    Attributes
    ----------
    options : SynthesisOptions
    contrasts : tuple of str
        In the order of the features.
    weights : ndarray of float64, shape (patches, features)
    auxiliary : ndarray of float64, shape (patches, auxiliary features, contrasts)
        From PET to MRI; empty without refinement.
    variances : ndarray of float64, shape (1 + contrasts,)
        Mean squared residuals in training of the PET and of each contrast from PET (the latter with refinement alone).
    trust : float
        Share of the refinement's correction that is made.
    signatures : mapping of str to Signature
        How intensities of each contrast were distributed.
    subjects, voxels : int
        How much was learned from.
    unit : str
        Of the PET, as told in training; "" where it was not.
    """

    options: SynthesisOptions
    contrasts: tuple[str, ...]
    weights: Curve
    auxiliary: Curve = field(default_factory=lambda: np.zeros((0, 0, 0)))
    variances: Curve = field(default_factory=lambda: np.zeros(0))
    trust: float = 0.0
    signatures: Mapping[str, Signature]
    subjects: int
    voxels: int
    unit: str = ""

    def arrays(self) -> dict[str, Curve]:
        """All numbers by name."""
        return {
            "weights": self.weights,
            "auxiliary": self.auxiliary,
            "variances": self.variances,
            "signature_means": np.array([self.signatures[name].means for name in self.contrasts]),
            "signature_spreads": np.array([self.signatures[name].spreads for name in self.contrasts]),
        }

    def facts(self) -> dict[str, Any]:
        """All that is not an array."""
        return {
            "format": FORMAT,
            "options": self.options.to_mapping(),
            "contrasts": list(self.contrasts),
            "trust": self.trust,
            "subjects": self.subjects,
            "voxels": self.voxels,
            "unit": self.unit,
        }

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all numbers and facts, in hexadecimal."""
        return digest_of(self.facts(), self.arrays())


def digest_of(facts: Mapping[str, Any], arrays: Mapping[str, Curve]) -> str:
    """SHA-256 of facts and arrays, in hexadecimal."""
    made = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name], "<f8")
        made.update(f"{name}{array.shape}".encode())
        made.update(array.tobytes())
    return made.hexdigest()
