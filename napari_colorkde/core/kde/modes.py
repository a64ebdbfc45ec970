"""The modes of a density of colors: its local maxima.

Colors that are densest among their neighbors are climbed from, by the mean shift (Comaniciu and
Meer, IEEE Transactions on Pattern Analysis and Machine Intelligence 24, 2002) or quicker, by
Newton's method on the logarithm with the size of each curvature.
"""

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Array = NDArray[np.float64]

REACH = 6.5
"""Standard deviations beyond which a kernel is 7e-10 of its peak."""

ROOM = 1.5
"""Standard deviations that can be gone before neighbors are looked for again."""

MAX_STEPS = 200

FLATTEST = 1e-3
"""Smallest curvature of the logarithm that a step is divided by."""

CLOSE_ENOUGH = 1e-6
"""Standard deviations of the last step."""

SAME = 0.05
"""Standard deviations within which two peaks are one."""


def climb(
    whitened: Array, counts: NDArray[Any], density: NDArray[Any], n_starts: int
) -> tuple[Array, Array]:
    """Return the peaks that are reached from the densest starts.

    Parameters
    ----------
    whitened
        ``(U, C)`` colors, in standard deviations of the kernels along their own axes.
    counts, density
        ``(U,)`` of each color.
    n_starts
        How many starts, from the highest on.

    Returns
    -------
    peaks
        ``(m, C)``, in the same coordinates, from the highest on.
    sums
        ``(m,)`` kernel sums there.
    """
    starts = _densest_among_neighbors(whitened, density)
    starts = starts[np.argsort(-density[starts], kind="stable")][:n_starts]
    around = _Neighborhood(cKDTree(whitened), whitened, counts)
    found = [_climbed(start, around) for start in whitened[starts]]
    peaks = np.array([peak for peak, _ in found])
    sums = np.array([value for _, value in found])
    order = np.argsort(-sums, kind="stable")
    kept: list[int] = []
    for row in order.tolist():
        if all(np.linalg.norm(peaks[row] - peaks[other]) > SAME for other in kept):
            kept.append(row)
    return peaks[kept], sums[kept]


def _densest_among_neighbors(whitened: Array, density: NDArray[Any]) -> NDArray[np.intp]:
    """Return the densest color of each cell of one sigma whose neighbors have no denser one."""
    cells = np.floor(whitened).astype(np.int64)
    cells -= cells.min(axis=0) - 1
    strides = np.cumprod([1, *(cells.max(axis=0)[:0:-1] + 2)])[::-1]
    keys = cells @ strides
    order = np.lexsort((density, keys))
    last = np.append(np.flatnonzero(np.diff(keys[order])), len(order) - 1)
    best, known = order[last], keys[order][last]  # the densest of each cell, cells ascending
    top = density[best]
    is_peak = np.ones(len(best), bool)
    for shift in product((-1, 0, 1), repeat=whitened.shape[1]):
        if not any(shift):
            continue
        wanted = known + int(np.dot(shift, strides))
        at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        is_peak &= (known[at] != wanted) | (top[at] <= top)
    return np.asarray(best[is_peak])


class _Neighborhood:
    """The colors near a place, looked for again when it was left."""

    def __init__(self, tree: cKDTree, whitened: Array, counts: NDArray[Any]) -> None:
        self._tree, self._whitened, self._counts = tree, whitened, counts
        self._center: Array | None = None

    def look(self, at: Array) -> tuple[float, Array, Array]:
        """Return the kernel sum at a place, the mean shift from there, and the step to take."""
        if self._center is None or np.linalg.norm(at - self._center) > ROOM:
            near = self._tree.query_ball_point(at, REACH + ROOM)
            self._colors, self._near_counts = self._whitened[near], self._counts[near]
            self._center = at
        offsets = self._colors - at
        terms = self._near_counts * np.exp(-0.5 * np.einsum("ij,ij->i", offsets, offsets))
        total = float(terms.sum())
        gradient = terms @ offsets / total  # of the logarithm
        second = (offsets * terms[:, np.newaxis]).T @ offsets / total
        curvature, ways = np.linalg.eigh(second - np.eye(len(at)) - np.outer(gradient, gradient))
        # Upward along every axis of curvature, also where it is no peak's; quick along ridges.
        step = ways @ (ways.T @ gradient / np.maximum(np.abs(curvature), FLATTEST))
        return total, gradient, step / max(1.0, float(np.linalg.norm(step)))


def _climbed(start: Array, around: _Neighborhood) -> tuple[Array, float]:
    """Climb from one color; return the peak and the kernel sum there."""
    at = start
    value, mean_shift, step = around.look(at)
    for _ in range(MAX_STEPS):
        if np.linalg.norm(step) <= CLOSE_ENOUGH:
            break
        moved = at + step
        found = around.look(moved)
        if found[0] < value:
            # The step went too far; the mean shift never does.
            moved = at + mean_shift
            found = around.look(moved)
        at, (value, mean_shift, step) = moved, found
    return at, value
