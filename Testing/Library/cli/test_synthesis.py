"""``pypet synthesis``: what the commands write, that it repeats, and what they refuse."""

import csv
import json
import shutil

import nibabel as nib
import numpy as np
import pytest

from PyPeTLib.cli import main
from PyPeTLib.geometry import Grid, nearest_ras
from PyPeTLib.io import write_volume

CONTRASTS = ("T1", "T2", "FLAIR")
TRAINED = [
    "brain-template.nii.gz",
    "global-linear.npz",
    "patches-1.npz",
    "patches-8.npz",
    "summary.json",
    "template.nii.gz",
    "training.csv",
]


def synthesis(*arguments):
    return main(["synthesis", *map(str, arguments)])


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def contents(folder):
    return {name: (folder / name).read_bytes() for name in files(folder)}


def table(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Made heads, models of 64, 8 and 1 patches, and their evaluation, by the demonstration."""
    folder = tmp_path_factory.mktemp("synthesis") / "demo"
    assert synthesis("demo", folder, "--size", 24, "--train", 2, "--test", 2, "--seed", 2) == 0
    return folder


@pytest.fixture(scope="module")
def models(demo):
    folder = demo.parent / "models"
    assert synthesis("train", demo / "dataset", folder, "--patches", 8, 1, "--unit", "SUVR") == 0
    return folder


@pytest.fixture
def head(demo):
    """The first test subject's options for predict."""
    split = demo / "dataset" / "test"
    name = sorted(path.name for path in (split / "PET").iterdir())[0]
    given = [text for contrast in CONTRASTS for text in ("--contrast", f"{contrast}={split / contrast / name}")]
    return split, name, given


def test_training_writes_models_baselines_and_how_they_came_about(demo, models) -> None:
    assert files(models) == TRAINED
    summary = json.loads((models / "summary.json").read_text(encoding="utf-8"))
    assert summary["n_subjects"] == len(summary["subjects"]) == 2
    assert summary["unit"] == "SUVR"
    assert set(summary["models"]) == {"global-linear.npz", "patches-1.npz", "patches-8.npz"}
    course = table(models / "training.csv")
    assert {row["model"] for row in course} == {"P = 8", "P = 1", "global linear"}
    assert course[0]["sweep"] == "0"
    template = nib.load(models / "template.nii.gz")
    pet = nib.load(next((demo / "dataset" / "train" / "PET").iterdir()))
    np.testing.assert_allclose(template.affine, pet.affine, atol=1e-5)
    assert str(demo) not in (models / "summary.json").read_text(encoding="utf-8")


def test_the_same_data_give_the_same_bytes(demo, tmp_path) -> None:
    models, evaluation = tmp_path / "models", tmp_path / "evaluation"
    assert synthesis("train", demo / "dataset" / "train", models) == 0
    assert contents(models) == contents(demo / "models")
    assert synthesis("evaluate", models, demo / "dataset" / "test", evaluation) == 0
    assert contents(evaluation) == contents(demo / "evaluation")


def test_the_demonstration_evaluates_all_methods_and_says_what_it_proves(demo, tmp_path, capsys) -> None:
    found = demo / "evaluation"
    names = [path.name.removesuffix(".nii.gz") for path in sorted((demo / "dataset" / "test" / "PET").iterdir())]
    tables = ("fidelity_by_subject", "fidelity_paired", "fidelity_summary", "hypometabolic", "territories")
    expected = [f"{name}.csv" for name in (*tables, "territory_agreement")]
    expected += [f"errors/{name}_{kind}.nii.gz" for name in names for kind in ("absolute", "signed")]
    expected += [f"predictions/{name}.nii.gz" for name in names]
    expected += [f"figures/{name}.png" for name in (*names, "summary")]
    assert files(found) == sorted([*expected, "report.html", "summary.json", "tables.xlsx"])
    summary = json.loads((found / "summary.json").read_text(encoding="utf-8"))
    assert summary["methods"] == ["template", "brain template", "global linear", "P = 1", "P = 8", "P = 64"]
    assert summary["reference_method"] == "P = 64"
    for text in ("cannot appear", "favours the model"):
        assert any(text in warning for warning in summary["warnings"])
        assert text in (found / "report.html").read_text(encoding="utf-8")
    assert {row["subject"] for row in table(found / "hypometabolic.csv")} == set(names)


def test_an_evaluation_takes_territories_and_scores(demo, models, tmp_path, capsys) -> None:
    split = demo / "dataset" / "test"
    names = [path.name.removesuffix(".nii.gz") for path in sorted((split / "PET").iterdir())]
    pet = nib.load(split / "PET" / f"{names[0]}.nii.gz")
    grid = Grid(pet.shape, pet.affine)
    right = np.broadcast_to(np.arange(pet.shape[0])[:, None, None] * pet.affine[0, 0] + pet.affine[0, 3] > 0, pet.shape)
    write_volume(tmp_path / "atlas.nii.gz", nearest_ras(grid).to_ras(1.0 + right).astype(np.float32), nearest_ras(grid))
    (tmp_path / "names.csv").write_text("label,name\n1,half left\n2,half right\n", encoding="utf-8")
    lines = "".join(f"{name},{place}\n" for place, name in enumerate(names))
    (tmp_path / "clinic.csv").write_text(f"subject,nihss\n{lines}", encoding="utf-8")
    labels = ("--territories", tmp_path / "atlas.nii.gz", "--names", tmp_path / "names.csv")
    out, scores = tmp_path / "out", tmp_path / "clinic.csv"
    assert synthesis("evaluate", models / "patches-8.npz", demo / "dataset", out, *labels, "--scores", scores) == 0
    told = capsys.readouterr()
    assert "PSNR" in told.out
    assert {row["name"] for row in table(out / "territories.csv")} == {"half left", "half right"}
    assert {"scores.csv", "territories.csv"} <= set(files(out))
    scores.write_text("subject,nihss\nsomebody,3\n", encoding="utf-8")
    assert synthesis("evaluate", models, demo / "dataset", tmp_path / "no", "--scores", scores) == 2
    assert "Name subjects alike" in capsys.readouterr().err
    assert not (tmp_path / "no").exists()


def test_subjects_of_training_are_known_again(demo, models, tmp_path, capsys) -> None:
    shutil.copytree(demo / "dataset" / "train", tmp_path / "set" / "test")
    for folder in (tmp_path / "set" / "test").iterdir():
        sorted(folder.iterdir())[0].unlink()
    assert synthesis("evaluate", models, tmp_path / "set", tmp_path / "out") == 0
    assert "1 of 1 subjects" in capsys.readouterr().err
    assert "trained on" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_a_prediction_lies_on_the_grid_of_the_mri_and_says_what_it_is(models, head, tmp_path) -> None:
    split, name, given = head
    out = tmp_path / "out"
    assert synthesis("predict", models / "patches-8.npz", out, *given) == 0
    assert files(out) == [
        "figure.png",
        "hypometabolic.nii.gz",
        "summary.json",
        "synthetic_pet.json",
        "synthetic_pet.nii.gz",
    ]
    pet, mri = nib.load(out / "synthetic_pet.nii.gz"), nib.load(split / "T1" / name)
    np.testing.assert_allclose(pet.affine, mri.affine, atol=1e-5)
    assert pet.shape == mri.shape
    values = pet.get_fdata()
    assert values.min() == 0
    assert not values[mri.get_fdata() == 0].any()
    sidecar = json.loads((out / "synthetic_pet.json").read_text(encoding="utf-8"))
    assert "research use only" in sidecar["description"]
    assert (sidecar["unit"], sidecar["training_subjects"]) == ("SUVR", 2)
    assert any("cannot appear" in text for text in sidecar["limits"])


def test_a_flipped_file_gives_the_same_prediction_at_the_same_places(models, head, tmp_path) -> None:
    split, name, given = head
    flipped = []
    for contrast in CONTRASTS:
        image = nib.load(split / contrast / name)
        flip = np.diag([-1.0, 1, -1, 1])
        flip[[0, 2], 3] = np.subtract(image.shape, 1)[[0, 2]]
        # axes in another order, too
        data = image.get_fdata(dtype=np.float32)[::-1, :, ::-1].transpose(2, 0, 1)
        affine = (image.affine @ flip)[:, [2, 0, 1, 3]]
        nib.save(nib.Nifti1Image(data, affine), tmp_path / f"{contrast}.nii.gz")
        flipped += ["--contrast", f"{contrast}={tmp_path / contrast}.nii.gz"]
    for out, options in (("a", given), ("b", flipped)):
        assert synthesis("predict", models / "patches-8.npz", tmp_path / out, *options) == 0
    one, other = (nib.as_closest_canonical(nib.load(tmp_path / out / "synthetic_pet.nii.gz")) for out in "ab")
    np.testing.assert_allclose(one.affine, other.affine, atol=1e-4)
    np.testing.assert_allclose(one.get_fdata(), other.get_fdata(), atol=2e-3 * one.get_fdata().max())


def test_with_a_real_pet_errors_and_figures_are_written(models, head, tmp_path, capsys) -> None:
    split, name, given = head
    out = tmp_path / "out"
    assert synthesis("predict", models / "patches-8.npz", out, *given, "--pet", split / "PET" / name) == 0
    assert {"error_absolute.nii.gz", "error_signed.nii.gz", "metrics.csv"} <= set(files(out))
    pet, signed, size, real = (
        nib.load(path).get_fdata()
        for path in (
            *(out / f"{n}.nii.gz" for n in ("synthetic_pet", "error_signed", "error_absolute")),
            split / "PET" / name,
        )
    )
    np.testing.assert_allclose(signed, pet - real, atol=1e-6)
    np.testing.assert_array_equal(size, np.abs(signed))
    assert {(row["scope"], row["metric"]) for row in table(out / "metrics.csv")} >= {
        ("mask", "ncc"),
        ("volume", "psnr"),
    }
    assert "against the real PET" in capsys.readouterr().out


def test_a_folder_of_heads_is_predicted_head_by_head(models, head, tmp_path) -> None:
    split, _, _ = head
    names = sorted(path.name.removesuffix(".nii.gz") for path in (split / "T1").iterdir())
    assert synthesis("predict", models / "patches-1.npz", tmp_path / "out", "--subjects", split) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if path.is_dir()) == names


