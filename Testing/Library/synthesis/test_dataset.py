"""Files of a dataset: paired by name, and everything that does not fit said by name."""

import re

import pytest

from PyPeTLib.errors import InputError
from PyPeTLib.synthesis.dataset import find_subjects, split_folder, survey_subjects


def make(top, **folders):
    """Empty files: names by folder; double underscores in a folder's name are slashes."""
    for folder, names in folders.items():
        place = top / folder.replace("__", "/")
        place.mkdir(parents=True)
        for name in names:
            (place / name).touch()
    return top


def refused(folder, **options):
    with pytest.raises(InputError) as error:
        find_subjects(folder, **options)
    told = str(error.value)
    assert "  " not in told
    assert not re.search(r"\bNone\b|\{|\[", told)
    return told.replace(str(folder), "DATA")


IDS = ("0.nii.gz", "1.nii.gz", "2.nii.gz", "10.nii.gz")


def test_one_contrast_in_natural_order(tmp_path):
    found = find_subjects(make(tmp_path, MRI=IDS, PET=IDS))
    assert [one.name for one in found] == ["0", "1", "2", "10"]
    assert found[3].contrasts == {"MRI": tmp_path / "MRI" / "10.nii.gz"}
    assert found[3].pet == tmp_path / "PET" / "10.nii.gz"
    assert found[3].mask is None


def test_a_folder_for_each_contrast_with_masks(tmp_path):
    top = make(tmp_path, T2=["a.nii"], T1=["a.nii.gz"], FLAIR=["a.NII.GZ"], pet=["a.nii"], Brain_Mask=["a.nii"])
    (found,) = find_subjects(top)
    assert list(found.contrasts) == ["FLAIR", "T1", "T2"]
    assert found.name == "a"
    assert found.pet.parent.name == "pet"
    assert found.mask.parent.name == "Brain_Mask"


def test_named_contrasts_in_the_order_asked_for_whatever_their_case(tmp_path):
    top = make(tmp_path, t1=["0.nii"], Flair=["0.nii"], lesion=["7.nii"], PET=["0.nii"])
    found = survey_subjects(top, contrasts=("T1", "FLAIR"))
    assert found.contrasts == ("T1", "FLAIR")
    assert found.subjects[0].contrasts["FLAIR"] == top / "Flair" / "0.nii"
    assert found.notes == ("These folders are none of the contrasts asked for and were passed over: lesion.",)


def test_a_contrast_that_is_not_there(tmp_path):
    told = refused(make(tmp_path, T1=["0.nii"], T2=["0.nii"], PET=["0.nii"]), contrasts=("T1", "FLAIR"))
    assert told.startswith("DATA: there is no folder of the contrast FLAIR. Those there are: T1, T2.")


def test_what_is_passed_over_is_told_but_sidecars(tmp_path):
    top = make(tmp_path, T1=["0.nii", "0.json", "notes.txt", ".DS_Store"], PET=["0.nii"], figures=["a.png"])
    (top / "README").touch()
    (top / "x.nii.gz").touch()
    notes = survey_subjects(top).notes
    assert notes == (
        "These folders hold no NIfTI files and were passed over: figures.",
        "These images lie beside the folders and were passed over: x.nii.gz.",
        "These are no NIfTI files and were passed over: T1/notes.txt.",
    )


def test_every_file_without_partner_is_named(tmp_path):
    top = make(tmp_path, T1=["0.nii", "1.nii", "2.nii"], T2=["0.nii", "2.nii"], PET=["0.nii", "1.nii", "3.nii"])
    told = refused(top)
    assert "T1/1.nii (not in T2), T1/2.nii (not in PET), PET/3.nii (not in T1, T2)" in told
    assert "1 of 4 names are in all of T1, T2, PET" in told
    assert "If a folder is no contrast, name those that are." in told


