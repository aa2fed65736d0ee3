"""References on other grids, against SimpleITK, scikit-image and scipy; units, normalisation, background."""

import dataclasses
import itertools

import nibabel as nib
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from PyPeTLib.compare import METRICS, CompareOptions, MapImage, compare_maps, convert, read_map, table
from PyPeTLib.errors import InputError

from .oracles import figures, sitk_reference, sitk_resampled


def moved(affine, shape, *, degrees=(0, 0, 0), shift=(0, 0, 0), zoom=(1, 1, 1)):
    """A grid over the same volume, turned about its centre, shifted in mm and with other voxels."""
    voxels = np.array(shape)
    centre = affine[:3, :3] @ ((voxels - 1) / 2) + affine[:3, 3]
    result = np.eye(4)
    result[:3, :3] = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix() @ affine[:3, :3] @ np.diag(zoom)
    new = np.round(voxels / zoom).astype(int)
    result[:3, 3] = centre + shift - result[:3, :3] @ ((new - 1) / 2)
    return tuple(int(n) for n in new), result


GRIDS = {
    "shifted": {"shift": (3.3, -2.1, 4.0)},
    "rotated": {"degrees": (4, -3, 10)},
    "finer": {"zoom": (0.7, 0.7, 0.5)},
    "coarser": {"zoom": (1.4, 1.3, 1.1), "shift": (1, 1, 2)},
    "all": {"degrees": (-3, 5, -10), "zoom": (0.9, 1.2, 0.8), "shift": (-4, 2, 3)},
}


def compared(generated, reference, quantity="cbf", brain=None, **options):
    return compare_maps(quantity, generated, reference, brain=brain, options=CompareOptions(**options))


def as_expected(found, expected):
    # float32 values and windows; limits and errors are sums of many of them
    for name, value in expected.items():
        assert found.metrics[name] == pytest.approx(value, rel=2e-4, abs=2e-4), name


@pytest.mark.parametrize("way", ["as it is", "K flipped", "permuted", "part of the slices", "NaN background"])
@pytest.mark.parametrize("grid", GRIDS)
def test_any_grid_gives_the_figures_of_other_programs(head, grid, way) -> None:
    affine, brain, truth, noisy = head
    shape, other = moved(affine, truth.shape, **GRIDS[grid])
    values = sitk_resampled(truth, affine, shape, other).astype(np.float32)
    holds = sitk_resampled(brain.astype(float), affine, shape, other) >= 0.5
    values[~holds] = np.nan if way == "NaN background" else 0
    if way == "part of the slices":
        kept = slice(2, shape[2] - 2)
        values, holds = values[..., kept], holds[..., kept]
        other = other @ np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 2], [0, 0, 0, 1.0]])
    holds &= values != 0
    resampled, valid = sitk_reference(values, holds, other, truth.shape, affine)
    mask = valid & brain & (noisy != 0)
    image = MapImage(values=values, affine=other, unit="ml/100g/min")
    if way == "K flipped":
        flip = np.diag([1.0, 1, -1, 1])
        flip[2, 3] = values.shape[2] - 1
        image = MapImage(values=values[..., ::-1], affine=other @ flip, unit="ml/100g/min")
    elif way == "permuted":
        image = MapImage(values=values.transpose(2, 0, 1), affine=other[:, [2, 0, 1, 3]], unit="ml/100g/min")
    generated = MapImage(values=noisy, affine=affine, unit="ml/100g/min")
    found = compared(generated, image, brain=brain)
    assert np.array_equal(found.mask, mask)
    assert found.coverage.voxels == mask.sum()
    assert found.coverage.volume == pytest.approx(mask.sum() * abs(np.linalg.det(affine)) / 1000)
    assert np.abs(found.reference - resampled)[mask].max() < 5e-3
    as_expected(found, figures(noisy, resampled, mask))
    relative = compared(generated, image, brain=brain, normalisation="relative")
    normal = [volume / volume[mask].mean() - 1 for volume in (noisy, resampled)]
    as_expected(relative, figures(*normal, mask))
    assert relative.unit == "1"


@pytest.mark.parametrize("normalisation", ["absolute", "relative", "ratio"])
def test_identical_maps_agree_exactly(head, normalisation) -> None:
    affine, _, truth, noisy = head
    for values in (truth, noisy):
        found = compared(*2 * (MapImage(values=values, affine=affine),), normalisation=normalisation)
        ones = {"ncc", "pearson", "concordance", "ssim_brain", "ssim_with_background"}
        assert {name: found.metrics[name] for name in METRICS} == {name: float(name in ones) for name in METRICS}
        assert not found.difference.any()


