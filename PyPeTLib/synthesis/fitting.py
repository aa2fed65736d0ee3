"""Fitting models to subjects: one pass, one subject in memory at a time, any number of models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from PyPeTLib.arrays import Curve, Volume
from PyPeTLib.blas import single_threaded_blas
from PyPeTLib.errors import InputError
from PyPeTLib.synthesis.auxiliary import auxiliary_features, refined
from PyPeTLib.synthesis.features import features_of, relative_contrasts
from PyPeTLib.synthesis.gauss_seidel import Solution, gauss_seidel
from PyPeTLib.synthesis.interpolation import modelled
from PyPeTLib.synthesis.lattice import head_coordinates, lattice_of
from PyPeTLib.synthesis.model import SynthesisModel
from PyPeTLib.synthesis.normal_equations import BlockSystem, NormalEquations
from PyPeTLib.synthesis.options import SynthesisOptions
from PyPeTLib.synthesis.signature import Signature, percentiles_of, signature_of
from PyPeTLib.synthesis.subject import Subject
from PyPeTLib.synthesis.weighting import training_weights

FEWEST_SUBJECTS = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Fit:
    """A fitted model and the way to it.

    Attributes
    ----------
    model : SynthesisModel
    residuals, objectives : tuple of float
        Before the first sweep and after each; see `Solution`.
    converged : bool
        Whether the tolerance was reached.
    exact_difference : float
        Largest difference in the brain of the last training subject between its PET by the iterated and by the exact
        coefficients, as a share of the range of its real PET.
    """

    model: SynthesisModel
    residuals: tuple[float, ...]
    objectives: tuple[float, ...]
    converged: bool
    exact_difference: float


@single_threaded_blas()
def fit(subjects: Iterable[Subject], *choices: SynthesisOptions, unit: str = "") -> tuple[Fit, ...]:
    """Fit a model for each choice of options.

    Parameters
    ----------
    subjects : iterable of Subject
        With PET, all with the same contrasts. A generator is asked once, so memory does not grow with their number.
    *choices : SynthesisOptions
    unit : str
        Of the PETs.

    Returns
    -------
    tuple of Fit
        In the order of the choices.

    Raises
    ------
    InputError
        If there are fewer than two subjects, one has no PET, or their contrasts differ.
    """
    if not choices:
        raise InputError("there is no model to fit. Give the options of at least one.")
    sums: list[_Sums] = []
    percentiles: dict[str, list[Curve]] = {}
    seen, last = 0, None
    for subject in subjects:
        known = _Seen(subject=subject, contrasts=tuple(percentiles) or tuple(subject.contrasts))
        if not sums:
            sums = [_Sums(options, known) for options in choices]
        for one in sums:
            one.add(known)
        for name in known.contrasts:
            percentiles.setdefault(name, []).append(percentiles_of(subject, name))
        seen, last = seen + 1, known
    if seen < FEWEST_SUBJECTS or last is None:
        raise InputError(f"a model is learned from {FEWEST_SUBJECTS} subjects or more, found {seen}.")
    signatures = {name: signature_of(found) for name, found in percentiles.items()}
    return tuple(one.fitted(last, signatures, seen, unit) for one in sums)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Seen:
    """A training subject and what several models read of it."""

    subject: Subject
    contrasts: tuple[str, ...]
    _features: dict[str, Volume] = field(default_factory=dict)
    _weights: dict[float, Volume] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.subject.pet is None:
            raise InputError(f"{self.subject.name}: a model cannot be learned from a subject without PET.")
        if set(self.subject.contrasts) != set(self.contrasts):
            raise InputError(
                f"{self.subject.name} has the contrasts {', '.join(self.subject.contrasts)}, those before it "
                f"{', '.join(self.contrasts)}. Train on subjects with the same contrasts."
            )

    @cached_property
    def places(self) -> Volume:
        return head_coordinates(self.subject)

    @cached_property
    def volume(self) -> Volume:
        """The PET of the brain."""
        pet = self.subject.pet
        return np.zeros(self.subject.grid.shape, np.float32) if pet is None else np.where(self.subject.mask, pet, 0)

    @cached_property
    def pet(self) -> Volume:
        """Shape (voxels, 1)."""
        return self.volume[self.subject.mask][:, None]

    @cached_property
    def images(self) -> Volume:
        """Shape (voxels, contrasts)."""
        images = relative_contrasts(self.subject, self.contrasts)
        return np.stack([image[self.subject.mask] for image in images], axis=1)

    @cached_property
    def backwards(self) -> Volume:
        return auxiliary_features(self.subject, self.volume)

    def features(self, feature_set: str) -> Volume:
        if feature_set not in self._features:
            self._features[feature_set] = features_of(self.subject, self.contrasts, feature_set)
        return self._features[feature_set]

    def weights(self, weight: float) -> Volume:
        if weight not in self._weights:
            self._weights[weight] = training_weights(self.subject, self.volume, weight)
        return self._weights[weight]


class _Sums:
    """What a model has gathered so far, forwards and backwards; the first subject tells how many features there are."""

    def __init__(self, options: SynthesisOptions, first: _Seen) -> None:
        self.options = options
        lattice = lattice_of(options.patches)
        self.forwards = NormalEquations(lattice, first.features(options.features).shape[1], 1)
        self.backwards = None
        if options.refinement:
            self.backwards = NormalEquations(lattice, first.backwards.shape[1], first.images.shape[1])

    def add(self, seen: _Seen) -> None:
        features, weights = seen.features(self.options.features), seen.weights(self.options.hypometabolic_weight)
        self.forwards.add(seen.places, features, seen.pet, weights)
        if self.backwards is not None:
            self.backwards.add(seen.places, seen.backwards, seen.images, weights)

    def fitted(self, last: _Seen, signatures: Mapping[str, Signature], subjects: int, unit: str) -> Fit:
        system, solution = self._solved(self.forwards)
        variances = self.forwards.residual_variances(solution.weights)
        model = SynthesisModel(
            options=self.options,
            contrasts=last.contrasts,
            weights=solution.weights[..., 0],
            variances=variances,
            signatures=signatures,
            subjects=subjects,
            voxels=self.forwards.voxels,
            unit=unit,
        )
        if self.backwards is not None:
            _, back = self._solved(self.backwards)
            both = np.concatenate([variances, self.backwards.residual_variances(back.weights)])
            model = replace(model, auxiliary=back.weights, variances=both)
            model = replace(model, trust=self._trust(model, last))
        return Fit(
            model=model,
            residuals=solution.residuals,
            objectives=solution.objectives,
            converged=solution.converged,
            exact_difference=self._difference(system, solution, last),
        )

    def _solved(self, equations: NormalEquations) -> tuple[BlockSystem, Solution]:
        system = equations.system(self.options.ridge, symmetric=self.options.symmetric)
        return system, gauss_seidel(system, sweeps=self.options.sweeps, tolerance=self.options.tolerance)

    def _difference(self, system: BlockSystem, solution: Solution, last: _Seen) -> float:
        lattice, features = lattice_of(self.options.patches), last.features(self.options.features)
        apart = modelled(lattice, solution.weights - system.exact(), last.places, features)
        return float(np.abs(apart).max() / np.ptp(last.volume))

    def _trust(self, model: SynthesisModel, last: _Seen) -> float:
        """The share of the refinement's correction that least squares support in the last subject."""
        features = last.features(self.options.features)
        lattice = lattice_of(self.options.patches)
        predicted = modelled(lattice, model.weights[:, :, None], last.places, features)[:, 0]
        correction = refined(model, last.subject, predicted, last.places) - predicted
        above = float(correction @ (last.pet[:, 0] - predicted))
        below = float(correction @ correction)
        return min(1.0, max(0.0, above / below)) if below > 0 else 0.0
