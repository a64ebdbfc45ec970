"""Sums on regular grids: read off a mesh in one piece along its axes, or added kernel by kernel."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_colorkde.core.device import Device
from napari_colorkde.core.kernel_sums import bricks
from napari_colorkde.core.kernel_sums.bsplines import TO_PEAK, Scheme
from napari_colorkde.core.kernel_sums.grids.regular_grid import Axes, Weights, spread
from napari_colorkde.core.kernel_sums.points_in_bricks import EDGE, Frame, Placement
from napari_colorkde.core.kernel_sums.separable import Sampling, multiply_axis, separable_transform
from napari_colorkde.core.kernel_sums.spreading import Array, spilled

REACH = 7.0
"""Standard deviations beyond which a kernel is not evaluated on a grid: exp(−7²/2) = 2e-11."""


MAX_MESH_NODES = 1 << 26
"""Nodes of a mesh for volumes, which is in one piece: 268 MB in float32."""


MAX_AXIS_NODES = 1 << 12
"""Longest axis of such a mesh: what it adds to 1000 grid points is 32 MB in float64."""


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Counts spread over a mesh: ``(M_0, …)`` float32, the coordinates of its nodes, the scheme."""

    counts: torch.Tensor
    nodes: Axes
    scheme: Scheme


def fits(extent: Array, scheme: Scheme = TO_PEAK) -> bool:
    """Whether one mesh for whitened colors that extend so far, ``(C,)``, is within the limits."""
    # Counted, not made: kernels may be a billion times narrower than the range.
    lengths = extent / scheme.step + 2 * EDGE
    return bool(lengths.max() <= MAX_AXIS_NODES and lengths.prod() <= MAX_MESH_NODES)


def mesh_of(
    whitened: Array, counts: NDArray[np.float32], device: Device, scheme: Scheme = TO_PEAK
) -> Mesh:
    """Spread colors ``(U, C)`` over a mesh in one piece (see `fits`), for grids."""
    frame = Frame.filled(whitened, step=scheme.step)
    placement = Placement.of(whitened, frame, scheme.step)
    numbers = spilled(placement.bricks[0], frame)
    parts = bricks.spread(placement, counts, numbers, frame.strides, scheme, device)
    whole = parts.values.new_zeros(int(frame.shape.prod()), *parts.values.shape[1:])
    whole.index_copy_(0, device.put(numbers, torch.int64), parts.values)
    channels = len(frame.shape)
    whole = whole.view(*frame.shape.tolist(), *parts.values.shape[1:])
    paired = [axis for c in range(channels) for axis in (c, c + channels)]
    whole = whole.permute(paired).reshape([n * EDGE for n in frame.shape.tolist()])
    # The first of the nodes that a point meets is half a spline before it.
    before = scheme.order // 2 - 1
    nodes = tuple(
        scheme.step * (EDGE * int(low[0]) - before + np.arange(EDGE * int(n), dtype=np.float64))
        for low, n in zip(frame.occupied, frame.shape, strict=True)
    )
    return Mesh(whole / bricks.SCALE, nodes, scheme)


def sums_on_mesh_grid(
    mesh: Mesh,
    cholesky: Array,
    center: Array,
    axes: Axes,
    sampling: Sampling,
    device: Device,
) -> torch.Tensor:
    """Kernel sums on a regular grid in color units, ``(B_0, …)``, read off a mesh.

    L is triangular, so the first whitened coordinate depends on the first axis only, the second on
    the first two: the axes are read off in turn, each at the places the earlier ones ask for.
    Cell averages exist for a diagonal L only.
    """
    axes = tuple(axis - c for axis, c in zip(axes, center, strict=True))
    if not np.any(np.tril(cholesky, -1)):
        matrices = [
            _matrix(axis / d, nodes, sampling, mesh.scheme)
            for axis, d, nodes in zip(axes, np.diag(cholesky), mesh.nodes, strict=True)
        ]
        return separable_transform(mesh.counts, matrices, device)
    first = _matrix(axes[0] / cholesky[0, 0], mesh.nodes[0], "points", mesh.scheme)
    grid = multiply_axis(mesh.counts, first, 0, device)
    for axis in range(1, len(axes)):
        grid = _read_sheared_axis(grid, axis, cholesky, axes, mesh, device)
    return grid


def sums_on_grid_directly(
    colors: Array,
    counts: NDArray[Any],
    sigmas: Array,
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


def _matrix(targets: Array, nodes: Array, sampling: Sampling, scheme: Scheme) -> Array:
    """Return what each node adds at each target: κ with one spline undone, or its cell averages."""
    distance = targets[:, np.newaxis] - nodes
    if sampling == "points" or len(targets) < 2:
        return scheme.deconvolved(distance, 1)
    return scheme.cell_averages(distance, float(targets[1] - targets[0]))


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
    cholesky: Array,
    axes: Axes,
    mesh: Mesh,
    device: Device,
) -> torch.Tensor:
    """Read axis `axis` of ``(B_0, …, B_{axis−1}, M_axis, …)`` at its sheared places."""
    scheme, nodes = mesh.scheme, mesh.nodes[axis]
    step = scheme.step
    where = (_whitened_axis(axis, cholesky, axes) - nodes[0]) / step  # (B_0, …, B_axis)
    # In float32 a coordinate of 900 is good to 3e-5 only: whole cells and the rest apart.
    whole = np.rint(where)
    cells, rest = device.put(whole), device.put(step * (where - whole))
    at_nodes = device.put(np.arange(len(nodes)))
    planes = []
    for plane, cell, offset in zip(grid, cells, rest, strict=True):  # one value of axis 0 at a time
        distance = (cell[..., None] - at_nodes).mul_(step).add_(offset[..., None])
        weights = scheme.deconvolved_in_place(distance, 1)
        lead = plane.shape[: axis - 1]
        block = plane.reshape(*lead, len(nodes), -1)
        planes.append((weights @ block).reshape(*cell.shape, *plane.shape[axis:]))
    return torch.stack(planes)


def _whitened_axis(axis: int, cholesky: Array, axes: Axes) -> Array:
    """Coordinate `axis` of ``L⁻¹ x`` on the grid of the axes up to it."""
    row = np.linalg.inv(cholesky)[axis]
    parts = np.meshgrid(*axes[: axis + 1], indexing="ij")
    total: Array = sum(r * part for r, part in zip(row, parts, strict=False))
    return total
