"""How maps look: colours through Slicer's own lookup, windows, legends, schemes."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from vtk.util.numpy_support import vtk_to_numpy

from host.views import SliceView
from PyPeTLib.errors import InputError
from PyPeTLib.geometry import Grid, identity_orientation
from PyPeTLib.maps import QUANTITIES, ParameterMap
from PyPeTLib.report.colours import TMAX_MARKS
from PyPeTSlicer import colours, volumes


def shown_map(name, values, **more):
    """A map of one row of voxels, thick enough to be drawn."""
    row = np.asarray(values, np.float32)[:, None, None]
    whole = np.repeat(np.repeat(row, 8, axis=1), 2, axis=2)
    return ParameterMap(quantity=QUANTITIES[name], values=whole, valid=np.ones(whole.shape, bool), **more)


def volume_of(shown, scheme=colours.DEFAULT):
    """The map as a volume of the scene, as a run writes it."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", shown.quantity.symbol)
    orientation = identity_orientation(Grid(shown.values.shape, np.eye(4)))
    facts = {"Symbol": shown.quantity.symbol, "Units": shown.unit, "Calibrated": shown.calibrated}
    if volumes.is_relative(shown):
        facts["RelativeToMean"] = shown.provenance["relative_to_mean"]
    volumes.fill_volume(node, shown, orientation, facts)
    volumes.style(node, shown, scheme)
    return node


def colours_of(node):
    """The colours that Slicer gives the voxels of one row, shape (n, 3), 0 to 255."""
    pipeline = node.GetDisplayNode()
    pipeline.SetInputImageDataConnection(node.GetImageDataConnection())
    algorithm = pipeline.GetOutputImageDataConnection().GetProducer()
    algorithm.Update()
    image = algorithm.GetOutput()
    pixels = vtk_to_numpy(image.GetPointData().GetScalars())
    return pixels.reshape(*reversed(image.GetDimensions()), -1)[0, 0, :, :3].astype(int)


@pytest.mark.parametrize("scheme", colours.SCHEMES)
def test_tmax_changes_its_colour_exactly_at_each_threshold(host, scheme):
    marks = np.array(TMAX_MARKS, np.float32)
    just_below = np.nextafter(marks, np.float32(0))
    for below, at in ((marks - np.float32(0.01), marks + np.float32(0.01)), (just_below, marks)):
        drawn = colours_of(volume_of(shown_map("tmax", np.concatenate([below, at])), scheme))
        assert (np.abs(drawn[: len(marks)] - drawn[len(marks) :]).max(axis=1) > 10).all()


def test_tmax_has_one_colour_within_a_second(host):
    inside = np.array([6.03, 6.5, 6.97], np.float32)
    drawn = colours_of(volume_of(shown_map("tmax", [*inside, 1.0, 2.5, 11.5, 40.0])))
    assert len(np.unique(drawn[:3], axis=0)) == 1
    np.testing.assert_array_equal(drawn[3], drawn[4])
    np.testing.assert_array_equal(drawn[5], drawn[6])


def test_relative_maps_are_neutral_at_the_mean(host):
    node = volume_of(shown_map("cbf", [20.0, 40.0, 60.0]).relative())
    below, mean, above = colours_of(node)
    assert np.ptp(mean) <= 2
    assert below[2] - below[0] > 20, "blue"
    assert above[0] - above[2] > 20, "orange"


def test_a_view_draws_the_colours_of_the_lookup(host):
    node = volume_of(shown_map("tmax", np.repeat([3.5, 5.99, 6.01, 11.0], 4)))
    wanted = colours_of(node)
    view = SliceView(host, "Look", (200, 200))
    view.show(node, offset=0.4)
    picture = view.picture()
    for voxel in (1, 5, 9, 13):
        row, column = view.pixel_of((voxel, 4.0, 0.4))
        np.testing.assert_array_equal(picture[row, column], wanted[voxel])
    view.close()


def test_restyle_changes_the_colours_and_nothing_else(host):
    names = ("cbf", "cbf_sd", "tmax", "k2")
    nodes = [volume_of(shown_map(name, np.linspace(0, 50, 20))) for name in names]
    foreign = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Foreign")
    nodes[0].GetDisplayNode().SetWindowLevelMinMax(10, 33)
    before = [state_of(node) for node in nodes]
    for scheme, tables in colours.SCHEMES.items():
        colours.restyle([*nodes, foreign], scheme)
        found = [node.GetDisplayNode().GetColorNode().GetName() for node in nodes]
        assert found == [tables.smooth, tables.smooth, tables.bands, colours.RELATIVE]
        assert [colours.scheme_of(node) for node in nodes[:3]] == [scheme] * 3
        assert [state_of(node) for node in nodes] == before
    assert foreign.GetDisplayNode() is None
    assert colours.scheme_of(foreign) is None
    with pytest.raises(InputError, match="perfusion, asist, even"):
        colours.restyle(nodes, "rainbow")


