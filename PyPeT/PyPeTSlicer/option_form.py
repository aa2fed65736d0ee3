"""All options of the pipeline as widgets, made from the options themselves; the one room that knows Qt."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

import qt

from PyPeTLib.config import PipelineConfig
from PyPeTLib.registry import Registry
from PyPeTLib.series import Modality
from PyPeTSlicer.parameters import defaults

ON_THE_PANEL = {
    ("motion", "correct"),
    ("denoising", "sigma"),
    ("deconvolution", "method"),
    ("quantification", "relative"),
    ("quantification", "white_matter_cbf"),
}
"""Options with a field of their own on the panel."""

_LARGEST = 1e9


class OptionForm:
    """A form with every option that has no field of its own; it holds what differs from the defaults.

    Parameters
    ----------
    layout : QFormLayout
        Which the fields are added to.
    changed : callable
        Called when the user changes a field.
    """

    def __init__(self, layout: Any, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._fields: dict[tuple[str, str], tuple[Any, Callable[[], Any], Callable[[Any], None]]] = {}
        self._defaults: dict[str, Any] = {}
        self._is_filling = False
        config = PipelineConfig.for_modality(Modality.CTP)
        for group in dataclasses.fields(config):
            title = qt.QLabel(f"<b>{group.name}</b>")
            options = type(getattr(config, group.name))
            hints = get_type_hints(options)
            fields = [f for f in dataclasses.fields(options) if f.metadata and (group.name, f.name) not in ON_THE_PANEL]
            if fields:
                layout.addRow(title)
            for option in fields:
                widget = self._add(group.name, option, hints[option.name])
                widget.setToolTip(option.metadata["help"])
                layout.addRow(option.name.replace("_", " "), widget)
        self.set_changes(Modality.CTP, {})

    def set_changes(self, modality: Modality, changes: Mapping[str, Mapping[str, Any]]) -> None:
        """Show the defaults of a modality with changes."""
        self._defaults = defaults(modality, changes)
        self._is_filling = True
        try:
            for (group, name), (_, _, write) in self._fields.items():
                write(changes.get(group, {}).get(name, self._defaults[group][name]))
        finally:
            self._is_filling = False

    def changes(self) -> dict[str, dict[str, Any]]:
        """What differs from the defaults, as nested tables."""
        found: dict[str, dict[str, Any]] = {}
        for (group, name), (_, read, _) in self._fields.items():
            value, default = read(), self._defaults[group][name]
            same = math.isclose(value, default, rel_tol=1e-6) if isinstance(default, float) else value == default
            if not same:
                found.setdefault(group, {})[name] = value
        return found

    def field(self, group: str, name: str) -> Any:
        """The widget of an option."""
        return self._fields[group, name][0]

    def _add(self, group: str, option: Any, kind: Any) -> Any:
        widget, read, write, signal = _editor(option.metadata, kind)
        widget.connect(signal, self._on_change)
        self._fields[group, option.name] = (widget, read, write)
        return widget

    def _on_change(self, _value: Any = None) -> None:
        if not self._is_filling:
            self._changed()


Editor = tuple[Any, Callable[[], Any], Callable[[Any], None], str]
"""A widget, how it is read and written, and the signal of a change by the user."""


def _editor(meta: Mapping[str, Any], kind: type) -> Editor:
    """The editor for an option of a kind."""
    if kind is bool:
        box = qt.QCheckBox()
        return box, lambda: bool(box.checked), box.setChecked, "toggled(bool)"
    if kind in (int, float):
        return _number_editor(meta, kind)
    choices = meta["choices"]() if callable(meta["choices"]) else meta["choices"]
    if choices is None:
        line = qt.QLineEdit()
        return line, lambda: str(line.text), line.setText, "textEdited(QString)"
    names = list(choices)
    combo = qt.QComboBox()
    for name in names:
        combo.addItem(name)
        if isinstance(choices, Registry):
            combo.setItemData(combo.count - 1, choices.entry(name).summary, qt.Qt.ToolTipRole)

    def choose(name: str) -> None:
        combo.setCurrentIndex(names.index(name))

    return combo, lambda: names[combo.currentIndex], choose, "currentIndexChanged(int)"


def _number_editor(meta: Mapping[str, Any], kind: type) -> Editor:
    spin = qt.QSpinBox() if kind is int else qt.QDoubleSpinBox()
    # a number counts when it is typed to its end: each change is written back and would be reformatted under the cursor
    spin.setKeyboardTracking(False)
    if kind is float:
        spin.setDecimals(4)
    spin.setRange(kind(max(meta["minimum"], -_LARGEST)), kind(min(meta["maximum"], _LARGEST)))
    spin.setSuffix(f" {meta['unit']}" if meta["unit"] else "")

    def write(value: float) -> None:
        spin.setValue(kind(value))

    return spin, lambda: kind(spin.value), write, "valueChanged(int)" if kind is int else "valueChanged(double)"
