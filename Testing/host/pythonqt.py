"""PySide6 made to behave as PythonQt, the Qt binding inside Slicer.

The differences a scripted module meets:

* a Qt property is a plain attribute (``button.text``, ``slider.value = 3``), not a getter method;
* an attribute that does not exist is refused, on reading and on writing, for objects of native classes;
* ``object.connect("clicked(bool)", function)`` connects by the signal's full C++ signature;
* ``name`` is the object name, and ``className()``, ``delete()`` and ``exec_()`` exist.

PySide gives every class its own slot for setting attributes, so each QObject class is patched. The patch holds for the
whole process.
"""

import enum
import sys
import types
import warnings

from PySide6 import QtCore, QtGui, QtNetwork, QtUiTools, QtWidgets
from PySide6.QtCore import QObject

QT_MODULES = (QtCore, QtGui, QtWidgets, QtNetwork)

plain_get = QObject.__getattribute__
_plain_set = QObject.__setattr__

# Classes that stand for native ones: registered by `native`, found by the .ui loader and by the modules ctk and slicer.
STAND_INS: dict[str, type] = {}

# The .ui loader of PySide hangs each child on the form as an attribute; PythonQt does not, so it is ignored meanwhile.
loading_forms: list[str] = []

_property_names: dict[type, frozenset[str]] = {}


def native(cls):
    """Class decorator: `cls` stands for a native class of the same name, with setters for its declared properties."""
    cls.stands_for_native = True
    declared = [name for name, value in vars(cls).items() if isinstance(value, QtCore.Property)]
    for name in declared:
        setter_name = f"set{name[0].upper()}{name[1:]}"
        if setter_name not in vars(cls):
            setattr(cls, setter_name, _make_setter(name))
    STAND_INS[cls.__name__] = cls
    return cls


def _make_setter(name):
    def setter(self, value):
        setattr(self, name, value)

    return setter


def property_names(obj):
    """Names of the Qt properties of `obj`'s class."""
    cls = type(obj)
    if cls not in _property_names:
        meta = plain_get(obj, "metaObject")()
        _property_names[cls] = frozenset(meta.property(i).name() for i in range(meta.propertyCount()))
    return _property_names[cls]


def is_native(cls):
    """Whether `cls` is a Qt class or a stand-in for a native class, not a Python class derived from one."""
    return cls.__module__.startswith(("PySide6", "shiboken6")) or vars(cls).get("stands_for_native", False)


def find_signal(obj, signature):
    """Return the bound signal with the C++ `signature`, as ``"clicked(bool)"``; refuse one that does not exist."""
    name, has_arguments, _ = signature.partition("(")
    name = name.strip()
    normalized = bytes(QtCore.QMetaObject.normalizedSignature(signature)).decode()
    known = plain_get(obj, "metaObject")().indexOfSignal(normalized) >= 0
    # Signals that carry a VTK object have a Python type in the stand-ins; their C++ signatures are listed there.
    if not has_arguments or not (known or normalized in getattr(type(obj), "object_signals", ())):
        raise AttributeError(f"{type(obj).__name__} has no signal {signature!r}")
    return plain_get(obj, name)


def _connect(self, signature, *receiver_and_slot):
    signal = find_signal(self, signature)
    if len(receiver_and_slot) == 2:
        receiver, slot_signature = receiver_and_slot
        function = find_slot(receiver, slot_signature)
    else:
        (function,) = receiver_and_slot
    if not callable(function):
        raise TypeError(f"cannot connect {signature!r} to {function!r}, which is not callable")
    without_arguments = signature.replace(" ", "").endswith("()")
    callback = (lambda *_: function()) if without_arguments else function
    self.__dict__.setdefault("_connections", []).append((signature, function, callback))
    signal.connect(callback)
    return True


def _disconnect(self, signature, function=None):
    signal = find_signal(self, signature)
    connections = self.__dict__.setdefault("_connections", [])
    matching = [c for c in connections if c[0] == signature and (function is None or c[1] == function)]
    for connection in matching:
        signal.disconnect(connection[2])
        connections.remove(connection)
    return bool(matching)


def find_slot(obj, signature):
    """Return the bound method for a slot's `signature`, as ``"setMRMLScene(vtkMRMLScene*)"``; refuse an unknown one."""
    name = signature.partition("(")[0].strip()
    try:
        slot = plain_get(obj, name)
    except AttributeError:
        slot = None
    if not callable(slot):  # a property or nothing at all: either way there is no such slot
        raise AttributeError(  # noqa: TRY004
            f"{type(obj).__name__} has no slot {signature!r}"
        )
    return slot


