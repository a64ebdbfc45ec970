"""The sum over all colours itself, in float64 and log space: for tails and for narrow kernels.

    ``log S(x) = log Σ_u counts_u exp(−|y_u − y|²/2)``, y whitened coordinates.

Terms that cannot matter are left out by distance: with N the sum of the counts and d the distance
to the nearest colour, those beyond ``d² + 2 (ln N + 14)`` add less than e⁻¹⁴ of the sum in all.
Points and colours are taken in blocks of neighbours, so that most distances are never computed.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

NEGLIGIBLE = 14.0
"""Natural log of how small the sum of left-out terms is beside the largest term."""

POINT_BLOCK = 128
COLOR_BLOCK = 32
BLOCK_PAIRS = 1 << 20
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
        ``(Q,)``: the colour to leave out at each point, for leave-one-out sums.
    beyond
        Squared distance beyond which colours are left out even if none is nearer: points far from
        everything give −inf quickly. None keeps the tails.

    Returns
    -------
    ndarray
        ``(Q,)`` float64, relative accuracy of the sum 1e-5. Time is proportional to the pairs
        nearer than ``d² + 2 (ln N + 14)``, at worst Q · U.
    """
    log_counts = np.log(counts.astype(np.float64))
    if len(points) * len(colors) <= DENSE_PAIRS:
        return _log_sum_block(points, colors, log_counts, self_index, np.arange(len(colors)))
    margin = 2 * (np.log(float(counts.sum())) + NEGLIGIBLE)
    color_order = neighbour_order(colors)
    point_order = neighbour_order(points)
    color_blocks = np.split(color_order, range(COLOR_BLOCK, len(colors), COLOR_BLOCK))
    low = np.array([colors[b].min(axis=0) for b in color_blocks])
    high = np.array([colors[b].max(axis=0) for b in color_blocks])
    result = np.full(len(points), -np.inf)
    for start in range(0, len(points), POINT_BLOCK):
        rows = point_order[start : start + POINT_BLOCK]
        here = points[rows]
        near, far = _box_distances(here.min(axis=0), here.max(axis=0), low, high)
        # A block of one colour may hold only the colour to be left out: then it bounds nothing.
        sure = np.partition(far, 1)[1] if len(far) > 1 else np.inf
        limit = sure + margin
        if beyond is not None:
            limit = min(limit, beyond)
        chosen = np.flatnonzero(near <= limit)
        if len(chosen):
            members = np.concatenate([color_blocks[b] for b in chosen])
            own = None if self_index is None else self_index[rows]
            result[rows] = _log_sum_block(here, colors, log_counts, own, members)
    return result


def neighbour_order(points: NDArray[np.float64]) -> NDArray[np.intp]:
    """An order in which neighbours in space are mostly neighbours in the list (Morton's curve)."""
    span = np.ptp(points, axis=0)
    bits = 20
    scaled = (points - points.min(axis=0)) / np.where(span > 0, span, 1.0).max()
    cells = (scaled * ((1 << bits) - 1)).astype(np.int64)
    key = np.zeros(len(points), np.int64)
    for bit in reversed(range(bits)):
        for c in range(points.shape[1]):
            key = key << 1 | (cells[:, c] >> bit & 1)
    return np.argsort(key, kind="stable")


def _box_distances(
    point_low: NDArray[Any], point_high: NDArray[Any], low: NDArray[Any], high: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Smallest and largest squared distance from a box of points to each box of colours."""
    gap = np.maximum(0.0, np.maximum(low - point_high, point_low - high))
    reach = np.maximum(high - point_low, point_high - low)
    return (gap**2).sum(axis=1), (reach**2).sum(axis=1)


def _log_sum_block(
    points: NDArray[np.float64],
    colors: NDArray[np.float64],
    log_counts: NDArray[np.float64],
    self_index: NDArray[np.int64] | None,
    members: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Log-sum-exp over `members` at each of a few neighbouring points."""
    # About the points' own centre the square may be expanded: what cancels is of their size.
    centre = points.mean(axis=0)
    here, there = points - centre, colors[members] - centre
    ones = np.ones((len(here), 1))
    left = np.hstack([here, -0.5 * (here**2).sum(axis=1, keepdims=True), ones])
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
            terms = torch.from_numpy(log_counts[members] - 0.5 * squared)
        if self_index is not None:
            terms[torch.from_numpy(self_index[part, np.newaxis] == members)] = -torch.inf
        largest = terms.max(dim=1, keepdim=True).values
        largest[torch.isneginf(largest)] = 0.0
        # What is left spans some 50 nats, which float32 holds to 3e-6.
        total = (terms - largest).to(torch.float32).exp_().sum(dim=1, dtype=torch.float64)
        result[part] = (largest[:, 0] + total.log()).numpy()
    return result