def test_the_nearest_voxel_can_be_asked_for(head) -> None:
    affine, brain, truth, noisy = head
    shape, other = moved(affine, truth.shape, shift=(0.9, 0.4, 2.0))
    values = np.random.default_rng(0).uniform(1, 2, shape).astype(np.float32) + sitk_resampled(
        truth, affine, shape, other
    ).astype(np.float32)
    found = compared(
        MapImage(values=noisy, affine=affine, valid=brain),
        MapImage(values=values, affine=other),
        interpolation="nearest",
    )
    assert np.isin(found.reference[found.mask], values).all()


def test_figures_do_not_depend_on_the_order_of_the_axes(head) -> None:
    affine, brain, truth, noisy = head
    shape, other = moved(affine, truth.shape, degrees=(0, 0, 7), shift=(2, 1, 1))
    reference = sitk_resampled(truth, affine, shape, other).astype(np.float32)
    plain = compared(MapImage(values=noisy, affine=affine), MapImage(values=reference, affine=other), brain=brain)
    flip = np.diag([-1.0, 1, -1, 1])
    for axes in itertools.permutations(range(3)):
        turned = [
            MapImage(
                values=values[::-1, :, ::-1].transpose(axes),
                affine=(place @ flip_of(flip, values.shape))[:, [*axes, 3]],
            )
            for values, place in ((noisy, affine), (reference, other))
        ]
        found = compared(*turned, brain=brain[::-1, :, ::-1].transpose(axes))
        assert found.metrics == pytest.approx(dict(plain.metrics), rel=1e-5, abs=1e-6)
        # volumes come back in the order of the generated map's own axes
        back = found.difference.transpose(np.argsort(axes))[::-1, :, ::-1]
        assert np.abs(back - plain.difference).max() < 1e-3
        assert found.affine is turned[0].affine


def flip_of(flip, shape):
    result = flip.copy()
    result[:3, 3] = np.where(np.diag(flip)[:3] < 0, np.array(shape) - 1, 0)
    return result


@pytest.mark.parametrize(
    ("quantity", "unit", "other", "factor"),
    [
        ("cbf", "ml/100g/min", "ml/100ml/min", 1.05),
        ("cbf", "ml/100g/min", "ml/g/s", 1 / 6000),
        ("cbf", "ml/100g/min", "1/s", 1.05 / 6000),
        ("cbv", "ml/100g", "ml/ml", 1.05 / 100),
        ("cbv", "ml/100g", "%", 1.05),
        ("tmax", "s", "ms", 1000),
    ],
)
def test_told_units_are_converted(head, quantity, unit, other, factor) -> None:
    affine, _, truth, noisy = head
    generated = MapImage(values=noisy, affine=affine, unit=unit)
    same = compared(generated, MapImage(values=truth, affine=affine, unit=unit), quantity)
    found = compared(generated, MapImage(values=truth * np.float32(factor), affine=affine, unit=other), quantity)
    assert found.metrics == pytest.approx(dict(same.metrics), rel=1e-5, abs=1e-5)
    assert found.unit == unit
    assert any("converted" in note and other in note for note in found.notes)
    denser = compared(
        generated, MapImage(values=truth * np.float32(factor), affine=affine, unit=other), quantity, density=1.0
    )
    per_volume = other in ("ml/100ml/min", "1/s", "ml/ml", "%")
    assert (denser.metrics["bias"] != found.metrics["bias"]) == per_volume


def test_units_of_other_things_are_refused(head) -> None:
    affine, _, truth, noisy = head
    with pytest.raises(InputError, match=r"s cannot be converted into ml/100g/min, only into .*Check the units"):
        compared(
            MapImage(values=noisy, affine=affine, unit="ml/100g/min"), MapImage(values=truth, affine=affine, unit="s")
        )


@pytest.mark.parametrize(("factor", "would_fit"), [(1 / 100, "ml/g/min"), (1 / 6000, "ml/g/s")])
def test_a_unit_that_was_not_told_is_not_guessed(head, factor, would_fit) -> None:
    affine, _, truth, noisy = head
    generated = MapImage(values=noisy, affine=affine, unit="ml/100g/min", name="ours")
    reference = MapImage(values=truth * np.float32(factor), affine=affine, name="theirs")
    with pytest.raises(InputError, match=r"median of theirs is [\d.e+]+ times lower .*Tell the unit") as raised:
        compared(generated, reference)
    assert would_fit in str(raised.value)
    forced = compared(generated, reference, allow_mismatch=True)
    assert forced.metrics["bias"] == pytest.approx(float((noisy - truth * factor)[forced.mask].mean()), rel=1e-4)
    assert any("times lower" in note for note in forced.notes)
    relative = compared(generated, reference, normalisation="relative")
    assert relative.metrics["pearson"] == pytest.approx(forced.metrics["pearson"])


