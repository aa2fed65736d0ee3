"""What makes a series unusable: a sentence for the one who loads it, a few words for a list."""

from __future__ import annotations

from PyPeTLib.errors import InputError

GIVE_TIMES = (
    "Give the seconds from one frame to the next with --frame-interval S, or the time of each frame with "
    "--frame-times FILE."
)


class SeriesError(InputError):
    """A series that cannot be put together.

    Parameters
    ----------
    message : str
        What was found, in which file, and what to do.
    remark : str
        The same in a few words that name no file.
    """

    def __init__(self, message: str, remark: str) -> None:
        super().__init__(message)
        self.remark = remark
