"""Follows the mouse, points and regions, and keeps tables and charts of what the last run knows of these places.

Each event of the scene is answered before the next one comes, in a few milliseconds, and only where another voxel is
meant; views draw what has changed when they find the time. All nodes belong to the output segmentation of the run,
which refers to them by roles that begin with `ROLE`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import slicer
import vtk
from slicer.i18n import tr as _

from PyPeTLib.probing import Probe, Reading, RegionReading
from PyPeTLib.probing.curves import voxel_at
from PyPeTSlicer.probe_nodes import Colour, node_of
from PyPeTSlicer.probe_output import AIF, LAG, ROLE, TIME, ProbeOutput, Slot
from PyPeTSlicer.segments import SegmentChoice, mask_of
from PyPeTSlicer.sequences import proxy_of
from PyPeTSlicer.session import Run

MOUSE, CROSSHAIR, NOTHING = "mouse", "crosshair", "nothing"
"""What a probe follows beside its points."""

POINTS = f"{ROLE}Points"
"""Role of the reference from the output segmentation to the points that are kept."""

_CURSOR: Colour = (0.85, 0.10, 0.10)
_KEPT: tuple[Colour, ...] = (
    (0.12, 0.40, 0.75),
    (0.15, 0.60, 0.25),
    (0.90, 0.50, 0.05),
    (0.55, 0.25, 0.70),
    (0.50, 0.33, 0.20),
    (0.85, 0.35, 0.65),
    (0.35, 0.35, 0.35),
    (0.00, 0.62, 0.70),
)
"""Colours of the mouse's curves, and of points and regions in turn."""


@dataclass
class _Read:
    """What was read last for a slot, and where."""

    place: tuple[float, ...] | None
    reading: Reading | RegionReading


