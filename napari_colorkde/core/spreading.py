"""Colours off the lattice, and full covariances: spread over a mesh, read off.

In whitened coordinates ``y = L⁻¹ x`` (``covariance = L Lᵀ``, L lower triangular) every bandwidth is
the unit Gaussian. A Gaussian of unit variance is a narrow one of variance s² convolved with one of
variance 1 − s², and the convolution may be summed over the nodes of a regular mesh of spacing h:

    ``exp(−|y − z|²/2) ≈ Π_a Σ_i w(y_a − i h) · exp(−(z_a − i h)² / (2 (1 − s²))) / sqrt(1 − s²)``

with w the density of the narrow Gaussian times h. By Poisson's summation formula the error is
``2 exp(−2π² t / h²)`` of the value itself, ``t = s² (1 − s²)``: 5e-7 per axis for the two choices
made here. Nothing is negative, so nothing cancels. Colours (and points) are taken in groups that
share a window of the mesh, so that spreading and reading off are matrix products.

The idea of a fast Gauss transform is Greengard & Strain's, SIAM J. Sci. Stat. Comput. 12 (1991);
spreading with Gaussians is Greengard & Lee's, SIAM Review 46 (2004).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_colorkde.core.colors import append_digit
from napari_colorkde.core.device import Device
from napari_colorkde.core.separable import (
    Sampling,
    gaussian_matrix,
    multiply_axis,
    separable_transform,
)

Axes = tuple[NDArray[np.float64], ...]
Weights = Callable[[torch.Tensor], torch.Tensor]

GROUP = 16
"""Nodes along each axis of the cube whose colours share a window."""

CHUNK = 1 << 13
"""Most colours multiplied together."""

CHUNK_PRODUCTS = 1 << 25
"""Most products of their weights held at a time: 134 MB in float32."""

BRICK = 128
"""Nodes along each axis of the pieces in which scattered points are read."""

REACH = 7.0
"""Standard deviations beyond which a kernel is not evaluated on a grid: exp(−7²/2) = 2e-11."""

MAX_NODES = 1 << 25
"""Largest mesh held in one piece: 134 MB in float32."""

MAX_AXIS_NODES = 1 << 11
"""Longest axis of such a mesh: a Gaussian matrix of two such is 34 MB in float64."""

SPARSE = 16
"""Points a group should hold on average to be worth its matrix products."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How finely to spread: lengths in standard deviations of the bandwidth.

    Attributes
    ----------
    cell
        Spacing h of the nodes.
    narrow
        Standard deviation s of the Gaussian that colours are spread with.
    taps
        Nodes on each side that it reaches.
    """

    cell: float
    narrow: float
    taps: int

    def weights(self, distance: torch.Tensor) -> torch.Tensor:
        """``w``: the narrow Gaussian at these distances, in whitened units, times h."""
        scale = self.cell / (self.narrow * np.sqrt(2 * np.pi))
        return _gaussian(distance, self.narrow).mul_(scale)

    def nodes(self, low: NDArray[np.float64], high: NDArray[np.float64]) -> Axes:
        """Nodes that reach `taps` beyond a box of whitened coordinates."""
        margin = self.taps + 1
        return tuple(
            self.cell * np.arange(np.floor(a / self.cell) - margin, np.ceil(b / self.cell) + margin)
            for a, b in zip(low, high, strict=True)
        )


TO_GRID = Plan(cell=0.45, narrow=0.45, taps=8)
"""Narrow spreading, wide reading along the axes of a regular grid."""

TO_POINTS = Plan(cell=0.55, narrow=np.sqrt(0.5), taps=12)
"""Spreading and reading with the same Gaussian, for scattered points. The taps reach the middle of
two colours 7.5 standard deviations apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Counts spread over a regular mesh: ``(M_0, …)`` float32, and the coordinates of its nodes."""

    counts: torch.Tensor
    nodes: Axes


def fits(whitened: NDArray[np.float64]) -> bool:
    """Whether a mesh for reading on grids is within the limits for these colours ``(U, C)``."""
    # Counted, not made: kernels may be a billion times narrower than the range.
    lengths = np.ptp(whitened, axis=0) / TO_GRID.cell + 2 * TO_GRID.taps + 4
    return bool(lengths.max() <= MAX_AXIS_NODES and lengths.prod() <= MAX_NODES)


def is_sparse(points: NDArray[np.float64]) -> bool:
    """Whether points ``(Q, C)`` lie so far apart that groups would hold a few each."""
    return len(points) < SPARSE * sum(1 for _ in _rows_by_key(_cubes(points, GROUP)))


def mesh_of(whitened: NDArray[np.float64], counts: NDArray[Any], device: Device) -> Mesh:
    """Spread colours ``(U, C)`` for reading on grids. O(U · 33^C) multiplications."""
    nodes = TO_GRID.nodes(whitened.min(axis=0), whitened.max(axis=0))
    taps = (TO_GRID.taps,) * len(nodes)
    return Mesh(
        spread(whitened, counts, nodes, taps, (TO_GRID.weights,) * len(nodes), device), nodes
    )


def spread(
    points: NDArray[np.float64],
    counts: NDArray[Any],
    nodes: Axes,
    taps: tuple[int, ...],
    weights: tuple[Weights, ...],
    device: Device,
) -> torch.Tensor:
    """Add every colour's ``count · Π_a weights_a(point_a − node_a)`` to the nodes nearby.

    Parameters
    ----------
    points, counts
        ``(U, C)`` in the units of the nodes, ``(U,)``.
    nodes
        C evenly spaced axes.
    taps
        How many nodes beyond each point's own group matter, per axis.
    weights
        Functions of signed distances, one per axis.

    Returns
    -------
    torch.Tensor
        ``(M_0, …, M_{C−1})`` float32.
    """
    mesh = torch.zeros([len(n) for n in nodes], device=device.torch_device)
    for rows, window in groups(points, nodes, taps):
        factors = window_factors(points[rows], nodes, window, weights, device)
        amounts = device.put(counts[rows].astype(np.float32))
        first = (factors[0] * amounts[:, None]).T
        mesh[window] += (first @ _row_products(factors[1:], first)).reshape(
            [s.stop - s.start for s in window]
        )
    return mesh


def read_off(
    values: torch.Tensor, nodes: Axes, points: NDArray[np.float64], plan: Plan, device: Device
) -> NDArray[np.float32]:
    """Read mesh values between nodes, at points ``(Q, C)`` inside the mesh."""
    taps, weights = (plan.taps,) * len(nodes), (plan.weights,) * len(nodes)
    result = np.zeros(len(points), np.float32)
    for rows, window in groups(points, nodes, taps):
        factors = window_factors(points[rows], nodes, window, weights, device)
        block = values[window]
        partial = (factors[0] @ block.reshape(block.shape[0], -1)).reshape(
            len(rows), *block.shape[1:]
        )
        for factor in factors[1:]:
            partial = (partial * factor.reshape(*factor.shape, *[1] * (partial.ndim - 2))).sum(1)
        result[rows] = device.get(partial)
    return result


def sums_at(
    points: NDArray[np.float64],
    whitened: NDArray[np.float64],
    counts: NDArray[Any],
    device: Device,
) -> NDArray[np.float32]:
    """Kernel sums at scattered whitened points ``(Q, C)``.

    Points are taken brick by brick of the space, each with a mesh of its own, so that memory is
    bounded however narrow the kernels are. To 2e-6 of itself wherever the nearest colours lie
    within 7.5 standard deviations, and zero far away. O((U + Q) · 41^C) multiplications.
    """
    plan = TO_POINTS
    margin = plan.taps * plan.cell
    order = np.argsort(whitened[:, 0], kind="stable")
    along = whitened[order, 0]
    sums = np.zeros(len(points), np.float32)
    for rows in _rows_by_key(_cubes(points, BRICK)):
        here = points[rows]
        low, high = here.min(axis=0), here.max(axis=0)
        span = slice(
            np.searchsorted(along, low[0] - 2 * margin),
            np.searchsorted(along, high[0] + 2 * margin, side="right"),
        )
        near = order[span]
        near = near[
            ((whitened[near] >= low - 2 * margin) & (whitened[near] <= high + 2 * margin)).all(1)
        ]
        if len(near) == 0:
            continue
        nodes = plan.nodes(low, high)
        taps, weights = (plan.taps,) * len(nodes), (plan.weights,) * len(nodes)
        mesh = spread(whitened[near], counts[near], nodes, taps, weights, device)
        sums[rows] = read_off(mesh, nodes, here, plan, device)
    # Both narrow Gaussians were normalized: one √(2π) per axis, and √(s² + s²) = 1, are owed.
    scale = (np.sqrt(2 * np.pi) / plan.cell) ** points.shape[1]
    return sums * np.float32(scale)


def sums_on_mesh_grid(
    mesh: Mesh, cholesky: NDArray[np.float64], axes: Axes, sampling: Sampling, device: Device
) -> torch.Tensor:
    """Kernel sums on a regular grid in colour units, ``(B_0, …)``, read off a mesh.

    L is triangular, so the first whitened coordinate depends on the first axis only, the second on
    the first two: the axes are read off in turn, each at the places the earlier ones ask for.
    Cell averages exist for a diagonal L only.
    """
    sigma = np.sqrt(1 - TO_GRID.narrow**2)
    if not np.any(np.tril(cholesky, -1)):
        matrices = [
            gaussian_matrix(axis / d, nodes, sigma, sampling) / sigma
            for axis, d, nodes in zip(axes, np.diag(cholesky), mesh.nodes, strict=True)
        ]
        return separable_transform(mesh.counts, matrices, device)
    first = gaussian_matrix(axes[0] / cholesky[0, 0], mesh.nodes[0], sigma) / sigma
    grid = multiply_axis(mesh.counts, first, 0, device)
    for axis in range(1, len(axes)):
        grid = _read_sheared_axis(grid, axis, cholesky, axes, mesh.nodes[axis], sigma, device)
    return grid


def sums_on_grid_directly(
    colors: NDArray[np.float64],
    counts: NDArray[Any],
    sigmas: NDArray[np.float64],
    axes: Axes,
    sampling: Sampling,
    device: Device,
) -> torch.Tensor:
    """Kernel sums on a regular grid for narrow diagonal kernels: each adds to the nodes it reaches.

    Exact but for terms beyond `REACH`. O(U · Π_a (17 + 14 sigma_a / spacing_a)).
    """
    taps, weights = [], []
    for axis, sigma in zip(axes, sigmas, strict=True):
        step = float(axis[1] - axis[0])
        taps.append(int(np.ceil(REACH * sigma / step)) + 1)
        weights.append(_kernel(float(sigma), step, sampling))
    return spread(colors, counts, axes, tuple(taps), tuple(weights), device)


def _gaussian(distance: torch.Tensor, sigma: float) -> torch.Tensor:
    """``exp(−distance² / (2 sigma²))``, in place; torch's exp2 is four times as fast as its exp."""
    return distance.square_().mul_(-0.5 / (np.log(2) * sigma**2)).exp2_()


