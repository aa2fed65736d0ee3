"""Models and baselines on one population of made heads: fidelity, lesions, seams, and the iteration's convergence.

Everything in here is measured by the library's own functions; the truth of lesions is the phantom's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from PyPeTLib.arrays import Curve, Mask, Volume
from PyPeTLib.blas import single_threaded_blas
from PyPeTLib.compare.fidelity import SCOPES, fidelity
from PyPeTLib.compare.overlap import overlap
from PyPeTLib.lesions.hypometabolic import find_hypometabolic
from PyPeTLib.phantom.pairs import PairSubject, make_pairs
from PyPeTLib.synthesis import Subject, SynthesisModel, SynthesisOptions, fit, predict
from PyPeTLib.synthesis.baselines import GLOBAL_LINEAR, TemplateSum, global_linear
from PyPeTLib.synthesis.features import features_of
from PyPeTLib.synthesis.gauss_seidel import gauss_seidel
from PyPeTLib.synthesis.interpolation import modelled
from PyPeTLib.synthesis.lattice import PATCHES, head_coordinates, lattice_of
from PyPeTLib.synthesis.normal_equations import BlockSystem, NormalEquations
from PyPeTLib.synthesis.weighting import training_weights

N_TRAIN, N_TEST = 12, 8
DEFAULT = f"P = {SynthesisOptions().patches}"
"""The method that lesions, regions and variants are told of."""

METHODS: Mapping[str, SynthesisOptions] = {
    GLOBAL_LINEAR: global_linear(SynthesisOptions()),
    **{f"P = {patches}": SynthesisOptions(patches=patches) for patches in PATCHES},
}
VARIANTS: Mapping[str, SynthesisOptions] = {
    "weight 1": SynthesisOptions(hypometabolic_weight=1),
    "weight 10": SynthesisOptions(hypometabolic_weight=10),
    "refinement, 5 sweeps": SynthesisOptions(refinement=5),
    "sides learned apart": SynthesisOptions(symmetric=False),
}
"""The default model with one choice changed."""

SWEEPS = 60
CLOSE = 2e-3
"""Of predictions, the largest difference as a share of the PET's range."""

MOST_SWEEPS = 4096
UNBLENDED = "without blending"
"""Each voxel given to its nearest patch alone: what seams would look like."""

AT_NODES, HALFWAY = "through nodes", "halfway between nodes"
REAL, PREDICTED = "real PET", "predicted PET"
BESIDE = (2.0, 4.0)
"""How far from a plane of nodes, in voxels, its neighbourhood lies."""


@dataclass(frozen=True, kw_only=True)
class LesionMeans:
    """Mean PET in the true lesion and in its mirror image, real and predicted, and in the healthy brain (real)."""

    real: float
    real_opposite: float
    predicted: float
    predicted_opposite: float
    healthy: float

    @property
    def asymmetries(self) -> tuple[float, float]:
        """Lesion less opposite as a share of their mean, real and predicted."""
        pairs = ((self.real, self.real_opposite), (self.predicted, self.predicted_opposite))
        real, predicted = (2 * (here - there) / (here + there) for here, there in pairs)
        return real, predicted

    @property
    def sign_right(self) -> bool:
        """Whether the predicted PET is lower on the side where the real one is."""
        real, predicted = self.asymmetries
        return real * predicted > 0

    @property
    def bias(self) -> float:
        """Predicted − real in the lesion, in the unit of the PET (grey matter 1)."""
        return self.predicted - self.real


@dataclass(frozen=True, kw_only=True)
class Low:
    """Hypometabolic regions in the real and the predicted PET: volumes in ml, Dice, and where more of each lies."""

    real_ml: float
    predicted_ml: float
    dice: float
    real_side: str
    predicted_side: str


@dataclass(frozen=True, kw_only=True)
class Head:
    """One test subject: figures by method and scope, lesion by method, regions of the default method."""

    name: str
    silent: bool
    side: str
    figures: Mapping[str, Mapping[str, Mapping[str, float]]]
    lesions: Mapping[str, LesionMeans]
    low: Low


@dataclass(frozen=True, kw_only=True)
class Convergence:
    """Gauss–Seidel against the exact solution, on the last training subject.

    Attributes
    ----------
    difference : float
        Largest difference of predictions after `SWEEPS` sweeps, as a share of the range of the PET.
    sweeps : int
        How many bring it to `CLOSE`.
    rise : float
        Largest growth of the objective in a sweep, as a share of its value at coefficients of 0.
    """

    difference: float
    sweeps: int
    rise: float


