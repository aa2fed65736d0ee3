"""Which files of a folder belong to one head: MRI contrasts, PET and brain mask, paired by the names of the files.

A split of a dataset, such as ``train``, holds a folder for each contrast, one named ``PET``, and maybe one of masks::

    train/MRI/0.nii.gz   train/PET/0.nii.gz                            one contrast
    train/T1/0.nii.gz    train/FLAIR/0.nii.gz    train/PET/0.nii.gz    one folder per contrast
    train/mask/0.nii.gz                                                optional, of the brain

A file has the same name in all of them; nothing is guessed from parts of names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from PyPeTLib.errors import InputError
from PyPeTLib.io.dataset.listing import Listing, Problems, listed
from PyPeTLib.io.dataset.names import is_image, naturally, some_of
from PyPeTLib.io.sidecar import image_stem

SPLITS = ("train", "test")

_PET = "pet"
_MASKS = ("mask", "masks", "brain_mask", "brain_masks", "brainmask", "brainmasks")
_MOST_NAMES = 12
_LAYOUT = (
    "Expected are folders side by side, one for each MRI contrast (such as MRI, or T1, T2, FLAIR) and one named PET, "
    "with files of the same names (0.nii.gz, 1.nii.gz, ...)."
)


@dataclass(frozen=True, kw_only=True)
class SubjectFiles:
    """The files of one head.

    Attributes
    ----------
    name : str
        That of the files, without ``.nii`` or ``.nii.gz``.
    contrasts : mapping of str to Path
        MRI by the name of the contrast.
    pet, mask : Path, optional
    """

    name: str
    contrasts: Mapping[str, Path]
    pet: Path | None = None
    mask: Path | None = None


@dataclass(frozen=True, kw_only=True)
class SubjectFolder:
    """What a split of a dataset holds.

    Attributes
    ----------
    subjects : tuple of SubjectFiles
        In natural order of their names: 0, 1, 2, 10.
    contrasts : tuple of str
    notes : tuple of str
        What was passed over.
    """

    subjects: tuple[SubjectFiles, ...]
    contrasts: tuple[str, ...]
    notes: tuple[str, ...]


def find_subjects(
    folder: str | PathLike[str], *, needs_pet: bool = True, contrasts: Sequence[str] = ()
) -> tuple[SubjectFiles, ...]:
    """The subjects in a split of a dataset; parameters and errors as for `survey_subjects`."""
    return survey_subjects(folder, needs_pet=needs_pet, contrasts=contrasts).subjects


def survey_subjects(
    folder: str | PathLike[str], *, needs_pet: bool = True, contrasts: Sequence[str] = ()
) -> SubjectFolder:
    """The subjects in a split of a dataset, and what was passed over.

    Parameters
    ----------
    folder : path
        With a folder for each contrast, and PET and masks beside them.
    needs_pet : bool
        Whether every subject must have a PET, as for training; otherwise those there are taken along.
    contrasts : sequence of str
        The folders to take as contrasts, in this order; without any all but those of PET and masks, in natural order.

    Raises
    ------
    InputError
        If the folder is not laid out so, or a subject's file is missing somewhere or is there twice.
    """
    folder = Path(folder)
    _check_folder(folder)
    problems = Problems(dataset=folder)
    top = listed(folder, problems)
    _check_split(top)
    pet = _only(top, (_PET,), "PET")
    masks = _only(top, _MASKS, "masks")
    if pet is None and needs_pet:
        raise InputError(f"{folder}: there is no folder named PET. {_holds(top)} {_LAYOUT}{_told(problems)}")
    chosen = _contrasts(top, [path for path in (pet, masks) if path], contrasts, problems)
    if top.images:
        problems.add("These images lie beside the folders and were passed over", *top.images)
    images = {name: _images(path, problems) for name, path in chosen.items()}
    of_pet = _images(pet, problems) if pet else {}
    of_masks = _images(masks, problems) if masks else {}
    paired = {path.name: images[name] for name, path in chosen.items()}
    if pet and needs_pet:
        paired[pet.name] = of_pet
    if masks:
        paired[masks.name] = of_masks
    names = _paired(folder, paired, problems, named=bool(contrasts))
    if not needs_pet and (alone := [of_pet[name] for name in naturally(of_pet) if name not in names]):
        problems.add("These PETs have no MRI and were passed over", *alone)
    subjects = tuple(
        SubjectFiles(
            name=name,
            contrasts={contrast: found[name] for contrast, found in images.items()},
            pet=of_pet.get(name),
            mask=of_masks.get(name),
        )
        for name in names
    )
    return SubjectFolder(subjects=subjects, contrasts=tuple(chosen), notes=problems.sentences())


def split_folder(dataset: str | PathLike[str], split: str) -> Path:
    """The folder of a split, given either the dataset that holds it or that folder itself.

    Parameters
    ----------
    dataset : path
    split : {"train", "test"}

    Raises
    ------
    InputError
        If it is neither.
    """
    dataset = Path(dataset)
    _check_folder(dataset)
    problems = Problems(dataset=dataset)
    top = listed(dataset, problems)
    if inner := top.holds(split):
        return inner
    other = next(name for name in SPLITS if name != split)
    called = dataset.absolute().resolve().name.lower()
    if called == other:
        raise InputError(
            f"{dataset}: this is the folder {other}, and {split} is needed. Give {dataset.parent / split}, or the "
            "dataset that holds both."
        )
    if top.holds(other):
        raise InputError(
            f"{dataset}: there is no folder named {split} beside {other}. Make it, with the same folders in it."
        )
    if called == split or any(listed(inner, problems).images for inner in top.folders):
        return dataset
    raise InputError(f"{dataset}: there is no folder named {split} in it. {_holds(top)} Give the dataset's folder.")


def _check_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    if folder.exists():
        raise InputError(f"{folder}: this is a file, and a folder is needed. {_LAYOUT}")
    raise InputError(f"{folder}: there is no such folder. Check the path.")


def _check_split(top: Listing) -> None:
    """Refuse the dataset that holds the splits, a contrast's own folder, and an empty one."""
    folder = top.folder
    splits = [path for name in SPLITS if (path := top.holds(name))]
    if splits:
        listing = " or ".join(str(path) for path in splits)
        names = " and ".join(path.name for path in splits)
        raise InputError(f"{folder}: this is the dataset as a whole: it holds {names}. Give {listing}.")
    if not top.folders and top.images:
        raise InputError(
            f"{folder}: this folder holds images itself. Give the one above, {folder.absolute().resolve().parent}, if "
            f"it holds the folders of contrasts and PET. {_LAYOUT}"
        )
    if not top.folders:
        raise InputError(f"{folder}: {'the folder is empty' if not top.files else 'there are no folders'}. {_LAYOUT}")


