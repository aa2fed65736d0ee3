"""MRI and PET of made heads that belong together, with one lesion each: truth for synthesis.

Every head is the same left-right symmetric anatomy of grey matter, white matter and CSF, folded, then warped and scaled
for the subject. In each place the healthy PET is a linear function of the noise-free contrasts, whose coefficients vary
smoothly over the head and are those of the whole population. Such data favour a locally linear model; real PET need not
be so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy import ndimage, special

from PyPeTLib.arrays import Curve, Mask, Volume
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid, nearest_ras
from PyPeTLib.io import write_tsv, write_volume
from PyPeTLib.synthesis.subject import Subject

FIELD_OF_VIEW = 192.0
"""Edge of the volume in mm: 64 voxels of 3 mm."""
VOXEL = 3.0
"""What figures below that are given in voxels refer to, in mm, so that another number of voxels shows the same head."""

HALF_AXES = (72.0, 86.0, 68.0)
"""Of the brain in mm: right, front, up."""
FOLD = 2.2
"""What the folds' field is smooth over, in voxels."""
FOLD_DEPTH = 8.0
"""To which sulci reach, in voxels."""
SULCUS, CORTEX = 0.35, 1.6
"""How far from the middle of a sulcus CSF and cortex reach, in voxels."""
# centre on the right side and half axes in mm; the left side mirrors them
DEEP_GREY = (((24.0, 2.0, 0.0), (9.0, 22.0, 14.0)), ((10.0, -16.0, 2.0), (8.0, 13.0, 9.0)))
VENTRICLES = (((10.0, 6.0, 12.0), (6.0, 26.0, 7.0)),)
WARP, WARP_SMOOTH = 0.85, 6.0
"""Standard deviation of the subject's displacements along each axis (1.5 voxels altogether), and what they are smooth
over, both in voxels."""
SIZE = 0.04
"""Heads are larger or smaller by up to this share."""

CONTRASTS: Mapping[str, tuple[float, float, float]] = {
    "T1": (0.85, 0.55, 0.20),
    "T2": (0.38, 0.55, 0.95),
    "FLAIR": (0.48, 0.62, 0.10),
}
"""White matter, grey matter, CSF."""
LESION_CHANGE: Mapping[str, float] = {"T1": -0.10, "T2": 0.15, "FLAIR": 0.30}
BIAS_FIELD = 0.05
MRI_NOISE = 0.02

PET = (0.40, 1.00, 0.10)
"""The population's mean PET in white matter, grey matter and CSF."""
BASE = 0.10
"""What of it does not come from the contrasts."""
FLOOR = 0.05
"""The healthy PET is nowhere less."""
COEFFICIENT_SPREAD = 0.18
"""Standard deviation of a coefficient over the head, as a share of its mean."""
COEFFICIENT_SMOOTH = 14.0
"""What the coefficients are smooth over in voxels."""
POINT_SPREAD = 1.0
GAIN = 0.03
PET_NOISE = 0.03

