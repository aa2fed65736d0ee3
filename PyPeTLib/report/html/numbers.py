"""Values as people read them: three digits that count, a real minus, a dash where there is none."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

MISSING = "–"
"""Stands where there is no value."""


def is_number(value: Any) -> bool:
    """Whether a value is a finite number, and not a yes or no."""
    value = plain(value)
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def number(value: Any, digits: int = 3) -> str:
    """A number with so many digits that count; whole ones as they are; `MISSING` for None and NaN."""
    if not is_number(value):
        return MISSING
    value = plain(value)
    if isinstance(value, int):
        text = str(value)
    elif value == 0:
        text = "0"
    elif 1e-3 <= abs(value) < 1e6:
        decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
        text = f"{value:.{decimals}f}"
    else:
        text = f"{value:.{digits - 1}e}"
    return text.replace("-", "−")


def volume(value: Any) -> str:
    """Millilitres, to a tenth."""
    return f"{plain(value):.1f}".replace("-", "−") if is_number(value) else MISSING


def shown(value: Any) -> str:
    """Any plain value as it was set: numbers in full, yes and no, lists with commas."""
    value = plain(value)
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}".replace("-", "−")
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {shown(item)}" for key, item in value.items()) or MISSING
    if isinstance(value, list | tuple):
        return ", ".join(shown(item) for item in value) or MISSING
    return str(value)


def spaced(unit: str) -> str:
    """A unit behind a space that does not break; nothing for plain numbers."""
    return "" if unit in ("", "1") else f"\N{NO-BREAK SPACE}{unit}"


def plain(value: Any) -> Any:
    """A scalar of numpy as Python's own; anything else as it is."""
    is_scalar = hasattr(value, "item") and getattr(value, "ndim", None) == 0
    return value.item() if is_scalar else value


def as_json(content: Any) -> str:
    """A nested table as JSON for reading; null for what JSON does not know."""
    return json.dumps(_finite(content), indent=2, ensure_ascii=False, default=str)


def _finite(value: Any) -> Any:
    value = plain(value)
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
