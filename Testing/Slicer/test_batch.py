"""The batch script: the files of `pypet run` and a scene, an exit code always, nothing half-written."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest
import slicer

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "PyPeT" / "Scripts" / "pypet_batch.py"
MAPS = ("cbf", "cbv", "mtt", "ttp", "tmax")


@pytest.fixture(scope="module")
def batch():
    spec = importlib.util.spec_from_file_location("pypet_batch", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


def sequence_file(host, logic, path, folder):
    """The file as a sequence file, made the way a user would: loaded, then saved."""
    node = logic.loadFile(path)
    saved = folder / f"{path.name.removesuffix('.nii.gz')}.seq.nrrd"
    assert slicer.util.saveNode(node, str(saved))
    host.clear_scene()
    return saved


@pytest.mark.parametrize("kind", ["nifti", "sequence"])
@pytest.mark.parametrize("modality", ["ctp", "dsc"])
def test_files_equal_those_of_the_command_line(host, logic, batch, head_files, library_run, tmp_path, kind, modality):
    path = head_files(modality, "oblique")
    source = path if kind == "nifti" else sequence_file(host, logic, path, tmp_path)
    out = tmp_path / "out"
    code = batch(["--", "--input", str(source), "--output", str(out), "--relative", "--no-figures"])
    assert code == 0
    expected = library_run(modality, "oblique")
    made = {file.name for file in out.iterdir()}
    assert made == {file.name for file in expected.iterdir()} | {"scene.mrb"}
    for file in expected.glob("*.nii.gz"):
        ours, theirs = nibabel.load(out / file.name), nibabel.load(file)
        np.testing.assert_allclose(ours.affine, theirs.affine, atol=1e-3)
        np.testing.assert_allclose(np.asarray(ours.dataobj), np.asarray(theirs.dataobj), rtol=1e-4, atol=1e-4)
    if kind == "nifti":
        assert (out / "cbf.nii.gz").read_bytes() == (expected / "cbf.nii.gz").read_bytes()
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert summary["input"]["sha256"]
    assert summary["input"]["modality"] == modality


def test_the_scene_opens_with_maps_and_a_picture_of_the_series(host, batch, head_files, tmp_path):
    out = tmp_path / "out"
    assert batch(["--input", str(head_files("ctp")), "--output", str(out), "--no-figures", "--quiet"]) == 0
    host.clear_scene()
    host.load_scene(out / "scene.mrb")
    names = {node.GetName() for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")}
    assert names == {f"ras_ctp {m}" for m in ("CBF", "CBV", "MTT", "TTP", "Tmax", "baseline")}
    assert not slicer.util.getNodesByClass("vtkMRMLSequenceNode")
    (cbf,) = (n for n in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") if n.GetName().endswith("CBF"))
    expected = np.asarray(nibabel.load(out / "cbf.nii.gz").dataobj)
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(cbf).T, expected)
    named = {node.GetName(): node for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode")}
    assert {name: segment_ids(node) for name, node in named.items()} == {
        "ras_ctp segmentation": {"Brain", "AIF", "VOF", "CSF", "Large vessels"},
        "ras_ctp lesions": {"Core", "Penumbra", "Hypoperfused"},
    }
    table = slicer.util.getNode("ras_ctp lesion volumes")
    volumes = {table.GetCellText(row, 0).split(":")[0]: table.GetCellText(row, 1) for row in range(4)}
    facts = json.loads((out / "summary.json").read_text(encoding="utf-8"))["lesions"]
    assert float(volumes["Core"]) == pytest.approx(facts["core_ml"], abs=0.051)
    assert float(volumes["Mismatch (penumbra)"]) == pytest.approx(facts["mismatch_ml"], abs=0.051)


def segment_ids(segmentation):
    content = segmentation.GetSegmentation()
    return {content.GetNthSegmentID(index) for index in range(content.GetNumberOfSegments())}


def test_the_series_comes_along_where_asked_for(host, batch, head_files, tmp_path):
    out = tmp_path / "out"
    arguments = ["--input", str(head_files("dsc")), "--output", str(out), "--no-figures", "--quiet", "--with-series"]
    assert batch(arguments) == 0
    host.clear_scene()
    host.load_scene(out / "scene.mrb")
    (node,) = slicer.util.getNodesByClass("vtkMRMLSequenceNode")
    assert node.GetNumberOfDataNodes() == 40
    assert (node.GetIndexUnit(), node.GetNthIndexValue(2)) == ("s", "3")


def test_options_of_the_command_line_serve_a_sequence_file(host, logic, batch, head_files, tmp_path):
    source = sequence_file(host, logic, head_files("dsc"), tmp_path)
    times = tmp_path / "times.txt"
    times.write_text("\n".join(str(1.6 * i) for i in range(40)))
    out = tmp_path / "out"
    arguments = ["--input", str(source), "--output", str(out), "--quiet", "--no-figures", "--frame-times", str(times)]
    assert batch([*arguments, *["--echo-time", "0.035", "--method", "bsvd", "--smoothing-mm", "0", "--no-motion"]]) == 0
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert summary["input"]["frame_interval_s"] == pytest.approx([1.6, 1.6])
    assert summary["input"]["echo_time_s"] == 0.035
    assert summary["method"] == "bsvd"
    assert not summary["motion"]["corrected"]


BAD_CALLS = {
    "no such file": (["--input", "{tmp}/none.nii.gz", "--output", "{out}"], "there is no such file"),
    "no such sequence": (["--input", "{tmp}/none.seq.nrrd", "--output", "{out}"], "there is no such file"),
    "damaged sequence": (["--input", "{tmp}/bad.seq.nrrd", "--output", "{out}"], "cannot be read"),
    "truncated": (["--input", "{tmp}/bad_ctp.nii.gz", "--output", "{out}"], "truncated"),
    "unknown method": (["--input", "{good}", "--output", "{out}", "--method", "best"], "'best' is not among"),
    "wrong modality": (["--input", "{good}", "--output", "{out}", "--modality", "dsc"], "so it is CT"),
    "no input": (["--output", "{out}"], "--input"),
    "unknown option": (["--input", "{good}", "--output", "{out}", "--fast"], "--fast"),
    "mask elsewhere": (["--input", "{good}", "--output", "{out}", "--mask", "{other}"], "another grid"),
}


@pytest.fixture
def files(head_files, library_run, tmp_path):
    """A folder with damaged files, a good file, and a mask on another grid."""
    (tmp_path / "bad_ctp.nii.gz").write_bytes(head_files("ctp").read_bytes()[:20000])
    (tmp_path / "bad.seq.nrrd").write_bytes(b"NRRD0005\ntype: short\n")
    return tmp_path, head_files("ctp"), library_run("dsc") / "brain_mask.nii.gz"


@pytest.mark.parametrize(("arguments", "says"), BAD_CALLS.values(), ids=BAD_CALLS)
def test_bad_input_is_one_message_a_code_and_no_output(host, batch, files, describe, capsys, arguments, says):
    tmp_path, good, other = files
    out = tmp_path / "out"
    places = {"tmp": tmp_path, "out": out, "good": good, "other": other}
    before = describe(host.scene)
    code = batch([argument.format(**places) for argument in arguments])
    assert code == 2
    error = capsys.readouterr().err
    assert says in error
    assert "Traceback" not in error
    assert not out.exists()
    assert describe(host.scene) == before


def test_a_sequence_file_without_times_names_the_option(host, batch, heads, tmp_path, capsys):
    from PyPeTSlicer.loading import fill_sequence  # noqa: PLC0415 - beside its only use

    series = heads("ctp").series
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "untimed_ctp")
    fill_sequence(node, series.frames, series.orientation, None)
    path = tmp_path / "untimed_ctp.seq.nrrd"
    assert slicer.util.saveNode(node, str(path))
    host.clear_scene()
    assert batch(["--input", str(path), "--output", str(tmp_path / "out")]) == 2
    assert "--frame-interval S" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    arguments = ["--input", str(path), "--output", str(tmp_path / "out"), "--frame-interval", "1"]
    assert batch([*arguments, "--no-figures", "--quiet"]) == 0


def test_an_existing_folder_is_kept(batch, head_files, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("keep")
    assert batch(["--input", str(head_files("ctp")), "--output", str(out)]) == 2
    assert "exists" in capsys.readouterr().err
    assert [file.name for file in out.iterdir()] == ["mine.txt"]


def test_a_scene_with_somebodys_work_is_not_touched(host, batch, sequence, head_files, tmp_path, capsys, describe):
    sequence("ctp", name="Work")
    before = describe(host.scene)
    assert batch(["--input", str(head_files("ctp")), "--output", str(tmp_path / "out")]) == 2
    assert "needs an empty one" in capsys.readouterr().err
    assert describe(host.scene) == before
    assert not (tmp_path / "out").exists()


def test_one_run_after_another(host, batch, head_files, tmp_path):
    for modality in ("ctp", "dsc"):
        out = tmp_path / modality
        assert batch(["--input", str(head_files(modality)), "--output", str(out), "--no-figures", "--quiet"]) == 0
        assert not slicer.util.getNodesByClass("vtkMRMLVolumeNode")


def test_help_names_everything(batch, capsys):
    assert batch(["--help"]) == 0
    shown = capsys.readouterr().out
    for option in ("--input", "--output", "--echo-time", "--aif", "--with-series", "--method", "--config"):
        assert option in shown


PROGRAM = """
import os, sys
sys.path[:0] = [{testing!r}]
for name in ("nibabel", "skimage", "matplotlib", "PIL", "tqdm", "threadpoolctl", "SimpleITK"):
    sys.modules[name] = None