def _kernel(sigma: float, step: float, sampling: Sampling) -> Weights:
    """The kernel itself as a function of distance, or its average over a cell."""

    def at_points(distance: torch.Tensor) -> torch.Tensor:
        return _gaussian(distance, sigma)

    def over_cells(distance: torch.Tensor) -> torch.Tensor:
        distance = distance.abs_()
        upper = torch.special.ndtr((0.5 * step - distance) / sigma)
        lower = torch.special.ndtr((-0.5 * step - distance) / sigma)
        averages: torch.Tensor = (upper - lower) * (sigma * np.sqrt(2 * np.pi) / step)
        return averages

    def over_small_cells(distance: torch.Tensor) -> torch.Tensor:
        # The difference above would cancel; to second order in the step, 1e-8 of the peak.
        squares = (distance / sigma).square_()
        return _gaussian(distance, sigma) * (1 + (squares - 1) * ((step / sigma) ** 2 / 24))

    if sampling == "points":
        return at_points
    return over_cells if step > 0.1 * sigma else over_small_cells


def _read_sheared_axis(
    grid: torch.Tensor,
    axis: int,
    cholesky: NDArray[np.float64],
    axes: Axes,
    nodes: NDArray[np.float64],
    sigma: float,
    device: Device,
) -> torch.Tensor:
    """Read axis `axis` of ``(B_0, …, B_{axis−1}, M_axis, …)`` at its sheared places."""
    where = (_whitened_axis(axis, cholesky, axes) - nodes[0]) / TO_GRID.cell  # (B_0, …, B_axis)
    # In float32 a coordinate of 900 is good to 3e-5 only: whole cells and the rest apart.
    whole = np.rint(where)
    cells, rest = device.put(whole), device.put(TO_GRID.cell * (where - whole))
    at_nodes = device.put(np.arange(len(nodes)))
    planes = []
    for plane, cell, offset in zip(grid, cells, rest, strict=True):  # one value of axis 0 at a time
        distance = (cell[..., None] - at_nodes).mul_(TO_GRID.cell).add_(offset[..., None])
        weights = _gaussian(distance, sigma) / sigma
        lead = plane.shape[: axis - 1]
        block = plane.reshape(*lead, len(nodes), -1)
        planes.append((weights @ block).reshape(*cell.shape, *plane.shape[axis:]))
    return torch.stack(planes)


