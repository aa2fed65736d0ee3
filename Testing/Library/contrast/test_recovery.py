"""Peak height and percentage of signal recovery of curves with known signal."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.contrast import peak_height, signal_recovery
from PyPeTLib.contrast.recovery import late_frames

TE = 0.03
TIMES = 1.5 * np.arange(60)
ARRIVAL = 12.0


def curve(lowest, end):
    """ΔR2* of a signal that falls from 1 to ``lowest`` and comes back to ``end``."""
    signal = np.ones(60)
    signal[10:20] = np.interp(np.arange(10), [0, 4, 9], [1, lowest, end])
    signal[20:] = end
    return -np.log(signal) / TE


@pytest.mark.parametrize(
    ("lowest", "end", "recovery"), [(0.5, 1.0, 100), (0.6, 0.9, 75), (0.5, 1.1, 120), (0.8, 0.8, 0)]
)
def test_the_share_of_the_drop_that_comes_back(lowest, end, recovery):
    values, valid = signal_recovery(curve(lowest, end)[None].astype(np.float32), TIMES, ARRIVAL, TE)
    assert valid.all()
    assert values[0] == pytest.approx(recovery, abs=0.01)
    assert values.dtype == np.float32


def test_a_drop_that_hardly_exists_has_no_recovery():
    curves = np.stack([curve(0.97, 1.0), curve(0.9, 1.0), np.zeros(60)]).astype(np.float32)
    values, valid = signal_recovery(curves, TIMES, ARRIVAL, TE)
    np.testing.assert_array_equal(valid, [False, True, False])
    assert not values[~valid].any()


def test_what_comes_after_the_first_minute_does_not_count():
    late = curve(0.5, 0.9)
    moved = late.copy()
    moved[TIMES > ARRIVAL + 60] = 100.0
    one, two = (signal_recovery(c[None].astype(np.float32), TIMES, ARRIVAL, TE)[0] for c in (late, moved))
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    ("times", "arrival", "expected"),
    [
        (np.arange(100.0), 20.0, slice(76, 81)),
        (np.arange(40.0), 20.0, slice(35, 40)),
        (np.arange(8) * 30.0, 20.0, slice(0, 5)),
    ],
)
def test_the_late_frames(times, arrival, expected):
    assert late_frames(times, arrival) == expected


def test_peak_height_is_the_maximum_and_never_below_zero():
    curves = np.array([[0, 5, 2], [-3, -1, -2], [0, 0, 0]], np.float32)
    values, valid = peak_height(curves)
    np.testing.assert_array_equal(values, [5, 0, 0])
    np.testing.assert_array_equal(valid, [True, False, False])
