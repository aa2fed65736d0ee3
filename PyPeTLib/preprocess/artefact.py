"""What interpolation does to moved frames, foretold by a model of the series and taken back.

A moved frame is interpolated between thick slices, and where the head changes strongly from voxel to voxel the result
is wrong: beside bone by a hundred HU, beside a vessel by its contrast. It stands in the curve like perfusion, but it
can be foretold, because the series tells what the head looks like. A model, the anatomy and a few shapes of curves in
each voxel, is moved to the frame's pose and back by the same interpolation; what comes back minus what was sent is the
error. First the anatomy alone is the model. Curves without its error then tell the contrast, with which the error is
foretold again where contrast matters.

What is left, since neither the anatomy nor the poses are known exactly, depends on the pose as the error does. It is
recognised by its course in time, as far as that is none of perfusion, and in CT taken away too.

The loop is that of iterated back-projection (Irani & Peleg 1991, doi:10.1016/1049-9652(91)90045-L); that a few shapes
make up all curves is the partially separable model (Liang 2007, doi:10.1109/ISBI.2007.357020).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from PyPeTLib.arrays import Curve, IntArray, Mask, Volume
from PyPeTLib.execution import Execution, voxel_slices
from PyPeTLib.preprocess.interpolation import sample, sample_spline
from PyPeTLib.preprocess.poses import MotionEstimate
from PyPeTLib.preprocess.undoing import moved_places, voxel_transforms
from PyPeTLib.series import Modality, PerfusionSeries

STEEP_HU = 25.0
STEEP_SHARE = 0.15
"""Range of the baseline or of the contrast within two voxels and slices, above which an error is worth predicting: in
HU, or as a share of the brain's median MR signal; about what CSF and white matter differ by."""

LARGEST_HU = 8.0
LARGEST_SHARE = 0.1
"""What may be left of the error in a curve that is trusted, in HU or as a share of the brain's median MR signal."""

PASSES = 2
"""With the anatomy as model, and with its contrast."""

VESSEL_RATIO = 3.5
"""Curves higher than this times the median one, free of the anatomy's error, may be those of vessels."""

LARGEST_IN_VESSELS = 30.0 / 8.0
"""How much more of the anatomy's error may have been in a vessel's curve, which is so much higher than tissue's."""

FORETOLD_RATIO = 8.0
"""How much larger than what may be left an error may be and still count as foretold."""

SHAPES = 7
"""Shapes of curves that the model knows: tissue early and late, arteries, veins."""

PERFUSION_SHAPES = 3
"""Those of them, the strongest, that perfusion is told from what is left by."""

LEFT_SHAPES = 6
"""Courses in time of what is left."""

LEAST_OCTAVE, MOST_OCTAVE = -6, 12
"""Ratios of its expected variance to that of noise, in powers of two, that are told apart."""

LEFT_SHARE = 0.5
"""What is expected to be left of the error foretold, root mean square."""

SMOOTH_PIXELS = 1.0
"""Standard deviation of the smoothing within slices after which the anatomy is judged."""

ORDER = 2
"""Of the splines that sample the model: a third order costs three times as much and foretells better only what was
moved by such splines itself."""

