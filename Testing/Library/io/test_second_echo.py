"""Two echoes of one scan: read together, or refused where they do not belong together."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.errors import InputError
from PyPeTLib.io import load_series

SHORT, LONG = 0.013, 0.05


def echo(files, number, **changes):
    values = {"data": files.signal(seed=number) + 600, "sidecar": {"EchoTime": (SHORT, LONG)[number - 1]}, **changes}
    return files.image(f"echo-{number}_dsc.nii.gz", **values)


def test_both_echoes_share_times_and_grid_and_keep_their_own_signal(files):
    first, second = echo(files, 1, step=2.0), echo(files, 2, step=7.0)
    loaded = load_series(first, second_echo=second)
    series = loaded.series
    assert [e.acquisition.echo_time for e in series.echoes] == [SHORT, LONG]
    np.testing.assert_array_equal(series.second_echo.frame_times, series.frame_times)
    assert series.frame_times[1] == 2.0
    np.testing.assert_array_equal(series.second_echo.array(), load_series(second).series.array())
    for word in ("echo-2_dsc.nii.gz", "EchoTime in echo-2_dsc.json = 0.05 s", "SHA-256"):
        assert word in loaded.sources["second_echo"]
    assert len(load_series(first).series.echoes) == 1


def test_the_option_gives_its_echo_time(files):
    first, second = echo(files, 1), echo(files, 2, sidecar=None)
    loaded = load_series(first, second_echo=second, second_echo_time=0.06)
    assert loaded.series.second_echo.acquisition.echo_time == 0.06
    assert "--second-echo-time 0.06 s" in loaded.sources["second_echo"]


def test_an_echo_stored_in_another_order_of_axes_fits(files):
    affine = np.diag([2.0, 2.0, 5.0, 1.0])
    affine[:3, 3] = [-5 * 2, 0, 0]
    first = echo(files, 1, affine=affine)
    flipped = np.diag([-2.0, 2.0, 5.0, 1.0])
    second = echo(files, 2, affine=flipped)
    series = load_series(first, second_echo=second).series
    assert series.second_echo.grid.matches(series.grid)


@pytest.mark.parametrize(
    ("changes", "options", "parts"),
    [
        ({"sidecar": None}, {}, ("echo-2_dsc.nii.gz", "--second-echo-time")),
        ({"sidecar": {"EchoTime": 0.013}}, {}, ("0.013 s", "must be longer", "order")),
        ({"sidecar": {"EchoTime": 0.01}}, {}, ("0.01 s", "must be longer")),
        ({}, {"second_echo_time": 50.0}, ("50 s is not plausible", "seconds")),
        ({"affine": np.diag([-2.0, -2.0, 6.0, 1.0])}, {}, ("another grid", "echo-1_dsc.nii.gz")),
    ],
)
def test_a_second_echo_that_does_not_fit_is_refused(files, changes, options, parts):
    first, second = echo(files, 1), echo(files, 2, **changes)
    with pytest.raises(InputError) as caught:
        load_series(first, second_echo=second, **options)
    for part in parts:
        assert part in str(caught.value)


def test_other_frames_or_voxels_are_refused(files):
    first = echo(files, 1)
    fewer_frames = echo(files, 2, data=files.signal((6, 5, 4, 8)) + 600)
    with pytest.raises(InputError, match=r"9 frame times .*8 frames"):
        load_series(first, second_echo=fewer_frames)
    fewer_voxels = echo(files, 2, data=files.signal((6, 5, 3, 9)) + 600)
    with pytest.raises(InputError, match="another grid"):
        load_series(first, second_echo=fewer_voxels)


def test_ct_has_no_second_echo(files):
    with pytest.raises(InputError, match="only a DSC series"):
        load_series(files.image("a_ctp.nii.gz"), second_echo=echo(files, 2))


def test_an_echo_time_without_its_echo_is_refused(files):
    with pytest.raises(InputError, match="--second-echo FILE"):
        load_series(echo(files, 1), second_echo_time=0.05)
