"""What a model must beat: the mean PET of the training subjects, and one linear model for the whole brain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from PyPeTLib.arrays import Curve, Volume
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid, Reorientation
from PyPeTLib.synthesis.options import SynthesisOptions
from PyPeTLib.synthesis.subject import Subject

TEMPLATE, BRAIN_TEMPLATE, GLOBAL_LINEAR = "template", "brain template", "global linear"
"""What tables call them."""


def global_linear(options: SynthesisOptions) -> SynthesisOptions:
    """Options of the plain model: each contrast times one number, all brain voxels alike, without a lattice."""
    return SynthesisOptions(
        patches=1, features="raw", ridge=options.ridge, hypometabolic_weight=1.0, symmetric=options.symmetric
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Template:
    """A mean PET of subjects that lie on one grid, voxel by voxel.

    Attributes
    ----------
    values : ndarray of float32, shape (x, y, z)
        Axes in RAS+ order; 0 where no subject has brain.
    orientation : Reorientation
        Of the training subjects' files.
    of_brain : bool
        Whether each voxel is the mean over those subjects who have brain there, and brain that none of them has gets
        the mean of all values. Otherwise it is the mean over all subjects, who have 0 outside their brain.
    """

    values: Volume
    orientation: Reorientation
    of_brain: bool = False

    @property
    def grid(self) -> Grid:
        """Where the voxels lie."""
        return self.orientation.ras

    def predict(self, subject: Subject) -> Volume | None:
        """The template inside the subject's brain; None where it lies on another grid.

        Nothing of the subject but the outline of the brain is used.
        """
        if not self.grid.matches(subject.grid):
            return None
        values, held = self.values, self.values != 0
        if self.of_brain and held.any():
            values = np.where(held, values, np.float32(values[held].mean(dtype=np.float64)))
        return np.where(subject.mask, values, np.float32(0))


@dataclass(kw_only=True, eq=False)
class TemplateSum:
    """Sums templates up from subjects as they pass by.

    Attributes
    ----------
    note : str
        Why there is no template; "" while there may be one.
    """

    note: str = ""
    _sum: Curve | None = field(default=None, repr=False)
    _brains: Curve | None = field(default=None, repr=False)
    _orientation: Reorientation | None = field(default=None, repr=False)
    _subjects: int = 0

    def watched(self, subjects: Iterable[Subject]) -> Iterator[Subject]:
        """The same subjects, each taken into the templates.

        Raises
        ------
        InputError
            If a subject has no PET.
        """
        for subject in subjects:
            self.add(subject)
            yield subject

    def add(self, subject: Subject) -> None:
        """Take one subject in."""
        if subject.pet is None:
            raise InputError(f"{subject.name}: there is no PET to learn from.")
        if self.note:
            return
        if self._orientation is None or self._sum is None or self._brains is None:
            self._orientation = subject.orientation
            self._sum, self._brains = np.zeros(subject.grid.shape), np.zeros(subject.grid.shape)
        elif not self._orientation.ras.matches(subject.grid):
            self.note = f"No mean PET as a baseline: {subject.name} lies on another grid than the subjects before it."
            self._sum = self._brains = None
            return
        self._sum[subject.mask] += subject.pet[subject.mask]
        self._brains[subject.mask] += 1
        self._subjects += 1

    def templates(self) -> dict[str, Template]:
        """Both means of all subjects so far by name; none if their grids differ."""
        if self._sum is None or self._brains is None or self._orientation is None:
            return {}
        means = {
            TEMPLATE: self._sum / self._subjects,
            BRAIN_TEMPLATE: np.divide(self._sum, self._brains, out=np.zeros_like(self._sum), where=self._brains > 0),
        }
        return {
            name: Template(
                values=mean.astype(np.float32), orientation=self._orientation, of_brain=name == BRAIN_TEMPLATE
            )
            for name, mean in means.items()
        }
