"""Which widget can show which type of parameter, and how: the pairs that Slicer 5.6's own wrapper knows.

Widget classes are compared exactly, as Slicer does: a subclass of QComboBox is not a QComboBox.
"""

import enum

from PySide6 import QtWidgets

from .parameter_types import (
    PATH_TYPES,
    Choice,
    Decimals,
    Maximum,
    Minimum,
    SingleStep,
    WithinRange,
    first_annotation,
    node_classes,
    split_annotations,
)
from .pythonqt import STAND_INS

INT_LIMITS = (-(2**31), 2**31 - 1)
FLOAT_LIMITS = (float("-inf"), float("inf"))


class Connector:
    """Reads from and writes to one widget, and tells when it has changed."""

    def __init__(self, widget, signal_name, read, write):
        self.widget = widget
        self.read = read
        self.write = write
        self._signal_name = signal_name
        self._callback = None

    def on_changed(self, callback):
        """Call `callback` on every change of the widget; None to stop."""
        signal = getattr(self.widget, self._signal_name)
        if callback is None:
            signal.disconnect(self._changed)
        else:
            signal.connect(self._changed)
        self._callback = callback

    def _changed(self, *_arguments):
        if self._callback is not None:
            self._callback()


def make_connector(widget, datatype):
    """The connector for this widget and type; RuntimeError if they do not go together."""
    kind, annotations = split_annotations(datatype)
    for fits, widget_classes, make in _rules():
        if type(widget) in widget_classes and fits(kind):
            return make(widget, kind, annotations)
    raise RuntimeError(f"a parameter of type {datatype} cannot be connected to a widget of type {type(widget)}")


def _rules():
    """Triples: does it fit the type, widget classes, how to make the connector."""
    sliders = (STAND_INS["ctkSliderWidget"], STAND_INS["qMRMLSliderWidget"])
    return (
        (_is(bool), (QtWidgets.QCheckBox,), _by_property("checked", "stateChanged")),
        (_is(bool), (QtWidgets.QPushButton,), _button_connector),
        (_is(int), (QtWidgets.QSpinBox,), _by_number(INT_LIMITS)),
        (_is(int), (QtWidgets.QSlider,), _by_number(INT_LIMITS, must_be_bounded=True)),
        (_is(float), (QtWidgets.QDoubleSpinBox,), _by_number(FLOAT_LIMITS)),
        (_is(float), sliders, _by_number(FLOAT_LIMITS, must_be_bounded=True)),
        (_is(int, float, str, bool), (QtWidgets.QComboBox,), _choice_connector),
        (_is_enum, (QtWidgets.QComboBox,), _enum_connector),
        (_is(str), (QtWidgets.QLineEdit,), _by_property("text", "textChanged")),
        (_is(str), (QtWidgets.QTextEdit,), _by_property("plainText", "textChanged")),
        (_is(*PATH_TYPES), (STAND_INS["ctkPathLineEdit"],), _by_path("currentPath", "currentPathChanged")),
        (_is(*PATH_TYPES), (STAND_INS["ctkDirectoryButton"],), _by_path("directory", "directoryChanged")),
        (node_classes, (STAND_INS["qMRMLNodeComboBox"],), _node_connector),
    )


def _is(*kinds):
    return lambda kind: kind in kinds


def _is_enum(kind):
    return isinstance(kind, type) and issubclass(kind, enum.Enum)


def _by_property(name, signal_name):
    def make(widget, _kind, _annotations):
        return _property_connector(widget, name, signal_name)

    return make


def _by_path(name, signal_name):
    def make(widget, kind, _annotations):
        def read():
            return kind(getattr(widget, name))

        return Connector(widget, signal_name, read, lambda value: setattr(widget, name, str(value)))

    return make


def _by_number(unlimited, *, must_be_bounded=False):
    def make(widget, _kind, annotations):
        return _number_connector(widget, annotations, unlimited, must_be_bounded=must_be_bounded)

    return make


def _button_connector(widget, _kind, _annotations):
    widget.checkable = True
    return _property_connector(widget, "checked", "toggled")


def _node_connector(widget, kind, _annotations):
    widget.nodeTypes = [node_class.__name__ for node_class in node_classes(kind)]
    return Connector(widget, "currentNodeChanged", widget.currentNode, widget.setCurrentNode)


def _property_connector(widget, name, signal_name):
    return Connector(widget, signal_name, lambda: getattr(widget, name), lambda value: setattr(widget, name, value))


def _number_connector(widget, annotations, unlimited, *, must_be_bounded):
    decimals = first_annotation(annotations, Decimals)
    if decimals is not None:
        widget.decimals = decimals.value
    step = first_annotation(annotations, SingleStep)
    if step is not None:
        widget.singleStep = step.value
    within = first_annotation(annotations, WithinRange)
    lowest = within or first_annotation(annotations, Minimum)
    highest = within or first_annotation(annotations, Maximum)
    if must_be_bounded and (lowest is None or highest is None):
        raise RuntimeError(f"a {type(widget).__name__} needs a parameter with both limits")
    widget.minimum = unlimited[0] if lowest is None else lowest.minimum
    widget.maximum = unlimited[1] if highest is None else highest.maximum
    return _property_connector(widget, "value", "valueChanged")


def _choice_connector(widget, _kind, annotations):
    choice = first_annotation(annotations, Choice)
    if choice is None:
        raise RuntimeError("a QComboBox needs a parameter with the annotation Choice")
    return _item_connector(widget, [(str(value), value) for value in choice.choices])


def _enum_connector(widget, kind, _annotations):
    label = getattr(kind, "label", lambda member: member.name)
    return _item_connector(widget, [(label(member), member) for member in kind])


def _item_connector(widget, labelled_values):
    values = [value for _label, value in labelled_values]
    widget.clear()
    for label, _value in labelled_values:
        widget.addItem(label)

    def write(value):
        if value not in values:
            raise ValueError(f"{value!r} is none of {values}")
        widget.currentIndex = values.index(value)

    return Connector(widget, "currentIndexChanged", lambda: values[widget.currentIndex], write)
