"""Statistics of maps in territories against numpy, on resampled and flipped grids, and what is refused."""

import csv
import json

import nibabel
import numpy as np
import pytest

from PyPeTLib.cli import main
from PyPeTLib.compare import MapImage
from PyPeTLib.compare.described import read_maps
from PyPeTLib.compare.labelmaps import (
    LabelNames,
    Territory,
    check_sides,
    make_labelmap,
    paired,
    read_label_names,
    read_labelmap,
    side_of_name,
    split_by_plane,
)
from PyPeTLib.compare.territories import measured_territories, territory_rows, territory_table
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid
from PyPeTLib.maps import QUANTITIES, ParameterMap, PerfusionMaps
from PyPeTLib.masking import MidsagittalPlane

GRID = Grid((16, 12, 6), np.array([[2.0, 0, 0, -15], [0, 2, 0, -11], [0, 0, 4, 0], [0, 0, 0, 1]]))
NAMES = {1: "MCA left", 2: "MCA right", 3: "Brain stem"}


def blocks(shape=GRID.shape):
    """A territory on each side, and one in the middle."""
    labels = np.zeros(shape, np.int32)
    labels[1:5, 2:10, 1:5] = 1
    labels[11:15, 2:10, 1:5] = 2
    labels[6:10, 4:8, 2:4] = 3
    return labels


def random_map(seed=0, **options):
    values = np.random.default_rng(seed).gamma(4, 10, GRID.shape).astype(np.float32)
    return MapImage(values=values, affine=GRID.affine, **options)


def rows_of(table):
    return {(row["map"], row["label"], row.get("side", "")): row for row in territory_rows(table)}


def save(path, values, affine=GRID.affine, dtype=np.float32, **sidecar):
    nibabel.save(nibabel.Nifti1Image(values.astype(dtype), affine), path)
    if sidecar:
        path.with_name(path.name.removesuffix(".nii.gz") + ".json").write_text(json.dumps(sidecar))
    return path


# ---- statistics


def test_figures_are_those_of_numpy():
    labels, valid = blocks(), np.random.default_rng(1).random(GRID.shape) > 0.3
    image = random_map(valid=valid, unit="ml/100g/min")
    table = territory_table({"cbf": image}, make_labelmap(labels, GRID, LabelNames(names=NAMES)))
    means = {}
    for label, name in NAMES.items():
        side = {1: "left", 2: "right"}.get(label, "")
        row, content = rows_of(table)["cbf", label, side], image.values[(labels == label) & valid].astype(np.float64)
        means[label] = content.mean()
        assert row["name"] == name
        assert row["unit"] == "ml/100g/min"
        assert row["voxels"] == content.size
        assert row["volume_ml"] == pytest.approx(content.size * 0.016)
        assert row["valid_share"] == pytest.approx(content.size / np.count_nonzero(labels == label))
        assert row["covered_share"] == 1
        assert row["mean"] == pytest.approx(content.mean())
        assert row["sd"] == pytest.approx(content.std(ddof=1))
        assert row["median"] == pytest.approx(np.median(content))
        assert (row["p05"], row["p95"]) == pytest.approx(tuple(np.percentile(content, (5, 95))))
        assert (row["minimum"], row["maximum"]) == pytest.approx((content.min(), content.max()))
    index = 200 * (means[1] - means[2]) / (means[1] + means[2])
    assert rows_of(table)["cbf", 1, "left"]["asymmetry_percent"] == pytest.approx(index)
    assert rows_of(table)["cbf", 2, "right"]["asymmetry_percent"] == pytest.approx(index)
    assert "asymmetry_percent" not in rows_of(table)["cbf", 3, ""]


@pytest.mark.parametrize("flips", [(True, False, False), (False, True, True), (True, True, True)])
def test_the_order_of_the_axes_plays_no_part(flips):
    labels, image = blocks(), random_map()
    steps = tuple(slice(None, None, -1 if flip else 1) for flip in flips)
    turn = np.diag([*(-1.0 if flip else 1.0 for flip in flips), 1])
    turn[:3, 3] = [n - 1 if flip else 0 for n, flip in zip(GRID.shape, flips, strict=True)]
    turned = make_labelmap(labels[steps].transpose(2, 0, 1), Grid((6, 16, 12), (GRID.affine @ turn)[:, [2, 0, 1, 3]]))
    table, usual = (
        territory_table({"cbf": image}, labelmap, background="none")
        for labelmap in (turned, make_labelmap(labels, GRID))
    )
    assert table.rows == usual.rows


