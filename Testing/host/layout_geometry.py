"""Where the views of a layout lie in the window: reads the XML that ``vtkMRMLLayoutNode`` keeps for a layout."""

import xml.etree.ElementTree as ET
from dataclasses import dataclass

TAB_HEIGHT = 26
GAP = 2
"""Pixels between neighbours."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """The place of one view: `rect` is (left, top, width, height) in pixels."""

    class_name: str
    tag: str
    rect: tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class TabBar:
    """A row of tabs; the first is open."""

    titles: tuple[str, ...]
    rect: tuple[int, int, int, int]


def arrange(description, size):
    """Cells and tab bars of a layout in a window of `size` (width, height); a layout without a description is empty."""
    if not description:
        return [], []
    root = ET.fromstring(description)  # noqa: S314 (made by Slicer or by the module under test)
    if root.tag == "viewports":  # several windows; the first is the main one
        root = root.find("layout")
    cells, tabs = [], []
    _place_layout(root, (0, 0, *size), cells, tabs)
    return cells, tabs


def _place_layout(layout, rect, cells, tabs):
    items = layout.findall("item")
    kind = layout.get("type", "horizontal")
    if kind == "tab":
        left, top, width, height = rect
        tabs.append(TabBar(titles=tuple(_title(item) for item in items), rect=(left, top, width, TAB_HEIGHT)))
        _place_item(items[0], (left, top + TAB_HEIGHT, width, height - TAB_HEIGHT), cells, tabs)
        return
    if kind == "grid":
        _place_grid(items, rect, cells, tabs)
        return
    if kind not in ("horizontal", "vertical"):
        raise ValueError(f"unknown type of layout: {kind!r}")
    shares = [int(item.get("splitSize", 0)) for item in items]
    if layout.get("split") != "true" or not all(shares):
        shares = [1] * len(items)
    for item, part in zip(items, _split(rect, shares, horizontal=kind == "horizontal"), strict=True):
        _place_item(item, part, cells, tabs)


def _place_grid(items, rect, cells, tabs):
    places = [[int(item.get(key, default)) for key, default in _GRID_KEYS] for item in items]
    rows = _split(rect, [1] * max(row + span for row, _, span, _ in places), horizontal=False)
    columns = _split(rect, [1] * max(column + span for _, column, _, span in places), horizontal=True)
    for item, (row, column, row_span, column_span) in zip(items, places, strict=True):
        first_row, last_row = rows[row], rows[row + row_span - 1]
        first_column, last_column = columns[column], columns[column + column_span - 1]
        width = last_column[0] + last_column[2] - first_column[0]
        height = last_row[1] + last_row[3] - first_row[1]
        _place_item(item, (first_column[0], first_row[1], width, height), cells, tabs)


_GRID_KEYS = (("row", 0), ("column", 0), ("rowspan", 1), ("colspan", 1))


def _place_item(item, rect, cells, tabs):
    for child in item:
        if child.tag == "layout":
            _place_layout(child, rect, cells, tabs)
        elif child.tag == "view":
            cells.append(Cell(class_name=child.get("class"), tag=child.get("singletontag", ""), rect=rect))


def _split(rect, shares, *, horizontal):
    left, top, width, height = rect
    room = (width if horizontal else height) - GAP * (len(shares) - 1)
    parts, start = [], left if horizontal else top
    for index in range(len(shares)):
        length = room * sum(shares[: index + 1]) // sum(shares) - room * sum(shares[:index]) // sum(shares)
        parts.append((start, top, length, height) if horizontal else (left, start, width, length))
        start += length + GAP
    return parts


def _title(item):
    view = item.find(".//view")
    return item.get("name") or ("" if view is None else view.get("singletontag", ""))
