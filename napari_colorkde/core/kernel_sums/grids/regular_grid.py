"""Scattered points spread over the nodes nearby of a regular grid, with weights of any kind.

Points are taken in groups of neighbors that share a window of the grid, and the groups in batches
of equal size, so that all the work is in batched matrix products:

    ``grid[i, j, k] += Σ_n A[n, i] · (B[n, j] C[n, k])``

with A, B and C the weights of point n on the window's nodes, axis by axis.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_colorkde.core.device import Device
from napari_colorkde.core.palette.color_codes import append_digit

Axes = tuple[NDArray[np.float64], ...]
Weights = Callable[[torch.Tensor], torch.Tensor]
"""Of signed distances to the nodes of one axis, which it may overwrite."""

GROUP = 8
"""Nodes along each axis of the cube whose points share a window."""

BATCH = 32
"""Most points of one group multiplied together; groups are filled up to it."""

PRODUCTS = 1 << 20
"""Products of weights held at a time: 4 MB in float32, so that they stay in the cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """n batches of b neighbors among Q points, and the window of nodes each batch reaches.

    Attributes
    ----------
    rows
        ``(n, b)``: the points of each batch.
    real
        ``(n, b)``: False where a place is only filled up.
    starts
        ``(n, C)``: the first node of each window.
    widths
        C numbers of nodes, the same for all windows.
    """

    rows: NDArray[np.intp]
    real: NDArray[np.bool_]
    starts: NDArray[np.int64]
    widths: tuple[int, ...]

    def parts(self) -> Iterator["Windows"]:
        """So many batches at a time that `PRODUCTS` is kept."""
        size = max(1, PRODUCTS // (self.rows.shape[1] * math.prod(self.widths[1:])))
        for start in range(0, len(self.rows), size):
            part = slice(start, start + size)
            yield Windows(self.rows[part], self.real[part], self.starts[part], self.widths)

    def slices(self) -> Iterator[tuple[slice, ...]]:
        """Each window as an index of the mesh."""
        for start in self.starts.tolist():
            yield tuple(slice(s, s + w) for s, w in zip(start, self.widths, strict=True))


def windows_of(points: NDArray[np.float64], nodes: Axes, taps: tuple[int, ...]) -> Windows:
    """Put points ``(Q, C)`` in batches whose windows hold `taps` nodes on each side of them.

    Nodes beyond the ends of an axis are left out, and so are points that reach none. O(Q log Q).
    """
    lengths = np.array([len(axis) for axis in nodes])
    widths = np.minimum(GROUP + 2 * np.array(taps) - 1, lengths)
    cubes = _cells(points, nodes) // GROUP
    whole = widths == lengths
    cubes[:, whole] = 0
    corners = cubes * GROUP - np.where(whole, 0, np.array(taps) - 1)
    near = np.flatnonzero(((corners + widths > 0) & (corners < lengths)).all(axis=1))
    order, firsts = _sorted_by_row(cubes[near])
    order = near[order]
    sizes = np.diff(firsts, append=len(order))
    batch = min(BATCH, max(1, PRODUCTS // math.prod(widths[1:].tolist())))
    batches = -(-sizes // batch)
    group = np.repeat(np.arange(len(firsts)), batches)
    number = np.arange(len(group)) - np.repeat(np.cumsum(batches) - batches, batches)
    places = firsts[group, None] + number[:, None] * batch + np.arange(batch)
    lasts = (firsts + sizes - 1)[group, None]
    rows = order[np.minimum(places, lasts)]
    starts = np.clip(corners[rows[:, 0]], 0, lengths - widths)
    return Windows(rows, places <= lasts, starts, tuple(int(w) for w in widths))


def spread(
    points: NDArray[np.float64],
    counts: NDArray[Any],
    nodes: Axes,
    taps: tuple[int, ...],
    weights: tuple[Weights, ...],
    device: Device,
) -> torch.Tensor:
    """Add every point's ``count · Π_a weights_a(point_a − node_a)`` to the nodes nearby.

    Parameters
    ----------
    points, counts
        ``(Q, C)`` in the units of the nodes, ``(Q,)``.
    nodes
        C evenly spaced axes.
    taps
        How many nodes on each side of a point matter, per axis.
    weights
        One function per axis.

    Returns
    -------
    torch.Tensor
        ``(M_0, …, M_{C−1})`` float32. O(Q · Π_a (GROUP + 2 taps_a)) multiplications.
    """
    mesh = torch.zeros([len(axis) for axis in nodes], device=device.torch_device)
    for part in windows_of(points, nodes, taps).parts():
        first, *others = _factors(points, nodes, part, weights, device)
        amounts = device.put(np.where(part.real, counts[part.rows], 0).astype(np.float32))
        products = torch.ones_like(first[..., :1])
        for factor in others:
            products = (products[..., :, None] * factor[..., None, :]).flatten(2)
        blocks = torch.bmm((first * amounts[..., None]).transpose(1, 2), products)
        for block, window in zip(blocks.reshape(-1, *part.widths), part.slices(), strict=True):
            mesh[window] += block
    return mesh


def _factors(
    points: NDArray[np.float64],
    nodes: Axes,
    part: Windows,
    weights: tuple[Weights, ...],
    device: Device,
) -> list[torch.Tensor]:
    """Weights ``(n, b, w_a)`` of each point on its window's nodes, one tensor per axis."""
    factors = []
    for c, (axis, weight) in enumerate(zip(nodes, weights, strict=True)):
        first, step = _start_and_step(axis)
        coordinates = points[part.rows, c]
        # Whole steps and the rest apart, so that float32 holds small distances to 1e-8 of a step.
        nearest = np.rint((coordinates - first) / step)
        rest = device.put(coordinates - (first + step * nearest))
        within = torch.arange(part.widths[c], dtype=torch.float32, device=device.torch_device)
        steps = device.put(nearest - part.starts[:, c, None])[..., None] - within
        factors.append(weight(steps.mul_(step).add_(rest[..., None])))
    return factors


def _cells(points: NDArray[np.float64], nodes: Axes) -> NDArray[np.int64]:
    """The node at or below each point, ``(Q, C)``, counted from the first of each axis."""
    starts, steps = np.array([_start_and_step(axis) for axis in nodes]).T
    cells: NDArray[np.int64] = np.floor((points - starts) / steps).astype(np.int64)
    return cells


def _start_and_step(axis: NDArray[np.float64]) -> tuple[float, float]:
    return float(axis[0]), float(axis[1] - axis[0])


def _sorted_by_row(keys: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """An order of ``(n, C)`` integers in which equal rows are neighbors, and each run's first."""
    code = np.zeros(len(keys), np.int64)
    for column in keys.T:
        levels, ranks = _ranks(column)
        code = append_digit(code, ranks, levels)
    order = np.argsort(code, kind="stable")
    ordered = code[order]
    firsts = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))
    return order, firsts


def _ranks(column: NDArray[np.int64]) -> tuple[int, NDArray[np.int64]]:
    """Small non-negative integers in the place of these, and how many: equal where equal."""
    if len(column) == 0:
        return 1, column
    low, high = int(column.min()), int(column.max())
    if high - low < 1 << 20:
        return high - low + 1, column - low
    levels, ranks = np.unique(column, return_inverse=True)
    return len(levels), ranks
