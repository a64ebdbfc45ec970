"""How one axis of colors meets evenly spaced nodes: a kernel itself, or a B-spline and a transform.

A narrow kernel is written to the grid points within its reach. A wide one would meet hundreds, so
its points are spread over a mesh of a fraction of sigma with B-splines, and a matrix carries the
mesh to the grid: the Gaussian with one spline undone (`core.kernel_sums.bsplines`). Both are smooth
functions of a color, so that derivatives of any order are those of what was computed.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import roots_hermitenorm

from napari_colorkde.core.kernel_sums.bsplines import FARTHEST, Scheme

Array = NDArray[np.float64]

EDGE = 8
"""Cells along each axis of a brick, whose colors are multiplied together."""


@dataclass(frozen=True)
class Precision:
    """What a dtype is worth.

    Attributes
    ----------
    reach
        Standard deviations beyond which a kernel is not evaluated.
    scheme
        B-splines for kernels wider than the grid's steps.
    """

    reach: float
    scheme: Scheme


SINGLE = Precision(6.0, Scheme(order=8, step=0.45, reach=6.0))
"""To 3e-6 of the peak."""

DOUBLE = Precision(8.5, Scheme(order=12, step=0.3, reach=8.5))
"""To 1e-10 of the peak."""


ROUNDING = 1e-4
"""Of a cell: within so much of the next cell, extremes may be found there, in float32 above all."""


def precision_of(dtype: torch.dtype) -> Precision:
    """Return how far kernels are followed, and with which splines, for this dtype."""
    return DOUBLE if dtype == torch.float64 else SINGLE


@dataclass(frozen=True)
class Window(ABC):
    """The nodes of one axis, and how much of a color each of them gets.

    Attributes
    ----------
    start, step
        Lower end of the first cell, and the length of a cell; a cell reaches from one node to the
        next. In image units.
    cells
        How many cells hold colors.
    taps
        Nodes that a color meets. A color in cell c meets nodes c to c + taps − 1.
    """

    start: float
    step: float
    cells: int
    taps: int

    @property
    def bricks(self) -> int:
        """How many bricks of `EDGE` cells there are."""
        return -(-self.cells // EDGE)

    @property
    def width(self) -> int:
        """Nodes that the colors of a brick meet."""
        return EDGE + self.taps - 1

    @property
    def nodes(self) -> int:
        """How many nodes there are in memory, those of a last brick that is not full included."""
        return self.bricks * EDGE + self.taps - 1

    def cell_of(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the cells that colors lie in, int64, and how far along in them, from 0 to 1."""
        # In float32 the 300th cell is good to 1e-5 of a cell only. Apple's GPU has nothing better.
        exact = x if x.device.type == "mps" else x.double()
        places = (exact - self.start) / self.step
        cell = places.floor()
        return cell.long(), (places - cell).to(x.dtype)

    @abstractmethod
    def weights(
        self, offset: torch.Tensor, along: torch.Tensor, derivative: int = 0
    ) -> torch.Tensor:
        """Return how much of each color the nodes of its brick get, or a derivative of that.

        Parameters
        ----------
        offset, along
            Each color's cell in its brick, 0 to `EDGE` − 1, and its place there, 0 to 1.
        derivative
            How many times to differentiate with respect to the color, in image units.

        Returns
        -------
        torch.Tensor
            Shape of `offset` and `width` nodes.
        """

    @abstractmethod
    def to_grid(self, dtype: torch.dtype, device: torch.device) -> "torch.Tensor | slice":
        """Return what carries nodes to grid points: a matrix (bins, nodes), or their place."""


@dataclass(frozen=True)
class KernelWindow(Window):
    """Nodes are grid points, and get the kernel's values.

    Attributes
    ----------
    sigma
        Standard deviation of the kernel.
    first, bins
        The node that is the first grid point, and how many there are.
    """

    sigma: float
    first: int
    bins: int

    @classmethod
    def over(
        cls, axis: Array, sigma: float, low: float, high: float, reach: float
    ) -> "KernelWindow":
        """Return the window of a grid's axis for colors from `low` to `high` that reach it."""
        step = float(axis[1] - axis[0])
        each_side = int(np.ceil(reach * sigma / step))
        low, high = max(low, axis[0] - reach * sigma), min(high, axis[-1] + reach * sigma)
        # Cells are counted from the grid's first point, so that nodes fall on grid points.
        first_cell = int(np.floor((low - axis[0]) / step - ROUNDING))
        cells = max(int(np.floor((high - axis[0]) / step + ROUNDING)) - first_cell + 1, 1)
        return cls(
            start=float(axis[0]) + first_cell * step,
            step=step,
            cells=cells,
            taps=2 * each_side,
            sigma=sigma,
            first=each_side - 1 - first_cell,
            bins=len(axis),
        )

    def weights(
        self, offset: torch.Tensor, along: torch.Tensor, derivative: int = 0
    ) -> torch.Tensor:
        """Return the kernel's values, by Hermite's polynomials its derivatives."""
        nodes = torch.arange(self.width, dtype=along.dtype, device=along.device)
        before = self.taps // 2 - 1
        distance = (offset.to(along.dtype) + (along + before))[..., None] - nodes
        distance = distance * (self.step / self.sigma)
        values = (distance.square() * (-0.5 / math.log(2))).exp2_()
        if derivative == 0:
            return values
        previous, hermite = torch.ones_like(distance), distance
        for n in range(1, derivative):
            previous, hermite = hermite, distance * hermite - n * previous
        factor: float = (-1 / self.sigma) ** derivative
        return values * hermite * factor

    def to_grid(self, dtype: torch.dtype, device: torch.device) -> slice:
        """Return which nodes are grid points; negative where there are none yet."""
        return slice(self.first, self.first + self.bins)


