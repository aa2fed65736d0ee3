"""Stand-in for ``slicer.app.coreIOManager()``: what ``slicer.util.load*`` and ``save*`` call."""
# Names are Slicer's.
# ruff: noqa: N802

from pathlib import Path

import vtk

SCENE_SUFFIXES = (".mrb", ".mrml")
FILE_TYPES = {
    "SceneFile": SCENE_SUFFIXES,
    "SequenceFile": (".seq.nrrd", ".seq.nhdr", ".seq.mha", ".seq.mhd"),
    "SegmentationFile": (".seg.nrrd", ".seg.nhdr", ".seg.vtm"),
    "TableFile": (".tsv", ".csv", ".db", ".sqlite"),
    "ColorTableFile": (".ctbl", ".cxml"),
    "TransformFile": (".tfm", ".h5", ".mat"),
    "TextFile": (".txt", ".xml", ".json"),
    "VolumeFile": (".nrrd", ".nhdr", ".nii", ".nii.gz", ".mha", ".mhd", ".dcm", ".hdr", ".img", ".tif", ".png"),
}
STORAGE_CLASSES = {
    "TableFile": ("vtkMRMLTableStorageNode", "vtkMRMLTableNode"),
    "ColorTableFile": ("vtkMRMLColorTableStorageNode", "vtkMRMLColorTableNode"),
    "TransformFile": ("vtkMRMLTransformStorageNode", "vtkMRMLTransformNode"),
    "TextFile": ("vtkMRMLTextStorageNode", "vtkMRMLTextNode"),
}
LABELMAP_OPTION = 1
CENTER_OPTION = 2
SINGLE_FILE_OPTION = 4
AUTO_WINDOW_LEVEL_OPTION = 8
DISCARD_ORIENTATION_OPTION = 16


class CoreIOManager:
    """Reads and writes with the real logics and storage nodes."""

    def __init__(self, scene, logics):
        self._scene = scene
        self._logics = logics
        self._readers = {
            "SceneFile": self._load_scene,
            "SequenceFile": self._load_sequence,
            "SegmentationFile": self._load_segmentation,
            "VolumeFile": self._load_volume,
        }

    def fileType(self, path):
        """The type name of a file, by its suffix."""
        name = str(path).lower()
        for file_type, suffixes in FILE_TYPES.items():
            if name.endswith(suffixes):
                return file_type
        return "NoFile"

    def fileWriterFileType(self, _node):
        """All nodes are written by their storage nodes."""
        return "NodeFile"

    def loadNodes(self, file_type, properties, loaded=None, messages=None):
        """Load a file; the loaded nodes go into the vtkCollection `loaded`, the main one first."""
        path = str(properties["fileName"])
        if not Path(path).exists():
            self._report(messages, f"file not found: {path}")
            return False
        if file_type in self._readers:
            nodes = self._readers[file_type](path, properties, messages)
        elif file_type in STORAGE_CLASSES:
            nodes = self._load_by_storage(file_type, path, properties, messages)
        else:
            self._report(messages, f"no reader for file type {file_type}")
            nodes = None
        if nodes is None:
            return False
        for node in nodes:
            if loaded is not None:
                loaded.AddItem(node)
        return True

    def saveNodes(self, file_type, properties, messages=None):
        """Save the scene, or the node `properties["nodeID"]`."""
        path = str(properties["fileName"])
        if file_type == "SceneFile":
            return self._save_scene(path, messages)
        node = self._scene.GetNodeByID(properties["nodeID"])
        storage = node.GetStorageNode()
        if storage is None:
            node.AddDefaultStorageNode(path)
            storage = node.GetStorageNode()
        if storage is None:
            return False
        storage.SetFileName(path)
        if "useCompression" in properties:
            storage.SetUseCompression(properties["useCompression"])
        written = bool(storage.WriteData(node))
        if messages is not None:
            messages.AddMessages(storage.GetUserMessages())
        return written

    def _report(self, messages, text):
        if messages is not None:
            messages.AddMessage(vtk.vtkCommand.ErrorEvent, text)

    # ---- readers: a list of nodes, or None for failure

    def _load_scene(self, path, properties, messages):
        clear = bool(properties.get("clear", False))
        if path.lower().endswith(".mrb"):
            read = self._scene.ReadFromMRB(path, clear, messages)
        else:
            self._scene.SetURL(path)
            read = self._scene.Connect(messages) if clear else self._scene.Import(messages)
        return [] if read else None

    def _load_sequence(self, path, properties, messages):
        logic = self._logics["Sequences"]
        sequence = logic.AddSequence(path, messages)
        if sequence is None:
            return None
        if properties.get("name"):
            sequence.SetName(self._scene.GetUniqueNameByString(properties["name"]))
        nodes = [sequence]
        if properties.get("show", True):
            browser = self._scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", f"{sequence.GetName()} browser")
            browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
            logic.UpdateProxyNodesFromSequences(browser)
            nodes.append(browser)
        return nodes

    def _load_segmentation(self, path, properties, _messages):
        node = self._logics["Segmentations"].LoadSegmentationFromFile(path)
        if node is not None and properties.get("name"):
            node.SetName(properties["name"])
        return None if node is None else [node]

    def _load_volume(self, path, properties, _messages):
        options = {
            "labelmap": LABELMAP_OPTION,
            "center": CENTER_OPTION,
            "singleFile": SINGLE_FILE_OPTION,
            "autoWindowLevel": AUTO_WINDOW_LEVEL_OPTION,
            "discardOrientation": DISCARD_ORIENTATION_OPTION,
        }
        flags = sum(flag for name, flag in options.items() if properties.get(name, name == "autoWindowLevel"))
        name = properties.get("name") or Path(path).name.split(".")[0]
        node = self._logics["Volumes"].AddArchetypeVolume(path, self._scene.GetUniqueNameByString(name), flags)
        return None if node is None else [node]

    def _load_by_storage(self, file_type, path, properties, messages):
        storage_class, node_class = STORAGE_CLASSES[file_type]
        storage = self._scene.CreateNodeByClass(storage_class)
        storage.UnRegister(None)
        storage.SetFileName(path)
        node = self._scene.AddNewNodeByClass(node_class, properties.get("name") or Path(path).name.split(".")[0])
        if not storage.ReadData(node):
            if messages is not None:
                messages.AddMessages(storage.GetUserMessages())
            self._scene.RemoveNode(node)
            return None
        self._scene.AddNode(storage)
        node.SetAndObserveStorageNodeID(storage.GetID())
        return [node]

    def _save_scene(self, path, messages):
        if path.lower().endswith(".mrb"):
            return bool(self._scene.WriteToMRB(path, None, messages))
        self._scene.SetURL(path)
        return bool(self._scene.Commit(path, messages))
