"""Errors that PyPeT raises on purpose. Everything else that escapes is a fault of PyPeT."""


class PyPeTError(Exception):
    """Base of all errors that PyPeT raises on purpose."""


class InputError(PyPeTError, ValueError):
    """The data or options given cannot be used; the message says what was found and what to do."""


class UnknownNameError(InputError, KeyError):
    """A name that no registry entry answers to."""

    def __str__(self) -> str:
        # KeyError would show the message in quotes.
        return str(self.args[0])


class CancelledError(PyPeTError):
    """The caller asked for a running pipeline to stop."""
