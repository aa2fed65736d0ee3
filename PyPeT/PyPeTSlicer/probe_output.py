"""What probes have read, as nodes: three tables of curves, their charts, and a table of the values of all maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
from slicer.i18n import tr as _

from PyPeTLib.masking import TITLES
from PyPeTLib.probing import MapValue, Probe, Reading, RegionReading, RegionValue
from PyPeTSlicer.probe_nodes import Colour, CurveTable, Line, TextTable, draw, node_of

ROLE = "PyPeT.Probe."
"""Beginning of the roles of all nodes of a probe."""

SIGNAL, CONCENTRATION, RESPONSE, RESIDUE = "Signal", "Concentration", "Response", "Residue"
CHARTS = (CONCENTRATION, SIGNAL, RESPONSE, RESIDUE)
"""The charts; each is also the end of a role."""

TIME, LAG = "Time", "Lag"
"""First columns of the tables of curves."""

AIF = "AIF (scaled)"
"""Column with the arterial input, as high as the first curve."""

MEASURED, FIT, ECHO = " measured", " fit", " echo 2"
"""Ends of the names of columns; a name alone is the curve that was deconvolved, or the signal of the first echo."""

_GREY: Colour = (0.55, 0.55, 0.55)


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A place that is read: its key, its name in tables and legends, its colour."""

    key: str
    label: str
    colour: Colour


