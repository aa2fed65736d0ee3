"""What synthesis takes in: a head's MRI contrasts on one grid, its brain, and its PET where there is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid, Reorientation, nearest_ras
from PyPeTLib.masking import Mirror, find_mirror
from PyPeTLib.series import Modality


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """MRI contrasts of one head, skull-stripped, and the PET to learn from or to compare with.

    Attributes
    ----------
    name : str
        What messages and tables call it.
    contrasts : mapping of str to ndarray of float32, shape (x, y, z)
        By their names; axes in RAS+ order.
    mask : ndarray of bool, shape (x, y, z)
        The brain; nothing outside it is read or predicted.
    orientation : Reorientation
        From the files' grid to that of the arrays, ``orientation.ras``.
    pet : ndarray of float32, shape (x, y, z), optional
    notes : tuple of str
        What was done to bring the images here, such as a resampling, and what looks odd.
    """

    name: str
    contrasts: Mapping[str, Volume]
    mask: Mask
    orientation: Reorientation
    pet: Volume | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.contrasts:
            raise InputError(f"{self.name}: there is no MRI contrast. Give at least one.")
        images = {**self.contrasts, "mask": self.mask, **({} if self.pet is None else {"PET": self.pet})}
        for name, image in images.items():
            if image.shape != self.grid.shape:
                raise InputError(
                    f"{self.name}: {name} has shape {image.shape}, its grid {self.grid.shape}. Resample all images of "
                    "a subject to one grid."
                )
        if not self.mask.any():
            raise InputError(
                f"{self.name}: the brain mask is empty. Give skull-stripped images or a mask of the brain."
            )

    @property
    def grid(self) -> Grid:
        """Where the voxels of the arrays lie."""
        return self.orientation.ras

    @cached_property
    def mirror(self) -> Mirror:
        """The reflection at the plane in which the brain mirrors itself best, by the contrast that shows most of it."""
        values = {name: image[self.mask] for name, image in self.contrasts.items()}
        # the outline alone may turn the plane by ten degrees and more in a round head
        shown = max(values, key=lambda name: float(values[name].std() / max(abs(values[name].mean()), 1e-6)))
        return find_mirror(self.contrasts[shown], self.mask, self.grid, Modality.DSC, also_upright=True)

    def without_pet(self) -> Subject:
        """The same head as predicted from: without the PET."""
        return replace(self, pet=None)


def subject_of_arrays(
    name: str,
    contrasts: Mapping[str, Volume],
    mask: Mask,
    grid: Grid,
    *,
    pet: Volume | None = None,
    notes: tuple[str, ...] = (),
) -> Subject:
    """A subject from arrays in their own order of axes.

    Parameters
    ----------
    name : str
    contrasts : mapping of str to ndarray, shape (i, j, k)
    mask : ndarray of bool, shape (i, j, k)
    grid : Grid
        Of all these arrays.
    pet : ndarray, shape (i, j, k), optional
    notes : tuple of str

    Raises
    ------
    InputError
        If shapes differ, or the mask is empty.
    """
    orientation = nearest_ras(grid)
    for title, image in {**contrasts, "mask": mask, **({} if pet is None else {"PET": pet})}.items():
        if image.shape != grid.shape:
            raise InputError(f"{name}: {title} has shape {image.shape}, its grid {grid.shape}.")

    def turned(image: Volume) -> Volume:
        return np.ascontiguousarray(orientation.to_ras(image), np.float32)

    return Subject(
        name=name,
        contrasts={title: turned(image) for title, image in contrasts.items()},
        mask=np.ascontiguousarray(orientation.to_ras(mask)),
        orientation=orientation,
        pet=None if pet is None else turned(pet),
        notes=notes,
    )
