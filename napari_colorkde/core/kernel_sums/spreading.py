"""Colors off the lattice, and full covariances: sums of the unit Gaussian in whitened coordinates.

In whitened coordinates ``y = L⁻¹ (x − c)`` (``covariance = L Lᵀ``, L lower triangular) every
bandwidth is the unit Gaussian. Colors are spread over a mesh of bricks with B-splines, the kernel
is carried along its axes, and points are read off with B-splines again (`bsplines`, `bricks`).
Where a brick holds so few points that looking at their pairs costs less, that is done instead
(`nearby`). Nothing is negative, so nothing cancels.

The idea of a fast Gauss transform is Greengard & Strain's, SIAM J. Sci. Stat. Comput. 12 (1991);
spreading over a mesh is Greengard & Lee's, SIAM Review 46 (2004).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.device import Device
from napari_colorkde.core.kernel_sums import bricks
from napari_colorkde.core.kernel_sums.bsplines import TO_PEAK, TO_PEAK_BY_FEW, Scheme
from napari_colorkde.core.kernel_sums.choose_loops import loops_for
from napari_colorkde.core.kernel_sums.nearby import nearby_sums
from napari_colorkde.core.kernel_sums.points_in_bricks import EDGE, Frame, Integers, Placement
from napari_colorkde.core.kernel_sums.steps import Steps, value_of
from napari_colorkde.core.palette.map_blocks import map_blocks
from napari_colorkde.core.palette.sorted_rows.distinct_rows import count_rows

MAX_NODES = 1 << 24
"""Nodes of the bricks computed together: 67 MB in float32, and ten times that on the way."""


BRICK_PAIRS, BRICK_PAIRS_COMPILED = 5, 40
"""Pairs of points that can be looked at while one node of a brick is computed."""

POINT_PAIRS = 100
"""Pairs that can be looked at while one point is spread and read."""

COLOR_NODES = 10
"""Nodes that can be computed while one color is put into a run, to be looked at in pairs."""

LOOKED_AT = 0.2
"""Part of the pairs of a brick's points with those of its neighbors that is looked at."""

CROWDED = 256
"""Points from which on a brick is about to be worth its nodes."""

NEARBY_POINTS = 1 << 21
"""Points summed pair by pair between two yields: what is kept for each is then no matter."""

READ_POINTS = 1 << 21
"""Points read off a mesh between two yields: up to a second."""

SAMPLE = 1 << 17
"""Colors whose bricks are looked at to choose between schemes."""

Array = NDArray[np.float64]


def whiten(colors: NDArray[Any], cholesky: Array, center: Array) -> Array:
    """``L⁻¹ (x − c)`` for every row of ``(n, C)``."""
    whitened, inverse = np.empty(colors.shape), np.linalg.inv(cholesky)

    def write(part: slice) -> None:
        # Axis by axis: NumPy goes through three columns at once many times as slowly.
        away = [column - c for column, c in zip(colors[part].T, center, strict=True)]
        for axis, row in enumerate(inverse):
            total = row[axis] * away[axis]
            for before in np.flatnonzero(row[:axis]).tolist():
                total += row[before] * away[before]
            whitened[part, axis] = total

    map_blocks(write, len(colors))
    return whitened


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
    return value_of(sums_in_steps(points, colors, counts, scheme, device))


def sums_in_steps(
    points: Array, colors: Array, counts: NDArray[np.float32], scheme: Scheme, device: Device
) -> Steps[NDArray[np.float32]]:
    """Return the sums of `sums_at`, yielding the part that is done, so that it can be stopped."""
    if scheme is TO_PEAK and _holds_few(colors):
        scheme = TO_PEAK_BY_FEW
    sets = (colors,) if points is colors else (colors, points)
    frame = Frame.around(*sets, step=scheme.step)
    if not frame.is_countable:
        return nearby_sums(points, colors, counts, scheme.reach, device)
    sources = Placement.of(colors, frame, scheme.step)
    yield 0.0
    targets = sources if points is colors else Placement.of(points, frame, scheme.step)
    sums = np.zeros(len(points), np.float32)
    compiled = loops_for(len(points), points.shape[1], device) is not None
    node_pairs = BRICK_PAIRS_COMPILED if compiled else BRICK_PAIRS
    dense, sparse = _divided(targets, sources, frame, node_pairs)
    n_done = 0
    for here in _parts(sparse, targets, NEARBY_POINTS):
        rows, near = targets.only_in(here).rows, sources.only_in(_around(here, frame)).rows
        sums[rows] = nearby_sums(points[rows], colors[near], counts[near], scheme.reach, device)
        n_done += len(rows)
        yield n_done / len(points)
    kernels = bricks.kernel_blocks(scheme, device)
    together = max(1, MAX_NODES // EDGE ** points.shape[1])
    for start in range(0, len(dense), together):
        here = dense[start : start + together]
        mesh = _carried_to(here, sources, counts, frame, kernels, scheme, device)
        if mesh is None:
            continue
        for part in _parts(here, targets, READ_POINTS):
            yield n_done / len(points)
            read = targets.only_in(part)
            bricks.read(mesh, read, scheme, sums, device)
            n_done += read.n_points
    return sums


def _parts(numbers: Integers, targets: Placement, most: int) -> list[Integers]:
    """Cut a list of bricks so that about `most` points lie in those of each part."""
    n_parts = -(-targets.only_in(numbers).n_points // most) if len(numbers) else 0
    return np.array_split(numbers, min(n_parts, len(numbers))) if n_parts else []


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
    by_pairs = LOOKED_AT * n_points * met
    is_dense = by_pairs > by_mesh
    is_sparse = ~is_dense & (met > 0)
    # Where all around a few sparse bricks are many colors, finding those nearby takes longer.
    around = _around(numbers[is_sparse], frame)
    place = np.minimum(np.searchsorted(others, around), len(others) - 1)
    n_near = n_colors[place[others[place] == around]].sum()
    if (by_mesh - by_pairs)[is_sparse].sum() < COLOR_NODES * node_pairs * n_near:
        is_dense, is_sparse = met > 0, np.zeros(len(met), bool)
    return numbers[is_dense], numbers[is_sparse]


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
    around = _around(spilled(here, frame), frame)
    near = sources.only_in(around)
    if len(near.first) == 0:
        return None
    met = np.intersect1d(spilled(near.bricks[0], frame), around)
    mesh = bricks.spread(near, counts, met, frame.strides, scheme, device)
    for axis, stride in enumerate(frame.strides):
        wanted = spilled(here, frame)
        for later in frame.strides[axis + 1 :]:
            wanted = _along(wanted, later, (-1, 0, 1))
        reached = _along(mesh.numbers, stride, (-1, 0, 1))
        mesh = bricks.carry(mesh, axis, np.intersect1d(wanted, reached), kernels, device)
    return mesh


def spilled(numbers: Integers, frame: Frame) -> Integers:
    """Return bricks and the next ones along every axis, whose first nodes their points meet."""
    for stride in frame.strides:
        numbers = _along(numbers, stride, (0, 1))
    return numbers
