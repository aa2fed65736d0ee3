"""Every control of the panel explains itself, can be reached by keyboard, and is readable in both themes."""

import re

import pytest
import slicer
from PySide6 import QtCore, QtGui, QtWidgets

CONTROLS = (
    QtWidgets.QAbstractButton,
    QtWidgets.QComboBox,
    QtWidgets.QAbstractSpinBox,
    QtWidgets.QLineEdit,
    QtWidgets.QAbstractItemView,
    QtWidgets.QAbstractSlider,
)


def controls(panel):
    """The controls of the panel and its sections by name; collapsible headers are no controls."""
    found = {}
    for ui in (panel.ui, *(section.ui for section in panel.sections)):
        for name, widget in vars(ui).items():
            is_selector = type(widget).__name__ == "qMRMLNodeComboBox"
            is_header = type(widget).__name__ == "ctkCollapsibleButton"
            is_part = name.startswith("qt_") or isinstance(widget.parent(), QtWidgets.QTabBar)
            if is_selector or (isinstance(widget, CONTROLS) and not is_header and not is_part):
                found[name] = widget
    steps = next(section for section in panel.sections if section.UI == "Review").ui.stepsBox
    buttons = steps.findChildren(QtWidgets.QPushButton)
    return found | {f"step {index}": button for index, button in enumerate(buttons)}


def test_every_control_has_a_tooltip(panel):
    found = controls(panel)
    assert len(found) > 60
    assert [name for name, widget in found.items() if not widget.toolTip] == []


def test_every_control_can_be_reached_by_keyboard(panel):
    tab = QtCore.Qt.FocusPolicy.TabFocus.value
    # node selectors hand the keyboard to the combo box inside
    found = {name: w for name, w in controls(panel).items() if isinstance(w, CONTROLS)}
    assert len(found) > 40
    assert [name for name, widget in found.items() if not QtWidgets.QWidget.focusPolicy(widget).value & tab] == []


def test_research_use_is_said_on_the_panel_and_in_the_help(panel, host):
    assert "Research use only" in panel.ui.noticeLabel.text
    assert "Research use only" in slicer.modules.pypet.helpText
    assert "2511.13310" in slicer.modules.pypet.acknowledgementText


@pytest.mark.parametrize("dark", [False, True])
def test_a_bad_message_is_readable_in_both_themes(panel, host, dark):
    label = panel.ui.statusLabel
    palette = QtGui.QPalette(QtGui.QColor(53, 53, 53) if dark else QtGui.QColor(239, 239, 239))
    QtWidgets.QWidget.setPalette(label, palette)
    panel.tell("Something is wrong", True)
    colour = QtGui.QColor(re.search(r"#\w+", label.styleSheet)[0])
    assert contrast(colour, palette.color(QtGui.QPalette.ColorRole.Window)) >= 4.5


def contrast(one, other):
    """Ratio of luminances as WCAG 2 defines it."""

    def luminance(colour):
        parts = (colour.redF(), colour.greenF(), colour.blueF())
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)
