"""Helpers for declaring the Qt properties of stand-in widgets, one line each."""

from PySide6.QtCore import Property

from .pythonqt import plain_get


def stored(name, kind, default, changed=None):
    """Return a property whose value is kept on the Python side.

    `changed` is the name of a method to call without arguments, or of a signal to emit with the value, on change.
    """
    key = f"_{name}"

    def getter(self):
        return self.__dict__.get(key, default)

    def setter(self, value):
        if getter(self) == value:
            return
        self.__dict__[key] = value
        if changed is not None:
            target = plain_get(self, changed)
            if hasattr(target, "emit"):
                target.emit(value)
            else:
                target()

    return Property(kind, getter, setter)


def forwarded(part, name, kind):
    """Return a property that is the property `name` of the child object kept in the attribute `part`."""
    setter_name = f"set{name[0].upper()}{name[1:]}"

    def getter(self):
        return plain_get(self.__dict__[part], "property")(name)

    def setter(self, value):
        plain_get(self.__dict__[part], setter_name)(value)

    return Property(kind, getter, setter)
