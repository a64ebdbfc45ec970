"""Colors off the lattice, and full covariances: spread over a mesh, read off.

In whitened coordinates ``y = L⁻¹ x`` (``covariance = L Lᵀ``, L lower triangular) every bandwidth is
the unit Gaussian. A Gaussian of unit variance is a narrow one of variance s² convolved with one of
variance 1 − s², and the convolution may be summed over the nodes of a regular mesh of spacing h:

    ``exp(−|y − z|²/2) ≈ Π_a Σ_i w(y_a − i h) · exp(−(z_a − i h)² / (2 (1 − s²))) / sqrt(1 − s²)``

with w the density of the narrow Gaussian times h. By Poisson's summation formula the error is
``2 exp(−2π² t / h²)`` of the value itself, ``t = s² (1 − s²)``: 7e-8 per axis. So sums on a regular
grid are a spreading of the colors and a wide Gaussian along each axis. Scattered points are read
with the narrow Gaussian again, off a mesh that the rest of the kernel, of variance 1 − 2 s², was
carried to: ``t = s² (1 − 2 s²) / (1 − s²)``, 2e-7 more. Nothing is negative, so nothing cancels.

The idea of a fast Gauss transform is Greengard & Strain's, SIAM J. Sci. Stat. Comput. 12 (1991);
spreading with Gaussians is Greengard & Lee's, SIAM Review 46 (2004).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_colorkde.core.device import Device
from napari_colorkde.core.kernel_sums.batches import (
    Axes,
    Weights,
    points_per_group,
    read_off,
    rows_by_cube,
    spread,
)
from napari_colorkde.core.kernel_sums.separable import (
    Sampling,
    gaussian_matrix,
    multiply_axis,
    separable_transform,
)

CELL = 0.43
"""Spacing h of the nodes, in standard deviations of the bandwidth."""

NARROW = 0.45
"""Standard deviation s of the Gaussian that colors are spread and read with, in the same unit."""

TAPS = 8
"""Nodes on each side that it reaches: enough for colors 7.5 standard deviations away."""

BRICK = 70.0
"""Edge of the pieces, in standard deviations, in which points are read where one mesh would be too
large."""

REACH = 7.0
"""Standard deviations beyond which a kernel is not evaluated on a grid: exp(−7²/2) = 2e-11."""

FAR = 9.5
"""Standard deviations beyond which a color is nothing to a point: exp(−9.5²/2) = 3e-20."""

MAX_NODES = 1 << 25
"""Largest mesh held in one piece: 134 MB in float32."""

MAX_AXIS_NODES = 1 << 11
"""Longest axis of such a mesh: a Gaussian matrix of two such is 34 MB in float64."""

SPARSE = 6
"""Points a group should hold on average to be worth its matrix products."""


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Counts spread over a regular mesh: ``(M_0, …)`` float32, and the coordinates of its nodes."""

    counts: torch.Tensor
    nodes: Axes


def fits(whitened: NDArray[np.float64]) -> bool:
    """Whether one mesh for these colors ``(U, C)`` is within the limits."""
    # Counted, not made: kernels may be a billion times narrower than the range.
    lengths = np.ptp(whitened, axis=0) / CELL + 2 * TAPS + 4
    return bool(lengths.max() <= MAX_AXIS_NODES and lengths.prod() <= MAX_NODES)


def is_sparse(points: NDArray[np.float64]) -> bool:
    """Whether points ``(Q, C)`` lie so far apart that groups would hold a few each."""
    return points_per_group(points, CELL) < SPARSE


def mesh_of(whitened: NDArray[np.float64], counts: NDArray[Any], device: Device) -> Mesh:
    """Spread colors ``(U, C)``. O(U · 23^C) multiplications."""
    nodes = _nodes(whitened.min(axis=0), whitened.max(axis=0))
    n = len(nodes)
    return Mesh(spread(whitened, counts, nodes, (TAPS,) * n, (_narrow,) * n, device), nodes)


