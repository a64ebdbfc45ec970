"""Points spread over bricks and read off them, and pairs of points summed, as machine code.

What `bricks` and `nearby` do in batches with torch, for one point after the other.

Importing this module imports numba and compiles, or reads what an earlier process compiled: ask
`core.compiled_loops` for it. For three channels; with fewer, little is left to gain.

Lines of nodes are as long as a vector register, whatever the splines' order: weights beyond are
zero, so tables have `LINE` columns, and bricks as many numbers after their last node.
"""

import math
from functools import partial

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.compiled_loops import compiled
from napari_colorkde.core.kernel_sums.bricks import LINE
from napari_colorkde.core.kernel_sums.points_in_bricks import EDGE

POINTS = "float64[:, ::1], int64[::1], int64[::1], int64[::1], int64[::1], float64, float32[:, ::1]"
"""Whitened points, their rows in order, each brick's first and last place in it and its position,
the step, and the table (order, LINE) of the weights' polynomials."""

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]

loop = partial(compiled, fastmath=True)


@loop("int64(float64[::1], float64, float32[:, ::1], float32[:, ::1])", writes=3)
def _meet(point: Doubles, step: float, table: Floats, weights: Floats) -> int:
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


@loop(f"void({POINTS}, float32[::1], float32[:, ::1])", writes=8)
def spread(
    points: Doubles, rows: Integers, first: Integers, last: Integers, brick: Integers, step: float,
    table: Floats, counts: Floats, mesh: Floats,
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
            corner = _meet(points[rows[i]], step, table, weights)
            for x in range(order):
                amount = weights[0, x] * counts[rows[i]]
                for y in range(order):
                    product = amount * weights[1, y]
                    line = values[corner + (x * edge + y) * edge :]
                    for z in range(LINE):
                        line[z] += product * weights[2, z]
        mesh[brick[b]] = values


@loop(f"void({POINTS}, float32[:, ::1], float32[::1])", writes=8)
def read(
    points: Doubles, rows: Integers, first: Integers, last: Integers, brick: Integers, step: float,
    table: Floats, mesh: Floats, sums: Floats,
) -> None:  # fmt: skip
    """Write ``Σ value · Π_a weight_a`` of the nodes (n, edge³ + LINE) that points meet."""
    order = table.shape[0]
    edge = EDGE + order - 1
    weights = np.empty((3, LINE), np.float32)
    lines = np.empty(LINE, np.float32)
    for b in range(len(first)):
        values = mesh[brick[b]]
        for i in range(first[b], last[b]):
            corner = _meet(points[rows[i]], step, table, weights)
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


TERMS = [np.float32(np.log(2) ** k / math.factorial(k)) for k in range(7)]
C1, C2, C3, C4, C5, C6 = TERMS[1:]
"""Of the series of 2^x, which for |x| ≤ ½ is good to 1e-7."""


@loop(
    "void(int64[::1], int64[::1], float32[:, :, ::1], int64[::1], float64[:, ::1], "
    "float32[:, :, ::1], float32[:, ::1], float64[:, ::1], float32[:, ::1], float64, float32, "
    "float32[:, ::1])",
    writes=11,
)
def add_pairs(
    run: Integers, other: Integers, here: Floats, size: Integers, here_middle: Doubles,
    there: Floats, counts: Floats, there_middle: Doubles, there_extent: Floats, root: float,
    squared_reach: np.float32, sums: Floats,
) -> None:  # fmt: skip
    """Add the kernels of colors to the sums (n, RUN) at points, for pairs of runs.

    See `nearby.nearby_sums`. Points (n, RUN, 3) and colors (m, 3, COLOR_RUN) are relative to their
    runs' middles and, as their boxes' extents and the reach, times `root`.
    """
    length = there.shape[2]
    terms = np.empty(length, np.float32)
    scales = np.empty(length, np.int32)
    as_floats = scales.view(np.float32)
    for k in range(len(run)):
        r, o = run[k], other[k]
        shift_x = np.float32((here_middle[r, 0] - there_middle[o, 0]) * root)
        shift_y = np.float32((here_middle[r, 1] - there_middle[o, 1]) * root)
        shift_z = np.float32((here_middle[r, 2] - there_middle[o, 2]) * root)
        for point in range(size[r]):
            x = here[r, point, 0] + shift_x
            y = here[r, point, 1] + shift_y
            z = here[r, point, 2] + shift_z
            gap_x = max(abs(x) - there_extent[o, 0], np.float32(0))
            gap_y = max(abs(y) - there_extent[o, 1], np.float32(0))
            gap_z = max(abs(z) - there_extent[o, 2], np.float32(0))
            if gap_x * gap_x + gap_y * gap_y + gap_z * gap_z > squared_reach:
                continue
            for j in range(length):
                dx, dy, dz = x - there[o, 0, j], y - there[o, 1, j], z - there[o, 2, j]
                exponent = np.float32(-0.5) * (dx * dx + dy * dy + dz * dz)
                exponent = max(exponent, np.float32(-126))
                whole = np.floor(exponent + np.float32(0.5))
                f = exponent - whole
                power = C4 + f * (C5 + f * C6)
                power = np.float32(1) + f * (C1 + f * (C2 + f * (C3 + f * power)))
                terms[j] = power * counts[o, j]
                scales[j] = (np.int32(whole) + np.int32(127)) << np.int32(23)
            total = np.float32(0)
            for j in range(length):
                total += terms[j] * as_floats[j]
            sums[r, point] += total