def test_a_finer_labelmap_is_brought_onto_the_maps_grid():
    fine = np.repeat(np.repeat(blocks(), 3, axis=0), 2, axis=2)
    affine = GRID.affine @ np.diag([1 / 3, 1, 1 / 2, 1])
    affine[:3, 3] = GRID.affine[:3, 3] - [2 / 3, 0, 1]
    image = random_map()
    table, usual = (
        territory_table({"cbf": image}, labelmap, background="none")
        for labelmap in (make_labelmap(fine, Grid(fine.shape, affine)), make_labelmap(blocks(), GRID))
    )
    assert table.rows == usual.rows


def test_a_coarser_labelmap_counts_voxels_of_the_map():
    coarse = Grid((8, 6, 6), GRID.affine @ np.array([[2, 0, 0, 0.5], [0, 2, 0, 0.5], [0, 0, 1, 0], [0, 0, 0, 1]]))
    labels = np.zeros(coarse.shape, np.int32)
    labels[2, 3, 1] = 9
    row = rows_of(territory_table({"cbf": random_map()}, make_labelmap(labels, coarse)))["cbf", 9, ""]
    assert (row["voxels"], row["name"]) == (4, "label 9")


def test_what_lies_outside_the_maps_field_of_view_is_told():
    moved = GRID.affine.copy()
    moved[2, 3] -= 8
    table = territory_table({"cbf": random_map()}, make_labelmap(blocks(), Grid(GRID.shape, moved)))
    assert rows_of(table)["cbf", 1, ""]["covered_share"] == pytest.approx(0.75)
    assert rows_of(table)["cbf", 3, ""]["covered_share"] == pytest.approx(1)
    assert "cbf does not cover all of label 1, label 2." in table.note


def test_a_territory_without_values_has_none():
    image = random_map(valid=blocks() == 2)
    rows = rows_of(territory_table({"cbf": image}, make_labelmap(blocks(), GRID, LabelNames(names=NAMES))))
    assert (rows["cbf", 1, "left"]["voxels"], rows["cbf", 1, "left"]["mean"]) == (0, None)
    assert "asymmetry_percent" not in rows["cbf", 2, "right"]


def test_units_and_scale_are_told():
    table = territory_table(
        {"cbf": random_map(), "cbv": random_map(unit="ml/100g")},
        make_labelmap(blocks(), GRID),
        units={"cbv": "ml/100g (uncalibrated)"},
    )
    assert rows_of(table)["cbv", 1, ""]["unit"] == "ml/100g (uncalibrated)"
    assert "The unit of cbf is not known." in table.note


def test_maps_of_a_run(tmp_path):
    values, valid = random_map().values, blocks() > 0
    content = {
        "cbf": ParameterMap(
            quantity=QUANTITIES["cbf"], values=values, valid=valid, affine=GRID.affine, calibrated=False
        ),
        "tmax": ParameterMap(quantity=QUANTITIES["tmax"], values=values, valid=valid, affine=GRID.affine),
    }
    path = save(tmp_path / "labels.nii.gz", np.where(blocks() == 3, 0, blocks() > 0), dtype=np.uint8)
    plane = MidsagittalPlane(normal=np.array([1.0, 0, 0]), offset=0.0)
    table, rows = measured_territories(PerfusionMaps(maps=content, quality_mask=valid), path, plane=plane)
    assert [(row["map"], row["side"]) for row in rows] == [
        *(("cbf", "left"), ("cbf", "right"), ("tmax", "left"), ("tmax", "right"))
    ]
    assert rows[0]["mean"] == pytest.approx(values[blocks() == 1].mean())
    assert {row[1] for row in table.rows} == {"ml/100g/min (uncalibrated)", "s"}


# ---- tissue alone


def stroke_on_the_right():
    """Flow of tissue, 40 on the left and 30 on the right, with an artery of 900 on the right and CSF on the left."""
    values, tissue = np.where(np.arange(16)[:, None, None] < 8, 40.0, 30.0) * np.ones(GRID.shape), blocks() > 0
    values[12, 4:6, 1:5], values[2, 2:8, 1:5] = 900.0, 1.0
    tissue[12, 4:6, 1:5] = tissue[2, 2:8, 1:5] = False
    return values.astype(np.float32), tissue


