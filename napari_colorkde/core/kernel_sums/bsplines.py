"""B-splines that carry scattered points to a regular mesh, and the kernel that undoes their blur.

A B-spline of order m spreads a point over the m nearest nodes, with positive weights that are
polynomials of its place between two of them. Spreading blurs by the spline, so what is summed over
the nodes is the Gaussian divided by the splines' Fourier transform (`deconvolved`):

    ``exp(−|y − z|²/2) ≈ Σ_i Σ_j B(y/h − i) κ(ih − jh) B(z/h − j)``,   ``κ̂ = Ĝ / B̂²``

By Poisson's summation formula the error of one spline is ``2 E|ω h / 2π|^m`` of the peak, ω normal.
A single kernel at distance D is off by ``2 (D h / 2π)^m`` *of its value there* (the saddle point
ω = iD), and κ is positive: so sums keep their relative accuracy in the tails. Of all positive
weights with m nodes these have the highest order.

Unser, Splines: a perfect fit for signal and image processing, IEEE Signal Processing Magazine 16
(1999).
"""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.interpolate import BSpline, CubicSpline

Array = NDArray[np.float64]

FARTHEST = 12.0
"""Distance beyond which κ is zero: exp(−12²/2) = 5e-32."""

UNDERFLOW = 40.0
"""Distance from which on exp(−40²/2) and κ are zero in float64."""

WAVES = 8
"""Waves of a spline's error that are added up; the rest are less than 1e-3 of them."""

DEGREE = 8
"""Of the polynomial in the squared distance that is the logarithm of κ, good to 1e-8."""


@dataclass(frozen=True)
class Scheme:
    """How points meet a mesh, in standard deviations of the kernel.

    Attributes
    ----------
    order
        Order of the B-splines: nodes a point has along each axis.
    step
        Spacing of the nodes.
    reach
        Distance beyond which no kernel needs to be evaluated.
    """

    order: int
    step: float
    reach: float

    def weights(self, group: int) -> Array:
        """Return the weights' polynomials for points in groups of cells, (group · m, nodes).

        With ``t`` a point's place in its cell, from −½ to ½, and ``o`` which of the group's cells
        that is, row ``o m + k`` holds what ``t^k`` adds to the weight of each of the group's
        ``group + m − 1`` nodes.
        """
        m = self.order
        table = np.zeros((group, m, group + m - 1))
        for o in range(group):
            table[o, :, o : o + m] = self._pieces
        return table.reshape(group * m, -1)

    @cached_property
    def _pieces(self) -> Array:
        """Coefficients (m, m) of the spline's pieces: power by node."""
        m = self.order
        spline = BSpline.basis_element(np.arange(m + 1), extrapolate=False)
        places = (np.arange(m) + 0.5) / m
        values = np.stack([spline(places + (m - 1 - j)) for j in range(m)], axis=1)
        return np.asarray(np.linalg.solve(np.vander(places - 0.5, m, increasing=True), values))

    def deconvolved(self, distance: Array, splines: int) -> Array:
        """Return κ at these distances: the Gaussian with as many splines undone."""
        squares = np.square(np.minimum(np.abs(distance), FARTHEST))
        kernel = np.exp(np.polynomial.polynomial.polyval(squares, _exponent(self, splines)))
        return np.where(squares < FARTHEST**2, kernel, 0.0)

    def deconvolved_far(self, distance: Array, splines: int) -> Array:
        """Return κ at any distance, also where `deconvolved` ends: until float64 underflows."""
        within = np.minimum(np.abs(distance), UNDERFLOW)
        return np.asarray(np.exp(_logs_undone(self, splines)(within) - 0.5 * np.square(within)))

    def log_errors(self, squares: Array) -> Array:
        """Return what the log of a sum read off one mesh may be off by, from squared distances.

        Those of the farthest terms that matter. A kernel at distance D is, along one axis,
        multiplied by one plus waves of amplitude ``(z² / (z² + (2π k)²))^(m/2)``, ``z = D h``, k
        from 1 on: Poisson's summation formula, at the saddle point. Along three axes together logs
        differ by no more than along one. Near the kernel's center 1e-6 may be added.
        """
        z = squares[..., np.newaxis] * self.step**2
        waves = (z / (z + np.square(2 * np.pi * np.arange(1, WAVES + 1)))) ** (self.order / 2)
        total = np.minimum(2 * waves.sum(axis=-1), 1.0)
        with np.errstate(divide="ignore"):
            return np.asarray(-np.log1p(-total))

    def deconvolved_in_place(self, distance: torch.Tensor, splines: int) -> torch.Tensor:
        """The same in float32, overwriting the distances."""
        first, *rest = reversed((_exponent(self, splines) / np.log(2)).tolist())
        squares = distance.square_().clamp_(max=FARTHEST**2)
        exponent = torch.full_like(squares, first)
        for coefficient in rest:
            exponent.mul_(squares).add_(coefficient)
        return exponent.exp2_()

    def cell_averages(self, distance: Array, width: float) -> Array:
        """Return the averages of κ (one spline undone) over cells this far away and this wide."""
        if width < 1e-3:  # averages differ by less than 1e-7, and the difference would cancel
            return self.deconvolved(distance, 1)
        ends = np.clip(distance[..., np.newaxis] + [-width / 2, width / 2], -FARTHEST, FARTHEST)
        lower, upper = np.moveaxis(self._integral(ends), -1, 0)
        return np.asarray((upper - lower) / width)

    @cached_property
    def _integral(self) -> CubicSpline:
        """The integral of κ with one spline undone, to 1e-8."""
        places = np.linspace(-FARTHEST, FARTHEST, 2001)
        return CubicSpline(places, self.deconvolved(places, 1)).antiderivative()

    def undone(self, distance: Array, splines: int) -> Array:
        """Return what the Gaussian is multiplied by at distances (n,) to undo splines.

        ``κ(x) = exp(−x²/2) E[B̂(u + ix)^−p]``, u normal: the Fourier integral along a line where
        nothing cancels, by Gauss–Hermite quadrature.
        """
        normal, weights = np.polynomial.hermite_e.hermegauss(48)
        z = (normal + 1j * distance[:, np.newaxis]) * self.step / 2
        ratio = (np.sin(z) / z) ** (-self.order * splines) @ (weights / weights.sum())
        return np.asarray(ratio.real)


