"""A loader for ``.ui`` files that refuses everything Slicer would silently skip.

Refused: widget classes nobody defines, properties a class does not have, enumeration values Qt does not know, unknown
custom properties, and connections whose sender, signal, receiver or slot does not exist.
"""

import xml.etree.ElementTree as ET
from contextlib import contextmanager

from PySide6 import QtCore, QtUiTools, QtWidgets

from .pythonqt import STAND_INS, find_signal, find_slot, loading_forms, plain_get, property_names

# Custom (stdset="0") properties that code reads. A misspelt one would otherwise go unnoticed.
CUSTOM_PROPERTIES = {"SlicerParameterName", "SlicerPackParameterName"}

LAYOUT_PROPERTIES = {"leftMargin", "topMargin", "rightMargin", "bottomMargin", "horizontalSpacing", "verticalSpacing"}


class UiError(RuntimeError):
    """The ``.ui`` file asks for something that does not exist."""


class StrictUiLoader(QtUiTools.QUiLoader):
    """What ``qt.QUiLoader`` is in the host."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self._created = []

    def createWidget(self, class_name, parent=None, name=""):  # noqa: N802
        """Make a stand-in or a Qt widget of the class with this name."""
        cls = STAND_INS.get(class_name) or getattr(QtWidgets, class_name, None)
        if cls is None:
            raise UiError(f"unknown widget class {class_name!r} for {name!r}")
        widget = cls(parent) if parent is not None else cls()
        plain_get(widget, "setObjectName")(name)
        self._created.append(widget)
        return widget

    def load(self, file, parent=None):
        """Build the form in the open QFile `file`."""
        root = ET.fromstring(bytes(file.readAll()))  # noqa: S314 (the project's own files)
        _check_classes(root)
        connections = root.find("connections")
        if connections is not None:  # Qt would only warn about wrong ones: they are made below
            root.remove(connections)
        buffer = QtCore.QBuffer()
        buffer.setData(ET.tostring(root))
        buffer.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
        with _warnings_as_errors(), _form_loading():
            form = super().load(buffer, parent)
        if form is None:
            raise UiError(f"no form could be built: {self.errorString()}")
        objects = {plain_get(child, "objectName")(): child for child in form.findChildren(QtCore.QObject)}
        objects[plain_get(form, "objectName")()] = form
        _check_properties(root, objects)
        if connections is not None:
            for connection in connections:
                _make_connection(connection, objects)
        return form


@contextmanager
def _form_loading():
    loading_forms.append("loading")
    try:
        yield
    finally:
        loading_forms.pop()


@contextmanager
def _warnings_as_errors():
    """Turn what Qt prints while it builds a form into one error."""
    messages = []

    def keep(kind, _context, text):
        if kind != QtCore.QtMsgType.QtDebugMsg:
            messages.append(text)

    previous = QtCore.qInstallMessageHandler(keep)
    try:
        yield
    finally:
        QtCore.qInstallMessageHandler(previous)
    if messages:
        raise UiError("; ".join(messages))


def _check_classes(root):
    """Look all classes up first: an error raised from within Qt's loader would not arrive as such."""
    for element in root.iter("widget"):
        class_name = element.get("class")
        if class_name not in STAND_INS and not hasattr(QtWidgets, class_name):
            raise UiError(f"unknown widget class {class_name!r} for {element.get('name')!r}")


def _check_properties(root, objects):
    for tag in ("widget", "layout", "action"):
        for element in root.iter(tag):
            known = property_names(objects[element.get("name")]) if element.get("name") in objects else None
            if known is None:
                raise UiError(f"{tag} without a usable name: {element.get('name')!r}")
            if tag == "layout":
                known |= LAYOUT_PROPERTIES
            for prop in element.findall("property"):
                if tag == "widget" and prop.get("name") == "buddy":
                    _check_buddy(prop, element, objects)
                else:
                    _check_property(prop, element, known)


def _check_buddy(prop, element, objects):
    """A label's buddy, which forms write as a property: the widget that its shortcut leads to."""
    if element.get("class") != "QLabel" or prop.findtext("cstring") not in objects:
        raise UiError(f"{element.get('name')!r}: no widget {prop.findtext('cstring')!r} to be the buddy of")


def _check_property(prop, element, known):
    name = prop.get("name")
    if name in known or (prop.get("stdset") == "0" and name in CUSTOM_PROPERTIES):
        return
    raise UiError(f"{element.get('class', element.tag)} {element.get('name')!r} has no property {name!r}")


def _make_connection(connection, objects):
    sender, signal, receiver, slot = (connection.findtext(tag) for tag in ("sender", "signal", "receiver", "slot"))
    for name in (sender, receiver):
        if name not in objects:
            raise UiError(f"connection with unknown object {name!r}")
    try:
        bound_signal = find_signal(objects[sender], signal)
        bound_slot = find_slot(objects[receiver], slot)
    except AttributeError as error:
        raise UiError(f"connection {sender}.{signal} -> {receiver}.{slot}: {error}") from error
    if slot.replace(" ", "").endswith("()"):
        bound_signal.connect(lambda *_: bound_slot())
    else:
        bound_signal.connect(bound_slot)