def test_vessels_and_csf_do_not_turn_the_sign_of_an_asymmetry(tmp_path):
    values, tissue = stroke_on_the_right()
    everywhere = np.ones(GRID.shape, bool)
    cbf = ParameterMap(quantity=QUANTITIES["cbf"], values=values, valid=everywhere, affine=GRID.affine)
    maps = PerfusionMaps(maps={"cbf": cbf}, quality_mask=everywhere)
    labels = save(tmp_path / "labels.nii.gz", blocks(), Labels={str(key): name for key, name in NAMES.items()})
    table, rows = measured_territories(maps, labels, within=tissue)
    assert (rows[0]["mean"], rows[1]["mean"], rows[1]["maximum"]) == pytest.approx((40, 30, 30))
    assert rows[0]["asymmetry_percent"] == pytest.approx(200 * 10 / 70)
    assert rows[0]["voxels"] == np.count_nonzero(tissue & (blocks() == 1))
    assert rows[0]["valid_share"] == pytest.approx(1 - 24 / 128)
    assert "grey and white matter alone; CSF, large vessels" in table.note
    table, rows = measured_territories(maps, labels)
    assert rows[0]["asymmetry_percent"] < 0
    assert "large vessels and CSF included" in table.note


@pytest.mark.parametrize("prefix", ["", "sub-01_ses-01_"])
def test_a_run_tells_its_tissue_to_the_command(tmp_path, capsys, prefix):
    values, tissue = stroke_on_the_right()
    run, other = tmp_path / "run", tmp_path / "mean.nii.gz"
    run.mkdir()
    classes = np.where(tissue, np.where(blocks() == 1, 5, np.where(blocks() == 2, 6, 1)), np.where(values > 500, 3, 2))
    # the files of a run have the axes of its input: here from right to left
    flip, flipped = GRID.affine @ np.diag([-1.0, 1, 1, 1]), slice(None, None, -1)
    flip[:3, 3] = (GRID.affine @ [15, 0, 0, 1])[:3]
    sidecar = {"Quantity": "Cerebral blood flow", "Symbol": "CBF", "Units": "ml/100g/min", "Calibrated": True}
    save(run / f"{prefix}cbf.nii.gz", values[flipped], flip, **sidecar)
    save(run / f"{prefix}tissue.nii.gz", classes[flipped], flip, np.uint8)
    mask = save(tmp_path / "half.nii.gz", np.broadcast_to(np.arange(6) < 3, GRID.shape), dtype=np.uint8)
    save(other, values)
    labels = save(tmp_path / "labels.nii.gz", blocks(), Labels={str(key): name for key, name in NAMES.items()})
    out, rule = tmp_path / "out.csv", ("--background", "none")

    def found(*arguments):
        assert main(["territories", *map(str, arguments), "--labels", str(labels), "--out", str(out), *rule]) == 0
        with out.open(newline="") as file:
            return {(row["map"], row["name"]): row for row in csv.DictReader(file)}, capsys.readouterr().out

    rows, note = found(run)
    assert float(rows["cbf", "MCA left"]["mean"]) == pytest.approx(40)
    assert float(rows["cbf", "MCA right"]["mean"]) == pytest.approx(30)
    assert "grey and white matter alone" in note
    assert "--mask" not in note
    rows, note = found(run, "--all-voxels")
    assert float(rows["cbf", "MCA right"]["maximum"]) == 900
    assert "large vessels and CSF included" in note
    rows, note = found(run, other)
    assert float(rows["mean", "MCA right"]["maximum"]) == 900
    assert float(rows["cbf", "MCA right"]["maximum"]) == 30
    assert "Counted of cbf are grey" in note
    assert "Counted of mean are all" in note
    assert "--mask" in note
    rows, note = found(run, other, "--mask", mask)
    assert int(rows["mean", "MCA left"]["voxels"]) == np.count_nonzero(blocks()[..., :3] == 1)
    assert int(rows["cbf", "MCA left"]["voxels"]) == np.count_nonzero((tissue & (blocks() == 1))[..., :3])
    assert "inside half.nii.gz" in note


