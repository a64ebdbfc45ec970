"""Colors spread over a slab of a mesh and read off it, level by level, as machine code.

A palette's colors are sorted by their first channel, those of one *level* of it by the second, and
those with both in common by the third. So each color needs its weights along the last axis alone:
what colors share is added up first, and carried along the other axes once.

    color → a line of `WINDOW` nodes → the plane of its level → the planes of its cell → the slab

Any other order gives the same, in more time. Imported by `numba_sums`, see there.
"""

import numpy as np

from napari_colorkde.core.kernel_sums.bricks import LINE
from napari_colorkde.core.kernel_sums.swept.numba_weights import (
    TOGETHER,
    Doubles,
    Floats,
    Integers,
    loop,
    weigh,
    weigh_many,
)

SPAN = 8
"""Cells that the colors of one line lie in."""

WINDOW = SPAN + LINE
"""Nodes of a line. Planes have room for so many after their last node."""


@loop("int64(float64[::1], float64[::1], int64, int64, int64)", writes=())
def _end_of_line(y: Doubles, z: Doubles, start: int, stop: int, first: int) -> int:
    """Return where the points end that share a line with the one at `start`."""
    end = start + 1
    while end < stop and y[end] == y[start]:
        cell = int(z[end])
        if cell < first or cell >= first + SPAN:
            break
        end += 1
    return end


@loop(
    "void(float64[:, :, ::1], int64[::1], int64[::1], int64, float32[:, :, ::1])",
    writes=(0, 1, 2, 4),
)
def _empty(cells: Doubles, low: Integers, high: Integers, here: int, slab: Floats) -> None:
    """Add the planes of a cell to the slab, between what its rows hold, and clear them."""
    for p in range(len(cells)):
        for r in range(cells.shape[1]):
            of, into = cells[p, r], slab[here + p, r]
            for k in range(low[r], high[r]):
                into[k] += np.float32(of[k])
            if low[r] < high[r]:
                of[low[r] : high[r]] = 0
    low[:] = cells.shape[2]
    high[:] = 0


@loop(
    "void(float64[:, ::1], int64[::1], int64[::1], int64, int64, float32[::1], "
    "float64[:, :, ::1], int64[::1], int64[::1])",
    writes=(0, 1, 2, 6, 7, 8),
)
def _raise_plane(
    plane: Doubles, low: Integers, high: Integers, first: int, last: int, weights: Floats,
    cells: Doubles, all_low: Integers, all_high: Integers,
) -> None:  # fmt: skip
    """Add a level's plane to those of its cell, between what its rows hold, and clear it."""
    for r in range(first, last):
        if low[r] >= high[r]:
            continue
        of = plane[r]
        for p in range(len(cells)):
            into, weight = cells[p, r], np.float64(weights[p])
            for k in range(low[r], high[r]):
                into[k] += weight * of[k]
        of[low[r] : high[r]] = 0
        all_low[r], all_high[r] = min(all_low[r], low[r]), max(all_high[r], high[r])
        low[r], high[r] = len(of), 0


