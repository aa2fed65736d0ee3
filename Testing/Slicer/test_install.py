"""The module where it may lie: installed as an extension, as a module path added by hand, without its library."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

START = """
import json, os, runpy, sys
from pathlib import Path
sys.path.insert(0, {testing!r})
from host import Host
host = Host.start()

def end(code, **told):
    print("told " + json.dumps(told))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)

def origins():
    ours = {{name: module.__file__ for name, module in sys.modules.items() if name.startswith("PyPeT")}}
    return {{name: file for name, file in ours.items() if file}}
"""

RUN = """
module = host.load_module({module!r})
import slicer
from PyPeTSlicer.sample_data import add_phantom
host.startup_completed()
host.open_widget(module)
logic = module.PyPeTLogic()
parameters = logic.getParameterNode()
parameters.inputSequence = add_phantom("ctp", "Tiny", shape=(48, 48, 8))
logic.adopt(parameters)
outputs = logic.process(parameters)
host.assert_no_exceptions()
end(
    0,
    origins=origins(),
    greatest=float(slicer.util.arrayFromVolume(outputs.volumes["cbf"]).max()),
    colours=outputs.volumes["cbf"].GetDisplayNode().GetColorNode().GetName(),
    thumbnails=[source.thumbnailFileName for source in slicer.modules.sampleDataSources["PyPeT"]],
)
"""

LOAD = """
try:
    host.load_module({module!r})
except ModuleNotFoundError as error:
    end(0, missing=error.name, message=str(error))
end(1)
"""

SCRIPT = """
sys.argv = [{module!r}, "--", "--help"]
try:
    runpy.run_path({module!r}, run_name="__main__")
except SystemExit as stop:
    end(stop.code, origins=origins())
end(99)
"""


def told_by(program, module, folder):
    """What a host of its own tells at its end; nothing of this project but the host is on its path."""
    program = (START + program).format(testing=str(ROOT / "Testing"), module=str(module))
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "PYTHON"))}
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, env=clean, cwd=folder, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    *shown, last = done.stdout.splitlines()
    return json.loads(last.removeprefix("told ")) | {"shown": "\n".join(shown)}


def installed():
    """Each file of an installed extension and where it comes from, by the lists of the build system."""
    path = ROOT / "Testing" / "Library" / "test_packaging.py"
    spec = importlib.util.spec_from_file_location("test_packaging", path)
    packaging = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(packaging)
    return packaging.installed()


@pytest.fixture(scope="module")
def install_tree(tmp_path_factory):
    """The folder of an installed extension that Slicer takes modules from."""
    folder = tmp_path_factory.mktemp("extension") / "qt-scripted-modules"
    for name, source in installed().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, folder / name)
    return folder


def assert_run(told, module_folder, library):
    assert told["greatest"] > 5
    assert told["colours"] == "PyPeT-Perfusion"
    assert len(told["thumbnails"]) == 2
    for file in told["thumbnails"]:
        assert Path(file).parent == module_folder / "Resources" / "Icons"
        assert Path(file).is_file()
    assert_origins(told["origins"], module_folder, library)


def assert_origins(origins, module_folder, library):
    assert {"PyPeTLib.pipeline", "PyPeTSlicer.outputs"} <= origins.keys()
    for name, file in origins.items():
        assert Path(file).is_relative_to(library if name.startswith("PyPeTLib") else module_folder), name


def test_an_installed_extension_runs_on_its_own_files(install_tree, tmp_path):
    told = told_by(RUN, install_tree / "PyPeT.py", tmp_path)
    assert_run(told, install_tree, install_tree / "PyPeTLib")


def test_a_module_path_added_by_hand_finds_the_library_beside_it(tmp_path):
    told = told_by(RUN, ROOT / "PyPeT" / "PyPeT.py", tmp_path)
    assert_run(told, ROOT / "PyPeT", ROOT / "PyPeTLib")


def test_without_the_library_the_error_names_it(install_tree, tmp_path):
    alone = tmp_path / "qt-scripted-modules"
    shutil.copytree(install_tree, alone, ignore=shutil.ignore_patterns("PyPeTLib", "__pycache__"))
    told = told_by(LOAD, alone / "PyPeT.py", tmp_path)
    assert told["missing"] == "PyPeTLib"
    assert "PyPeTLib" in told["message"]


def test_the_batch_script_runs_where_it_is_installed(install_tree, tmp_path):
    told = told_by(SCRIPT, install_tree / "Scripts" / "pypet_batch.py", tmp_path)
    assert "--input" in told["shown"]
    assert_origins(told["origins"], install_tree, install_tree / "PyPeTLib")