def test_masks_and_classes_that_do_not_fit_are_refused(tmp_path, capsys):
    cbf = save(tmp_path / "cbf.nii.gz", random_map().values, Quantity="Cerebral blood flow", Units="ml/100g/min")
    labels = save(tmp_path / "labels.nii.gz", blocks())
    empty = save(tmp_path / "empty.nii.gz", np.zeros(GRID.shape))
    away = GRID.affine.copy()
    away[0, 3] = 500
    far = save(tmp_path / "far.nii.gz", blocks(), away)
    arguments = ["territories", str(cbf), "--labels", str(labels)]
    assert main([*arguments, "--mask", str(empty)]) == 2
    assert "empty" in capsys.readouterr().err
    assert main([*arguments, "--mask", str(far)]) == 2
    assert "do not overlap" in capsys.readouterr().err
    save(tmp_path / "tissue.nii.gz", blocks(), away)
    assert main(arguments) == 2
    assert "another grid" in capsys.readouterr().err


# ---- names and sides


def test_sides_that_do_not_fit_the_places_are_refused(tmp_path):
    image, names = random_map(), LabelNames(names=NAMES)
    mirrored = make_labelmap(blocks()[::-1], GRID, names, name="atlas.nii.gz")
    with pytest.raises(InputError, match=r"atlas.*MCA left \(label 1\) lies 20 mm to the patient's right of MCA right"):
        territory_table({"cbf": image}, mirrored)
    swapped = make_labelmap(blocks(), GRID, LabelNames(names={1: "MCA", 2: "MCA"}, sides={1: "right", 2: "left"}))
    with pytest.raises(InputError, match="names are swapped"):
        check_sides(swapped)
    with pytest.raises(InputError, match=r"pair 2, 1.*Give the left one first"):
        territory_table({"cbf": image}, make_labelmap(blocks(), GRID), pairs=[(2, 1)])
    # a pair that is given wins over the names; positions are those of the world, not of the axes
    check_sides(mirrored, [(2, 1)])
    turned = GRID.affine @ np.diag([-1.0, 1, 1, 1])
    check_sides(make_labelmap(blocks()[::-1], Grid(GRID.shape, turned), names))
    with pytest.raises(InputError, match="flipped"):
        check_sides(make_labelmap(blocks(), Grid(GRID.shape, turned), names))


@pytest.mark.parametrize(
    ("name", "side", "base"),
    [
        ("MCA left", "left", "mca"),
        ("Right-Thalamus", "right", "thalamus"),
        ("ctx-lh-cuneus", "left", "ctx cuneus"),
        ("RightThalamus", "right", "thalamus"),
        ("Media rechts", "right", "media"),
        ("M1_L", "left", "m 1"),
        ("L_right", "right", "l"),
        ("L_left", "left", "l"),
        ("L", "", "l"),
        ("left or right", "", "left or right"),
        ("Artère cérébrale", "", "artère cérébrale"),
        ("Brain stem", "", "brain stem"),
    ],
)
def test_sides_are_read_from_names(name, side, base):
    assert side_of_name(name) == (side, base)


def test_pairs_by_name_and_by_table():
    def territories(*names):
        return {i: Territory(label=i, name=name, **_side(name)) for i, name in enumerate(names, start=1)}

    def _side(name):
        side, base = side_of_name(name)
        return {"side": side, "base": base}

    named = territories("left ACA", "ACA, right", "PCA l", "stem", "MCA left", "MCA left", "MCA right")
    assert paired(named) == {1: 2, 2: 1}
    assert paired(named, [(3, 4)]) == {1: 2, 2: 1, 3: 4, 4: 3}
    assert paired(named, [(7, 6)])[6] == 7
    with pytest.raises(InputError, match="label 12"):
        paired(named, [(1, 12)])
    with pytest.raises(InputError, match="two pairs"):
        paired(named, [(1, 2), (2, 3)])
    image = random_map()
    table = territory_table({"cbf": image}, make_labelmap(blocks(), GRID), pairs=[(1, 2)])
    left, right = image.values[blocks() == 1].mean(), image.values[blocks() == 2].mean()
    assert rows_of(table)["cbf", 1, "left"]["asymmetry_percent"] == pytest.approx(
        200 * (left - right) / (left + right), rel=1e-5
    )


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (".json", '{"1": "MCA left", "2": "MCA right", "3": "Brain stem"}'),
        (".json", '{"Labels": {"1": {"Name": "MCA left"}, "2": {"Name": "MCA right"}, "3": {"Name": "Brain stem"}}}'),
        (".csv", "label,name\n1,MCA left\n2,MCA right\n3,Brain stem\n"),
        (".csv", "1;MCA left\n2;MCA right\n3;Brain stem\n"),
        (".tsv", "# a comment\nindex\tcolour\tname\n1\tred\tMCA left\n2\tblue\tMCA  right\n3\tred\tBrain stem\n"),
    ],
)
def test_names_come_in_several_forms(tmp_path, suffix, text):
    file = tmp_path / f"names{suffix}"
    file.write_text(text)
    assert read_label_names(file).names == NAMES


