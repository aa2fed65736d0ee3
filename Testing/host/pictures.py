"""Pictures of the window with its views, and of a module's panel, in Slicer's light and dark style."""

from contextlib import contextmanager

import numpy as np
from PySide6 import QtCore, QtGui, QtWidgets
from vtk import reference as vtk_reference

from .plot_view import plot_picture
from .table_view import table_picture
from .view_widgets import BAR_HEIGHT, qMRMLPlotWidget, qMRMLSliceWidget, qMRMLTableWidget

LIGHT = {
    "Window": "#ffffff",
    "WindowText": "#000000",
    "Base": "#ffffff",
    "AlternateBase": "#e4e4fe",
    "Text": "#000000",
    "PlaceholderText": "#808080",
    "Button": "#fcfcfc",
    "ButtonText": "#000000",
    "Light": "#c8c8c8",
    "Midlight": "#e6e6e6",
    "Dark": "#aaaaaa",
    "Mid": "#c8c8c8",
    "Shadow": "#5a5a5a",
    "Highlight": "#308cc6",
    "HighlightedText": "#ffffff",
    "Link": "#0000ff",
}
DARK = LIGHT | {
    "Window": "#323232",
    "WindowText": "#ffffff",
    "Base": "#1e1e1e",
    "AlternateBase": "#323232",
    "Text": "#ffffff",
    "PlaceholderText": "#c0c0c0",
    "Button": "#323232",
    "ButtonText": "#ffffff",
    "Light": "#828284",
    "Midlight": "#5a5a5b",
    "Dark": "#232323",
    "Mid": "#2b2b2b",
    "Shadow": "#141414",
    "Highlight": "#3ca4ff",
    "Link": "#3ca4ff",
}
DISABLED = {False: "#bebebe", True: "#6d6d6d"}
"""Colour of disabled texts in the light and the dark style."""
SKY = ("#c1c3e8", "#747ec3")
"""Slicer's background of three-dimensional views, from top to bottom."""
PANEL_WIDTH = 520
AXES = {"Axial": "S:", "Sagittal": "R:", "Coronal": "A:"}
"""What stands before the offset in the bar of a slice view."""


@contextmanager
def style(*, dark):
    """Slicer's light or dark style for as long as the context lasts."""
    application = QtWidgets.QApplication.instance()
    before = application.style().name, QtGui.QPalette(application.palette())
    palette = QtGui.QPalette()
    for role, colour in (DARK if dark else LIGHT).items():
        palette.setColor(getattr(QtGui.QPalette.ColorRole, role), QtGui.QColor(colour))
    for role in ("WindowText", "Text", "ButtonText"):
        role_id = getattr(QtGui.QPalette.ColorRole, role)
        palette.setColor(QtGui.QPalette.ColorGroup.Disabled, role_id, QtGui.QColor(DISABLED[dark]))
    application.setStyle("Fusion")
    application.setPalette(palette)
    try:
        yield palette
    finally:
        application.setStyle(before[0])
        application.setPalette(before[1])


def panel_picture(widget, *, dark=False, width=PANEL_WIDTH):
    """All of a panel (a module's widget or any Qt widget) as an array of shape (height, width, 3)."""
    panel = widget if isinstance(widget, QtWidgets.QWidget) else widget.parent
    was_visible = panel.visible
    with style(dark=dark):
        panel.resize(width, 10)
        panel.show()
        QtWidgets.QApplication.processEvents()
        panel.resize(width, _height_of(panel, width))
        QtWidgets.QApplication.processEvents()
        picture = to_array(panel.grab().toImage())
        panel.setVisible(was_visible)
    return picture


def _height_of(panel, width):
    """What the texts need when they are broken at this width."""
    layout = panel.layout()
    if layout is not None and layout.hasHeightForWidth():
        return layout.totalHeightForWidth(width)
    return panel.sizeHint.height()


def layout_picture(manager, *, dark=False):
    """The views of the current layout as an array of shape (height, width, 3)."""
    image = QtGui.QImage(*manager._size, QtGui.QImage.Format.Format_RGB888)
    with style(dark=dark) as palette:
        image.fill(palette.color(QtGui.QPalette.ColorRole.Mid))
        painter = QtGui.QPainter(image)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        try:
            for tab_bar in manager._tabs:
                _draw_tabs(painter, tab_bar, palette)
            for cell in manager._cells:
                node = manager._node_of(cell)
                _draw_view(painter, manager.viewWidget(node), node, cell.rect, palette)
        finally:
            painter.end()
    return to_array(image)


