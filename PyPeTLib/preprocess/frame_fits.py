"""The reference of a series, the mean of its first frames, and the registration of single frames to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from PyPeTLib.arrays import Curve, Volume
from PyPeTLib.errors import InputError
from PyPeTLib.execution import Execution
from PyPeTLib.preprocess.frame_faults import LARGEST_MISFIT, FrameFit, TissuePoints, tissue_points
from PyPeTLib.preprocess.interpolation import resample
from PyPeTLib.preprocess.pyramid import Level, pyramid, pyramid_levels
from PyPeTLib.preprocess.registration import Fit, Template, make_template, register
from PyPeTLib.preprocess.rigid import head_displacement, rigid_parameters
from PyPeTLib.preprocess.starts import better_start
from PyPeTLib.series import Modality, PerfusionSeries

CT_WINDOW_HU = (-200.0, 1500.0)
"""Air, its padding and the foam of a head rest carry no position of the head; the skull does, untouched by contrast.
Clipping within the range of bone would bend the partial volume of thick slices, which doubles the errors."""

CT_TISSUE_HU = (0.0, 80.0)
"""Brain, with room for noise."""

TOLERANCES_MM = (0.003, 0.02)
"""Steps that end the search on the fine and on the coarse level."""

AGREEMENT_MM = 0.05
"""First frames nearer than this to the most typical one are averaged as they are."""

SMALLEST_MISFIT = 0.03
"""Residual, relative to the spread of the reference, that interpolation alone causes even without noise."""

ASTRAY = 0.3
"""Misfit beyond which a frame is searched for from other starts. Heads 20 mm and 15 degrees away measure up to 0.25
where they are found, slabs of four slices included, 0.4 and more where they are missed."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Reference:
    """What frames are compared with.

    Attributes
    ----------
    volume : ndarray of float32, shape (z, y, x)
        The mean on the finest level.
    templates : list of Template
        From the finest level to the coarsest.
    tissue : TissuePoints or None
        Places for noise, on the coarsest level; None for MR, where noise shows in local contrast already.
    scale_limit : float or None
        Residual of frames before the bolus (MR): points that differ by more are changed by contrast.
    frame : int
        Frame whose pose is the reference pose.
    frames : tuple of int
        Frames whose mean the reference is.
    """

    volume: Volume
    templates: list[Template]
    tissue: TissuePoints | None
    scale_limit: float | None = None
    frame: int
    frames: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Picture:
    """A frame's pyramid, each level of shape (z, y, x), and its mean signal."""

    volumes: list[Volume]
    brightness: float