def test_a_column_tells_the_side(tmp_path):
    file = tmp_path / "names.csv"
    file.write_text("label,territory,side\n1,MCA,left\n2,MCA,R\n3,stem,\n")
    labelmap = make_labelmap(blocks(), GRID, read_label_names(file))
    assert paired(labelmap.territories) == {1: 2, 2: 1}


@pytest.mark.parametrize(
    ("suffix", "text", "message"),
    [
        (".csv", "label,name\n1,A\n1,B\n", "named twice"),
        (".csv", "label,name\none,A\n", "no whole number"),
        (".csv", "number,word\n1,A\n", "a column label and a column name"),
        (".csv", "label,name,side\n1,A,up\n", "left or right"),
        (".csv", "", "empty"),
        (".json", "[1, 2]", "object"),
        (".json", "{", "JSON"),
        (".xml", "<a/>", "JSON, TSV or CSV"),
    ],
)
def test_bad_names_are_refused(tmp_path, suffix, text, message):
    file = tmp_path / f"names{suffix}"
    file.write_text(text)
    with pytest.raises(InputError, match=message):
        read_label_names(file)


def test_labels_and_names_that_do_not_fit_are_told():
    names = LabelNames(names={1: "MCA left", 7: "Insula"})
    assert make_labelmap(blocks(), GRID, names).notes == (
        "No name was given for labels 2, 3.",
        "the labelmap has no voxel of label 7 (Insula).",
    )


def test_the_plane_parts_territories_without_a_side():
    labels = np.where(blocks() > 0, 5, 0)
    labels[0, 0, 0] = 6
    plane = MidsagittalPlane(normal=np.array([1.0, 0, 0]), offset=0.0)
    labelmap = split_by_plane(make_labelmap(labels, GRID, LabelNames(names={5: "all", 6: "corner right"})), plane)
    image = random_map()
    rows = rows_of(territory_table({"cbf": image}, labelmap))
    left = image.values[(labels == 5) & (np.arange(16) < 8)[:, None, None]].mean()
    assert rows["cbf", 5, "left"]["mean"] == pytest.approx(left, rel=1e-5)
    assert rows["cbf", 5, "right"]["asymmetry_percent"] == rows["cbf", 5, "left"]["asymmetry_percent"]
    # one that has a side already keeps it
    assert rows["cbf", 6, "right"]["voxels"] == 1


# ---- files and the command


def test_what_is_no_labelmap_is_refused(tmp_path):
    with pytest.raises(InputError, match="between whole numbers"):
        read_labelmap(save(tmp_path / "soft.nii.gz", blocks() * 0.5))
    with pytest.raises(InputError, match="no territory"):
        read_labelmap(save(tmp_path / "empty.nii.gz", np.zeros(GRID.shape)))
    with pytest.raises(InputError, match="from -1"):
        read_labelmap(save(tmp_path / "below.nii.gz", blocks() - 1))
    away = GRID.affine.copy()
    away[0, 3] = 500
    with pytest.raises(InputError, match=r"(?s)do not overlap.*labels: 16×12×6"):
        territory_table({"cbf": random_map()}, read_labelmap(save(tmp_path / "away.nii.gz", blocks(), away)))


