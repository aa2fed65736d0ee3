"""Convolution with an AIF on a circle, as the circulant methods see it, for any frame times.

The circle is twice as long as the frames last, so that nothing wraps around. On it a convolution is diagonal in the
Fourier basis: a sine or cosine of the response at some frequency becomes, in the tissue, one of the same frequency,
shifted in phase and multiplied by the modulus of the transformed AIF. These moduli are the singular values of Wu's
block-circulant matrix (doi:10.1002/mrm.10522). A tissue curve is a sum of such waves taken at the frame times,
whatever these are: evenly spaced, uneven, or later than those of the AIF.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import linalg

from PyPeTLib.arrays import Curve, IntArray
from PyPeTLib.deconvolution.expected import exponential_power
from PyPeTLib.deconvolution.methods import Problem
from PyPeTLib.deconvolution.response import LagGrid, LinearSolver
from PyPeTLib.deconvolution.sampling import UniformSampling, frame_weights, uniform_sampling

Spectrum = npt.NDArray[np.complex128]

NEGLIGIBLE = 1e-5
"""Share of a curve's power that uneven frames may leave unexplained: where they grow sparse, a curve that has to pass
through each of them exactly would swing on their noise."""


@dataclass(frozen=True, eq=False)
class CirculantConvolution:
    """Waves on the circle, and what convolution makes of them.

    Waves are orthonormal over the grid points of the circle: a cosine and a sine for each frequency, except the lowest
    and the highest one, which have a cosine only.

    Attributes
    ----------
    sampling : UniformSampling
        Grid of the AIF; the circle has twice its size.
    spectrum : ndarray of complex128, shape (size + 1,)
        Discrete Fourier transform of the AIF times the step, by frequency.
    times : ndarray of float64, shape (t,)
        When the tissue was sampled, in s from the first frame of the AIF.
    offset : float
        Time in s by which the tissue was sampled later than the AIF; only the tellable lags depend on it.
    grid : LagGrid
        Lags of interest.
    """

    sampling: UniformSampling
    spectrum: Spectrum
    times: Curve
    offset: float
    grid: LagGrid

    @classmethod
    def of(cls, problem: Problem, kernel: tuple[float, float, float] = (0.0, 1.0, 0.0)) -> CirculantConvolution:
        """The convolution with the problem's AIF, its samples weighted with a symmetric kernel."""
        sampling = uniform_sampling(problem.times)
        samples = np.zeros(2 * sampling.size)
        samples[: sampling.size] = sampling.interpolation @ problem.aif
        weighted = kernel[0] * np.roll(samples, -1) + kernel[1] * samples + kernel[2] * np.roll(samples, 1)
        options = problem.options
        return cls(
            sampling=sampling,
            spectrum=np.fft.rfft(weighted) * sampling.step,
            times=sampling.frame_times,
            offset=problem.offset,
            grid=LagGrid.within(
                options.earliest_lag, options.latest_lag, sampling.step, (sampling.size - 1) * sampling.step
            ),
        )

    @property
    def moduli(self) -> Curve:
        """Singular values, one for each frequency."""
        return np.asarray(np.abs(self.spectrum), np.float64)

    @property
    def durations(self) -> Curve:
        """Times in s for which the frames stand."""
        return self.sampling.step * frame_weights(self.sampling)

    @property
    def circle(self) -> float:
        """Length of the circle in s."""
        return 2 * self.sampling.size * self.sampling.step

    def waves(self, frequencies: IntArray) -> Waves:
        """The waves of some frequencies, each cosine followed by its sine."""
        top = self.sampling.size
        single = (frequencies == 0) | (frequencies == top)
        index = np.repeat(frequencies, np.where(single, 1, 2))
        is_sine = np.zeros(index.size, bool)
        is_sine[1:] = index[1:] == index[:-1]
        height = np.where((index == 0) | (index == top), 1.0, np.sqrt(2.0)) / np.sqrt(2 * top)
        angular = np.asarray(2 * np.pi / self.circle * index, np.float64)
        return Waves(angular=angular, is_sine=is_sine, height=height, frequency=index)

    def in_tissue(self, waves: Waves, times: Curve) -> Curve:
        """What convolution makes of each wave, but for the singular value, at times in s; shape (times, waves)."""
        return waves.at(times, np.angle(self.spectrum)[waves.frequency])

    def at_lags(self, waves: Waves) -> Curve:
        """Waves of the response at the lags of interest, shape (lags, waves).

        Tissue that was sampled later by an offset and taken for simultaneous has its response earlier by as much.
        """
        return waves.at(self.grid.lags - self.offset)

    def ordered(self, threshold: float) -> IntArray:
        """Frequencies whose singular value exceeds a share of the largest, strongest first."""
        moduli = self.moduli
        order = np.argsort(-moduli, kind="stable")
        return np.asarray(order[moduli[order] > threshold * moduli.max()], np.intp)

    def fitted(self, waves: Waves) -> Curve:
        """Coefficients of the response's waves from a tissue curve, shape (waves, t): Wu's truncated inverse.

        The curve is taken on the grid and, as zero-padding has it, as 0 from the last frame to the end of the circle;
        there the waves are orthonormal, so that each coefficient is a scalar product over the singular value.
        """
        return np.asarray(
            (self.in_tissue(waves, self.sampling.grid) / self.moduli[waves.frequency]).T @ self.onto_grid(), np.float64
        )

    def onto_grid(self) -> Curve:
        """Takes a tissue curve from the frame times to the grid, shape (size, t): the identity for even frames.

        Else it is the best linear estimate for tissue curves that are the AIF convolved with exponential responses in
        any phase. It passes close to all frames, and between them bends as such curves do.
        """
        if self.sampling.is_even:
            return np.eye(self.times.size)
        waves = self.waves(np.arange(self.moduli.size))
        power = exponential_power(waves.angular) * self.moduli[waves.frequency] ** 2
        measured, wanted = (self.in_tissue(waves, times) for times in (self.times, self.sampling.grid))
        covariance = (measured * power) @ measured.T
        covariance += NEGLIGIBLE * np.trace(covariance) / self.times.size * np.eye(self.times.size)
        return np.asarray(linalg.solve(covariance, (measured * power) @ wanted.T, assume_a="pos").T, np.float64)

    def truncated(self, threshold: float) -> LinearSolver:
        """The solver that keeps the frequencies whose singular value exceeds a share of the largest."""
        waves = self.waves(self.ordered(threshold))
        return self.solver(waves, self.fitted(waves))

    def measured(self, waves: Waves) -> Curve:
        """What convolution with the AIF makes of each wave at the frames of the tissue, shape (t, waves)."""
        return np.asarray(self.in_tissue(waves, self.times) * self.moduli[waves.frequency], np.float64)

    def solver(self, waves: Waves, coefficients: Curve) -> LinearSolver:
        """A solver from the matrix that takes a tissue curve to the coefficients of waves, shape (waves, t)."""
        return LinearSolver(
            operator=(self.at_lags(waves) @ coefficients).astype(np.float32),
            first_lag=self.grid.first * self.grid.step,
            step=self.grid.step,
            fit=(self.measured(waves) @ coefficients).astype(np.float32),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Waves:
    """Sines and cosines on the circle; arrays of shape (waves,).

    Attributes
    ----------
    angular : ndarray of float64
        Angular frequency in 1/s.
    is_sine : ndarray of bool
    height : ndarray of float64
        Which makes them orthonormal over the circle's grid points.
    frequency : ndarray of int
        Turns in one circle.
    """

    angular: Curve
    is_sine: npt.NDArray[np.bool_]
    height: Curve
    frequency: IntArray

    def at(self, times: Curve, phase: Curve | float = 0.0) -> Curve:
        """The waves at times in s, each ahead by a phase; shape (times, waves)."""
        turned = np.multiply.outer(times, self.angular) + phase - 0.5 * np.pi * self.is_sine
        return np.asarray(np.cos(turned) * self.height, np.float64)

    def chosen(self, which: npt.NDArray[np.bool_]) -> Waves:
        """Some of the waves."""
        return Waves(
            angular=self.angular[which],
            is_sine=self.is_sine[which],
            height=self.height[which],
            frequency=self.frequency[which],
        )
