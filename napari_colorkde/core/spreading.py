"""Colours off the lattice, and full covariances: spread, transform, read off.

In whitened coordinates ``y = L⁻¹ x`` (``covariance = L Lᵀ``, L lower triangular) every bandwidth is
the unit Gaussian. Each colour is spread over the nodes of a regular mesh with a narrow Gaussian of
variance s², the mesh is transformed with what remains of the unit variance, and values between
nodes are read off with a narrow Gaussian again:

    ``exp(−|y − z|²/2) ≈ Π_a Σ_ij w(y_a − i h) · exp(−(i − j)² h² / (2(1 − 2s²))) · w(z_a − j h)``.

By Poisson's summation formula the error of each sum is ``2 exp(−2π² t/h²)`` of the value itself,
``t = s²(1 − s²)``: 3e-7 per axis and sum for the mesh used here. Nothing is negative. Colours and
points are taken in groups that share a window of the mesh, so that spreading and reading off are
matrix products too (Greengard & Strain, SIAM J. Sci. Stat. Comput. 12, 1991, for the idea of a fast
Gauss transform; the Gaussian spreading is that of Greengard & Lee, SIAM Review 46, 2004).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_colorkde.core.device import Device
from napari_colorkde.core.lattice import (
    Sampling,
    gaussian_matrix,
    multiply_axis,
    separable_transform,
)

CELL = 0.45
"""Distance h of the nodes, in standard deviations of the bandwidth."""

SPREAD = CELL
"""Standard deviation s of the narrow Gaussian: one cell."""

TAPS = 8
"""Nodes on each side that a colour is spread over: exp(−8²/2) = 1e-14."""

REACH = 7.0
"""Standard deviations beyond which a point is read as zero: exp(−7²/2) = 2e-11 of one colour."""

MAX_NODES = 1 << 25
"""Largest mesh: 134 MB in float32."""

MAX_AXIS_NODES = 1 << 11
"""Longest axis of a mesh: a Gaussian matrix of two such is 34 MB in float64."""

GROUP = 16
"""Nodes along each axis of the cube whose colours share a window."""

CHUNK = 1 << 13
"""Colours multiplied together."""


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Counts spread over a regular mesh in whitened coordinates.

    Attributes
    ----------
    counts
        ``(M_0, …, M_{C−1})`` float32 tensor.
    nodes
        C arrays of coordinates, spacing `CELL`.
    """

    counts: torch.Tensor
    nodes: tuple[NDArray[np.float64], ...]


def mesh_nodes(
    low: NDArray[np.float64], high: NDArray[np.float64]
) -> tuple[NDArray[np.float64], ...]:
    """Nodes that reach `TAPS` and a group beyond a box of whitened coordinates."""
    margin = TAPS + 1
    return tuple(
        CELL * np.arange(np.floor(a / CELL) - margin, np.ceil(b / CELL) + margin + 1)
        for a, b in zip(low, high, strict=True)
    )


def fits(whitened: NDArray[np.float64]) -> bool:
    """Whether a mesh for these whitened colours ``(U, C)`` is within the limits above."""
    # Counted, not made: kernels may be a billion times narrower than the range.
    low, high = whitened.min(axis=0), whitened.max(axis=0)
    lengths = np.ceil(high / CELL) - np.floor(low / CELL) + 2 * (TAPS + 1) + 1
    return bool(lengths.max() <= MAX_AXIS_NODES and lengths.prod() <= MAX_NODES)


def spread(whitened: NDArray[np.float64], counts: NDArray[Any], device: Device) -> Mesh:
    """Spread colours ``(U, C)`` with their counts over a mesh. O(U · 32^C) multiplications."""
    nodes = mesh_nodes(whitened.min(axis=0), whitened.max(axis=0))
    shape = [len(n) for n in nodes]
    mesh = device.put(np.zeros(shape, np.float32))
    mesh = mesh.clone()  # `put` may share memory with its argument
    for rows, window in _groups(whitened, nodes):
        factors = _window_factors(whitened[rows], nodes, window, device)
        weights = device.put(counts[rows].astype(np.float32))
        first = (factors[0] * weights[:, None]).T
        rest = _row_products(factors[1:], len(rows), first)
        mesh[window] += (first @ rest).reshape([s.stop - s.start for s in window])
    return Mesh(mesh, nodes)


def read_off(
    values: torch.Tensor,
    nodes: tuple[NDArray[np.float64], ...],
    whitened: NDArray[np.float64],
    device: Device,
) -> NDArray[np.float32]:
    """Read mesh values between nodes, at points ``(Q, C)`` at least `TAPS` inside the mesh."""
    result = np.empty(len(whitened), np.float32)
    for rows, window in _groups(whitened, nodes):
        factors = _window_factors(whitened[rows], nodes, window, device)
        block = values[window]
        partial = factors[0] @ block.reshape(block.shape[0], -1)
        partial = partial.reshape(len(rows), *block.shape[1:])
        for factor in factors[1:]:
            trailing = [1] * (partial.ndim - 2)
            partial = (partial * factor.reshape(*factor.shape, *trailing)).sum(dim=1)
        result[rows] = device.get(partial)
    return result


