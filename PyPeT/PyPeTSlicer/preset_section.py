"""The part of the panel where presets are chosen, saved and loaded."""

from __future__ import annotations

from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from PyPeTLib.errors import InputError
from PyPeTLib.presets import Preset
from PyPeTLib.series import Modality
from PyPeTSlicer import presets
from PyPeTSlicer.sections import Section
from PyPeTSlicer.words import for_panel

MOST_CHANGES = 5
"""So many changed options are named; the tooltip has them all."""


class PresetSection(Section):
    """Combo box with the presets for the modality, and what the chosen one is.

    The parameter ``preset`` says what was chosen last: a name, the path of a loaded file, or nothing for the defaults.
    """

    UI = "Presets"

    def __init__(self, panel: Any, layout: Any) -> None:
        super().__init__(panel, layout)
        self._modality = ""
        self._offered: dict[str, Preset] = {}
        self._problems: list[str] = []
        self.ui.presetCombo.connect("activated(int)", self.on_chosen)
        self.ui.presetSaveButton.connect("clicked(bool)", self.on_save)
        self.ui.presetLoadButton.connect("clicked(bool)", self.on_load)

    def bind(self) -> None:
        """Look anew which presets there are."""
        self._modality = self.parameters.modality.value if self.parameters is not None else ""
        self._look()
        self.follow()

    def follow(self) -> None:
        """Show the chosen preset, and what has been changed since."""
        if self.parameters is None:
            return
        modality = self.parameters.modality.value
        if modality != self._modality:
            # another modality brings its defaults
            self._modality = modality
            self.parameters.preset = ""
            self._look()
        for widget in (self.ui.presetCombo, self.ui.presetSaveButton, self.ui.presetLoadButton):
            widget.enabled = bool(modality)
        self._fill()
        self._describe()

    # ---- what the user does

    def on_chosen(self, index: int) -> None:
        """Set the options of the preset; the same one again undoes what was changed since."""
        key = self.ui.presetCombo.itemData(index) or ""
        with self.panel.reported(_("The preset could not be used")):
            self._apply(key, presets.chosen(key) if key else None)
        self.follow()

    def on_save(self, _checked: bool = False) -> None:  # noqa: FBT001, FBT002 - a slot
        """Ask for a name and save the options under it."""
        own = self.parameters.preset if presets.is_own(self.parameters.preset) else ""
        name = qt.QInputDialog.getText(
            slicer.util.mainWindow(), _("Save the preset"), _("Name of the preset:"), qt.QLineEdit.Normal, own
        )
        name = (name[0] if isinstance(name, tuple) else name or "").strip()
        if not name:
            return
        with self.panel.reported(_("The preset could not be saved")):
            path = presets.own_file(name)
            question = _("There is a preset “{name}” already. Overwrite it?").format(name=name)
            if path.exists() and not slicer.util.confirmOkCancelDisplay(question, _("Save the preset")):
                return
            presets.save(self.parameters, name, overwrite=True)
            self._look()
            self.parameters.preset = name
            self.panel.tell(_("Saved as {path}.").format(path=path))
        self.follow()

    def on_load(self, _checked: bool = False) -> None:  # noqa: FBT001, FBT002 - a slot
        """Ask for a file and set its options."""
        path = qt.QFileDialog.getOpenFileName(
            slicer.util.mainWindow(), _("Load a preset"), "", _("Preset or config.toml of a run (*.toml)")
        )
        path = path[0] if isinstance(path, tuple) else path
        if not path:
            return
        with self.panel.reported(_("The preset could not be loaded")):
            key = presets.key_of(path)
            self._apply(key, presets.chosen(key))
        self.follow()

    # ---- what the panel shows

    def _apply(self, key: str, preset: Preset | None) -> None:
        presets.apply(self.parameters, preset)
        if preset is not None:
            self._offered[key] = preset
        self.parameters.preset = key

    def _look(self) -> None:
        self._offered, self._problems = presets.offered(Modality(self._modality)) if self._modality else ({}, [])
        key = self.parameters.preset if self.parameters is not None else ""
        if key and key not in self._offered and self._modality:
            try:
                preset = presets.chosen(key)
            except InputError:
                return
            if preset.fits(self._modality):
                self._offered[key] = preset

    def _fill(self) -> None:
        """List the presets, with the chosen one selected."""
        combo, key = self.ui.presetCombo, self.parameters.preset
        listed = {"": (str(_("Defaults")), str(_("What PyPeT does if nothing is chosen.")))}
        listed |= {key: (preset.title, _explained(preset)) for key, preset in self._offered.items()}
        listed.setdefault(key, (str(_("{preset} (not found)")).format(preset=key), ""))
        now = {combo.itemData(i): (combo.itemText(i), combo.itemData(i, qt.Qt.ToolTipRole)) for i in range(combo.count)}
        if list(now.items()) != list(listed.items()):
            combo.clear()
            for entry, (title, explanation) in listed.items():
                combo.addItem(title, entry)
                combo.setItemData(combo.count - 1, explanation, qt.Qt.ToolTipRole)
        combo.setCurrentIndex(list(listed).index(key))

    def _describe(self) -> None:
        """What the chosen preset is, and what is no longer as in it."""
        key = self.parameters.preset
        about, changed = self.ui.presetLabel, self.ui.presetChangedLabel
        if not self._modality:
            about.text, about.toolTip = _("Choose the modality first: presets belong to one."), ""
            changed.visible = False
            return
        preset = self._offered.get(key)
        changes = []
        if preset is not None:
            about.text, about.toolTip = _first_sentence(preset.summary), _explained(preset)
        elif key:
            about.text = _("This preset is not here; the options are as they were chosen with it.")
            about.toolTip = key
        else:
            about.text, about.toolTip = "", ""
        about.visible = bool(about.text)
        if preset is not None or not key:
            try:
                changes = _changes(presets.differences(self.parameters, preset))
            except InputError as error:
                # options of another version of PyPeT, in a scene that was saved with it
                changes = [for_panel(str(error))]
        changed.text = "\n".join(text for text in (_told(changes), *self._problems) if text)
        changed.toolTip = "\n".join(changes)
        changed.visible = bool(changed.text)


def _explained(preset: Preset) -> str:
    return "\n".join((preset.summary, *preset.sources)).strip()


def _first_sentence(summary: str) -> str:
    first, stop, _rest = summary.partition(". ")
    return first + stop.strip()


def _changes(differences: list[tuple[str, Any, Any]]) -> list[str]:
    entry = _("{option} = {now} (was {before})")
    return [str(entry).format(option=name, now=_value(now), before=_value(before)) for name, before, now in differences]


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(_("on") if value else _("off"))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _told(changes: list[str]) -> str:
    if not changes:
        return ""
    named = ", ".join(changes[:MOST_CHANGES])
    if len(changes) <= MOST_CHANGES:
        return str(_("Changed: {options}.")).format(options=named)
    return str(_("Changed: {options}, and {count} more.")).format(options=named, count=len(changes) - MOST_CHANGES)
