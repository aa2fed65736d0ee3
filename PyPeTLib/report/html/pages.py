"""Template, style and script to one file that loads nothing from anywhere."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PyPeTLib.report.html.numbers import is_number, number, plain, shown, spaced, volume
from PyPeTLib.version import __version__

if TYPE_CHECKING:
    from jinja2 import Environment

_FOLDER = Path(__file__).parent / "templates"


def page(template: str, content: dict[str, Any], *, script: str = "") -> bytes:
    """A page from its template, in UTF-8.

    The page's policy lets a browser use the pictures, the style and the script within it and nothing else, so what a
    label smuggles in is neither run nor fetched.

    Parameters
    ----------
    template : str
        Name of its file.
    content : dict
        What the template shows; texts in it are escaped.
    script : str
        Name of the script's file; none by default.
    """
    from markupsafe import Markup  # noqa: PLC0415 - comes with jinja2, which only reports need

    style, code = _text("report.css"), _text(script) if script else ""
    # the style and the script are files of this package, and stand in the page to the letter, as their hashes demand
    embedded = {"style": Markup(style), "script": Markup(code)}  # noqa: S704
    text = (
        _environment()
        .get_template(template)
        .render(**content, **embedded, policy=_policy(style, code), version=__version__)
    )
    return (text.rstrip("\n") + "\n").encode("utf-8", "backslashreplace")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - only reports need it

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "shown": shown, "volume": volume, "spaced": spaced, "plain": plain}
    environment.tests["a_number"] = is_number
    return environment


@cache
def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Content Security Policy, level 3 (W3C)."""
    rules = ["default-src 'none'", "img-src data:", f"style-src {_hash(style)}"]
    if script:
        rules.append(f"script-src {_hash(script)}")
    return "; ".join([*rules, "base-uri 'none'", "form-action 'none'"])


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"