@cache
def _exponent(scheme: Scheme, splines: int) -> Array:
    """Polynomial in the squared distance of the logarithm of κ, lowest power first."""
    places = FARTHEST * np.sin(np.linspace(0, np.pi / 2, 60))
    ratio = scheme.undone(places, splines)
    # Near zero, where the kernel is large, it is fitted most closely.
    closeness = np.exp(-np.square(places) / 8) + 1e-3
    fit = np.polynomial.Polynomial.fit(
        np.square(places), np.log(ratio), DEGREE, w=closeness, domain=[0, FARTHEST**2]
    )
    exponent = fit.convert().coef
    exponent[1] -= 0.5
    exponent.flags.writeable = False
    return np.asarray(exponent)


@cache
def _logs_undone(scheme: Scheme, splines: int) -> CubicSpline:
    """The logarithm of what the Gaussian is multiplied by to undo splines, of the distance."""
    places = np.linspace(0, UNDERFLOW, 2001)
    return CubicSpline(places, np.log(scheme.undone(places, splines)))


TO_PEAK = Scheme(order=6, step=0.3, reach=5.6)
"""For densities, 3e-6 of the peak. Beyond 5.6 sigma a peak's worth of colors all around adds 5e-6
of it."""

TO_PEAK_BY_FEW = Scheme(order=8, step=0.4, reach=5.6)
"""As accurate, of half the nodes, each of which is met by more points: for bricks of few points."""

TO_ITSELF = Scheme(order=8, step=0.27, reach=7.7)
"""For their logarithms: 2e-5 of a kernel's value 5 sigma away, 1e-4 at 6.3 sigma."""
