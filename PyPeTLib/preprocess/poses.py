"""Rigid poses of all frames, found against a reference frame, and the options of motion correction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from PyPeTLib.arrays import Curve, IntArray, Mask, Volume
from PyPeTLib.errors import InputError
from PyPeTLib.execution import Execution
from PyPeTLib.options import Options, option
from PyPeTLib.preprocess.registration import (
    Fit,
    Level,
    Template,
    make_template,
    pyramid,
    pyramid_levels,
    register,
)
from PyPeTLib.preprocess.rigid import framewise_displacement, head_displacement, rigid_parameters
from PyPeTLib.series import Modality, PerfusionSeries

CT_WINDOW_HU = (-200.0, 500.0)
"""Air padding and the inside of bone carry no position; their edges against soft tissue do."""

TOLERANCES_MM = (0.003, 0.02)
"""Steps that end the search on the fine and on the coarse level."""

FEWEST_INSIDE = 0.3
"""Share of the points that must fall inside a frame for its pose to be trusted."""

LARGEST_MISFIT = 0.4
"""Largest residual of a frame that fits, relative to the spread of the reference at the points: heads in motion
measure 0.05 to 0.25, empty, mirrored or half-empty frames 0.5 and more."""

SMALLEST_MISFIT = 0.03
"""Residual, relative to the same spread, that interpolation alone causes even without noise."""


@dataclass(frozen=True, kw_only=True)
class MotionOptions(Options):
    """How motion is estimated and undone."""

    correct: bool = option(default=True, help="Correct motion; otherwise it is only estimated and reported.")
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
        5, "First frames, before the bolus; the one most like the others is the reference.", minimum=3, maximum=50
    )
    points: int = option(10_000, "Edge points compared at each level.", minimum=500, maximum=500_000)
    iterations: int = option(20, "Most Gauss-Newton steps at each level.", minimum=1, maximum=200)


@dataclass(frozen=True, kw_only=True, eq=False)
class MotionEstimate:
    """Poses of all frames relative to the reference pose, that of the frame ``reference``.

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
    reliable : ndarray of bool, shape (t,)
        Whether the frame resembles the reference once aligned. Where not, as in a damaged frame, it has been given
        the pose of the nearest frame in time that does.
    reference : int
        Frame whose pose is the reference pose.
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
    reliable: Mask
    reference: int
    threshold: float

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
    """Rigid pose of every frame relative to a reference frame from the start of the series.

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
        If the reference holds no edges to align.
    """
    job = _Job(series=series, options=options, levels=pyramid_levels(series.grid))
    first = range(min(options.reference_frames, series.n_frames))
    reference = _most_typical(execution.map(lambda frame: job.volumes(frame)[-1], first))
    templates = job.templates(reference)
    spread = float(templates[0].values.std())
    scale_limit = None
    if series.modality is Modality.DSC:
        # misfit of frames before the bolus; the reference fits itself, which says nothing
        others = [frame for frame in first if frame != reference]
        misfit = float(np.median([fit.residual for fit in execution.map(job.fitter(templates), others)]))
        scale_limit = max(misfit, SMALLEST_MISFIT * spread)
    fits = execution.map(job.fitter(templates, scale_limit), range(series.n_frames))
    reliable = np.array([fit.overlap >= FEWEST_INSIDE and fit.residual <= LARGEST_MISFIT * spread for fit in fits])
    matrices = np.stack([fit.matrix for fit in fits])
    # the reference fits itself but for rounding
    matrices[reference], reliable[reference] = np.eye(4), True
    matrices = matrices[_nearest_true(reliable)]
    centre = templates[0].centre
    translations, rotations = rigid_parameters(matrices, centre)
    return MotionEstimate(
        matrices=matrices,
        centre=centre,
        translations=translations,
        rotations=np.degrees(rotations),
        framewise_displacement=framewise_displacement(translations, rotations),
        displacement=head_displacement(translations, rotations),
        residual=np.array([fit.residual for fit in fits]),
        reliable=reliable,
        reference=reference,
        threshold=options.threshold,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Job:
    """What all registrations of one series have in common."""

    series: PerfusionSeries
    options: MotionOptions
    levels: tuple[Level, ...]

    def volumes(self, frame: int) -> list[Volume]:
        window = CT_WINDOW_HU if self.series.modality is Modality.CTP else None
        return pyramid(self.series.data[..., frame], self.levels, window)

    def templates(self, reference: int) -> list[Template]:
        templates = [
            make_template(volume, level.grid, points=self.options.points)
            for volume, level in zip(self.volumes(reference), self.levels, strict=True)
        ]
        if not np.ptp(templates[0].values) > 0:
            raise InputError(
                f"{self.series.name}: frame {reference} (counted from 0) is constant, so motion cannot be estimated. "
                "Remove the empty frames."
            )
        return templates

    def fitter(self, templates: list[Template], scale_limit: float | None = None) -> Callable[[int], Fit]:
        """Function that registers a frame, from the coarsest level to the finest."""
        stages: list[tuple[int, float | None]] = [(level, None) for level in reversed(range(len(self.levels)))]
        if scale_limit is not None:
            stages.append((0, scale_limit))

        def fit_frame(frame: int) -> Fit:
            volumes = self.volumes(frame)
            fit = Fit(np.eye(4), np.inf, 1.0)
            for level, limit in stages:
                fit = register(
                    templates[level],
                    volumes[level],
                    fit.matrix,
                    iterations=self.options.iterations,
                    tolerance=TOLERANCES_MM[level],
                    scale_limit=limit,
                )
            return fit

        return fit_frame


def _most_typical(volumes: list[Volume]) -> int:
    """The volume with the least median distance to the others: neither moved alone nor damaged."""
    distances = [[float(np.abs(one - other).mean()) for other in volumes] for one in volumes]
    return int(np.argmin(np.median(distances, axis=1)))


def _nearest_true(flags: Mask) -> IntArray:
    """For each frame, the nearest one whose flag is set (at least one is)."""
    frames = np.flatnonzero(flags)
    nearest: IntArray = frames[np.abs(np.arange(flags.size)[:, None] - frames).argmin(axis=1)]
    return nearest