def _only(top: Listing, names: Iterable[str], what: str) -> Path | None:
    """The one folder of these names, in whatever letter case."""
    found = [path for path in top.folders if path.name.lower() in names]
    if len(found) > 1:
        listing = " and ".join(path.name for path in found)
        raise InputError(f"{top.folder}: there are {len(found)} folders of {what}, {listing}. Leave one of them.")
    return found[0] if found else None


def _contrasts(top: Listing, apart: Sequence[Path], wanted: Sequence[str], problems: Problems) -> dict[str, Path]:
    """The folders of contrasts by name."""
    there = [path for path in top.folders if path not in apart]
    if not wanted:
        found = {path.name: path for path in there if _has_images(path, problems)}
        if not found:
            told = _told(problems)
            raise InputError(f"{top.folder}: there is no folder with images of an MRI. {_holds(top)} {_LAYOUT}{told}")
        return found
    if twice := [name for name in dict.fromkeys(wanted) if wanted.count(name) > 1]:
        raise InputError(f"the contrast {', '.join(twice)} is named twice. Name each contrast once.")
    chosen = {name: path for name in wanted if (path := _named(there, name))}
    if missing := [name for name in wanted if name not in chosen]:
        listing = f"Those there are: {some_of((path.name for path in there), _MOST_NAMES)}." if there else _holds(top)
        raise InputError(
            f"{top.folder}: there is no folder of the contrast {', '.join(missing)}. {listing} Rename the folder of "
            "that contrast, or name others."
        )
    if rest := [path for path in there if path not in chosen.values()]:
        problems.add("These folders are none of the contrasts asked for and were passed over", *rest)
    return chosen


