"""Downsampling keeps means and places; maps and masks find their way back."""

from __future__ import annotations

import numpy as np
import pytest

from PyPeTLib.errors import InputError
from PyPeTLib.execution import Execution
from PyPeTLib.geometry import Grid
from PyPeTLib.preprocess.resample import ResampleOptions, downsample, downsampled_grid, resample_map
from PyPeTLib.series import PerfusionSeries

OBLIQUE = np.array(
    [[-0.78, 0.10, 0.4, 90.0], [0.09, 0.79, -0.7, -80.0], [0.05, -0.09, 4.9, -30.0], [0.0, 0.0, 0.0, 1.0]]
)


def _world(grid: Grid) -> np.ndarray:
    index = np.stack(np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij"), axis=-1)
    return index @ grid.affine[:3, :3].T + grid.affine[:3, 3]


def _series(shape: tuple[int, int, int], *, order: str = "F") -> PerfusionSeries:
    data = np.random.default_rng(0).normal(40, 6, (*shape, 9)).astype(np.float32, order=order)
    return PerfusionSeries(
        data=np.asarray(data, order=order), affine=OBLIQUE, frame_times=np.arange(9.0), modality="ctp"
    )


@pytest.mark.parametrize("limit", [32, 30, 27])
@pytest.mark.parametrize("order", ["F", "C"])
def test_mean_of_every_slice_and_frame_is_kept(two_threads, limit, order):
    series = _series((64, 60, 3), order=order)

    small = downsample(series, ResampleOptions(max_in_plane=limit), two_threads)

    assert max(small.array().shape[:2]) == limit
    assert small.array().shape[2:] == (3, 9)
    np.testing.assert_allclose(small.array().mean(axis=(0, 1)), series.array().mean(axis=(0, 1)), rtol=1e-5)
    np.testing.assert_array_equal(small.frame_times, series.frame_times)
    assert small.array()[..., 0].flags.f_contiguous


def test_halving_averages_four_pixels(two_threads):
    series = _series((8, 8, 2))

    small = downsample(series, ResampleOptions(max_in_plane=4), two_threads)

    np.testing.assert_allclose(small.array()[1, 2], series.array()[2:4, 4:6].mean(axis=(0, 1)), rtol=1e-5)


@pytest.mark.parametrize("limit", [32, 25])
def test_a_linear_ramp_in_the_world_stays_where_it_was(two_threads, limit):
    grid = Grid((64, 48, 4), OBLIQUE)
    ramp = _world(grid) @ [1.0, -2.0, 0.5]
    data = np.asfortranarray(ramp[..., None] + np.arange(9.0), dtype=np.float32)
    series = PerfusionSeries(data=data, affine=OBLIQUE, frame_times=np.arange(9.0), modality="ctp")

    small = downsample(series, ResampleOptions(max_in_plane=limit), two_threads)

    expected = _world(small.grid) @ [1.0, -2.0, 0.5]
    # an area mean of a ramp is its value at the centre but for pixels cut by a voxel's edge
    tolerance = 1e-3 if limit == 32 else 0.3
    np.testing.assert_allclose(small.array()[..., 2] - 2, expected, atol=tolerance)
    assert np.abs((small.array()[..., 2] - 2 - expected).mean()) < 1e-2


def test_fine_patterns_are_averaged_not_aliased(two_threads):
    data = np.zeros((64, 64, 2, 9), dtype=np.float32, order="F")
    data[::2] = 100
    data[..., 4] += 1
    series = PerfusionSeries(data=data, affine=OBLIQUE, frame_times=np.arange(9.0), modality="ctp")

    small = downsample(series, ResampleOptions(max_in_plane=32), two_threads)

    np.testing.assert_allclose(small.array()[..., 0], 50, atol=1e-3)


def test_small_or_switched_off_series_are_handed_through(two_threads):
    series = _series((24, 20, 3))

    assert downsample(series, ResampleOptions(), two_threads) is series
    assert downsample(series, ResampleOptions(max_in_plane=24), two_threads) is series


def test_orientation_belongs_to_the_new_grid(two_threads):
    small = downsample(_series((64, 60, 3)), ResampleOptions(max_in_plane=32), two_threads)

    assert small.orientation.native.matches(small.grid)


def test_thread_count_does_not_matter():
    series = _series((64, 60, 3))
    options = ResampleOptions(max_in_plane=27)

    one, two = (downsample(series, options, Execution(threads=n)) for n in (1, 2))

    np.testing.assert_array_equal(one.array(), two.array())


def test_a_map_comes_back_to_the_input_grid_in_place():
    source = Grid((64, 48, 4), OBLIQUE)
    small = downsampled_grid(source, 32)
    smooth = (_world(small) @ [1.0, -2.0, 0.5]).astype(np.float32)

    back = resample_map(smooth, small, source)

    inner = (slice(1, -1), slice(1, -1), slice(None))
    np.testing.assert_allclose(back[inner], (_world(source) @ [1.0, -2.0, 0.5])[inner], atol=2e-3)
    assert back.dtype == np.float32


def test_a_mask_survives_the_round_trip():
    source = Grid((64, 48, 4), OBLIQUE)
    small = downsampled_grid(source, 32)
    i, j, _ = np.ogrid[:64, :48, :4]
    disc = np.broadcast_to((i - 30) ** 2 + (j - 25) ** 2 < 15**2, source.shape).copy()

    back = resample_map(resample_map(disc, source, small), small, source)

    assert back.dtype == bool
    dice = 2 * (back & disc).sum() / (back.sum() + disc.sum())
    assert dice > 0.95
    np.testing.assert_array_equal(resample_map(disc, source, source), disc)


def test_labels_take_the_nearest_voxel_and_are_never_blended():
    source = Grid((8, 6, 2), np.eye(4))
    labels = np.zeros(source.shape, dtype=np.int16)
    labels[4:] = 7
    finer = Grid((16, 12, 2), np.diag([0.5, 0.5, 1.0, 1.0]))

    back = resample_map(labels, source, finer, order=0)

    assert set(np.unique(back)) == {0, 7}
    np.testing.assert_array_equal(back[:7], 0)
    np.testing.assert_array_equal(back[8:, :10], 7)
    with pytest.raises(InputError, match="order 0"):
        resample_map(labels, source, finer)


def test_voxels_without_a_value_do_not_bleed_into_their_neighbours():
    source = Grid((8, 8, 2), np.diag([2.0, 2.0, 5.0, 1.0]))
    valid = np.zeros(source.shape, dtype=bool)
    valid[2:6, 2:6] = True
    values = np.where(valid, np.float32(60), np.float32(0))
    finer = Grid((16, 16, 2), np.diag([1.0, 1.0, 5.0, 1.0]))

    back = resample_map(values, source, finer, valid=valid)

    inside = resample_map(valid, source, finer)
    assert inside.sum() > 80
    np.testing.assert_allclose(back[inside], 60, rtol=1e-5)


def test_places_outside_the_source_are_0():
    source = Grid((8, 8, 2), np.eye(4))
    shifted = np.eye(4)
    shifted[0, 3] = 5.0

    back = resample_map(np.full(source.shape, 3, np.float32), source, Grid(source.shape, shifted))

    np.testing.assert_array_equal(back[:3], 3)
    np.testing.assert_array_equal(back[3:], 0)


def test_a_map_of_another_shape_is_refused():
    grid = Grid((8, 8, 2), np.eye(4))

    with pytest.raises(InputError, match=r"shape \(8, 8, 3\)"):
        resample_map(np.zeros((8, 8, 3), np.float32), grid, grid)
