"""Exceptions that no caller sees: those raised inside Qt slots and VTK observers.

PySide and VTK both print such an exception and go on; the code that emitted the signal or modified the node never
hears of it. Both go through ``sys.excepthook``, so one hook collects them all for a test to look at.
"""

import sys
import traceback
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class CollectedError:
    """What is kept of an exception: no frames, which would keep widgets and nodes alive."""

    kind: type[BaseException]
    message: str
    text: str

    def __str__(self):
        return self.text


class ExceptionCollector:
    """A list of ``CollectedError`` behind ``sys.excepthook``."""

    def __init__(self):
        self.errors: list[CollectedError] = []
        self._previous_hook = None

    def install(self):
        """Take over ``sys.excepthook``; a second call changes nothing."""
        if sys.excepthook != self._collect:
            self._previous_hook = sys.excepthook
            sys.excepthook = self._collect

    def uninstall(self):
        """Give ``sys.excepthook`` back."""
        if sys.excepthook == self._collect:
            sys.excepthook = self._previous_hook

    def assert_none(self):
        """Fail with the tracebacks of all errors, and forget them, so that one test's error stays in that test."""
        errors, self.errors[:] = list(self.errors), []
        if errors:
            texts = "\n".join(error.text for error in errors)
            raise AssertionError(f"{len(errors)} exception(s) in slots or observers:\n{texts}")

    def _collect(self, kind, value, trace):
        text = "".join(traceback.format_exception(kind, value, trace))
        self.errors.append(CollectedError(kind=kind, message=str(value), text=text))
        sys.stderr.write(text)
        # The interpreter keeps the last error for post-mortem debugging, and with it every local of every frame.
        for name in ("last_type", "last_value", "last_traceback", "last_exc"):
            sys.__dict__.pop(name, None)
