"""Bolus, residues and tissue curves against quadrature and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate

from PyPeTLib.errors import InputError, UnknownNameError
from PyPeTLib.phantom import (
    RESIDUES,
    Bolus,
    FineCurve,
    frame_times,
    gamma_residue,
    peak_times,
    response,
    tissue_curve,
)
from PyPeTLib.phantom.kinetics import residue_named, tissue_factor

SHAPES = [*RESIDUES, gamma_residue(1.0), gamma_residue(4.5)]
FRAMES = np.arange(45.0)


def named(residue):
    """A short name for the test's title."""
    return residue if isinstance(residue, str) else "gamma of another shape"


@pytest.mark.parametrize("residue", SHAPES, ids=named)
def test_residue_falls_from_one_and_has_unit_area(residue):
    shape = residue_named(residue)
    x = np.linspace(0, 60, 600_001)
    values = shape.value(x)
    assert values[0] == 1
    assert (np.diff(values) <= 1e-12).all()
    assert integrate.trapezoid(values, x) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("residue", SHAPES, ids=named)
def test_second_antiderivative_is_that_of_the_residue(residue):
    shape = residue_named(residue)
    x = np.linspace(0, 8, 80_001)
    once = integrate.cumulative_trapezoid(shape.value(x), x, initial=0)
    twice = integrate.cumulative_trapezoid(once, x, initial=0)
    np.testing.assert_allclose(shape.twice_integrated(x), twice, atol=5e-4)


def test_residue_is_zero_before_the_bolus_and_scales_with_the_transit_time():
    box = RESIDUES["box"]
    np.testing.assert_array_equal(box.at([-0.1, 0.0, 4.9, 5.1], mtt=5.0), [0, 1, 1, 0])
    np.testing.assert_allclose(RESIDUES["linear"].at([3.0, 7.0], mtt=3.0), [0.5, 0.0])
    assert RESIDUES["exponential"].at(6.0, mtt=3.0) == pytest.approx(math.exp(-2))


def test_gamma_of_shape_one_is_exponential_and_of_large_shape_a_box():
    x = np.linspace(0, 5, 101)
    np.testing.assert_allclose(gamma_residue(1.0).value(x), np.exp(-x), atol=1e-12)
    far = np.abs(x - 1) > 0.2
    np.testing.assert_allclose(gamma_residue(2000.0).value(x)[far], RESIDUES["box"].value(x)[far], atol=1e-6)


@pytest.mark.parametrize("shape", [0.0, -1.0, float("nan")])
def test_gamma_residue_refuses_impossible_shapes(shape):
    with pytest.raises(InputError, match="above 0"):
        gamma_residue(shape)


def test_first_pass_peaks_at_its_peak():
    bolus = Bolus()
    times = np.arange(0, 20, 0.001)
    values = bolus.arterial_at(times)
    assert values.max() == pytest.approx(300, rel=1e-6)
    assert times[values.argmax()] == pytest.approx(12.5, abs=0.002)
    assert bolus.peak_time == 12.5
    assert (values[times <= 8] == 0).all()


def test_second_pass_has_its_share_of_area_and_comes_later():
    times = np.arange(0, 400, 0.01)
    both, first = (Bolus(second_share=share).arterial_at(times) for share in (0.15, 0.0))
    second = both - first
    area = integrate.trapezoid(first, times)
    assert integrate.trapezoid(second, times) == pytest.approx(0.15 * area, rel=1e-6)
    np.testing.assert_allclose(second[times <= 22], 0, atol=1e-12)
    # its centre: 14 s later than the first pass, and later again by the mean of the exponential
    centre = integrate.trapezoid(times * second, times) / integrate.trapezoid(second, times)
    first_centre = integrate.trapezoid(times * first, times) / area
    assert centre - first_centre == pytest.approx(14 + 8, abs=1e-3)
    assert Bolus().area == pytest.approx(1.15 * area, rel=1e-6)


def test_venous_output_is_later_and_lower_with_the_same_area():
    bolus = Bolus()
    times = np.arange(0, 400, 0.01)
    artery, vein = bolus.arterial_at(times), bolus.venous_at(times)
    assert integrate.trapezoid(vein, times) == pytest.approx(bolus.area, rel=1e-6)
    assert vein.max() < artery.max()
    centre = [integrate.trapezoid(times * curve, times) / bolus.area for curve in (artery, vein)]
    assert centre[1] - centre[0] == pytest.approx(4.0 + 2.5, abs=1e-3)