def test_sidecars_tell_names_units_and_masks(tmp_path):
    labels = save(tmp_path / "labels.nii.gz", blocks(), Labels={str(key): name for key, name in NAMES.items()})
    assert [one.name for one in read_labelmap(labels).territories.values()] == list(NAMES.values())
    run = tmp_path / "run"
    run.mkdir()
    valid = blocks() != 1
    save(run / "valid_mask.nii.gz", valid, dtype=np.uint8)
    save(run / "cbf.nii.gz", random_map().values, Quantity="CBF", Units="ml/100g/min", Calibrated=False,
         ValidMask="valid_mask.nii.gz")  # fmt: skip
    save(run / "tissue.nii.gz", blocks(), Labels={"1": "x"})
    other = save(tmp_path / "cbf.nii.gz", random_map().values)
    maps = read_maps([run, other])
    assert list(maps) == ["run/cbf", f"{tmp_path.name}/cbf"]
    assert maps["run/cbf"].unit == "ml/100g/min (uncalibrated)"
    np.testing.assert_array_equal(maps["run/cbf"].image.valid, valid)
    with pytest.raises(InputError, match="twice"):
        read_maps([run, run / "cbf.nii.gz"])
    with pytest.raises(InputError, match="no maps"):
        read_maps([tmp_path])
    (run / "valid_mask.nii.gz").unlink()
    with pytest.raises(InputError, match="not beside it"):
        read_maps([run])


def test_maps_have_the_names_that_runs_give_them(tmp_path):
    runs = tmp_path / "one", tmp_path / "two"
    for i, run in enumerate(runs, start=1):
        run.mkdir()
        for name, symbol in (("cbf", "CBF"), ("cbf_relative", "CBF"), ("tmax", "Tmax"), ("cbf_sd", "SD CBF")):
            save(run / f"sub-0{i}_ses-01_{name}.nii.gz", random_map().values, Quantity="x", Symbol=symbol, Units="1")
    alone = save(tmp_path / "sub-03_run-1_mtt.nii.gz", random_map().values)
    plain = save(tmp_path / "smoothed_mtt.nii.gz", random_map().values)
    assert set(read_maps([runs[0]])) == {"cbf", "cbf_relative", "tmax", "cbf_sd"}
    assert list(read_maps([alone, plain])) == ["mtt", "smoothed_mtt"]
    assert {name for name in read_maps(runs) if name.endswith("tmax")} == {"sub-01_ses-01_tmax", "sub-02_ses-01_tmax"}


def test_the_command_prints_and_writes(tmp_path, capsys):
    labels = save(tmp_path / "labels.nii.gz", blocks())
    cbf = save(tmp_path / "cbf.nii.gz", random_map().values, Units="ml/100g/min")
    names, out = tmp_path / "names.csv", tmp_path / "out.csv"
    names.write_text("label,name\n1,MCA left\n2,MCA right\n3,stem\n")
    arguments = ["territories", str(cbf), "--labels", str(labels), "--names", str(names)]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert "cbf [ml/100g/min]" in printed
    assert "MCA right" in printed
    assert main([*arguments, "--out", str(out)]) == 0
    lines = out.read_text().splitlines()
    assert lines[0].startswith("map,unit,label,name,side,voxels,volume_ml")
    assert len(lines) == 4
    assert main([*arguments, "--out", str(cbf)]) == 2
    assert "one of the inputs" in capsys.readouterr().err
    assert main(["territories", str(cbf), "--labels", str(cbf)]) == 2
    assert "nearest neighbour" in capsys.readouterr().err


def test_the_command_parts_at_the_middle_of_a_mask(tmp_path, capsys):
    labels = save(tmp_path / "labels.nii.gz", blocks() == 3)
    cbf = save(tmp_path / "cbf.nii.gz", random_map().values)
    x, y, _ = np.meshgrid(*(np.arange(n) for n in GRID.shape), indexing="ij")
    mask = save(tmp_path / "mask.nii.gz", np.hypot((x - 7.5) / 7, (y - 5.5) / 5) < 1)
    arguments = ["territories", str(cbf), "--labels", str(labels), "--split", "--out", str(tmp_path / "out.csv")]
    assert main(arguments) == 2
    assert "--mask" in capsys.readouterr().err
    assert main([*arguments, "--mask", str(mask)]) == 0
    rows = [line.split(",") for line in (tmp_path / "out.csv").read_text().splitlines()[1:]]
    assert [row[-12:-11] for row in rows] == [["16"], ["16"]]
