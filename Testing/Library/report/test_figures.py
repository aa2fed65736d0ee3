"""All figures of a run as files."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from PyPeTLib.errors import CancelledError, InputError
from PyPeTLib.execution import Execution
from PyPeTLib.report import write_figures

NAMES = ["cbf", "cbv", "mtt", "ttp", "tmax", "summary", "mask", "bolus", "aif", "motion"]


@pytest.mark.parametrize(
    "fixture", ["ct_result", "dsc_result", "no_bolus_result", "downsampled_result", "partly_analysed_result"]
)
def test_every_figure_is_written_readable_and_small(fixture, request, tmp_path):
    paths = write_figures(request.getfixturevalue(fixture), tmp_path / "new" / "figures")
    assert [path.name for path in paths] == [f"{name}.png" for name in NAMES]
    assert sorted(paths) == sorted((tmp_path / "new" / "figures").iterdir())
    for path in paths:
        assert path.stat().st_size < 400_000
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("L"))
        assert 1000 <= pixels.shape[1] <= 2400
        assert pixels.std() > 5


def test_bytes_do_not_depend_on_the_run_or_on_the_threads(ct_result, tmp_path):
    runs = [
        [path.read_bytes() for path in write_figures(ct_result, tmp_path / str(i), Execution(threads=threads))]
        for i, threads in enumerate((1, 1, 4))
    ]
    assert runs[0] == runs[1] == runs[2]


def test_a_run_without_an_artery_still_has_all_figures(ct_result, tmp_path):
    result = dataclasses.replace(ct_result, aif=None)
    assert all(path.is_file() for path in write_figures(result, tmp_path))


def test_pyplot_stays_out_and_importing_the_room_costs_no_matplotlib(tmp_path):
    code = """
import sys
from pathlib import Path
import PyPeTLib.report
assert "matplotlib" not in sys.modules
import numpy as np
from PyPeTLib.report.curves import drawn, new_axes, new_figure
from PyPeTLib.report.page import Page, write_png
figure = new_figure(200)
new_axes(figure, (0.1, 0.2, 0.8, 0.7), "time [s]", "HU")
drawn(figure)
page = Page(100, 40)
page.text(5, 5, "R")
write_png(Path(sys.argv[1]), page.pixels)
assert "matplotlib.pyplot" not in sys.modules
"""
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "page.png")], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_folder_that_cannot_be_made_is_named(ct_result, tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(InputError, match="taken"):
        write_figures(ct_result, tmp_path / "taken")


def test_drawing_can_be_cancelled(ct_result, tmp_path):
    with pytest.raises(CancelledError):
        write_figures(ct_result, tmp_path, Execution(cancelled=lambda: True))
