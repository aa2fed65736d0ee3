"""PyPeT: quantitative maps from a raw 4D brain perfusion series (research use only)."""

from PyPeTLib.version import __version__

__all__ = ["__version__"]
