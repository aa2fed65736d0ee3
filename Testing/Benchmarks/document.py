"""A document in which programs own marked blocks and replace them in place; all else in it is written by hand.

A block stands between ``<!-- NAME: made by COMMAND -->`` and ``<!-- end of NAME -->``, each on a line of its own.
"""

from __future__ import annotations

import re
from pathlib import Path


def replace_block(file: Path, name: str, text: str) -> None:
    """Put a text between the marks of a block.

    Raises
    ------
    SystemExit
        If the document does not hold the block's two marks once each, in their order.
    """
    document = file.read_text(encoding="utf-8")
    begin = re.findall(rf"^<!-- {re.escape(name)}: .* -->$", document, re.MULTILINE)
    end = f"<!-- end of {name} -->"
    if len(begin) != 1 or document.count(f"\n{end}\n") != 1 or document.index(begin[0]) > document.index(end):
        raise SystemExit(
            f"{file} must hold the block {name!r} once: a line '<!-- {name}: made by ... -->', and further down a line "
            f"'{end}'"
        )
    before, rest = document.split(begin[0])
    _, after = rest.split(end)
    file.write_text(f"{before}{begin[0]}\n\n{text.strip()}\n\n{end}{after}", encoding="utf-8")
