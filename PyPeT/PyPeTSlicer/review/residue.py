"""Step Residue: the residue function of a voxel and of the one opposite, and how well it explains the curve."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from slicer.i18n import tr as _

from PyPeTLib.arrays import Curve, Mask
from PyPeTLib.deconvolution.modelled import makes_response
from PyPeTLib.errors import InputError
from PyPeTLib.lesions.thresholds import large_clusters
from PyPeTLib.pipeline import PipelineResult
from PyPeTLib.probing import Probe, Reading
from PyPeTLib.probing.curves import voxel_at
from PyPeTSlicer import curves as run_curves
from PyPeTSlicer import mark_segments
from PyPeTSlicer.drawn_segments import Segments
from PyPeTSlicer.mark_segments import Mark
from PyPeTSlicer.nodes import RUN
from PyPeTSlicer.review import all_maps, charts, marks, timelines
from PyPeTSlicer.review.charts import Drawing, Line
from PyPeTSlicer.review.subject import Subject
from PyPeTSlicer.segments import BRAIN
from PyPeTSlicer.views import Arrangement, Plot, Slice

RESIDUE, FIT, PLACES = "ResidueChart", "ResidueFit", "ResiduePlaces"
"""Roles of the two charts and of the segmentation that marks the places."""

VOXEL, OPPOSITE = "Voxel", "Opposite"
"""Ids of the segments."""

PLACE = "PyPeT.Place"

_COLOURS = {VOXEL: (1.0, 1.0, 1.0), OPPOSITE: (0.3, 1.0, 1.0)}


def unavailable(subject: Subject) -> str:
    """Why the step cannot be opened; empty where it can."""
    result = subject.result
    method = subject.config.deconvolution.method
    if not makes_response(method):
        return str(_("The method {method} gives no impulse response.")).format(method=method)
    if result is not None:
        if result.aif is None or not result.bolus.found:
            return str(_("There is no artery or no bolus, so nothing was deconvolved."))
        if result.intermediate is None:
            return str(_("The curves of this run were not kept. Run again."))
        if not result.maps["cbf"].valid.any():
            return str(_("No flow was found in any voxel."))
    return timelines.missing(subject, RESIDUE, FIT, PLACES)


def arrangement(subject: Subject) -> Arrangement:
    """The map with both places, the residue functions, and the measured curve with its fit."""
    if subject.result is not None and not _is_shown(subject):
        _show(subject, _last_voxel(subject) or first_voxel(subject.result))
    residue, fit, places = (subject.existing(role) for role in (RESIDUE, FIT, PLACES))
    shown = subject.map_node("tmax" if "tmax" in all_maps.of_this_run(subject) else "cbf")
    segments = (
        Segments(segmentation=subject.segmentation, outlined=(BRAIN,)),
        Segments(segmentation=places, outlined=(VOXEL, OPPOSITE)),
    )
    place = mark_segments.read(places.GetAttribute(PLACE))
    return Arrangement(
        rows=(
            (
                Slice(title=places.GetAttribute(timelines.TITLE), background=shown, segments=segments),
                Plot(title=_("Residue function"), chart=residue),
            ),
            (
                Slice(title=_("Flow"), background=subject.map_node("cbf"), segments=segments),
                Plot(title=_("Measured curve and fit"), chart=fit),
            ),
        ),
        place=None if place is None else marks.in_world(subject, place),
    )


def show_residue_at(subject: Subject, place: Sequence[float]) -> None:
    """Show another voxel.

    Parameters
    ----------
    subject : Subject
    place : sequence of float
        In RAS mm, before a parent transform of the series.

    Raises
    ------
    InputError
        If the run is no longer in memory, or nothing was deconvolved at the place.
    """
    result = subject.result
    if result is None:
        raise InputError(_("The run is no longer in memory. Run again."))
    x, y, z = map(float, place)
    voxel = voxel_at((x, y, z), result.series.grid)
    if voxel is None or not result.maps["cbf"].valid[voxel]:
        raise InputError(_("No flow was found at this place. Choose a place inside the brain."))
    for role in (RESIDUE, f"{RESIDUE}Table", FIT, f"{FIT}Table", PLACES):
        node = subject.existing(role)
        if node is not None:
            # of no run, so that it is filled anew
            node.RemoveAttribute(RUN)
    _show(subject, voxel)


def first_voxel(result: PipelineResult) -> tuple[int, int, int]:
    """Where to look first: in the midst of late tissue, else in the middle of the brain.

    On the grid of the input series; a voxel with flow.
    """
    grid, flow = result.series.grid, result.maps["cbf"].valid
    tissue = flow & result.on_input_grid(result.tissue.parenchyma)
    region = tissue if tissue.any() else flow
    if "tmax" in result.maps:
        options = result.config.lesions
        late = tissue & (result.maps["tmax"].values > options.hypoperfusion_tmax)
        late = large_clusters(late, grid, options.smallest_cluster)
        region = late if late.any() else region
    return mark_segments.inner_voxel(region)


def _is_shown(subject: Subject) -> bool:
    nodes = [subject.existing(role) for role in (RESIDUE, FIT, PLACES)]
    return all(node is not None and node.GetAttribute(RUN) == subject.number for node in nodes)


def _last_voxel(subject: Subject) -> tuple[int, int, int] | None:
    """The voxel that was shown of an earlier run, if this one has a flow there."""
    places, result = subject.existing(PLACES), timelines.result_of(subject)
    place = mark_segments.read(places.GetAttribute(PLACE)) if places is not None else None
    voxel = voxel_at(place, result.series.grid) if place is not None else None
    return voxel if voxel is not None and result.maps["cbf"].valid[voxel] else None


def _show(subject: Subject, voxel: tuple[int, int, int]) -> None:
    """Fill the nodes with what is known of a voxel on the grid of the input series, and of the one opposite."""
    result = timelines.result_of(subject)
    probe = Probe.of(result)
    place = mark_segments.place_of(voxel, result.series.grid)
    across = (result.mirror.matrix @ [*place, 1.0])[:3]
    mirrored = (float(across[0]), float(across[1]), float(across[2]))
    here, there = probe.at(place), probe.at(mirrored)
    unit = run_curves.unit_of(result)
    charts.chart(subject, RESIDUE, _("residue function"), lambda: _residues(here, there))
    around = {VOXEL: _around(result, here), OPPOSITE: _around(result, there)}
    # the opposite place may lie a slice higher or lower: it is marked in the slice in view, too
    around[OPPOSITE][..., voxel[2]] |= around[OPPOSITE].any(axis=2)
    measured = probe.region(around[VOXEL]).curves.measured
    charts.chart(subject, FIT, _("curve and fit"), lambda: _fits(here, there, measured, unit))
    names = {VOXEL: _("This voxel"), OPPOSITE: _("Opposite")}
    places = marks.marked(
        subject,
        PLACES,
        _("residue places"),
        lambda: [(key, Mark(mask=around[key], name=names[key], colour=_COLOURS[key])) for key in around],
    )
    places.SetAttribute(PLACE, mark_segments.written(place))
    value = here.values.get("tmax") or here.values["cbf"]
    title = str(_("{symbol} {value:.1f} {unit} here")).format(
        symbol=value.symbol, value=value.value, unit=value.unit if value.calibrated else ""
    )
    places.SetAttribute(timelines.TITLE, title)


def _residues(here: Reading, there: Reading) -> Drawing:
    lines = []
    for reading, name, colour in ((here, _("This voxel"), charts.ORANGE), (there, _("Opposite"), charts.BLUE)):
        if reading.deconvolved is not None:
            response = reading.deconvolved.response
            lines.append(Line(name=name, x=response.lags, y=response.residue, colour=colour))
    return Drawing(
        title=_("Residue function"),
        x_title=_("Time after the artery [s]"),
        y_title=_("R, share of its maximum"),
        lines=lines or [_nothing()],
    )


def _fits(here: Reading, there: Reading, measured: Curve | None, unit: str) -> Drawing:
    """The curves of both places; of the noisy measured ones the mean of those around the voxel."""
    curves, lines = here.curves, []
    if measured is not None:
        name = _("Measured, mean of the square")
        lines.append(Line(name=name, x=curves.times, y=measured, colour=charts.GREY, points=True))
    if curves.smoothed is not None:
        lines.append(Line(name=_("Denoised"), x=curves.times, y=curves.smoothed, colour=charts.ORANGE, marked=True))
    if here.deconvolved is not None:
        fitted = here.deconvolved.response.fitted
        lines.append(Line(name=_("Fit"), x=curves.times, y=fitted, colour=charts.RED, dashed=True))
    opposite = there.curves.smoothed
    if opposite is not None:
        lines.append(Line(name=_("Opposite, denoised"), x=there.curves.times, y=opposite, colour=charts.BLUE))
    misfit = here.deconvolved.misfit if here.deconvolved is not None else 0.0
    return Drawing(
        title=_("Curve and fit, misfit {misfit:.2g} {unit}").format(misfit=misfit, unit=unit),
        x_title=_("Time [s]"),
        y_title=_("Contrast [{unit}]").format(unit=unit),
        lines=lines or [_nothing()],
    )


def _nothing() -> Line:
    return Line(name=_("No flow was found here"), x=[0.0, 1.0], y=[0.0, 0.0], colour=charts.GREY)


def _around(result: PipelineResult, reading: Reading) -> Mask:
    """The voxels around one in its slice, so that an outline can be seen and leaves the voxel itself free."""
    mask = np.zeros(result.series.grid.shape, bool)
    if reading.voxel is not None:
        x, y, z = reading.voxel
        reach = max(1, round(2.0 / result.series.grid.voxel_sizes[0]))
        mask[max(x - reach, 0) : x + reach + 1, max(y - reach, 0) : y + reach + 1, z] = True
    return mask
