"""Colors spread over a slab of a mesh and read off it, one by one, as machine code.

For colors of which few share a level of their first channel, as floats: what `numba_sweep` adds up
for a level would be that of a single color. Imported by `numba_sums`, see there.

The sums over the nodes of a point are written out here and in `numba_sums`: shared by a function,
inlined or not, spreading takes 8 % longer here and 20 % there, and reading 10 % longer here.
"""

import numpy as np

from napari_colorkde.core.kernel_sums.bricks import LINE
from napari_colorkde.core.kernel_sums.swept.numba_weights import (
    TOGETHER,
    Doubles,
    Floats,
    loop,
    weigh_many,
)


@loop("void(float64[:, :, ::1], int64, int64, int64, float32[:, :, ::1])", writes=(0, 4))
def _empty(cells: Doubles, first: int, last: int, here: int, slab: Floats) -> None:
    """Add the planes of a cell to the slab, from row `first` to `last`, and clear them."""
    for p in range(len(cells)):
        for r in range(first, last):
            of, into = cells[p, r], slab[here + p, r]
            for k in range(len(of)):
                into[k] += np.float32(of[k])
            of[:] = 0


@loop(
    "void(float64[::1], float64[::1], float64[::1], float32[::1], float32[:, ::1], int64, "
    "float32[:, :, ::1])",
    writes=6,
)
def spread_scattered(
    x: Doubles, y: Doubles, z: Doubles, counts: Floats, table: Floats, order: int, slab: Floats
) -> None:
    """Add ``count · Π_a weight_a`` to the nodes of a slab that points meet.

    Parameters
    ----------
    x, y, z
        (n,) places of the points in cells of the slab, not negative, x ascending.
    counts
        (n,).
    table
        (LINE, LINE) coefficients of the weights, power by node.
    order
        Order of the splines.
    slab
        (planes, rows, columns + room for LINE). What a cell adds is summed in float64 before.
    """
    n_rows, width = slab.shape[1], slab.shape[2]
    cells = np.zeros((order, n_rows, width))
    flat = cells.reshape(order * n_rows * width)
    wx, wy = np.zeros((TOGETHER, LINE), np.float32), np.zeros((TOGETHER, LINE), np.float32)
    wz = np.zeros((TOGETHER, LINE), np.float32)
    here, first_row, last_row = -1, n_rows, 0
    for start in range(0, len(x), TOGETHER):
        weigh_many(x, start, table, wx)
        weigh_many(y, start, table, wy)
        weigh_many(z, start, table, wz)
        for i in range(min(TOGETHER, len(x) - start)):
            point = start + i
            if int(x[point]) != here:
                if here >= 0:
                    _empty(cells, first_row, last_row, here, slab)
                here, first_row, last_row = int(x[point]), n_rows, 0
            row, column, count = int(y[point]), int(z[point]), counts[point]
            first_row, last_row = min(first_row, row), max(last_row, row + order)
            z0, z1, z2, z3 = wz[i, 0], wz[i, 1], wz[i, 2], wz[i, 3]
            z4, z5, z6, z7 = wz[i, 4], wz[i, 5], wz[i, 6], wz[i, 7]
            for p in range(order):
                amount = wx[i, p] * count
                for r in range(order):
                    product = np.float64(amount * wy[i, r])
                    at = np.uint64((p * n_rows + row + r) * width + column)
                    flat[at] += product * z0
                    flat[at + np.uint64(1)] += product * z1
                    flat[at + np.uint64(2)] += product * z2
                    flat[at + np.uint64(3)] += product * z3
                    flat[at + np.uint64(4)] += product * z4
                    flat[at + np.uint64(5)] += product * z5
                    if order > 6:
                        flat[at + np.uint64(6)] += product * z6
                        flat[at + np.uint64(7)] += product * z7
    if here >= 0:
        _empty(cells, first_row, last_row, here, slab)


@loop(
    "void(float64[::1], float64[::1], float64[::1], float32[:, ::1], int64, float32[:, :, ::1], "
    "float32[::1])",
    writes=6,
)
def read_scattered(
    x: Doubles, y: Doubles, z: Doubles, table: Floats, order: int, slab: Floats, sums: Floats
) -> None:
    """Write ``Σ value · Π_a weight_a`` of the nodes of a slab that points meet, see above."""
    n_rows, width = slab.shape[1], slab.shape[2]
    flat = slab.reshape(slab.size)
    wx, wy = np.zeros((TOGETHER, LINE), np.float32), np.zeros((TOGETHER, LINE), np.float32)
    wz = np.zeros((TOGETHER, LINE), np.float32)
    for start in range(0, len(x), TOGETHER):
        weigh_many(x, start, table, wx)
        weigh_many(y, start, table, wy)
        weigh_many(z, start, table, wz)
        for i in range(min(TOGETHER, len(x) - start)):
            point = start + i
            plane, row, column = int(x[point]), int(y[point]), int(z[point])
            s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = np.float32(0)
            for p in range(order):
                for r in range(order):
                    product = wx[i, p] * wy[i, r]
                    at = np.uint64(((plane + p) * n_rows + row + r) * width + column)
                    s0 += product * flat[at]
                    s1 += product * flat[at + np.uint64(1)]
                    s2 += product * flat[at + np.uint64(2)]
                    s3 += product * flat[at + np.uint64(3)]
                    s4 += product * flat[at + np.uint64(4)]
                    s5 += product * flat[at + np.uint64(5)]
                    s6 += product * flat[at + np.uint64(6)]
                    s7 += product * flat[at + np.uint64(7)]
            low = s0 * wz[i, 0] + s1 * wz[i, 1] + s2 * wz[i, 2] + s3 * wz[i, 3]
            high = s4 * wz[i, 4] + s5 * wz[i, 5] + s6 * wz[i, 6] + s7 * wz[i, 7]
            sums[point] = low + high