@dataclass(frozen=True, kw_only=True)
class Population:
    """All that was measured on the subjects of a seed; seams by patches, planes and image: steps there over beside."""

    seed: int
    heads: tuple[Head, ...]
    seams: Mapping[tuple[int, str, str], float]
    convergence: Mapping[int, Convergence]

    def mean(self, method: str, metric: str, scope: str = "volume") -> float:
        """Mean of a figure over the test subjects."""
        return float(np.mean([head.figures[method][scope][metric] for head in self.heads]))

    def lesions(self, method: str = DEFAULT, *, silent: bool | None = None) -> list[LesionMeans]:
        """Those of all heads, or of the silent or the visible ones."""
        return [head.lesions[method] for head in self.heads if silent is None or head.silent == silent]


def measure(seed: int, *, size: int = 64, patches: Sequence[int] = (8, 64, 216), variants: bool = True) -> Population:
    """Train on a population and measure its test subjects, on one thread.

    Parameters
    ----------
    seed : int
        Of the population.
    size : int
        Voxels along each axis.
    patches : sequence of int
        Models whose convergence is looked at.
    variants : bool
        Also measure `VARIANTS`, and P = 216.
    """
    pairs = make_pairs(train=N_TRAIN, test=N_TEST, size=size, seed=seed)
    choices = {**METHODS, **VARIANTS} if variants else {name: METHODS[name] for name in METHODS if name != "P = 216"}
    with single_threaded_blas():
        train = [one.subject for one in pairs.train()]
        predictors, models = _predictors(train, choices)
        converged = convergence(train, patches)
        del train
        heads, seams = [], _Seams()
        for one in pairs.test():
            predictions = _predictions(one.subject, predictors)
            heads.append(_head(one, predictions))
            seams.add(one, models, predictions)
    return Population(seed=seed, heads=tuple(heads), seams=seams.ratios(), convergence=converged)


Predictor = Callable[[Subject], Volume | None]


def _predictors(
    train: Iterable[Subject], choices: Mapping[str, SynthesisOptions]
) -> tuple[dict[str, Predictor], dict[str, SynthesisModel]]:
    """The templates and each model as functions of a subject; the models themselves."""
    sums = TemplateSum()
    fits = fit(sums.watched(train), *choices.values())
    models = {name: made.model for name, made in zip(choices, fits, strict=True)}
    by_models = {name: partial(predict, model) for name, model in models.items()}
    return {**{name: template.predict for name, template in sums.templates().items()}, **by_models}, models


def _predictions(subject: Subject, predictors: Mapping[str, Predictor]) -> dict[str, Volume]:
    blind = subject.without_pet()
    found = {name: predictor(blind) for name, predictor in predictors.items()}
    return {name: image for name, image in found.items() if image is not None}


def _head(one: PairSubject, predictions: Mapping[str, Volume]) -> Head:
    subject = one.subject
    assert subject.pet is not None
    figures = {
        method: {scope: fidelity(image, subject.pet, subject.mask, scope=scope) for scope in SCOPES}
        for method, image in predictions.items()
    }
    opposite = subject.mirror.partner(one.lesion) & subject.mask
    healthy = _mean(subject.pet, subject.mask & ~one.lesion)
    lesions = {
        method: LesionMeans(
            real=_mean(subject.pet, one.lesion),
            real_opposite=_mean(subject.pet, opposite),
            predicted=_mean(image, one.lesion),
            predicted_opposite=_mean(image, opposite),
            healthy=healthy,
        )
        for method, image in predictions.items()
    }
    return Head(
        name=subject.name,
        silent=one.silent,
        side=one.lesion_side,
        figures=figures,
        lesions=lesions,
        low=_low(subject, predictions[DEFAULT]),
    )


def _mean(image: Volume, mask: Mask) -> float:
    return float(image[mask].mean(dtype=np.float64))


def _low(subject: Subject, predicted: Volume) -> Low:
    assert subject.pet is not None
    real, made = (find_hypometabolic(image, subject.mask, subject.mirror) for image in (subject.pet, predicted))
    dice = overlap(made.mask, real.mask, subject.grid).dice
    return Low(
        real_ml=real.volume_ml,
        predicted_ml=made.volume_ml,
        dice=float("nan") if dice is None else dice,
        real_side=_side(real.left_ml, real.right_ml),
        predicted_side=_side(made.left_ml, made.right_ml),
    )


def _side(left: float, right: float) -> str:
    return "none" if left == right == 0 else "left" if left > right else "right"