def sums_at(mesh: Mesh, whitened: NDArray[np.float64], device: Device) -> NDArray[np.float32]:
    """Kernel sums at whitened points ``(Q, C)``; zero beyond `REACH` of the mesh's colours."""
    low = np.array([n[TAPS] for n in mesh.nodes]) - REACH
    high = np.array([n[-TAPS - 1] for n in mesh.nodes]) + REACH
    near = ((whitened >= low) & (whitened <= high)).all(axis=1)
    sums = np.zeros(len(whitened), np.float32)
    if not near.any():
        return sums
    points = whitened[near]
    targets = mesh_nodes(points.min(axis=0), points.max(axis=0))
    sigma = np.sqrt(1 - 2 * SPREAD**2)
    scale = 1 / sigma
    matrices = [
        scale * gaussian_matrix(t, n, sigma) for t, n in zip(targets, mesh.nodes, strict=True)
    ]
    values = separable_transform(mesh.counts, matrices, device)
    sums[near] = read_off(values, targets, points, device)
    return sums


def sums_on_grid(
    mesh: Mesh,
    cholesky: NDArray[np.float64],
    axes: tuple[NDArray[np.float64], ...],
    sampling: Sampling,
    device: Device,
) -> torch.Tensor:
    """Kernel sums on a regular grid in colour units, ``(B_0, …)``.

    L is triangular, so the first whitened coordinate depends on the first axis only, the second on
    the first two: the axes are read off in turn, each at the places the earlier ones ask for.
    Cell averages exist for a diagonal L only.
    """
    variance = 1 - SPREAD**2
    sigma, scale = np.sqrt(variance), 1 / np.sqrt(variance)
    if not np.any(np.tril(cholesky, -1)):
        matrices = [
            scale * gaussian_matrix(axis / d, nodes, sigma, sampling)
            for axis, d, nodes in zip(axes, np.diag(cholesky), mesh.nodes, strict=True)
        ]
        return separable_transform(mesh.counts, matrices, device)
    first = scale * gaussian_matrix(axes[0] / cholesky[0, 0], mesh.nodes[0], sigma)
    grid = multiply_axis(mesh.counts, first, 0, device)
    for axis in range(1, len(axes)):
        grid = _read_sheared_axis(grid, axis, cholesky, axes, mesh.nodes[axis], device)
    return grid


def _read_sheared_axis(
    grid: torch.Tensor,
    axis: int,
    cholesky: NDArray[np.float64],
    axes: tuple[NDArray[np.float64], ...],
    nodes: NDArray[np.float64],
    device: Device,
) -> torch.Tensor:
    """Read axis `axis` of ``(B_0, …, B_{axis−1}, M_axis, …)`` at its sheared places."""
    variance = 1 - SPREAD**2
    where = device.put(_whitened_axis(axis, cholesky, axes))  # (B_0, …, B_axis)
    at_nodes = device.put(nodes)
    planes = []
    for plane, places in zip(grid, where, strict=True):  # one grid value of axis 0 at a time
        distance = places[..., None] - at_nodes
        weights = torch.exp(distance.square_().mul_(-0.5 / variance)) / variance**0.5
        lead = plane.shape[: axis - 1]
        block = plane.reshape(*lead, len(nodes), -1)
        planes.append((weights @ block).reshape(*places.shape, *plane.shape[axis:]))
    return torch.stack(planes)


def _whitened_axis(
    axis: int, cholesky: NDArray[np.float64], axes: tuple[NDArray[np.float64], ...]
) -> NDArray[np.float64]:
    """Coordinate `axis` of ``L⁻¹ x`` on the grid of the axes up to it."""
    row = np.linalg.inv(cholesky)[axis]
    parts = np.meshgrid(*axes[: axis + 1], indexing="ij")
    total: NDArray[np.float64] = sum(r * part for r, part in zip(row, parts, strict=False))
    return total


def _groups(
    whitened: NDArray[np.float64], nodes: tuple[NDArray[np.float64], ...]
) -> Iterator[tuple[NDArray[np.intp], tuple[slice, ...]]]:
    """Rows of points that lie in one cube of `GROUP` nodes, and the window they reach."""
    key = np.zeros(len(whitened), np.int64)
    cubes = []
    for c, axis in enumerate(nodes):
        cell = np.floor((whitened[:, c] - axis[0]) / CELL).astype(np.int64) // GROUP
        cubes.append(cell)
        key = key * (len(axis) // GROUP + 1) + cell
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(key[order]) != 0])
    for start, stop in zip(starts, np.r_[starts[1:], len(order)], strict=True):
        window = tuple(
            slice(
                max(0, int(cube[order[start]]) * GROUP - TAPS),
                min(len(axis), (int(cube[order[start]]) + 1) * GROUP + TAPS + 1),
            )
            for cube, axis in zip(cubes, nodes, strict=True)
        )
        for at in range(start, stop, CHUNK):
            yield order[at : min(at + CHUNK, stop)], window


def _window_factors(
    points: NDArray[np.float64],
    nodes: tuple[NDArray[np.float64], ...],
    window: tuple[slice, ...],
    device: Device,
) -> list[torch.Tensor]:
    """Weights ``(n, w_a)`` of each point on the window's nodes, one tensor per axis."""
    factors = []
    for c, axis in enumerate(nodes):
        here = axis[window[c]]
        # Distances from the window's first node are small, so float32 holds them exactly enough.
        distance = device.put(points[:, c] - here[0])[:, None] - device.put(here - here[0])
        weight = torch.exp(distance.square_().mul_(-0.5 / SPREAD**2))
        factors.append(weight * (CELL / (SPREAD * np.sqrt(2 * np.pi))))
    return factors


def _row_products(factors: list[torch.Tensor], n: int, like: torch.Tensor) -> torch.Tensor:
    """All products of the factors' columns, row by row: ``(n, w_1 · w_2 …)``."""
    product = torch.ones((n, 1), dtype=like.dtype, device=like.device)
    for factor in factors:
        product = (product[:, :, None] * factor[:, None, :]).reshape(n, -1)
    return product
