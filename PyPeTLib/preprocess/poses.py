"""Rigid poses of all frames relative to the mean of the first ones, and the options of motion correction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from PyPeTLib.arrays import Curve, IntArray, Mask
from PyPeTLib.execution import Execution
from PyPeTLib.options import Options, option
from PyPeTLib.preprocess.frame_faults import Fault, FrameFit, Tolerance, find_faults
from PyPeTLib.preprocess.frame_fits import ASTRAY, FrameFitter, Reference
from PyPeTLib.preprocess.rigid import framewise_displacement, head_displacement, rigid_parameters
from PyPeTLib.series import Modality, PerfusionSeries

TOLERANCES = {
    Modality.CTP: Tolerance(misfit=0.065, bolus=0.0, noise=4.0),
    Modality.DSC: Tolerance(misfit=0.18, bolus=0.6, noise=np.inf),
}
"""Up to 5 mm and 5 degrees away heads measure up to 0.05 (CT) and 0.16 (MR). A bolus adds half of the mean drop (MR).
Noise is that of blocks of 4 mm: ten times a clinical one reads 4.6 HU, the peak of a bolus 2. In MR, where what is
compared is local contrast, noise shows as misfit."""


@dataclass(frozen=True, kw_only=True)
class MotionOptions(Options):
    """How motion is estimated and undone."""

    correct: bool = option(default=True, help="Correct motion; otherwise it is only estimated and reported.")
    leave_out: bool = option(
        default=True,
        help="Leave frames out that are empty, damaged, torn or do not fit; otherwise they are only named.",
    )
    threshold: float = option(
        0.2,
        "Frames whose head moved less than this are left as they are, because interpolation blurs.",
        unit="mm",
        minimum=0,
        maximum=5,
    )
    interpolation: str = option(
        "linear",
        "Linear, which also lowers noise, or cubic, which keeps finer detail but is slower and rings beside bone.",
        choices=("linear", "cubic"),
    )
    reference_frames: int = option(
        5,
        "First frames, before the bolus; the mean of those that fit each other is the reference.",
        minimum=3,
        maximum=50,
    )
    points: int = option(10_000, "Edge points compared at each level.", minimum=500, maximum=500_000)
    iterations: int = option(20, "Most Gauss-Newton steps at each level.", minimum=1, maximum=200)


@dataclass(frozen=True, kw_only=True, eq=False)
class MotionEstimate:
    """Poses of all frames relative to the reference pose, and which frames can be used.

    Attributes
    ----------
    matrices : ndarray of float64, shape (t, 4, 4)
        World RAS+ millimetres: maps a point of the reference pose to where the same anatomy lies in the frame,
        so that the corrected frame is ``frame(M x)``.
    centre : ndarray of float64, shape (3,)
        The head's centre in the reference pose, about which rotations are counted.
    translations : ndarray of float64, shape (t, 3)
        Movement of the centre toward right, anterior and superior in mm.
    rotations : ndarray of float64, shape (t, 3)
        Rotation vectors in degrees about the right, anterior and superior axes.
    framewise_displacement : ndarray of float64, shape (t,)
        Change from the frame before in mm, angles as arcs at 50 mm (Power 2012); 0 for the first frame.
    displacement : ndarray of float64, shape (t,)
        Distance from the reference pose in mm, root mean square over the head.
    residual : ndarray of float64, shape (t,)
        Robust standard deviation of the aligned frame minus the reference at the edge points, in HU for CT and in
        units of local contrast for MR: large where a frame does not fit.
    faults : tuple of Fault or None, length t
        What makes a frame unusable; None with all others.
    reliable : ndarray of bool, shape (t,)
        Whether a frame can be used: its pose is certain and its picture whole. A frame that cannot, should be left
        out of everything that looks at curves; it has been given the pose of the nearest frame in time that can.
    reference : int
        Frame whose pose is the reference pose, the most typical one of the first.
    averaged : tuple of int
        Frames whose mean the others were compared with, aligned to ``reference`` where they had moved.
    threshold : float
        Displacement in mm under which a frame is left as it is.
    """

    matrices: Curve
    centre: Curve
    translations: Curve
    rotations: Curve
    framewise_displacement: Curve
    displacement: Curve
    residual: Curve
    faults: tuple[Fault | None, ...]
    reliable: Mask
    reference: int
    averaged: tuple[int, ...]
    threshold: float

    def of(self, frames: IntArray) -> MotionEstimate:
        """The estimate of some of the frames alone; poses are relative to the same reference pose."""
        return replace(
            self,
            matrices=self.matrices[frames],
            translations=self.translations[frames],
            rotations=self.rotations[frames],
            framewise_displacement=self.framewise_displacement[frames],
            displacement=self.displacement[frames],
            residual=self.residual[frames],
            faults=tuple(self.faults[frame] for frame in frames),
            reliable=self.reliable[frames],
            reference=int(np.abs(frames - self.reference).argmin()),
            averaged=tuple(int(place) for place in np.flatnonzero(np.isin(frames, self.averaged))),
        )

    @property
    def frames_moved(self) -> Mask:
        """Which frames moved enough to be resampled, shape (t,)."""
        moved: Mask = self.displacement > self.threshold
        return moved

    @property
    def moved(self) -> bool:
        """Whether any frame moved enough to be resampled."""
        return bool(self.frames_moved.any())


def estimate_motion(series: PerfusionSeries, options: MotionOptions, execution: Execution) -> MotionEstimate:
    """Rigid pose of every frame relative to the mean of the first frames of the series.

    Parameters
    ----------
    series : PerfusionSeries
    options : MotionOptions
    execution : Execution

    Returns
    -------
    MotionEstimate

    Raises
    ------
    InputError
        If the first frames hold no edges to align.
    """
    fitter = FrameFitter.of(series, options.points, options.iterations)
    reference = fitter.reference(options.reference_frames, execution)
    fits = _searched_again(
        fitter, reference, execution.map(fitter.fitter(reference), range(series.n_frames)), execution
    )
    template = reference.templates[0]
    expected = partial(fitter.expected, reference)
    faults = find_faults(fits, template.spread, TOLERANCES[series.modality], expected)
    reliable = np.array([fault is None for fault in faults])
    certain = reliable.copy()
    # the reference pose is that of this frame, whatever else may be wrong with it
    certain[reference.frame] = True
    matrices = np.stack([each.fit.matrix for each in fits])[_nearest_true(certain)]
    # the mean of a drifting head lies a little beside that frame
    matrices = matrices @ np.linalg.inv(matrices[reference.frame])
    translations, rotations = rigid_parameters(matrices, template.centre)
    return MotionEstimate(
        matrices=matrices,
        centre=template.centre,
        translations=translations,
        rotations=np.degrees(rotations),
        framewise_displacement=framewise_displacement(translations, rotations),
        displacement=head_displacement(translations, rotations),
        residual=np.array([each.fit.residual for each in fits]),
        faults=faults,
        reliable=reliable,
        reference=reference.frame,
        averaged=reference.frames,
        threshold=options.threshold,
    )


def _searched_again(
    fitter: FrameFitter, reference: Reference, fits: list[FrameFit], execution: Execution
) -> list[FrameFit]:
    """The fits, those that went astray replaced where another start leads to a better one."""
    astray = np.array([each.cost > ASTRAY and not each.empty for each in fits])
    if not astray.any():
        return fits
    found = np.array([frame for frame, each in enumerate(fits) if each.cost <= ASTRAY])

    def known(frame: int) -> Sequence[Curve]:
        # heads stay where they jumped to: the poses of the nearest frames before and after
        before, after = found[found < frame][-1:], found[found > frame][:1]
        return [fits[index].fit.matrix for index in (*before, *after)]

    frames = [int(frame) for frame in np.flatnonzero(astray)]
    result = list(fits)
    for frame, again in zip(frames, execution.map(fitter.refitter(reference, known), frames), strict=True):
        result[frame] = min(fits[frame], again, key=lambda each: each.cost)
    return result


def _nearest_true(flags: Mask) -> IntArray:
    """For each frame, the nearest one whose flag is set (at least one is)."""
    frames = np.flatnonzero(flags)
    nearest: IntArray = frames[np.abs(np.arange(flags.size)[:, None] - frames).argmin(axis=1)]
    return nearest
