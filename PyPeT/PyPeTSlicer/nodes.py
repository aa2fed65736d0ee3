"""What all rooms share about nodes: images, matrices, and changes of the scene that happen wholly or not at all."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import numpy as np
import slicer
from vtk import VTK_FLOAT, VTK_SHORT, VTK_UNSIGNED_CHAR, VTK_UNSIGNED_SHORT, vtkDataArray, vtkImageData, vtkMatrix4x4
from vtk.util.numpy_support import vtk_to_numpy

from PyPeTLib.geometry import Grid

_VTK_TYPES = {
    np.dtype(np.float32): VTK_FLOAT,
    np.dtype(np.int16): VTK_SHORT,
    np.dtype(np.uint8): VTK_UNSIGNED_CHAR,
    np.dtype(np.uint16): VTK_UNSIGNED_SHORT,
}

INPUT = "PyPeT.Input"
"""Role of the reference from each output to the sequence that it was made from."""

REVIEW = "PyPeT.Review."
"""Beginning of the roles of the references from the output segmentation to the nodes of its review."""

TITLE = "PyPeT.Title"
"""Attribute with the title of the view that shows a node, where it tells what the run found."""

RUN = "PyPeT.Run"
"""Attribute of the output segmentation, and of what belongs to its review: how many runs there were."""


def image_of(array: np.ndarray[Any, Any], image: vtkImageData | None = None) -> vtkImageData:
    """A copy of an array ``(i, j, k)`` of float32, 16-bit integers or bool as image data (unit spacing, no origin)."""
    image = vtkImageData() if image is None else image
    kind = np.dtype(np.uint8) if array.dtype == bool else array.dtype
    scalars = vtkDataArray.CreateDataArray(_VTK_TYPES[kind])
    scalars.SetNumberOfTuples(array.size)
    # one copy, whatever the order of the array's axes in memory
    vtk_to_numpy(scalars).reshape(array.shape[::-1]).T[...] = array
    image.SetDimensions(*array.shape)
    image.GetPointData().SetScalars(scalars)
    return image


def matrix_of(grid: Grid) -> vtkMatrix4x4:
    """The affine of a grid as a matrix from (i, j, k) to RAS millimetres."""
    matrix = vtkMatrix4x4()
    for row in range(4):
        for column in range(4):
            matrix.SetElement(row, column, float(grid.affine[row, column]))
    return matrix


class Transaction:
    """Changes of the scene that happen together or not at all.

    Nodes that came into the scene meanwhile are removed, and nodes that `change` was told of get their content
    back, if the block ends with an error.
    """

    def __init__(self) -> None:
        self._scene = slicer.mrmlScene
        self._before: set[str] = set()
        self._saved: list[tuple[Any, Any]] = []
        self._items: list[int] = []

    def add(self, class_name: str, name: str) -> Any:
        """A new node in the scene."""
        return self._scene.AddNewNodeByClass(class_name, name)

    def change(self, node: Any) -> Any:
        """A node of the scene that is about to be changed."""
        saved = node.CreateNodeInstance()
        saved.Copy(node)
        # CreateNodeInstance hands over a reference that Python then shares
        saved.UnRegister(None)
        self._saved.append((node, saved))
        return node

    def add_folder(self, parent: int, name: str) -> int:
        """A new folder of the subject hierarchy."""
        item = int(subject_hierarchy().CreateFolderItem(parent, name))
        self._items.append(item)
        return item

    def __enter__(self) -> Self:
        self._before = _ids(self._scene)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._undo()

    def _undo(self) -> None:
        for node, saved in reversed(self._saved):
            node.Copy(saved)
        for item in self._items:
            # the folder alone: what lies in it is new and removed below, or was there before
            subject_hierarchy().RemoveItem(item, False, False)
        # a browser whose proxy goes makes another one, so browsers go first
        added = [self._scene.GetNodeByID(node_id) for node_id in sorted(_ids(self._scene) - self._before)]
        added.sort(key=lambda node: not node.IsA("vtkMRMLSequenceBrowserNode"))
        for node_id in [node.GetID() for node in added]:
            node = self._scene.GetNodeByID(node_id)
            # removing one node may remove another, such as its display
            if node is not None:
                self._scene.RemoveNode(node)


def remove(node: Any) -> None:
    """Take a node out of the scene, with its displays and files, which would stay without a purpose."""
    scene = slicer.mrmlScene
    belonging = []
    if node.IsA("vtkMRMLDisplayableNode"):
        belonging += [node.GetNthDisplayNode(index) for index in range(node.GetNumberOfDisplayNodes())]
    if node.IsA("vtkMRMLStorableNode"):
        belonging += [node.GetNthStorageNode(index) for index in range(node.GetNumberOfStorageNodes())]
    for each in (node, *belonging):
        if each is not None and scene.IsNodePresent(each):
            scene.RemoveNode(each)


def unique_name(name: str) -> str:
    """The name itself where no node has it, else with a number; Slicer by itself never gives a name twice."""
    return name if slicer.mrmlScene.GetFirstNodeByName(name) is None else slicer.mrmlScene.GenerateUniqueName(name)


def subject_hierarchy() -> Any:
    """The subject hierarchy of the scene."""
    return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)


def outputs_of(sequence: Any, class_name: str) -> list[Any]:
    """Nodes of a class that were made from a sequence, oldest first."""
    return [
        node
        for node in slicer.util.getNodesByClass(class_name)
        if sequence is not None and node.GetNodeReferenceID(INPUT) == sequence.GetID()
    ]


def _ids(scene: Any) -> set[str]:
    return {scene.GetNthNode(i).GetID() for i in range(scene.GetNumberOfNodes())}
