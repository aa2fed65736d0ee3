"""Stand-ins for the CTK widgets that scripted modules use, with CTK's properties, signals and methods."""
# Names are CTK's.
# ruff: noqa: N801, N802, N815, N816

import shiboken6
from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Property, Signal

from .properties import forwarded, stored
from .pythonqt import native, plain_get

SLIDER_STEPS = 1000
HEADER_HEIGHT = 24
UNLIMITED = 2**24 - 1
"""Qt's number for a height without a limit."""


class _Folding:
    """Hides and shows the children of a widget; those that others have hidden stay hidden."""

    def _start_folding(self):
        self._folded = []
        self.setCheckable(True)
        self.setChecked(True)
        self.toggled.connect(self._fold)

    def _fold(self, expanded):
        if expanded:
            folded, self._folded = self._folded, []
            for child in folded:
                if shiboken6.isValid(child):
                    child.setVisible(True)
        else:
            for child in self.findChildren(QtWidgets.QWidget, options=QtCore.Qt.FindDirectChildrenOnly):
                self._fold_child(child)
        self.updateGeometry()

    def _fold_child(self, child):
        if not child.isHidden():
            child.setVisible(False)
            self._folded.append(child)

    def event(self, event):
        """Children that come later are hidden too: they are polished before they are first drawn."""
        if event.type() == QtCore.QEvent.Type.ChildPolished and not self.isChecked():
            child = event.child()
            if isinstance(child, QtWidgets.QWidget):
                self._fold_child(child)
        return super().event(event)


def _collapsed_property():
    return Property(bool, lambda self: not self.isChecked(), lambda self, value: self.setChecked(not value))


@native
class ctkCollapsibleButton(_Folding, QtWidgets.QAbstractButton):
    """A titled box whose contents can be folded away."""

    contentsCollapsed = Signal(bool)

    def __init__(self, text_or_parent=None, parent=None):
        text = text_or_parent if isinstance(text_or_parent, str) else ""
        super().__init__(parent if text or text_or_parent is None else text_or_parent)
        self.setText(text)
        self.setContentsMargins(2, HEADER_HEIGHT + 2, 2, 4)
        self._start_folding()
        self.toggled.connect(lambda expanded: self.contentsCollapsed.emit(not expanded))

    collapsed = _collapsed_property()
    collapsedHeight = stored("collapsedHeight", int, 0)
    contentsFrameShape = stored("contentsFrameShape", int, 0)
    contentsFrameShadow = stored("contentsFrameShadow", int, 0)
    contentsLineWidth = stored("contentsLineWidth", int, 1)

    def _fold(self, expanded):
        super()._fold(expanded)
        self.setMaximumHeight(UNLIMITED if expanded else HEADER_HEIGHT)

    def sizeHint(self):
        """Room for the contents, or for the header alone."""
        layout = self.layout()
        if layout is None or not self.isChecked():
            return QtCore.QSize(200, HEADER_HEIGHT)
        return layout.totalSizeHint()

    minimumSizeHint = sizeHint

    def mouseReleaseEvent(self, event):
        """Only a click on the header folds."""
        if event.position().y() <= HEADER_HEIGHT:
            super().mouseReleaseEvent(event)

    def paintEvent(self, _event):
        """Draw the header; the contents draw themselves."""
        painter = QtGui.QPainter(self)
        header = QtCore.QRect(0, 0, self.width, HEADER_HEIGHT)
        face = self.palette.color(QtGui.QPalette.ColorRole.Button)
        painter.fillRect(header, face.darker(112) if face.lightness() > 127 else face.lighter(150))
        arrow = "▾" if self.isChecked() else "▸"
        painter.drawText(header.adjusted(8, 0, 0, 0), QtCore.Qt.AlignVCenter, f"{arrow} {self.text}")
        painter.end()


@native
class ctkCollapsibleGroupBox(_Folding, QtWidgets.QGroupBox):
    """A group box whose contents can be folded away."""

    def __init__(self, title_or_parent=None, parent=None):
        title = title_or_parent if isinstance(title_or_parent, str) else ""
        super().__init__(parent if title or title_or_parent is None else title_or_parent)
        self.setTitle(title)
        self._start_folding()

    collapsed = _collapsed_property()
    collapsedHeight = stored("collapsedHeight", int, 14)


