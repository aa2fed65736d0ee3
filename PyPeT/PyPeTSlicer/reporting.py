"""Errors become one message on the panel."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from types import TracebackType

import slicer
from slicer.i18n import tr as _

from PyPeTLib.errors import CancelledError, InputError
from PyPeTSlicer.running import InputLostError
from PyPeTSlicer.words import for_panel


class Reported:
    """Context manager that tells what went wrong inside it, and lets no error out.

    Bad input and cancelling are a line on the panel; a fault of PyPeT also opens a dialog with the details.

    Parameters
    ----------
    tell : callable
        Called with the message, and whether it is a bad one.
    failure : str
        What did not work, for faults.
    """

    def __init__(self, tell: Callable[[str, bool], None], failure: str) -> None:
        self._tell, self._failure = tell, failure

    def __enter__(self) -> None:
        self._tell("", False)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        if isinstance(error, InputLostError):
            self._tell(str(error), True)
        elif isinstance(error, CancelledError):
            self._tell(_("Cancelled. The scene is as it was."), False)
        elif isinstance(error, InputError):
            logging.warning("PyPeT: %s", error)
            self._tell(for_panel(str(error)), True)
        else:
            logging.error("PyPeT", exc_info=error)
            message = str(_("{failure}: {error}. This is a fault of PyPeT; the scene is as it was.")).format(
                failure=self._failure, error=str(error) or type(error).__name__
            )
            self._tell(message, True)
            slicer.util.errorDisplay(message, detailedText="".join(traceback.format_exception(error)))
        return True