def test_bolus_of_given_area():
    assert Bolus.with_area(1234.0, arrival=3.0).area == pytest.approx(1234.0)
    assert Bolus.with_area(1234.0, arrival=3.0).arrival == 3.0


def test_bolus_refuses_dispersions_out_of_order():
    with pytest.raises(InputError, match="dispersion"):
        Bolus(venous_dispersion=1.0)
    with pytest.raises(InputError, match="above 0"):
        Bolus(beta=0.0)


@pytest.mark.parametrize("dispersion", [0.4, 1.5, 3.0, 4.5])  # below, at and above beta
def test_dispersed_artery_is_convolved_with_a_unit_area_exponential(dispersion):
    times = np.arange(0, 60, 0.01)
    # exact for straight lines between the fine samples, with no use of the bolus's own formula
    plain = FineCurve(start=0.0, values=Bolus().arterial_at(times), step=0.01)
    expected = response(plain, dispersion, times, "exponential") / dispersion
    np.testing.assert_allclose(Bolus(dispersion=dispersion).arterial_at(times), expected, atol=0.01)


def test_dispersion_keeps_area_and_veins_and_moves_the_centre_by_its_mean():
    times = np.arange(0, 400, 0.01)
    plain, dispersed = (Bolus(dispersion=mean) for mean in (0.0, 3.0))
    centres = [
        integrate.trapezoid(times * bolus.arterial_at(times), times) / bolus.area for bolus in (plain, dispersed)
    ]
    assert integrate.trapezoid(dispersed.arterial_at(times), times) == pytest.approx(plain.area, rel=1e-6)
    assert centres[1] - centres[0] == pytest.approx(3.0, abs=1e-3)
    np.testing.assert_array_equal(plain.venous_at(times), dispersed.venous_at(times))


@pytest.mark.parametrize("dispersion", [-1.0, 8.0, float("nan")])
def test_bolus_refuses_impossible_dispersions_of_an_artery(dispersion):
    with pytest.raises(InputError, match="dispersion of an artery"):
        Bolus(dispersion=dispersion)


def test_fine_curve_is_linear_between_its_points_and_zero_before():
    curve = FineCurve(start=1.0, values=np.array([0.0, 1.0, 4.0]), step=0.5)
    np.testing.assert_allclose(curve.at([0.0, 1.25, 1.75, 2.0]), [0, 0.5, 2.5, 4.0])
    np.testing.assert_allclose(curve.scaled(3.0).at([2.0]), [12.0])
    with pytest.raises(InputError, match="known up to 2 s"):
        curve.at([2.1])


@pytest.mark.parametrize("values", [[1.0, 2.0, 3.0], [0.0, 1.0], [0.0, np.nan, 1.0], [[0.0, 1.0, 2.0]]])
def test_fine_curve_refuses_what_cannot_be_an_input(values):
    with pytest.raises(InputError, match="first of them 0"):
        FineCurve(start=0.0, values=np.array(values))


def test_fine_curve_refuses_a_step_of_zero():
    with pytest.raises(InputError, match="step"):
        FineCurve(start=0.0, values=np.array([0.0, 1.0, 2.0]), step=0.0)