class _SliderWithBox(QtWidgets.QWidget):
    """A slider beside a spin box; the box holds the value."""

    valueChanged = Signal(float)
    has_slider = True

    def __init__(self, parent=None):
        super().__init__(parent)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._box = QtWidgets.QDoubleSpinBox()
        self._box.setRange(0, 100)
        self._slider = QtWidgets.QSlider(QtCore.Qt.Horizontal)
        self._slider.setRange(0, SLIDER_STEPS)
        if self.has_slider:
            layout.addWidget(self._slider)
        layout.addWidget(self._box)
        self._box.valueChanged.connect(self._on_box)
        self._slider.sliderMoved.connect(self._on_slider)

    def _limits(self):
        return plain_get(self._box, "minimum")(), plain_get(self._box, "maximum")()

    def _on_box(self, value):
        low, high = self._limits()
        fraction = (value - low) / ((high - low) or 1)
        self._slider.setValue(round(SLIDER_STEPS * fraction) if 0 <= fraction <= 1 else 0)
        self.valueChanged.emit(value)

    def _on_slider(self, position):
        low, high = self._limits()
        self._box.setValue(low + (high - low) * position / SLIDER_STEPS)

    def setRange(self, minimum, maximum):
        """Set both limits."""
        self._box.setRange(minimum, maximum)


def _value_properties():
    """The properties that every widget with one number has."""
    kinds = {"value": float, "minimum": float, "maximum": float, "singleStep": float}
    return {name: forwarded("_box", name, kind) for name, kind in kinds.items()}


def _box_properties():
    """The properties of the spin box within such a widget."""
    kinds = {"decimals": int, "prefix": str, "suffix": str}
    return {name: forwarded("_box", name, kind) for name, kind in kinds.items()}


def _slider_properties():
    return {
        "pageStep": stored("pageStep", float, 10.0),
        "tickInterval": stored("tickInterval", float, 0.0),
        "tracking": stored("tracking", bool, True),
    }


def value_widget(name, *, slider, box=True, extra=None):
    """Make and register a widget class `name` for one number."""
    body = {"has_slider": slider, "__module__": __name__, **_value_properties(), **(extra or {})}
    if slider:
        body |= _slider_properties()
        body["valueIsChanging"] = Signal(float)
    if box:
        body |= _box_properties()
    return native(type(_SliderWithBox)(name, (_SliderWithBox,), body))


ctkSliderWidget = value_widget(
    "ctkSliderWidget", slider=True, extra={"spinBoxVisible": stored("spinBoxVisible", bool, True)}
)
ctkDoubleSlider = value_widget("ctkDoubleSlider", slider=True, box=False)
ctkDoubleSpinBox = value_widget("ctkDoubleSpinBox", slider=False)


class _RangeWidget(QtWidgets.QWidget):
    """Two spin boxes for the ends of a range within limits."""

    valuesChanged = Signal(float, float)
    minimumValueChanged = Signal(float)
    maximumValueChanged = Signal(float)

    def __init__(self, parent=None):
        super().__init__(parent)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._low, self._high = QtWidgets.QDoubleSpinBox(), QtWidgets.QDoubleSpinBox()
        self._setting = False
        for box, value in ((self._low, 0.0), (self._high, 99.0)):
            box.setRange(0, 99)
            box.setValue(value)
            layout.addWidget(box)
            box.valueChanged.connect(self._on_box)

    def _on_box(self, _value):
        if self._setting:
            return
        low, high = plain_get(self._low, "value")(), plain_get(self._high, "value")()
        if low > high:  # one handle pushes the other
            moved_low = self.sender() is self._low
            self.setValues(low if moved_low else high, low if moved_low else high)
            return
        self.minimumValueChanged.emit(low)
        self.maximumValueChanged.emit(high)
        self.valuesChanged.emit(low, high)

    def setValues(self, low, high):
        """Set both ends, with one signal."""
        before = plain_get(self._low, "value")(), plain_get(self._high, "value")()
        self._setting = True
        self._low.setValue(low)
        self._high.setValue(high)
        self._setting = False
        if before != (plain_get(self._low, "value")(), plain_get(self._high, "value")()):
            self._on_box(None)

    def setRange(self, minimum, maximum):
        """Set the limits of both ends."""
        for box in (self._low, self._high):
            box.setRange(minimum, maximum)

    def _set_step(self, step):
        for box in (self._low, self._high):
            box.setSingleStep(step)

    def _set_decimals(self, decimals):
        for box in (self._low, self._high):
            box.setDecimals(decimals)