LESION_RADIUS = (0.22, 0.34)
"""Share of the brain's half width."""
LESION_DEFICIT = (0.35, 0.60)
SILENT_ONE_IN = 4
"""One lesion in so many does not show in MRI."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PairSubject:
    """A made head and what is true of it.

    Attributes
    ----------
    subject : Subject
        With its PET.
    lesion : ndarray of bool, shape (x, y, z)
        Where the PET lost at least half of what it lost in the middle of the lesion.
    lesion_side : {"left", "right"}
    silent : bool
        Whether MRI shows nothing of the lesion.
    healthy_pet : ndarray of float32
        The PET without lesion and noise.
    """

    subject: Subject
    lesion: Mask
    lesion_side: str
    silent: bool
    healthy_pet: Volume


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """A population and its subjects, which are made when they are asked for.

    Attributes
    ----------
    n_train, n_test : int
    grid : Grid
    seed : int
    """

    n_train: int
    n_test: int
    grid: Grid
    seed: int

    @cached_property
    def population(self) -> _Population:
        """What all heads have in common."""
        return _Population(np.random.default_rng([self.seed, 0]))

    def train(self) -> Iterator[PairSubject]:
        """The subjects to learn from."""
        return (self.subject(number) for number in range(self.n_train))

    def test(self) -> Iterator[PairSubject]:
        """The subjects to try on, none of which was learned from."""
        return (self.subject(self.n_train + number) for number in range(self.n_test))

    def subject(self, number: int) -> PairSubject:
        """One subject, the same each time."""
        return _make(self.population, self.grid, number, np.random.default_rng([self.seed, 1 + number]))


def make_pairs(*, train: int = 12, test: int = 8, size: int = 64, seed: int = 0, grid: Grid | None = None) -> Pairs:
    """A population of made heads with MRI and PET.

    Parameters
    ----------
    train, test : int
        Numbers of subjects.
    size : int
        Voxels along each axis of a field of view of 192 mm.
    seed : int
        Fixes all chance. The same head on another grid is the same but for noise.
    grid : Grid, optional
        Another grid, in RAS+ mm around the middle of the brain; it may be oblique.

    Returns
    -------
    Pairs
    """
    if train < 0 or test < 0 or size < 8:
        raise InputError(
            f"heads have 8 voxels along an axis or more, and their number is not negative: {size}, {train}, {test}"
        )
    if grid is None:
        voxel = FIELD_OF_VIEW / size
        affine = np.diag([voxel, voxel, voxel, 1.0])
        affine[:3, 3] = -voxel * (size - 1) / 2
        grid = Grid((size, size, size), affine)
    return Pairs(n_train=train, n_test=test, grid=grid, seed=seed)


def write_pairs(folder: Path, pairs: Pairs) -> None:
    """Write all subjects in the layout that training and evaluation read.

    * ``train/<contrast>/<id>.nii.gz``, ``train/PET/<id>.nii.gz`` and the same in ``test/``
    * ``truth/<id>_lesion.nii.gz`` and ``truth/<id>_healthy_pet.nii.gz``
    * ``truth/lesions.tsv``: split, side and whether MRI is silent of each subject

    Parameters
    ----------
    folder : Path
        Exists.
    pairs : Pairs
    """
    rows = []
    (folder / "truth").mkdir()
    for split, made in (("train", pairs.train()), ("test", pairs.test())):
        for one in made:
            subject = one.subject
            images = dict(subject.contrasts)
            if subject.pet is not None:
                images["PET"] = subject.pet
            for name, image in images.items():
                (folder / split / name).mkdir(parents=True, exist_ok=True)
                write_volume(folder / split / name / f"{subject.name}.nii.gz", image, subject.orientation)
            truth = folder / "truth" / subject.name
            write_volume(Path(f"{truth}_lesion.nii.gz"), one.lesion, subject.orientation, dtype=np.uint8)
            write_volume(Path(f"{truth}_healthy_pet.nii.gz"), one.healthy_pet, subject.orientation)
            rows.append(
                {
                    "subject": subject.name,
                    "split": split,
                    "side": one.lesion_side,
                    "silent": "yes" if one.silent else "no",
                }
            )
    write_tsv(folder / "truth" / "lesions.tsv", rows)


class _Population:
    """Fields on a lattice over the head, from which the subjects sample."""

    step = 3.0
    reach = 114.0

    def __init__(self, rng: np.random.Generator) -> None:
        n = round(2 * self.reach / self.step) + 1
        self.shape = (n, n, n)
        along = np.linspace(-self.reach, self.reach, n)
        x, y, z = (np.square(along / half) for half in HALF_AXES)
        self.head = x[:, None, None] + y[:, None] + z < 1
        self.folds = self.symmetric(rng, FOLD * VOXEL)
        levels = np.array(list(CONTRASTS.values()))
        means = np.array([BASE, *np.linalg.solve(levels.T, np.subtract(PET, BASE))])
        fields = [self.symmetric(rng, COEFFICIENT_SMOOTH * VOXEL) for _ in means]
        # chance may let the four cancel: what they do together to grey matter is as strong in every population
        parts = means * [1, *levels[:, 1]]
        together = sum(part * field[self.head] for part, field in zip(parts, fields, strict=True))
        strength = float(np.sqrt(np.square(parts).sum()) / np.std(together))
        self.coefficients = [
            mean * (1 + COEFFICIENT_SPREAD * np.clip(strength * field, -2, 2))
            for mean, field in zip(means, fields, strict=True)
        ]

    def field(self, rng: np.random.Generator, smooth: float) -> Volume:
        """Gaussian field of mean 0 and variance 1 in the head, smooth over so many mm."""
        return self._scaled(self._smooth(rng, smooth))

    def symmetric(self, rng: np.random.Generator, smooth: float) -> Volume:
        """The same, alike on both sides."""
        made = self._smooth(rng, smooth)
        return self._scaled(made + made[::-1])

    def _smooth(self, rng: np.random.Generator, smooth: float) -> Volume:
        noise = rng.standard_normal(self.shape, dtype=np.float32)
        made: Volume = ndimage.gaussian_filter(noise, smooth / self.step, mode="reflect", truncate=3.0)
        return made

    def _scaled(self, field: Volume) -> Volume:
        inside = field[self.head]
        scaled: Volume = (field - inside.mean()) / inside.std()
        return scaled

    def sampled(self, field: Volume, places: Curve) -> Volume:
        """A field at places, shape (3, x, y, z), in mm."""
        found: Volume = ndimage.map_coordinates(
            field, (places + self.reach) / self.step, order=1, mode="nearest", output=np.float32
        )
        return found


def _make(population: _Population, grid: Grid, number: int, rng: np.random.Generator) -> PairSubject:
    orientation = nearest_ras(grid)
    ras = orientation.ras
    places = _anatomical_places(population, ras, rng)
    shares, brain = _tissue(population, places)
    clean = {name: np.tensordot(np.array(levels, np.float32), shares, 1) for name, levels in CONTRASTS.items()}
    healthy = _healthy_pet(population, clean, places)
    weight, side, deficit = _lesion(places, rng)
    silent = number % SILENT_ONE_IN == SILENT_ONE_IN - 1
    contrasts = {
        name: _scanned(image + (0 if silent else LESION_CHANGE[name]) * weight, ras, brain, rng)
        for name, image in clean.items()
    }
    gain = 1 + GAIN * rng.uniform(-1, 1)
    blur = [POINT_SPREAD * VOXEL / size for size in ras.voxel_sizes]
    pet, without = (
        np.where(brain, gain * ndimage.gaussian_filter(image * brain, blur), 0).astype(np.float32)
        for image in (healthy * (1 - deficit * weight), healthy)
    )
    return PairSubject(
        subject=Subject(
            name=f"{number:02d}",
            contrasts=contrasts,
            mask=brain,
            orientation=orientation,
            pet=_noisy(pet, PET_NOISE, brain, rng),
        ),
        lesion=(weight > 0.5) & brain,
        lesion_side=side,
        silent=silent,
        healthy_pet=without,
    )


def _anatomical_places(population: _Population, grid: Grid, rng: np.random.Generator) -> Curve:
    """Where in the population's head each voxel lies, shape (3, x, y, z), mm."""
    i, j, k = np.indices(grid.shape, dtype=np.float64)
    world = np.tensordot(grid.affine[:3, :3], np.stack([i, j, k]), 1) + grid.affine[:3, 3, None, None, None]
    scale = 1 + SIZE * rng.uniform(-1, 1)
    shifts = [population.sampled(population.field(rng, WARP_SMOOTH * VOXEL), world) for _ in range(3)]
    places: Curve = world / scale + WARP * VOXEL * np.stack(shifts)
    return places