def test_bad_use_is_told_and_leaves_nothing_behind(demo, models, head, tmp_path, capsys) -> None:
    split, name, given = head
    model, out = models / "patches-8.npz", tmp_path / "out"
    cases = (
        (("predict", models, out, *given), "holds several models"),
        (("predict", model, out, *given[:4]), "FLAIR is missing"),
        (("predict", model, out, *given, "--contrast", "T1"), "NAME=FILE"),
        (("predict", model, out, *given, "--contrast", given[1]), "twice"),
        (("predict", model, out), "no MRI was given"),
        (("predict", model, out, *given, "--subjects", split), "--subjects takes"),
        (("predict", model, out, *given, "--pet", tmp_path / "no.nii.gz"), "no such file"),
        (("predict", tmp_path / "no.npz", out, *given), "no.npz"),
        (("evaluate", tmp_path, demo / "dataset", out), "no model"),
        (("evaluate", models, demo / "dataset" / "train", out), "test"),
        (("evaluate", models, demo / "dataset", out, "--names", name), "--names"),
        (("train", demo / "dataset", out, "--contrasts", "T1", "PD"), "PD"),
        (("train", demo / "dataset", out, "--features", "all"), "all"),
        (("train", demo / "dataset", models), "exists"),
    )
    for arguments, told in cases:
        assert synthesis(*arguments) == 2, arguments
        assert told in capsys.readouterr().err, arguments
        assert not out.exists()


def test_files_without_a_partner_and_misaligned_pets_are_named(demo, tmp_path, capsys) -> None:
    dataset = tmp_path / "dataset"
    shutil.copytree(demo / "dataset", dataset)
    pets = sorted((dataset / "train" / "PET").iterdir())
    image = nib.load(pets[0])
    moved = np.roll(image.get_fdata(dtype=np.float32), 3, axis=1)
    nib.save(nib.Nifti1Image(moved, image.affine), pets[0])
    assert synthesis("train", dataset, tmp_path / "out") == 2
    told = capsys.readouterr().err
    assert pets[0].name.removesuffix(".nii.gz") in told
    pets[1].unlink()
    assert synthesis("train", dataset, tmp_path / "out") == 2
    assert pets[1].name.removesuffix(".nii.gz") in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["", "train", "predict", "evaluate", "demo"])
def test_help_shows_examples_and_limits(command, capsys) -> None:
    with pytest.raises(SystemExit) as end:
        synthesis(*([command] if command else []), "--help")
    assert end.value.code == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "examples:" in told
    assert "Research use only" in told
