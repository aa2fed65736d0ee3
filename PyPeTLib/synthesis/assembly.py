"""From images, in files or of a scene, to a `Subject`: on one grid, with its brain, and checked.

Nothing is registered here. Images of one head must lie on one grid, or, where resampling is asked for, at the right
places in RAS+ millimetres, from which they are then interpolated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from PyPeTLib.arrays import Mask, Volume
from PyPeTLib.compare.resampling import resample_reference
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid, Reorientation, nearest_ras
from PyPeTLib.io import read_volume
from PyPeTLib.synthesis.brain import check_contrasts, check_size, find_brain, outline
from PyPeTLib.synthesis.dataset import SubjectFiles
from PyPeTLib.synthesis.subject import Subject

_LEAST_SHOWN = 0.9
"""Part of the brain that an image must show where it is resampled."""

_MUCH = 0.05
"""Part of the brain from which on odd values of the PET are told."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Image:
    """An image in RAS+ order, and what messages call it."""

    label: str
    values: Volume
    orientation: Reorientation

    @property
    def grid(self) -> Grid:
        return self.orientation.ras


def load_subject(files: SubjectFiles, *, resample: bool = False) -> Subject:
    """A subject from its files; see `assemble`, whose errors name the files here.

    Parameters
    ----------
    files : SubjectFiles
    resample : bool

    Raises
    ------
    InputError
        If a file cannot be read or has more than one volume, or for the reasons of `assemble`.
    """
    contrasts = {title: _read(path) for title, path in files.contrasts.items()}
    pet, mask = (None if path is None else _read(path) for path in (files.pet, files.mask))
    return _assembled(files.name, contrasts, pet, mask, resample=resample)


def assemble(
    name: str,
    images: Mapping[str, tuple[Volume, Grid]],
    *,
    pet: tuple[Volume, Grid] | None = None,
    mask: tuple[Volume | Mask, Grid] | None = None,
    resample: bool = False,
) -> Subject:
    """A subject from arrays with their grids.

    Nothing is registered. The subject lies on the grid of the first contrast. Its contrasts are 0 outside the brain;
    the PET keeps what it holds there, by which `alignment` sees whether it belongs to the MRI.

    Parameters
    ----------
    name : str
    images : mapping of str to (ndarray of shape (i, j, k), Grid)
        MRI contrasts by name, each with axes in its own order.
    pet : (ndarray, Grid), optional
    mask : (ndarray, Grid), optional
        Of the brain, 0 outside; without it the brain is found as `brain_of` says.
    resample : bool
        Interpolate what lies on another grid than the first contrast, by its position in RAS+ mm: images linearly, the
        mask by the nearest voxel. Otherwise it is refused. Brain that one of the images does not show is left out.

    Raises
    ------
    InputError
        If grids differ and ``resample`` is false; if an image shows less than 90 % of the brain; if there is no mask
        and the images are not skull-stripped; if an image is NaN or infinite in the brain, or shows nothing there, or
        the same as another one.
    """
    contrasts = {title: _given(name, title, image) for title, image in images.items()}
    return _assembled(
        name,
        contrasts,
        None if pet is None else _given(name, "PET", pet),
        None if mask is None else _given(name, "the brain mask", mask),
        resample=resample,
    )