def _tissue(population: _Population, places: Curve) -> tuple[Volume, Mask]:
    """Shares of white matter, grey matter and CSF in each voxel, shape (3, x, y, z), and the brain."""
    axes = np.reshape(HALF_AXES, (3, 1, 1, 1))
    radius = np.sqrt(((places / axes) ** 2).sum(axis=0))
    # about the depth under the surface in voxels
    depth = ((1 - radius) * np.mean(HALF_AXES) / VOXEL).astype(np.float32)
    # sulci are sheets where the field changes its sign, down to a depth; the cortex lines them and the surface
    from_sheet = FOLD * np.abs(population.sampled(population.folds, places))
    beyond = np.maximum(depth - FOLD_DEPTH, 0)
    from_sulcus = np.minimum(np.hypot(from_sheet, beyond), depth)
    csf = np.maximum(_share(SULCUS - from_sulcus), _share(_deep(places, VENTRICLES)))
    grey = np.maximum(_share(CORTEX - from_sulcus), _share(_deep(places, DEEP_GREY))) * (1 - csf)
    shares = np.stack([1 - csf - grey, grey, csf])
    return shares, radius < 1


def _share(level: Volume) -> Volume:
    """The share of a voxel below a level that is given in voxels."""
    share: Volume = special.expit(np.float32(3.0) * level)
    return share


