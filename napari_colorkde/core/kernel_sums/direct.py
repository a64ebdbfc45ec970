"""The sum over all colors itself, in float64 and log space: for tails and for narrow kernels.

    ``log S(x) = log Σ_u counts_u exp(−|y_u − y|²/2)``, y whitened coordinates.

Terms that cannot matter are left out by distance: with N the sum of the counts and d the distance
to the nearest color, those beyond ``d² + 2 (ln N + 14)`` add less than e⁻¹⁴ of the sum in all.
The nearest colors come from a k-d tree; points and colors are taken in blocks of neighbors, so
that most distances are never computed.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from napari_colorkde.core.kernel_sums.steps import Steps, value_of

NEGLIGIBLE = 14.0
"""Natural log of how small the sum of left-out terms is beside the largest term."""

POINT_BLOCK = 64
COLOR_BLOCK = 32
BLOCK_PAIRS = 1 << 20
BLOCKS_A_STEP = 256
EXPANDABLE = 1e9
"""Squared extent of a block of points up to which expanding the square errs by 1e-6 at most."""

DENSE_PAIRS = 1 << 18
"""Up to this many pairs no blocks are made."""


def log_sums(
    points: NDArray[np.float64],
    colors: NDArray[np.float64],
    counts: NDArray[Any],
    *,
    self_index: NDArray[np.int64] | None = None,
    beyond: float | None = None,
) -> NDArray[np.float64]:
    """Log kernel sums at whitened points.

    Parameters
    ----------
    points
        ``(Q, C)`` whitened coordinates.
    colors, counts
        ``(U, C)`` whitened coordinates and ``(U,)`` counts.
    self_index
        ``(Q,)``: the color to leave out at each point, for leave-one-out sums.
    beyond
        Squared distance beyond which colors are left out even if none is nearer: points far from
        everything give −inf quickly. None keeps the tails.

    Returns
    -------
    ndarray
        ``(Q,)`` float64, relative accuracy of the sum 1e-5. Time is proportional to the pairs
        nearer than ``d² + 2 (ln N + 14)``, at worst Q · U.
    """
    steps = log_sums_in_steps(points, colors, counts, self_index=self_index, beyond=beyond)
    return value_of(steps)


def log_sums_in_steps(
    points: NDArray[np.float64],
    colors: NDArray[np.float64],
    counts: NDArray[Any],
    *,
    self_index: NDArray[np.int64] | None = None,
    beyond: float | None = None,
) -> Steps[NDArray[np.float64]]:
    """Return the sums of `log_sums`, yielding the part that is done."""
    log_counts = np.log(counts.astype(np.float64))
    if len(points) * len(colors) <= DENSE_PAIRS:
        return _log_sum_block(points, colors, log_counts, self_index, np.arange(len(colors)))
    tree = cKDTree(colors)
    reach = _nearest_squared(tree, points, self_index)
    reach += 2 * (np.log(float(counts.sum())) + NEGLIGIBLE)
    reach *= 1 + 1e-12  # of rounding: the nearest itself must be reached
    if beyond is not None:
        reach = np.minimum(reach, beyond)
    blocks = np.split(tree.indices, range(COLOR_BLOCK, len(colors), COLOR_BLOCK))
    firsts, in_order = range(0, len(colors), COLOR_BLOCK), colors[tree.indices]
    low = np.minimum.reduceat(in_order, firsts)
    high = np.maximum.reduceat(in_order, firsts)
    order = _by_place_and_reach(points, reach)
    result = np.full(len(points), -np.inf)
    for start in range(0, len(points), POINT_BLOCK):
        if start % (POINT_BLOCK * BLOCKS_A_STEP) == 0:
            yield start / len(points)
        rows = order[start : start + POINT_BLOCK]
        here = points[rows]
        gap = np.maximum(0.0, np.maximum(low - here.max(axis=0), here.min(axis=0) - high))
        chosen = np.flatnonzero((gap**2).sum(axis=1) <= reach[rows].max())
        if len(chosen):
            members = np.concatenate([blocks[b] for b in chosen])
            own = None if self_index is None else self_index[rows]
            result[rows] = _log_sum_block(here, colors, log_counts, own, members)
    return result


def log_or_direct(
    sums: NDArray[Any],
    floor: float,
    points: NDArray[np.float64],
    colors: NDArray[np.float64],
    counts: NDArray[Any],
    self_index: NDArray[np.int64] | None,
) -> Steps[NDArray[np.float64]]:
    """Return the log of the sums that are at least `floor`; the direct sum where they are not."""
    deep = sums < floor
    logs = np.log(np.where(deep, 1.0, sums).astype(np.float64))
    if deep.any():
        rows = None if self_index is None else self_index[deep]
        logs[deep] = yield from log_sums_in_steps(points[deep], colors, counts, self_index=rows)
    return logs


def _nearest_squared(
    tree: cKDTree, points: NDArray[np.float64], self_index: NDArray[np.int64] | None
) -> NDArray[np.float64]:
    """Squared distance of each point to its nearest color, the one to leave out apart."""
    if self_index is None:
        distances, _ = tree.query(points, workers=-1)
    else:
        two, which = tree.query(points, k=2, workers=-1)
        distances = np.where(which[:, 0] == self_index, two[:, 1], two[:, 0])
    return np.asarray(np.square(distances), np.float64)


def _by_place_and_reach(
    points: NDArray[np.float64], reach: NDArray[np.float64]
) -> NDArray[np.intp]:
    """An order in which points next to each other are neighbors and reach about as far."""
    order = cKDTree(points, leafsize=POINT_BLOCK).indices
    with np.errstate(divide="ignore"):
        octaves = np.floor(np.log2(reach[order]))
    return np.asarray(order[np.argsort(octaves, kind="stable")], np.intp)


def _log_sum_block(
    points: NDArray[np.float64],
    colors: NDArray[np.float64],
    log_counts: NDArray[np.float64],
    self_index: NDArray[np.int64] | None,
    members: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Log-sum-exp over `members` at each of a few neighboring points."""
    # About the points' own center the square may be expanded: what cancels is of their size.
    center = points.mean(axis=0)
    here, there = points - center, colors[members] - center
    ones = np.ones((len(here), 1))
    # Logs to base 2 from here on: torch's exp2 is four times as fast as its exp.
    left = np.hstack([here, -0.5 * (here**2).sum(axis=1, keepdims=True), ones]) / np.log(2)
    level = log_counts[members] - 0.5 * (there**2).sum(axis=1)
    right = torch.from_numpy(np.vstack([there.T, np.ones(len(there)), level]))
    expandable = (here**2).sum(axis=1).max() <= EXPANDABLE
    result = np.empty(len(points))
    step = max(1, BLOCK_PAIRS // len(members))
    for start in range(0, len(points), step):
        part = slice(start, start + step)
        if expandable:
            terms = torch.from_numpy(left[part]) @ right
        else:
            squared = cdist(here[part], there, "sqeuclidean")
            terms = torch.from_numpy((log_counts[members] - 0.5 * squared) / np.log(2))
        if self_index is not None:
            terms[torch.from_numpy(self_index[part, np.newaxis] == members)] = -torch.inf
        largest = terms.max(dim=1, keepdim=True).values
        largest[torch.isneginf(largest)] = 0.0
        # What matters of the rest spans some 50 nats, which float32 holds to 3e-6.
        total = terms.sub_(largest).to(torch.float32).exp2_().sum(dim=1, dtype=torch.float64)
        result[part] = (largest[:, 0] + total.log2()).numpy() * np.log(2)
    return result