def _assembled(
    name: str, contrasts: Mapping[str, _Image], pet: _Image | None, mask: _Image | None, *, resample: bool
) -> Subject:
    if not contrasts:
        raise InputError(f"{name}: there is no MRI contrast. Give at least one.")
    first = next(iter(contrasts.values()))
    scans = {**contrasts, **({} if pet is None else {"PET": pet})}
    if pet is not None and "PET" in contrasts:
        raise InputError(f"{name}: a contrast is named PET. Give MRI contrasts other names.")
    apart = [image for image in (*scans.values(), *([mask] if mask else [])) if not image.grid.matches(first.grid)]
    if apart and not resample:
        raise _other_grid(name, apart[0], first)
    drawn = None if mask is None else _drawn(name, mask)
    placed = {
        title: _placed(_finite(name, image, drawn, mask), image.grid, first.grid) for title, image in scans.items()
    }
    values = {title: image for title, (image, _) in placed.items()}
    mri = {title: values[title] for title in contrasts}
    notes = [f"{image.label} was brought onto the grid of {first.label} {_BY[image is mask]}." for image in apart]
    if mask is None or drawn is None:
        check_contrasts(mri, name=name)
        brain, found = find_brain(mri, name=name)
        notes += found
    else:
        brain = _onto(drawn, mask.grid, first.grid)
        if not brain.any():
            raise InputError(f"{name}: {mask.label} marks no voxel of {first.label}. {_NOT_REGISTERED}")
    notes += check_size(brain, first.grid, name=name)
    whole = brain
    for title, image in scans.items():
        shown = placed[title][1]
        if shown is not None:
            notes += _shown_notes(name, image.label, shown, whole)
            brain = brain & shown
    if not brain.any():
        raise InputError(f"{name}: no part of the brain is shown by all images. {_NOT_REGISTERED}")
    check_contrasts(mri, brain, name=name)
    if pet is not None:
        notes += _pet_notes(name, pet.label, values["PET"], brain)
    _check_copies(name, {image.label: values[title][brain] for title, image in scans.items()})
    return Subject(
        name=name,
        contrasts={title: np.where(brain, image, np.float32(0)) for title, image in mri.items()},
        mask=brain,
        orientation=first.orientation,
        pet=values.get("PET"),
        notes=tuple(notes),
    )


_NOT_REGISTERED = "Nothing is registered here: register the images of a subject to each other first."

_BY = {
    False: "by its position in space, with linear interpolation; nothing was registered",
    True: "by its position in space, by the nearest voxel; nothing was registered",
}


def _read(path: Path) -> _Image:
    # files of one subject have one name: the folder tells which it is
    label = f"{path.parent.name}/{path.name}"
    try:
        found = read_volume(path, finite=False)
    except InputError as error:
        told = str(error)
        raise InputError(f"{path.parent.name}/{told}" if told.startswith(path.name) else told) from error
    return _Image(label=label, values=found.data, orientation=found.orientation)


def _given(name: str, label: str, image: tuple[Volume | Mask, Grid]) -> _Image:
    values, grid = image
    if values.shape != grid.shape:
        shape = "×".join(str(n) for n in values.shape)
        needed = "×".join(str(n) for n in grid.shape)
        raise InputError(f"{name}: {label} has {shape} voxels, its grid {needed}. Give one volume on its own grid.")
    orientation = nearest_ras(grid)
    return _Image(
        label=label, values=np.ascontiguousarray(orientation.to_ras(values), np.float32), orientation=orientation
    )


def _other_grid(name: str, image: _Image, first: _Image) -> InputError:
    width = max(len(image.label), len(first.label)) + 1
    return InputError(
        f"{name}: {image.label} lies on another grid than {first.label}.\n"
        f"  {first.label + ':':<{width}} {first.grid.describe()}\n"
        f"  {image.label + ':':<{width}} {image.grid.describe()}\n"
        "Register the images of a subject to each other and resample them to one grid. If they are registered already, "
        "ask for resampling by position."
    )


def _drawn(name: str, mask: _Image) -> Mask:
    """The mask's voxels inside, on its own grid."""
    values = mask.values
    with np.errstate(invalid="ignore"):
        odd = int(np.count_nonzero(~(np.abs(values - np.rint(values)) <= 1e-3)))
    if odd:
        raise InputError(
            f"{name}: {mask.label} holds {odd} voxels that are no whole numbers, so it is no mask. Give 0 outside the "
            "brain and 1 inside."
        )
    drawn: Mask = np.abs(values) > 0.5
    if not drawn.any():
        raise InputError(f"{name}: {mask.label} is empty: no voxel differs from 0. Draw it, or leave it out.")
    if drawn.all():
        raise InputError(f"{name}: {mask.label} marks the whole volume, not the brain. Draw it, or leave it out.")
    return drawn


