"""Stand-in for ``qMRMLNodeComboBox``, the node selector, with the habits of the real one that modules trip over:

* one attribute filter per node type: a second ``addAttribute`` for the same type replaces the first;
* without a scene it is disabled, lists nothing, and remembers the node it was asked for;
* without "None" it selects the first node when it gets its scene, and also when a node comes into an empty list that
  has no action rows ("Create new ...");
* when the current node goes, the neighbour takes its place, also in a selector that has "None".
"""
# Names are Slicer's.
# ruff: noqa: N801, N802, N815

import weakref

import shiboken6
import slicer
import vtk
from PySide6 import QtCore, QtWidgets
from PySide6.QtCore import Property, Signal

from .properties import stored
from .pythonqt import native, plain_get

NODE_SIGNALS = (
    "currentNodeChanged",
    "nodeActivated",
    "nodeAdded",
    "nodeAddedByUser",
    "nodeAddedByUserAction",
    "nodeAboutToBeRemoved",
    "nodeAboutToBeEdited",
)


@native
class qMRMLNodeComboBox(QtWidgets.QWidget):
    """A combo box of the scene's nodes, filtered by type and attribute."""

    object_signals = tuple(f"{name}(vtkMRMLNode*)" for name in NODE_SIGNALS)
    currentNodeChanged = Signal(object)
    nodeActivated = Signal(object)
    nodeAdded = Signal(object)
    nodeAddedByUser = Signal(object)
    nodeAddedByUserAction = Signal(object)
    nodeAboutToBeRemoved = Signal(object)
    nodeAboutToBeEdited = Signal(object)
    currentNodeIDChanged = Signal(str)
    currentNodeRenamed = Signal(str)

    def __init__(self, parent=None):
        super().__init__(parent)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._box = QtWidgets.QComboBox()
        layout.addWidget(self._box)
        self._box.activated.connect(self._on_activated)
        self._scene = None
        self._scene_tags = []
        self._node_tags = {}  # node id -> (weak reference to the node, observer tag)
        self._attributes = {}  # node type -> (attribute name, value or None)
        self._labels = {}
        self._node_ids = []
        self._names = {}  # node id -> the name in its row
        self._current_id = ""
        self._requested_id = ""
        self.setEnabled(False)

    nodeTypes = stored("nodeTypes", "QStringList", [], changed="_refresh")
    hideChildNodeTypes = stored("hideChildNodeTypes", "QStringList", [], changed="_refresh")
    showChildNodeTypes = stored("showChildNodeTypes", bool, True, changed="_refresh")
    showHidden = stored("showHidden", bool, False, changed="_refresh")
    noneEnabled = stored("noneEnabled", bool, False, changed="_refresh")
    noneDisplay = stored("noneDisplay", str, "None", changed="_refresh")
    addEnabled = stored("addEnabled", bool, True, changed="_refresh")
    removeEnabled = stored("removeEnabled", bool, True, changed="_refresh")
    editEnabled = stored("editEnabled", bool, False, changed="_refresh")
    renameEnabled = stored("renameEnabled", bool, False, changed="_refresh")
    selectNodeUponCreation = stored("selectNodeUponCreation", bool, True)
    baseName = stored("baseName", str, "")
    interactionNodeSingletonTag = stored("interactionNodeSingletonTag", str, "")

    def _set_current_id(self, node_id):
        if self._scene is None:
            self._requested_id = node_id
        else:
            self._select(node_id if node_id in self._node_ids else "")

    currentNodeID = Property(str, lambda self: self._current_id, _set_current_id)

    # ---- the scene

    def mrmlScene(self):
        """The scene, or None."""
        return self._scene

    def setMRMLScene(self, scene):
        """Follow `scene`, or none."""
        if scene is self._scene:
            return
        self._stop_observing()
        self._scene = scene
        if scene is not None:
            self._observe_scene()
        self.setEnabled(scene is not None)
        self._node_ids = self._accepted_ids(self._candidates())
        wanted, self._requested_id = self._requested_id, ""
        if not wanted and not self.noneEnabled and self._node_ids:
            wanted = self._node_ids[0]
        self._fill()
        self._select(wanted if wanted in self._node_ids else "")

    def _observe_scene(self):
        # The observer must not keep the widget alive, and may outlive it.
        myself = weakref.ref(self)

        def on_scene(_caller, _event):
            widget = myself()
            if widget is not None and shiboken6.isValid(widget):
                widget._refresh()

        def on_modified(node, _event):
            widget = myself()
            if widget is not None and shiboken6.isValid(widget) and plain_get(widget, "_is_changed")(node):
                widget._refresh()

        @vtk.calldata_type(vtk.VTK_OBJECT)
        def on_node(_caller, _event, node):
            widget = myself()
            if widget is not None and shiboken6.isValid(widget) and any(node.IsA(t) for t in widget.nodeTypes):
                widget._refresh()

        def on_import(_caller, _event):
            widget = myself()
            if widget is not None and shiboken6.isValid(widget):
                widget._refill()

        scene = slicer.vtkMRMLScene
        handlers = {
            scene.NodeAddedEvent: on_node,
            scene.NodeRemovedEvent: on_node,
            scene.EndCloseEvent: on_scene,
            scene.EndImportEvent: on_import,
            scene.EndRestoreEvent: on_import,
        }
        self._on_modified = on_modified
        self._scene_tags = [self._scene.AddObserver(event, handler) for event, handler in handlers.items()]

    def _stop_observing(self):
        for tag in self._scene_tags:
            self._scene.RemoveObserver(tag)
        self._scene_tags = []
        for node_id in list(self._node_tags):
            self._stop_observing_node(node_id)

    def _stop_observing_node(self, node_id):
        reference, tag = self._node_tags.pop(node_id)
        if reference() is not None:
            reference().RemoveObserver(tag)

    def _observe(self, nodes):
        """Watch nodes of the wanted types: their names and the attributes filtered by may change."""
        candidates = {node.GetID(): node for node in nodes}
        for node_id in set(self._node_tags) - set(candidates):
            self._stop_observing_node(node_id)
        for node_id in set(candidates) - set(self._node_tags):
            node = candidates[node_id]
            self._node_tags[node_id] = (
                weakref.ref(node),
                node.AddObserver(vtk.vtkCommand.ModifiedEvent, self._on_modified),
            )

    def _is_changed(self, node):
        """Whether the row of a watched node has to come, go or be renamed; most changes of a node are none of these."""
        return self._names.get(node.GetID()) != (node.GetName() if self._accepts(node) else None)

    # ---- which nodes

    def addAttribute(self, node_type, name, value=None):
        """Accept nodes of `node_type` only with the attribute `name`, and `value` if given."""
        self._attributes[node_type] = (name, value)
        self._refresh()

    def removeAttribute(self, node_type, name):
        """Forget the attribute filter of `node_type`."""
        if self._attributes.get(node_type, (None,))[0] == name:
            del self._attributes[node_type]
            self._refresh()

    def _candidates(self):
        if self._scene is None:
            return []
        scene, wanted_types = self._scene, self.nodeTypes
        if len(wanted_types) == 1:
            found = scene.GetNodesByClass(wanted_types[0])
            found.UnRegister(None)
            nodes = [found.GetItemAsObject(index) for index in range(found.GetNumberOfItems())]
            return [node for node in nodes if node.GetID()]
        nodes = [scene.GetNthNode(index) for index in range(scene.GetNumberOfNodes())]
        return [node for node in nodes if node.GetID() and any(node.IsA(wanted) for wanted in wanted_types)]

    def _accepted_ids(self, nodes):
        return [node.GetID() for node in nodes if self._accepts(node)]

    def _accepts(self, node):
        if node.GetHideFromEditors() and not self.showHidden:
            return False
        for wanted in self.nodeTypes:
            if not node.IsA(wanted) or not (self.showChildNodeTypes or node.GetClassName() == wanted):
                continue
            if self.showChildNodeTypes and any(node.IsA(hidden) for hidden in self.hideChildNodeTypes):
                return False
            name, value = self._attributes.get(wanted, (None, None))
            present = node.GetAttribute(name) if name else None
            return name is None or (present is not None and value in (None, present))
        return False

    def _refresh(self):
        """Bring the list up to date after any change of the scene or of the filter."""
        if self._scene is None:
            return
        before, nodes = self._node_ids, self._candidates()
        self._observe(nodes)
        self._node_ids = self._accepted_ids(nodes)
        added = [node_id for node_id in self._node_ids if node_id not in before]
        self._fill()
        if self._current_id and self._current_id not in self._node_ids:
            self._select(self._neighbour(before.index(self._current_id)))
        elif not self._current_id and not before and added and not self._extra_rows() and not self.noneEnabled:
            self._select(added[0])
        else:
            self._show_current()
        for node_id in added:
            self.nodeAdded.emit(self._scene.GetNodeByID(node_id))

    def _refill(self):
        """Take out all rows and fill in the new ones, as after an import: where none is a choice, it is chosen then."""
        if self._scene is not None and self.noneEnabled:
            self._select("")
        self._refresh()

    def _neighbour(self, row):
        if not self._node_ids:
            return ""
        return self._node_ids[min(row, len(self._node_ids) - 1)]

    # ---- what is shown

    def _extra_rows(self):
        rows = []
        if self.renameEnabled:
            rows.append(("Rename current", self.renameCurrentNode))
        if self.editEnabled:
            rows.append(("Edit current", self.editCurrentNode))
        if self.addEnabled:
            rows += [
                (f"Create new {self.nodeTypeLabel(t)}", lambda t=t: self._add_by_action(t)) for t in self.nodeTypes
            ]
        if self.removeEnabled:
            rows.append(("Delete current", self.removeCurrentNode))
        return rows

    def _fill(self):
        blocker = QtCore.QSignalBlocker(self._box)
        self._box.clear()
        if self.noneEnabled:
            self._box.addItem(self.noneDisplay)
        self._names = {node_id: self._scene.GetNodeByID(node_id).GetName() for node_id in self._node_ids}
        for name in self._names.values():
            self._box.addItem(name)
        for text, _action in self._extra_rows():
            self._box.addItem(text)
        blocker.unblock()
        self._show_current()

    def _show_current(self):
        first = 1 if self.noneEnabled else 0
        row = self._node_ids.index(self._current_id) + first if self._current_id in self._node_ids else first - 1
        blocker = QtCore.QSignalBlocker(self._box)
        self._box.setCurrentIndex(row)
        blocker.unblock()

    def _select(self, node_id):
        changed = node_id != self._current_id
        self._current_id = node_id
        self._show_current()
        if changed:
            self.currentNodeChanged.emit(self.currentNode())
            self.currentNodeIDChanged.emit(node_id)

    def _on_activated(self, row):
        first = 1 if self.noneEnabled else 0
        if row < first + len(self._node_ids):
            self._select(self._node_ids[row - first] if row >= first else "")
            self.nodeActivated.emit(self.currentNode())
        else:
            _text, action = self._extra_rows()[row - first - len(self._node_ids)]
            self._show_current()
            action()

    # ---- what modules call

    def currentNode(self):
        """The selected node, or None."""
        return self._scene.GetNodeByID(self._current_id) if self._scene is not None and self._current_id else None

    def setCurrentNode(self, node):
        """Select `node`; one that is not listed selects nothing."""
        self._set_current_id(node.GetID() if node is not None and node.GetID() else "")

    def setCurrentNodeIndex(self, index):
        """Select the node in row `index`, not counting "None"."""
        self._select(self._node_ids[index] if 0 <= index < len(self._node_ids) else "")

    def nodeCount(self):
        """How many nodes are listed."""
        return len(self._node_ids)

    def nodeFromIndex(self, index):
        """The node in row `index`, or None."""
        return self._scene.GetNodeByID(self._node_ids[index]) if 0 <= index < len(self._node_ids) else None

    def nodes(self):
        """All listed nodes."""
        return [self._scene.GetNodeByID(node_id) for node_id in self._node_ids]

    def setNodeTypeLabel(self, label, node_type):
        """Set what nodes of `node_type` are called in the action rows."""
        self._labels[node_type] = label
        self._refresh()

    def nodeTypeLabel(self, node_type):
        """What nodes of `node_type` are called in the action rows."""
        return self._labels.get(node_type) or node_type.removeprefix("vtkMRML").removesuffix("Node")

    def addNode(self, node_type=None):
        """Create a node as the row "Create new ..." does."""
        node_type = node_type or self.nodeTypes[0]
        if node_type not in self.nodeTypes:
            return None
        node = self._scene.CreateNodeByClass(node_type)
        node.UnRegister(None)
        name, value = self._attributes.get(node_type, (None, None))
        if name:  # the created node must pass the selector's own filter
            node.SetAttribute(name, value or "")
        base = self.baseName or self.nodeTypeLabel(node_type)
        node.SetName(self._scene.GetUniqueNameByString(base))
        self._scene.AddNode(node)
        if self.selectNodeUponCreation:
            self.setCurrentNode(node)
        self.nodeAddedByUser.emit(node)
        return node

    def _add_by_action(self, node_type):
        node = self.addNode(node_type)
        self.setCurrentNode(node)
        self.nodeAddedByUserAction.emit(node)

    def removeCurrentNode(self):
        """Remove the selected node from the scene."""
        self._scene.RemoveNode(self.currentNode())

    def editCurrentNode(self):
        """Tell that the selected node shall be edited."""
        self.nodeAboutToBeEdited.emit(self.currentNode())

    def renameCurrentNode(self):
        """Ask for a name for the selected node."""
        text = QtWidgets.QInputDialog.getText(self, "Rename", "New name:")
        if text:
            self.currentNode().SetName(text)
            self.currentNodeRenamed.emit(text)

    def comboBox(self):
        """The combo box inside, for tests that choose a row as a user does."""
        return plain_get(self, "_box")
