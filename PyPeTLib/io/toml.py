"""TOML for configurations: written so that reading gives the same values back, to the last bit of a float.

TOML 1.0; the standard library reads it (``tomllib``) but does not write it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from PyPeTLib.errors import InputError
from PyPeTLib.io.stream import read_text
from PyPeTLib.io.writing import write_text

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def format_toml(content: Mapping[str, Any]) -> str:
    """A nested mapping of texts, booleans, numbers and lists of them as TOML, in the order given.

    Raises
    ------
    TypeError
        For values that TOML cannot hold, such as None.
    InputError
        For texts that are no valid Unicode, such as file names in an old encoding.
    """
    return "\n".join(_table(content, ())).lstrip("\n") + "\n"


def write_toml(path: str | PathLike[str], content: Mapping[str, Any]) -> None:
    """Write `format_toml` of a mapping to a file.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    write_text(Path(path), format_toml(content))


def read_toml(path: str | PathLike[str]) -> dict[str, Any]:
    """The content of a TOML file.

    Raises
    ------
    InputError
        If the file cannot be read or is not TOML, with the line at fault.
    """
    path = Path(path)
    text = read_text(path)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # the message ends in "(at line 3, column 7)" or "(at end of document)"
        what, _, place = str(error).rpartition(" (at ")
        line = re.match(r"line (\d+)", place)
        number = line[1] if line else str(text.count("\n") + 1)
        raise InputError(f"{path}, line {number}: this is not valid TOML: {what or error}.") from error
    except (RecursionError, ValueError) as error:
        raise InputError(f"{path}: this TOML file cannot be used: {error}.") from error


def _table(content: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    tables = {key: value for key, value in content.items() if isinstance(value, Mapping)}
    if path and (len(tables) < len(content) or not content):
        yield f"\n[{'.'.join(_key(part) for part in path)}]"
    yield from (f"{_key(key)} = {_value(value)}" for key, value in content.items() if key not in tables)
    for key, value in tables.items():
        yield from _table(value, (*path, key))


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _value(key)


def _value(value: Any) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return float.__repr__(value)
    if isinstance(value, str):
        if any(0xD800 <= ord(c) <= 0xDFFF for c in value):
            raise InputError(f"the text {value!r} is not valid Unicode and cannot be stored. Rename it.")
        return f'"{"".join(_character(c) for c in value)}"'
    if isinstance(value, list | tuple | np.ndarray):
        return f"[{', '.join(_value(item) for item in value)}]"
    raise TypeError(f"TOML cannot hold {value!r}")


def _character(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    # TOML forbids control characters in texts
    return f"\\u{ord(character):04x}" if ord(character) < 0x20 or ord(character) == 0x7F else character
