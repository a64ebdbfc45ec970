"""Sums of the colors in a tree, as machine code; see `color_tree`. Imported by `numba_sums`."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from napari_colorkde.core.compiled_loops import compiled
from napari_colorkde.core.kernel_sums.tails.color_tree import LEAF, LEFT_OUT, SMALL, SMALLER, TOP

LOWEST = -1e300
"""In the place of the log of nothing."""

Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]

loop = partial(compiled, fastmath=True)


@loop("float64(float64[::1], float64[::1])", writes=())
def _least(node: Doubles, at: Doubles) -> float:
    """Return the log of what a node adds at least at a point."""
    x, y, z = node[6] - at[0], node[7] - at[1], node[8] - at[2]
    bound: float = node[9] - 0.5 * (x * x + y * y + z * z + node[10])
    return bound


@loop("float64(float64[::1], float64[::1])", writes=())
def _most(node: Doubles, at: Doubles) -> float:
    """Return the log of what a node adds at most at a point."""
    x = max(node[0] - at[0], at[0] - node[3], 0.0)
    y = max(node[1] - at[1], at[1] - node[4], 0.0)
    z = max(node[2] - at[2], at[2] - node[5], 0.0)
    bound: float = node[9] - 0.5 * (x * x + y * y + z * z)
    return bound


@loop("float64(float64[::1], float64[::1])", writes=())
def _term(leaf: Doubles, at: Doubles) -> float:
    """Return the log of what a color adds at a point."""
    x, y, z = leaf[0] - at[0], leaf[1] - at[1], leaf[2] - at[2]
    term: float = leaf[3] - 0.5 * (x * x + y * y + z * z)
    return term


@loop("float64(float64[:, ::1], float64[:, ::1], int64[::1], float64[::1], int64)", writes=())
def _nearest(leaves: Doubles, nodes: Doubles, starts: Integers, at: Doubles, own: int) -> float:
    """Return the largest term of the leaf that seems to add most."""
    best, first, last = 0, starts[len(starts) - 2], starts[len(starts) - 1]
    for level in range(len(starts) - 2, -1, -1):
        least = 2 * LOWEST
        for node in range(first, last):
            bound = _least(nodes[node], at)
            if bound > least:
                least, best = bound, node - starts[level]
        if level:
            first = starts[level - 1] + LEAF * best
            last = min(first + LEAF, starts[level])
    largest = LOWEST
    for color in range(LEAF * best, min(LEAF * (best + 1), len(leaves))):
        if color != own:
            largest = max(largest, _term(leaves[color], at))
    return largest


@loop(
    "void(float64[:, ::1], int64[::1], float64[:, ::1], float64[:, ::1], int64[::1], float64[::1])",
    writes=5,
)
def add_leaves(
    points: Doubles, own: Integers, leaves: Doubles, nodes: Doubles, starts: Integers, logs: Doubles
) -> None:
    """Write log sums (Q,) at points (Q, 3), `LOWEST` in the place of −inf.

    `own` (Q,) are the places in the tree's order of the colors left out, or −1.
    """
    n_levels = len(starts) - 1
    room = TOP + LEAF * n_levels
    stack, levels = np.empty(room, np.int64), np.empty(room, np.int64)
    n_colors = len(leaves)
    for i in range(len(points)):
        at = points[i]
        largest = _nearest(leaves, nodes, starts, at, own[i])
        known, small = 1.0, SMALL
        while True:
            # Sums are times exp(−largest), and so is what is known to be a part of them.
            total, left_out, height = 0.0, 0.0, 0
            limit = largest + np.log(known) - small
            for node in range(starts[n_levels - 1], starts[n_levels]):
                stack[height], levels[height] = node, n_levels - 1
                height += 1
            while height:
                height -= 1
                node, level = stack[height], levels[height]
                bound = _most(nodes[node], at)
                if bound < limit:
                    left_out += np.exp(bound - largest)
                    continue
                first = LEAF * (node - starts[level])
                if level:
                    last = min(starts[level - 1] + first + LEAF, starts[level])
                    for below in range(starts[level - 1] + first, last):
                        stack[height], levels[height] = below, level - 1
                        height += 1
                    continue
                for color in range(first, min(first + LEAF, n_colors)):
                    term = _term(leaves[color], at)
                    if color == own[i]:
                        continue
                    if term > largest:
                        scale = np.exp(largest - term)
                        total, left_out, known = total * scale, left_out * scale, 1.0
                        largest = term
                    total += np.exp(term - largest)
                known = max(known, total)
                limit = largest + np.log(known) - small
            if left_out <= LEFT_OUT * total or largest <= LOWEST:
                break
            known, small = max(total, 1e-300), small + SMALLER
        logs[i] = largest + np.log(total) if total > 0 else LOWEST