@loop(
    "void(float64[::1], float64[::1], float64[::1], float32[::1], float32[:, ::1], int64, "
    "float32[:, :, ::1])",
    writes=6,
)
def spread_levels(
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
        (planes, rows, columns + WINDOW). What a cell adds is summed in float64 before.
    """
    n_rows, width = slab.shape[1], slab.shape[2]
    line, plane = np.zeros(WINDOW), np.zeros((n_rows, width))
    flat = plane.reshape(n_rows * width)
    cells = np.zeros((order, n_rows, width))
    low, high = np.full(n_rows, width, np.int64), np.zeros(n_rows, np.int64)
    all_low, all_high = np.full(n_rows, width, np.int64), np.zeros(n_rows, np.int64)
    wx, wy = np.zeros(LINE, np.float32), np.zeros(LINE, np.float32)
    wz = np.zeros((TOGETHER, LINE), np.float32)
    weighed, weighed_row, start, here = -TOGETHER, -1.0, 0, -1
    n = len(x)
    while start < n:
        stop = start + 1
        while stop < n and x[stop] == x[start]:
            stop += 1
        if int(x[start]) != here:
            if here >= 0:
                _empty(cells, all_low, all_high, here, slab)
            here = int(x[start])
        first_row, last_row = n_rows, 0
        point = start
        while point < stop:
            first, row = int(z[point]), int(y[point])
            end = _end_of_line(y, z, point, stop, first)
            line[:] = 0
            for i in range(point, end):
                if i >= weighed + TOGETHER:
                    weighed = i
                    weigh_many(z, i, table, wz)
                at = int(z[i]) - first
                place, own = np.uint64(at), np.uint64(i - weighed)
                for node in range(LINE):
                    line[place + np.uint64(node)] += wz[own, np.uint64(node)] * counts[i]
            if y[point] != weighed_row:
                weighed_row = y[point]
                weigh(weighed_row, table, wy)
            for r in range(order):
                weight, place = np.float64(wy[r]), np.uint64((row + r) * width + first)
                for node in range(WINDOW):
                    flat[place + np.uint64(node)] += weight * line[node]
                low[row + r] = min(low[row + r], first)
                high[row + r] = max(high[row + r], first + WINDOW)
            first_row, last_row = min(first_row, row), max(last_row, row + order)
            point = end
        weigh(x[start], table, wx)
        _raise_plane(plane, low, high, first_row, last_row, wx, cells, all_low, all_high)
        start = stop
    if here >= 0:
        _empty(cells, all_low, all_high, here, slab)


@loop(
    "void(float64[::1], float64[::1], float64[::1], float32[:, ::1], int64, float32[:, :, ::1], "
    "float32[::1])",
    writes=6,
)
def read_levels(
    x: Doubles, y: Doubles, z: Doubles, table: Floats, order: int, slab: Floats, sums: Floats
) -> None:
    """Write ``Σ value · Π_a weight_a`` of the nodes of a slab that points meet, see above."""
    n_rows, width = slab.shape[1], slab.shape[2]
    line, plane = np.zeros(WINDOW, np.float32), np.zeros((n_rows, width), np.float32)
    flat = plane.reshape(n_rows * width)
    low, high = np.full(n_rows, width, np.int64), np.zeros(n_rows, np.int64)
    wx, wy = np.zeros(LINE, np.float32), np.zeros(LINE, np.float32)
    wz = np.zeros((TOGETHER, LINE), np.float32)
    weighed, weighed_row, start = -TOGETHER, -1.0, 0
    n = len(x)
    while start < n:
        stop = start + 1
        while stop < n and x[stop] == x[start]:
            stop += 1
        first_row, last_row = n_rows, 0
        point = start
        while point < stop:
            first, row = int(z[point]), int(y[point])
            point = _end_of_line(y, z, point, stop, first)
            for r in range(row, row + order):
                low[r], high[r] = min(low[r], first), max(high[r], first + WINDOW)
            first_row, last_row = min(first_row, row), max(last_row, row + order)
        weigh(x[start], table, wx)
        cell = int(x[start])
        for r in range(first_row, last_row):
            if low[r] >= high[r]:
                continue
            into = plane[r]
            into[low[r] : high[r]] = 0
            for p in range(order):
                of, weight = slab[cell + p, r], wx[p]
                for k in range(low[r], high[r]):
                    into[k] += weight * of[k]
            low[r], high[r] = width, 0
        point = start
        while point < stop:
            first, row = int(z[point]), int(y[point])
            end = _end_of_line(y, z, point, stop, first)
            if y[point] != weighed_row:
                weighed_row = y[point]
                weigh(weighed_row, table, wy)
            line[:] = 0
            for r in range(order):
                share, place = wy[r], np.uint64((row + r) * width + first)
                for node in range(WINDOW):
                    line[node] += share * flat[place + np.uint64(node)]
            for i in range(point, end):
                if i >= weighed + TOGETHER:
                    weighed = i
                    weigh_many(z, i, table, wz)
                at = int(z[i]) - first
                total = np.float32(0)
                place, own = np.uint64(at), np.uint64(i - weighed)
                for node in range(LINE):
                    total += wz[own, np.uint64(node)] * line[place + np.uint64(node)]
                sums[i] = total
            point = end
        start = stop