from host import Host
Host.start()
sys.argv = [{script!r}, "--", "--input", {source!r}, "--output", {out!r}, *{more!r}]
names = {{"__name__": "__main__", "__file__": {script!r}}}
try:
    exec(compile(open({script!r}, encoding="utf-8").read(), {script!r}, "exec"), names)
except SystemExit as end:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(end.code)
os._exit(99)
"""


def as_a_script(source, out, *more):
    """The script in a process of its own, with nothing but numpy, scipy and Slicer to import."""
    program = PROGRAM.format(
        testing=str(ROOT / "Testing"), script=str(SCRIPT), source=str(source), out=str(out), more=list(more)
    )
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=clean, check=False)


def test_the_main_job_needs_numpy_and_scipy_alone(head_files, library_run, tmp_path):
    done = as_a_script(head_files("dsc", "oblique"), tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("matplotlib is not installed, so there are no figures") == 1
    for name in (*MAPS, "brain_mask", "aif_mask"):
        made = (tmp_path / "out" / f"{name}.nii.gz").read_bytes()
        assert made == (library_run("dsc", "oblique") / f"{name}.nii.gz").read_bytes()
    assert (tmp_path / "out" / "scene.mrb").stat().st_size > 10_000


def test_the_script_always_ends_with_a_code(head_files, tmp_path):
    done = as_a_script(head_files("ctp"), tmp_path / "out", "--method", "best")
    assert done.returncode == 2, done.stdout + done.stderr
    done = as_a_script(head_files("ctp"), tmp_path / "out", "--help")
    assert done.returncode == 0