@pytest.mark.parametrize("residue", SHAPES, ids=named)
@pytest.mark.parametrize(("mtt", "delay"), [(3.0, -2.0), (6.0, 0.013), (17.3, 4.711)])
def test_tissue_curve_is_the_integral_over_the_piecewise_linear_input(residue, mtt, delay):
    aif = Bolus().arterial(50.0)
    frames = np.array([5.0, 9.5, 13.0, 21.37, 44.0])
    found = tissue_curve(aif, 50.0, mtt, delay, residue, times=frames)
    for frame, value in zip(frames, found, strict=True):
        last = frame - delay
        kinks = [last - mtt, last - 2 * mtt]
        knots = np.unique([*np.linspace(aif.start, last, 200_001), *(k for k in kinks if k > aif.start)])
        residues = residue_named(residue).at(last - knots, mtt)
        if residue == "box":
            # the jump lies on a knot: integrate up to it from the right
            knots, residues = knots[knots >= kinks[0]], 1.0
        expected = tissue_factor(50.0) * integrate.trapezoid(aif.at(knots) * residues, knots)
        assert value == pytest.approx(expected, rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("residue", SHAPES, ids=named)
def test_volume_follows_from_the_areas_and_flow_times_transit_time(residue):
    bolus = Bolus()
    frames = np.arange(0, 400, 0.1)
    curve = tissue_curve(bolus, 30.0, 8.0, 2.0, residue, times=frames)
    volume = 0.55 / 0.75 / 1.05 * 100 * integrate.trapezoid(curve, frames) / bolus.area
    assert volume == pytest.approx(30.0 * 8.0 / 60, rel=1e-4)


@pytest.mark.parametrize("residue", SHAPES, ids=named)
def test_tissue_curve_is_linear_in_flow_and_shifts_with_delay(residue):
    one = tissue_curve(Bolus(), 10.0, 5.0, 0.0, residue, times=FRAMES)
    np.testing.assert_allclose(tissue_curve(Bolus(), 35.0, 5.0, 0.0, residue, times=FRAMES), 3.5 * one, rtol=1e-12)
    later = tissue_curve(Bolus(), 10.0, 5.0, 2.35, residue, times=FRAMES + 2.35)
    np.testing.assert_allclose(later, one, atol=1e-9)


def test_impulse_response_height_is_the_flow():
    narrow = Bolus.with_area(1.0, beta=0.02, second_share=0.0)
    curve = tissue_curve(narrow, 60.0, 20.0, 0.0, "box", times=[15.0])
    # the fine grid is as coarse as this bolus, so its area is not quite 1
    grid = narrow.arterial(15.0)
    area = integrate.trapezoid(grid.values, grid.times)
    assert curve[0] == pytest.approx(1.05 / (0.55 / 0.75) * 60 / 6000 * area, rel=1e-9)


def test_shapes_broadcast_and_time_is_last():
    mtt, delay = np.array([[4.0], [6.0]]), np.array([0.0, 1.0, 2.5])
    curves = tissue_curve(Bolus(), 50.0, mtt, delay, times=FRAMES)
    assert curves.shape == (2, 3, 45)
    np.testing.assert_allclose(curves[1, 2], tissue_curve(Bolus(), 50.0, 6.0, 2.5, times=FRAMES), atol=1e-9)


def test_nothing_arrives_before_the_bolus():
    curve = tissue_curve(Bolus(), 50.0, 6.0, 2.5, times=FRAMES)
    assert (curve[FRAMES <= 10.5] == 0).all()
    assert (curve[FRAMES > 10.5] > 0).all()


def test_response_is_the_curve_of_unit_flow_factor():
    aif = Bolus().arterial(50.0)
    curve = tissue_curve(aif, 42.0, 7.0, times=FRAMES)
    np.testing.assert_allclose(tissue_factor(42.0) * response(aif, 7.0, FRAMES), curve, rtol=1e-12)


@pytest.mark.parametrize("residue", ["exponential", "gamma"])
def test_peak_times_are_those_of_the_curves(residue):
    times = np.arange(0, 60, 0.01)
    for mtt in (2.0, 5.0, 12.0):
        peak = times[tissue_curve(Bolus(), 50.0, mtt, 0.0, residue, times=times).argmax()]
        assert peak_times(Bolus(), mtt, residue) == pytest.approx(peak, abs=0.011)


def test_frame_times_of_blocks_end_with_the_long_interval():
    times = frame_times((30, 1.0), (15, 3.0))
    assert times.size == 45
    assert times[0] == 0
    np.testing.assert_allclose(np.diff(times), [1.0] * 29 + [3.0] * 15)


def test_transit_time_of_zero_is_refused():
    with pytest.raises(InputError, match="above 0 s"):
        tissue_curve(Bolus(), 50.0, [4.0, 0.0], times=FRAMES)


def test_input_that_ends_too_early_is_refused():
    with pytest.raises(InputError, match="known up to 44 s"):
        tissue_curve(Bolus().arterial(44.0), 50.0, 4.0, -2.0, times=FRAMES)


def test_unknown_residue_names_the_known_ones():
    with pytest.raises(UnknownNameError, match="exponential, box, linear, gamma"):
        tissue_curve(Bolus(), 50.0, 4.0, 0.0, "expo", times=FRAMES)