def _deep(places: Curve, bodies: tuple[tuple[tuple[float, float, float], tuple[float, float, float]], ...]) -> Volume:
    """How far inside ellipsoids on both sides a place lies, in voxels."""
    mirrored = np.stack([np.abs(places[0]), places[1], places[2]])
    levels = []
    for centre, half in bodies:
        apart = (mirrored - np.reshape(centre, (3, 1, 1, 1))) / np.reshape(half, (3, 1, 1, 1))
        levels.append((1 - np.sqrt((apart**2).sum(axis=0))) * min(half) / VOXEL)
    deepest: Volume = np.max(levels, axis=0).astype(np.float32)
    return deepest


def _healthy_pet(population: _Population, clean: Mapping[str, Volume], places: Curve) -> Volume:
    pet = population.sampled(population.coefficients[0], places)
    for field, image in zip(population.coefficients[1:], clean.values(), strict=True):
        pet += population.sampled(field, places) * image
    return np.maximum(pet, np.float32(FLOOR))


def _lesion(places: Curve, rng: np.random.Generator) -> tuple[Volume, str, float]:
    """How much each voxel belongs to the lesion, from 0 to 1; its side, and the share of the PET that it takes."""
    side = "left" if rng.random() < 0.5 else "right"
    radius = HALF_AXES[0] * rng.uniform(*LESION_RADIUS)
    # away from the middle, so that one side alone is ill, and inside the brain
    x = rng.uniform(radius + 6, 0.62 * HALF_AXES[0])
    y, z = rng.uniform(-0.5, 0.5) * HALF_AXES[1], rng.uniform(-0.4, 0.5) * HALF_AXES[2]
    centre = (-x if side == "left" else x, y, z)
    apart = np.sqrt(((places - np.reshape(centre, (3, 1, 1, 1))) ** 2).sum(axis=0))
    weight = special.expit((radius - apart) / (0.5 * VOXEL))
    return weight.astype(np.float32), side, rng.uniform(*LESION_DEFICIT)


def _scanned(image: Volume, grid: Grid, brain: Mask, rng: np.random.Generator) -> Volume:
    """With the coil's uneven sensitivity and noise, and without what is not brain."""
    directions = rng.standard_normal(3)
    slopes = BIAS_FIELD * directions / np.abs(directions).sum()
    x, y, z = (np.linspace(-1, 1, n, dtype=np.float32) for n in grid.shape)
    field = 1 + slopes[0] * x[:, None, None] + slopes[1] * y[:, None] + slopes[2] * z
    return _noisy(image * field, MRI_NOISE, brain, rng)


def _noisy(image: Volume, sd: float, brain: Mask, rng: np.random.Generator) -> Volume:
    noise = rng.standard_normal(image.shape, dtype=np.float32)
    # nothing in the brain is 0, which stands for what is not brain
    noisy: Volume = np.where(brain, np.maximum(image + np.float32(sd) * noise, np.float32(1e-3)), 0).astype(np.float32)
    return noisy
