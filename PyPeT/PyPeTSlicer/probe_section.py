"""The part of the panel that reads curves and values at places: with the mouse, at points, in segments."""

from __future__ import annotations

import contextlib
from typing import Any

import slicer
from slicer.i18n import tr as _

from PyPeTLib.errors import InputError
from PyPeTLib.probing import Reading, RegionReading
from PyPeTSlicer.probe import CROSSHAIR, MOUSE, NOTHING, Probing
from PyPeTSlicer.probe_output import CONCENTRATION, RESIDUE, RESPONSE, SIGNAL, value_in_words
from PyPeTSlicer.review import timelines
from PyPeTSlicer.sections import Section
from PyPeTSlicer.segments import SegmentChoice
from PyPeTSlicer.session import Run
from PyPeTSlicer.views import LAYOUTS, Arrangement, Plot, Slice, Table

LAYOUT = LAYOUTS[20]
"""Number of the layout with the slices, the plot and the values."""


class ProbeSection(Section):
    """Switches a `Probing` on and off, and shows what it reads last."""

    UI = "Probe"

    def __init__(self, panel: Any, layout: Any) -> None:
        super().__init__(panel, layout)
        self.probing: Probing | None = None
        self._regions: list[SegmentChoice] = []
        for combo, choices in (
            (
                self.ui.probeFollowCombo,
                {
                    MOUSE: _("the mouse over a slice"),
                    CROSSHAIR: _("the crosshair (Shift and mouse)"),
                    NOTHING: _("points only"),
                },
            ),
            (
                self.ui.probePlotCombo,
                {
                    CONCENTRATION: _("Concentration and fit"),
                    SIGNAL: _("Signal"),
                    RESPONSE: _("Impulse response"),
                    RESIDUE: _("Residue function"),
                },
            ),
        ):
            for name, title in choices.items():
                combo.addItem(title, name)
        ui = self.ui
        ui.probeCheck.connect("toggled(bool)", self.onSwitched)
        ui.probeFollowCombo.connect("currentIndexChanged(int)", self.onFollowChosen)
        ui.probePlaceButton.connect("clicked(bool)", self.onPlace)
        ui.probeClearButton.connect("clicked(bool)", self.onClear)
        ui.probeSegmentationSelector.connect("currentNodeChanged(vtkMRMLNode*)", self.onSegmentationChosen)
        ui.probeRegionButton.connect("clicked(bool)", self.onRegion)
        ui.probePlotCombo.connect("currentIndexChanged(int)", self.onPlotChosen)
        ui.probeShowButton.connect("clicked(bool)", self.onShow)
        self._show()

    @property
    def run(self) -> Run | None:
        """The run that can be read; None where none is in memory."""
        if self.parameters is None or self.parameters.inputSequence is None:
            return None
        found: Run | None = self.logic.session.run_of(self.parameters.inputSequence)
        return found

    # ---- what the panel calls

    def bind(self) -> None:
        """The probe reads while the module is open."""
        if self.parameters is None:
            self._stop()
        self.follow()

    def follow(self) -> None:
        """Begin to read a run that is new, and let go of one that is gone."""
        run = self.run
        if self.probing is not None and (self.probing.is_closed or self.probing.run is not run):
            self._stop()
        if self.probing is None and run is not None and self.ui.probeCheck.checked:
            self._start(run)
        self._show()

    def running(self, is_running: bool) -> None:  # noqa: FBT001 - said by the method's name
        """Nothing is read while a run replaces what would be read."""
        if is_running:
            self._stop()
        super().running(is_running)
        if not is_running:
            self.follow()

    def close(self) -> None:
        """Let go of the scene."""
        self._stop()

    # ---- what the user does

    def onSwitched(self, checked: bool) -> None:  # noqa: FBT001, N802 - a slot
        """Read, or stop reading."""
        if not checked:
            self._stop()
            self._regions = []
        self.follow()

    def onFollowChosen(self, _index: int) -> None:  # noqa: N802
        """Follow something else."""
        if self.probing is not None:
            self.probing.follow(_data_of(self.ui.probeFollowCombo))

    def onPlace(self, _checked: bool = False) -> None:  # noqa: FBT001, FBT002, N802
        """Let the user place points, one click each, until the right button."""
        with self.panel.reported(_("The points could not be placed")):
            points = self._started().make_points()
            selection = slicer.app.applicationLogic().GetSelectionNode()
            selection.SetReferenceActivePlaceNodeClassName(points.GetClassName())
            selection.SetActivePlaceNodeID(points.GetID())
            slicer.modules.markups.logic().StartPlaceMode(True)

    def onClear(self, _checked: bool = False) -> None:  # noqa: FBT001, FBT002, N802
        """Let go of all points and regions."""
        if self.probing is not None:
            self.probing.clear()

    def onSegmentationChosen(self, _node: Any) -> None:  # noqa: N802
        """Offer the segments of another segmentation."""
        self._show()

    def onRegion(self, _checked: bool = False) -> None:  # noqa: FBT001, FBT002, N802
        """Read the mean of the chosen segment."""
        with self.panel.reported(_("The region could not be read")):
            segmentation = self.ui.probeSegmentationSelector.currentNode()
            segment = _data_of(self.ui.probeSegmentCombo)
            if segmentation is None or not segment:
                raise InputError(_("Choose a segment first."))
            self._started().add_region(SegmentChoice(segmentation=segmentation, segment_id=segment))

    def onPlotChosen(self, _index: int) -> None:  # noqa: N802
        """Show another plot, where the plots are shown."""
        if self.probing is not None and self.logic.views.layout == LAYOUT:
            self.onShow()

    def onShow(self, _checked: bool = False) -> None:  # noqa: FBT001, FBT002, N802
        """Show series, map, plot and values side by side."""
        with self.panel.reported(_("The plot could not be shown")):
            probing = self._started()
            outputs = probing.run.outputs
            subject = self.logic.subject(self.parameters)
            series = timelines.input_proxy(subject)
            shown = Arrangement(
                rows=(
                    (
                        Slice(title=_("Series"), background=series),
                        Slice(title="Tmax", background=outputs.volumes.get("tmax")),
                        Slice(title="CBF", background=outputs.volumes.get("cbf")),
                    ),
                    (
                        Plot(
                            title=self.ui.probePlotCombo.currentText,
                            chart=probing.chart(_data_of(self.ui.probePlotCombo)),
                        ),
                        Table(title=_("Values"), table=probing.values),
                    ),
                )
            )
            self.logic.views.show(LAYOUT, shown)

    # ---- inside

    def _started(self) -> Probing:
        """The probe, switched on if it was not."""
        run = self.run
        if run is None:
            raise InputError(self._why_not())
        if self.probing is None:
            self.ui.probeCheck.checked = True
        if self.probing is None:
            raise InputError(self.ui.probeReadout.text)
        return self.probing

    def _start(self, run: Run) -> None:
        try:
            self.probing = Probing(run, self._on_changed)
        except InputError as error:
            self._switch(checked=False)
            self.panel.tell(str(error), True)
            return
        self.probing.follow(_data_of(self.ui.probeFollowCombo))
        for choice in self._regions:
            # a region that is gone meanwhile is no longer compared
            with contextlib.suppress(InputError):
                self.probing.add_region(choice)

    def _stop(self) -> None:
        """Let go of the run; its regions are read again in the next one."""
        if self.probing is not None:
            self._regions = self.probing.regions
            self.probing.close()
            self.probing = None

    def _switch(self, *, checked: bool) -> None:
        was = self.ui.probeCheck.blockSignals(True)
        self.ui.probeCheck.checked = checked
        self.ui.probeCheck.blockSignals(was)

    def _on_changed(self) -> None:
        if self.probing is not None and self.probing.is_closed:
            self.probing = None
        self._show_readout()

    def _show(self) -> None:
        run = self.run
        for widget in (
            self.ui.probeCheck,
            self.ui.probeFollowCombo,
            self.ui.probePlaceButton,
            self.ui.probeShowButton,
            self.ui.probePlotCombo,
            self.ui.probeSegmentationSelector,
        ):
            widget.enabled = run is not None
        self._fill_segments()
        self.ui.probeRegionButton.enabled = run is not None and bool(_data_of(self.ui.probeSegmentCombo))
        self._show_readout()

    def _fill_segments(self) -> None:
        combo = self.ui.probeSegmentCombo
        segmentation = self.ui.probeSegmentationSelector.currentNode()
        listed = {}
        if segmentation is not None:
            content = segmentation.GetSegmentation()
            ids = [content.GetNthSegmentID(index) for index in range(content.GetNumberOfSegments())]
            listed = {segment_id: content.GetSegment(segment_id).GetName() for segment_id in ids}
        if [combo.itemData(index) for index in range(combo.count)] == list(listed):
            return
        chosen = _data_of(combo)
        combo.clear()
        for segment_id, label in listed.items():
            combo.addItem(label, segment_id)
        if chosen in listed:
            combo.setCurrentIndex(list(listed).index(chosen))

    def _show_readout(self) -> None:
        readings = self.probing.readings if self.probing is not None else []
        self.ui.probeClearButton.enabled = len(readings) > 0
        if readings:
            slot, reading = readings[0]
            self.ui.probeReadout.text = f"{slot.label}: {told(reading)}"
            self.ui.probeReadout.toolTip = explained(reading)
            return
        self.ui.probeReadout.toolTip = ""
        if self.run is None:
            self.ui.probeReadout.text = self._why_not()
        elif self.probing is None:
            self.ui.probeReadout.text = _("Off.")
        else:
            self.ui.probeReadout.text = _("Move the mouse over a slice, or place a point.")

    def _why_not(self) -> str:
        if self.parameters is None or self.parameters.inputSequence is None:
            return str(_("Choose a series and run PyPeT first."))
        return str(_("The curves of this series are not in memory. Run again: then they can be read."))


def told(reading: Reading | RegionReading) -> str:
    """A reading in a few words: the maps that have a value, and what there is not."""
    words = []
    for value in reading.values.values():
        said = value_in_words(value)
        if said != "–":
            unit = value.unit if value.calibrated else _("a.u.")
            words.append(f"{value.symbol} {said} {unit}")
    return "; ".join(words) if words else " ".join(reading.notes) or "–"


def explained(reading: Reading | RegionReading) -> str:
    """The same in full: the names of the quantities, where it is, and all notes."""
    lines = [f"{value.title}: {value_in_words(value)}" for value in reading.values.values()]
    if isinstance(reading, Reading):
        x, y, z = reading.place
        lines.append(str(_("R {x:.1f}, A {y:.1f}, S {z:.1f} mm")).format(x=x, y=y, z=z))
    return "\n".join([*lines, *reading.notes])


def _data_of(combo: Any) -> str:
    return str(combo.itemData(combo.currentIndex) or "")