def _whitened_axis(axis: int, cholesky: NDArray[np.float64], axes: Axes) -> NDArray[np.float64]:
    """Coordinate `axis` of ``L⁻¹ x`` on the grid of the axes up to it."""
    row = np.linalg.inv(cholesky)[axis]
    parts = np.meshgrid(*axes[: axis + 1], indexing="ij")
    total: NDArray[np.float64] = sum(r * part for r, part in zip(row, parts, strict=False))
    return total


def groups(
    points: NDArray[np.float64], nodes: Axes, taps: tuple[int, ...]
) -> Iterator[tuple[NDArray[np.intp], tuple[slice, ...]]]:
    """Rows of points that lie in one cube of `GROUP` nodes, and the window of nodes they reach."""
    steps = np.array([axis[1] - axis[0] for axis in nodes])
    starts = np.array([axis[0] for axis in nodes])
    cubes = np.floor((points - starts) / steps).astype(np.int64) // GROUP
    for rows in _rows_by_key(cubes):
        corner = cubes[rows[0]] * GROUP
        window = tuple(
            slice(max(0, int(at) - reach), min(len(axis), int(at) + GROUP + reach + 1))
            for at, reach, axis in zip(corner, taps, nodes, strict=True)
        )
        if all(s.start < s.stop for s in window):
            products = int(np.prod([s.stop - s.start for s in window[1:]]))
            chunk = min(CHUNK, max(1, CHUNK_PRODUCTS // products))
            for start in range(0, len(rows), chunk):
                yield rows[start : start + chunk], window


def _rows_by_key(keys: NDArray[np.int64]) -> Iterator[NDArray[np.intp]]:
    """Indices of equal rows of ``(n, C)`` integers, one array per distinct row."""
    code = np.zeros(len(keys), np.int64)
    for column in keys.T:
        levels, ranks = np.unique(column, return_inverse=True)
        code = append_digit(code, ranks, len(levels))
    order = np.argsort(code, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(code[order])) + 1)


def _cubes(points: NDArray[np.float64], nodes: int) -> NDArray[np.int64]:
    """The cube of so many nodes along each axis that each point ``(Q, C)`` is in."""
    return np.floor(points / (nodes * TO_POINTS.cell)).astype(np.int64)


def window_factors(
    points: NDArray[np.float64],
    nodes: Axes,
    window: tuple[slice, ...],
    weights: tuple[Weights, ...],
    device: Device,
) -> list[torch.Tensor]:
    """Weights ``(n, w_a)`` of each point on the window's nodes, one tensor per axis."""
    factors = []
    for c, (axis, weight) in enumerate(zip(nodes, weights, strict=True)):
        first, step = float(axis[0]), float(axis[1] - axis[0])
        # Whole steps and the rest apart, so that float32 holds small distances to 1e-8 of a step.
        nearest = np.rint((points[:, c] - first) / step)
        rest = device.put(points[:, c] - (first + step * nearest))
        steps = device.put(nearest - window[c].start)[:, None] - torch.arange(
            window[c].stop - window[c].start, dtype=torch.float32, device=device.torch_device
        )
        factors.append(weight(steps.mul_(step).add_(rest[:, None])))
    return factors


def _row_products(factors: list[torch.Tensor], like: torch.Tensor) -> torch.Tensor:
    """All products of the factors' columns, row by row: ``(n, w_1 · w_2 …)``."""
    n = like.shape[1]
    product = torch.ones((n, 1), dtype=like.dtype, device=like.device)
    for factor in factors:
        product = (product[:, :, None] * factor[:, None, :]).reshape(n, -1)
    return product
