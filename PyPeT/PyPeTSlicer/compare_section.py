"""The part of the panel where maps are compared with references, and the comparison is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from PyPeTLib.compare import NORMALISATIONS
from PyPeTLib.maps import QUANTITIES
from PyPeTSlicer import comparison, comparison_views, references
from PyPeTSlicer.comparison_nodes import ComparisonNodes, MapNodes, comparison_of, set_checkerboard
from PyPeTSlicer.comparison_views import CHECKERBOARD, FLICKER, SIDE_BY_SIDE
from PyPeTSlicer.nodes import RUN
from PyPeTSlicer.outputs import MAPS
from PyPeTSlicer.sections import Section

_FILES = "*.nii *.nii.gz *.nrrd *.nhdr *.mha *.mhd *.hdr"


class CompareSection(Section):
    """References, the comparison with them, and what the views show of it."""

    UI = "Compare"

    def __init__(self, panel: Any, layout: Any) -> None:
        super().__init__(panel, layout)
        self._shown = comparison_views.Shown(panel.logic.views, self._on_flicker)
        self._timer = qt.QTimer()
        self._timer.connect("timeout()", self._on_timeout)
        self._references: dict[str, Any] = {}
        self._is_filling = False
        self._notes = ""
        for entry in NORMALISATIONS.entries():
            self.ui.normalisationCombo.addItem(entry.name, entry.name)
            self.ui.normalisationCombo.setItemData(
                self.ui.normalisationCombo.count - 1, entry.summary, qt.Qt.ToolTipRole
            )
        self.ui.normalisationCombo.connect("activated(int)", self.on_normalisation)
        for name in MAPS:
            self._units(name).connect("activated(int)", self._on_unit_of(name))
        self.ui.loadReferencesButton.connect("clicked(bool)", self.on_load)
        self.ui.pairButton.connect("clicked(bool)", self.on_pair)
        self.ui.compareButton.connect("clicked(bool)", self.on_compare)
        self.ui.comparedMapCombo.connect("activated(int)", self.on_map)
        self.ui.flickerRateSpin.connect("valueChanged(double)", self.on_rate)
        self.ui.tileSpin.connect("valueChanged(double)", self.on_tile)
        self.ui.leaveComparisonButton.connect("clicked(bool)", self.on_leave)
        for mode, button in self._modes().items():
            button.connect("clicked(bool)", self._on_mode(mode))
        scene = slicer.mrmlScene
        self._tag = scene.AddObserver(scene.StartCloseEvent, lambda _scene, _event: self._stop())

    # ---- life of the part

    def bind(self) -> None:
        """Another scene or none: flickering ends where nobody can end it."""
        if self.parameters is None:
            self._timer.stop()
            self._shown.rest()
        else:
            self._references = self._chosen()
            self.follow()
            if self._shown.mode == FLICKER:
                self._timer.start()

    def follow(self) -> None:
        """Show what can be compared, and what was."""
        if self.parameters is None:
            return
        if self._shown.mode is None:
            self._stop()
        chosen = self._chosen()
        if chosen != self._references:
            self._references = chosen
            self.ui.mismatchCheck.checked = False
        missing = comparison.missing(self.parameters)
        self.ui.compareButton.enabled = not missing
        self.ui.compareButton.toolTip = missing or _("Compute the figures of agreement and show the maps side by side.")
        self.ui.normalisationCombo.setCurrentIndex(self.ui.normalisationCombo.findData(self.parameters.normalisation))
        for name in MAPS:
            self._show_units(name, chosen.get(name))
        self._show_comparison()

    def running(self, is_running: bool) -> None:  # noqa: FBT001 - as of all parts
        """No comparison while maps are made."""
        super().running(is_running)
        if not is_running:
            self.follow()

    def close(self) -> None:
        """Let go of the scene and of what is shown."""
        self._stop()
        slicer.mrmlScene.RemoveObserver(self._tag)

    def _stop(self) -> None:
        self._timer.stop()
        self._shown.release()

    # ---- what the user does

    def on_load(self, _checked: bool = False) -> None:  # noqa: FBT001, FBT002 - a slot
        """Load reference files and choose them by their names."""
        title, pattern = _("Load reference maps"), _("Volumes ({patterns})").format(patterns=_FILES)
        paths = qt.QFileDialog.getOpenFileNames(slicer.util.mainWindow(), title, "", pattern)
        # some versions also return the filter
        paths = paths[0] if isinstance(paths, tuple) else paths
        if not paths or self.parameters is None:
            return
        with self.panel.reported(_("The files could not be loaded")):
            self._take(references.pair(references.load_files(paths)))

    def on_pair(self, _checked: bool = False) -> None:  # noqa: FBT001, FBT002
        """Choose references among the volumes of the scene by their names."""
        if self.parameters is None:
            return
        with self.panel.reported(_("The volumes could not be paired")):
            maps = [getattr(self.parameters, f"{name}Volume") for name in MAPS]
            found = references.candidates(self.parameters.inputSequence, maps)
            self._take(references.pair(found))

    def on_normalisation(self, index: int) -> None:
        """Keep how values are normalised."""
        if self.parameters is not None:
            self.parameters.normalisation = self.ui.normalisationCombo.itemData(index)

    def on_compare(self, _checked: bool = False) -> None:  # noqa: FBT001, FBT002
        """Compare all maps that have a reference; the scene changes when all are done."""
        if self.parameters is None:
            return
        with self.panel.reported(_("The comparison failed")):
            request = comparison.request_of(self.parameters, allow_mismatch=self.ui.mismatchCheck.checked)
            mode = self._shown.mode
            # while they are written, the nodes that are shown must not follow each other
            self._stop()
            try:
                comparison.compare(request, self._on_progress)
            except Exception:
                if mode is not None:
                    self._show(mode)
                raise
            finally:
                self.ui.compareStatusLabel.text = ""
            self.follow()
            symbols = ", ".join(QUANTITIES[name].symbol for name in request.quantities)
            self.panel.tell(_("Compared: {maps}.").format(maps=symbols))
            if slicer.app.layoutManager() is not None:
                self._show(mode or SIDE_BY_SIDE)

    def on_map(self, _index: int) -> None:
        """Show another map in the same way."""
        if self._shown.mode is not None and not self._is_filling:
            with self.panel.reported(_("The comparison could not be shown")):
                self._show(self._shown.mode)
        self._show_notes(self._comparison())

    def on_rate(self, rate: float) -> None:
        """Flicker at another rate."""
        self._timer.setInterval(round(1000 / rate))

    def on_tile(self, _size: float) -> None:
        """Show tiles of another size."""
        nodes = self._map_nodes()
        if self._shown.mode == CHECKERBOARD and nodes is not None:
            set_checkerboard(self.parameters.segmentation, nodes, self.ui.tileSpin.value)

    def on_leave(self, _checked: bool = False) -> None:  # noqa: FBT001, FBT002
        """Give the user's layout back."""
        self._stop()
        self.logic.views.leave()
        self._show_comparison()

    def _on_mode(self, mode: str) -> Callable[[bool], None]:
        def on_clicked(_checked: bool = False) -> None:  # noqa: FBT001, FBT002
            with self.panel.reported(_("The comparison could not be shown")):
                self._show(mode)
            self._show_comparison()

        return on_clicked

    def _on_unit_of(self, name: str) -> Callable[[int], None]:
        def on_activated(index: int) -> None:
            node = self._references.get(name)
            if node is not None and not self._is_filling:
                comparison.tell_unit(node, self._units(name).itemData(index) or "")

        return on_activated

    # ---- what happens then

    def _take(self, found: references.Found) -> None:
        """Choose references, and say what was not paired."""
        for name, node in found.references.items():
            setattr(self.parameters, f"{name}Reference", node)
        symbols = ", ".join(QUANTITIES[name].symbol for name in MAPS if name in found.references)
        paired = _("Paired: {maps}.").format(maps=symbols) if symbols else _("No reference was found by its name.")
        self.panel.tell(" ".join((paired, *found.notes)))
        self.follow()

    def _on_progress(self, symbol: str) -> None:
        # drawn at once, without giving anybody else a turn: maps must not change while they are compared
        self.ui.compareStatusLabel.text = _("Comparing {map} …").format(map=symbol) if symbol else _("Writing …")
        self.ui.compareStatusLabel.repaint()

    def _on_timeout(self) -> None:
        if not self._shown.flick():
            self._timer.stop()

    def _on_flicker(self, is_reference: bool) -> None:  # noqa: FBT001 - one of two
        self.ui.flickerShownLabel.text = _("reference") if is_reference else _("generated")

    def _show(self, mode: str) -> None:
        nodes = self._map_nodes()
        if nodes is None:
            return
        self._timer.stop()
        board = None
        if mode == CHECKERBOARD:
            board = set_checkerboard(self.parameters.segmentation, nodes, self.ui.tileSpin.value)
        self._shown.show(mode, nodes, self._comparison().table, board)  # type: ignore[union-attr]
        if mode == FLICKER:
            self._timer.setInterval(round(1000 / self.ui.flickerRateSpin.value))
            self._timer.start()
        self._show_comparison()

    # ---- what the part shows

    def _show_units(self, name: str, node: Any) -> None:
        combo = self._units(name)
        combo.visible = node is not None
        if node is None:
            return
        told = comparison.told_unit(node)
        listed = {told: told} if told else {"": str(_("unit not told"))} | {u: u for u in comparison.units_for(name)}
        self._fill(combo, listed, comparison.unit_of(node))
        combo.enabled = not told

    def _show_comparison(self) -> None:
        """List the compared maps, and mark the way in which they are shown."""
        found = self._comparison()
        listed = {name: QUANTITIES[name].symbol for name in found.maps} if found is not None else {}
        self._fill(self.ui.comparedMapCombo, listed, self.ui.comparedMapCombo.currentData)
        has_views = slicer.app.layoutManager() is not None
        mode = self._shown.mode
        for name, button in self._modes().items():
            button.enabled = bool(listed) and has_views
            button.checked = name == mode
        self.ui.comparedMapCombo.enabled = bool(listed)
        self.ui.leaveComparisonButton.enabled = mode is not None
        for widget in (self.ui.flickerRateLabel, self.ui.flickerRateSpin, self.ui.flickerShownLabel):
            widget.visible = mode == FLICKER
        for widget in (self.ui.tileLabel, self.ui.tileSpin):
            widget.visible = mode == CHECKERBOARD
        self._show_notes(found)

    def _show_notes(self, found: ComparisonNodes | None) -> None:
        notes = found.notes.get(self.ui.comparedMapCombo.currentData or "", []) if found is not None else []
        text = "\n".join(notes)
        if self._notes != text:
            self._notes = text
            self.ui.comparisonNotesText.setPlainText(text)
        is_old = found is not None and found.run != (self.parameters.segmentation.GetAttribute(RUN) or "")
        self.ui.compareStatusLabel.text = _("These are maps of an earlier run: compare again.") if is_old else ""

    def _fill(self, combo: Any, listed: dict[str, str], chosen: Any) -> None:
        if [combo.itemData(index) for index in range(combo.count)] != list(listed):
            self._is_filling = True
            combo.clear()
            for data, label in listed.items():
                combo.addItem(label, data)
            self._is_filling = False
        names = list(listed)
        combo.setCurrentIndex(names.index(chosen) if chosen in names else min(0, len(names) - 1))

    def _chosen(self) -> dict[str, Any]:
        nodes = {name: getattr(self.parameters, f"{name}Reference") for name in MAPS}
        return {name: node for name, node in nodes.items() if node is not None}

    def _comparison(self) -> ComparisonNodes | None:
        return comparison_of(self.parameters.segmentation) if self.parameters is not None else None

    def _map_nodes(self) -> MapNodes | None:
        found = self._comparison()
        return found.maps.get(self.ui.comparedMapCombo.currentData or "") if found is not None else None

    def _units(self, name: str) -> Any:
        return getattr(self.ui, f"{name}UnitCombo")

    def _modes(self) -> dict[str, Any]:
        return {
            SIDE_BY_SIDE: self.ui.sideBySideButton,
            FLICKER: self.ui.flickerButton,
            CHECKERBOARD: self.ui.checkerboardButton,
        }
