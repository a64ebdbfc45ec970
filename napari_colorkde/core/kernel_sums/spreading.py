"""Colors off the lattice, and full covariances: sums of the unit Gaussian in whitened coordinates.

In whitened coordinates ``y = L⁻¹ (x − c)`` (``covariance = L Lᵀ``, L lower triangular) every
bandwidth is the unit Gaussian. Colors are spread over a mesh of bricks with B-splines, the kernel
is carried along its axes, and points are read off with B-splines again (`bsplines`, `bricks`).
Where a brick holds so few points that looking at their pairs costs less, that is done instead
(`nearby`). Nothing is negative, so nothing cancels.

The idea of a fast Gauss transform is Greengard & Strain's, SIAM J. Sci. Stat. Comput. 12 (1991);
spreading over a mesh is Greengard & Lee's, SIAM Review 46 (2004).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_colorkde.core.device import Device
from napari_colorkde.core.kernel_sums import bricks
from napari_colorkde.core.kernel_sums.bsplines import TO_PEAK, TO_PEAK_BY_FEW, Scheme
from napari_colorkde.core.kernel_sums.choose_loops import loops_for
from napari_colorkde.core.kernel_sums.nearby import nearby_sums
from napari_colorkde.core.kernel_sums.points_in_bricks import EDGE, Frame, Integers, Placement
from napari_colorkde.core.kernel_sums.regular_grid import Axes, Weights, spread
from napari_colorkde.core.kernel_sums.separable import Sampling, multiply_axis, separable_transform
from napari_colorkde.core.palette.distinct_rows import count_rows

REACH = 7.0
"""Standard deviations beyond which a kernel is not evaluated on a grid: exp(−7²/2) = 2e-11."""

MAX_NODES = 1 << 25
"""Nodes of the bricks computed together: 134 MB in float32, and some times that on the way."""

MAX_MESH_NODES = 1 << 26
"""Nodes of a mesh for volumes, which is in one piece: 268 MB in float32."""

MAX_AXIS_NODES = 1 << 12
"""Longest axis of such a mesh: what it adds to 1000 grid points is 32 MB in float64."""

BRICK_PAIRS, BRICK_PAIRS_COMPILED = 5, 40
"""Pairs of points that can be looked at while one node of a brick is computed."""

POINT_PAIRS = 100
"""Pairs that can be looked at while one point is spread and read."""

LOOKED_AT = 0.2
"""Part of the pairs of a brick's points with those of its neighbors that is looked at."""

CROWDED = 256
"""Points from which on a brick is about to be worth its nodes."""

SAMPLE = 1 << 17
"""Colors whose bricks are looked at to choose between schemes."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Counts spread over a regular mesh: ``(M_0, …)`` float32, and the coordinates of its nodes."""

    counts: torch.Tensor
    nodes: Axes


