"""Frame times, echo time and modality: which source wins, and that nothing is guessed."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest

from PyPeTLib.errors import InputError
from PyPeTLib.io import load_series
from PyPeTLib.series import Modality

SHAPE = (6, 5, 4, 9)
UNEVEN = [0.0, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 13.0, 16.0]


def _refused(path, *parts, **options):
    with pytest.raises(InputError) as caught:
        load_series(path, **options)
    for part in parts:
        assert part in str(caught.value)


# frame times


@pytest.mark.parametrize(("step", "unit"), [(1.5, "sec"), (1500, "msec"), (1.5e6, "usec")])
def test_the_header_gives_the_interval_in_its_unit(files, step, unit):
    loaded = load_series(files.image(step=step, unit=unit))
    np.testing.assert_allclose(loaded.series.frame_times, np.arange(9) * 1.5, rtol=1e-12)
    assert loaded.sources["frame_times"].startswith("pixdim[4] = ")


def test_a_header_interval_is_the_decimal_number_it_stands_for(files):
    assert load_series(files.image(step=1.6)).series.frame_times[1] == 1.6


@pytest.mark.parametrize(
    ("step", "unit", "found"),
    [
        (1.5, "unknown", "pixdim[4] = 1.5 without a unit"),
        (1.5, "hz", "in Hz"),
        (1.5, "ppm", "in ppm"),
        (0, "sec", "pixdim[4] = 0"),
        (-2, "sec", "pixdim[4] = -2"),
        (float("nan"), "sec", "no spacing"),
    ],
)
def test_a_header_without_a_usable_interval_is_refused(files, step, unit, found):
    path = files.image("a_ctp.nii", step=1, unit=unit)
    # nibabel does not write every spacing, so it is put into the file: pixdim begins at byte 76
    path = files.patched(path, "b_ctp.nii", 76 + 4 * 4, struct.pack("<f", step))
    _refused(path, "b_ctp.nii", found, "--frame-interval", "--frame-times")


def test_milliseconds_passed_off_as_seconds_are_refused(files):
    _refused(files.image(step=1500, unit="sec"), "sub-01_ctp.nii.gz", "1500 s apart", "milliseconds")


def test_the_order_of_the_sources(files):
    sidecar = {"VolumeTiming": UNEVEN, "FrameTimesStart": list(range(9)), "RepetitionTime": 2.0}
    path = files.image(sidecar=sidecar)
    for key, times in (("VolumeTiming", UNEVEN), ("FrameTimesStart", range(9)), ("RepetitionTime", np.arange(9) * 2.0)):
        loaded = load_series(path)
        np.testing.assert_array_equal(loaded.series.frame_times, list(times))
        assert loaded.sources["frame_times"].startswith(f"{key} in sub-01_ctp.json")
        del sidecar[key]
        path.with_name("sub-01_ctp.json").write_text(json.dumps(sidecar), encoding="utf-8")
    assert load_series(path).sources["frame_times"] == "pixdim[4] = 1.5 s"


def test_options_go_before_sidecar_and_header(files):
    path = files.image(sidecar={"VolumeTiming": UNEVEN})
    loaded = load_series(path, frame_interval=0.75)
    np.testing.assert_array_equal(loaded.series.frame_times, np.arange(9) * 0.75)
    assert loaded.sources["frame_times"] == "--frame-interval 0.75 s"
    np.testing.assert_array_equal(load_series(path, frame_times=np.arange(9) * 3).series.frame_times, np.arange(9) * 3)
    listed = files.folder / "times.txt"
    listed.write_text("\n".join(str(t + 1) for t in UNEVEN), encoding="utf-8")
    loaded = load_series(path, frame_times=listed)
    np.testing.assert_array_equal(loaded.series.frame_times, np.array(UNEVEN) + 1)
    assert loaded.sources["frame_times"] == "--frame-times times.txt"


def test_a_repetition_time_that_differs_from_the_header_is_noted(files):
    source = load_series(files.image(step=1.0, sidecar={"RepetitionTime": 2.0})).sources["frame_times"]
    assert source == "RepetitionTime in sub-01_ctp.json = 2 s (not 1 s, as pixdim[4] of the header says)"


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"frame_interval": 1, "frame_times": UNEVEN}, ("both --frame-interval and --frame-times",)),
        ({"frame_interval": 0}, ("--frame-interval 0 s",)),
        ({"frame_interval": float("nan")}, ("--frame-interval nan s",)),
        ({"frame_interval": -1}, ("--frame-interval -1 s",)),
        ({"frame_times": UNEVEN[:-1]}, ("8 frame times", "9 frames")),
        ({"frame_times": UNEVEN[::-1]}, ("must increase", "frame 1")),
        ({"frame_times": ["a"] * 9}, ("must be numbers",)),
        ({"frame_times": "missing.txt"}, ("missing.txt", "no such file")),
    ],
)
def test_options_that_do_not_fit_are_refused(files, options, parts):
    _refused(files.image(), *parts, **options)


@pytest.mark.parametrize(
    ("sidecar", "parts"),
    [
        ({"VolumeTiming": UNEVEN[:-2]}, ("VolumeTiming in sub-01_ctp.json lists 7", "9 frames", "--frame-times")),
        ({"FrameTimesStart": [*UNEVEN, 20]}, ("FrameTimesStart in sub-01_ctp.json lists 10", "9 frames")),
        ({"VolumeTiming": "1 2 3"}, ("sub-01_ctp.json", "VolumeTiming must be a list of numbers")),
        ({"VolumeTiming": [[0, 1]]}, ("VolumeTiming must be a list of numbers",)),
        ({"RepetitionTime": "1.5"}, ("RepetitionTime must be one number",)),
        ({"RepetitionTime": True}, ("RepetitionTime must be one number",)),
        ({"RepetitionTime": 10**400}, ("RepetitionTime must be one number",)),
        ({"RepetitionTime": 1500}, ("1500 s apart", "RepetitionTime in sub-01_ctp.json")),
        ([1, 2], ("sub-01_ctp.json", "JSON object")),
    ],
)
def test_a_sidecar_that_does_not_fit_is_refused(files, sidecar, parts):
    _refused(files.image(sidecar=sidecar), *parts)


@pytest.mark.parametrize(("text", "part"), [('{\n"a": 1\n"b": 2}', "line 3"), ("", "line 1"), ("[" * 100_000, "JSON")])
def test_a_sidecar_that_is_no_json_is_refused_with_its_line(files, text, part):
    path = files.image()
    path.with_name("sub-01_ctp.json").write_text(text, encoding="utf-8")
    _refused(path, "sub-01_ctp.json", part)


# echo time


def test_the_option_goes_before_the_sidecar(files):
    path = files.image("a_dsc.nii.gz", files.signal() + 600, sidecar={"EchoTime": 0.03})
    assert load_series(path).series.acquisition.echo_time == 0.03
    loaded = load_series(path, echo_time=0.045)
    assert loaded.series.acquisition.echo_time == 0.045
    assert loaded.sources["echo_time"] == "--echo-time 0.045 s"


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        (30, ("a_dsc.json", "EchoTime is 30", "milliseconds", "0.03", "--echo-time")),
        ([0.01, 0.03], ("a_dsc.json", "EchoTime must be one number")),
        (0.5, ("a_dsc.nii.gz", "0.5 s is not plausible")),
    ],
)
def test_an_echo_time_that_cannot_be_seconds_is_refused(files, value, parts):
    _refused(files.image("a_dsc.nii.gz", files.signal() + 600, sidecar={"EchoTime": value}), *parts)


def test_an_echo_time_option_in_milliseconds_is_refused(files):
    _refused(files.image("a_dsc.nii.gz", files.signal() + 600), "30 s is not plausible", "0.03", echo_time=30)


def test_ct_has_no_echo_time(files):
    loaded = load_series(files.image(sidecar={"EchoTime": 0.03}))
    assert loaded.series.acquisition.echo_time is None
    assert "echo_time" not in loaded.sources


# modality


def _hounsfield(files):
    data = np.full(SHAPE, -1000, dtype=np.int16)
    data[1:5, 1:4] = 36
    return data + files.signal() // 100


@pytest.mark.parametrize(
    ("name", "sidecar", "kind", "source"),
    [
        ("sub-01_ctp.nii.gz", None, Modality.CTP, "'ctp' in the file name"),
        ("Patient 3 CTP-raw.nii", None, Modality.CTP, "'ctp' in the file name"),
        ("sub-01_DSC.nii.gz", None, Modality.DSC, "'dsc' in the file name"),
        ("scan.nii.gz", {"Modality": "CT"}, Modality.CTP, "Modality CT in scan.json"),
        ("scan.nii.gz", {"Modality": "MR"}, Modality.DSC, "Modality MR in scan.json"),
    ],
)
def test_modality_from_sidecar_or_name(files, name, sidecar, kind, source):
    loaded = load_series(files.image(name, files.signal() + 600, sidecar=sidecar), echo_time=0.03)
    assert loaded.series.modality is kind
    assert source in loaded.sources["modality"]


def test_hounsfield_values_are_certainly_ct(files):
    loaded = load_series(files.image("scan.nii.gz", _hounsfield(files)))
    assert loaded.series.modality is Modality.CTP
    assert "Hounsfield" in loaded.sources["modality"]


@pytest.mark.parametrize("name", ["scan.nii.gz", "sub-01_perf.nii.gz", "sub-01_pwi.nii.gz", "inspect_4d.nii.gz"])
def test_positive_values_prove_nothing(files, name):
    _refused(files.image(name, files.signal() + 600), name, "cannot be told", "--modality", echo_time=0.03)


def test_a_name_of_another_technique_is_refused(files):
    _refused(files.image("sub-01_asl.nii.gz", sidecar={"Modality": "MR"}), "'asl'", "--modality", echo_time=0.03)


def test_name_and_sidecar_that_contradict_each_other_are_refused(files):
    path = files.image("a_ctp.nii.gz", sidecar={"Modality": "MR"})
    _refused(path, "'ctp' in the file name says ctp", "Modality MR in a_ctp.json says dsc", "--modality")


def test_a_modality_pypet_does_not_know_is_refused(files):
    _refused(files.image("a.nii.gz", sidecar={"Modality": "PT"}), "a.json", "'PT'", "--modality")


def test_the_option_decides_and_the_contradiction_is_noted(files):
    loaded = load_series(files.image("a.nii.gz", sidecar={"Modality": "MR"}), modality="ctp")
    assert loaded.series.modality is Modality.CTP
    assert loaded.sources["modality"] == "--modality ctp (Modality in a.json is 'MR')"


def test_hounsfield_values_are_never_taken_for_dsc(files):
    path = files.image("a.nii.gz", _hounsfield(files))
    _refused(path, "a.nii.gz", "Hounsfield", "--modality ctp", modality="dsc", echo_time=0.03)


def test_an_unknown_modality_option_is_refused(files):
    _refused(files.image(), "auto, ctp or dsc", "'pet'", modality="pet")
