"""Binds the panel's widgets to a parameter node, and lets go of both without leaving an observer behind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Binding:
    """Widgets of a panel that follow a parameter node, and the other way round, until `release`.

    In Slicer 5.6 ``connectGui`` gives no handle to disconnect by, and ``disconnectGui`` leaves the observer that
    updates the widgets, which keeps the whole wrapper alive. So the observers that are added meanwhile are noted here.

    Parameters
    ----------
    parameters : parameterNodeWrapper
    uis : sequence of object
        Whose attributes are widgets; those with the property ``SlicerParameterName`` are bound.
    """

    def __init__(self, parameters: Any, uis: Sequence[Any]) -> None:
        self._parameters = parameters
        self._observers: list[int] = []
        add = parameters.AddObserver

        def noting(*arguments: Any) -> int:
            self._observers.append(add(*arguments))
            return self._observers[-1]

        bound = {}
        for widget in (widget for ui in uis for widget in vars(ui).values()):
            name = widget.property("SlicerParameterName")
            if name:
                bound[name] = widget
        parameters.AddObserver = noting
        try:
            self._tag = parameters.connectParametersToGui(bound)
        finally:
            del parameters.AddObserver

    def release(self) -> None:
        """Unbind all widgets."""
        self._parameters.disconnectGui(self._tag)
        for tag in self._observers:
            # where Slicer removed it already, this does nothing
            self._parameters.RemoveObserver(tag)
        self._parameters = None