REACH = 4
"""Voxels around a place that its spline looks at."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Disturbance:
    """What motion has left in each curve, largest over the frames, as a share of what is tolerated.

    Attributes
    ----------
    in_tissue : ndarray of float32, shape (voxels,)
        Beyond 1 the curve is of no use for maps.
    in_vessels : ndarray of float32, shape (voxels,)
        The same for those who look for vessels. The contrast of an artery is no mixture of what the rest of the brain
        shows, so the search for what is left would take it for an artefact: where it did, the curve is only free of
        the anatomy's error, and that is what counts here.
    """

    in_tissue: Volume
    in_vessels: Volume

    @classmethod
    def none(cls, n_voxels: int) -> Disturbance:
        """That of a series that nothing disturbed."""
        calm = np.zeros(n_voxels, np.float32)
        return cls(in_tissue=calm, in_vessels=calm)

    @classmethod
    def worst(cls, several: Sequence[Disturbance]) -> Disturbance:
        """The larger one in each voxel, of several echoes."""
        return cls(
            in_tissue=np.max([one.in_tissue for one in several], axis=0),
            in_vessels=np.max([one.in_vessels for one in several], axis=0),
        )

    @property
    def least(self) -> Volume:
        """As whatever a voxel is of most use."""
        return np.minimum(self.in_tissue, self.in_vessels)

    def of(self, voxels: Mask) -> Disturbance:
        """That of some of the voxels."""
        return Disturbance(in_tissue=self.in_tissue[voxels], in_vessels=self.in_vessels[voxels])


def without_artefact(
    signal: Volume, series: PerfusionSeries, mask: Mask, baseline: slice, estimate: MotionEstimate, execution: Execution
) -> Disturbance:
    """Take the interpolation's error from motion-corrected curves, in place, and tell how much each was disturbed.

    Parameters
    ----------
    signal : ndarray of float32, shape (voxels, t)
        Curves of the mask's voxels, interpolated linearly; HU for CT, any unit for MR.
    series : PerfusionSeries
        Corrected by the same interpolation.
    mask : ndarray of bool, shape (x, y, z)
    baseline : slice
        Frames without contrast; those of them that were not resampled are preferred.
    estimate : MotionEstimate
    execution : Execution

    Returns
    -------
    Disturbance
    """
    lattice = _Lattice.around(mask, series, _still_frames(baseline, estimate), estimate)
    anatomy = lattice.anatomy.take(lattice.voxels)[:, None]
    height = _height((signal - anatomy) * estimate.reliable)
    is_ct = series.modality is Modality.CTP
    level = float(np.median(anatomy))
    steep, largest = (STEEP_HU, LARGEST_HU) if is_ct else (STEEP_SHARE * level, LARGEST_SHARE * level)
    beside_vessels = lattice.is_steep(height, steep)
    chosen = np.flatnonzero(lattice.is_steep_anatomy(steep) | beside_vessels)
    # contrast darkens all MR anatomy, and its error with it
    again = np.flatnonzero(beside_vessels[chosen]) if is_ct else np.arange(chosen.size)
    moved = [int(frame) for frame in np.flatnonzero((estimate.displacement > 0) & estimate.reliable)]
    disturbance = np.zeros(len(signal), np.float32)
    noise = _noise(signal[:, estimate.reliable])
    first = signal[chosen]
    error = np.zeros_like(first)
    model = _Model.of(lattice)
    for number in range(PASSES):
        part = np.arange(chosen.size) if number == 0 else again
        if number > 0:
            shapes = _shapes(signal - anatomy, disturbance, estimate.reliable, execution)
            model = model.with_contrast(lattice, shapes, _scores(signal, anatomy, shapes, execution), execution)

        def predict(frame: int, part: IntArray = part, model: _Model = model) -> None:
            resampled = bool(estimate.frames_moved[frame])
            error[part, frame] = lattice.error(model, frame, chosen[part], resampled=resampled)

        execution.map(predict, moved)
        signal[chosen] = first - error
        disturbance[chosen] = np.abs(error).max(axis=1) / np.float32(largest)
        if number == 0:
            height = _height((signal - anatomy) * estimate.reliable)
            vessels = np.flatnonzero((height > VESSEL_RATIO * np.median(height))[chosen])
            without_anatomy = signal[chosen[vessels]]
            in_vessels = disturbance[chosen[vessels]] / np.float32(LARGEST_IN_VESSELS)
        shapes = _shapes(signal - anatomy, disturbance, estimate.reliable, execution)
        left = np.zeros_like(error)
        if is_ct:
            # in MR, where contrast itself makes the error, it would take the bolus for what is left
            left = _leftovers(signal[chosen] - anatomy[chosen], error, shapes[:, -PERFUSION_SHAPES:], noise, execution)
        signal[chosen] -= left
        extent = np.maximum(np.abs(left).max(axis=1), np.abs(error).max(axis=1) / np.float32(FORETOLD_RATIO))
        disturbance[chosen] = extent / np.float32(largest)
    as_vessel = disturbance.copy()
    spoilt = disturbance[chosen[vessels]] > 1
    back = chosen[vessels[spoilt]]
    signal[back], as_vessel[back] = without_anatomy[spoilt], in_vessels[spoilt]
    return Disturbance(in_tissue=disturbance, in_vessels=as_vessel)


def _still_frames(baseline: slice, estimate: MotionEstimate) -> list[int]:
    """Frames that show the anatomy: without contrast, whole, and not resampled if there are such."""
    frames = np.arange(len(estimate.matrices))[baseline]
    usable = frames[estimate.reliable[frames]]
    still = usable[~estimate.frames_moved[usable]]
    best = still if still.size >= 2 else usable
    return [int(frame) for frame in (best if best.size else frames)]


def _noise(signal: Volume) -> float:
    """Standard deviation of the noise of resampled frames, from the steps of typical curves."""
    steps = np.abs(np.diff(signal[:: max(1, len(signal) // 20_000)], axis=1))
    return max(float(np.median(steps)) / (0.6745 * 2**0.5), 1e-3)


def _height(contrast: Volume) -> Volume:
    """Peak of the mean curve, as large as each curve holds it: a measure that noise hardly moves."""
    mean = contrast.mean(axis=0)
    height: Volume = contrast @ (mean * (np.abs(mean).max() / max(float(mean @ mean), 1e-6)))
    return height


def _shapes(contrast: Volume, disturbance: Volume, reliable: Mask, execution: Execution) -> Curve:
    """Leading principal components of the curves, shape (t, SHAPES), the strongest last.

    Disturbed curves count less, and frames that cannot be used not at all.
    """
    weight = 1 / (1 + disturbance**2)

    def products(piece: slice) -> Curve:
        part = contrast[piece] * weight[piece, None] * reliable
        return np.asarray(part.T @ part, np.float64)

    found = execution.map(products, voxel_slices(len(contrast)))
    leading: Curve = np.linalg.eigh(np.sum(found, axis=0))[1][:, -SHAPES:]
    return leading


def _scores(signal: Volume, anatomy: Volume, shapes: Curve, execution: Execution) -> Volume:
    """How much of each shape the curves hold beside the anatomy, shape (SHAPES, voxels)."""
    onto = np.ascontiguousarray(shapes.T, np.float32)
    pieces = voxel_slices(len(signal))
    return np.concatenate(execution.map(lambda piece: onto @ (signal[piece] - anatomy[piece]).T, pieces), axis=1)


def _leftovers(contrast: Volume, error: Volume, shapes: Curve, noise: float, execution: Execution) -> Volume:
    """Most likely remainder of the error in curves of any perfusion, shape of the curves.

    It is a mixture of the error's own courses in time, of variance in proportion to the error's; what of it could as
    well be perfusion follows from the rest. One small matrix serves all voxels of nearly the same error.
    """
    pieces = voxel_slices(len(error))
    products = execution.map(lambda piece: np.asarray(error[piece].T @ error[piece], np.float64), pieces)
    kinds = np.linalg.eigh(np.sum(products, axis=0))[1][:, -LEFT_SHAPES:]
    seen = kinds - shapes @ (shapes.T @ kinds)
    gains = {
        octave: (kinds @ np.linalg.solve(seen.T @ seen + 2.0**-octave * np.eye(LEFT_SHAPES), seen.T)).T
        for octave in range(LEAST_OCTAVE, MOST_OCTAVE + 1)
    }
    left = np.zeros_like(contrast)

    def estimate(piece: slice) -> None:
        energy = np.square(LEFT_SHARE * error[piece]).sum(axis=1) / LEFT_SHAPES
        octaves = np.clip(np.rint(np.log2(np.maximum(energy / noise**2, 1e-6))), LEAST_OCTAVE, MOST_OCTAVE)
        for octave in np.unique(octaves):
            alike = np.flatnonzero(octaves == octave) + piece.start
            left[alike] = contrast[alike] @ gains[int(octave)].astype(np.float32)

    execution.map(estimate, pieces)
    return left


@dataclass(frozen=True, kw_only=True, eq=False)
class _Lattice:
    """The brain's box, whose volumes are (z, y, x), and where its voxels lie in each frame.

    Attributes
    ----------
    anatomy : ndarray of float32, shape (z, y, x)
    voxels : ndarray of int
        Positions of the mask's voxels in the box, in the order of boolean indexing.
    transforms : ndarray, shape (t, 4, 4)
        From indices x, y, z of the box in the reference pose to those in each frame.
    """

    anatomy: Volume
    voxels: IntArray
    transforms: Curve

    @classmethod
    def around(cls, mask: Mask, series: PerfusionSeries, still: list[int], estimate: MotionEstimate) -> _Lattice:
        transforms = voxel_transforms(series, estimate)
        index = np.argwhere(mask)
        corners = np.array(list(itertools.product(*zip(index.min(axis=0), index.max(axis=0), strict=True))))
        ways = (*transforms, *np.linalg.inv(transforms))
        reached = np.concatenate([np.column_stack(moved_places(way, corners)) for way in ways])
        low = np.clip(np.floor(reached.min(axis=0)).astype(int) - REACH, 0, np.array(mask.shape) - 1)
        high = np.clip(np.ceil(reached.max(axis=0)).astype(int) + REACH + 1, low + 1, mask.shape)
        to_box, from_box = np.eye(4), np.eye(4)
        from_box[:3, 3], to_box[:3, 3] = low, -low
        box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        anatomy = np.mean([series.frame(frame)[box] for frame in still], axis=0)
        shape = tuple(int(n) for n in (high - low)[::-1])
        return cls(
            anatomy=np.ascontiguousarray(anatomy.T, np.float32),
            voxels=np.ravel_multi_index(tuple((index - low).T[::-1]), shape),
            transforms=to_box @ transforms @ from_box,
        )

    def is_steep_anatomy(self, steep: float) -> Mask:
        """Which of the mask's voxels have neighbours with quite another anatomy, beyond its noise."""
        smooth = ndimage.gaussian_filter(self.anatomy, (0, SMOOTH_PIXELS, SMOOTH_PIXELS))
        return self._is_steep(smooth, steep)

    def is_steep(self, values: Volume, steep: float) -> Mask:
        """Which of the mask's voxels have neighbours with quite other values; beyond the mask they are 0."""
        volume = np.zeros_like(self.anatomy)
        volume.ravel()[self.voxels] = values
        return self._is_steep(volume, steep)

    def _is_steep(self, volume: Volume, steep: float) -> Mask:
        spread = ndimage.maximum_filter(volume, (3, 5, 5)) - ndimage.minimum_filter(volume, (3, 5, 5))
        found: Mask = spread.take(self.voxels) > steep
        return found

    def error(self, model: _Model, frame: int, chosen: IntArray, *, resampled: bool) -> Volume:
        """What a frame shows too much at the chosen voxels after the correction, which may leave it as it is."""
        coefficients = model.coefficients(frame)
        back = np.linalg.inv(self.transforms[frame])
        there = self._places(self.voxels[chosen])
        sent = model.values(frame, chosen)
        if not resampled:
            return _shown(coefficients, back, there) - sent
        x, y, z = moved_places(self.transforms[frame], there)
        nodes = self._nodes(x, y, z)
        shown = np.empty(self.anatomy.shape, np.float32)
        shown.ravel()[nodes] = _shown(coefficients, back, self._places(nodes))
        returned = np.concatenate([sample(shown, x[part], y[part], z[part]) for part in voxel_slices(len(x))])
        return returned - sent

    def _nodes(self, x: Volume, y: Volume, z: Volume) -> IntArray:
        """Positions of the voxels of a frame between which these places lie."""
        shape = self.anatomy.shape
        below = (np.clip(p.astype(np.intp), 0, max(n - 2, 0)) for p, n in zip((z, y, x), shape, strict=True))
        needed = np.zeros(shape, bool)
        needed[tuple(below)] = True
        # the voxel below stands for itself and its neighbour above, along each axis
        return np.flatnonzero(ndimage.maximum_filter(needed, 2, mode="constant"))

    def _places(self, voxels: IntArray) -> Volume:
        return np.stack(np.unravel_index(voxels, self.anatomy.shape)[::-1], axis=1).astype(np.float32)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Model:
    """The anatomy and the contrast, a mixture of shapes in each voxel, with the splines that sample them.

    Attributes
    ----------
    anatomy : ndarray of float32, shape (voxels,)
    scores : ndarray of float32, shape (n, voxels)
    shapes : ndarray, shape (t, n)
    splines : ndarray of float32, shape (1 + n, z, y, x)
        Coefficients of the anatomy and of each shape's share in the padded box.
    """

    anatomy: Volume
    scores: Volume
    shapes: Curve
    splines: Volume

    @classmethod
    def of(cls, lattice: _Lattice) -> _Model:
        """The anatomy alone."""
        anatomy = lattice.anatomy.take(lattice.voxels)
        none = np.zeros((0, anatomy.size), np.float32)
        return cls(
            anatomy=anatomy,
            scores=none,
            shapes=np.zeros((len(lattice.transforms), 0)),
            splines=_spline(lattice.anatomy)[None],
        )

    def with_contrast(self, lattice: _Lattice, shapes: Curve, scores: Volume, execution: Execution) -> _Model:
        """The same anatomy with contrast in the mask's voxels."""

        def spread(share: Volume) -> Volume:
            volume = np.zeros_like(lattice.anatomy)
            volume.ravel()[lattice.voxels] = share
            return _spline(volume)

        return replace(
            self, scores=scores, shapes=shapes, splines=np.stack([*self.splines, *execution.map(spread, scores)])
        )

    def coefficients(self, frame: int) -> Volume:
        """Of the spline of one frame, shape (z, y, x)."""
        volume: Volume = self.splines[0]
        if len(self.scores):
            volume = volume.copy()
            for share, spline in zip(self.shapes[frame], self.splines[1:], strict=True):
                volume += np.float32(share) * spline
        return volume

    def values(self, frame: int, chosen: IntArray) -> Volume:
        """What the frame holds at the chosen voxels in the reference pose."""
        values: Volume = self.anatomy[chosen]
        for share, scores in zip(self.shapes[frame], self.scores, strict=True):
            values = values + np.float32(share) * scores[chosen]
        return values


def _spline(volume: Volume) -> Volume:
    # beyond the last slices nothing is known: they go on
    padded = np.pad(volume, ((REACH, REACH), (0, 0), (0, 0)), mode="edge")
    coefficients: Volume = ndimage.spline_filter(padded, ORDER, output=np.float32, mode="mirror")
    return coefficients


def _shown(coefficients: Volume, transform: Curve, voxels: Volume) -> Volume:
    """What a frame shows in its voxels, given the padded volume's spline and the way back to the reference pose."""
    x, y, z = moved_places(transform, voxels)
    return sample_spline(coefficients, x, y, z + np.float32(REACH), order=ORDER)
