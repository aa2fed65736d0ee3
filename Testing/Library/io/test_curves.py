"""Frame times and curves from text files."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.errors import InputError
from PyPeTLib.io import check_curve_covers, read_curve_csv, read_frame_times


def _write(folder, text, name="given.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "0\n1.5\n3\n",
        "# seconds\n0\n\n1.5  # second frame\n3",
        "time_s\n0\n1.5\n3\n",
        "Frame times [s]\n0\n1.5\n3\n",
        "frame,time_s\n1,0\n2,1.5\n3,3\n",
        "frame;Time;note\n1;0;a\n2;1.5;b\n3;3;c\n",
        '"frame"\t"t"\n1\t0\n2\t1.5\n3\t3\n',
        "frame time\r\n1 0\r\n2 1.5\r\n3 3e0\r\n",
    ],
)
def test_frame_times_are_read_from_lists_and_tables(tmp_path, text):
    times = read_frame_times(_write(tmp_path, text))
    assert times.dtype == np.float64
    np.testing.assert_array_equal(times, [0, 1.5, 3])


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "no frame times"),
        ("time_s\n", "no frame times"),
        ("0\n1\nx\n", r"line 3: .*'x'"),
        ("0\nnan\n", r"line 2: .*'nan'"),
        ("0 1\n1 2\n", r"line 1: 2 columns and no header"),
        ("frame,when\n1,2\n", r"line 1: .*frame, when.*time_s"),
        ("time_ms\n0\n1500\n", r"line 1: .*ms.*seconds"),
        ("time (min)\n0\n1\n", r"line 1: .*min.*seconds"),
        ("frame,time_s\n1,0\n2\n", r"line 3: .*missing"),
    ],
)
def test_a_fault_in_the_frame_times_is_named_with_its_line(tmp_path, text, part):
    with pytest.raises(InputError, match=rf"given.csv.*{part}"):
        read_frame_times(_write(tmp_path, text))


def test_a_curve_is_read_by_the_names_of_its_columns(tmp_path):
    times, values = read_curve_csv(_write(tmp_path, "# AIF\nvalue,Time_s,roi\n1,0,a\n5.5,1,a\n2,2.5,a\n"))
    np.testing.assert_array_equal(times, [0, 1, 2.5])
    np.testing.assert_array_equal(values, [1, 5.5, 2])


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "time_s and value"),
        ("0,1\n1,2\n", r"line 1: .*time_s and value"),
        ("time_s,value\n0,1\n", "at least two points"),
        ("time_s,value\n0,1\n1,inf\n", r"line 3: the value .*'inf'"),
        ("time_s,value\n0,1\n\n2,1\n1,1\n", r"line 5: .*must increase"),
        ("time_s,value\n0,1\n0,1\n", r"line 3: .*must increase"),
    ],
)
def test_a_fault_in_a_curve_is_named_with_its_line(tmp_path, text, part):
    with pytest.raises(InputError, match=rf"given.csv.*{part}"):
        read_curve_csv(_write(tmp_path, text))


def test_a_curve_must_cover_the_frames():
    frames = np.arange(10) * 1.5
    check_curve_covers(np.array([0.0, 13.5]), frames, name="aif.csv")
    check_curve_covers(np.array([-5.0, 20.0]), frames, name="aif.csv")
    for times in ([0.0, 12.0], [1.0, 20.0]):
        with pytest.raises(InputError, match=r"aif.csv: the curve covers .*0 and 13.5 s"):
            check_curve_covers(np.array(times), frames, name="aif.csv")