class Probing:
    """A probe of a run that is switched on: it observes the scene until `close`.

    Parameters
    ----------
    run : Run
    changed : callable
        Called after the readings have changed, and when the probe has closed itself because its run is gone.

    Raises
    ------
    InputError
        If the run did not keep its curves.
    """

    def __init__(self, run: Run, changed: Callable[[], None] = lambda: None) -> None:
        self.run = run
        self._probe = Probe.of(run.result)
        self._output = ProbeOutput(run.outputs.segmentation, self._probe)
        self._changed = changed
        self._cursor: tuple[float, float, float] | None = None
        self._regions: dict[tuple[str, str], tuple[SegmentChoice, RegionReading]] = {}
        self._reads: dict[str, _Read] = {}
        self._following = NOTHING
        self._is_refreshing = self._is_closed = False
        self._observed: list[tuple[Any, int]] = []
        self._of_cursor: list[tuple[Any, int]] = []
        self._of_points: list[tuple[Any, int]] = []
        scene = slicer.mrmlScene
        self._observe(self._observed, scene, scene.StartCloseEvent, self._on_scene_closing)
        self._observe(self._observed, scene, scene.NodeRemovedEvent, self._on_node_removed)
        proxy = proxy_of(run.sequence)
        if proxy is not None:
            moved = slicer.vtkMRMLTransformableNode.TransformModifiedEvent
            self._observe(self._observed, proxy, moved, self._on_moved)
        self._watch_points()
        self.refresh()

    # ---- what it follows

    @property
    def is_closed(self) -> bool:
        """Whether it has let go of the scene."""
        return self._is_closed

    @property
    def following(self) -> str:
        """`MOUSE`, `CROSSHAIR` or `NOTHING`."""
        return self._following

    def follow(self, what: str) -> None:
        """Follow the mouse, the crosshair (which moves with Shift), or points alone."""
        self._release(self._of_cursor)
        self._following = what
        crosshair = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        if what == NOTHING or crosshair is None:
            self._cursor = None
        elif what == MOUSE:
            moved = slicer.vtkMRMLCrosshairNode.CursorPositionModifiedEvent
            self._observe(self._of_cursor, crosshair, moved, self._on_mouse)
        else:
            self._observe(self._of_cursor, crosshair, vtk.vtkCommand.ModifiedEvent, self._on_crosshair)
            self._cursor = tuple(crosshair.GetCrosshairRAS())
        self.refresh()

    @property
    def points(self) -> Any:
        """The points that are kept, a ``vtkMRMLMarkupsFiducialNode``; None where there are none."""
        return self.run.outputs.segmentation.GetNodeReference(POINTS)

    def make_points(self) -> Any:
        """The points that are kept; an empty list of points is made where there is none."""
        if self.points is None:
            node = node_of(
                self.run.outputs.segmentation, POINTS, "vtkMRMLMarkupsFiducialNode", self._output.title(_("probes"))
            )
            node.SetControlPointLabelFormat("P%d")
            node.CreateDefaultDisplayNodes()
            self._watch_points()
        return self.points

    def add_region(self, choice: SegmentChoice) -> RegionReading:
        """Keep the mean of a segment as it is now.

        Raises
        ------
        InputError
            If the segment is gone, empty, or lies outside the series.
        """
        mask = mask_of(choice, self.run.loaded.series.orientation, proxy_of(self.run.sequence))
        reading = self._probe.region(mask)
        self._regions[choice.segmentation.GetID(), choice.segment_id] = (choice, reading)
        self.refresh()
        return reading

    @property
    def regions(self) -> list[SegmentChoice]:
        """The segments that are kept."""
        return [choice for choice, _reading in self._regions.values()]

    def clear(self) -> None:
        """Let go of all points and regions."""
        self._regions.clear()
        if self.points is not None:
            self.points.RemoveAllControlPoints()
        self.refresh()

    # ---- what it knows

    @property
    def readings(self) -> list[tuple[Slot, Reading | RegionReading]]:
        """Everything that is read now: the cursor, points, regions."""
        return [(slot, self._reads[slot.key].reading) for slot in self._output.slots]

    def chart(self, name: str) -> Any:
        """A chart node by its name in `probe_output.CHARTS`."""
        return self._output.charts[name]

    @property
    def values(self) -> Any:
        """The table node of the values of all maps."""
        return self._output.values.node

    def refresh(self) -> None:
        """Read what is not read yet, and show it."""
        if self._is_refreshing or self._is_closed:
            return
        if not self.run.is_current:
            self.close()
            self._changed()
            return
        self._is_refreshing = True
        try:
            self._refresh()
        finally:
            self._is_refreshing = False

    def close(self) -> None:
        """Let go of the scene; its nodes stay as they are."""
        for observed in (self._observed, self._of_cursor, self._of_points):
            self._release(observed)
        self._is_closed = True

    def _refresh(self) -> None:
        slots, reads = [], {}
        changed = []
        for slot, place in self._wanted():
            last = self._reads.get(slot.key)
            read = self._read(slot, place, last)
            if last is None or read.reading is not last.reading:
                changed.append(slot.key)
            slots.append(slot)
            reads[slot.key] = read
        has_new_shape = slots != self._output.slots or not self._output.is_complete
        self._reads = reads
        if has_new_shape:
            self._output.arrange(slots)
            changed = [slot.key for slot in slots]
        if changed or has_new_shape:
            self._output.show({key: reads[key].reading for key in changed})
            self._changed()

    def _wanted(self) -> list[tuple[Slot, tuple[float, float, float] | None]]:
        """All slots, with the place in RAS mm of those that have one."""
        wanted: list[tuple[Slot, tuple[float, float, float] | None]] = []
        names = {AIF, LAG, TIME}

        def add(key: str, label: str, colour: Colour, place: tuple[float, float, float] | None) -> None:
            unique, count = label, 1
            while unique in names:
                count += 1
                unique = f"{label} ({count})"
            names.add(unique)
            wanted.append((Slot(key=key, label=unique, colour=colour), place))

        if self._cursor is not None:
            add("cursor", str(_("Cursor")), _CURSOR, self._cursor)
        kept = 0
        for key, label, place in self._placed():
            add(key, label, _KEPT[kept % len(_KEPT)], place)
            kept += 1
        for (node_id, segment_id), (choice, _reading) in self._regions.items():
            segment = choice.segmentation.GetSegmentation().GetSegment(segment_id)
            label = segment.GetName() if segment is not None else segment_id
            add(f"region {node_id} {segment_id}", label, _KEPT[kept % len(_KEPT)], None)
            kept += 1
        return wanted

    def _placed(self) -> list[tuple[str, str, tuple[float, float, float]]]:
        """Key, label and place of the points that have been placed."""
        node = self.points
        if node is None:
            return []
        placed = []
        for index in range(node.GetNumberOfControlPoints()):
            # the point that hangs on the mouse while points are placed is not placed yet
            if node.GetNthControlPointPositionStatus(index) != node.PositionDefined:
                continue
            place = [0.0, 0.0, 0.0]
            node.GetNthControlPointPositionWorld(index, place)
            label = node.GetNthControlPointLabel(index) or f"P{index + 1}"
            placed.append((f"point {node.GetNthControlPointID(index)}", label, (place[0], place[1], place[2])))
        return placed

    def _read(self, slot: Slot, place: tuple[float, float, float] | None, last: _Read | None) -> _Read:
        if place is None:
            reading = next(
                found
                for (node_id, segment_id), (_choice, found) in self._regions.items()
                if slot.key == f"region {node_id} {segment_id}"
            )
            return _Read(None, reading)
        local = self._in_series(place)
        if last is not None and isinstance(last.reading, Reading):
            if last.place == local:
                return last
            # within one voxel there is nothing new to read
            voxel = voxel_at(local, self.run.result.series.grid)
            same_fine = voxel is not None and voxel == last.reading.voxel
            if same_fine and voxel_at(local, self.run.result.working.grid) == last.reading.working_voxel:
                return _Read(local, last.reading)
        return _Read(local, self._probe.at(local))

    def _in_series(self, place: tuple[float, float, float]) -> tuple[float, float, float]:
        """A place of the world in the series' own RAS mm, before the transform that it hangs under."""
        proxy = proxy_of(self.run.sequence)
        parent = proxy.GetParentTransformNode() if proxy is not None else None
        if parent is None:
            return place
        between = vtk.vtkGeneralTransform()
        slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(None, parent, between)
        x, y, z = between.TransformPoint(place)
        return float(x), float(y), float(z)

    # ---- what happens in the scene

    def _on_mouse(self, crosshair: Any, _event: Any) -> None:
        place = [0.0, 0.0, 0.0]
        # outside all views the last place stays
        if crosshair.GetCursorPositionRAS(place):
            self._cursor = (place[0], place[1], place[2])
            self.refresh()

    def _on_crosshair(self, crosshair: Any, _event: Any) -> None:
        place = tuple(crosshair.GetCrosshairRAS())
        if place != self._cursor:
            self._cursor = place
            self.refresh()

    def _on_moved(self, _caller: Any, _event: Any) -> None:
        self.refresh()

    def _on_scene_closing(self, _caller: Any, _event: Any) -> None:
        self.close()
        self._changed()

    def _on_node_removed(self, _caller: Any, _event: Any) -> None:
        if not self.run.is_current:
            self.close()
            self._changed()
            return
        for key in [key for key in self._regions if slicer.mrmlScene.GetNodeByID(key[0]) is None]:
            del self._regions[key]
        if self._of_points and self.points is None:
            self._release(self._of_points)
        if len(self._wanted()) != len(self._output.slots):
            self.refresh()

    def _watch_points(self) -> None:
        node = self.points
        if node is None or self._of_points:
            return
        for event in (
            "PointModifiedEvent",
            "PointPositionDefinedEvent",
            "PointRemovedEvent",
            "TransformModifiedEvent",
        ):
            self._observe(self._of_points, node, getattr(slicer.vtkMRMLMarkupsNode, event), self._on_moved)

    @staticmethod
    def _observe(kept: list[tuple[Any, int]], node: Any, event: Any, handler: Callable[[Any, Any], None]) -> None:
        kept.append((node, node.AddObserver(event, handler)))

    @staticmethod
    def _release(kept: list[tuple[Any, int]]) -> None:
        for node, tag in kept:
            node.RemoveObserver(tag)
        kept.clear()