def _draw_view(painter, widget, node, rect, palette):
    left, top, width, height = rect
    _draw_bar(painter, widget, node, QtCore.QRect(left, top, width, BAR_HEIGHT), palette)
    body = QtCore.QRect(left, top + BAR_HEIGHT, width, height - BAR_HEIGHT)
    if isinstance(widget, qMRMLSliceWidget):
        _draw_array(painter, widget._view.picture(), body)
    elif isinstance(widget, qMRMLPlotWidget):
        chart = node.GetPlotChartNode()
        if chart is None:
            painter.fillRect(body, palette.color(QtGui.QPalette.ColorRole.Base))
        else:
            _draw_array(painter, plot_picture(chart, (body.width(), body.height())), body)
    elif isinstance(widget, qMRMLTableWidget):
        painter.drawImage(body, table_picture(node.GetTableNode(), (body.width(), body.height())))
    else:
        gradient = QtGui.QLinearGradient(body.topLeft(), body.bottomLeft())
        gradient.setColorAt(0, QtGui.QColor(SKY[0]))
        gradient.setColorAt(1, QtGui.QColor(SKY[1]))
        painter.fillRect(body, gradient)


def _draw_bar(painter, widget, node, rect, palette):
    """The bar above a view: its label on its colour, the slider and offset of a slice, or what is shown."""
    colour = QtGui.QColor.fromRgbF(*node.GetLayoutColor())
    painter.fillRect(rect, palette.color(QtGui.QPalette.ColorRole.Button))
    painter.fillRect(rect.left(), rect.top(), rect.width(), 3, colour)
    label = node.GetLayoutLabel() or node.GetLayoutName() or ""
    text_width = painter.fontMetrics().horizontalAdvance(label)
    badge = QtCore.QRect(rect.left(), rect.top(), text_width + 16, rect.height())
    painter.fillRect(badge, colour)
    painter.setPen(QtGui.QColor("black" if colour.lightness() > 110 else "white"))
    painter.drawText(badge, QtCore.Qt.AlignmentFlag.AlignCenter, label)
    painter.setPen(palette.color(QtGui.QPalette.ColorRole.ButtonText))
    rest = rect.adjusted(badge.width() + 8, 3, -8, 0)
    align = QtCore.Qt.AlignmentFlag.AlignVCenter
    if isinstance(widget, qMRMLSliceWidget):
        text = f"{AXES.get(node.GetOrientation(), '')} {widget._logic.GetSliceOffset():.2f} mm".strip()
        painter.drawText(rest, align | QtCore.Qt.AlignmentFlag.AlignRight, text)
        _draw_slider(painter, widget, rest.adjusted(0, 0, -painter.fontMetrics().horizontalAdvance(text) - 14, 0))
    else:
        shown = getattr(node, "GetPlotChartNode", getattr(node, "GetTableNode", lambda: None))()
        painter.drawText(rest, align, "" if shown is None else shown.GetName())


def _draw_slider(painter, widget, rect):
    lowest_and_highest = [0.0, 0.0]
    resolution = vtk_reference(0.0)
    widget._logic.GetSliceOffsetRangeResolution(lowest_and_highest, resolution)
    low, high = lowest_and_highest
    if high <= low or rect.width() < 40:
        return
    share = min(max((widget._logic.GetSliceOffset() - low) / (high - low), 0), 1)
    middle = rect.center().y()
    painter.drawLine(rect.left(), middle, rect.right(), middle)
    painter.setBrush(painter.pen().color())
    painter.drawEllipse(QtCore.QPointF(rect.left() + share * rect.width(), middle), 5, 5)


def _draw_tabs(painter, tab_bar, palette):
    left, top, width, height = tab_bar.rect
    painter.fillRect(left, top, width, height, palette.color(QtGui.QPalette.ColorRole.Button))
    painter.setPen(palette.color(QtGui.QPalette.ColorRole.ButtonText))
    for index, title in enumerate(tab_bar.titles):
        tab = QtCore.QRect(left, top, painter.fontMetrics().horizontalAdvance(title) + 24, height)
        painter.drawText(tab, QtCore.Qt.AlignmentFlag.AlignCenter, title)
        if index == 0:
            highlight = palette.color(QtGui.QPalette.ColorRole.Highlight)
            painter.fillRect(tab.left(), tab.bottom() - 2, tab.width(), 3, highlight)
        left += tab.width()


def _draw_array(painter, picture, rect):
    height, width, _ = picture.shape
    image = QtGui.QImage(picture.tobytes(), width, height, 3 * width, QtGui.QImage.Format.Format_RGB888)
    painter.drawImage(rect.topLeft(), image)


def to_array(image):
    """Qt's image as an array of shape (height, width, 3), uint8."""
    image = image.convertToFormat(QtGui.QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()