def _finite(name: str, image: _Image, drawn: Mask | None, mask: _Image | None) -> Volume:
    """The image's values; what is no number is refused in the brain and 0 outside a mask."""
    bad = ~np.isfinite(image.values)
    if not bad.any():
        return image.values
    if drawn is None or mask is None:
        inside, hint = bad, "Replace them by 0 outside the brain, or give a mask of the brain"
    else:
        inside, hint = (
            bad & _onto(drawn, mask.grid, image.grid),
            "Replace them by numbers, or leave them out of the mask",
        )
    count = int(np.count_nonzero(inside))
    if count:
        where = "" if drawn is None else " in the brain"
        raise InputError(f"{name}: {image.label} holds {count} voxels{where} that are NaN or infinite. {hint}.")
    return np.where(bad, np.float32(0), image.values)


def _onto(mask: Mask, source: Grid, target: Grid) -> Mask:
    """A mask on another grid, by the nearest voxel."""
    if source.matches(target):
        return mask
    found = resample_reference(mask.astype(np.float32), np.ones_like(mask), source, target, "nearest")
    inside: Mask = found.values > 0.5
    return inside


def _placed(values: Volume, source: Grid, target: Grid) -> tuple[Volume, Mask | None]:
    """An image on another grid, and what of that it shows; None where it was there already.

    What lies outside a stripped image's outline is no value: it is kept out of the interpolation, so that the brain is
    not dimmed at its rim.
    """
    if source.matches(target):
        return values, None
    everywhere = np.ones(values.shape, bool)
    held = outline(values)
    placed = resample_reference(np.where(held, values, np.float32(0)), everywhere, source, target, "linear")
    if held.all():
        return placed.values, placed.valid
    share = resample_reference(held.astype(np.float32), everywhere, source, target, "linear").values
    inside = share >= 0.5
    return np.where(inside, placed.values / np.where(inside, share, 1), 0).astype(np.float32), placed.valid


def _shown_notes(name: str, label: str, shown: Mask, brain: Mask) -> tuple[str, ...]:
    """A note where an image does not show all of the brain.

    Raises
    ------
    InputError
        If it shows too little of it.
    """
    part = np.count_nonzero(shown & brain) / np.count_nonzero(brain)
    if part < _LEAST_SHOWN:
        raise InputError(
            f"{name}: {part:.0%} of the brain lies in the field of view of {label}, and at least {_LEAST_SHOWN:.0%} "
            f"are needed. It may show a part of the head only, or lie elsewhere. {_NOT_REGISTERED}"
        )
    if part < 1:
        return (f"{1 - part:.1%} of the brain lies outside the field of view of {label} and is left out.",)
    return ()


def _pet_notes(name: str, label: str, pet: Volume, brain: Mask) -> tuple[str, ...]:
    """What is odd about a PET.

    Raises
    ------
    InputError
        If it shows no brain.
    """
    values = pet[brain]
    if not values.any():
        raise InputError(f"{name}: {label} is 0 throughout the brain. It may lie elsewhere, or be of another subject.")
    if np.median(values) <= 0:
        raise InputError(
            f"{name}: {label} is 0 or less in {float((values <= 0).mean()):.0%} of the brain. It may lie elsewhere, be "
            "of another subject, or not be an image of uptake."
        )
    if values.min() == values.max():
        raise InputError(f"{name}: {label} has the value {values.max():g} throughout the brain. Give the PET itself.")
    notes = []
    if negative := int(np.count_nonzero(values < 0)):
        part = negative / values.size
        notes.append(f"{label} is negative in {negative} voxels of the brain ({part:.1%}), down to {values.min():.3g}.")
    empty = float((values == 0).mean())
    if empty > _MUCH:
        notes.append(
            f"{label} is 0 in {empty:.0%} of the brain, and is taken to be so: look whether it shows the whole brain."
        )
    return tuple(notes)


def _check_copies(name: str, values: Mapping[str, Volume]) -> None:
    for (one, first), (other, second) in combinations(values.items(), 2):
        if np.array_equal(first, second):
            raise InputError(
                f"{name}: {one} and {other} hold the same image in the brain. One of them is a copy: give the right "
                "one."
            )
