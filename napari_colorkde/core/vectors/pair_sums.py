"""Kernel sums over all pairs of short vectors, on the host: tile by tile, on several threads.

Differences are taken channel by channel, so that nothing is lost in subtracting large squares, and
single precision does for all but very narrow kernels. A tile's passes stay in a core's cache; with
matrix products on torch's threads, each pass would wait for the slowest of them.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

Array = NDArray[np.float64]

TILE_ROWS, TILE_COLUMNS = 128, 1024
"""Pairs of a tile: half a megabyte in single precision."""

SINGLE_REACH = 100.0
"""Standard deviations from the middle up to which single precision holds 1e-4 nats + 1e-6 |log|."""


def log_pair_sums(
    train: Array, points: Array, counts: Array, own: NDArray[np.intp] | None = None
) -> Array:
    """Return ``log Σ_u counts_u exp(−½ |y_u − y|²)`` at points ``(Q, C)``: ``(Q,)``. O(U Q C).

    Parameters
    ----------
    train, points
        ``(U, C)`` and ``(Q, C)``, about zero, in standard deviations of the kernels.
    counts
        ``(U,)`` above 0.
    own
        ``(Q,)`` which of the U is left out at each point; −inf where no other is left.
    """
    reach = max(float(np.abs(train).max()), float(np.abs(points).max()))
    dtype = np.float32 if reach < SINGLE_REACH else np.float64
    columns = np.ascontiguousarray(train.T, dtype)
    rows = np.ascontiguousarray(points.T, dtype)
    log_counts = np.log(counts).astype(dtype)
    found = np.empty(len(points))

    def add_up(start: int) -> None:
        part = slice(start, min(start + TILE_ROWS, len(points)))
        left_out = None if own is None else own[part]
        found[part] = _row_sums(rows[:, part], columns, log_counts, left_out)

    starts = range(0, len(points), TILE_ROWS)
    n_threads = min(torch.get_num_threads(), len(starts))
    if n_threads < 2:
        for start in starts:
            add_up(start)
        return found
    with ThreadPoolExecutor(n_threads, "pairs") as pool:
        for _ in pool.map(add_up, starts):
            pass
    return found


def _row_sums(
    rows: NDArray[Any],
    columns: NDArray[Any],
    log_counts: NDArray[Any],
    own: NDArray[np.intp] | None,
) -> Array:
    """Return the log sums at some points, whose coordinates are ``(C, n)``."""
    n = rows.shape[1]
    largest, total = np.full(n, -np.inf), np.zeros(n)
    shape = n, min(TILE_COLUMNS, columns.shape[1])
    difference, exponents = np.empty((2, *shape), rows.dtype)
    for start in range(0, columns.shape[1], TILE_COLUMNS):
        part = slice(start, min(start + TILE_COLUMNS, columns.shape[1]))
        width = part.stop - part.start
        away, terms = difference[:, :width], exponents[:, :width]
        terms[:] = 0
        for of_rows, of_columns in zip(rows, columns[:, part], strict=True):
            np.subtract(of_rows[:, np.newaxis], of_columns, out=away)
            np.multiply(away, away, out=away)
            np.add(terms, away, out=terms)
        np.multiply(terms, rows.dtype.type(-0.5), out=terms)
        np.add(terms, log_counts[part], out=terms)
        if own is not None:
            (inside,) = np.nonzero((own >= part.start) & (own < part.stop))
            terms[inside, own[inside] - part.start] = -np.inf
        above = np.maximum(largest, terms.max(axis=1))
        base = np.where(np.isneginf(above), 0.0, above)
        np.subtract(terms, base.astype(rows.dtype)[:, np.newaxis], out=terms)
        # Rounded to the precision of the terms, so that both are about the very same base.
        base = base.astype(rows.dtype).astype(np.float64)
        np.exp(terms, out=terms)
        total *= np.exp(largest - base)
        total += terms.sum(axis=1)
        largest = np.where(np.isneginf(above), -np.inf, base)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(total) + np.where(np.isneginf(largest), 0.0, largest))