@dataclass(frozen=True)
class SplineWindow(Window):
    """Nodes are those of a mesh, and get B-splines.

    Attributes
    ----------
    sigma
        Standard deviation of the kernel.
    axis
        The grid's points.
    scheme
        Order and step, of sigma, of the splines.
    """

    sigma: float
    axis: Array
    scheme: Scheme

    @classmethod
    def over(
        cls, axis: Array, sigma: float, low: float, high: float, precision: Precision
    ) -> "SplineWindow":
        """Return the window of a mesh for colors from `low` to `high` that reach a grid's axis."""
        scheme = precision.scheme
        step = scheme.step * sigma
        low = max(low, axis[0] - precision.reach * sigma)
        high = min(high, axis[-1] + precision.reach * sigma)
        cells = max(int(np.floor((high - low) / step + ROUNDING)) + 1, 1)
        return cls(low, step, cells, scheme.order, sigma, axis, scheme)

    def weights(
        self, offset: torch.Tensor, along: torch.Tensor, derivative: int = 0
    ) -> torch.Tensor:
        """Return the splines' values or derivatives at the nodes."""
        shape, order = offset.shape, self.taps
        along, offset = along.reshape(-1), offset.reshape(-1, 1)
        weights = along.new_zeros(len(along), self.width)
        if derivative < order:
            table = self.scheme.weights(1)  # powers of the place from −½ to ½ by node
            for _ in range(derivative):
                table = table[1:] * np.arange(1, len(table))[:, None]
            place, power = along - 0.5, torch.ones_like(along)
            powers = [power]
            for _ in range(len(table) - 1):
                power = power * place
                powers.append(power)
            met = torch.stack(powers, dim=1) @ _tensor(table / self.step**derivative, along)
            weights.scatter_(1, offset + torch.arange(order, device=offset.device), met)
        return weights.view(*shape, self.width)

    def to_grid(self, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
        """Return the Gaussian with one spline undone, from nodes to grid points (bins, nodes)."""
        # A spline of order m is centered m/2 cells after its first node's cell.
        nodes = self.start + self.step * (np.arange(self.nodes) - (self.taps / 2 - 1))
        distance = (self.axis[:, np.newaxis] - nodes) / self.sigma
        matrix = spline_undone(distance, self.scheme.order, self.scheme.step)
        matrix = np.where(matrix < torch.finfo(dtype).tiny, 0.0, matrix)
        return torch.from_numpy(matrix).to(dtype).to(device)


def _tensor(array: NDArray[Any], like: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array)).to(like.dtype).to(like.device)


def spline_undone(distance: Array, order: int, step: float) -> Array:
    """Return ``exp(−distance²/2)`` with the blur of one B-spline undone, to 1e-12 of itself."""
    squares = np.square(np.minimum(np.abs(distance), FARTHEST))
    values = np.exp(_log_ratio(order, step)(squares) - 0.5 * squares)
    return np.where(squares < FARTHEST**2, values, 0.0)


@lru_cache(maxsize=8)
def _log_ratio(order: int, step: float) -> np.polynomial.Chebyshev:
    """Return the logarithm of what undoing a spline multiplies by, of the squared distance.

    ``E[B̂(u + ix)^−1]``, u normal: the Fourier integral along a line where nothing cancels.
    """
    normal, weights = roots_hermitenorm(40)
    weights = weights / weights.sum()

    def at(squares: Array) -> Array:
        places = np.sqrt(np.maximum(squares, 0))
        z = (normal + 1j * places[:, np.newaxis]) * step / 2
        ratio = (z / np.sin(z)) ** order @ weights
        return np.asarray(np.log(ratio.real))

    return np.polynomial.Chebyshev.interpolate(at, 40, domain=[0, FARTHEST**2])