def _named(folders: Sequence[Path], name: str) -> Path | None:
    """The folder of a name; letter case counts only where two differ in nothing else."""
    exact = [path for path in folders if path.name == name]
    alike = exact or [path for path in folders if path.name.lower() == name.lower()]
    return alike[0] if len(alike) == 1 else None


def _has_images(folder: Path, problems: Problems) -> bool:
    """Whether images lie in a folder that nobody asked for; told where not."""
    inside = listed(folder, problems)
    if inside.images:
        return True
    nested = [path.name for path in inside.folders if any(is_image(one.name) for one in listed(path, problems).files)]
    if nested:
        raise InputError(
            f"{folder}: this folder holds further folders ({some_of(nested)}) instead of images. Put the folder of "
            "each contrast beside PET."
        )
    problems.add("These folders hold no NIfTI files and were passed over", folder)
    return False


def _images(folder: Path, problems: Problems) -> dict[str, Path]:
    """Images of a folder by the name of their subject."""
    inside = listed(folder, problems)
    found: dict[str, list[Path]] = {}
    for path in inside.images:
        found.setdefault(image_stem(path), []).append(path)
    if twice := [paths for paths in found.values() if len(paths) > 1]:
        listing = some_of((" and ".join(path.name for path in paths) for paths in twice), _MOST_NAMES)
        raise InputError(
            f"{folder}: there are two files of one name: {listing}. Which of them counts is unknown: leave one."
        )
    if not found:
        raise InputError(f"{folder}: there are no NIfTI files (.nii or .nii.gz) in it. {_LAYOUT}{_told(problems)}")
    images = {paths[0] for paths in found.values()}
    rest = [path for path in inside.files if path not in images and path.suffix.lower() != ".json"]
    if rest or inside.folders:
        problems.add("These are no NIfTI files and were passed over", *rest, *inside.folders)
    return {name: paths[0] for name, paths in found.items()}


def _paired(
    folder: Path, images: Mapping[str, Mapping[str, Path]], problems: Problems, *, named: bool
) -> tuple[str, ...]:
    """The names that all folders have, once it is known that none is missing anywhere.

    Raises
    ------
    InputError
        With every file that has no partner.
    """
    names = naturally(name for found in images.values() for name in found)
    unpaired = []
    for name in names:
        lacking = [title for title, found in images.items() if name not in found]
        if lacking:
            one = next(found[name] for found in images.values() if name in found)
            unpaired.append(f"{one.relative_to(folder).as_posix()} (not in {', '.join(lacking)})")
    if unpaired:
        common = len(names) - len(unpaired)
        count = f"{common} of {len(names)} names are" if common else "no name is"
        other = "" if named else " If a folder is no contrast, name those that are."
        raise InputError(
            f"{folder}: these files have no partner of the same name: {some_of(unpaired, _MOST_NAMES)}; {count} in all "
            f"of {', '.join(images)}. Add what is missing, or take these files away.{other}{_told(problems)}"
        )
    return tuple(names)


def _holds(top: Listing) -> str:
    names = [path.name for path in (*top.folders, *top.files)]
    return f"Found were {some_of(names, _MOST_NAMES)}." if names else "The folder is empty."


def _told(problems: Problems) -> str:
    return "".join(f" {sentence}" for sentence in problems.sentences())
