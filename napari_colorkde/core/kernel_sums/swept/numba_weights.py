"""Weights of points on the nodes that they meet along an axis, as machine code.

A weight is a polynomial of the place within a cell; tables (LINE, LINE) hold the coefficients, a
row for each power and a column for each node. Imported by `numba_sums` and `numba_sweep`, see
there.
"""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.compiled_loops import compiled
from napari_colorkde.core.kernel_sums.bricks import LINE

TOGETHER = 32
"""Points whose weights are computed in one go."""

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]

loop = partial(compiled, fastmath=True)


@loop("void(float64, float32[:, ::1], float32[::1])", writes=2)
def weigh(place: float, table: Floats, weights: Floats) -> None:
    """Write a point's weights (LINE,) on the nodes that it meets along an axis."""
    t = np.float32(place - np.floor(place) - 0.5)
    for node in range(LINE):
        weights[node] = table[LINE - 1, node]
    for power in range(LINE - 2, -1, -1):
        for node in range(LINE):
            weights[node] = weights[node] * t + table[power, node]
    for node in range(LINE):
        weights[node] = max(weights[node], np.float32(0))


@loop(f"float32({', '.join(['float32'] * (LINE + 1))})", writes=())
def weight_at(
    t: np.float32, c0: np.float32, c1: np.float32, c2: np.float32, c3: np.float32,
    c4: np.float32, c5: np.float32, c6: np.float32, c7: np.float32,
) -> np.float32:  # fmt: skip
    """Return the weight on a node of a point at t in its cell, −½ to ½, from a table's column."""
    high = c4 + t * (c5 + t * (c6 + t * c7))
    return max(c0 + t * (c1 + t * (c2 + t * (c3 + t * high))), np.float32(0))


@loop("void(float64[::1], int64, float32[:, ::1], float32[:, ::1])", writes=3)
def weigh_many(places: Doubles, first: int, table: Floats, weights: Floats) -> None:
    """Write the weights (TOGETHER, LINE) of the points from `first` on."""
    n = min(TOGETHER, len(places) - first)
    rest = np.zeros(TOGETHER, np.float32)
    for i in range(n):
        place = places[first + i]
        rest[i] = np.float32(place - np.floor(place) - 0.5)
    for node in range(LINE):
        c0, c1, c2, c3 = table[0, node], table[1, node], table[2, node], table[3, node]
        c4, c5, c6, c7 = table[4, node], table[5, node], table[6, node], table[7, node]
        for i in range(TOGETHER):
            weights[i, node] = weight_at(rest[i], c0, c1, c2, c3, c4, c5, c6, c7)
