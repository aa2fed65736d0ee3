"""Stand-in for Slicer's table view: a Qt table that shows a ``vtkMRMLTableNode`` and follows it."""
# Names are Slicer's.
# ruff: noqa: N801, N802, N815

import vtk
from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Signal

from .pythonqt import native


@native
class qMRMLTableView(QtWidgets.QTableView):
    """Shows the table node that it is given, or the one of its table view node."""

    object_signals = ("mrmlSceneChanged(vtkMRMLScene*)",)
    mrmlSceneChanged = Signal(object)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._scene = self._table_node = self._view_node = None
        self._stop = {}
        self._items = QtGui.QStandardItemModel(self)
        self.setModel(self._items)

    def mrmlScene(self):
        """The scene, or None."""
        return self._scene

    def setMRMLScene(self, scene):
        """Without a scene nothing is shown."""
        if scene is None:
            self.setMRMLTableViewNode(None)
        self._scene = scene
        self.mrmlSceneChanged.emit(scene)

    def mrmlTableNode(self):
        """The table node, or None."""
        return self._table_node

    def setMRMLTableNode(self, node):
        """Show a table node."""
        self._table_node = node
        self._observe("table", node, self._fill)
        self._fill()

    def mrmlTableViewNode(self):
        """The table view node, or None."""
        return self._view_node

    def setMRMLTableViewNode(self, node):
        """Show what a table view node shows."""
        self._view_node = node
        self._observe("view", node, self._follow_view_node)
        self._follow_view_node()

    def tableModel(self):
        """Qt's model of the table."""
        return self._items

    def _observe(self, which, node, callback):
        observed = self._stop.pop(which, None)
        if observed is not None:
            observed[0].RemoveObserver(observed[1])
        if node is not None:
            self._stop[which] = (node, node.AddObserver(vtk.vtkCommand.ModifiedEvent, callback))

    def _follow_view_node(self, _node=None, _event=None):
        table = None if self._view_node is None else self._view_node.GetTableNode()
        if table is not self._table_node:
            self.setMRMLTableNode(table)

    def _fill(self, _node=None, _event=None):
        self._items.clear()
        node = self._table_node
        if node is None or node.GetTable() is None:
            return
        table = node.GetTable()
        first = 1 if node.GetUseFirstColumnAsRowHeader() else 0
        columns = [table.GetColumn(index) for index in range(first, table.GetNumberOfColumns())]
        titled = node.GetUseColumnTitleAsColumnHeader()
        top = 0 if titled else 1  # else the names stand in the first row, below letters
        self._items.setColumnCount(len(columns))
        self._items.setRowCount(table.GetNumberOfRows() + top)
        for place, column in enumerate(columns):
            name = column.GetName()
            header = (node.GetColumnTitle(name) or name) if titled else _letter(place)
            self._items.setHorizontalHeaderItem(place, _cell(header, node.GetColumnDescription(name) or ""))
            if top:
                self._items.setItem(0, place, _cell(name))
            for row in range(table.GetNumberOfRows()):
                item = _item(column, row)
                item.setEditable(not node.GetLocked())
                self._items.setItem(row + top, place, item)
        if first:
            for row in range(table.GetNumberOfRows()):
                self._items.setVerticalHeaderItem(row + top, _cell(table.GetColumn(0).GetVariantValue(row).ToString()))


def _letter(place):
    """A, B, …, Z, AA, … as the headers of columns without titles."""
    return ("" if place < 26 else _letter(place // 26 - 1)) + chr(ord("A") + place % 26)


def _item(column, row):
    value = column.GetVariantValue(row)
    if not isinstance(column, vtk.vtkBitArray):
        return _cell(value.ToString())
    item = _cell("")
    item.setCheckState(QtCore.Qt.CheckState.Checked if value.ToInt() else QtCore.Qt.CheckState.Unchecked)
    return item


def _cell(text, tool_tip=""):
    item = QtGui.QStandardItem(text)
    if tool_tip:
        item.setToolTip(tool_tip)
    return item


def table_picture(table_node, size=(400, 300)):
    """Draw a table as its view shows it, the columns as wide as their contents; returns Qt's image."""
    view = qMRMLTableView()
    view.setMRMLTableNode(table_node)
    view.resize(*size)
    view.resizeColumnsToContents()
    view.resizeRowsToContents()
    view.ensurePolished()
    image = view.grab().toImage()
    view.setMRMLTableNode(None)
    view.deleteLater()
    return image