@dataclass(frozen=True, kw_only=True, eq=False)
class FrameFitter:
    """What all registrations of one series have in common."""

    series: PerfusionSeries
    levels: tuple[Level, ...]
    points: int
    iterations: int

    @classmethod
    def of(cls, series: PerfusionSeries, points: int, iterations: int) -> FrameFitter:
        """For a series, with this many points a level and steps at most."""
        return cls(series=series, levels=pyramid_levels(series.grid), points=points, iterations=iterations)

    def picture(self, frame: int) -> Picture:
        """What is compared of a frame."""
        voxels = self.series.frame(frame)
        volumes = pyramid(voxels, self.levels, CT_WINDOW_HU if self._is_ct else None)
        # every fourth voxel in both directions tells the mean as well as all do
        return Picture(volumes, float(voxels[::4, ::4].mean()))

    @property
    def _is_ct(self) -> bool:
        return self.series.modality is Modality.CTP

    def reference(self, n_first: int, execution: Execution) -> Reference:
        """The mean of those of the first frames that agree with each other, in the pose of the most typical one.

        Raises
        ------
        InputError
            If all of them are constant.
        """
        pictures = execution.map(self.picture, range(min(n_first, self.series.n_frames)))
        pyramids = [picture.volumes for picture in pictures]
        full = [frame for frame, volumes in enumerate(pyramids) if np.ptp(volumes[-1]) > 0]
        if not full:
            raise InputError(
                f"{self.series.name}: the first {len(pyramids)} frames are constant, so motion cannot be estimated. "
                "Remove the empty frames."
            )
        typical = full[_most_typical([pyramids[frame][-1] for frame in full])]
        alone = self._reference(pyramids[typical], typical, [typical])
        others = [frame for frame in full if frame != typical]
        fits = execution.map(lambda frame: self._fit(alone, pyramids[frame], np.eye(4)), others)
        found = {frame: fit for frame, fit in zip(others, fits, strict=True) if fits_at_all(fit, alone.templates[0])}
        if not found:
            return alone
        aligned = [pyramids[typical], *(self._aligned(pyramids[frame], fit, alone) for frame, fit in found.items())]
        mean: list[Volume] = [np.stack(level).mean(axis=0, dtype=np.float32) for level in zip(*aligned, strict=True)]
        reference = self._reference(mean, typical, sorted([typical, *found]))
        if self._is_ct:
            return reference
        # what two single frames differ by, less what the mean has lost of its noise
        residual = float(np.median([fit.residual for fit in found.values()])) * np.sqrt((1 + 1 / len(aligned)) / 2)
        return replace(reference, scale_limit=max(residual, SMALLEST_MISFIT * reference.templates[0].spread))

    def fitter(self, reference: Reference) -> Callable[[int], FrameFit]:
        """Function that registers a frame, from the coarsest level to the finest."""

        def fit_frame(frame: int) -> FrameFit:
            return self._judged(reference, self.picture(frame), np.eye(4))

        return fit_frame

    def refitter(self, reference: Reference, known: Callable[[int], Sequence[Curve]]) -> Callable[[int], FrameFit]:
        """Function that registers a frame that went astray, from the best of many starts, ``known`` ones among them."""

        def refit_frame(frame: int) -> FrameFit:
            picture = self.picture(frame)
            coarse = reference.templates[-1]
            start = better_start(coarse, picture.volumes[-1], known(frame), iterations=self.iterations)
            return self._judged(reference, picture, start)

        return refit_frame

    def expected(self, reference: Reference, matrix: Curve) -> Fit:
        """How an intact frame in a pose would fit: the reference itself, interpolated there and back."""
        affine = self.levels[0].grid.affine
        frame = np.empty_like(reference.volume)
        resample(reference.volume, np.linalg.inv(affine) @ np.linalg.inv(matrix) @ affine, frame)
        return register(reference.templates[0], frame, matrix, iterations=0, tolerance=0)

    def _reference(self, volumes: list[Volume], frame: int, frames: Sequence[int]) -> Reference:
        pairs = list(zip(volumes, self.levels, strict=True))
        return Reference(
            volume=volumes[0],
            templates=[make_template(volume, level.grid, points=self.points) for volume, level in pairs],
            tissue=tissue_points(volumes[-1], self.levels[-1].grid, CT_TISSUE_HU) if self._is_ct else None,
            frame=frame,
            frames=tuple(frames),
        )

    def _fit(self, reference: Reference, volumes: list[Volume], start: Curve) -> Fit:
        stages: list[tuple[int, float | None]] = [(level, None) for level in reversed(range(len(self.levels)))]
        if reference.scale_limit is not None:
            stages.append((0, reference.scale_limit))
        matrix = start
        for level, limit in stages:
            fit = register(
                reference.templates[level],
                volumes[level],
                matrix,
                iterations=self.iterations,
                tolerance=TOLERANCES_MM[level],
                scale_limit=limit,
            )
            matrix = fit.matrix
        return fit

    def _judged(self, reference: Reference, picture: Picture, start: Curve) -> FrameFit:
        volumes = picture.volumes
        fit = self._fit(reference, volumes, start)
        noise = 0.0 if reference.tissue is None else reference.tissue.noise(volumes[-1], fit.matrix)
        return FrameFit(fit=fit, noise=noise, brightness=picture.brightness, empty=not np.ptp(volumes[-1]) > 0)

    def _aligned(self, volumes: list[Volume], fit: Fit, reference: Reference) -> list[Volume]:
        """A frame's pyramid in the pose of the reference; as it is where it hardly differs, because that is sharper."""
        translations, rotations = rigid_parameters(fit.matrix[np.newaxis], reference.templates[0].centre)
        if head_displacement(translations, rotations)[0] < AGREEMENT_MM:
            return volumes
        moved = [np.empty_like(volume) for volume in volumes]
        for volume, target, level in zip(volumes, moved, self.levels, strict=True):
            affine = level.grid.affine
            resample(volume, np.linalg.inv(affine) @ fit.matrix @ affine, target)
        return moved


def fits_at_all(fit: Fit, template: Template) -> bool:
    """Whether a frame shows what the template shows."""
    return fit.overlap >= 0.5 and fit.residual <= LARGEST_MISFIT * template.spread


def _most_typical(volumes: list[Volume]) -> int:
    """The volume with the least median distance to the others: neither moved alone nor damaged."""
    distances = [[float(np.abs(one - other).mean()) for other in volumes] for one in volumes]
    return int(np.argmin(np.median(distances, axis=1)))