class ProbeOutput:
    """The nodes of the probes of one run.

    Parameters
    ----------
    segmentation : vtkMRMLSegmentationNode
        Refers to the nodes; what is there already is used again.
    probe : Probe
    """

    def __init__(self, segmentation: Any, probe: Probe) -> None:
        self._segmentation, self._probe = segmentation, probe
        self.slots: list[Slot] = []
        self._shown: dict[str, Reading | RegionReading] = {}
        series, working = probe.result.series, probe.result.working
        self._signal_frames = np.searchsorted(series.frame_times, working.frame_times)
        self._n_echoes = len(series.echoes)
        lags = probe.lags
        self._lags = np.zeros(0) if lags is None else lags
        self._find_nodes()

    def title(self, what: str) -> str:
        """Name of a node."""
        return f"{self._segmentation.GetName().removesuffix(' segmentation')} {what}"

    @property
    def is_complete(self) -> bool:
        """Whether all nodes are in the scene."""
        nodes = [self._signal.node, self._content.node, self._response.node, self.values.node, *self.charts.values()]
        return all(slicer.mrmlScene.IsNodePresent(node) for node in nodes)

    def arrange(self, slots: Sequence[Slot]) -> None:
        """Make room for places in all tables and charts."""
        if not self.is_complete:
            self._find_nodes()
        self.slots = list(slots)
        self._shown = {}
        result, unit = self._probe.result, self._probe.unit
        labels = [slot.label for slot in slots]
        signals = [f"{label}{end}" for label in labels for end in ("", ECHO)[: self._n_echoes]]
        self._signal.shape(result.series.frame_times, dict.fromkeys(signals, "HU" if unit == "HU" else ""))
        contents = [f"{label}{end}" for label in labels for end in ("", MEASURED, FIT)]
        self._content.shape(result.working.frame_times, dict.fromkeys([AIF, *contents], unit))
        responses = {f"{label}{end}": told for label in labels for end, told in ((" k", "1/s"), (" R", "1"))}
        self._response.shape(self._lags, responses)
        self.values.shape([_("Quantity"), _("Unit"), *labels], len(self._rows()))
        self.values.put(0, [name for name, _unit in self._rows()])
        self.values.put(1, [told for _name, told in self._rows()])
        self._draw()

    def show(self, readings: Mapping[str, Reading | RegionReading]) -> None:
        """Put readings in their places, by the keys of the slots; each table tells of it once."""
        self._shown |= readings
        for column, slot in enumerate(self.slots):
            reading = readings.get(slot.key)
            if reading is not None:
                self._put(slot.label, reading)
                self.values.put(column + 2, self._words(reading))
        self._put_artery()
        for table in (self._signal, self._content, self._response, self.values):
            table.publish()

    def _find_nodes(self) -> None:
        def made(end: str, class_name: str, what: str) -> Any:
            return node_of(self._segmentation, f"{ROLE}{end}", class_name, self.title(what))

        def table(end: str, what: str) -> Any:
            return made(f"{end}Table", "vtkMRMLTableNode", what)

        self._signal = CurveTable(table(SIGNAL, _("probed signal")), TIME, "s")
        self._content = CurveTable(table(CONCENTRATION, _("probed concentration")), TIME, "s")
        self._response = CurveTable(table(RESPONSE, _("probed responses")), LAG, "s")
        self.values = TextTable(table("Values", _("probed values")))
        titles = {
            SIGNAL: _("signal plot"),
            CONCENTRATION: _("concentration plot"),
            RESPONSE: _("impulse response plot"),
            RESIDUE: _("residue plot"),
        }
        self.charts = {name: made(f"{name}Chart", "vtkMRMLPlotChartNode", titles[name]) for name in CHARTS}

    def _put(self, label: str, reading: Reading | RegionReading) -> None:
        curves = reading.curves
        # outside the series there is none
        for end, signal in zip(("", ECHO)[: self._n_echoes], curves.signals or [None] * self._n_echoes, strict=True):
            self._signal.put(f"{label}{end}", self._on_all_frames(signal))
        found = reading.deconvolved
        self._content.put(label, curves.smoothed)
        self._content.put(f"{label}{MEASURED}", curves.measured)
        self._content.put(f"{label}{FIT}", None if found is None else found.response.fitted)
        if self._lags.size:
            self._response.put(f"{label} k", None if found is None else found.response.values)
            self._response.put(f"{label} R", None if found is None else found.response.residue)

    def _on_all_frames(self, signal: np.ndarray[Any, Any] | None) -> np.ndarray[Any, Any] | None:
        """A signal at all frames of the series, of which the analysis may have left some out."""
        n_frames = self._probe.result.series.n_frames
        if signal is None or signal.size == n_frames:
            return signal
        every = np.full(n_frames, np.nan)
        every[self._signal_frames] = signal
        return every

    def _put_artery(self) -> None:
        """The artery of the first place that has one, as high as the curve there."""
        for slot in self.slots:
            curves = self._shown[slot.key].curves
            if curves.aif is not None and curves.smoothed is not None:
                height = max(float(curves.smoothed.max()), 0.0)
                self._content.put(AIF, curves.aif * (height / curves.aif.max()))
                return
        self._content.put(AIF, None)

    def _draw(self) -> None:
        lines: dict[str, list[Line]] = {name: [] for name in CHARTS}
        if self.slots:
            lines[CONCENTRATION].append(Line(column=AIF, colour=_GREY))
        for slot in self.slots:
            label, colour = slot.label, slot.colour
            lines[SIGNAL].append(Line(column=label, colour=colour))
            if self._n_echoes > 1:
                lines[SIGNAL].append(Line(column=f"{label}{ECHO}", colour=colour, style="dash"))
            if slot is self.slots[0]:
                # the noise of several places would hide what is compared; the table holds it
                lines[CONCENTRATION].append(Line(column=f"{label}{MEASURED}", colour=colour, style="points"))
            lines[CONCENTRATION] += [
                Line(column=label, colour=colour),
                Line(column=f"{label}{FIT}", colour=colour, style="dash"),
            ]
            if self._lags.size:
                lines[RESPONSE].append(Line(column=f"{label} k", colour=colour))
                lines[RESIDUE].append(Line(column=f"{label} R", colour=colour))
        unit = self._probe.unit
        told = {
            SIGNAL: (self._signal, _("Signal"), TIME, _("Time [s]"), _("Signal [HU]") if unit == "HU" else _("Signal")),
            CONCENTRATION: (
                self._content,
                _("Concentration and fit"),
                TIME,
                _("Time [s]"),
                str(_("Contrast [{unit}]")).format(unit=unit),
            ),
            RESPONSE: (self._response, _("Impulse response"), LAG, _("Lag [s]"), _("k [1/s]")),
            RESIDUE: (self._response, _("Residue function"), LAG, _("Lag [s]"), _("R = k / max k")),
        }
        for name, (table, title, axis, x_title, y_title) in told.items():
            chart = self.charts[name]
            before = chart.StartModify()
            draw(chart, table.node, axis, lines[name])
            chart.SetTitle(title)
            chart.SetXAxisTitle(x_title)
            chart.SetYAxisTitle(y_title)
            chart.SetLegendVisibility(True)
            chart.EndModify(before)

    def _rows(self) -> list[tuple[str, str]]:
        """Name and unit of what the table of values tells."""
        maps = self._probe.result.maps.values()
        quantities = [(shown.quantity.symbol, shown.unit if shown.calibrated else _("a.u.")) for shown in maps]
        more = [
            (_("Misfit"), self._probe.unit),
            (_("Tissue"), ""),
            (_("Side"), ""),
            (_("Place"), _("RAS mm")),
            (_("Note"), ""),
        ]
        return [*quantities, *more]

    def _words(self, reading: Reading | RegionReading) -> list[str]:
        words = [value_in_words(reading.values[name]) if reading.values else "–" for name in self._probe.result.maps]
        misfit = "–" if reading.deconvolved is None else f"{reading.deconvolved.misfit:.3g}"
        if isinstance(reading, RegionReading):
            size = str(_("{count} voxels, {volume:.1f} ml")).format(count=reading.n_voxels, volume=reading.volume)
            return [*words, misfit, "–", "–", size, " ".join(reading.notes)]
        x, y, z = reading.place
        tissue = TITLES[reading.tissue] if reading.voxel is not None else "–"
        return [*words, misfit, tissue, reading.side or "–", f"{x:.1f}, {y:.1f}, {z:.1f}", " ".join(reading.notes)]


def value_in_words(value: MapValue | RegionValue) -> str:
    """The value of a map at a voxel; of a region mean, standard deviation and median."""
    if isinstance(value, MapValue):
        return f"{value.value:.3g}" if value.valid else "–"
    if value.n_voxels == 0:
        return "–"
    return f"{value.mean:.3g} ± {value.sd:.2g} ({value.median:.3g})"