def test_a_scale_that_no_unit_explains_is_only_said(head) -> None:
    affine, _, truth, noisy = head
    generated = MapImage(values=noisy, affine=affine, unit="ml/100g/min")
    found = compared(generated, MapImage(values=truth * np.float32(31), affine=affine))
    assert any("times higher" in note and "No known unit explains it" in note for note in found.notes)
    near = compared(generated, MapImage(values=truth * np.float32(8), affine=affine))
    assert not any("times higher" in note for note in near.notes)
    assert any("No unit was told for the reference" in note for note in near.notes)
    assert near.unit == ""


def test_normalisation_uses_the_common_voxels(head) -> None:
    affine, brain, truth, noisy = head
    half = np.where(np.arange(truth.shape[0])[:, None, None] < truth.shape[0] // 2, truth, 0)
    reference = MapImage(values=half * np.float32(3), affine=affine)
    found = compared(MapImage(values=noisy, affine=affine), reference, brain=brain, normalisation="relative")
    for volume in (found.generated, found.reference):
        assert float(volume[found.mask].mean(dtype=float)) == pytest.approx(0, abs=1e-5)
    assert not found.reference[~found.reference_valid].any()
    with pytest.raises(InputError, match=r"its mean over the compared voxels is -.*Compare absolute values"):
        compared(
            MapImage(values=noisy, affine=affine),
            MapImage(values=np.where(truth != 0, -truth - 1, 0), affine=affine),
            normalisation="relative",
            allow_mismatch=True,
        )


@pytest.mark.parametrize("value", [0.0, -1.0, -1024.0, 7.5])
def test_a_constant_background_is_no_value(head, value) -> None:
    affine, brain, truth, noisy = head
    generated = MapImage(values=noisy, affine=affine, valid=brain)
    reference = np.where(brain & (truth != 0), truth, np.float32(value))
    found = compared(generated, MapImage(values=reference, affine=affine, name="theirs"))
    assert np.array_equal(found.mask, brain & (reference != np.float32(value)))
    assert any(f"Voxels of {value:g} in theirs" in note for note in found.notes)
    everything = compared(generated, MapImage(values=reference, affine=affine), background="none", allow_mismatch=True)
    assert np.array_equal(everything.mask, brain)


def test_a_zero_inside_is_a_tmax_if_asked_for(head) -> None:
    affine, brain, truth, noisy = head
    holed = np.where(brain, truth + 1, 0)
    holed[34:38, 34:38, 5] = 0
    images = MapImage(values=noisy + 1, affine=affine, valid=brain), MapImage(values=holed, affine=affine)
    assert not compared(*images, "tmax").mask[34:38, 34:38, 5].any()
    assert compared(*images, "tmax", background="outside").mask[34:38, 34:38, 5].all()


def test_nan_infinity_and_given_validity(head) -> None:
    affine, brain, truth, noisy = head
    bad = truth.astype(np.float64)
    bad[30:32] = np.nan
    bad[40, 40] = np.inf
    bad[50, 30:40] = 1e300
    given = np.broadcast_to(np.arange(truth.shape[1])[:, None] > 25, truth.shape)
    found = compared(
        MapImage(values=noisy, affine=affine, valid=brain), MapImage(values=bad, affine=affine, valid=given)
    )
    assert np.array_equal(found.mask, brain & given & np.isfinite(bad) & (np.abs(bad) < 1e30))
    with pytest.raises(InputError, match="every voxel is NaN or infinite"):
        compared(
            MapImage(values=noisy, affine=affine),
            MapImage(values=np.full(truth.shape, np.nan), affine=affine, name="x"),
        )


def test_the_background_counts_in_the_papers_figure_only(head) -> None:
    affine, brain, truth, noisy = head
    found = []
    for margin in (0, 20, 60):
        around = ((margin, margin), (margin, margin), (0, 0))
        place = affine.copy()
        place[:3, 3] -= affine[:3, :2] @ [margin, margin]
        images = [MapImage(values=np.pad(values, around), affine=place) for values in (noisy, truth)]
        found.append(compared(*images, brain=np.pad(brain, around)).metrics)
    paper, ours = ([metrics[name] for metrics in found] for name in ("ssim_with_background", "ssim_brain"))
    assert paper[0] < paper[1] < paper[2]
    assert paper[2] > paper[0] + 0.05
    assert ours == pytest.approx([ours[0]] * 3, rel=1e-6)


def test_nothing_in_common_is_refused(head) -> None:
    affine, _, truth, noisy = head
    far = affine.copy()
    far[:3, 3] += [500, 0, 0]
    generated = MapImage(values=noisy, affine=affine, name="ours")
    with pytest.raises(InputError, match=r"far and ours have no place in common: they cover x .* mm.*Register"):
        compared(generated, MapImage(values=truth, affine=far, name="far"))
    near = affine.copy()
    near[:3, 3] += [0, 0, 80]
    with pytest.raises(InputError, match=r"share [\d.]+ ml, \d+% of the smaller of the two .*20% are asked for"):
        compared(generated, MapImage(values=truth, affine=near, name="near"))


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"values": np.zeros((4, 4))}, "one volume"),
        ({"valid": np.ones((2, 2, 2), bool)}, "the mask has shape"),
        ({"unit": "furlongs"}, "'furlongs' is not among the units of maps"),
        ({"affine": np.zeros((4, 4))}, "does not span a volume"),
        ({"values": np.full((4, 4, 4), "a")}, "a map holds numbers"),
    ],
)
def test_what_is_no_map_is_refused(changes, match) -> None:
    with pytest.raises(InputError, match=match):
        MapImage(**{"values": np.ones((4, 4, 4)), "affine": np.eye(4), **changes})


