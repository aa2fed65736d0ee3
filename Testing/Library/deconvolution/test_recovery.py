"""Every registered method on noise-free tiles, with the true arterial input."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from PyPeTLib.deconvolution import METHODS
from PyPeTLib.phantom import RESIDUES, frame_times, make_tiles

VOXELWISE = tuple(name for name in METHODS if "spatial" not in METHODS.entry(name).traits)
"""Tiles without noise leave nothing for neighbours to agree upon."""
INSENSITIVE = tuple(name for name in METHODS.with_trait("delay-insensitive") if name in VOXELWISE)
RATIO_OF_AREAS = tuple(name for name in METHODS if "volume" not in METHODS.entry(name).traits)

WINDOW = 90.0
"""Seconds that hold all of most tissue curves."""


@cache
def tiles(residue, dt, window=WINDOW):
    """Tiles of one blood volume, for the others are multiples of it."""
    return make_tiles(residue, cbv=[4.0], times=np.arange(round(window / dt)) * dt)


UNEVEN = tuple(frame_times((30, 1.0), (15, 3.0)))
EVEN = tuple(np.arange(75.0))


@pytest.fixture(scope="module")
def by_transit(analyse):
    """Maps of the tiles as arrays (transit time, delay), and the tiles; rows that the window cuts are NaN."""

    @cache
    def run(residue, dt, method, times=None):
        phantom = tiles(residue, dt) if times is None else make_tiles(residue, cbv=[4.0], times=times)
        found = analyse(phantom.curves, phantom.aif, phantom.times, method).values
        shape = (phantom.shape[0], phantom.shape[2])
        whole = phantom.covered.reshape(shape) >= 0.995
        maps = {name: np.where(whole, values.reshape(shape), np.nan) for name, values in found.items()}
        return maps, phantom

    return run


def spread(values):
    """(max − min)/mean over the delays of each transit time that the window holds, in per cent."""
    rows = values[~np.isnan(values).any(axis=1)].astype(np.float64)
    return 100 * np.ptp(rows, axis=1) / rows.mean(axis=1)


def show(title, values, form="5.1f"):
    print(f"{title:50s}", " ".join(format(v, form) for v in values))


@pytest.mark.parametrize(("dt", "limit"), [(0.5, 2.0), (1.0, 2.0), (2.0, 5.0)])
@pytest.mark.parametrize("residue", RESIDUES)
@pytest.mark.parametrize("method", INSENSITIVE)
def test_flow_and_transit_time_do_not_depend_on_delay(by_transit, method, residue, dt, limit):
    maps, _ = by_transit(residue, dt, method)
    for name in ("cbf", "mtt"):
        found = spread(maps[name])
        show(f"{name} spread %, {method}, {residue}, dt {dt}", found)
        assert found.size >= 4
        # fits of a residue see more of what is between the frames
        assert found.max() <= (max(limit, 3.0) if "posterior" in METHODS.entry(method).traits else limit)


@pytest.mark.parametrize("residue", RESIDUES)
def test_standard_svd_does_depend_on_delay(by_transit, residue):
    maps, _ = by_transit(residue, 1.0, "ssvd")
    assert spread(maps["cbf"]).min() > 20


@pytest.mark.parametrize("dt", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("residue", ["exponential", "linear", "gamma"])
@pytest.mark.parametrize("method", INSENSITIVE)
def test_tmax_follows_the_delay_with_slope_one(by_transit, method, residue, dt):
    maps, phantom = by_transit(residue, dt, method)
    delay = phantom.delay.reshape(phantom.shape)[0, 0]
    rows = [row for row in maps["tmax"] if not np.isnan(row).any()]
    slopes = [np.polyfit(delay, row, 1)[0] for row in rows]
    show(f"Tmax slope, {method}, {residue}, dt {dt}", slopes, "5.3f")
    show(f"Tmax − delay [s], {method}, {residue}, dt {dt}", [(row - delay).mean() for row in rows])
    np.testing.assert_allclose(slopes, 1.0, atol=0.03)
    # sub-frame and signed: the tissue may be earlier than the artery
    assert all(abs(row[1] - row[0] - 1.0) < 0.25 for row in rows)


@pytest.mark.parametrize("dt", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("method", INSENSITIVE)
def test_tmax_of_a_box_lies_on_its_plateau_and_its_rise_follows_the_delay(by_transit, method, dt):
    # A box is highest everywhere on its plateau, so where exactly Tmax lands there is up to ripples.
    maps, phantom = by_transit("box", dt, method)
    delay = phantom.delay.reshape(phantom.shape)[0, 0]
    transit = phantom.mtt.reshape(phantom.shape)[:, 0, 0]
    after = maps["tmax"] - delay
    assert (after >= 0).all()
    assert (after <= transit[:, None]).all()
    short = transit <= 6
    np.testing.assert_allclose(after[short], np.broadcast_to(transit[short, None] / 2, after[short].shape), atol=0.15)
    slopes = [np.polyfit(delay, row, 1)[0] for row in maps["delay"]]
    np.testing.assert_allclose(slopes, 1.0, atol=0.03)


@pytest.mark.parametrize("residue", RESIDUES)
@pytest.mark.parametrize("method", INSENSITIVE)
def test_the_rise_of_the_response_tells_the_arterial_delay(by_transit, method, residue):
    maps, phantom = by_transit(residue, 1.0, method)
    error = (maps["delay"] - phantom.delay.reshape(phantom.shape)[0, 0])[2:5]
    # regularisation widens the response, so its half height comes early; a misfitting box even more so
    limit = 1.7 if method == "box-nlr" and residue != "box" else 0.6
    assert np.nanmax(np.abs(error)) <= limit


@pytest.mark.parametrize("residue", RESIDUES)
@pytest.mark.parametrize(
    ("method", "dt", "window"),
    [*((name, 1.0, 60.0) for name in RATIO_OF_AREAS), ("bsvd", 2.0, 60.0), ("bsvd", 1.0, 90.0), ("bsvd", 0.5, 90.0)],
)
def test_volume_is_right_where_the_window_holds_the_curve(analyse, method, residue, dt, window):
    phantom = tiles(residue, dt, window)
    found = analyse(phantom.curves, phantom.aif, phantom.times, method)
    whole = phantom.covered >= 0.995
    assert whole.any()
    np.testing.assert_allclose(found.values["cbv"][whole], phantom.cbv[whole], rtol=5e-3)


@pytest.mark.parametrize("residue", RESIDUES)
@pytest.mark.parametrize(("dt", "window"), [(1.0, 45.0), (2.0, 45.0), (1.0, 60.0), (1.0, 90.0)])
def test_elsewhere_volume_is_that_of_the_truncated_areas_and_flagged(analyse, residue, dt, window):
    phantom = tiles(residue, dt, window)
    found = analyse(phantom.curves, phantom.aif, phantom.times, "bsvd")
    np.testing.assert_allclose(
        found.values["cbv"], phantom.cbv * phantom.covered / phantom.aif_covered, rtol=1e-3 if dt == 1 else 5e-3
    )
    assert found.truncated[phantom.covered < 0.995].all()
    assert not found.truncated[phantom.covered > 0.998].any()


@pytest.mark.parametrize("residue", RESIDUES)
@pytest.mark.parametrize("method", INSENSITIVE)
def test_volume_and_transit_time_do_not_depend_on_the_frame_interval(by_transit, method, residue):
    maps = [by_transit(residue, dt, method)[0] for dt in (0.5, 1.0, 2.0)]
    # Simpson's kernel spans three frames; fits lean on what happens between frames where MTT is near their step.
    limit = {"bsvd-simpson": 12.0, "osvd": 9.0, "tikhonov": 6.0}.get(method, 5.0) if residue == "box" else 5.0
    fits = "volume" in METHODS.entry(method).traits
    if fits:
        limit = 18.0 if "posterior" in METHODS.entry(method).traits else 8.0
    for name, most in (("cbv", 2.0 if fits else 1.0), ("mtt", limit)):
        values = np.stack([m[name] for m in maps])
        whole = ~np.isnan(values).any(axis=(0, 2))
        apart = 100 * (values.max(axis=0) / values.min(axis=0) - 1)[whole].max(axis=1)
        show(f"{name} at dt 0.5, 1, 2 s differs by %, {method}, {residue}", apart)
        assert apart.max() <= most


@pytest.mark.parametrize("residue", RESIDUES)
@pytest.mark.parametrize("method", VOXELWISE)
def test_uneven_frames_read_as_even_ones_do(by_transit, method, residue):
    uneven, phantom = by_transit(residue, None, method, UNEVEN)
    even, _ = by_transit(residue, None, method, EVEN)
    traits = METHODS.entry(method).traits
    fits = "volume" in traits
    flow = 0.06 if "posterior" in traits else 0.05
    limits = {"cbf": flow, "cbv": 0.02 if fits else 0.01, "mtt": flow}
    if "delay-insensitive" in traits:
        limits["delay"] = 0.2 if fits else 0.05
        if residue != "box":
            limits["tmax"] = 0.2 if fits else 0.05
    # what comes before the artery is not in the model of the others
    begun = phantom.delay.reshape(phantom.shape)[0, 0] >= (-np.inf if "delay-insensitive" in traits else 0)
    # up to an MTT of 12 s
    tiles_shown = np.ix_(phantom.mtt.reshape(phantom.shape)[:, 0, 0] <= 12, begun)
    for name, limit in limits.items():
        apart = uneven[name] - even[name] if name in ("tmax", "delay") else uneven[name] / even[name] - 1
        apart = apart[tiles_shown]
        show(f"{name} uneven against even, {method}, {residue}", [np.nanmax(np.abs(apart))], "7.4f")
        assert np.nanmax(np.abs(apart)) <= limit


@pytest.mark.parametrize(
    ("residue", "ratios"),
    [("exponential", (0.64, 0.81)), ("box", (1.00, 1.13))],
)
def test_plain_circulant_svd_reads_what_its_literature_threshold_makes_of_it(by_transit, residue, ratios):
    # Golden figures at threshold 0.1 for MTT 4 and 8 s: an independent bsvd of this project's design notes read
    # CBF −36 % and −19 % on exponential, 0 and +13 % on box tissue.
    maps, phantom = by_transit(residue, 1.0, "bsvd")
    truth = phantom.cbf.reshape(phantom.shape)[:, 0]
    found = (maps["cbf"] / truth)[[1, 3]].mean(axis=1)
    np.testing.assert_allclose(found, ratios, atol=0.03)


@pytest.mark.parametrize("residue", RESIDUES)
@pytest.mark.parametrize("method", INSENSITIVE)
def test_of_two_tissues_of_one_volume_the_faster_one_reads_the_higher_flow(by_transit, method, residue):
    # from the transit time of healthy grey matter on: 4 s
    maps, _ = by_transit(residue, 1.0, method)
    flow = maps["cbf"].mean(axis=1)[1:]
    flow = flow[~np.isnan(flow)]
    show(f"CBF, MTT from 4 s on, {method}, {residue}", flow)
    assert (np.diff(flow) < 0).all()
