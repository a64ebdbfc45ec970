"""Points spread over bricks and read off them, and pairs of points summed, as machine code.

What `bricks` and `nearby` do in batches with torch, for one point after the other.

Importing this module imports numba and compiles, or reads what an earlier process compiled: ask
`core.compiled_loops` for it. For three channels; with fewer, little is left to gain.

Weights are computed for `TOGETHER` points at a time, so that registers are full, and lines of nodes
are as long as a register, whatever the splines' order: weights beyond are zero, tables have `LINE`
rows and columns, and bricks as many numbers after their last node. Indices are unsigned, since
numba looks at the sign of others before each access.
"""

import math

import numpy as np

from napari_colorkde.core.kernel_sums.bricks import LINE
from napari_colorkde.core.kernel_sums.points_in_bricks import EDGE
from napari_colorkde.core.kernel_sums.swept.numba_grid import read_grid
from napari_colorkde.core.kernel_sums.swept.numba_scattered import read_scattered, spread_scattered
from napari_colorkde.core.kernel_sums.swept.numba_sweep import WINDOW, read_levels, spread_levels
from napari_colorkde.core.kernel_sums.swept.numba_weights import (
    TOGETHER,
    Doubles,
    Floats,
    Integers,
    loop,
    weight_at,
)
from napari_colorkde.core.kernel_sums.tails.numba_tree import LOWEST, add_leaves

__all__ = [
    "LOWEST",
    "WINDOW",
    "add_leaves",
    "add_pairs",
    "read",
    "read_grid",
    "read_levels",
    "read_scattered",
    "spread",
    "spread_levels",
    "spread_scattered",
]

POINTS = "float64[:, ::1], int64[::1], int64[::1], int64[::1], int64[::1], float64, float32[:, ::1]"
"""Whitened points, their rows in order, each brick's first and last place in it and its position,
the step, and the table (LINE, LINE) of the weights' polynomials."""


@loop(
    "void(float64[:, ::1], int64[::1], int64, float64, int64, float32[:, ::1], float32[::1], "
    "int64[::1], float32[:, :, ::1])",
    writes=(6, 7, 8),
)
def _meet(
    points: Doubles, rows: Integers, n: int, inverse_step: float, edge: int, table: Floats,
    places: Floats, corner: Integers, weights: Floats,
) -> None:  # fmt: skip
    """Write the first node that each of n points meets in its brick, and its weights there.

    `places` (TOGETHER,) is overwritten, `weights` are (3, LINE, TOGETHER).
    """
    for i in range(n):
        corner[i] = 0
    for axis in range(3):
        for i in range(n):
            scaled = points[np.uint64(rows[i]), axis] * inverse_step
            cell = np.floor(scaled)
            places[i] = np.float32(scaled - cell - 0.5)
            corner[i] = corner[i] * edge + (np.int64(cell) & (EDGE - 1))
        for node in range(LINE):
            c0, c1, c2, c3 = table[0, node], table[1, node], table[2, node], table[3, node]
            c4, c5, c6, c7 = table[4, node], table[5, node], table[6, node], table[7, node]
            for i in range(TOGETHER):
                weights[axis, node, i] = weight_at(places[i], c0, c1, c2, c3, c4, c5, c6, c7)


@loop(f"void({POINTS}, int64, float32[::1], float32[:, ::1])", writes=9)
def spread(
    points: Doubles, rows: Integers, first: Integers, last: Integers, brick: Integers, step: float,
    table: Floats, order: int, counts: Floats, mesh: Floats,
) -> None:  # fmt: skip
    """Write the sums of ``count · Π_a weight_a`` at the nodes (n, edge³ + LINE) that points meet.

    Summed in float64: a node may be met by a million points.
    """
    edge = EDGE + order - 1
    places, corner = np.zeros(TOGETHER, np.float32), np.empty(TOGETHER, np.int64)
    w = np.empty((3, LINE, TOGETHER), np.float32)
    values = np.empty(mesh.shape[1])
    for b in range(len(first)):
        values[:] = 0
        for start in range(first[b], last[b], TOGETHER):
            n = min(TOGETHER, last[b] - start)
            own = rows[start : start + n]
            _meet(points, own, n, 1 / step, edge, table, places, corner, w)
            for i in range(n):
                count = counts[np.uint64(own[i])]
                z0, z1, z2, z3 = w[2, 0, i], w[2, 1, i], w[2, 2, i], w[2, 3, i]
                z4, z5, z6, z7 = w[2, 4, i], w[2, 5, i], w[2, 6, i], w[2, 7, i]
                for x in range(order):
                    amount = w[0, x, i] * count
                    for y in range(order):
                        product = np.float64(amount * w[1, y, i])
                        at = np.uint64(corner[i] + (x * edge + y) * edge)
                        values[at] += product * z0
                        values[at + np.uint64(1)] += product * z1
                        values[at + np.uint64(2)] += product * z2
                        values[at + np.uint64(3)] += product * z3
                        values[at + np.uint64(4)] += product * z4
                        values[at + np.uint64(5)] += product * z5
                        if order > 6:
                            values[at + np.uint64(6)] += product * z6
                            values[at + np.uint64(7)] += product * z7
        mesh[brick[b]] = values


@loop(
    "float32(float32[::1], int64, int64, float32[:, ::1], float32[:, ::1], float32[:, ::1], int64, "
    "int64)",
    writes=(),
)
def _sum_of_nodes(
    values: Floats, corner: int, edge: int, wx: Floats, wy: Floats, wz: Floats, i: int, order: int
) -> np.float32:
    """Return the sum of a brick's nodes that a point meets, by the weights (LINE, TOGETHER).

    As a function of its own, whose numbers all stay in registers, it takes little more than half
    the time.
    """
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = np.float32(0)
    for x in range(order):
        for y in range(order):
            product = wx[x, i] * wy[y, i]
            at = np.uint64(corner + (x * edge + y) * edge)
            s0 += product * values[at]
            s1 += product * values[at + np.uint64(1)]
            s2 += product * values[at + np.uint64(2)]
            s3 += product * values[at + np.uint64(3)]
            s4 += product * values[at + np.uint64(4)]
            s5 += product * values[at + np.uint64(5)]
            s6 += product * values[at + np.uint64(6)]
            s7 += product * values[at + np.uint64(7)]
    low = s0 * wz[0, i] + s1 * wz[1, i] + s2 * wz[2, i] + s3 * wz[3, i]
    total: np.float32 = low + s4 * wz[4, i] + s5 * wz[5, i] + s6 * wz[6, i] + s7 * wz[7, i]
    return total


@loop(f"void({POINTS}, int64, float32[:, ::1], float32[::1])", writes=9)
def read(
    points: Doubles, rows: Integers, first: Integers, last: Integers, brick: Integers, step: float,
    table: Floats, order: int, mesh: Floats, sums: Floats,
) -> None:  # fmt: skip
    """Write ``Σ value · Π_a weight_a`` of the nodes (n, edge³ + LINE) that points meet."""
    edge = EDGE + order - 1
    places, corner = np.zeros(TOGETHER, np.float32), np.empty(TOGETHER, np.int64)
    w = np.empty((3, LINE, TOGETHER), np.float32)
    for b in range(len(first)):
        values = mesh[brick[b]]
        for start in range(first[b], last[b], TOGETHER):
            n = min(TOGETHER, last[b] - start)
            own = rows[start : start + n]
            _meet(points, own, n, 1 / step, edge, table, places, corner, w)
            for i in range(n):
                sums[np.uint64(own[i])] = _sum_of_nodes(
                    values, corner[i], edge, w[0], w[1], w[2], i, order
                )


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