def state_of(node):
    display, legend = node.GetDisplayNode(), slicer.modules.colors.logic().GetColorLegendDisplayNode(node)
    window = display.GetWindowLevelMin(), display.GetWindowLevelMax()
    return window, display.GetLowerThreshold(), legend.GetNumberOfLabels(), legend.GetTitleText()


def test_tables_are_made_once_and_a_changed_one_is_left_alone(host):
    first = colours.colour_node("PyPeT-Even")
    assert colours.colour_node("PyPeT-Even") is first
    first.SetColor(3, "mine", 1.0, 0.0, 0.0, 1.0)
    again = colours.colour_node("PyPeT-Even")
    assert again is not first
    assert colours.colour_node("PyPeT-Even") is again


@pytest.mark.parametrize("name", [name for name in QUANTITIES if name != "tmax"])
def test_every_map_has_its_window_and_round_numbers_beside_it(host, name):
    window = QUANTITIES[name].window
    unit = QUANTITIES[name].unit or "HU"
    node = volume_of(shown_map(name, np.linspace(*window, 50), unit=unit))
    assert volumes.standard_window(node) == pytest.approx(window)
    legend = slicer.modules.colors.logic().GetColorLegendDisplayNode(node)
    assert legend.GetTitleText().replace("\n/", "/") == f"{QUANTITIES[name].symbol}\n{unit}"
    for number in np.linspace(*window, legend.GetNumberOfLabels()):
        assert float(legend.GetLabelFormat() % number) == pytest.approx(number, abs=1e-9)


def test_the_legend_of_tmax_names_the_thresholds(host):
    node = volume_of(shown_map("tmax", np.linspace(0, 14, 30)))
    count = slicer.modules.colors.logic().GetColorLegendDisplayNode(node).GetNumberOfLabels()
    assert set(TMAX_MARKS) < set(np.linspace(*volumes.standard_window(node), count))


@pytest.mark.parametrize("factor", [0.003, 1.0, 7.3, 1900.0])
def test_maps_without_a_scale_get_a_round_window_that_shows_them(host, factor):
    values = factor * np.linspace(0, 1, 200)
    node = volume_of(shown_map("cbf", values, calibrated=False))
    low, high = volumes.standard_window(node)
    assert low == 0
    assert np.percentile(values, 98) <= high < 1.3 * np.percentile(values, 98)
    legend = slicer.modules.colors.logic().GetColorLegendDisplayNode(node)
    assert legend.GetTitleText() == "CBF\na.u."
    for number in np.linspace(low, high, legend.GetNumberOfLabels()):
        assert float(legend.GetLabelFormat() % number) == pytest.approx(number, rel=1e-6)


def test_back_to_the_standard_window(host):
    node = volume_of(shown_map("cbv", np.linspace(0, 6, 20), calibrated=False))
    window = volumes.standard_window(node)
    display = node.GetDisplayNode()
    display.SetWindowLevelMinMax(3, 4)
    volumes.reset_window(node)
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == pytest.approx(window)
    foreign = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Foreign")
    with pytest.raises(InputError, match="Foreign"):
        volumes.reset_window(foreign)


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_view_shows_the_legend_of_its_own_map_whole(host, side):
    cbf, tmax = (volume_of(shown_map(name, np.full(6, -5.0))) for name in ("cbf", "tmax"))
    for node in (cbf, tmax):
        volumes.place_legend(node, side)
        view = SliceView(host, f"Look{node.GetID()}{side}", (360, 330))
        view.show(node, offset=0.4)
        drawn = view.picture().max(axis=2) > 40
        view.close()
        rows, columns = np.nonzero(drawn)
        assert len(rows) > 500
        assert rows.min() > 2
        assert rows.max() < 327
        assert columns.min() > 2
        assert columns.max() < 357
        assert (columns.mean() > 180) == (side == "right")
        # one bar only: most of the width stays free
        assert drawn.any(axis=0).sum() < 0.45 * 360