def range_widget(name, *, box=True):
    """Make and register a widget class `name` for a range of numbers."""

    def limit(which):
        def set_limit(self, value):
            for part in (self._low, self._high):
                getattr(part, f"set{which.capitalize()}")(value)

        return Property(float, lambda self: plain_get(self._low, which)(), set_limit)

    body = {
        "__module__": __name__,
        "minimum": limit("minimum"),
        "maximum": limit("maximum"),
        "minimumValue": forwarded("_low", "value", float),
        "maximumValue": forwarded("_high", "value", float),
        "singleStep": Property(float, lambda self: plain_get(self._low, "singleStep")(), _RangeWidget._set_step),
    }
    if box:
        body["decimals"] = Property(int, lambda self: plain_get(self._low, "decimals")(), _RangeWidget._set_decimals)
    return native(type(_RangeWidget)(name, (_RangeWidget,), body))


ctkRangeWidget = range_widget("ctkRangeWidget")
ctkDoubleRangeSlider = range_widget("ctkDoubleRangeSlider", box=False)


@native
class ctkPathLineEdit(QtWidgets.QWidget):
    """A line for a path, with a history and a button for a dialog."""

    # what `filters` is made of, as Qt counts it
    Dirs, Files, Drives, NoSymLinks, Readable, Writable, Executable = (1 << bit for bit in range(7))

    currentPathChanged = Signal(str)
    validInputChanged = Signal(bool)

    def __init__(self, parent=None):
        super().__init__(parent)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._line = QtWidgets.QLineEdit()
        layout.addWidget(self._line)
        self._line.textChanged.connect(self.currentPathChanged)

    currentPath = forwarded("_line", "text", str)
    filters = stored("filters", int, 0)
    nameFilters = stored("nameFilters", "QStringList", [])
    label = stored("label", str, "")
    settingKey = stored("settingKey", str, "")
    showBrowseButton = stored("showBrowseButton", bool, True)
    showHistoryButton = stored("showHistoryButton", bool, True)

    def addCurrentPathToHistory(self):
        """Nothing is remembered here."""


@native
class ctkDirectoryButton(QtWidgets.QWidget):
    """A button that shows a folder and asks for another."""

    directoryChanged = Signal(str)
    directorySelected = Signal(str)

    directory = stored("directory", str, "", changed="directoryChanged")
    caption = stored("caption", str, "")
    acceptMode = stored("acceptMode", int, 0)


@native
class ctkColorPickerButton(QtWidgets.QPushButton):
    """A button that shows a colour and asks for another."""

    colorChanged = Signal(QtGui.QColor)

    color = stored("color", QtGui.QColor, QtGui.QColor("black"), changed="colorChanged")
    displayColorName = stored("displayColorName", bool, True)


@native
class ctkComboBox(QtWidgets.QComboBox):
    """A combo box with a text for the state in which nothing is chosen."""

    defaultText = stored("defaultText", str, "")


@native
class ctkCheckBox(QtWidgets.QCheckBox):
    """A check box."""


@native
class ctkCheckablePushButton(QtWidgets.QPushButton):
    """A push button with a check box in it."""

    checkBoxControlsButton = stored("checkBoxControlsButton", bool, True)
    checkBoxControlsButtonToggleState = stored("checkBoxControlsButtonToggleState", bool, False)
    checkBoxUserCheckable = stored("checkBoxUserCheckable", bool, True)


@native
class ctkMessageBox(QtWidgets.QMessageBox):
    """A message box that can be told not to come again."""

    dontShowAgainVisible = stored("dontShowAgainVisible", bool, False)
    dontShowAgainSettingsKey = stored("dontShowAgainSettingsKey", str, "")
    dontShowAgain = stored("dontShowAgain", bool, False)


@native
class ctkFittedTextBrowser(QtWidgets.QTextBrowser):
    """A text browser as high as its text."""

    collapsed = stored("collapsed", bool, True)
    collapsibleText = stored("collapsibleText", str, "")


@native
class ctkSearchBox(QtWidgets.QLineEdit):
    """A line for a search text."""

    showSearchIcon = stored("showSearchIcon", bool, False)