def sums_at(points: NDArray[np.float64], mesh: Mesh, device: Device) -> NDArray[np.float32]:
    """Kernel sums at scattered whitened points ``(Q, C)``, read off the mesh of the colors.

    To 2e-6 of itself wherever the nearest colors lie within 7.5 standard deviations, and zero far
    away. O(Q · 23^C) multiplications.
    """
    sums = np.zeros(len(points), np.float32)
    low, high = (np.array([axis[end] for axis in mesh.nodes]) for end in (0, -1))
    near = np.flatnonzero(((points >= low - FAR) & (points <= high + FAR)).all(axis=1))
    if len(near) == 0:
        return sums
    here = points[near]
    nodes = _nodes(here.min(axis=0), here.max(axis=0))
    sigma = np.sqrt(1 - 2 * NARROW**2)
    # Both narrow Gaussians are normalized, which one factor of the unit Gaussian has to make good.
    matrices = [
        gaussian_matrix(to, from_, sigma) / sigma
        for to, from_ in zip(nodes, mesh.nodes, strict=True)
    ]
    values = separable_transform(mesh.counts, matrices, device)
    n = len(nodes)
    sums[near] = read_off(values, nodes, here, (TAPS,) * n, (_narrow,) * n, device)
    return sums


def sums_by_bricks(
    points: NDArray[np.float64],
    whitened: NDArray[np.float64],
    counts: NDArray[Any],
    device: Device,
) -> NDArray[np.float32]:
    """The same for colors that one mesh would be too large for.

    Points are taken brick by brick of the space, each with a mesh of its own, so that memory is
    bounded however narrow the kernels are.
    """
    order = np.argsort(whitened[:, 0], kind="stable")
    along = whitened[order, 0]
    sums = np.zeros(len(points), np.float32)
    for rows in rows_by_cube(points, BRICK):
        here = points[rows]
        low, high = here.min(axis=0) - FAR, here.max(axis=0) + FAR
        span = slice(np.searchsorted(along, low[0]), np.searchsorted(along, high[0], side="right"))
        near = order[span]
        near = near[((whitened[near] >= low) & (whitened[near] <= high)).all(axis=1)]
        if len(near):
            sums[rows] = sums_at(here, mesh_of(whitened[near], counts[near], device), device)
    return sums


def sums_on_mesh_grid(
    mesh: Mesh, cholesky: NDArray[np.float64], axes: Axes, sampling: Sampling, device: Device
) -> torch.Tensor:
    """Kernel sums on a regular grid in color units, ``(B_0, …)``, read off a mesh.

    L is triangular, so the first whitened coordinate depends on the first axis only, the second on
    the first two: the axes are read off in turn, each at the places the earlier ones ask for.
    Cell averages exist for a diagonal L only.
    """
    sigma = np.sqrt(1 - NARROW**2)
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

    Exact but for terms beyond `REACH`. O(U · Π_a (11 + 14 sigma_a / spacing_a)).
    """
    taps, weights = [], []
    for axis, sigma in zip(axes, sigmas, strict=True):
        step = float(axis[1] - axis[0])
        taps.append(int(np.ceil(REACH * sigma / step)) + 1)
        weights.append(_kernel(float(sigma), step, sampling))
    return spread(colors, counts, axes, tuple(taps), tuple(weights), device)


def _nodes(low: NDArray[np.float64], high: NDArray[np.float64]) -> Axes:
    """Nodes that reach `TAPS` beyond a box of whitened coordinates, and a little more."""
    margin = TAPS + 1
    return tuple(
        CELL * np.arange(np.floor(a / CELL) - margin, np.ceil(b / CELL) + margin + 1)
        for a, b in zip(low, high, strict=True)
    )


def _narrow(distance: torch.Tensor) -> torch.Tensor:
    """``w``: the narrow Gaussian at these distances times h."""
    return _gaussian(distance, NARROW).mul_(CELL / (NARROW * np.sqrt(2 * np.pi)))


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
    where = (_whitened_axis(axis, cholesky, axes) - nodes[0]) / CELL  # (B_0, …, B_axis)
    # In float32 a coordinate of 900 is good to 3e-5 only: whole cells and the rest apart.
    whole = np.rint(where)
    cells, rest = device.put(whole), device.put(CELL * (where - whole))
    at_nodes = device.put(np.arange(len(nodes)))
    planes = []
    for plane, cell, offset in zip(grid, cells, rest, strict=True):  # one value of axis 0 at a time
        distance = (cell[..., None] - at_nodes).mul_(CELL).add_(offset[..., None])
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
