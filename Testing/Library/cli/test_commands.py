"""The smaller commands: `methods` and `phantom`."""

import subprocess
import sys
from pathlib import Path

import nibabel as nib
import pytest

from PyPeTLib.cli import main
from PyPeTLib.deconvolution import METHODS
from PyPeTLib.io import read_series


def test_methods_lists_every_method_and_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["methods"]) == 0
    printed = capsys.readouterr().out
    for entry in METHODS.entries():
        assert entry.summary in printed
        assert all(alias in printed for alias in entry.aliases)
    for name in ("bsw", "bidirectional", "quadratic-1.5t", "quadratic-3t"):
        assert f"  {name}" in printed
    assert "sigma = 3.0 mm:" in printed
    assert "latest_lag = 30.0 s:" in printed


def test_phantom_writes_a_series_that_can_be_read_and_its_truth(tmp_path: Path) -> None:
    out = tmp_path / "tiles"
    arguments = ["phantom", "tiles", str(out), "--residue", "box", "--frame-interval", "2", "--tile-size", "2"]
    assert main(arguments) == 0
    series = read_series(out / "tiles_ctp.nii.gz")
    assert (series.frame_times[1] - series.frame_times[0], series.n_frames) == (2.0, 75)
    assert nib.load(out / "truth/cbf.nii.gz").shape == series.array().shape[:3]
    assert main(arguments) == 2
    assert main([*arguments, "--overwrite"]) == 0


def test_a_reader_that_has_seen_enough_is_no_fault():
    command = f"'{sys.executable}' -m PyPeTLib methods | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["/bin/bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "deconvolution methods:\n"


def loaded(program: str) -> set[str]:
    """Modules that a program of one line has loaded at its end."""
    report = f"import sys, contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()):\n  {program}\n"
    command = [sys.executable, "-c", report + "print(*sys.modules)"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["methods", "--help"], ["run", "--help"]])
def test_help_and_version_wait_for_nothing_heavy(arguments: list[str]) -> None:
    program = f"from PyPeTLib.cli import main\n  with contextlib.suppress(SystemExit): main({arguments})"
    heavy = {"numpy", "scipy", "matplotlib", "PIL", "threadpoolctl", "tqdm"}
    modules = loaded(program)
    assert "PyPeTLib.cli.run" in modules
    assert not modules & heavy


def test_a_run_loads_no_part_of_scipy_that_it_does_not_need(ctp_file: Path, tmp_path: Path) -> None:
    arguments = ["run", str(ctp_file), str(tmp_path / "maps"), "--quiet", "--no-figures"]
    modules = loaded(f"from PyPeTLib.cli import main; assert main({arguments}) == 0")
    assert {"numpy", "scipy.ndimage", "scipy.optimize"} <= modules
    assert not modules & {f"scipy.{part}" for part in ("cluster", "integrate", "interpolate", "signal", "stats")}
    assert not modules & {"matplotlib", "PIL", "tqdm", "PyPeTLib.phantom"}
