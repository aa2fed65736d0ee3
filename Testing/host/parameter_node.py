"""Stand-in for ``slicer.parameterNodeWrapper``: a class of typed attributes over a ``vtkMRMLScriptedModuleNode``."""
# Names are Slicer's.
# ruff: noqa: N802, N803

import typing
from dataclasses import dataclass

import slicer
import vtk
from PySide6 import QtWidgets

from . import parameter_types
from .gui_connectors import Connector, make_connector
from .parameter_types import Default, Validator, make_codec, split_annotations

WIDGET_PROPERTY = "SlicerParameterName"


class Behaviour:
    """What differs between Slicer's versions; `Host.connect_gui_returns_tag` sets it."""

    connect_gui_returns_tag = True


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """What is known of one attribute of the class."""

    name: str
    datatype: typing.Any
    codec: typing.Any
    validators: tuple
    default: Default

    def write(self, node, name, value):
        """Check `value` and write it."""
        for validator in self.validators:
            validator.validate(value)
        self.codec.write(node, name, value)


def _describe(cls, name, datatype):
    kind, annotations = split_annotations(datatype)
    codec = make_codec(kind)
    checks = [a() if isinstance(a, type) else a for a in annotations if _is_validator(a)]
    defaults = [annotation for annotation in annotations if isinstance(annotation, Default)]
    if hasattr(cls, name):
        defaults = [Default(getattr(cls, name))]
    default = defaults[0] if defaults else Default(codec.default)
    return Parameter(
        name=name, datatype=datatype, codec=codec, validators=(*codec.validators, *checks), default=default
    )


def _is_validator(annotation):
    return isinstance(annotation, Validator) or (isinstance(annotation, type) and issubclass(annotation, Validator))


class _Wrapper:
    """The methods of a wrapped class."""

    def __init__(self, parameterNode, prefix=None):
        self.parameterNode = parameterNode
        self._prefix = prefix or ""
        self._guis = {}
        self._next_tag = 0
        self._updating_gui = False
        for parameter in self.allParameters.values():
            if not parameter.codec.is_in(parameterNode, self._prefix + parameter.name):
                self.setValue(parameter.name, parameter.default.value)

    def _parameter(self, name):
        if name not in self.allParameters:
            raise ValueError(f"no parameter {name!r}; there are: {', '.join(self.allParameters)}")
        return self.allParameters[name]

    def default(self, name):
        """The default of a parameter."""
        return self._parameter(name).default

    @classmethod
    def dataType(cls, name):
        """The type of a parameter, with its annotations."""
        if name not in cls.allParameters:
            raise ValueError(f"no parameter {name!r}")
        return cls.allParameters[name].datatype

    def isCached(self, name):
        """The stand-in reads the node every time."""
        self._parameter(name)
        return False

    def getValue(self, name):
        """The value of a parameter; the default if the node has lost it, as when the scene was closed."""
        parameter = self._parameter(name)
        if not parameter.codec.is_in(self.parameterNode, self._prefix + name):
            self.setValue(name, parameter.default.value)
        return parameter.codec.read(self.parameterNode, self._prefix + name)

    def setValue(self, name, value):
        """Set a parameter."""
        self._parameter(name).write(self.parameterNode, self._prefix + name, value)

    def connectGui(self, gui):
        """Bind all widgets with the property SlicerParameterName, below a widget or among an object's attributes."""
        is_widget = getattr(gui, "isWidgetType", lambda: False)()
        widgets = gui.findChildren(QtWidgets.QWidget) if is_widget else vars(gui).values()
        tag = self.connectParametersToGui(
            {widget.property(WIDGET_PROPERTY): widget for widget in widgets if widget.property(WIDGET_PROPERTY)}
        )
        return tag if Behaviour.connect_gui_returns_tag else None

    def connectParametersToGui(self, mapping):
        """Bind parameters, by name, to widgets; the returned tag is for `disconnectGui`."""
        connectors = {
            name: part if isinstance(part, Connector) else make_connector(part, self._parameter(name).datatype)
            for name, part in mapping.items()
        }
        for name, connector in connectors.items():
            connector.write(self.getValue(name))
            connector.on_changed(self._make_callback(name, connector))
        observer = self.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda _caller, _event: self._update_gui())
        tag, self._next_tag = self._next_tag, self._next_tag + 1
        self._guis[tag] = (connectors, observer)
        return tag

    def _make_callback(self, name, connector):
        def on_widget_changed():
            if not self._updating_gui:
                with slicer.util.NodeModify(self.parameterNode):
                    self.setValue(name, connector.read())

        return on_widget_changed

    def _update_gui(self):
        if self._updating_gui:
            return
        self._updating_gui = True
        try:
            with slicer.util.NodeModify(self.parameterNode):
                for connectors, _observer in self._guis.values():
                    for name, connector in connectors.items():
                        connector.write(self.getValue(name))
        finally:
            self._updating_gui = False

    def disconnectGui(self, guiTag):
        """Undo one `connectGui`."""
        if guiTag in self._guis:
            connectors, observer = self._guis.pop(guiTag)
            for connector in connectors.values():
                connector.on_changed(None)
            self.RemoveObserver(observer)

    def StartModify(self):
        """Hold events back."""
        return self.parameterNode.StartModify()

    def EndModify(self, wasModified):
        """Let events go."""
        return self.parameterNode.EndModify(wasModified)

    def AddObserver(self, event, callback, priority=0.0):
        """Observe the node."""
        return self.parameterNode.AddObserver(event, callback, priority)

    def RemoveObserver(self, tag):
        """Stop observing the node."""
        return self.parameterNode.RemoveObserver(tag)

    def Modified(self):
        """Tell that the node has changed."""
        return self.parameterNode.Modified()


def _make_property(name):
    return property(lambda self: self.getValue(name), lambda self, value: self.setValue(name, value))


def parameterNodeWrapper(classtype=None):
    """Class decorator, with or without parentheses."""
    if classtype is None:
        return parameterNodeWrapper
    hints = typing.get_type_hints(classtype, include_extras=True)
    parameters = {name: _describe(classtype, name, datatype) for name, datatype in hints.items()}
    for name in parameters:
        setattr(classtype, name, _make_property(name))
    added = {name: value for name, value in vars(_Wrapper).items() if callable(value) or isinstance(value, classmethod)}
    added["allParameters"] = parameters
    for name, value in added.items():
        if name != "__init__" and hasattr(classtype, name) and not name.startswith("__"):
            raise ValueError(f"the name {name!r} is reserved in a parameter node wrapper")
        setattr(classtype, name, value)
    classtype._is_parameter_node_wrapper = True
    return classtype


def isParameterNodeWrapper(classOrObject):
    """Whether this class, or the object's class, was decorated."""
    return getattr(classOrObject, "_is_parameter_node_wrapper", False)


WRAPPER_NAMES = {
    "parameterNodeWrapper": parameterNodeWrapper,
    "isParameterNodeWrapper": isParameterNodeWrapper,
    **{
        name: getattr(parameter_types, name)
        for name in (
            "Choice",
            "Decimals",
            "Default",
            "Exclude",
            "IsInstance",
            "Maximum",
            "Minimum",
            "NotNone",
            "SingleStep",
            "Validator",
            "WithinRange",
        )
    },
}
