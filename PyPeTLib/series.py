"""What flows in: a 4D perfusion series with its geometry, frame times and acquisition facts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np

from PyPeTLib.arrays import Curve, IntArray, Mask, Volume
from PyPeTLib.errors import InputError
from PyPeTLib.frames import ChosenFrames, Frames, StoredFrames, all_frames
from PyPeTLib.geometry import Grid, Reorientation, identity_orientation
from PyPeTLib.workspace import Workspace

MINIMUM_FRAMES = 8
LARGEST_SIGNAL = 1e9
"""No scanner's signal is larger; sums of its products over a brain still hold in float32."""


class Modality(StrEnum):
    """How the series was acquired, which decides how signal becomes concentration."""

    CTP = "ctp"
    """CT perfusion: Hounsfield units, contrast raises the signal."""
    DSC = "dsc"
    """Dynamic susceptibility contrast MRI: T2*-weighted signal, contrast lowers it."""


@dataclass(frozen=True, kw_only=True)
class Acquisition:
    """Facts of the acquisition that the image itself does not hold."""

    echo_time: float | None = None
    """Echo time in seconds; needed for DSC."""
    slice_times: tuple[float, ...] | None = None
    """Time in seconds at which each slice along the third axis is acquired, from the time of the frame on."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PerfusionSeries:
    """A 4D perfusion series, checked on construction.

    Attributes
    ----------
    data : ndarray or Frames, shape (x, y, z, t)
        Signal: Hounsfield units for CTP, arbitrary units for DSC. An array is taken as float32; readers deliver
        `StoredFrames`, which keep 16-bit integers as they are. Treated as read-only, and read through `frame`,
        `curves`, `mean` and `array`, whatever it is.
    affine : ndarray, shape (4, 4)
        From voxel indices to RAS+ millimetres.
    frame_times : ndarray of float64, shape (t,)
        Acquisition time of each frame in seconds, strictly increasing; steps may be uneven.
    modality : Modality
    acquisition : Acquisition
    orientation : Reorientation
        How the file's own grid relates to ``data``; by default they are the same.
    second_echo : PerfusionSeries or None
        The same frames at a longer echo time (DSC): same grid and times, other data and echo time.
    name : str
        What error messages call the series, such as the name of its file.
    """

    data: Volume | Frames
    affine: Curve
    frame_times: Curve
    modality: Modality
    acquisition: Acquisition = field(default_factory=Acquisition)
    orientation: Reorientation = None  # type: ignore[assignment]  # filled in below
    second_echo: PerfusionSeries | None = None
    name: str = "series"

    def __post_init__(self) -> None:
        shape = self.data.shape if isinstance(self.data, Frames) else np.shape(self.data)
        if len(shape) != 4:
            raise InputError(
                f"{self.name}: a perfusion series has 4 dimensions (x, y, z, time), found {len(shape)} with shape "
                f"{shape}. Give the file with all time frames."
            )
        times = check_frame_times(self.frame_times, shape[3], name=self.name)
        if not isinstance(self.data, Frames):
            object.__setattr__(self, "data", np.asarray(self.data).astype(np.float32, copy=False))
        object.__setattr__(self, "frame_times", times)
        if self.modality not in list(Modality):
            raise InputError(
                f"{self.name}: the modality {self.modality!r} is not known; give one of {', '.join(Modality)}"
            )
        if 0 in shape:
            raise InputError(f"{self.name}: the series holds no voxels (shape {shape})")
        object.__setattr__(self, "modality", Modality(self.modality))
        grid = Grid((shape[0], shape[1], shape[2]), self.affine)
        object.__setattr__(self, "affine", grid.affine)
        if self.orientation is None:
            object.__setattr__(self, "orientation", identity_orientation(grid))
        # frames that are made of a series that was checked need no second look, which would make them all
        if not getattr(self.data, "checked", False):
            self._check_values()
        self._check_acquisition()
        self._check_slice_times()
        if self.second_echo is not None:
            self._check_second_echo(self.second_echo)

    def _check_values(self) -> None:
        changes = False
        first = self.frame(0)
        for frame in range(self.n_frames):
            volume = self.frame(frame)
            low, high = float(volume.min()), float(volume.max())
            if not np.isfinite(low + high):
                bad = int(np.count_nonzero(~np.isfinite(volume)))
                raise InputError(
                    f"{self.name}: frame {frame} (counted from 0) has {bad} voxels that are NaN or infinite. "
                    "Replace them by numbers, for instance by the value of air, before the analysis."
                )
            if max(-low, high) > LARGEST_SIGNAL:
                raise InputError(
                    f"{self.name}: frame {frame} (counted from 0) holds values up to {max(-low, high):.3g}, which no "
                    "scanner measures. The file is damaged, or its data type or scale is not what its header says."
                )
            changes = changes or not np.array_equal(volume, first)
        if not changes:
            raise InputError(
                f"{self.name}: the series is constant: no voxel changes over its {self.n_frames} frames. "
                "Check that the file holds the raw perfusion series."
            )

    def _check_acquisition(self) -> None:
        echo_time = self.acquisition.echo_time
        if self.modality is not Modality.DSC:
            return
        if echo_time is None:
            raise InputError(
                f"{self.name}: a DSC series needs its echo time, and none was found. Give it in seconds with "
                "--echo-time (for example 0.03), or as EchoTime in the JSON sidecar."
            )
        if not 0.001 <= echo_time <= 0.2:
            raise InputError(
                f"{self.name}: an echo time of {echo_time:g} s is not plausible (0.001 to 0.2 s); it is given in "
                "seconds, so 30 ms is 0.03."
            )

    def _check_slice_times(self) -> None:
        times = self.acquisition.slice_times
        if times is None:
            return
        n_slices, longest = self.grid.shape[2], float(np.diff(self.frame_times).max())
        if len(times) != n_slices:
            raise InputError(
                f"{self.name}: {len(times)} slice times were given for {n_slices} slices. Give one time in seconds for "
                "each slice (--slice-times FILE, or SliceTiming in the JSON sidecar)."
            )
        wrong = [time for time in times if not 0 <= time <= longest]
        if wrong:
            raise InputError(
                f"{self.name}: a slice time of {wrong[0]:g} s is not possible: it counts from the start of a frame, so "
                f"it lies between 0 and the longest frame interval, {longest:g} s. Times are given in seconds."
            )

    def _check_second_echo(self, second: PerfusionSeries) -> None:
        if self.modality is not Modality.DSC or second.modality is not Modality.DSC:
            raise InputError(f"{self.name}: only a DSC series has a second echo. Leave {second.name} out for CT.")
        if second.second_echo is not None:
            raise InputError(f"{second.name}: a second echo cannot have a second echo of its own")
        if second.n_frames != self.n_frames:
            raise InputError(
                f"{second.name}: the second echo has {second.n_frames} frames, the first ({self.name}) "
                f"{self.n_frames}. Give two echoes of one scan."
            )
        if not second.grid.matches(self.grid):
            raise InputError(
                f"{second.name}: the second echo lies on another grid than the first ({self.name}).\n"
                f"  second: {second.grid.describe()}\n  first:  {self.grid.describe()}\nGive two echoes of one scan."
            )
        if not np.allclose(second.frame_times, self.frame_times, rtol=0, atol=1e-3):
            raise InputError(f"{second.name}: the second echo has other frame times than the first ({self.name})")
        first_time, second_time = self.acquisition.echo_time, second.acquisition.echo_time
        if first_time is not None and second_time is not None and second_time <= first_time:
            raise InputError(
                f"{second.name}: the second echo time, {second_time:g} s, must be longer than the first, "
                f"{first_time:g} s ({self.name}). Give the echoes in their order, and their times in seconds "
                "(--echo-time, --second-echo-time)."
            )

    @property
    def frames(self) -> Frames:
        """The frames, whatever holds them."""
        return self.data if isinstance(self.data, Frames) else StoredFrames(self.data)

    def frame(self, index: int) -> Volume:
        """One frame as float32, shape (x, y, z); not to be written to."""
        return self.frames.frame(index)

    def array(self) -> Volume:
        """All frames as one float32 array of shape (x, y, z, t): a copy, unless they are held like this."""
        return all_frames(self.data) if isinstance(self.data, Frames) else self.data

    def curves(self, mask: Mask, workspace: Workspace | None = None) -> Volume:
        """Signal curves of the voxels of a mask as float32, shape (voxels, t), in the order of boolean indexing."""
        place = workspace or Workspace()
        curves: Volume = place.empty((int(np.count_nonzero(mask)), self.n_frames), np.float32)
        self.frames.curves(mask, curves)
        return curves

    def mean(self, frames: slice | IntArray = slice(None), workspace: Workspace | None = None) -> Volume:
        """Mean of some frames, a range of them or a list, as float32, shape (x, y, z)."""
        chosen = np.arange(self.n_frames)[frames]
        total: Volume = (workspace or Workspace()).empty(self.grid.shape, np.float32, order="F")
        total[...] = 0
        for index in chosen:
            total += self.frame(int(index))
        total /= np.float32(len(chosen))
        return total

    def chosen(self, frames: IntArray) -> PerfusionSeries:
        """The series of some of its frames alone, which are counted from 0 and rise."""
        second = None if self.second_echo is None else self.second_echo.chosen(frames)
        times = self.frame_times[frames]
        return replace(self, data=ChosenFrames(self.frames, frames), frame_times=times, second_echo=second)

    @property
    def echoes(self) -> tuple[PerfusionSeries, ...]:
        """The first echo and, where there is one, the second."""
        return (self,) if self.second_echo is None else (self, self.second_echo)

    @property
    def grid(self) -> Grid:
        """Shape and affine of one frame."""
        x, y, z, _ = self.frames.shape
        return Grid((x, y, z), self.affine)

    @property
    def n_frames(self) -> int:
        """Number of time frames."""
        return int(self.frames.shape[3])


def check_frame_times(times: object, n_frames: int, *, name: str = "series") -> Curve:
    """Frame times as float64, or an `InputError` that says what is wrong with them."""
    checked = np.array(times, dtype=np.float64)
    if n_frames < MINIMUM_FRAMES:
        raise InputError(
            f"{name}: {n_frames} time frames are too few; a bolus passage needs at least {MINIMUM_FRAMES}. "
            "Give the file with all time frames."
        )
    if checked.ndim != 1 or checked.size != n_frames:
        raise InputError(
            f"{name}: {checked.size} frame times were given for {n_frames} frames. Give one time in seconds for "
            "each frame (--frame-times FILE), or one interval (--frame-interval S)."
        )
    if not np.isfinite(checked).all():
        raise InputError(f"{name}: the frame times hold NaN or infinite values: {checked.tolist()}")
    steps = np.diff(checked)
    if (steps <= 0).any():
        at = int(np.argmax(steps <= 0))
        raise InputError(
            f"{name}: the frame times must increase, but frame {at + 1} (counted from 0) is at {checked[at + 1]:g} s "
            f"after frame {at} at {checked[at]:g} s. Correct them with --frame-times FILE."
        )
    if steps.min() < 0.05 or steps.max() > 60:
        raise InputError(
            f"{name}: the frames are {steps.min():g} to {steps.max():g} s apart, which is not plausible for a "
            "perfusion series (0.05 to 60 s). Times are given in seconds; check for milliseconds or minutes."
        )
    checked.setflags(write=False)
    return checked