def test_many_files_without_partner_are_counted(tmp_path):
    told = refused(make(tmp_path, MRI=[f"{i}.nii" for i in range(20)], PET=["x.nii"]))
    assert "MRI/11.nii (not in PET) and 9 more; no name is in all of MRI, PET." in told


def test_masks_must_be_complete(tmp_path):
    told = refused(make(tmp_path, MRI=["0.nii", "1.nii"], PET=["0.nii", "1.nii"], mask=["0.nii"]))
    assert "MRI/1.nii (not in mask)" in told


def test_two_files_of_one_name(tmp_path):
    told = refused(make(tmp_path, MRI=["0.nii", "0.nii.gz"], PET=["0.nii"]))
    assert "two files of one name: 0.nii and 0.nii.gz. Which of them counts is unknown" in told


def test_prediction_takes_pets_where_there_are_some(tmp_path):
    top = make(tmp_path, MRI=["0.nii", "1.nii"], PET=["1.nii", "2.nii"])
    found = survey_subjects(top, needs_pet=False)
    assert [one.pet is not None for one in found.subjects] == [False, True]
    assert found.notes == ("These PETs have no MRI and were passed over: PET/2.nii.",)
    assert len(find_subjects(make(tmp_path / "new", T1=["0.nii"]), needs_pet=False)) == 1


@pytest.mark.parametrize(
    ("folders", "told"),
    [
        ({}, "the folder is empty"),
        ({"MRI": ["0.nii"]}, "there is no folder named PET. Found were MRI."),
        ({"PET": ["0.nii"]}, "there is no folder with images of an MRI. Found were PET."),
        ({"MRI": ["0.nii"], "PET": []}, "there are no NIfTI files"),
        ({"MRI": ["0.nii"], "PET": ["0.nii"], "mask": [], "masks": []}, "2 folders of masks, mask and masks."),
        ({"MRI__T1": ["0.nii"], "PET": ["0.nii"]}, "holds further folders (T1) instead of images"),
        ({"train__MRI": ["0.nii"], "test__PET": ["0.nii"]}, "this is the dataset as a whole: it holds train and test."),
    ],
)
def test_other_layouts_are_refused(tmp_path, folders, told):
    assert told in refused(make(tmp_path, **folders))


def test_the_dataset_as_a_whole_says_what_to_give(tmp_path):
    assert "Give DATA/train or DATA/test." in refused(make(tmp_path, train=[], test=[]))


def test_a_contrast_given_twice_a_file_and_nothing(tmp_path):
    top = make(tmp_path, MRI=["0.nii"], PET=["0.nii"])
    with pytest.raises(InputError, match="MRI is named twice"):
        find_subjects(top, contrasts=("MRI", "MRI"))
    with pytest.raises(InputError, match="this is a file, and a folder is needed"):
        find_subjects(top / "MRI" / "0.nii")
    with pytest.raises(InputError, match="there is no such folder"):
        find_subjects(top / "nowhere")
    with pytest.raises(InputError, match="holds images itself"):
        find_subjects(top / "MRI")


def test_splits_from_the_dataset_or_from_themselves(tmp_path):
    make(tmp_path, Train__MRI=["0.nii"], test__MRI=["0.nii"])
    assert split_folder(tmp_path, "train") == tmp_path / "Train"
    assert split_folder(tmp_path / "Train", "train") == tmp_path / "Train"
    plain = make(tmp_path / "cohort", T1=["0.nii"], PET=["0.nii"])
    assert split_folder(plain, "test") == plain


def test_the_other_split_is_not_taken_for_the_one_asked_for(tmp_path):
    make(tmp_path, train__MRI=["0.nii"])
    with pytest.raises(InputError, match=r"there is no folder named test beside train"):
        split_folder(tmp_path, "test")
    with pytest.raises(InputError, match=r"this is the folder train, and test is needed"):
        split_folder(tmp_path / "train", "test")
    (tmp_path / "nothing").mkdir()
    with pytest.raises(InputError, match=r"there is no folder named test in it. The folder is empty."):
        split_folder(tmp_path / "nothing", "test")