def test_what_does_not_fit_is_refused() -> None:
    image = MapImage(values=np.arange(64.0).reshape(4, 4, 4), affine=np.eye(4))
    with pytest.raises(InputError, match="'cbx' is no quantity"):
        compare_maps("cbx", image, image)
    with pytest.raises(InputError, match=r"brain mask has shape \(2, 2, 2\)"):
        compare_maps("cbf", image, image, brain=np.ones((2, 2, 2), bool))
    with pytest.raises(InputError, match="no value inside the brain mask"):
        compare_maps("cbf", image, image, brain=np.zeros((4, 4, 4), bool))


def test_tables_put_maps_side_by_side(head) -> None:
    affine, _, truth, noisy = head
    reference = MapImage(values=truth, affine=affine, unit="ml/100g/min")
    comparisons = [
        compared(MapImage(values=noisy, affine=affine, unit="ml/100g/min"), reference),
        compared(MapImage(values=noisy, affine=affine), dataclasses.replace(reference, unit=""), "mtt"),
    ]
    shown = table(comparisons)
    assert shown.columns == ("CBF", "MTT")
    rows = {row.name: row for row in shown.rows}
    assert list(rows)[: len(METRICS)] == list(METRICS)
    assert rows["mse"].units == ("(ml/100g/min)²", "")
    assert rows["bias"].values[0] == comparisons[0].metrics["bias"]
    assert rows["bias"].texts()[0].endswith(" ml/100g/min")
    assert rows["ncc"].units == ("1", "1")
    assert rows["data_range"].values == tuple(c.data_range for c in comparisons)
    assert rows["voxels"].values == tuple(float(c.coverage.voxels) for c in comparisons)


def test_maps_are_read_from_files_with_nan(tmp_path, head) -> None:
    affine, brain, truth, noisy = head
    values = np.where(brain, truth, np.nan)[..., ::-1]
    flipped = affine @ flip_of(np.diag([1.0, 1, -1, 1]), truth.shape)
    nib.save(nib.Nifti1Image(values.astype(np.float32), flipped), tmp_path / "theirs_CBF.nii.gz")
    image = read_map(tmp_path / "theirs_CBF.nii.gz", unit="ml / 100 g / min")
    assert image.unit == "ml/100g/min"
    assert image.name == "theirs_CBF.nii.gz"
    found = compared(MapImage(values=noisy, affine=affine, unit="ml/100ml/min"), image)
    direct = compared(
        MapImage(values=noisy, affine=affine),
        MapImage(values=convert(np.where(brain, truth, np.nan), "ml/100g/min", "ml/100ml/min"), affine=affine),
    )
    assert found.metrics == pytest.approx(dict(direct.metrics), rel=1e-5, abs=1e-5)
    nib.save(nib.Nifti1Image(np.zeros((3, 3, 3, 2), np.float32), affine), tmp_path / "series.nii")
    with pytest.raises(InputError, match="one volume"):
        read_map(tmp_path / "series.nii")