# What PythonQt adds to every QObject.
_ADDED_ATTRIBUTES = {
    "name": lambda obj: plain_get(obj, "property")("objectName"),
    "connect": lambda obj: _ConnectCall(obj, "connect"),
    "disconnect": lambda obj: _ConnectCall(obj, "disconnect"),
    "className": lambda obj: lambda: type(obj).__name__,
    "delete": lambda obj: plain_get(obj, "deleteLater"),
    "exec_": lambda obj: plain_get(obj, "exec"),
}


# Properties behind which lies a virtual method: PySide looks it up on the object, and so would read the property again.
_VIRTUAL_PROPERTIES = frozenset({"sizeHint", "minimumSizeHint"})


def _get_attribute(self, name):
    if name.startswith("_"):
        return plain_get(self, name)
    if name in _VIRTUAL_PROPERTIES:
        return plain_get(self, name)()
    if name in property_names(self):
        return plain_get(self, "property")(name)
    if name in _ADDED_ATTRIBUTES:
        return _ADDED_ATTRIBUTES[name](self)
    try:
        return plain_get(self, name)
    except AttributeError:
        if _has_dynamic_property(self, name):
            return plain_get(self, "property")(name)
        raise


def _has_dynamic_property(obj, name):
    return name.encode() in [bytes(dynamic) for dynamic in plain_get(obj, "dynamicPropertyNames")()]


class _ConnectCall:
    """``object.connect``: by signature as PythonQt does, else the method of PySide."""

    def __init__(self, obj, name):
        self._object = obj
        self._name = name

    def __call__(self, *arguments):
        if arguments and isinstance(arguments[0], str):
            return (_connect if self._name == "connect" else _disconnect)(self._object, *arguments)
        return plain_get(self._object, self._name)(*arguments)


def _set_attribute(self, name, value):
    if name.startswith("_") or isinstance(value, QtCore.SignalInstance):  # PySide keeps some bound signals
        _set_plainly(self, name, value)
    elif name == "name" or name in property_names(self):
        _set_property(self, "objectName" if name == "name" else name, value)
    elif loading_forms:
        return
    elif _has_dynamic_property(self, name):
        plain_get(self, "setProperty")(name, value)
    elif is_native(type(self)):
        raise AttributeError(f"{type(self).__name__} has no property {name!r}: PythonQt refuses new attributes")
    else:
        _set_plainly(self, name, value)


def _set_property(self, name, value):
    if isinstance(value, tuple):  # any sequence will do in PythonQt
        value = list(value)
    set_property = plain_get(self, "setProperty")
    # Some enumerations Qt knows only by their numbers.
    if not set_property(name, value) and not (isinstance(value, enum.Enum) and set_property(name, value.value)):
        raise TypeError(f"cannot set {type(self).__name__}.{name} to {value!r}")


def _set_plainly(self, name, value):
    descriptor = getattr(type(self), name, None)
    if hasattr(type(descriptor), "__set__") and not isinstance(descriptor, type):
        descriptor.__set__(self, value)
    else:
        self.__dict__[name] = value


def _patch_classes():
    QObject.__getattribute__ = _get_attribute
    for module in (*QT_MODULES, QtUiTools):
        # PySide builds its types when they are asked for, so vars(module) would miss most of them.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            members = [getattr(module, name) for name in dir(module)]
        for member in members:
            if isinstance(member, type) and issubclass(member, QObject):
                member.__setattr__ = _set_attribute


def install_modules():
    """Put the modules ``qt`` and ``ctk`` into ``sys.modules``; to be called when all stand-ins are known."""
    qt = types.ModuleType("qt", "Qt as PythonQt shows it: all classes in one module.")
    for module in QT_MODULES:
        for name in dir(module):
            if name == "Qt" or (name.startswith("Q") and not name.startswith("Qt")):
                setattr(qt, name, getattr(module, name))
    ctk = types.ModuleType("ctk", "Stand-ins for the widgets of CTK.")
    for name, cls in STAND_INS.items():
        if name.startswith("ctk"):
            setattr(ctk, name, cls)
    sys.modules["qt"], sys.modules["ctk"] = qt, ctk
    return qt, ctk


_patch_classes()
