"""Posterior means and standard deviations by truth: recovery, calibration, and what noise does to them."""

import numpy as np
import pytest

from PyPeTLib.deconvolution import METHODS, DeconvolutionOptions, deconvolve
from PyPeTLib.deconvolution.transit import SHAPES, TRANSIT_TIMES
from PyPeTLib.phantom import frame_times, make_tiles
from PyPeTLib.phantom.kinetics import gamma_residue
from PyPeTLib.quantification import QuantificationOptions, quantify

POSTERIOR = METHODS.with_trait("posterior")
ALONE = tuple(name for name in POSTERIOR if "spatial" not in METHODS.entry(name).traits)
TO_FLOW = QuantificationOptions().tissue_factor * 6000
every_posterior = pytest.mark.parametrize("method", POSTERIOR)
SHAPES_OF_TRUTH = {"exponential": "exponential", "gamma 2": gamma_residue(2), "gamma 5": gamma_residue(5), "box": "box"}


def tiles_of(residue, noise=0.0, times=None, rng=0, **grid):
    grid = {"mtt": [3.0, 4.0, 6.0, 8.0, 12.0], "cbv": [2.0, 4.0], **grid}
    return make_tiles(residue, noise=noise, times=times, rng=rng, **grid)


@pytest.mark.parametrize("method", ALONE)
@pytest.mark.parametrize("residue", ["exponential", "box"])
def test_flow_is_recovered_for_both_families(analyse, method, residue):
    # a box fitted to exponential tissue reads half its flow, an exponential fitted to a box twice
    tiles = tiles_of(residue, times=frame_times((90, 1.0)))
    found = analyse(tiles.curves, tiles.aif, tiles.times, method)
    ratio = found.values["cbf"] / tiles.cbf
    assert abs(ratio.mean() - 1) < 0.06
    assert np.abs(ratio - 1).max() < 0.25
    np.testing.assert_allclose(found.values["cbv"], tiles.cbv, rtol=0.03)
    assert np.abs(found.values["delay"] - tiles.delay).max() < 0.35


@pytest.mark.parametrize("method", ALONE)
def test_the_shape_tells_exponential_tissue_from_plug_flow(analyse, method):
    found = {
        name: analyse(tiles.curves, tiles.aif, tiles.times, method).values["shape"]
        for name, residue in SHAPES_OF_TRUTH.items()
        for tiles in (tiles_of(residue, mtt=[6.0, 8.0, 12.0]),)
    }
    assert np.median(found["exponential"]) < 1.2
    assert found["exponential"].max() < 1.5
    assert 1.5 < np.median(found["gamma 2"]) < 3
    assert np.median(found["box"]) > 20


@pytest.mark.parametrize("method", ALONE)
def test_68_per_cent_intervals_hold_68_per_cent_of_the_truth(analyse, method):
    inside: dict[str, list[float]] = {"cbf": [], "cbv": [], "mtt": [], "delay": []}
    for residue in SHAPES_OF_TRUTH.values():
        for noise in (1.0, 2.0, 4.0):
            tiles = tiles_of(residue, noise, rng=int(noise))
            found = analyse(tiles.curves, tiles.aif, tiles.times, method).values
            for name, hits in inside.items():
                hits.append(float((np.abs(found[name] - getattr(tiles, name)) < found[f"{name}_sd"]).mean()))
    for name, hits in inside.items():
        assert 0.60 <= np.mean(hits) <= 0.76, f"{name}: {np.mean(hits):.2f}"


@pytest.mark.parametrize("method", ALONE)
@pytest.mark.parametrize("name", ["cbf_sd", "cbv_sd", "mtt_sd", "delay_sd"])
def test_uncertainty_falls_with_noise(analyse, method, name):
    deviations = []
    for noise in (8.0, 4.0, 2.0, 1.0):
        tiles = tiles_of("gamma", noise)
        deviations.append(float(analyse(tiles.curves, tiles.aif, tiles.times, method).values[name].mean()))
    assert (np.diff(deviations) < 0).all(), deviations


@every_posterior
def test_tmax_is_what_bsvd_would_read(analyse, method):
    # thresholds of Tmax belong to the smoothed responses of the singular value methods
    for residue in ("exponential", "box"):
        tiles = tiles_of(residue, delay=[0.0, 2.0, 5.0])
        found = analyse(tiles.curves, tiles.aif, tiles.times, method).values["tmax"]
        linear = analyse(tiles.curves, tiles.aif, tiles.times, "bsvd").values["tmax"]
        assert np.abs(found - linear).mean() < 0.5


@every_posterior
def test_a_volume_cut_off_by_the_window_is_still_whole(analyse, method):
    tiles = make_tiles("exponential", mtt=[12.0], cbv=[4.0], delay=[0.0], times=frame_times((45, 1.0)))
    assert tiles.covered[0] < 0.93
    found = analyse(tiles.curves, tiles.aif, tiles.times, method).values["cbv"]
    np.testing.assert_allclose(found, 4.0, rtol=0.03)


@every_posterior
def test_late_tissue_far_from_its_artery(analyse, method):
    tiles = tiles_of("gamma", delay=[-6.0, 14.0], times=frame_times((75, 1.0)), mtt=[4.0, 8.0])
    found = analyse(tiles.curves, tiles.aif, tiles.times, method).values
    assert np.abs(found["delay"] - tiles.delay).max() < 0.4
    np.testing.assert_allclose(found["cbf"], tiles.cbf, rtol=0.2)


def test_the_grid_holds_what_tissue_does():
    assert TRANSIT_TIMES[0] <= 1.5
    assert TRANSIT_TIMES[-1] >= 40
    assert SHAPES[0] == 1
    assert np.isinf(SHAPES[-1])


def test_given_noise_replaces_what_is_measured():
    tiles = tiles_of("gamma", 1.0)
    curves = tiles.curves.astype(np.float32)
    little, much = (
        deconvolve(curves, tiles.aif, tiles.times, DeconvolutionOptions(method="gamma-bayes", noise=noise))
        for noise in (1.0, 6.0)
    )
    assert much.delay_sd is not None
    assert little.delay_sd is not None
    assert (much.delay_sd > 1.5 * little.delay_sd).all()


def test_volume_is_that_of_the_rule_asked_for():
    tiles = make_tiles("exponential", mtt=[12.0], cbv=[4.0], delay=[0.0], times=frame_times((45, 1.0)))
    curves = tiles.curves.astype(np.float32)
    estimate = deconvolve(curves, tiles.aif, tiles.times, DeconvolutionOptions(method="gamma-bayes"))
    by_area = quantify(curves, tiles.aif, tiles.times, estimate, QuantificationOptions(volume="area")).values["cbv"]
    assert by_area[0] == pytest.approx(4.0 * tiles.covered[0] / tiles.aif_covered, rel=0.01)
