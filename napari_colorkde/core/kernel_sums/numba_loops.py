"""Points spread over bricks and read off them one by one, as machine code; see `bricks`.

Importing this module imports numba and compiles, or reads what an earlier process compiled: ask
`core.palette.compiled` for it. For three channels; with fewer, little is left to gain.

Lines of nodes are as long as a vector register, whatever the splines' order: weights beyond are
zero, so tables have `LINE` columns, and bricks as many numbers after their last node.
"""

from typing import Any

import numba
import numpy as np

from napari_colorkde.core.kernel_sums.bricks import LINE
from napari_colorkde.core.kernel_sums.placement import EDGE

POINTS = "float64[:, ::1], int64[::1], int64[::1], int64[::1], int64[::1], float64, float32[:, ::1]"
"""Whitened points, their rows in order, each brick's first and last place in it and its position,
the step, and the table (order, LINE) of the weights' polynomials."""

OPTIONS: dict[str, Any] = {"nogil": True, "cache": True, "fastmath": True}


def _meet(point: Any, step: Any, table: Any, weights: Any) -> Any:
    """Write the weights (3, LINE) of a point, and return the first node it meets in its brick."""
    order = table.shape[0]
    corner = 0
    for axis in range(3):
        scaled = point[axis] / step
        cell = np.floor(scaled)
        place = np.float32(scaled - cell - 0.5)
        corner = corner * (EDGE + order - 1) + (np.int64(cell) & (EDGE - 1))
        for node in range(LINE):
            weights[axis, node] = table[order - 1, node]
        for power in range(order - 2, -1, -1):
            for node in range(LINE):
                weights[axis, node] = weights[axis, node] * place + table[power, node]
        for node in range(LINE):
            weights[axis, node] = max(weights[axis, node], np.float32(0))
    return corner


_meet_compiled: Any = numba.njit(
    "int64(float64[::1], float64, float32[:, ::1], float32[:, ::1])", **OPTIONS
)(_meet)


def _spread(
    points: Any, rows: Any, first: Any, last: Any, brick: Any, step: Any, table: Any,
    counts: Any, mesh: Any,
) -> None:  # fmt: skip
    """Write the sums of ``count · Π_a weight_a`` at the nodes (n, edge³ + LINE) that points meet.

    Summed in float64: a node may be met by a million points.
    """
    order = table.shape[0]
    edge = EDGE + order - 1
    weights = np.empty((3, LINE), np.float32)
    values = np.empty(mesh.shape[1])
    for b in range(len(first)):
        values[:] = 0
        for i in range(first[b], last[b]):
            corner = _meet_compiled(points[rows[i]], step, table, weights)
            for x in range(order):
                amount = weights[0, x] * counts[rows[i]]
                for y in range(order):
                    product = amount * weights[1, y]
                    line = values[corner + (x * edge + y) * edge :]
                    for z in range(LINE):
                        line[z] += product * weights[2, z]
        mesh[brick[b]] = values


spread: Any = numba.njit(f"void({POINTS}, float32[::1], float32[:, ::1])", **OPTIONS)(_spread)


def _read(
    points: Any, rows: Any, first: Any, last: Any, brick: Any, step: Any, table: Any,
    mesh: Any, sums: Any,
) -> None:  # fmt: skip
    """Write ``Σ value · Π_a weight_a`` of the nodes (n, edge³ + LINE) that points meet."""
    order = table.shape[0]
    edge = EDGE + order - 1
    weights = np.empty((3, LINE), np.float32)
    lines = np.empty(LINE, np.float32)
    for b in range(len(first)):
        values = mesh[brick[b]]
        for i in range(first[b], last[b]):
            corner = _meet_compiled(points[rows[i]], step, table, weights)
            lines[:] = 0
            for x in range(order):
                for y in range(order):
                    product = weights[0, x] * weights[1, y]
                    line = values[corner + (x * edge + y) * edge :]
                    for z in range(LINE):
                        lines[z] += product * line[z]
            total = np.float32(0)
            for z in range(LINE):
                total += lines[z] * weights[2, z]
            sums[rows[i]] = total


read: Any = numba.njit(f"void({POINTS}, float32[:, ::1], float32[::1])", **OPTIONS)(_read)