def sums_at(
    points: Array, colors: Array, counts: NDArray[np.float32], scheme: Scheme, device: Device
) -> NDArray[np.float32]:
    """Return kernel sums at scattered whitened points.

    Parameters
    ----------
    points, colors
        (Q, C) and (U, C) whitened coordinates.
    counts
        (U,).
    scheme
        How accurately: `TO_PEAK` or `TO_ITSELF`.

    Returns
    -------
    ndarray
        (Q,), zero far away from all colors.

    Notes
    -----
    O((Q + U) · (order + group)^C) multiplications, and those of the bricks; memory is bounded by
    `MAX_NODES` however narrow the kernels are.
    """
    if scheme is TO_PEAK and _holds_few(colors):
        scheme = TO_PEAK_BY_FEW
    frame = Frame.around(colors, points, step=scheme.step)
    if not frame.is_countable:
        return nearby_sums(points, colors, counts, scheme.reach, device)
    sources = Placement.of(colors, frame, scheme.step)
    targets = sources if points is colors else Placement.of(points, frame, scheme.step)
    sums = np.zeros(len(points), np.float32)
    compiled = loops_for(len(points), points.shape[1], device) is not None
    node_pairs = BRICK_PAIRS_COMPILED if compiled else BRICK_PAIRS
    dense, sparse = _divided(targets, sources, frame, node_pairs)
    if len(sparse):
        rows = targets.only_in(sparse).rows
        all_colors = len(rows) == len(colors) == len(points)
        near = slice(None) if all_colors else sources.only_in(_around(sparse, frame)).rows
        sums[rows] = nearby_sums(points[rows], colors[near], counts[near], scheme.reach, device)
    kernels = bricks.kernel_blocks(scheme, device)
    together = max(1, MAX_NODES // EDGE ** points.shape[1])
    for start in range(0, len(dense), together):
        here = dense[start : start + together]
        mesh = _carried_to(here, sources, counts, frame, kernels, scheme, device)
        if mesh is not None:
            bricks.read(mesh, targets.only_in(here), scheme, sums, device)
    return sums


def _holds_few(colors: Array) -> bool:
    """Whether nodes of bricks would take longer than the colors in them: guessed from a sample."""
    sample = colors[:: -(-len(colors) // SAMPLE)]
    width = TO_PEAK.step * EDGE
    in_bricks = count_rows(np.floor(sample / width)).counts * (len(colors) / len(sample))
    in_bricks = in_bricks[in_bricks >= CROWDED]
    nodes = float(EDGE) ** colors.shape[1] * len(in_bricks)
    return bool(BRICK_PAIRS * nodes > POINT_PAIRS * in_bricks.sum())


def _divided(
    targets: Placement, sources: Placement, frame: Frame, node_pairs: float
) -> tuple[Integers, Integers]:
    """Return the bricks whose points are to be read off a mesh, and those where pairs are fewer.

    `node_pairs`: pairs that take as long as a node.
    """
    numbers, n_points = targets.bricks
    others, n_colors = sources.bricks
    met = np.zeros(len(numbers))
    for offset in frame.offsets_around:
        place = np.minimum(np.searchsorted(others, numbers + offset), len(others) - 1)
        met += np.where(others[place] == numbers + offset, n_colors[place], 0)
    nodes = float(EDGE) ** len(frame.shape)
    by_mesh = node_pairs * nodes + POINT_PAIRS * (n_points + met / 27)
    is_dense = LOOKED_AT * n_points * met > by_mesh
    return numbers[is_dense], numbers[~is_dense & (met > 0)]


def _around(numbers: Integers, frame: Frame) -> Integers:
    """Return bricks and all their neighbors."""
    for stride in frame.strides:
        numbers = _along(numbers, stride, (-1, 0, 1))
    return numbers


def _along(numbers: Integers, stride: int, steps: tuple[int, ...]) -> Integers:
    """Return the numbers of bricks so many steps along an axis."""
    return np.unique(np.concatenate([numbers + step * stride for step in steps]))


def _carried_to(
    here: Integers,
    sources: Placement,
    counts: NDArray[np.float32],
    frame: Frame,
    kernels: bricks.Kernels,
    scheme: Scheme,
    device: Device,
) -> bricks.Bricks | None:
    """Return kernel sums at the nodes of bricks and what points in these meet beyond them.

    Along each axis only those bricks are computed that are reached, and matter later.
    """
    near = sources.only_in(_around(_spilled(here, frame), frame))
    if len(near.first) == 0:
        return None
    mesh = bricks.spread(
        near, counts, _spilled(near.bricks[0], frame), frame.strides, scheme, device
    )
    for axis, stride in enumerate(frame.strides):
        wanted = _spilled(here, frame)
        for later in frame.strides[axis + 1 :]:
            wanted = _along(wanted, later, (-1, 0, 1))
        reached = _along(mesh.numbers, stride, (-1, 0, 1))
        mesh = bricks.carry(mesh, axis, np.intersect1d(wanted, reached), kernels, device)
    return mesh


def _spilled(numbers: Integers, frame: Frame) -> Integers:
    """Return bricks and the next ones along every axis, whose first nodes their points meet."""
    for stride in frame.strides:
        numbers = _along(numbers, stride, (0, 1))
    return numbers


def fits(whitened: Array) -> bool:
    """Whether one mesh for these colors ``(U, C)`` is within the limits."""
    # Counted, not made: kernels may be a billion times narrower than the range.
    lengths = np.ptp(whitened, axis=0) / TO_PEAK.step + 2 * EDGE
    return bool(lengths.max() <= MAX_AXIS_NODES and lengths.prod() <= MAX_MESH_NODES)


def mesh_of(whitened: Array, counts: NDArray[np.float32], device: Device) -> Mesh:
    """Spread colors ``(U, C)`` over a mesh in one piece (see `fits`), for volumes."""
    scheme = TO_PEAK
    frame = Frame.filled(whitened, step=scheme.step)
    placement = Placement.of(whitened, frame, scheme.step)
    numbers = _spilled(placement.bricks[0], frame)
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
    return Mesh(whole / bricks.SCALE, nodes)


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
            _matrix(axis / d, nodes, sampling)
            for axis, d, nodes in zip(axes, np.diag(cholesky), mesh.nodes, strict=True)
        ]
        return separable_transform(mesh.counts, matrices, device)
    first = _matrix(axes[0] / cholesky[0, 0], mesh.nodes[0], "points")
    grid = multiply_axis(mesh.counts, first, 0, device)
    for axis in range(1, len(axes)):
        grid = _read_sheared_axis(grid, axis, cholesky, axes, mesh.nodes[axis], device)
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


def _matrix(targets: Array, nodes: Array, sampling: Sampling) -> Array:
    """Return what each node adds at each target: κ with one spline undone, or its cell averages."""
    distance = targets[:, np.newaxis] - nodes
    if sampling == "points" or len(targets) < 2:
        return TO_PEAK.deconvolved(distance, 1)
    return TO_PEAK.cell_averages(distance, float(targets[1] - targets[0]))


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
    nodes: Array,
    device: Device,
) -> torch.Tensor:
    """Read axis `axis` of ``(B_0, …, B_{axis−1}, M_axis, …)`` at its sheared places."""
    step = TO_PEAK.step
    where = (_whitened_axis(axis, cholesky, axes) - nodes[0]) / step  # (B_0, …, B_axis)
    # In float32 a coordinate of 900 is good to 3e-5 only: whole cells and the rest apart.
    whole = np.rint(where)
    cells, rest = device.put(whole), device.put(step * (where - whole))
    at_nodes = device.put(np.arange(len(nodes)))
    planes = []
    for plane, cell, offset in zip(grid, cells, rest, strict=True):  # one value of axis 0 at a time
        distance = (cell[..., None] - at_nodes).mul_(step).add_(offset[..., None])
        weights = TO_PEAK.deconvolved_in_place(distance, 1)
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