def convergence(subjects: Sequence[Subject], patches: Iterable[int]) -> dict[int, Convergence]:
    """How Gauss–Seidel nears the exact solution, by patch number; sums as `fit` makes them."""
    options, equations = SynthesisOptions(), dict[int, NormalEquations]()
    for subject in subjects:
        assert subject.pet is not None
        places, features = head_coordinates(subject), features_of(subject, tuple(subjects[0].contrasts), "full")
        weights = training_weights(subject, subject.pet, options.hypometabolic_weight)
        for number in patches:
            if number not in equations:
                equations[number] = NormalEquations(lattice_of(number), features.shape[1], 1)
            equations[number].add(places, features, subject.pet[subject.mask][:, None], weights)
    extent = float(np.ptp(np.where(subject.mask, subject.pet, 0)))
    found = {}
    for number, sums in equations.items():
        system = sums.system(options.ridge, symmetric=options.symmetric)
        found[number] = _converged(system, number, places, features / np.float32(extent))
    return found


def _converged(system: BlockSystem, patches: int, places: Volume, features: Volume) -> Convergence:
    exact = system.exact()

    def difference(sweeps: int) -> float:
        apart = gauss_seidel(system, sweeps=sweeps, tolerance=0).weights - exact
        return float(np.abs(modelled(lattice_of(patches), apart, places, features)).max())

    low, high = 0, 16
    while difference(high) > CLOSE and high < MOST_SWEEPS:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if difference(middle) <= CLOSE else (middle, high)
    course = gauss_seidel(system, sweeps=max(SWEEPS, high), tolerance=0).objectives
    return Convergence(difference=difference(SWEEPS), sweeps=high, rise=max(0.0, float(np.diff(course).max())))


class _Seams:
    """Mean steps of images across planes of the lattice and beside them, summed over subjects."""

    def __init__(self) -> None:
        self._sums: dict[tuple[int, str, str], Curve] = {}

    def add(self, one: PairSubject, models: Mapping[str, SynthesisModel], predictions: Mapping[str, Volume]) -> None:
        """Add a subject's images at the planes of each lattice that has inner ones."""
        subject = one.subject
        assert subject.pet is not None
        places = np.full((*subject.mask.shape, 3), np.nan, np.float32)
        places[subject.mask] = head_coordinates(subject)
        for name in METHODS:
            if name not in models or PATCHES[models[name].options.patches] <= 2:
                continue
            patches = models[name].options.patches
            images = {REAL: subject.pet, PREDICTED: predictions[name], UNBLENDED: unblended(models[name], subject)}
            for where, planes in planes_of(patches).items():
                for image, values in images.items():
                    sums = self._sums.setdefault((patches, where, image), np.zeros((2, 2)))
                    sums += steps_at_and_beside(values, places, planes)

    def ratios(self) -> dict[tuple[int, str, str], float]:
        """The mean step at the planes over that beside them."""
        return {key: float((at[0] / at[1]) / (near[0] / near[1])) for key, (at, near) in self._sums.items()}


def planes_of(patches: int) -> dict[str, Curve]:
    """Head coordinates of the planes through inner nodes, where hats have their edges, and halfway between nodes."""
    n = PATCHES[patches]
    return {AT_NODES: np.arange(1, n - 1) / (n - 1), HALFWAY: (np.arange(n - 1) + 0.5) / (n - 1)}


def steps_at_and_beside(image: Volume, places: Volume, planes: Curve) -> Curve:
    """Sums and numbers of absolute steps between voxels, across planes and beside them, shape (2, 2).

    Parameters
    ----------
    image : ndarray, shape (x, y, z)
    places : ndarray, shape (x, y, z, 3)
        Head coordinates; NaN outside the brain.
    planes : ndarray
        The same along all three axes.
    """
    sums = np.zeros((2, 2))
    for axis in range(3):
        along = np.moveaxis(places[..., axis], axis, 0)
        steps = np.abs(np.diff(np.moveaxis(image, axis, 0), axis=0))
        between, voxel = (along[1:] + along[:-1]) / 2, float(np.nanmedian(np.diff(along, axis=0)))
        for plane in planes:
            distance = np.abs(between - np.float32(plane)) / voxel
            chosen = (distance <= 0.5, (distance >= BESIDE[0]) & (distance <= BESIDE[1]))
            sums += [[steps[mask].sum(dtype=np.float64), np.count_nonzero(mask)] for mask in chosen]
    return sums


def unblended(model: SynthesisModel, subject: Subject) -> Volume:
    """What a model would predict if each voxel had the coefficients of its nearest patch."""
    lattice = lattice_of(model.options.patches)
    nearest = lattice.node(np.rint(head_coordinates(subject) * (lattice.n - 1)).astype(np.intp))
    features = features_of(subject, model.contrasts, model.options.features)
    image = np.zeros(subject.grid.shape, np.float32)
    image[subject.mask] = np.maximum(np.einsum("vf,vf->v", features, model.weights[nearest].astype(np.float32)), 0)
    return image
